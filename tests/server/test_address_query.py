"""A link that names a picture by its address: the page asks, and nothing is fetched before a person says so."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bof.web.addresses import Source
from tests.support.chromium import chromium
from tests.support.extension import Site, listening, sites
from tests.support.scenes import ROOT
from tests.support.serving import scene

BUTTON = "button:has-text('Fetch it and search')"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with sites() as site:
        site.files["/scene.png"] = "image/png", scene(5)
        yield site


@pytest.fixture(scope="module")
def addresses(index_folder: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, str]]:
    """Of a server that may fetch from the site, and of one that may not."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("one", "other"):
        shutil.copytree(index_folder, folder / name)
    source = Source.of(f"127.0.0.1:{site.port}")
    with listening(folder / "one", sources=frozenset({source})) as (one, _), listening(folder / "other") as (other, _):
        yield {True: one, False: other}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium("--host-resolver-rules=MAP *.example 127.0.0.1") as found:
        yield found


@pytest.fixture
def visit(browser: Any, site: Site) -> Iterator[Callable[[str], Any]]:
    contexts = list[Any]()

    def open_page(url: str, **options: Any) -> Any:
        context = browser.new_context(locale="en-GB", **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto(url)
        return page

    site.requests.clear()
    yield open_page
    for context in contexts:
        context.close()


def linked(address: str, picture: str) -> str:
    return f"{address}/#/search?url={quote(picture, safe='')}"


def test_nothing_is_fetched_before_the_reader_says_so(
    visit: Callable[..., Any], addresses: dict[bool, str], site: Site
) -> None:
    picture = site.url("/scene.png", "127.0.0.1")
    page = visit(linked(addresses[True], picture))
    page.wait_for_selector(BUTTON)
    assert picture in page.inner_text("main")
    assert f"fetch the picture from 127.0.0.1:{site.port}" in page.inner_text("main")
    page.wait_for_timeout(500)
    assert site.requests == []
    page.click(BUTTON)
    page.wait_for_selector(".hit")
    assert re.search(r"#/search\?query=[\w-]{24}$", page.url), page.url
    assert page.inner_text(".hit .name") == "scene-05.png"
    assert [path for _, path, _ in site.requests] == ["/scene.png"]
    page.go_back()
    page.wait_for_selector(BUTTON)
    assert len(site.requests) == 1, "going back asks again"


def test_a_page_of_another_site_gets_no_further_than_the_question(
    visit: Callable[..., Any], addresses: dict[bool, str], site: Site
) -> None:
    link = linked(addresses[True], site.url("/scene.png", "127.0.0.1"))
    page = visit(site.show(f"<script>location.href = {link!r}</script>"))
    page.wait_for_selector(BUTTON)
    page.wait_for_timeout(300)
    assert not [path for _, path, _ in site.requests if path == "/scene.png"]


def test_a_server_that_may_not_fetch_says_so_and_what_to_do(
    visit: Callable[..., Any], addresses: dict[bool, str], site: Site
) -> None:
    page = visit(linked(addresses[False], site.url("/scene.png", "127.0.0.1")))
    page.click(BUTTON)
    page.wait_for_selector(".error")
    assert "does not fetch pictures from there" in page.inner_text(".error")


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "file:///etc/passwd", "tower.jpg", "http://a:b@x.example/", "<b>"]
)
def test_what_is_no_address_is_shown_as_text_and_offers_nothing(
    visit: Callable[..., Any], addresses: dict[bool, str], text: str
) -> None:
    page = visit(linked(addresses[True], text))
    page.wait_for_selector("text=This link names no picture")
    assert page.inner_text(".address") == text
    assert page.locator(BUTTON).count() == 0
    page.click("text=Another picture")
    page.wait_for_selector("#choose", state="attached")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1280, "height": 800}])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_question_can_be_used_by_everybody(
    visit: Callable[..., Any], addresses: dict[bool, str], viewport: dict[str, int], colours: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    long = "https://photos.example.org/" + "a-very-long-name" * 20 + ".jpg"
    page = visit(linked(addresses[True], long), viewport=viewport, color_scheme=colours)
    page.wait_for_selector(BUTTON)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    assert page.evaluate("axe.run(document).then(result => result.violations)") == []
    if folder := os.environ.get("BOF_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/address-{viewport['width']}-{colours}.png")


def test_the_bookmark_of_the_docs_makes_such_a_link_of_the_picture_that_is_clicked(
    visit: Callable[..., Any], addresses: dict[bool, str], site: Site
) -> None:
    text = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
    bookmark = re.search(r"^ +javascript:(.*)$", text, re.MULTILINE)[1]
    bookmark = bookmark.replace("http://127.0.0.1:8000", addresses[True])
    page = visit(site.show('<a href="/elsewhere"><img src="/scene.png"></a>'))
    page.evaluate(bookmark)
    with page.expect_popup() as opened:
        page.click("img")
    opened.value.wait_for_selector(BUTTON)
    assert site.url("/scene.png") in opened.value.inner_text("main")
    assert "/elsewhere" not in page.url
    shown = visit(site.url("/scene.png"))
    with shown.expect_popup() as opened:
        shown.evaluate(bookmark)
    opened.value.wait_for_selector(BUTTON)
