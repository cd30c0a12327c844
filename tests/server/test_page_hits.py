"""The page in a real browser: where hits lie in the query, groups, details, judgments, filters that are at fault."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from tests.server import test_page as pages
from tests.support.browsing import drag, move, until, upload, wait_for_box
from tests.support.scenes import draw_scene, write_picture

browser, visit = pages.browser, pages.visit

SIZE = 640, 480
PLACES = {"art/scene-01.png": (30, 40), "art/scene-02.png": (470, 330), "art/scene-06.png": (860, 60)}
"""Of paintings on the wall: left and top of each."""


def box_of(product: int, view: int) -> np.ndarray:
    """Products of one form, each with its own print; a view is a little cut."""
    pixels = draw_scene(300, *SIZE)
    pixels[120:360, 180:460] = draw_scene(400 + product, *SIZE)[120:360, 180:460]
    return pixels[view * 6 :, view * 8 :]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    """An index of three products in two views, of paintings, and of a picture with very many tags."""
    folder = tmp_path_factory.mktemp("shop")
    for product in range(3):
        for view in range(2):
            write_picture(folder / f"p{product}" / f"{view}.png", box_of(product, view))
    for seed in range(8):
        write_picture(folder / "art" / f"scene-{seed:02d}.png", draw_scene(seed, 400, 300))
    with Engine.create(tmp_path_factory.mktemp("collection") / "index", vocabulary_folder) as engine:
        engine.add_columns("color")
        engine.add([folder], IndexOptions(workers=1))
        for product in range(3):
            engine.annotate(f"p{product}/*", {"product": [f"it's no. {product}"], "colour": list("abcdef")})
        engine.annotate("p1/*", {"tag": [f"tag {n:03d}" for n in range(270)]})
        engine.annotate("art/*", {"artist": ["A. Painter"]})
    return engine.folder


@pytest.fixture(scope="module")
def server(shop: Path) -> Iterator[str]:
    pytest.importorskip("uvicorn", reason='the server needs pip install "bof-search[serve]"')
    port = pages.free_port()
    command = [sys.executable, "-m", "bof.serve", "--index", str(shop), "--port", str(port), "--rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}/"
        while not pages.answers(address + "api/v1/health"):
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield address
        process.terminate()


@pytest.fixture(autouse=True)
def _nothing_judged(shop: Path) -> Iterator[None]:
    yield
    (shop / "judgments.sqlite").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pixels = np.full((700, 1300, 3), 90, np.uint8)
    for name, (x, y) in PLACES.items():
        pixels[y : y + 300, x : x + 400] = draw_scene(int(name[-6:-4]), 400, 300)
    return write_picture(tmp_path_factory.mktemp("wall") / "wall.png", pixels)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture(tmp_path_factory.mktemp("product") / "photo.png", box_of(1, 0)[3:, 5:])


def names(page: Any) -> list[str]:
    """Of all hits, once the first and the rest are there."""
    until(page, "!document.querySelector('.found[aria-busy=true]') && document.querySelector('.hit')")
    until(page, "document.querySelector('.results > .center > .button').hidden")
    return list(page.locator(".hit .name").all_inner_texts())


def point_on(page: Any, name: str) -> tuple[float, float]:
    """The middle of a painting, on the screen."""
    area = page.locator(".canvas > canvas").bounding_box()
    x, y = PLACES[name]
    return area["x"] + (x + 200) / 1300 * area["width"], area["y"] + (y + 150) / 700 * area["height"]


# ---- where hits lie in the query


def test_every_painting_of_a_wall_is_outlined_and_lights_its_hit(visit: Callable[..., Any], wall: Path) -> None:
    page = visit()
    upload(page, wall)
    assert page.locator(".where polygon").count() == 3
    assert page.locator(".where polygon.lit").count() == 0
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.where polygon')].map((one) => {
            const { x, y, width, height } = one.getBBox();
            return [x, y, x + width, y + height].map(Math.round);
        })"""
    )
    expected = sorted([x, y, x + 400, y + 300] for x, y in PLACES.values())
    assert np.allclose(sorted(boxes), expected, atol=6)
    for name in PLACES:
        page.mouse.move(*point_on(page, name))
        until(page, "document.querySelector('.hit.lit')")
        assert page.locator(".hit.lit .name").inner_text() == name
    page.locator(".hit", has_text="scene-02").locator(".face").hover()
    until(page, "document.querySelectorAll('.where polygon.lit').length === 1")
    box = page.evaluate("document.querySelector('.where polygon.lit').getBBox().x")
    assert abs(box - PLACES["art/scene-02.png"][0]) < 6
    page.mouse.move(5, 5)
    until(page, "!document.querySelector('.lit')")
    page.locator(".hit", has_text="scene-06").locator(".face").focus()
    until(page, "document.querySelector('.where polygon.lit')")
    drag(page, (0.02, 0.05), (0.33, 0.5))
    wait_for_box(page)
    until(page, "document.querySelectorAll('.where polygon').length >= 1")


def test_a_tap_on_a_painting_goes_to_its_hit(visit: Callable[..., Any], wall: Path) -> None:
    page = visit(**pages.PHONE)
    upload(page, wall)
    until(page, "document.querySelectorAll('.where polygon').length === 3")
    page.touchscreen.tap(*point_on(page, "art/scene-01.png"))
    until(page, "document.activeElement.closest('.hit.lit')")
    assert page.evaluate("document.activeElement.closest('.hit').querySelector('.name').textContent") == (
        "art/scene-01.png"
    )
    until(page, "document.activeElement.getBoundingClientRect().top < innerHeight")


def test_many_hits_at_one_place_are_one_outline_until_they_are_pointed_at(
    visit: Callable[..., Any], product: Path
) -> None:
    page = visit()
    upload(page, product)
    page.mouse.move(5, 5)
    opaque = "[...document.querySelectorAll('.where polygon')].filter((one) => +getComputedStyle(one).opacity > 0)"
    until(page, f"{opaque}.length && !document.querySelector('.lit')")
    assert page.locator(".where polygon.same").count() == 2
    until(page, f"{opaque}.filter((one) => one.matches('.same')).length === 1")
    page.locator(".hit.same .face").nth(1).hover()
    until(page, "+getComputedStyle(document.querySelector('.where polygon.behind.lit')).opacity === 1")


# ---- groups


def test_one_hit_a_product_says_how_many_agree_and_leads_to_all(visit: Callable[..., Any], product: Path) -> None:
    page = visit()
    upload(page, product)
    page.get_by_label("One hit for each").select_option("product")
    until(page, "location.hash.includes('group_by=product') && document.querySelector('.group-line')")
    values = page.locator(".group-line b").all_inner_texts()
    assert values[0] == "it's no. 1"
    assert sorted(values) == [f"it's no. {n}" for n in range(3)]
    first = page.locator(".group-line").first.inner_text()
    assert "2 of 2 agree" in first
    assert "above all others" in first
    assert "below the highest" in page.locator(".group-line").nth(1).inner_text()
    assert page.locator("#found").inner_text() == "1 group by product is proved to show the same thing"
    page.get_by_label("How to compare").select_option("color")
    until(page, "document.querySelector('.hit.unverified .group-line')")
    assert re.match(r"it's no. 1\s+score 0\.\d{3} above all others", page.locator(".group-line").first.inner_text())
    page.get_by_label("How to compare").select_option("bof")
    until(page, "document.querySelector('.hit.same .group-line a')")
    page.locator(".group-line a").first.click()
    until(page, "location.hash.includes('where=') && !document.querySelector('.group-line')")
    assert sorted(names(page)) == ["p1/0.png", "p1/1.png"]


def test_many_pictures_are_searched_for_with_all_that_was_chosen(visit: Callable[..., Any], product: Path) -> None:
    page = visit("#/many?group_by=product")
    with page.expect_request(re.compile("/api/v1/search/")) as searched:
        page.locator("main input[type=file]").first.set_input_files(product)
    assert "group_by=product" in searched.value.url
    page.locator(".of-best .path").wait_for()
    assert page.locator(".of-best .path").inner_text() == "it's no. 1"
    names = re.findall(r"export const SETTINGS = \[([^]]*)\]", (pages.STATIC / "filters.js").read_text())[0]
    assert {"metric", "fusion", "group_by"} <= set(re.findall(r"\w+", names))


# ---- details


def test_a_hit_leads_to_everything_that_is_known_of_it(visit: Callable[..., Any], product: Path) -> None:
    page = visit()
    upload(page, product)
    first = page.locator(".hit").first
    assert first.locator(".chips li").count() == 7
    assert first.locator(".hit-fields").inner_text().split("\n")[:2] == ["colour", "a, b, c and 3 more"]
    first.get_by_role("button", name="Show all 270 tags").click()
    assert first.locator(".chips li").count() == 270
    first.get_by_role("button", name="Details of").click()
    details = page.locator("dialog .details")
    details.locator(".judging").wait_for()
    text = details.inner_text()
    for part in ("a, b, c, d, e, f", "it's no. 1", "The same", "Original", "Search with this one", "In the collection"):
        assert part in text, part
    assert details.locator(".chips li").count() == 31
    page.keyboard.press("Escape")
    until(page, "document.activeElement.matches('[data-details]')")


# ---- judgments


def test_a_judgment_ranks_and_is_undone(visit: Callable[..., Any], product: Path, shop: Path) -> None:
    page = visit()
    upload(page, product)
    before = names(page)
    page.locator("[data-details]").first.click()
    page.locator("[data-judge=different]").click()
    until(page, f"document.querySelector('.hit .name').textContent !== '{before[0]}'")
    assert names(page)[-1] == before[0]
    assert "Not the same, says a person" in page.locator(".hit").last.inner_text()
    until(page, "document.activeElement.matches('[data-details]')")
    assert [judged.is_same for judged in Engine.open(shop).judgments()] == [False]
    page.locator(".hit").last.locator(".face").click()
    page.locator("[data-judge=different][aria-pressed=true]").wait_for()
    page.locator("[data-judge=undo]").click()
    page.locator(".judging", has_text="Is it the same?").wait_for()
    assert Engine.open(shop).judgments() == []
    page.locator("[data-judge=same]").click()
    page.locator(".facts", has_text="confirmed by a person").wait_for()
    page.locator("#back").click()
    assert names(page)[0] == before[0]
    assert "confirmed by a person" in page.locator(".hit.same").first.inner_text()


def test_a_region_is_not_judged_and_the_page_says_why(visit: Callable[..., Any], product: Path) -> None:
    page = visit()
    upload(page, product)
    with page.expect_response(lambda response: "/search" in response.url and "box=" in response.url):
        drag(page, (0.2, 0.2), (0.9, 0.9))
    wait_for_box(page)
    names(page)
    page.locator("[data-details]").first.click()
    page.locator("dialog", has_text="a judgment does not hold for a region").wait_for()
    assert page.locator("[data-judge]").count() == 0


# ---- filters


def test_a_faulty_condition_says_why_and_leaves_the_results(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4", may_fail=True)
    before = names(page)
    page.locator(".expert > summary").click()
    field = page.get_by_label("Condition")
    field.fill("produkt = 'x'")
    field.press("Enter")
    fault = page.locator(".fault")
    fault.wait_for()
    assert "expected one of the fields" in fault.inner_text()
    assert "product" in fault.inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == "produkt = 'x'"
    assert field.is_visible()
    assert names(page) == before
    assert "results of before" in page.locator(".stale").inner_text()
    field.fill('product = "it\'s no. 0"')
    field.press("Enter")
    until(page, "!document.querySelector('.fault, .stale') && !document.querySelector('.found[aria-busy=true]')")
    assert sorted(names(page)) == ["p0/0.png", "p0/1.png"]


def test_a_link_with_a_faulty_condition_says_so_too(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4&where=%28%28", may_fail=True)
    page.locator(".fault").wait_for()
    assert page.get_by_label("Condition").is_visible()
    assert page.locator(".stale").is_visible()


def test_many_tags_are_searched_as_one_types(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=1")
    names(page)
    field = page.locator("input[name=tag]")
    assert "270 of them" in page.locator("#many-tag").inner_text()
    assert page.locator("#values-tag option").count() == 100
    field.press_sequentially("26")
    until(page, "document.querySelectorAll('#values-tag option').length < 30")
    assert "tag 126" in page.evaluate("[...document.querySelectorAll('#values-tag option')].map((o) => o.value)")
    field.fill("tag 126")
    field.press("Enter")
    until(page, "location.hash.includes('tag=tag+126') && document.querySelectorAll('.hit').length === 2")
    assert sorted(names(page)) == ["p1/0.png", "p1/1.png"]


def test_metric_and_fusion_are_chosen_where_they_matter(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4")
    names(page)
    assert page.locator("select[name=metric], select[name=fusion]").count() == 0
    page.get_by_label("How to compare").select_option("color")
    page.get_by_label("How colours are compared").select_option("euclidean")
    with page.expect_request(lambda sent: "metric=correlation" in sent.url):
        page.get_by_label("How colours are compared").select_option("correlation")
    names(page)
    move(page, "#/search?image=4&ranker=bof%2Bcolor")
    with page.expect_request(lambda sent: "fusion=rrf" in sent.url):
        page.get_by_label("How methods are combined").select_option("rrf")
    assert names(page)


# ---- all of it, for everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Callable[..., Any], product: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit(color_scheme=scheme, may_fail=True)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())

    def check(what: str) -> None:
        found = page.evaluate("axe.run(document).then(result => result.violations)")
        serious = [violation for violation in found if violation["impact"] in ("serious", "critical")]
        assert not serious, f"{what}: {json.dumps(serious)[:1500]}"

    upload(page, product)
    page.get_by_label("One hit for each").select_option("product")
    until(page, "document.querySelector('.group-line')")
    names(page)
    check("groups")
    page.locator("[data-details]").first.click()
    page.locator(".judging").wait_for()
    check("details")
    page.keyboard.press("Escape")
    page.goto(page.url + "&where=x")
    page.locator(".fault").wait_for()
    check("fault")


def test_a_phone_and_chinese_have_room_for_it(visit: Callable[..., Any], product: Path) -> None:
    page = visit(**pages.PHONE, locale="zh-CN")
    upload(page, product)
    page.goto(page.url + "&group_by=product")
    until(page, "document.querySelector('.group-line')")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("[data-details]").first.click()
    page.locator(".judging").wait_for()
    assert "是同一物体吗" in page.locator(".judging").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth")
