"""Several pictures as one query on the page: adding, removing, what proves a hit, reload, expiry, phones, languages."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_page_queries import PHONE, SMALLEST_PX, TURNED
from tests.server.test_page_queries import browsers as browsers  # fixtures
from tests.server.test_page_queries import server as server
from tests.server.test_page_queries import visit as visit
from tests.server.test_page_queries import visit_chromium as visit_chromium
from tests.support.browsing import until
from tests.support.scenes import draw_scene, warp, write_picture


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three scenes of the collection from another side: together they are one query with three answers."""
    folder = tmp_path_factory.mktemp("sides")
    return [write_picture(folder / f"side-{number}.png", warp(draw_scene(number), TURNED)) for number in (5, 7, 9)]


def same(page: Any) -> set[str]:
    """The names of what is called the same."""
    return set(page.locator(".hit.same .name").all_inner_texts())


def others(page: Any) -> list[str]:
    """What the address names beside the first picture."""
    named = page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('other') ?? ''")
    return [name for name in str(named).split(",") if name]


def add(seen: Any, *paths: Path) -> None:
    before = len(others(seen.page))
    seen.page.set_input_files("#choose-other", list(paths))
    until(seen.page, f"document.querySelectorAll('.others li').length === {before + len(paths)}")
    seen.settle()


def test_pictures_are_added_and_left_out(visit: Callable[..., Any], sides: list[Path]) -> None:
    seen = visit()
    seen.give(sides[0])
    page = seen.page
    assert same(page) == {"scene-05.png"}
    assert not page.locator(".by").count()
    add(seen, *sides[1:])
    assert same(page) == {"scene-05.png", "scene-07.png", "scene-09.png"}
    hit = page.locator(".hit.same", has_text="scene-07.png")
    assert hit.locator(".by").inner_text() == "Proved by picture 2 of the query."
    assert page.locator(".where polygon").count() == 1, "what lies in another picture is not outlined in the first"
    assert until(page, "[...document.querySelectorAll('.others img')].every(image => image.naturalWidth > 0)")
    page.get_by_role("button", name="Leave out picture 2").click()
    until(page, "document.querySelectorAll('.others li').length === 1")
    seen.settle()
    assert same(page) == {"scene-05.png", "scene-09.png"}
    page.reload()
    seen.settle()
    assert same(page) == {"scene-05.png", "scene-09.png"}
    page.go_back()
    seen.settle()
    assert len(others(page)) == 2
    assert len(seen.bodies()) == 3, "each picture is sent once"


def test_a_hit_is_compared_with_the_picture_that_proves_it(visit: Callable[..., Any], sides: list[Path]) -> None:
    seen = visit()
    page = seen.page
    seen.give(sides[0])
    add(seen, sides[1])
    page.locator(".hit.same", has_text="scene-07.png").locator(".face").click()
    page.wait_for_selector("#viewport")
    names = page.locator(".names").inner_text()
    assert "side-7.png" in names
    assert "scene-07.png" in names


def test_pictures_of_the_collection_are_one_query(visit_chromium: Callable[..., Any]) -> None:
    seen = visit_chromium("#/search?image=4")
    page = seen.page
    seen.settle()
    page.locator("#pick-other").click()
    page.locator(".collection [data-id='6']").click()
    seen.settle()
    assert others(page) == ["6"]
    assert "image=4" in page.evaluate("location.hash")
    assert len(same(page)) == 2
    page.goto(page.url.split("#")[0] + "#/collection")
    for number in (0, 1, 2):
        page.locator(".grid input[type=checkbox]").nth(number).check()
    page.locator("[name=together]").click()
    seen.settle()
    assert len(others(page)) == 2


def test_what_the_server_has_forgotten_is_left_out(visit: Callable[..., Any], server: str, sides: list[Path]) -> None:
    seen = visit()
    page = seen.page
    seen.give(sides[0])
    add(seen, *sides[1:])
    gone, left = others(page)
    request = urllib.request.Request(f"{server}api/v1/queries/{gone}", method="DELETE")
    urllib.request.urlopen(request).close()
    page.reload()
    until(page, f"location.hash.includes('other={left}')")
    seen.settle()
    assert same(page) == {"scene-05.png", "scene-09.png"}
    assert "was left out" in page.locator("#notes").inner_text()


def test_the_strip_fits_a_phone_in_both_languages(visit_chromium: Callable[..., Any], sides: list[Path]) -> None:
    seen = visit_chromium(**PHONE, locale="zh-CN")
    page = seen.page
    seen.give(sides[0])
    add(seen, *sides[1:])
    assert page.locator(".together .small").inner_text() == "与另外 2 张图片合为一次查询："
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in page.locator(".together .button").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= SMALLEST_PX
