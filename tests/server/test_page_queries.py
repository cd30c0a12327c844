"""A picture on the page is sent once: changes, reloads, expiry, lost servers, slow lines, fingers, and how it comes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.server.test_page import TURNED, answers, free_port
from tests.server.test_page import server as server  # a fixture
from tests.support.browsing import box_in_address, drag, first_hit, move, until, wait_for_box
from tests.support.chromium import FLAGS, chromium_path
from tests.support.firefox import FIREFOX, wrapper
from tests.support.scenes import draw_scene, warp, write_picture

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BEST, SMALLEST_PX = "scene-05.png", 44
_NAMING = ("/search/query/", "/search/image/")


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Chromium and Firefox, each started when it is first asked for."""
    playwright = pytest.importorskip("playwright.sync_api", reason='needs pip install "bof-search[dev]"')
    with playwright.sync_playwright() as engine:
        started: dict[str, Any] = {}

        def chromium() -> Any:
            return engine.chromium.launch(executable_path=chromium_path(), args=FLAGS)

        def firefox() -> Any:
            pytest.importorskip("aiohttp", reason="stands between Playwright and Firefox")
            if not FIREFOX:
                pytest.skip(
                    "no Firefox: install it (Debian: apt-get install firefox-esr) or set BOF_FIREFOX to its path"
                )
            command = wrapper(tmp_path_factory.mktemp("firefox"))
            return engine.firefox.launch(channel="moz-firefox", executable_path=str(command), timeout=60_000)

        def of(name: str) -> Any:
            if name not in started:
                started[name] = {"chromium": chromium, "firefox": firefox}[name]()
            return started[name]

        yield of
        for browser in started.values():
            browser.close()


class Visit:
    """A page with the requests that it has sent, as method and path."""

    def __init__(self, browser: Any, address: str, where: str = "", **options: Any) -> None:
        wide = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
        self.context = browser.new_context(**{**wide, **options})
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)
        self.page.goto(address + where)

    def _note(self, request: Any) -> None:
        path = request.url.partition("/api/v1")[2].partition("?")[0]
        self.sent.append((request.method, path))

    def bodies(self) -> list[str]:
        """Where pictures were sent to: the other addresses that are posted to name a picture."""
        return [path for method, path in self.sent if method == "POST" and not path.startswith(_NAMING)]

    def give(self, *paths: Path) -> None:
        """Choose a picture, and wait for the answer."""
        self.page.set_input_files("#choose", paths[0])
        self.settle()

    def settle(self) -> None:
        """Wait until an answer is shown."""
        until(self.page, "!document.querySelector('.found[aria-busy=true], .waiting, main[aria-busy=true]')")
        self.page.wait_for_selector(".hit")


@pytest.fixture(params=["chromium", "firefox"])
def visit(
    request: pytest.FixtureRequest, browsers: Callable[[str], Any], server: str
) -> Iterator[Callable[..., Visit]]:
    """Opens the page in both browsers; it fails at the end if anything went wrong in it."""
    yield from visits(browsers(request.param), server)


@pytest.fixture
def visit_chromium(browsers: Callable[[str], Any], server: str) -> Iterator[Callable[..., Visit]]:
    """What Chromium alone can be driven to: fingers, slow lines."""
    yield from visits(browsers("chromium"), server)


def visits(browser: Any, server: str) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_page(where: str = "", address: str = server, **options: Any) -> Visit:
        opened.append(Visit(browser, address, where, **options))
        return opened[-1]

    yield open_page
    complaints = [complaint for each in opened for complaint in each.complaints]
    for each in opened:
        each.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scene 5 from another side."""
    return write_picture(tmp_path_factory.mktemp("query") / "from-the-side.png", warp(draw_scene(5), TURNED))


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a photograph of 12 megapixels and 5 MB."""
    large = cv2.resize(warp(draw_scene(5), TURNED), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 9, large.shape).astype(np.float32)
    path = tmp_path_factory.mktemp("photo") / "IMG_5.jpg"
    cv2.imwrite(str(path), np.clip(large + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 94])
    assert path.stat().st_size > 4_000_000
    return path


def stored_id(page: Any) -> str:
    return str(until(page, "/[?&]query=([\\w-]{24})/.exec(location.hash)?.[1]"))


def forget(server: str, page: Any) -> None:
    """The server forgets the query, as after an hour."""
    number = stored_id(page)
    request = urllib.request.Request(f"{server}api/v1/queries/{number}", method="DELETE")
    urllib.request.urlopen(request).close()


# -- Sent once --------------------------------------------------------------------------------------------------------


def test_a_picture_is_sent_once(visit: Callable[..., Visit], query: Path) -> None:
    seen = visit()
    page = seen.page
    seen.give(query)
    assert first_hit(page) == (BEST, True)
    number = stored_id(page)
    drag(page, (0.2, 0.2), (0.7, 0.8))
    wait_for_box(page)
    assert first_hit(page) == (BEST, True)
    page.get_by_role("button", name="Turn right").click()
    until(page, "location.hash.includes('turn=90')")
    seen.settle()
    page.locator("select[name=verdict]").select_option("same")
    until(page, "location.hash.includes('verdict=same')")
    seen.settle()
    page.locator(".hit .face").first.click()
    page.wait_for_selector("#viewport")
    until(page, "document.querySelector('main').getAttribute('aria-busy') === 'false'")
    page.reload()
    page.wait_for_selector("#viewport")
    page.get_by_role("link", name="Results").click()
    assert first_hit(page) == (BEST, True)
    assert stored_id(page) == number
    assert seen.bodies() == ["/queries"]


def test_a_reload_and_back_keep_the_picture(visit: Callable[..., Visit], query: Path) -> None:
    seen = visit()
    page = seen.page
    seen.give(query)
    drag(page, (0.2, 0.2), (0.8, 0.8))
    box = wait_for_box(page)
    seen.settle()
    page.reload()
    assert first_hit(page) == (BEST, True)
    assert page.locator(".side .name").inner_text() == query.name
    assert page.locator(".region").is_visible()
    page.go_back()
    until(page, "!location.hash.includes('box')")
    assert first_hit(page) == (BEST, True)
    assert not page.locator(".region").is_visible()
    page.go_forward()
    until(page, "location.hash.includes('box')")
    assert box_in_address(page) == box
    assert seen.bodies() == ["/queries"]


def test_another_reader_opens_the_link(visit: Callable[..., Visit], query: Path) -> None:
    first = visit()
    first.give(query)
    stored_id(first.page)
    other = visit(first.page.evaluate("location.hash"))
    assert first_hit(other.page) == (BEST, True)
    assert other.page.locator(".canvas > canvas").is_visible()


# -- Forgotten --------------------------------------------------------------------------------------------------------


def test_what_the_server_forgot_is_sent_again_by_itself(visit: Callable[..., Visit], query: Path, server: str) -> None:
    seen = visit()
    page = seen.page
    seen.give(query)
    before = stored_id(page)
    forget(server, page)
    drag(page, (0.2, 0.2), (0.8, 0.8))
    wait_for_box(page)
    until(page, "before => !location.hash.includes(before)", before)
    assert first_hit(page) == (BEST, True)
    assert seen.bodies() == ["/queries", "/queries"]


def test_a_link_whose_picture_is_forgotten_asks_for_it(
    visit: Callable[..., Visit], query: Path, server: str, tmp_path: Path
) -> None:
    seen = visit()
    page = seen.page
    seen.give(query)
    drag(page, (0.2, 0.2), (0.8, 0.8))
    wait_for_box(page)
    seen.settle()
    forget(server, page)
    link = page.evaluate("location.hash")
    page.reload()
    page.get_by_role("heading", name="This link needs its picture").wait_for()
    seen.give(query)
    assert first_hit(page) == (BEST, True)
    assert page.locator(".region").is_visible()
    assert "box=" in page.url
    page.locator(".hit .face").first.click()
    page.wait_for_selector("#viewport")
    forget(server, page)
    page.reload()
    page.get_by_role("heading", name="This link needs its picture").wait_for()
    page.set_input_files("#choose", query)
    page.wait_for_selector("#viewport")
    other = visit(link)
    other.give(write_picture(tmp_path / "another.png", draw_scene(7)))
    assert "The link was to a search with another picture" in other.page.locator(".notice").first.inner_text()
    assert first_hit(other.page)[0] == "scene-07.png"
    assert "box=" not in other.page.url


def test_a_server_that_was_killed_gets_the_picture_again(
    browsers: Callable[[str], Any], index_folder: Path, query: Path, tmp_path: Path
) -> None:
    shutil.copytree(index_folder, tmp_path / "index")
    port = free_port()
    command = [sys.executable, "-m", "bof.serve", "--index", str(tmp_path / "index"), "--port", str(port)]
    address = f"http://127.0.0.1:{port}/"

    def started() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not answers(address + "api/v1/health"):
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        return process

    process = started()
    seen = Visit(browsers("chromium"), address)
    try:
        seen.give(query)
        process.send_signal(signal.SIGKILL)
        process.wait()
        drag(seen.page, (0.2, 0.2), (0.8, 0.8))
        seen.page.locator("#banner").wait_for()
        process = started()
        seen.page.locator("#banner").wait_for(state="hidden")
        assert first_hit(seen.page) == (BEST, True)
        assert "box=" in seen.page.url
        assert seen.complaints == []
    finally:
        seen.context.close()
        process.terminate()
        process.wait()


# -- A smaller copy ---------------------------------------------------------------------------------------------------


def test_a_large_photograph_is_sent_as_a_copy_in_the_frame_of_the_original(
    visit: Callable[..., Visit], photo: Path
) -> None:
    seen = visit()
    page = seen.page
    seen.give(photo)
    assert first_hit(page) == (BEST, True)
    drag(page, (0.25, 0.25), (0.75, 0.75))
    assert np.allclose(wait_for_box(page), [1000, 750, 3000, 2250], atol=60)
    seen.settle()
    about = json.load(urllib.request.urlopen(f"{page.url.partition('#')[0]}api/v1/queries/{stored_id(page)}"))
    assert (about["width"], about["height"], about["name"]) == (4000, 3000, photo.name)
    assert about["n_bytes"] < 400_000
    page.reload()
    assert first_hit(page) == (BEST, True)
    assert np.allclose(box_in_address(page), [1000, 750, 3000, 2250], atol=60)
    assert page.locator(".sent").is_hidden()


def test_the_original_is_sent_on_request(visit: Callable[..., Visit], photo: Path) -> None:
    seen = visit()
    page = seen.page
    seen.give(photo)
    before = stored_id(page)
    assert "Sent as a smaller copy" in page.locator(".sent").inner_text()
    page.get_by_role("button", name="Send the original").click()
    until(page, "before => !location.hash.includes(before)", before)
    seen.settle()
    about = json.load(urllib.request.urlopen(f"{page.url.partition('#')[0]}api/v1/queries/{stored_id(page)}"))
    assert about["n_bytes"] == photo.stat().st_size
    assert page.locator(".sent").is_hidden()


@pytest.mark.parametrize("size", [{}, PHONE], ids=["wide", "phone"])
def test_the_page_says_that_it_reads_a_large_photograph(
    visit_chromium: Callable[..., Visit], photo: Path, size: dict[str, Any]
) -> None:
    seen = visit_chromium(**size)
    page = seen.page
    page.wait_for_selector(".strip img")
    page.evaluate("""() => { window.notes = []; new MutationObserver(() => {
        window.notes.push(document.querySelector('#notes').innerText);
    }).observe(document.querySelector('#notes'), {subtree: true, childList: true}); }""")
    assert photo.stat().st_size > 1e6
    page.set_input_files("#choose", photo)
    until(page, "window.notes.length")
    assert page.evaluate("window.notes")[0].strip() == "Reading the picture …"
    seen.settle()
    assert page.evaluate("window.notes").pop() == page.locator("#notes").inner_text() == ""


def test_a_photograph_over_a_slow_line(visit_chromium: Callable[..., Visit], photo: Path) -> None:
    seen = visit_chromium(**PHONE)
    page = seen.page
    page.wait_for_selector(".strip img")
    page.evaluate("""() => { window.shares = []; new MutationObserver(() => {
        const bar = document.querySelector('.waiting progress'); if (bar) window.shares.push(bar.value);
    }).observe(document.querySelector('main'), {subtree: true, childList: true, attributes: true}); }""")
    line = {"offline": False, "latency": 100, "downloadThroughput": 125_000, "uploadThroughput": 125_000}
    seen.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)
    start = time.monotonic()
    seen.give(photo)
    assert first_hit(page) == (BEST, True)
    assert time.monotonic() - start < 20
    shares = page.evaluate("window.shares")
    assert shares == sorted(shares)
    assert any(0 < share < 1 for share in shares)


def test_what_the_browser_cannot_show_the_server_does(
    visit_chromium: Callable[..., Visit], query: Path, tmp_path: Path
) -> None:
    pixels = cv2.imread(str(query))
    assert pixels is not None
    cv2.imwrite(str(tmp_path / "scan.tif"), pixels)
    seen = visit_chromium()
    seen.give(tmp_path / "scan.tif")
    page = seen.page
    assert first_hit(page) == (BEST, True)
    page.locator(".canvas > canvas").wait_for()
    drag(page, (0.25, 0.25), (0.75, 0.75))
    assert np.allclose(wait_for_box(page), [80, 60, 240, 180], atol=4)


# -- A finger ---------------------------------------------------------------------------------------------------------


def touch(page: Any, kind: str, *points: tuple[float, float]) -> None:
    at = [{"x": x, "y": y} for x, y in points]
    page.finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def place_of(page: Any, x: float, y: float) -> tuple[float, float]:
    """A place on the query, in shares of the picture."""
    area = page.locator(".canvas > canvas").bounding_box()
    return area["x"] + x * area["width"], area["y"] + y * area["height"]


def slide(page: Any, start: tuple[float, float], end: tuple[float, float], wait_ms: int = 0) -> None:
    """A finger on the query from one place to another, which stays for a while first."""
    (x0, y0), (x1, y1) = place_of(page, *start), place_of(page, *end)
    touch(page, "touchStart", (x0, y0))
    page.wait_for_timeout(wait_ms)
    for step in range(1, 9):
        touch(page, "touchMove", (x0 + (x1 - x0) * step / 8, y0 + (y1 - y0) * step / 8))
        page.wait_for_timeout(16)
    touch(page, "touchEnd")


@pytest.fixture
def phone(visit_chromium: Callable[..., Visit], query: Path) -> Visit:
    seen = visit_chromium(**PHONE)
    seen.give(query)
    seen.page.finger = seen.context.new_cdp_session(seen.page)
    return seen


def test_the_verdict_is_on_the_first_screen_of_a_phone(phone: Visit) -> None:
    page = phone.page
    bottom = page.locator(".bar nav").bounding_box()["y"]
    for selector in ("#found", ".hit .verdict", ".hit .thumb"):
        box = page.locator(selector).first.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= bottom, selector
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_finger_on_the_picture_scrolls_the_page(phone: Visit) -> None:
    page = phone.page
    slide(page, (0.5, 0.9), (0.5, -0.6))
    until(page, "scrollY > 60")
    page.wait_for_timeout(300)
    assert "box=" not in page.url
    assert not page.locator(".region").is_visible()


def test_a_finger_draws_after_the_region_button(phone: Visit) -> None:
    page = phone.page
    tool = page.get_by_role("button", name="Search with a region")
    tool.click()
    assert tool.get_attribute("aria-pressed") == "true"
    wait_for_box(page)
    phone.settle()
    before = page.evaluate("location.hash")
    slide(page, (0.1, 0.1), (0.6, 0.8))
    assert np.allclose(wait_for_box(page, before), [32, 24, 192, 192], atol=14)
    assert page.evaluate("scrollY") == 0
    assert tool.get_attribute("aria-pressed") == "false"
    slide(page, (0.92, 0.9), (0.92, -0.6))
    until(page, "scrollY > 60")


def test_a_finger_draws_where_it_stays(phone: Visit) -> None:
    page = phone.page
    slide(page, (0.2, 0.2), (0.8, 0.8), wait_ms=700)
    assert np.allclose(wait_for_box(page), [64, 48, 256, 192], atol=14)
    assert page.evaluate("scrollY") == 0


def test_a_tap_says_how_to_draw(visit_chromium: Callable[..., Visit], tmp_path: Path) -> None:
    """Where nothing was found: on what was found it leads to the hit."""
    seen = visit_chromium(**PHONE)
    seen.give(write_picture(tmp_path / "alone.png", draw_scene(77)))
    seen.settle()
    seen.page.touchscreen.tap(*place_of(seen.page, 0.5, 0.5))
    seen.page.get_by_text("To draw a region, press the region button first").wait_for()


SMALL = """smallest => [...document.querySelectorAll(
    'a[href], button, select, summary, input:not(.unseen):not([type=checkbox], [type=radio]), label.button, .handle')]
    .filter((element) => element.checkVisibility({visibilityProperty: true}) && !element.closest('.unseen, .skip'))
    .map((element) => [element.getBoundingClientRect(), element.outerHTML.slice(0, 120)])
    .filter(([box]) => Math.min(box.width, box.height) < smallest - 0.5).map(([, name]) => name)"""


def test_fingers_find_what_they_press(phone: Visit) -> None:
    page = phone.page
    page.get_by_role("button", name="Search with a region").click()
    phone.settle()
    for summary in page.locator(".filters > details > summary").all():
        summary.click()
    assert page.evaluate(SMALL, SMALLEST_PX) == []
    move(page, "#/search")
    assert page.evaluate(SMALL, SMALLEST_PX) == []


# -- How a picture comes ----------------------------------------------------------------------------------------------

DROP = """(given) => {
    const transfer = new DataTransfer();
    for (const [name, base64] of given.files ?? []) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, {type: name.endsWith('.png') ? 'image/png' : 'text/plain'}));
    }
    for (const [kind, text] of Object.entries(given.texts ?? {})) transfer.setData(kind, text);
    document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def as_text(path: Path) -> str:
    return b64encode(path.read_bytes()).decode()


def test_several_dropped_pictures_are_not_ignored_silently(
    visit: Callable[..., Visit], query: Path, tmp_path: Path
) -> None:
    others = [write_picture(tmp_path / f"{seed}.png", draw_scene(seed)) for seed in (1, 2)]
    seen = visit()
    page = seen.page
    page.wait_for_selector("#choose", state="attached")
    files = [["notes.txt", ""], *([path.name, as_text(path)] for path in (query, *others))]
    page.evaluate(DROP, {"files": files})
    until(page, "document.querySelector('.run-state')?.textContent.startsWith('Complete 3 of 3')")
    assert "notes.txt" in page.locator("#notes").inner_text()
    assert page.locator("td.of-best").first.inner_text().strip() == BEST


def test_a_picture_of_another_page_is_a_link(visit: Callable[..., Visit], server: str) -> None:
    seen = visit()
    page = seen.page
    page.wait_for_selector("#choose", state="attached")
    texts = {
        "text/uri-list": "https://pictures.example/page",
        "text/html": '<meta charset=utf-8><a href="https://pictures.example/page"><img src="https://pictures.example/a.jpg">',
    }
    page.evaluate(DROP, {"texts": texts})
    page.get_by_text("What you dropped is a link").wait_for()
    assert ("POST", "/queries") in seen.sent
    page.evaluate(DROP, {"texts": {"text/uri-list": f"{server}api/v1/images/4/thumbnail?size=320"}})
    until(page, "location.hash === '#/search?image=4'")
    assert first_hit(page)[0] == "scene-03.png"


def test_a_shared_picture_is_shown(visit: Callable[..., Visit], query: Path, server: str) -> None:
    request = urllib.request.Request(f"{server}api/v1/queries?name=shared.png", query.read_bytes())
    request.add_header("Content-Type", "image/png")
    stored = json.load(urllib.request.urlopen(request))
    seen = visit(f"#/search?query={stored['id']}&more=2")
    page = seen.page
    assert first_hit(page) == (BEST, True)
    assert page.locator(".side .name").inner_text() == "shared.png"
    assert "3 pictures were given" in page.locator(".notice").inner_text()
    page.locator(".hit .face").first.click()
    page.wait_for_selector("#viewport")
    page.reload()
    page.wait_for_selector("#viewport")
    page.get_by_role("link", name="Results").click()
    assert first_hit(page) == (BEST, True)
    move(page, "#/search?problem=too-large")
    page.get_by_text("The picture is larger than this server accepts").wait_for()
    page.get_by_text("Share the picture once more").wait_for()


# -- What is said of a query ------------------------------------------------------------------------------------------


def test_a_picture_of_the_collection_does_not_count_itself(visit: Callable[..., Visit]) -> None:
    seen = visit("#/search?image=4")
    seen.settle()
    until(seen.page, "document.querySelectorAll('.hit').length === 12")
    assert seen.page.locator("#found").inner_text() == "No other picture is proved to show the same thing"
    assert "11 candidates" in seen.page.locator(".results").inner_text()


@pytest.mark.parametrize(
    ("ranker", "is_told"), [("phash", False), ("color", False), ("bof", True), ("bof+color", True)]
)
def test_only_who_asks_features_is_told_that_there_are_none(
    visit_chromium: Callable[..., Visit], ranker: str, is_told: bool
) -> None:
    """With the forms of an answer, because this index has no hashes."""
    seen = visit_chromium("#/statistics")
    page = seen.page

    def answer(route: Any) -> None:
        found = route.fetch().json()
        route.fulfill(json={**found, "ranker": ranker, "query": {**found["query"], "n_features": 0}})

    page.route("**/search/image/4?*", answer)
    move(page, "#/search?image=4")
    assert page.get_by_text("too plain or too small").count() == is_told
    page.unroute_all(behavior="wait")  # an answer that is still on its way would end after the page


OVERLAPS = """selectors => {
    const toast = document.querySelector('#notes').getBoundingClientRect();
    return toast.height > 0 && [...document.querySelectorAll(selectors)].some((element) => {
        const box = element.getBoundingClientRect();
        return box.left < toast.right && box.right > toast.left && box.top < toast.bottom && box.bottom > toast.top;
    });
}"""


@pytest.mark.parametrize("size", [{}, PHONE], ids=["wide", "phone"])
def test_no_note_lies_over_a_verdict(visit_chromium: Callable[..., Visit], query: Path, size: dict[str, Any]) -> None:
    seen = visit_chromium(**size)
    page = seen.page
    seen.give(query)
    page.evaluate(DROP, {"texts": {"text/uri-list": "https://pictures.example/a.jpg"}})
    page.get_by_text("What you dropped is a link").wait_for()
    assert not page.evaluate(OVERLAPS, "#found, .hit, .divider")
    page.locator(".hit .face").first.click()
    page.wait_for_selector("#viewport")
    page.get_by_role("button", name="Copy a link").click()
    page.get_by_text("The link is copied").wait_for()
    assert not page.evaluate(OVERLAPS, ".facts, .verdict, #viewport")


def test_axe_finds_nothing_in_a_search_with_a_picture(visit_chromium: Callable[..., Visit], photo: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    for size in ({}, PHONE):
        seen = visit_chromium(**size)
        seen.give(photo)
        seen.page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
        assert seen.page.evaluate("axe.run(document).then(result => result.violations.map(one => one.id))") == []
