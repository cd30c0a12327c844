"""The page in a real browser: a film plays from its hit, its shots are shown, a frame is searched with."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from tests.server import test_page as pages
from tests.support.browsing import until, upload
from tests.support.films import still, write_film
from tests.support.scenes import draw_scene, write_picture

browser, visit = pages.browser, pages.visit

SHOT_FRAMES, RATE = 50, 25


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Iterator[str]:
    """Over an index of a film with three shots of two seconds, and of pictures."""
    pytest.importorskip("uvicorn", reason='the server needs pip install "bof-search[serve]"')
    folder = tmp_path_factory.mktemp("films")
    shots = [frame for seed in (21, 22, 23) for frame in still(seed, SHOT_FRAMES)]
    write_film(folder / "old" / "trip.webm", shots, rate=RATE, codec="libvpx-vp9", gop=10)
    for seed in range(5):
        write_picture(folder / f"scene-{seed:02d}.png", draw_scene(seed))
    with Engine.create(tmp_path_factory.mktemp("collection") / "index", vocabulary_folder) as engine:
        engine.add([folder], IndexOptions(workers=1))
    port = pages.free_port()
    command = [sys.executable, "-m", "bof.serve", "--index", str(engine.folder), "--port", str(port), "--rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}/"
        while not pages.answers(address + "api/v1/health"):
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield address
        process.terminate()


@pytest.fixture(scope="module")
def still_of_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture(tmp_path_factory.mktemp("still") / "still.png", still(22, 1)[0][10:, 12:])


def details_of_first(page: Any) -> None:
    page.wait_for_selector(".hit [data-details]")
    page.locator(".hit [data-details]").first.click()
    page.wait_for_selector("dialog video")


def test_a_film_plays_from_its_hit_and_shows_what_was_found(visit: Callable[..., Any], still_of_film: Path) -> None:
    page = visit()
    page.set_default_timeout(30_000)  # a film is decoded for each answer
    upload(page, still_of_film)
    page.wait_for_selector(".hit")
    assert page.locator(".hit .name").first.inner_text().startswith("old/trip.webm")
    details_of_first(page)
    until(page, "document.querySelector('dialog video').readyState >= 2")
    assert 2 <= page.evaluate("document.querySelector('dialog video').currentTime") < 4
    page.wait_for_selector(".timeline .shot")
    assert page.locator(".timeline .shot").count() == 3
    assert [one.get_attribute("class") for one in page.locator(".timeline .shot").all()].count("shot found") == 1
    page.locator(".timeline .frame").nth(2).click()
    until(page, "document.querySelector('dialog video').currentTime >= 4")


def test_a_frame_that_the_film_stops_at_is_searched_with(visit: Callable[..., Any], still_of_film: Path) -> None:
    page = visit()
    page.set_default_timeout(30_000)  # a film is decoded for each answer
    upload(page, still_of_film)
    details_of_first(page)
    page.wait_for_selector(".timeline .frame")
    page.locator(".timeline .frame").first.click()
    until(page, "(({currentTime, seeking}) => !seeking && currentTime < 2)(document.querySelector('dialog video'))")
    before = page.evaluate("location.hash")
    page.get_by_role("button", name="Search with this frame").click()
    until(page, "(before) => location.hash !== before && document.querySelector('.hit.same')", before)
    assert page.locator(".own .name").inner_text().startswith("trip.webm 0:")
    page.locator(".hit [data-details]").first.click()
    page.wait_for_selector("dialog .details dl")
    assert "At 0:0" in page.locator("dialog .details dl").inner_text()
