"""The page in a real browser, on a real server with a small collection: what a person does, and what they then see."""

from __future__ import annotations

import json
import re
import shutil
import socket
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

from tests.support.browsing import box_in_address, drag, first_hit, move, until, upload, wait_for_box
from tests.support.chromium import chromium
from tests.support.scenes import ROOT, draw_scene, warp, write_picture

STATIC = ROOT / "bof" / "server" / "static"
FIRST_LOAD_BYTES = 150_000
VIEWS = (
    "#/search",
    "#/search?image=4",
    "#/match/4/4",
    "#/many",
    "#/collection",
    "#/collection?show=4",
    "#/statistics",
    "#/duplicates",
)
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SCENE_COLOURS = {"violet": (0xE0, 0x45, 0x9B), "red": (0x3F, 0x30, 0xE5)}
"""Of the outlines in the comparison, in blue, green and red."""
TURNED = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, -20.0], [0.0001, 0.0, 1.0]])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def server(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of its own process, over a copy of the index."""
    pytest.importorskip("uvicorn", reason='the server needs pip install "bof-search[serve]"')
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(index_folder, folder / "index")
    port = free_port()
    command = [sys.executable, "-m", "bof.serve", "--index", str(folder / "index"), "--port", str(port), "--rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}/"
        while not answers(address + "api/v1/health"):
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield address
        process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Callable[..., Any]]:
    """Opens the page; it fails at the end if anything went wrong in it, or if it requested anything of another host."""
    contexts, complaints = list[Any](), list[str]()

    def others(url: str) -> list[str]:
        return [] if url.startswith((server, "data:", "blob:")) else [url]

    def open_page(where: str = "", may_fail: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda sent: complaints.extend(others(sent.url)))
        if not may_fail:
            page.on("console", lambda text: complaints.append(text.text) if text.type in ("error", "warning") else None)
        page.goto(server + where)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scene 5 from another side."""
    return write_picture(tmp_path_factory.mktemp("query") / "from-the-side.png", warp(draw_scene(5), TURNED))


# ---- words


def test_every_word_is_there_in_both_languages_and_is_used() -> None:
    text = "".join(path.read_text() for path in sorted(STATIC.glob("words*.js")))
    entries = re.findall(r"^  '([^']+)': \['((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'\],$", text, re.M)
    assert len(entries) == len(re.findall(r"^  '", text, re.M)) > 250
    code = "".join(path.read_text() for path in STATIC.glob("*.js") if not path.name.startswith("words"))
    prefixes = re.findall(r"[(\[]`([a-z.-]+)\$\{", code)
    for key, english, chinese in entries:
        assert f"'{key}'" in code or any(key.startswith(prefix) for prefix in prefixes), key
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), key
        assert not re.search(r"[\u4e00-\u9fff]", english), key
    known = {key for key, _, _ in entries}
    for key in re.findall(r"\bt\('([a-z0-9.-]+)'", code):
        assert key in known


# ---- first load


def test_first_load_is_small_and_asks_nobody_else(visit: Callable[..., Any], server: str) -> None:
    page = visit()
    until(page, "[...document.querySelectorAll('.strip img')].filter(image => image.complete).length >= 12")
    loaded = page.evaluate(
        "['resource', 'navigation'].flatMap(kind => performance.getEntriesByType(kind)).map(e => e.toJSON())"
    )
    assert len([entry for entry in loaded if entry["name"].endswith(".js")]) > 10
    assert sum(entry["transferSize"] for entry in loaded) < FIRST_LOAD_BYTES
    unpacked = [entry["decodedBodySize"] for entry in loaded if "/api/" not in entry["name"]]
    assert sum(unpacked) < FIRST_LOAD_BYTES


# ---- a picture comes in


def test_an_uploaded_picture_finds_its_scene_first_and_green(visit: Callable[..., Any], query: Path) -> None:
    page = visit()
    upload(page, query)
    assert first_hit(page) == ("scene-05.png", True)
    assert "The same" in page.locator(".hit .verdict").first.inner_text()
    assert re.search(r"\d+ points agree", page.locator(".hit .why").first.inner_text())
    assert page.locator("#found").inner_text() == "1 picture is proved to show the same thing"
    rest = page.locator(".results .grid:not(.proved) .hit").first
    assert rest.bounding_box()["y"] > page.locator(".divider").bounding_box()["y"]
    assert "Not proved" in page.locator(".divider").inner_text()
    assert "on the server" in page.locator(".times").inner_text()


HAND_OVER = """([way, name, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: 'image/png'}));
    const kinds = {paste: () => new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}),
                   drop: () => new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true})};
    document.body.dispatchEvent(kinds[way]());
}"""


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_comes_by(visit: Callable[..., Any], query: Path, way: str) -> None:
    page = visit()
    page.wait_for_selector("#choose", state="attached")
    page.evaluate(HAND_OVER, [way, "<img src=x onerror=alert(1)>.png", b64encode(query.read_bytes()).decode()])
    assert first_hit(page) == ("scene-05.png", True)
    assert page.locator(".side .name").inner_text() == "<img src=x onerror=alert(1)>.png"


def test_a_picture_of_the_collection_is_picked(visit: Callable[..., Any]) -> None:
    page = visit()
    page.get_by_role("link", name="Pick from the collection").click()
    page.locator("#text-filter").fill("scene-07")
    page.locator("#text-filter").press("Enter")
    until(page, "document.querySelectorAll('.card').length === 1")
    page.locator(".card .face").click()
    assert first_hit(page) == ("scene-07.png", True)


def test_what_is_no_picture_is_refused_in_words(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit(may_fail=True)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing follows")
    page.set_input_files("#choose", tmp_path / "broken.png")
    assert page.locator(".error p").first.inner_text().startswith("The picture is damaged")


# ---- the query is changed


def test_a_region_is_drawn_moved_and_resized(visit: Callable[..., Any], query: Path) -> None:
    page = visit()
    upload(page, query)
    drag(page, (0.2, 0.2), (0.7, 0.8))
    assert np.allclose(wait_for_box(page), [64, 48, 224, 192], atol=3)
    assert first_hit(page) == ("scene-05.png", True)
    drag(page, (0.45, 0.5), (0.55, 0.55))
    assert np.allclose(wait_for_box(page, "x"), [96, 60, 256, 204], atol=4)
    drag(page, (0.8, 0.85), (0.6, 0.6))
    x0, y0, x1, y1 = wait_for_box(page, "x")
    assert np.allclose([x0, y0, x1, y1], [96, 60, 192, 144], atol=5)
    page.go_back()
    page.go_back()
    until(page, "location.hash.includes('64,48')")
    assert page.locator(".region").is_visible()


def test_the_keyboard_alone_searches_with_a_region(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4")
    first = first_hit(page)
    page.get_by_role("button", name="Search with a region").focus()
    page.keyboard.press("Enter")
    assert wait_for_box(page) == [80, 60, 240, 180]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    until(page, "!location.hash.includes('80,60')")
    x0, y0, _, y1 = box_in_address(page)
    assert (x0 > 80, y0, y1 > 180) == (True, 60, True)
    assert first_hit(page) == first
    page.keyboard.press("Escape")
    until(page, "!location.hash.includes('box')")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_selector(".collection .card")


def test_turning_and_mirroring_carry_the_region_along(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4&box=10,20,110,220")
    first = first_hit(page)
    page.get_by_role("button", name="Turn right").click()
    until(page, "location.hash.includes('turn=90')")
    assert box_in_address(page) == [20, 10, 220, 110]
    page.get_by_role("button", name="Mirror").click()
    until(page, "location.hash.includes('flip=1')")
    assert box_in_address(page) == [20, 10, 220, 110]
    until(page, "document.querySelector('.found').getAttribute('aria-busy') === 'false'")
    assert first_hit(page) == first
    assert page.locator(".canvas > canvas").evaluate("canvas => canvas.width < canvas.height")


def test_the_subject_is_found_and_shown(visit: Callable[..., Any], tmp_path: Path) -> None:
    picture = np.full((480, 640, 3), 128, np.uint8)
    picture[120:360, 160:480] = draw_scene(5)
    page = visit()
    upload(page, write_picture(tmp_path / "subject.png", picture))
    page.get_by_role("button", name="Find the subject").click()
    until(page, "location.hash.includes('box=auto')")
    page.wait_for_selector(".region, .notice")
    assert first_hit(page) == ("scene-05.png", True)


# ---- filters


def test_filters_and_rankers_stand_in_the_address(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4")
    first_hit(page)
    page.locator("select", has_text="Only what is proved").select_option(label="Only what is proved")
    until(page, "location.hash.includes('verdict=same')")
    until(page, "document.querySelectorAll('.hit:not(.same)').length === 0")
    page.get_by_label("How to compare").select_option("tfidf")
    until(page, "location.hash.includes('ranker=tfidf')")
    page.get_by_role("button", name="Clear all").click()
    until(page, "location.hash === '#/search?image=4'")
    page.get_by_label("How to compare").select_option("votes")
    until(page, "document.querySelectorAll('.hit.unverified').length > 3")
    assert "checks nothing" in page.locator(".divider").inner_text()


def test_a_ranker_that_compares_no_points_says_so(visit: Callable[..., Any]) -> None:
    """With the forms of an answer, because this index has no hashes."""
    page = visit("#/statistics")

    def answer(route: Any) -> None:
        found = route.fetch().json()
        for hit in found["hits"]:
            hit |= {"verdict": "maybe", "n_inliers": None, "explanation": {"key": "alike_as_a_whole", "args": {}}}
        route.fulfill(json=found)

    page.route("**/search/image/4?*", answer)
    move(page, "#/search?image=4")
    assert page.locator(".hit .why").first.inner_text().startswith("The pictures are similar as a whole")


def part_of(hit: dict[str, Any], share: float, region: list[list[float]]) -> dict[str, Any]:
    """A hit, as one that shares a part."""
    shares = {"query_overlap": share, "hit_overlap": share / 2, "query_region": region, "hit_region": region}
    explanation = {"key": "part", "args": {"n_inliers": 50, "percent": round(100 * share)}}
    return {**hit, **shares, "verdict": "part", "basis": "pixels", "probability": 0.1, "explanation": explanation}


REGION = [[20.0, 30.0], [200.0, 30.0], [200.0, 180.0]]


def test_what_shares_a_part_stands_between_with_what_agrees(visit: Callable[..., Any]) -> None:
    """With the forms of an answer, because what is indexed here shares nothing."""
    page = visit("#/statistics")

    def answer(route: Any) -> None:
        found = route.fetch(url=route.request.url.replace("top=6", "top=24")).json()
        found["overlay"] = {"n_features": 44, "n_images": 31, "box": [0, 0, 90, 40]}
        hits = found["hits"]
        hits[1:3] = [part_of(hits[1], 0.4, REGION), part_of(hits[2], 1.0, REGION)]
        points = {"verdict": "same", "basis": "points", "probability": 0.999}
        hits[3] |= {**points, "explanation": {"key": "proved_few_points", "args": {"n_inliers": 12, "percent": 99}}}
        route.fulfill(json=found)

    page.route("**/search/image/4?*", answer)
    move(page, "#/search?image=4")
    assert page.locator("#found").inner_text() == "1 other picture is proved to show the same thing, 2 share a part"
    groups = [page.locator(f".results .grid{kind} .hit") for kind in (".proved", ".shared", ":not(.proved, .shared)")]
    assert [group.count() for group in groups][:2] == [2, 2]
    tops = [group.first.bounding_box()["y"] for group in groups]
    assert tops == sorted(tops)
    same, parts = (group.locator(".verdict").all_inner_texts() for group in groups[:2])
    assert same == ["The same file", "The same · by points alone"]
    assert parts == ["Shares a part · 40% of your picture", "Shares a part · 99% of your picture"]
    assert "pixels were not compared" in groups[0].last.inner_text()
    assert "other details differ" in groups[1].first.inner_text()
    assert "31 pictures have the same overlay" in page.locator(".notice").inner_text()
    assert "share a part" in page.locator(".parts-divider").inner_text()
    drawn = groups[1].first.locator(".outline polygon").get_attribute("points")
    assert drawn == " ".join(f"{x + 0.5:g},{y + 0.5:g}" for x, y in REGION)
    signs = [group.first.locator(".verdict path").get_attribute("d") for group in groups[:2]]
    frames = [group.first.evaluate("hit => getComputedStyle(hit).borderTopColor") for group in groups[:2]]
    assert len(set(signs)) == len(set(frames)) == 2


def test_only_parts_are_shown_where_they_are_wanted(visit: Callable[..., Any]) -> None:
    page = visit("#/search?image=4")
    first_hit(page)
    page.locator("select[name=verdict]").select_option(label="Only what shares a part")
    until(page, "location.hash.includes('verdict=part')")
    page.get_by_text("No picture passes the filters").wait_for()
    page.locator("select[name=verdict]").select_option(label="Proved, and what shares a part")
    until(page, "document.querySelectorAll('.hit.same').length === 1")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_part_is_compared_by_what_agrees(visit: Callable[..., Any], lang: str) -> None:
    """With the forms of an answer. The outline of the whole query is not drawn; axe finds nothing serious."""
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit("#/statistics", locale={"en": "en-GB", "zh": "zh-CN"}[lang])

    def answer(route: Any) -> None:
        found = route.fetch().json()
        route.fulfill(json={**found, "hit": part_of(found["hit"], 0.4, REGION)})

    page.route("**/matches/4/5*", answer)
    move(page, "#/match/4/5?lines=none")
    facts = page.locator(".facts.part").inner_text()
    assert ("40% of your picture, 20% of the other" if lang == "en" else "占您图片的 40%，占另一张的 20%") in facts
    with page.expect_download() as saved:
        page.locator(".match-tools .button").last.click()
    pixels = cv2.imread(str(saved.value.path()))
    assert pixels is not None
    far = {name: (np.abs(pixels.astype(int) - colour).max(axis=2) < 12) for name, colour in SCENE_COLOURS.items()}
    assert far["violet"][:, : pixels.shape[1] // 2].any()
    assert far["violet"][:, pixels.shape[1] // 2 :].any()
    assert far["red"].sum() < far["violet"].sum() / 10
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document).then(result => result.violations)")
    assert not [violation for violation in found if violation["impact"] in ("serious", "critical")]


def test_more_comes_as_one_scrolls(visit: Callable[..., Any]) -> None:
    page = visit("#/statistics", viewport={"width": 800, "height": 400})
    page.route(
        "**/search/image/4?*", lambda route: route.continue_(url=re.sub("top=[0-9]+", "top=3", route.request.url))
    )
    move(page, "#/search?image=4")
    until(page, "document.querySelectorAll('.hit').length === 6")
    before = page.locator(".hit .name").all_inner_texts()
    for _ in range(3):
        page.mouse.wheel(0, 10_000)
        page.wait_for_timeout(60)
    until(page, "document.querySelectorAll('.hit').length > 8")
    names = page.locator(".hit .name").all_inner_texts()
    assert names[:6] == before
    assert len(set(names)) == len(names)


# ---- the match


def test_the_match_view_shows_both_and_is_saved(visit: Callable[..., Any], query: Path) -> None:
    page = visit()
    upload(page, query)
    page.locator(".hit .face").first.click()
    page.wait_for_selector("#viewport")
    assert "points agree" in page.locator("#viewport").get_attribute("aria-label")
    colours = "document.querySelector('#viewport').toDataURL()"
    until(page, "document.querySelector('main').getAttribute('aria-busy') === 'false'")
    page.wait_for_timeout(100)
    beside = page.evaluate(colours)
    page.keyboard.press("o")
    page.wait_for_selector("#opacity")
    page.wait_for_timeout(100)
    assert page.evaluate(colours) != beside
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a PNG").click()
    pixels = cv2.imread(str(saved.value.path()))
    assert pixels is not None
    assert pixels.shape[1] == 2000
    page.keyboard.press("o")
    page.get_by_label("All compared").check(force=True)
    page.get_by_role("link", name="Next result").click()
    until(page, "document.querySelector('#place')?.textContent.startsWith('2 of')")
    page.get_by_role("link", name="Results").click()
    assert first_hit(page) == ("scene-05.png", True)


def test_laid_on_top_both_pictures_are_the_same(visit: Callable[..., Any]) -> None:
    """The overlay of a picture on itself changes no pixel, turned and mirrored as it may be."""
    page = visit("#/match/4/4?turn=90&flip=1")
    until(page, "document.querySelector('main').getAttribute('aria-busy') === 'false'")
    page.get_by_label("Outlines").uncheck()
    page.locator("input[value=over]").check(force=True)
    shots = []
    for opacity in ("0", "1"):
        page.locator("#opacity").fill(opacity)
        page.wait_for_timeout(80)
        shots.append(page.locator("#viewport").screenshot())
    decoded = [cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR) for shot in shots]
    one, other = (np.asarray(pixels, int) for pixels in decoded)
    middle = (slice(60, -60), slice(one.shape[1] // 2 - 120, one.shape[1] // 2 + 120))
    assert one[middle].std() > 20
    assert np.abs(one[middle] - other[middle]).mean() < 4


# ---- the collection


def test_tag_filter_and_remove(visit: Callable[..., Any]) -> None:
    page = visit("#/collection?text=scene-10")
    page.locator(".card .face").click()
    page.locator(".new-tag").fill("museum <b>")
    page.get_by_role("button", name="Add tag").click()
    page.get_by_role("dialog").get_by_text("museum <b>").wait_for()
    page.keyboard.press("Escape")
    move(page, "#/collection?tag=museum+%3Cb%3E")
    until(page, "document.querySelectorAll('.card').length === 1")
    page.get_by_label("Select scene-10.png").check()
    page.get_by_role("button", name="Remove").click()
    page.locator("#really-remove").click()
    page.get_by_text("No picture has these words").wait_for()
    move(page, "#/collection?text=scene-11")
    until(page, "document.querySelectorAll('.card').length === 1")


def test_a_dialog_that_is_left_changes_nothing(visit: Callable[..., Any], server: str) -> None:
    page = visit("#/collection?text=scene-09")
    page.get_by_label("Select scene-09.png").check()
    page.get_by_role("button", name="Tag").click()
    page.locator(".new-tag").wait_for()
    move(page, "#/statistics")
    page.wait_for_timeout(200)
    found = json.load(urllib.request.urlopen(server + "api/v1/images?text=scene-09"))["images"]
    assert [image["tags"] for image in found] == [[]]
    move(page, "#/collection?show=4")
    move(page, "#/collection?show=5")
    move(page, "#/collection?show=5&sort=newest")
    assert page.locator("dialog").count() == 1


COLLECT_PROGRESS = """() => {
    window.states = [];
    const note = () => window.states.push(document.querySelector('.task .small')?.textContent);
    new MutationObserver(note).observe(document.querySelector('#tray'), {subtree: true, childList: true});
}"""


def test_pictures_are_added_with_progress_and_bad_ones_named(visit: Callable[..., Any], tmp_path: Path) -> None:
    good = [write_picture(tmp_path / f"new-{seed}.png", draw_scene(seed)) for seed in (40, 41)]
    (tmp_path / "bad.png").write_bytes(good[0].read_bytes()[:200])
    page = visit("#/collection")
    page.wait_for_selector(".card")
    page.evaluate(COLLECT_PROGRESS)
    page.set_input_files("#add-pictures", [*good, tmp_path / "bad.png"])
    page.locator(".task").get_by_text("2 added").wait_for()
    assert any(re.fullmatch(r"\d of 3", state) for state in page.evaluate("window.states.filter(Boolean)"))
    page.locator(".task summary").click()
    assert "bad.png" in page.locator(".skipped").inner_text()
    move(page, "#/search")
    page.wait_for_selector("#choose", state="attached")
    upload(page, good[1])
    assert first_hit(page)[0].endswith("new-41.png")
    assert first_hit(page)[1]


# ---- for everybody


def test_a_wrong_address_leads_somewhere(visit: Callable[..., Any]) -> None:
    page = visit("#/constructor", may_fail=True)
    page.get_by_role("heading", name="Which pictures show this?").wait_for()
    move(page, "#/search?image=4&turn=45&box=10,20,110,220")
    assert page.locator(".error p").first.inner_text().startswith("The server does not understand this request")
    page.get_by_role("button", name="Turn right").click()
    until(page, "location.hash.includes('turn=90')")
    assert box_in_address(page) == [20, 10, 220, 110]


def test_a_phone_shows_every_view_without_sideways_scrolling(visit: Callable[..., Any]) -> None:
    page = visit(**PHONE)
    for view in VIEWS:
        move(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
    move(page, "#/search")
    assert page.locator("input[capture=environment]").count() == 1


NAMES = r"scene-\d+|new-\d+|\.png|museum <b>|English|\bbof\b|bof index|PNG|Alt|Shift|Esc|\b[kM]B\b|\bms\b|[0-9a-f]{12}"
"""What is the same in every language."""


def test_chinese_is_chinese_throughout(visit: Callable[..., Any]) -> None:
    page = visit(**PHONE, locale="zh-CN")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    for view in VIEWS:
        move(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
        assert re.findall("[A-Za-z]{2,}", re.sub(NAMES, "", page.locator("body").inner_text())) == [], view
    page.locator("#language").click()
    page.get_by_role("heading", name="Duplicates").wait_for()
    page.reload()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_dark_follows_the_system_and_the_switch(visit: Callable[..., Any]) -> None:
    page = visit(color_scheme="dark")
    ground = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"
    )
    assert page.evaluate(ground) < 150
    page.locator("#theme").click()
    until(page, f"{ground} > 600")
    page.reload()
    assert page.evaluate(ground) > 600


@pytest.mark.parametrize(("scheme", "rules"), [("light", "undefined"), ("dark", "{runOnly: ['color-contrast']}")])
def test_axe_finds_nothing_serious(visit: Callable[..., Any], scheme: str, rules: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit(color_scheme=scheme)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    for view in (*VIEWS, "#/search?image=4&box=20,20,200,200&ranker=votes"):
        move(page, view)
        found = page.evaluate(f"axe.run(document, {rules}).then(result => result.violations)")
        serious = [violation for violation in found if violation["impact"] in ("serious", "critical")]
        assert not serious, f"{view}: {json.dumps(serious)[:1500]}"


def test_a_server_that_is_away_is_named_and_found_again(visit: Callable[..., Any]) -> None:
    page = visit(may_fail=True)
    page.wait_for_selector(".strip img")
    page.context.set_offline(True)
    page.locator(".strip a").first.click()
    page.locator("#banner").wait_for()
    assert "does not answer" in page.locator("#banner").inner_text()
    page.context.set_offline(False)
    page.locator("#banner").wait_for(state="hidden")
    assert first_hit(page)[1]


def test_a_token_is_asked_for_once(visit: Callable[..., Any]) -> None:
    page = visit("#/statistics", may_fail=True)
    tokens: list[str] = []

    def guard(route: Any) -> None:
        if route.request.method == "POST":
            tokens.append(route.request.post_data_json["token"])
            route.fulfill(status=200 if tokens[-1] == "right" else 401, json={"type": "/problems/unauthorised"})
        elif "right" in tokens:
            route.continue_()
        else:
            route.fulfill(status=401, json={"type": "/problems/unauthorised"})

    page.route("**/api/v1/**", guard)
    page.goto(page.url.replace("#/statistics", "?again#/search"))
    page.locator("#token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The server does not know this token.").wait_for()
    page.locator("#token").fill("right")
    page.keyboard.press("Enter")
    page.wait_for_selector(".strip img")
    assert tokens == ["wrong", "right"]
