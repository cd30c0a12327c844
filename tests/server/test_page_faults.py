"""What went wrong on the page once, each with its kind: dialogs, notes, a server that is away, keys, jobs, axes."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsing import first_hit, move, until
from tests.support.chromium import PHONE, WIDE, chromium, page_of
from tests.support.page_server import PageServer
from tests.support.scenes import draw_scene, write_picture

SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def index(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(index_folder, tmp_path_factory.mktemp("faults") / "index"))


@pytest.fixture(scope="module")
def server(index: Path) -> Iterator[PageServer]:
    pytest.importorskip("uvicorn", reason='the server needs pip install "bof-search[serve]"')
    with PageServer(index) as found:
        yield found


@pytest.fixture
def visit(browser: Any, server: PageServer) -> Iterator[Callable[..., Any]]:
    with ExitStack() as stack:
        yield lambda where="", **options: stack.enter_context(page_of(browser, server.address + where, **options))


# ---- dialogs


def open_tags(page: Any) -> None:
    page.get_by_label("Select scene-09.png").check()
    page.get_by_role("button", name="Tag").click()


def open_removal(page: Any) -> None:
    page.get_by_label("Select scene-09.png").check()
    page.get_by_role("button", name="Remove").click()


def open_help(page: Any) -> None:
    page.locator("#help").click()


def open_details(page: Any) -> None:
    page.locator(".card .face").first.click()


def open_removal_in_details(page: Any) -> None:
    open_details(page)
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()


DIALOGS = {
    open_tags: "INPUT", open_removal: "BUTTON#really-remove", open_help: "DIV", open_details: "DIV",
    open_removal_in_details: "BUTTON#really-remove",
}  # fmt: skip
FOCUSED = "(({tagName, id}) => tagName + (id && '#' + id))(document.activeElement)"


@pytest.mark.parametrize("leave", ["Back", "Escape"])
@pytest.mark.parametrize("opens", DIALOGS)
def test_a_dialog_that_is_left_changes_nothing(
    visit: Callable[..., Any], opens: Callable[[Any], None], leave: str
) -> None:
    """Neither by Back nor by Escape; and it begins in its first field or on what it is for, not on its way out."""
    page = visit("#/statistics")
    move(page, "#/collection?text=scene-09")
    changes = list[str]()
    page.on("request", lambda sent: changes.append(sent.method + sent.url) if sent.method != "GET" else None)
    opens(page)
    page.get_by_role("dialog").last.wait_for()
    assert page.evaluate(FOCUSED) == DIALOGS[opens]
    n = page.locator("dialog").count()
    if leave == "Back":
        page.go_back()
    else:
        page.keyboard.press("Escape")
    until(page, "n => document.querySelectorAll('dialog').length < n", n)
    page.wait_for_timeout(200)
    assert changes == []


# ---- notes and tasks


COVERED = """() => {
    const seen = (box) => box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight;
    const over = [...document.querySelectorAll('.note, .task')].map((one) => one.getBoundingClientRect());
    const parts = [...document.querySelectorAll('button, a.button, .verdict, input, select, nav a, h1, .name')];
    return parts.filter((part) => !part.closest('.note, .task')).filter((part) => {
        const box = part.getBoundingClientRect();
        return seen(box) && over.some((note) => note.left < box.right - 1 && box.left < note.right - 1 &&
            note.top < box.bottom - 1 && box.top < note.bottom - 1) &&
            !document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)?.closest('.bar');
    }).map((part) => part.outerHTML.slice(0, 80));
}"""


@SIZES
def test_notes_and_tasks_cover_no_verdict_and_no_control(visit: Callable[..., Any], size: dict[str, Any]) -> None:
    page = visit("#/search?image=4", **size)
    first_hit(page)
    page.evaluate("scrollTo(0, 400)")
    before = page.evaluate("document.querySelectorAll('.verdict')[0].getBoundingClientRect().top")
    page.evaluate("""async () => {
        const {toast} = await import('./static/dom.js');
        const {taskLine} = await import('./static/tray.js');
        for (let i = 0; i < 4; i += 1) toast(`Note ${i} about something that was done`);
        taskLine('A task', () => {});
    }""")
    page.wait_for_timeout(100)
    assert page.locator(".note").count() == 3
    tops = page.evaluate("[...document.querySelectorAll('.note')].map((note) => note.getBoundingClientRect().top)")
    assert tops == sorted(set(tops))
    assert page.evaluate(COVERED) == []
    assert page.locator(".task").bounding_box()["y"] < before
    assert page.locator("#work").is_visible()


def test_a_note_stays_in_view_for_a_while_and_goes(visit: Callable[..., Any]) -> None:
    page = visit("#/statistics", **PHONE)
    page.clock.install()
    page.evaluate("import('./static/dom.js').then(({toast}) => toast('Done'))")
    page.locator(".note").wait_for()
    page.clock.run_for(7000)
    assert page.locator(".note").count() == 0
    assert page.evaluate("document.documentElement.style.getPropertyValue('--notes')") == "0px"


# ---- adding


def test_what_is_said_of_an_upload_ends_with_it(visit: Callable[..., Any], tmp_path: Path) -> None:
    """Also where the reader is in its line, and where the first request of it fails."""
    page = visit("#/collection")
    page.wait_for_selector(".card")
    page.set_input_files("#add-pictures", write_picture(tmp_path / "one.png", draw_scene(60)))
    page.locator(".task").get_by_text("1 added").wait_for()
    assert "Adding" not in page.locator(".task").inner_text()
    page.locator(".task").get_by_role("button", name="Close").focus()
    page.wait_for_timeout(8500)
    assert page.locator(".task").count() == 1
    page.locator("#help").focus()
    until(page, "!document.querySelector('.task')")
    page.evaluate("import('./static/api.js').then(({forgetIndexFacts}) => forgetIndexFacts())")
    page.route("**/api/v1/index", lambda route: route.fulfill(status=500, json={"type": "/problems/internal"}))
    page.set_input_files("#add-pictures", write_picture(tmp_path / "two.png", draw_scene(61)))
    page.locator(".task.bad").wait_for()
    assert "Adding" not in page.locator(".task").inner_text()


def test_many_jobs_take_one_connection(visit: Callable[..., Any], server: PageServer) -> None:
    """A stream for each would leave none of the browser's six for anything else."""
    page = visit("#/statistics")
    job = {
        "kind": "sync", "state": "running", "stage": "", "done": 1, "total": 9, "added": 0, "removed": 0, "moved": 0,
        "unchanged": 0, "images": [], "skipped": [], "passed_over": [], "error": None, "seconds": 0,
        "created": "2026-01-31T12:00:00Z",
    }  # fmt: skip
    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"jobs": [{**job, "id": f"j{i}"} for i in range(9)]}))
    page.reload()
    until(page, "document.querySelectorAll('.task').length === 9")
    move(page, "#/search?image=4")
    assert first_hit(page)[1]


# ---- a server that is away


@pytest.fixture
def own(browser: Any, index: Path, tmp_path: Path) -> Iterator[tuple[PageServer, Path]]:
    folder = Path(shutil.copytree(index, tmp_path / "index"))
    with PageServer(folder) as found:
        yield found, folder


VIEWS = {
    "#/search": ".strip img", "#/search?image=4": ".hit", "#/match/4/4": "#viewport", "#/collection": ".card",
    "#/collection?show=4": ".details dl", "#/statistics": ".figures", "#/duplicates": ".empty",
}  # fmt: skip


def test_every_view_comes_back_with_the_server(browser: Any, own: tuple[PageServer, Path]) -> None:
    """It is killed before a view is opened, which was not loaded before, and started again."""
    server, _ = own
    for view, sign in VIEWS.items():
        first = "#/search" if view == "#/statistics" else "#/statistics"
        with page_of(browser, server.address + first) as page:
            page.locator(VIEWS[first]).first.wait_for()
            server.kill()
            page.evaluate("hash => location.hash = hash", view)
            until(page, "document.querySelector('#banner:not([hidden]), .error')")
            server.start()
            page.locator(sign).first.wait_for(timeout=15_000)
            assert page.locator("#banner").is_hidden(), view
            assert page.locator(".error").count() == 0, view
            assert page.get_by_role("link", name="Duplicates").count() == 1


def test_a_job_that_the_server_took_with_it_is_said_to_be_stopped(browser: Any, own: tuple[PageServer, Path]) -> None:
    server, _ = own
    with page_of(browser, f"{server.address}#/collection") as page:
        page.wait_for_selector(".card")
        running: dict[str, Any] = json.load(urllib.request.urlopen(_sync(server)))["job"]
        running |= {"id": "j7", "state": "running"}
        page.route("**/api/v1/sync", lambda route: route.fulfill(status=202, json={"job": running}))
        server.kill()
        page.get_by_role("button", name="Check for changes").click()
        page.locator("#banner").wait_for()
        server.start()
        page.locator(".task").get_by_text("The server was shut down; finished work stays.").wait_for()


def _sync(server: PageServer) -> urllib.request.Request:
    return urllib.request.Request(f"{server.address}api/v1/sync", b"", {"X-Bof": "1"})


def test_an_index_that_is_gone_is_named_and_found_again(browser: Any, own: tuple[PageServer, Path]) -> None:
    server, folder = own
    with page_of(browser, f"{server.address}#/statistics") as page:
        page.wait_for_selector(".figures")
        folder.rename(folder.with_name("away"))
        page.evaluate("location.hash = '#/collection'")
        page.locator(".error").get_by_text("The server cannot read its index.").wait_for()
        assert "cannot read its index" in page.locator("#banner").inner_text()
        folder.with_name("away").rename(folder)
        page.wait_for_selector(".card")
        assert page.locator("#banner").is_hidden()


def test_thumbnails_come_back_with_the_server(browser: Any, own: tuple[PageServer, Path]) -> None:
    server, _ = own
    with page_of(browser, f"{server.address}#/statistics") as page:
        page.wait_for_selector(".figures")
        away = ["**/api/v1/health", "**/thumbnail*"]
        for pattern in away:
            page.route(pattern, lambda route: route.abort())
        page.evaluate("location.hash = '#/collection'")
        page.locator(".gone:not([hidden])").first.wait_for()
        page.locator("#banner").wait_for()
        for pattern in away:
            page.unroute(pattern)
        page.locator("#banner").wait_for(state="hidden")
        until(page, "[...document.querySelectorAll('.card img')].every((image) => image.naturalWidth > 0)")
        assert page.locator(".gone:not([hidden])").count() == 0


# ---- keys and axes


def test_the_comparison_is_zoomed_wherever_the_focus_is(visit: Callable[..., Any]) -> None:
    page = visit("#/match/4/5")
    page.wait_for_selector("#viewport")
    until(page, "document.querySelector('main').getAttribute('aria-busy') === 'false'")
    page.wait_for_timeout(200)
    pixels = "document.querySelector('#viewport').toDataURL()"
    page.evaluate("document.activeElement.blur()")
    seen = [page.evaluate(pixels)]
    for key in ("+", "-", "+", "0"):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        seen.append(page.evaluate(pixels))
    whole, nearer, _, again, fitted = seen
    assert len({whole, nearer}) == 2
    assert nearer == again
    assert fitted == whole


OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll('.plot text')].map((text) => text.getBoundingClientRect());
    const plot = document.querySelector('.plot').getBoundingClientRect();
    const meet = (a, b) => a.left < b.right + 2 && b.left < a.right + 2 && a.top < b.bottom && b.top < a.bottom;
    const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b]));
    return [pairs.filter(([a, b]) => meet(a, b)).length, boxes.filter((a) => a.left < plot.left - 1).length,
        Math.min(...boxes.map(({height}) => height)), boxes.length];
}"""


@SIZES
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize(("counts", "step"), [([3, 1, 9], 100), ([1_234_567] * 20, 100), ([24] * 7, 12_345)])
def test_labels_of_axes_have_room(
    visit: Callable[..., Any], server: PageServer, size: dict[str, Any], locale: str, counts: list[int], step: int
) -> None:
    page = visit("#/search", **{**size, "locale": locale})
    found = json.load(urllib.request.urlopen(server.address + "api/v1/index"))
    found["features_per_image"] = {"edges": [step * i for i in range(len(counts) + 1)], "counts": counts}
    page.route("**/api/v1/index", lambda route: route.fulfill(json=found))
    move(page, "#/statistics")
    n_overlaps, n_outside, height, n_labels = page.evaluate(OVERLAPS)
    assert (n_overlaps, n_outside) == (0, 0)
    assert height >= 11
    assert n_labels >= 5
