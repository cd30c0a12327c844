"""Duplicates on the page, in a real browser, on a real server that may move files: what a person decides and undoes."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from tests.support.browsing import move, until
from tests.support.chromium import PHONE, WIDE, chromium, page_of
from tests.support.page_server import PageServer
from tests.support.scenes import draw_scene, write_picture

N_GROUPS = 23


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with copies of N_GROUPS scenes: of the first a smaller one too, which frees most."""
    folder = tmp_path_factory.mktemp("duplicates") / "pictures"
    for seed in range(200, 200 + N_GROUPS):
        write_picture(folder / f"scene-{seed}.png", draw_scene(seed))
        write_picture(folder / "copies" / f"scene-{seed} (1).png", draw_scene(seed))
    small = cv2.resize(draw_scene(200), (160, 120), interpolation=cv2.INTER_AREA).astype(np.uint8)
    write_picture(folder / "small-200.png", small)
    return folder


@pytest.fixture(scope="module")
def server(pictures: Path, vocabulary_folder: Path) -> Iterator[PageServer]:
    pytest.importorskip("uvicorn", reason='the server needs pip install "bof-search[serve]"')
    index = pictures.with_name("index")
    with Engine.create(index, vocabulary_folder) as engine:
        engine.add([pictures], IndexOptions(workers=1))
    with PageServer(index, "--allow-moves", str(pictures.with_name("moved"))) as found:
        yield found


@pytest.fixture
def visit(browser: Any, server: PageServer) -> Iterator[Callable[..., Any]]:
    """Opens the duplicates, which are searched for once."""
    with ExitStack() as stack:

        def open_page(where: str = "#/duplicates?kind=copy", **options: Any) -> Any:
            page = stack.enter_context(page_of(browser, server.address + where, **options))
            page.wait_for_selector(".group, .empty")
            if page.locator(".empty").count():
                page.get_by_role("button", name="Search for duplicates").click()
            page.wait_for_selector(".group", timeout=60_000)
            return page

        yield open_page


def asked(server: PageServer, path: str) -> Any:
    return json.load(urllib.request.urlopen(server.address + "api/v1" + path))


def totals(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".totals .figures dd").all_inner_texts()]


def test_figures_stand_above_the_groups_that_free_most(visit: Callable[..., Any], server: PageServer) -> None:
    page = visit()
    assert totals(page)[:3] == [str(N_GROUPS), str(2 * N_GROUPS + 1), str(N_GROUPS + 1)]
    assert page.locator(".kinds li").count() == 2
    first = page.locator(".group").first
    assert "3 pictures" in first.locator("h2").inner_text()
    reasons = first.locator(".because").inner_text()
    assert reasons.startswith("Why this one stays: ")
    assert "4.0 times the pixels" in reasons
    assert "no “(1)” in its path" in reasons
    assert page.locator(".group").count() == 20
    page.get_by_role("link", name="Next").click()
    until(page, f"document.querySelectorAll('.group').length === {N_GROUPS - 20}")
    page.get_by_label("Show").select_option("copy")
    until(page, "document.querySelectorAll('.group').length === 1")
    assert "only=copy" in page.url
    assert totals(page)[0] == "1"


def test_the_one_to_keep_is_the_first_of_its_group(visit: Callable[..., Any]) -> None:
    page = visit()
    assert page.locator(".group").count() == page.locator(".group .card:first-child.keep").count() == 20


def test_all_suggestions_of_a_kind_are_accepted_and_undone(visit: Callable[..., Any], server: PageServer) -> None:
    page = visit()
    before = asked(server, "/images")["total"]
    page.locator(".kinds li", has_text="The same file").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("heading").inner_text() == f"Let {N_GROUPS - 1} pictures go?"
    assert page.evaluate("document.activeElement.id") == "really-accept"
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    assert asked(server, "/images")["total"] == before
    page.locator(".kinds li", has_text="The same file").get_by_role("button").click()
    page.get_by_role("button", name=f"Take {N_GROUPS - 1} out of the index").click()
    page.get_by_text(f"{N_GROUPS - 1} pictures taken out of the index.").wait_for()
    assert asked(server, "/images")["total"] == before - N_GROUPS + 1
    until(page, "document.querySelectorAll('.group').length === 1")
    page.locator(".note").get_by_role("button", name="Undo").click()
    page.locator(".task").get_by_text(f"{N_GROUPS - 1} added").wait_for()
    assert asked(server, "/images")["total"] == before
    page.get_by_role("button", name="Search for duplicates").click()
    until(page, "document.querySelectorAll('.group').length === 20")


def test_files_are_moved_and_put_back(visit: Callable[..., Any], pictures: Path) -> None:
    page = visit(**PHONE)
    files = sorted(path.name for path in pictures.rglob("*.png"))
    page.locator(".group").first.get_by_role("button", name="Accept …").click()
    page.get_by_label("Move the files").check(force=True)
    page.get_by_role("button", name="Move 2 files").click()
    page.get_by_text("2 files moved.").wait_for()
    left = {path.name for path in pictures.rglob("*.png")}
    assert left == {*files} - {"scene-200 (1).png", "small-200.png"}
    until(page, "document.querySelector('.past')")
    page.locator(".past summary").click()
    page.locator(".past").get_by_role("button", name="Undo").first.click()
    until(page, "!document.querySelector('.past details')")
    assert sorted(path.name for path in pictures.rglob("*.png")) == files
    page.get_by_role("button", name="Search for duplicates").click()
    page.get_by_text("3 pictures").first.wait_for()


def test_a_pair_that_is_none_may_be_one_again(visit: Callable[..., Any], server: PageServer) -> None:
    page = visit("#/duplicates?kind=copy&sort=name&page=2")
    n = page.locator(".group").count()
    page.get_by_role("button", name="Not a duplicate").last.click()
    until(page, f"document.querySelectorAll('.group').length === {n - 1}")
    assert len(asked(server, "/duplicates/rejected")["pairs"]) == 1
    page.locator(".note").get_by_role("button", name="Undo").click()
    until(page, f"document.querySelectorAll('.group').length === {n}")
    assert asked(server, "/duplicates/rejected")["pairs"] == []
    page.get_by_role("button", name="Not a duplicate").last.click()
    page.locator(".past summary").click()
    page.locator(".past").get_by_role("button", name="Undo").click()
    until(page, f"document.querySelectorAll('.group').length === {n}")


def test_a_group_has_a_page_that_the_comparison_leads_back_to(visit: Callable[..., Any]) -> None:
    page = visit()
    title = page.locator(".group h2").nth(9).inner_text()
    page.locator(".group h2 a").nth(9).click()
    until(page, "/#.duplicates.[0-9a-f]{16}/.test(location.hash) && document.querySelectorAll('.group').length === 1")
    assert page.locator(".group h2").inner_text() == title
    page.locator(".group .face[href*=match]").first.click()
    page.wait_for_selector("#viewport")
    page.get_by_role("link", name="The group").click()
    until(page, "/#.duplicates.[0-9a-f]{16}/.test(location.hash) && document.querySelectorAll('.group').length === 1")
    page.reload()
    assert page.locator(".group h2").inner_text() == title
    page.keyboard.press("Escape")
    until(page, "document.querySelectorAll('.group').length === 20")


def test_the_address_of_a_group_holds_when_the_server_was_started_again(
    visit: Callable[..., Any], server: PageServer
) -> None:
    page = visit()
    address = page.locator(".group h2 a").first.get_attribute("href")
    title = page.locator(".group h2").first.inner_text()
    move(page, address)
    server.kill()
    server.start()
    page.reload()
    page.get_by_text("Nobody has searched for duplicates").wait_for()
    page.get_by_role("button", name="Search for duplicates").click()
    page.wait_for_selector(".group")
    assert page.locator(".group h2").inner_text() == title


def test_back_keeps_the_scroll(visit: Callable[..., Any]) -> None:
    page = visit()
    face = page.locator(".group .face").nth(18)
    face.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 500
    face.click()
    page.wait_for_timeout(300)
    page.go_back()
    until(page, "document.querySelectorAll('.group').length === 20")
    until(page, "place => Math.abs(scrollY - place) < 3", place)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_duplicates_fit_and_are_in_one_language(visit: Callable[..., Any], size: dict[str, Any], locale: str) -> None:
    page = visit(**{**size, "locale": locale})
    width = size["viewport"]["width"]
    group = page.locator(".group h2 a").first.get_attribute("href")
    for where in ("#/duplicates?kind=copy", group):
        move(page, where)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if locale == "zh-CN":
            names = r"scene-\d+|small-\d+|\.png|English|\bbof\b|copies|\b[kM]?B\b"
            assert re.findall("[A-Za-z]{2,}", re.sub(names, "", page.locator("body").inner_text())) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_groups_and_the_dialog(visit: Callable[..., Any], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit(color_scheme=scheme)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    page.evaluate("import('./static/dom.js').then(({toast}) => toast('Done', {words: 'Undo', act: () => {}}))")
    page.evaluate("import('./static/tray.js').then(({taskLine}) => taskLine('A task', () => {}).progress(1, 3))")
    assert axe_faults(page) == []
    page.get_by_role("button", name="Accept …").first.click()
    assert axe_faults(page) == []


def axe_faults(page: Any) -> list[Any]:
    return list(
        page.evaluate("axe.run(document).then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
    )


def test_a_running_job_is_cancelled_from_its_line(visit: Callable[..., Any], server: PageServer) -> None:
    """With the forms of an answer, because a search here is over at once."""
    page = visit()
    running = {**asked(server, "/jobs")["jobs"][0], "id": "j99", "state": "running", "done": 3, "total": 10}
    cancelled = list[str]()

    def cancel(route: Any) -> None:
        running["state"] = "cancelled"
        cancelled.append(route.request.url)
        route.fulfill(json=running)

    page.route("**/api/v1/jobs/j99/cancel", cancel)
    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"jobs": [running]}))
    page.reload()
    page.locator(".task").get_by_text("3 of 10").wait_for()
    assert page.locator("#work").inner_text() == "1"
    page.locator(".task").get_by_role("button", name="Cancel").click()
    page.locator(".task").get_by_text("Cancelled; finished work stays.").wait_for()
    assert len(cancelled) == 1
    page.locator(".task").get_by_role("button", name="Close").click()
    assert page.locator("#work").is_hidden()
