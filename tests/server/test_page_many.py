"""Many pictures on the page: the table, what goes wrong, what is exported, and what is printed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.server.test_page import PHONE, TURNED
from tests.server.test_page import browser as browser  # fixtures
from tests.server.test_page import server as server
from tests.server.test_page import visit as visit
from tests.support.browsing import first_hit, move, until
from tests.support.scenes import ROOT, draw_scene, warp, write_picture

Visit = Callable[..., Any]
ZIP = "/static/zip.js"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two scenes of the collection from another side, one that it lacks, a damaged file; with names that are traps."""
    folder = tmp_path_factory.mktemp("many")
    files = [
        write_picture(folder / "=1+1 塔.png", warp(draw_scene(5), TURNED)),
        write_picture(folder / "b <i>.png", warp(draw_scene(7), TURNED)),
        write_picture(folder / "c.png", draw_scene(901)),
        folder / "damaged.png",
    ]
    files[-1].write_bytes(b"\x89PNG\r\n\x1a\nnothing follows")
    return files


def give(page: Any, files: list[Path]) -> None:
    page.set_input_files("#choose-many", files)
    page.wait_for_selector(".many-table tbody tr")


def complete(page: Any) -> str:
    """Waits until nothing is searched for any more; returns what the page says."""
    until(page, "/^(Complete|已完成)/.test(document.querySelector('.run-state')?.textContent ?? '')")
    return str(page.locator(".run-state").inner_text())


def column(page: Any, name: str) -> list[str]:
    return [text.strip() for text in page.locator(f"td.of-{name}").all_inner_texts()]


def save(page: Any, kind: str) -> Any:
    """What the page exports."""
    page.locator("[name=export], .results .button:has-text('Export')").first.click()
    with page.expect_download(timeout=60_000) as download:
        page.locator(f"[name=export-{kind}]").click()
    page.wait_for_selector("dialog", state="detached")
    return download.value


# ---- the table


def test_many_pictures_become_a_table(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    assert complete(page) == "Complete 4 of 4 searched · 2 proved · 1 failed"
    assert column(page, "name") == ["=1+1 塔.png", "b <i>.png", "c.png", "damaged.png"]
    assert column(page, "best")[:2] == ["scene-05.png", "scene-07.png"]
    assert [text.split("\n")[0] for text in column(page, "verdict")][3] == "failed"
    assert column(page, "proved") == ["1", "1", "0", ""]
    assert "damaged" in column(page, "verdict")[3]
    assert all(re.fullmatch(r"[\d.]+ m?s", text) for text in column(page, "seconds")[:3])
    assert page.evaluate("[...document.querySelectorAll('.many-table img')].every(image => image.complete)")


def test_rows_are_sorted_and_filtered_by_the_address(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    page.locator("[name=show-proved]").click()
    until(page, "document.querySelectorAll('.many-table tbody tr').length === 2")
    page.locator("[name=sort-name]").click()
    page.locator("[name=sort-name]").click()
    until(page, "document.querySelector('td.of-name').textContent.startsWith('b')")
    assert page.locator("th.of-name").get_attribute("aria-sort") == "descending"
    assert page.evaluate("document.activeElement.name") == "sort-name"
    page.go_back()
    page.go_back()
    page.locator("[name=show-failed]").click()
    until(page, "document.querySelectorAll('.many-table tbody tr').length === 1")
    assert column(page, "name") == ["damaged.png"]


def test_a_row_leads_to_its_answer_and_to_the_comparison_and_back(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    page.locator("td.of-name a").first.click()
    assert first_hit(page) == ("scene-05.png", True)
    page.go_back()
    page.locator("td.of-best a").first.click()
    page.locator("#viewport").wait_for()
    assert page.locator(".names").inner_text().split("\n")[0].startswith("=1+1 塔.png")
    page.go_back()
    page.locator(".many-table").wait_for()
    assert column(page, "best")[1] == "scene-07.png"


def test_what_failed_is_retried_alone_or_together(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    failing = {"is": True}

    def answer(route: Any) -> None:
        if failing["is"]:
            route.fulfill(status=500, json={"type": "/problems/internal", "detail": "boom"})
        else:
            route.continue_()

    page.route("**/api/v1/search/query/**", answer)
    give(page, pictures[:3])
    assert complete(page).endswith("3 failed")
    assert "boom" in page.locator("td.of-verdict").first.inner_html()
    failing["is"] = False
    page.locator("td.of-verdict button").nth(1).click()
    until(page, "document.querySelectorAll('tr.failed').length === 2")
    complete(page)
    assert column(page, "best")[1] == "scene-07.png"
    page.locator("[name=retry-all]").click()
    until(page, "!document.querySelector('tr.failed')")
    assert complete(page) == "Complete 3 of 3 searched · 2 proved"


def test_a_run_pauses_goes_on_and_is_cancelled(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)

    held = list[Any]()
    may_pass = {"n": 2}

    def let_few_pass(route: Any) -> None:
        may_pass["n"] -= 1
        if may_pass["n"] >= 0:
            route.continue_()
        else:
            held.append(route)

    def let_pass(more: int) -> None:
        """What is held, and as many of the next."""
        may_pass["n"] = more
        while held:
            held.pop().continue_()

    page.route("**/api/v1/search/query/**", let_few_pass)
    give(page, pictures[:2] * 8)
    page.locator("[name=pause]").click()
    until(page, "document.querySelector('.run-state').textContent.startsWith('Paused')")
    let_pass(4)
    until(page, "!document.querySelector('tr.running')")
    waiting = page.locator("tr.waiting").count()
    page.wait_for_timeout(500)
    assert page.locator("tr.waiting").count() == waiting > 0
    page.get_by_role("button", name="Continue").click()
    until(page, "n => document.querySelectorAll('tr.waiting').length < n", waiting)
    page.locator("[name=stop]").click()
    complete(page)
    assert page.locator("tr.stopped").count() > 0
    assert page.locator("tr.waiting, tr.running").count() == 0


def test_a_server_that_is_away_pauses_the_run_and_it_goes_on_by_itself(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    page.locator("#choose-many").wait_for(state="attached")
    page.context.set_offline(True)
    give(page, pictures[:3])
    until(page, "document.querySelector('.run-state').textContent.startsWith('Waiting')")
    assert page.locator("tr.failed").count() == 0
    page.context.set_offline(False)
    assert complete(page) == "Complete 3 of 3 searched · 2 proved"


def test_a_busy_server_is_given_time(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    refused = {"n": 0}

    def busy(route: Any) -> None:
        refused["n"] += 1
        if refused["n"] <= 4:
            route.fulfill(status=503, headers={"Retry-After": "99"}, json={"type": "/problems/busy"})
        else:
            route.continue_()

    page.route("**/api/v1/search/query/**", busy)
    give(page, pictures[:3])
    assert complete(page) == "Complete 3 of 3 searched · 2 proved"


def test_the_table_stays_while_the_tab_lives_and_a_reload_says_what_is_lost(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    page.on("dialog", lambda dialog: dialog.accept())
    give(page, pictures[:3])
    move(page, "#/statistics")
    move(page, "#/many")
    complete(page)
    assert page.locator("tbody tr").count() == 3
    page.reload()
    assert "table of 3 pictures is gone" in page.locator(".notice").inner_text()


def test_the_edge_of_the_page_shows_a_run_from_elsewhere(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)

    def slowly(route: Any) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route("**/api/v1/search/query/**", slowly)
    give(page, pictures[:2] * 4)
    page.evaluate("location.hash = '#/statistics'")
    page.locator("#many-task").wait_for()
    until(page, "document.querySelector('#many-task').textContent.includes('8 of 8')")
    page.locator("#many-task a").click()
    page.locator(".many-table").wait_for()
    assert page.locator("#many-task").count() == 0


# ---- how pictures come


DROP = """files => {
    const transfer = new DataTransfer();
    for (const [name, base64, type] of files) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, {type}));
    }
    document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def as_dropped(path: Path, kind: str = "image/png") -> tuple[str, str, str]:
    return path.name, b64encode(path.read_bytes()).decode(), kind


def test_several_dropped_pictures_are_all_searched_for(visit: Visit, pictures: list[Path]) -> None:
    page = visit(may_fail=True)
    page.wait_for_selector(".strip img")
    page.evaluate(DROP, [as_dropped(path) for path in pictures[:3]])
    assert complete(page) == "Complete 3 of 3 searched · 2 proved"
    assert page.url.endswith("#/many")


def test_what_is_no_picture_is_passed_over_and_named(visit: Visit, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    page = visit("#/many")
    page.locator("#choose-many").wait_for(state="attached")
    page.evaluate(DROP, [as_dropped(pictures[0]), as_dropped(tmp_path / "notes.txt", "text/plain")])
    assert "notes.txt" in page.locator("#notes").inner_text(timeout=3000)
    assert complete(page).startswith("Complete 1 of 1")
    move(page, "#/search")
    page.evaluate(DROP, [as_dropped(pictures[1]), as_dropped(tmp_path / "notes.txt", "text/plain")])
    assert first_hit(page) == ("scene-07.png", True)


def test_a_folder_is_chosen_with_what_is_below_it(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    page.set_input_files("#choose-folder", pictures[0].parent)
    assert complete(page).startswith("Complete 4 of 4")
    assert all(name.startswith(f"{pictures[0].parent.name}/") for name in column(page, "name"))


def test_pictures_of_the_collection_are_searched_with_and_left_out_themselves(visit: Visit) -> None:
    page = visit("#/collection")
    for n in range(3):
        page.locator(".card input[type=checkbox]").nth(n).check()
    page.get_by_role("button", name="Search with these").click()
    assert complete(page).startswith("Complete 3 of 3 searched · 0 proved")
    names = column(page, "name")
    assert all(best != name for best, name in zip(column(page, "best"), names, strict=True))


# ---- what is exported


def test_a_table_has_the_columns_of_the_command_and_no_formulas(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    download = save(page, "csv")
    assert re.fullmatch(r"bof-4-\d{4}-\d\d-\d\d\.csv", download.suggested_filename)
    text = Path(download.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["query"] for row in rows} == {"'=1+1 塔.png", "b <i>.png", "c.png", "damaged.png"}
    first = rows[0]
    assert (first["rank"], first["name"], first["verdict"], first["mirrored"]) == ("1", "scene-05.png", "same", "false")
    assert 0 <= float(first["left"]) < float(first["right"]) <= float(first["width"])
    assert [bool(row["problem"]) for row in rows if row["query"] == "damaged.png"] == [True]


def test_columns_are_those_of_the_command() -> None:
    command = pytest.importorskip("bof.cli.hit_csv", reason="the command has no table yet")
    script = (ROOT / "bof" / "server" / "static" / "records.js").read_text()
    listed = script[script.index("COLUMNS =") : script.index("]);")]
    for of in ("GROUP", "FILM"):
        start = script.index(f"const {of} =")
        names = re.findall(r"'(\w+)'", script[start : script.index("};", start)])
        listed = listed.replace(f"...Object.values({of})", str(names))
    page = [name for name in re.findall(r"'(\w+)'", listed) if name not in ("query", "problem", "id")]
    assert page == [name for name in command._COLUMNS if name != "path"]


def test_data_are_the_answers_of_the_server(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    answers = json.loads(Path(save(page, "json").path()).read_text())["answers"]
    assert [answer["name"] for answer in answers] == [path.name for path in pictures]
    assert answers[0]["hits"][0]["name"] == "scene-05.png"
    assert "damaged" in answers[3]["problem"]["detail"]


def test_a_page_with_captions_needs_no_other_file_and_takes_no_markup(
    visit: Visit, pictures: list[Path], browser: Any, tmp_path: Path
) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    path = tmp_path / "page.html"
    save(page, "html").save_as(path)
    shown = browser.new_context().new_page()
    requests: list[str] = []
    shown.on("request", lambda sent: requests.append(sent.url))
    shown.goto(path.as_uri())
    assert [url for url in requests if not url.startswith(("data:", path.as_uri()))] == []
    assert shown.locator("h2").all_inner_texts() == [picture.name for picture in pictures]
    assert shown.locator("figure.same").count() == 2
    assert "scene-05.png" in shown.locator("figure.same figcaption").first.inner_text()
    assert shown.evaluate("[...document.images].every(image => image.naturalWidth > 50)")
    shown.locator("[role=textbox]").first.fill("A caption of my own")
    assert shown.locator("[role=textbox]").first.inner_text() == "A caption of my own"
    shown.context.close()


def test_proofs_come_as_an_archive_that_python_reads(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    with zipfile.ZipFile(save(page, "zip").path()) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == [
            "proofs/0001__1_1_塔_01_same_scene-05.jpg", "proofs/0002_b_i__01_same_scene-07.jpg", "results.csv",
        ]  # fmt: skip
        assert all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist())
        picture = cv2.imdecode(np.frombuffer(archive.read(names[0]), np.uint8), cv2.IMREAD_COLOR)
        rows = list(csv.DictReader(io.StringIO(archive.read("results.csv").decode("utf-8-sig"))))
    from_green = np.abs(picture.astype(int) - (74, 163, 23)).max(axis=2)
    assert (from_green < 30).sum() > 500
    assert [row["proof"] for row in rows if row["proof"]] == names[:2]


def test_an_archive_holds_any_name_and_every_byte(visit: Visit) -> None:
    page = visit("#/many")
    encoded = page.evaluate(
        """async (script) => {
        const { Zip } = await import(script);
        const zip = new Zip();
        const bytes = Uint8Array.from({length: 100000}, (_, i) => i * 7);
        await zip.add('塔/é 😀.bin', new Blob([bytes]), new Date(2026, 1, 3, 4, 5, 6));
        await zip.add('a.txt', new Blob(['']));
        await zip.add('A.txt', new Blob(['second']));
        const packed = new Uint8Array(await zip.finish().arrayBuffer());
        return Array.from(packed, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }""",
        ZIP,
    )
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(encoded))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["塔/é 😀.bin", "a.txt", "A-2.txt"]
        assert archive.read("塔/é 😀.bin") == bytes(i * 7 % 256 for i in range(100000))
        assert archive.getinfo("塔/é 😀.bin").date_time == (2026, 2, 3, 4, 5, 6)
        assert archive.read("A-2.txt") == b"second"


def test_results_of_one_search_are_exported(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/search?image=4")
    first_hit(page)
    rows = list(csv.DictReader(io.StringIO(Path(save(page, "csv").path()).read_bytes().decode("utf-8-sig"))))
    assert len(rows) == page.locator(".hit").count()
    answer = json.loads(Path(save(page, "json").path()).read_text())
    assert [hit["name"] for hit in answer["hits"]] == [row["name"] for row in rows]
    assert "isComplete" not in answer
    with zipfile.ZipFile(save(page, "zip").path()) as archive:
        assert len(archive.namelist()) == 1 + sum(row["verdict"] == "same" for row in rows)


def test_the_dialog_of_one_search_shows_every_kind_whole(visit: Visit) -> None:
    page = visit("#/search?image=4", viewport={"width": 390, "height": 844})
    first_hit(page)
    page.locator(".results .button:has-text('Export')").click()
    page.wait_for_selector("[name=export-zip]")
    boxes = [page.locator(f"[name=export-{kind}]").bounding_box() for kind in ("csv", "json", "html", "zip", "print")]
    edge = page.locator("dialog .exports").bounding_box()
    assert all(abs(box["width"] - edge["width"]) <= 1 for box in boxes)
    assert all(box["y"] + box["height"] < below["y"] for box, below in itertools.pairwise(boxes))


# ---- what is printed, and for whom


@pytest.mark.parametrize("where", ["#/search?image=4", "#/match/4/4", "#/many"])
def test_paper_has_no_controls_and_no_dark_ground(visit: Visit, pictures: list[Path], where: str) -> None:
    page = visit(where, may_fail=True, color_scheme="dark")
    if where == "#/many":
        give(page, pictures)
        complete(page)
    page.wait_for_selector(".hit, #viewport, .many-table")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h2, h1')).color.match(/\\d+/g).every(c => c < 90)")
    for kind in ("nav", "button:not(.sort)", "select", "#tray", ".filters"):
        assert page.locator(f"{kind}:visible").count() == 0, kind
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert where in page.locator("#printed").inner_text()


def test_many_pictures_on_a_phone_in_chinese(visit: Visit, pictures: list[Path]) -> None:
    page = visit("#/many", may_fail=True, **PHONE, locale="zh-CN")
    give(page, pictures[:3])
    complete(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    text = re.sub(
        r"scene-\d+|=1\+1|<i>|\.png|English|\bbof\b|\bb\b|\bc\b|\bm?s\b", "", page.locator("body").inner_text()
    )
    assert re.findall("[A-Za-z]{2,}", text) == []
    page.locator("[name=export]").click()
    assert page.locator("dialog .button.wide").count() == 5


def test_axe_finds_nothing_in_the_table_and_the_dialog(visit: Visit, pictures: list[Path]) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit("#/many", may_fail=True)
    give(page, pictures)
    complete(page)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    for action in (None, "[name=export]"):
        if action:
            page.locator(action).click()
        found = page.evaluate("axe.run(document).then(result => result.violations)")
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], json.dumps(found)[:1500]
