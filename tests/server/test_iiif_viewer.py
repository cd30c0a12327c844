"""Mirador, a viewer that archives use, opens an answer from a server on loopback, itself being on another site."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest
from PIL import Image

from bof.engine import Engine
from scripts.server.process import ServerProcess
from tests.support.browsing import until
from tests.support.chromium import chromium
from tests.support.scenes import ROOT
from tests.support.serving import API, copied

MIRADOR = ROOT / "tests" / "page" / "node_modules" / "mirador" / "dist" / "mirador.min.js"
PAGE = """<!doctype html><meta charset="utf-8"><title>A viewer</title>
<div id="viewer" style="position: absolute; inset: 0"></div><script src="mirador.min.js"></script><script>
const manifestId = new URLSearchParams(location.search).get('manifest');
window.mirador = Mirador.viewer({
    id: 'viewer', window: {sideBarOpen: true, defaultSideBarPanel: 'annotations', highlightAllAnnotations: true},
    windows: [{manifestId, id: 'w', thumbnailNavigationPosition: 'far-bottom'}]});
</script>"""


class Viewer(BaseHTTPRequestHandler):
    """The site of the viewer: a page and its script."""

    def do_GET(self) -> None:
        is_script = self.path.startswith("/mirador")
        body = MIRADOR.read_bytes() if is_script else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The origin of the viewer."""
    if not MIRADOR.is_file():
        pytest.skip(f"no {MIRADOR.relative_to(ROOT)}: run npm ci --prefix tests/page (it needs Node.js)")
    with ThreadingHTTPServer(("127.0.0.1", 0), Viewer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(index_folder: Path, tmp_path_factory: pytest.TempPathFactory, site: str) -> Iterator[str]:
    """The address of a server that lets the viewer read."""
    index = copied(index_folder, tmp_path_factory.mktemp("viewed"))
    with ServerProcess(index, "--rate", "0", "--read-only", "--allow-origin", site) as process:
        yield process.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


Opened = tuple[Any, list[Any]]


@pytest.fixture
def view(browser: Any, site: str) -> Iterator[Callable[[str], Opened]]:
    """Opens a manifest; what its page then gets is the second value. It fails at the end if anything went wrong."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_manifest(url: str) -> Opened:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        page, answers = contexts[-1].new_page(), []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda sent: answers.append(sent))
        page.on("requestfailed", lambda sent: complaints.append(f"{sent.url}: {sent.failure}"))
        page.goto(f"{site}/?{urlencode({'manifest': url})}")
        until(page, "url => window.mirador?.store.getState().manifests[url]?.json", url)
        return page, answers

    yield open_manifest
    for context in contexts:
        context.close()
    assert [one for one in complaints if "ERR_ABORTED" not in one] == []


def wait_until_drawn(page: Any) -> None:
    """Waits until the viewer shows a picture, which has many colours; its canvas itself cannot be read."""
    area = page.locator(".openseadragon-canvas").first
    area.wait_for()
    end = time.monotonic() + 20
    while len(colours_of(area.screenshot())) < 200:
        assert time.monotonic() < end, page.url
        page.wait_for_timeout(100)


def colours_of(png: bytes) -> set[tuple[int, ...]]:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return set(map(tuple, pixels[::5, ::5].reshape(-1, 3).tolist()))


def test_the_viewer_opens_an_answer(view: Callable[[str], Opened], server: str) -> None:
    images = httpx.get(f"{server}{API}/images", params={"where": "name = scene-05.png"}).json()["images"]
    number = images[0]["id"]
    hits = httpx.post(f"{server}{API}/search/image/{number}", params={"top": 3}).json()["hits"]
    page, answers = view(f"{server}/iiif/3/search/{number}/manifest?top=3")
    page.get_by_text("Pictures that show what scene-05.png shows").first.wait_for()
    page.get_by_text(f"{hits[0]['verdict']}, score {hits[0]['score']:.2f}").first.wait_for()  # of the annotation
    wait_until_drawn(page)
    until(
        page, "() => [...document.querySelectorAll('[class*=humbnail] img')].filter(i => i.naturalWidth > 9).length > 2"
    )
    sent = [one for one in answers if one.url.startswith(server)]
    assert {one.status for one in sent} <= {200, 304}
    assert any(one.url.endswith(f"/iiif/3/images/{number}/info.json") for one in sent)
    pictures = [one for one in sent if one.url.endswith("/default.jpg")]
    assert len({one.url for one in pictures}) >= 3
    assert all(one.headers["content-type"] == "image/jpeg" for one in pictures)
    shown = page.evaluate("Object.keys(mirador.store.getState().annotations)")
    assert shown[0] == f"{server}/iiif/3/images/{number}/canvas"


def test_the_viewer_opens_pictures_of_the_index(view: Callable[[str], Opened], server: str) -> None:
    page, _ = view(f"{server}/iiif/3/manifest?limit=4")
    page.get_by_text("Pictures 1 to 4 of 12").first.wait_for()
    wait_until_drawn(page)


def test_the_viewer_opens_a_harvested_picture_from_what_the_server_has(
    view: Callable[[str], Opened], index_folder: Path, site: str, tmp_path: Path
) -> None:
    index = copied(index_folder, tmp_path)
    with ServerProcess(index, "--rate", "0", "--read-only", "--allow-origin", site) as archive:
        number = httpx.get(f"{archive.url}{API}/images").json()["images"][0]["id"]
        service = f"{archive.url}/iiif/3/images/{number}"
        harvested = copied(index_folder, tmp_path / "harvested")
        with Engine.open(harvested) as engine:
            fields = {"iiif_canvas": [f"{service}/canvas"], "iiif_service": [service], "iiif_version": ["3"]}
            engine.annotate("scene-00.png", fields)
        with ServerProcess(harvested, "--rate", "0", "--read-only", "--allow-origin", site) as process:
            page, answers = view(f"{process.url}/iiif/3/images/{number}/manifest")
            wait_until_drawn(page)
            assert any(one.url.startswith(f"{service}/") and one.url.endswith(".jpg") for one in answers)
