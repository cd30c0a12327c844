"""The browser extension in Chromium: what a person does with a picture on a page, and what the server is sent."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.server.app import Application
from bof.server.extension_files import write_extension
from tests.support.chromium import chromium_path
from tests.support.extension import Browser, Site, chromium_with, listening, sites
from tests.support.scenes import draw_scene
from tests.support.serving import encoded, scene

CDN = "cdn.example"
RESULTS = re.compile(r"^http://127\.0\.0\.1:\d+/#/search\?query=([\w-]{24})$")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with sites() as site:
        site.files["/scene.png"] = "image/png", scene(5)
        site.files["/private/scene.png"] = "image/png", scene(5)
        site.files["/login"] = "text/html", b"welcome"
        site.files["/small.png"] = "image/png", encoded(np.full((8, 8, 3), 90, np.uint8))
        yield site


@pytest.fixture(scope="module")
def served(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Application]]:
    index = tmp_path_factory.mktemp("served") / "index"
    shutil.copytree(index_folder, index)
    with listening(index) as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason='needs pip install "bof-search[dev]"')
    folder = tmp_path_factory.mktemp("browser")
    write_extension(folder / "extension")
    with playwright.sync_playwright() as engine, chromium_with(
        folder / "extension", folder / "profile", engine, chromium_path()
    ) as browser:  # fmt: skip
        yield browser


@pytest.fixture
def paired(browser: Browser, served: tuple[str, Application]) -> Iterator[Browser]:
    address, application = served
    said = browser.pair(address, application.service.extensions.file.new_code())
    assert said == f"Paired with {address}"
    yield browser
    for page in browser.context.pages[1:]:
        page.close()


def sent(page: Any, application: Application) -> np.ndarray[Any, Any]:
    """The picture that the server was sent: the tab has become the page with its results."""
    page.wait_for_url(RESULTS, wait_until="commit")
    query = application.service.stored.get(RESULTS.match(page.url)[1], "")
    return cv2.imdecode(np.frombuffer(query.picture.data, np.uint8), cv2.IMREAD_COLOR)


def is_scene(pixels: np.ndarray[Any, Any]) -> bool:
    """Are these the very pixels of scene 5?"""
    return pixels.shape == draw_scene(5).shape and bool(np.array_equal(pixels, draw_scene(5)))


def explained(page: Any) -> str:
    page.wait_for_selector("#text:not(:empty)")
    return str(page.inner_text("#text"))


# -- Pairing ----------------------------------------------------------------------------------------------------------


def test_a_wrong_code_an_old_code_and_an_address_that_is_none_are_explained(
    browser: Browser, served: tuple[str, Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, application = served
    file = application.service.extensions.file
    code = file.new_code()
    assert "not the code" in browser.pair(address, "AAAA-AAAA")
    monkeypatch.setattr(file, "_clock", lambda: 4e9)
    assert "too old" in browser.pair(address, code)
    monkeypatch.undo()
    assert "No server answers" in browser.pair("127.0.0.1:9", code)
    assert "without https" in browser.pair("http://192.0.2.1:8000", code).lower()
    assert "no address" in browser.pair("http://", code)
    assert any("Too many" in browser.pair(address, "BBBB-BBBB") for _ in range(40))


def test_another_program_at_the_address_is_no_bof(browser: Browser, site: Site) -> None:
    assert "No server" in browser.pair(site.url("", "127.0.0.1"), "AAAA-AAAA"), "no CORS, nothing is read"


def test_the_settings_say_what_is_paired_and_end_it(paired: Browser, served: tuple[str, Application]) -> None:
    page = paired.options()
    page.wait_for_selector("#end:visible")
    n = len(served[1].service.extensions.file.state().paired)
    page.click("#end")
    page.wait_for_selector("text=This extension is not paired")
    assert len(served[1].service.extensions.file.state().paired) == n - 1


# -- A picture that is clicked ----------------------------------------------------------------------------------------


def test_a_picture_of_the_page_becomes_a_search(paired: Browser, served: tuple[str, Application], site: Site) -> None:
    page = paired.open(site.show('<img src="/scene.png">'))
    site.requests.clear()
    tab = paired.right_click(page, site.url("/scene.png"))
    assert is_scene(sent(tab, served[1]))
    assert {host for host, *_ in site.requests} <= {"shop.example"}
    query = RESULTS.match(tab.url)[1]
    address = f"{served[0]}/api/v1/search/query/{query}?top=1"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST")) as response:
        assert json.load(response)["hits"][0]["verdict"] == "same"


@pytest.mark.parametrize("markup", [
    '<img srcset="/small.png 1x, /scene.png 1x" src="/small.png">',
    '<picture><source srcset="/scene.png" type="image/png"><img src="/small.png"></picture>',
    '<img id="shown" src="data:image/png;base64,{base64}">',
    """<img id="shown"><script>fetch('/scene.png').then(r => r.blob()).then(b => {{
       document.getElementById('shown').src = URL.createObjectURL(b); }})</script>""",
    """<img id="shown"><script>fetch('/scene.png').then(r => r.blob()).then(b => {{
       const shown = document.getElementById('shown'), url = URL.createObjectURL(b);
       shown.onload = () => URL.revokeObjectURL(url); shown.src = url; }})</script>""",
    """<div id="host"></div><script>document.getElementById('host').attachShadow({{ mode: 'closed' }})
       .innerHTML = '<img src="/scene.png">'</script>""",
], ids=["srcset", "picture", "data", "blob", "revoked-blob", "closed-shadow"])  # fmt: skip
def test_every_way_to_show_a_picture(paired: Browser, served: tuple[str, Application], site: Site, markup: str) -> None:
    page = paired.open(site.show(markup.format(base64=b64encode(scene(5)).decode())))
    page.wait_for_timeout(200)
    url = page.evaluate("document.querySelector('img')?.currentSrc || new URL('/scene.png', location).href")
    if "small.png 1x" in markup:
        url = site.url("/scene.png")
    assert is_scene(sent(paired.right_click(page, url), served[1]))


def test_a_picture_behind_a_login_is_taken_with_the_readers_session(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    paired.open(site.url("/login")).close()
    page = paired.open(site.show('<img src="/private/scene.png">'))
    assert is_scene(sent(paired.right_click(page, site.url("/private/scene.png")), served[1]))


def test_a_picture_of_another_site_is_taken_as_shown_or_with_permission(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    url = site.url("/scene.png", CDN)
    page = paired.open(site.show(f'<body style="margin:0"><img src="{url}" style="display:block">'))
    site.requests.clear()
    tab = paired.right_click(page, url)
    assert CDN in explained(tab)
    tab.wait_for_selector("#choices button")
    labels = tab.locator("#choices button").all_inner_texts()
    assert labels == [f"Fetch the file from {CDN}:{site.port}", "Fetch files from every site",
                      "Search with what the screen shows"]  # fmt: skip
    assert tab.locator("#shown").bounding_box()["width"] > 100
    tab.get_by_text("Search with what the screen shows").click()
    pixels = sent(tab, served[1])
    assert pixels.shape == draw_scene(5).shape
    assert np.abs(pixels.astype(int) - draw_scene(5)).mean() < 3


def test_a_huge_picture_is_made_smaller_before_it_is_sent(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    large = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), np.uint8)
    site.files["/large.png"] = "image/png", encoded(large)
    assert len(site.files["/large.png"][1]) > 32 << 20, "more than the server takes"
    page = paired.open(site.show('<img src="/large.png" width="400">'))
    assert sent(paired.right_click(page, site.url("/large.png")), served[1]).shape == (1536, 2048, 3)


def test_a_kind_that_the_server_cannot_read_is_sent_as_the_browser_shows_it(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    art = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="150" height="200"/></svg>'
    site.files["/art.svg"] = "image/svg+xml", art
    tab = paired.right_click(paired.open(site.show('<img src="/art.svg">')), site.url("/art.svg"))
    tab.wait_for_url(RESULTS, wait_until="commit")


# -- An area, or a picture that the menu does not know -----------------------------------------------------------------


def choose(browser: Browser, page: Any, *points: tuple[float, float]) -> Any:
    """Press the button, then drag, or click where there is one point."""
    browser.press(page)
    with browser.context.expect_page() as coming:
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()
    return coming.value


def test_an_area_of_the_tab_is_what_was_dragged(paired: Browser, served: tuple[str, Application], site: Site) -> None:
    body = '<body style="margin:0;background:#fff"><div style="position:absolute;left:100px;top:50px;width:200px;'
    page = paired.open(site.show(body + 'height:120px;background:#e04b9b"></div>'))
    pixels = sent(choose(paired, page, (100, 50), (300, 170)), served[1])
    assert pixels.shape[:2] == (120, 200)
    assert np.abs(pixels.astype(int) - (0x9B, 0x4B, 0xE0)).max() <= 2, "the layer is gone from the screen by then"


@pytest.mark.parametrize("markup", [
    '<div style="width:320px;height:240px;background:url(/scene.png)"></div>',
    '<div style="width:320px;height:240px;background:url(/scene.png)"><a style="position:absolute;inset:0"></a></div>',
    """<canvas width="320" height="240"></canvas><script>const i = new Image(); i.src = '/scene.png';
       i.onload = () => document.querySelector('canvas').getContext('2d').drawImage(i, 0, 0);</script>""",
    '<svg width="320" height="240"><image href="/scene.png" width="320" height="240"/></svg>',
    '<input type="image" src="/scene.png">',
], ids=["background", "covered-background", "canvas", "svg-image", "input"])  # fmt: skip
def test_a_picture_that_is_no_img_is_chosen_by_a_click(
    paired: Browser, served: tuple[str, Application], site: Site, markup: str
) -> None:
    page = paired.open(site.show(f'<body style="margin:0">{markup}'))
    page.wait_for_timeout(200)
    assert is_scene(sent(choose(paired, page, (60, 60)), served[1]))


def test_enter_takes_all_that_is_shown_and_escape_nothing(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    page = paired.open(site.show("<h1>words</h1>"))
    paired.grant(page)
    paired.press(page)
    with paired.context.expect_page() as coming:
        page.keyboard.press("Enter")
    assert sent(coming.value, served[1]).shape[1] == 1000


# -- What goes wrong --------------------------------------------------------------------------------------------------


def test_a_revoked_token_says_so_and_leads_to_the_settings(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    file = served[1].service.extensions.file
    file.revoke(frozenset(each.id for each in file.state().paired))
    page = paired.open(site.show('<img src="/scene.png">'))
    tab = paired.right_click(page, site.url("/scene.png"))
    assert "does not know this extension any more" in explained(tab)
    assert tab.locator("#choices button").all_inner_texts() == ["Settings of bof", "Try again"]


def test_a_server_that_is_gone_says_so_and_a_retry_finds_it_again(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    page = paired.options()
    page.evaluate("chrome.storage.local.set({ server: 'http://127.0.0.1:9' })")
    tab = paired.right_click(paired.open(site.show('<img src="/scene.png">')), site.url("/scene.png"))
    assert "No server answers at http://127.0.0.1:9" in explained(tab)
    page.evaluate("server => chrome.storage.local.set({ server })", served[0])
    tab.get_by_text("Try again").click()
    assert is_scene(sent(tab, served[1]))


def test_who_is_not_paired_is_told_so(browser: Browser, site: Site) -> None:
    page = browser.options()
    page.evaluate("chrome.storage.local.clear()")
    tab = browser.right_click(browser.open(site.show('<img src="/scene.png">')), site.url("/scene.png"))
    assert "not paired" in explained(tab)


def test_a_picture_that_is_gone_is_taken_as_shown_or_explained(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    tab = paired.right_click(paired.open(site.show("no picture")), "javascript:alert(1)")
    assert "no picture that could be taken" in explained(tab)


HOSTILE = """
<img name="querySelectorAll"><img name="createElement"><img name="documentElement"><img name="elementsFromPoint">
<form name="body"><input name="append"><input name="getBoundingClientRect"></form>
<img src="/scene.png" alt="<script>parent.hacked = 1</script>" style="position:fixed;left:0;top:0;z-index:2147483647">
<script>
window.chrome = { runtime: { sendMessage: () => { window.stolen = 1; } } };
window.fetch = () => { window.stolen = 1; };
FileReader.prototype.readAsDataURL = () => { window.stolen = 1; };
Element.prototype.attachShadow = () => { window.stolen = 1; };
new MutationObserver((all) => { for (const { addedNodes } of all) for (const node of addedNodes) {
  if (node.shadowRoot) window.stolen = 1;
  for (const name of ['pointerdown', 'pointermove', 'pointerup'])
    node.dispatchEvent(new PointerEvent(name, { bubbles: true, clientX: name === 'pointerup' ? 300 : 9, clientY: 99 }));
  node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
} }).observe(document, { childList: true, subtree: true });
for (const name of ['pointerdown', 'pointerup', 'keydown', 'click'])
  addEventListener(name, (event) => { if (event.isTrusted) window.seen = name; });
</script>"""


def test_a_hostile_page_can_neither_choose_nor_listen_nor_hide_its_picture(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    page = paired.open(site.show(HOSTILE))
    before = list(paired.context.pages)
    paired.press(page)
    page.wait_for_timeout(300)
    assert [each for each in paired.context.pages if each not in before] == [], "its own events chose nothing"
    with paired.context.expect_page() as coming:
        page.mouse.click(60, 60)
    assert is_scene(sent(coming.value, served[1]))
    assert page.evaluate("[window.stolen, window.seen, window.hacked]") == [None, None, None]
    assert is_scene(sent(paired.right_click(page, site.url("/scene.png")), served[1]))


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", ["options.html", "take.html#none"])
def test_the_pages_of_the_extension_can_be_used_by_everybody(paired: Browser, name: str, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = paired.open(f"chrome-extension://{paired.id}/{name}")
    page.emulate_media(color_scheme=colours)
    page.wait_for_selector("[role=status]:not(:empty)")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("axe.run(document).then(result => result.violations)") == []


def test_no_site_can_open_or_even_find_the_extension(paired: Browser, site: Site) -> None:
    page = paired.open(site.show("<p>a site</p>"))
    found = page.evaluate(f"fetch('chrome-extension://{paired.id}/take.html').then(() => 'read', () => 'refused')")
    assert found == "refused"


def test_a_tab_that_is_loaded_again_sends_nothing_twice(
    paired: Browser, served: tuple[str, Application], site: Site
) -> None:
    tab = paired.open(f"chrome-extension://{paired.id}/take.html#0000")
    assert "has done its work" in explained(tab)
