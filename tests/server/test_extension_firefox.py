"""The extension in Firefox, with its own menu: pairing, a picture, one behind a login, of another site, choosing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.server.app import Application
from bof.server.extension_files import write_extension
from tests.support.extension import Site, listening, sites
from tests.support.marionette import Firefox, firefox_with, until
from tests.support.serving import scene

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SEARCH, CHOOSE = "Search in bof", "Choose a picture or an area for bof"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with sites() as site:
        site.files["/scene.png"] = site.files["/private/scene.png"] = "image/png", scene(5)
        site.files["/login"] = "text/html", b"welcome"
        yield site


@pytest.fixture(scope="module")
def served(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Application]]:
    index = tmp_path_factory.mktemp("served") / "index"
    shutil.copytree(index_folder, index)
    with listening(index) as found:
        yield found


@pytest.fixture(scope="module")
def paired(served: tuple[str, Application], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox whose extension is paired, by what a person does."""
    if not FIREFOX:
        pytest.skip("no Firefox: install it (Debian: apt-get install firefox-esr)")
    folder = tmp_path_factory.mktemp("firefox")
    write_extension(folder / "extension")
    address, application = served
    with firefox_with(folder / "extension", folder / "profile", FIREFOX) as (firefox, pages):
        firefox.open_tab(f"{pages}options.html")
        until(lambda: firefox.run("return document.getElementById('state').textContent"))
        script = """document.getElementById('address').value = arguments[0];
            document.getElementById('code').value = arguments[1];
            document.getElementById('form').requestSubmit();"""
        firefox.run(script, address, application.service.extensions.file.new_code())
        until(lambda: firefox.run("return document.getElementById('state').className") == "good")
        (pairing,) = application.service.extensions.file.state().paired
        assert pairing.origin == pages.rstrip("/")
        assert pairing.name.startswith("Firefox/")
        yield firefox


SEEN = set[str]()


def sent(firefox: Firefox, served: tuple[str, Application]) -> bytes:
    """The bytes that the server was sent, by the tab that has become the page with its results."""
    results = re.compile(rf"{re.escape(served[0])}/#/search\?query=([\w-]{{24}})")
    url = firefox.switch_to(lambda found: bool(results.match(found)) and found not in SEEN)
    SEEN.add(url)
    query: Any = served[1].service.stored.get(results.match(url)[1], "")
    return bytes(query.picture.data)


def test_pictures_are_taken_by_the_browsers_own_menu(
    paired: Firefox, served: tuple[str, Application], site: Site
) -> None:
    for markup in ('<img src="/scene.png">', '<img src="/private/scene.png">'):
        paired.open_tab(site.url("/login"))
        paired.visit(site.show(markup))
        paired.choose_in_menu("img", SEARCH)
        assert sent(paired, served) == scene(5), markup


def test_a_background_is_chosen_with_the_layer(paired: Firefox, served: tuple[str, Application], site: Site) -> None:
    paired.open_tab(site.show('<div style="width:320px;height:240px;background:url(/scene.png)"></div>'))
    paired.choose_in_menu("div", CHOOSE)
    until(lambda: paired.run("return document.querySelectorAll('[popover]').length"))
    paired.press("div")
    assert sent(paired, served) == scene(5)


def test_a_picture_of_another_site_is_asked_about(paired: Firefox, served: tuple[str, Application], site: Site) -> None:
    paired.open_tab(site.show(f'<img src="{site.url("/scene.png", "cdn.example")}">'))
    paired.choose_in_menu("img", SEARCH)
    paired.switch_to(lambda found: "take.html" in found)
    until(lambda: paired.run("return document.querySelectorAll('#choices button').length") == 3)
    paired.run("document.querySelector('#choices button:last-child').click()")
    assert sent(paired, served)
