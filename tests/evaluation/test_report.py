"""report: curves by hand, which queries are shown, a page that is whole, safe and offline, a folder left alone."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from bof import evaluate
from bof.errors import ReportError
from bof.evaluation import metrics
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery
from bof.evaluation.report import require_report, write_report
from bof.evaluation.report.cases import CasePicture, ranked_hits, verified_wrong_cases, worst_cases
from bof.evaluation.report.figures import interpolated_precision, mean_curve, write_figures
from bof.evaluation.report.pictures import draw_box, write_thumbnails
from bof.evaluation.run import QueryResult, RankedImage, Relevance, Report, SettingReport, SettingResult
from bof.images.decode import Picture, read_image
from bof.images.draw import RED
from tests.support.markup import HOSTILE, Page, shown
from tests.support.scenes import draw_scene, write_picture

WHOLE: Mapping[str, Any] = {"index_bytes": 123_456, "n_distractors": 3, "n_features": 4567, "skipped": []}

LETTERS: Mapping[str, Relevance] = {"p": "positive", "n": "negative", "j": "junk"}


def judged(ranks: Sequence[int], n_positives: int) -> SettingResult:
    precisions = {k: metrics.precision_at(k, ranks, n_positives) for k in (1, 5, 10)}
    return SettingResult(metrics.average_precision_of_ranks(ranks, n_positives), ranks, n_positives, precisions)


def result(
    image: str = "/d/q.jpg",
    pattern: str = "",
    ranks: Sequence[int] | None = (1,),
    n_positives: int = 1,
    verdict: str = "maybe",
    **settings: SettingResult,
) -> QueryResult:
    """A query's result. pattern: p, n or j for each hit, /d/p0.jpg, /d/n1.jpg, ...; ranks: None without positives."""
    hits = [
        RankedImage(f"/d/{letter}{at}.jpg", 9.0 - at, verdict, LETTERS[letter]) for at, letter in enumerate(pattern)
    ]
    main = None if ranks is None else judged(ranks, n_positives)
    first = None if main is None else float(1 in main.positive_ranks)
    everything = settings if main is None else {"main": main, **settings}
    precision = None if main is None else main.average_precision
    return QueryResult(image, "", precision, first, first, None, False, {"extract": 0.01}, hits, everything)


def report_of(*results: QueryResult, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "benchmark": "drawn",
        "ranker": "bof",
        "options": {"vote": {"words": 5}, "vocabulary": {"n_words": 200, "trained_on": {"source": "scenes"}}},
        "n_database": 12,
        "n_queries": len(results),
        "map": 0.5,
        "recall_at_1": 0.25,
        "recall_at_10": 0.75,
        "recall_at_1_by_group": {},
        "ns": None,
        "false_accept_rate": None,
        "query_milliseconds": {"extract": 10.0, "vote": 2.5, "after_extract": 2.5},
        "seconds": 1.5,
        "queries": results,
        "settings": {"main": SettingReport(len(results), 0.5, {1: 0.5, 5: 0.4, 10: 0.3})},
    }
    return Report(**{**values, **changes})


def written(folder: Path, report: Report, whole: Mapping[str, Any] = WHOLE, **options: Any) -> str:
    return write_report(folder, report, whole, **options).read_text(encoding="utf-8")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figures, for tests of all else: drawing takes longer than the rest."""
    monkeypatch.setattr("bof.evaluation.report.write_figures", lambda folder, report: [])


# -- Curves -----------------------------------------------------------------------------------------------------------


def test_precision_is_the_best_at_this_recall_or_a_higher_one() -> None:
    half = interpolated_precision([1, 4], 2)
    assert half[:51].tolist() == [1.0] * 51
    assert half[51:].tolist() == [0.5] * 50
    assert interpolated_precision([3, 4], 2).tolist() == [0.5] * 101  # 1/3 at the first is less than 2/4 at the second


def test_what_was_not_found_has_precision_zero() -> None:
    found_one_of_four = interpolated_precision([2], 4)
    assert found_one_of_four[:26].tolist() == [0.5] * 26
    assert not found_one_of_four[26:].any()
    assert not interpolated_precision([], 3).any()


@pytest.mark.parametrize("n", [1, 3, 7, 29, 49, 100, 283])
def test_a_perfect_ranking_has_precision_one_at_every_level(n: int) -> None:
    assert interpolated_precision(range(1, n + 1), n).tolist() == [1.0] * 101


def test_each_of_a_hundred_positives_reaches_its_own_level() -> None:
    ranks = [found * found for found in range(1, 101)]
    assert interpolated_precision(ranks, 100)[1:].tolist() == pytest.approx([1 / found for found in range(1, 101)])


def test_the_curve_of_a_setting_is_the_mean_over_the_queries_that_have_it() -> None:
    report = report_of(result(hard=judged([1], 1)), result(hard=judged([4], 1)), result(ranks=None))
    assert mean_curve(report, "hard").tolist() == [0.625] * 101
    assert mean_curve(report, "main").tolist() == [1.0] * 101


def test_each_figure_is_a_whole_svg_in_the_inks_of_both_pages(tmp_path: Path) -> None:
    figures = write_figures(tmp_path, report_of(result(), result(ranks=(3,))))
    assert [figure.title for figure in figures] == [
        "Precision and recall",
        "Average precision of the queries",
        "Where a query's time goes",
    ]
    for figure in figures:
        light, dark = ((tmp_path / name).read_text(encoding="utf-8") for name in (figure.light, figure.dark))
        assert (
            ElementTree.fromstring(light).tag == ElementTree.fromstring(dark).tag == "{http://www.w3.org/2000/svg}svg"
        )
        assert "#24292f" in light
        assert "#d6dbe1" in dark
        assert light != dark
        assert "<image" not in light
    assert "matplotlib.pyplot" not in sys.modules  # its state is shared, and it may look for a screen


# -- Which queries are shown ------------------------------------------------------------------------------------------


def test_the_worst_are_those_of_lowest_precision_and_equals_stay_in_order() -> None:
    results = [
        result(ranks=(1,)),
        result(ranks=(), n_positives=2),
        result(ranks=(4,)),
        result(ranks=None),
        result(ranks=(2,)),
        result(ranks=(), n_positives=1),
    ]
    assert [case.number for case in worst_cases(results, 10)] == [2, 6, 3, 5]
    assert [case.number for case in worst_cases(results, 1)] == [2]


def test_wrong_and_verified_comes_in_the_order_of_the_wrong_hits() -> None:
    results = [
        result(pattern="pn", verdict="same"),
        result(pattern="jp", verdict="same"),
        result(pattern="n", verdict="maybe"),
        result(pattern="n", ranks=None, verdict="same"),
    ]
    assert [case.number for case in verified_wrong_cases(results, 10)] == [4, 1]


def test_junk_has_no_rank_and_the_querys_own_picture_is_passed_over() -> None:
    ranked = ranked_hits(result("/d/j0.jpg", "jnjp", ranks=(2,)))
    assert [(item.hit.path, item.rank) for item in ranked] == [("/d/n1.jpg", 1), ("/d/j2.jpg", None), ("/d/p3.jpg", 2)]


def test_the_own_picture_stays_where_it_counts() -> None:
    assert [item.rank for item in ranked_hits(result("/d/p0.jpg", "pn"))] == [1, 2]


def benchmark_of(*queries: BenchmarkQuery) -> Benchmark:
    return Benchmark("drawn", [], queries)


def query_with(*positives: str) -> BenchmarkQuery:
    return BenchmarkQuery(Path("/d/q.jpg"), frozenset(Path("/d", name) for name in positives), box=(1, 2, 3, 4))


def missed(failing: QueryResult, *positives: str) -> list[tuple[str, str]]:
    (case,) = worst_cases([failing], 1, benchmark_of(query_with(*positives)))
    assert case.n_missed == len(case.missed)
    return [(item.path, item.where) for item in case.missed]


def test_correct_pictures_behind_the_shown_hits_have_their_rank() -> None:
    assert missed(result(pattern="npnnnnpn", ranks=(2, 7), n_positives=2), "p1.jpg", "p6.jpg") == [
        ("/d/p6.jpg", "rank 7")
    ]


def test_one_picture_behind_all_hits_has_its_rank_and_several_may_not() -> None:
    assert missed(result(pattern="nn", ranks=(31,)), "far.jpg") == [("/d/far.jpg", "rank 31")]
    assert missed(result(pattern="nn", ranks=(31,), n_positives=2), "far.jpg", "gone.jpg") == [
        ("/d/far.jpg", "not in the first 2"),
        ("/d/gone.jpg", "not in the first 2"),
    ]
    assert missed(result(pattern="pn", ranks=(1,), n_positives=2), "p0.jpg", "gone.jpg") == [
        ("/d/gone.jpg", "not ranked")
    ]


@pytest.mark.usefixtures("undrawn")
def test_the_page_says_how_many_queries_it_does_not_show(tmp_path: Path) -> None:
    results = [result(pattern="n", ranks=(2,), verdict="same"), result(ranks=()), result(ranks=(4,)), result()]
    html = written(tmp_path / "out", report_of(*results), worst=2)
    assert "Worst queries: 2 of 3" in html
    assert "Wrong and yet verified: 1 of 1" in html


def test_a_query_shows_five_hits_and_eight_missed_pictures_at_most() -> None:
    many = [f"m{at}.jpg" for at in range(30)]
    (case,) = worst_cases([result(pattern="nnnnnnn", ranks=(), n_positives=30)], 1, benchmark_of(query_with(*many)))
    assert (len(case.shown), len(case.missed), case.n_missed) == (5, 8, 30)
    assert case.query == CasePicture("/d/q.jpg", (1, 2, 3, 4))


# -- Thumbnails -------------------------------------------------------------------------------------------------------


def test_thumbnails_are_small_and_one_for_each_different_shot(tmp_path: Path) -> None:
    path = str(write_picture(tmp_path / "scene.png", draw_scene(1, 640, 480)))
    plain, boxed = CasePicture(path), CasePicture(path, (100.0, 100.0, 300.0, 300.0))
    made = write_thumbnails(tmp_path, [plain, boxed, plain])
    assert sorted(file.name for file in (tmp_path / "pictures").iterdir()) == ["0001.jpg", "0002.jpg"]
    assert (made[plain].width, made[plain].height) == (240, 180)
    shown = read_image(tmp_path / made[plain].src).pixels
    assert shown.shape == (180, 240, 3)
    assert np.abs(shown.astype(int) - read_image(tmp_path / made[boxed].src).pixels).max() > 50


def test_a_picture_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xffnothing")
    shots = [CasePicture(str(tmp_path / "broken.jpg")), CasePicture(str(tmp_path / "gone.jpg"), (0, 0, 1, 1))]
    broken, gone = write_thumbnails(tmp_path, shots).values()
    assert (broken.src, gone.src) == ("", "")
    assert "expected a whole JPEG picture" in broken.problem
    assert "No such file" in gone.problem


def test_the_box_lies_where_it_was_asked_for() -> None:
    picture = Picture(np.zeros((100, 200, 3), np.uint8), 400, 200)  # shrunk to a half
    before = picture.pixels.copy()
    rows, columns = np.nonzero((draw_box(picture, (100, 40, 300, 160)) == RED).all(axis=2))
    assert (rows.min(), rows.max()) == pytest.approx((20, 80), abs=1.5)
    assert (columns.min(), columns.max()) == pytest.approx((50, 150), abs=1.5)
    assert (picture.pixels == before).all()


def test_a_box_beyond_the_picture_is_drawn_at_its_edge() -> None:
    drawn = draw_box(Picture(np.zeros((50, 50, 3), np.uint8), 50, 50), (-1e12, -5, 1e12, 60))
    assert (drawn[0, 25] == RED).all()
    assert (drawn[25, 49] == RED).all()


# -- The page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Report, Benchmark]:
    """Two queries over real files: one perfect, one whose picture was not found and that has a box and no file."""
    paths = {name: write_picture(tmp_path / "d" / f"{name}.png", draw_scene(at)) for at, name in enumerate("abc")}
    hits = [RankedImage(str(paths["c"]), 7.25, "same", "negative"), RankedImage(str(paths["a"]), 1.5, "no", "junk")]
    good = QueryResult(str(paths["a"]), "", 1.0, 1.0, 1.0, None, True, {}, hits[1:], {"main": judged([1], 1)})
    bad = QueryResult(str(paths["b"]), "", 0.0, 0.0, 0.0, None, True, {}, hits, {"main": judged([], 1)})
    queries = [
        BenchmarkQuery(paths["a"], frozenset({paths["c"]})),
        BenchmarkQuery(paths["b"], frozenset({tmp_path / "d" / "gone.png"}), box=(10, 10, 90, 90)),
    ]
    return report_of(good, bad), Benchmark("drawn", list(paths.values()), queries)


def test_the_page_is_whole_and_needs_no_other_place(tmp_path: Path, drawn: tuple[Report, Benchmark]) -> None:
    page = Page(written(tmp_path / "out", drawn[0], benchmark=drawn[1]))
    assert page.files
    assert not [name for name in page.files if not (tmp_path / "out" / name).is_file()]
    assert page.links == {"#worst-2"}
    assert {"worst-2", "wrong-2"} == page.names
    used = {name.split("/")[0] for name in page.files}
    assert used == {"figures", "pictures"}
    on_disk = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert on_disk == {"report.html", *page.files}


@pytest.mark.usefixtures("undrawn")
def test_a_failed_query_is_shown_with_its_hits_and_what_it_missed(
    tmp_path: Path, drawn: tuple[Report, Benchmark]
) -> None:
    html = written(tmp_path / "out", drawn[0], benchmark=drawn[1])
    case = html[html.index('id="worst-2"') : html.index('id="wrong-2"')]
    kinds = re.findall(r'<figure class="(\w+)">', case)
    assert kinds == ["query", "negative", "junk", "positive"]
    assert "1. wrong</span><br>same, 7.25<br>c.png" in case
    assert "gone.png: cannot be read</div>" in case
    assert "not ranked" in case
    assert "1 correct, not among these" in case


@pytest.mark.usefixtures("undrawn")
def test_parts_are_counted_by_what_they_are(tmp_path: Path) -> None:
    html = written(tmp_path / "out", report_of(result(pattern="pnnj", verdict="part"), result(pattern="pn")), worst=1)
    assert "<dt>correct hits called “part”</dt><dd>1</dd>" in html
    assert "<dt>wrong hits called “part”</dt><dd>2</dd>" in html
    assert "<td>part</td>" in html
    assert "called “part”" not in written(tmp_path / "other", report_of(result(pattern="pn")))


@pytest.mark.usefixtures("undrawn")
def test_the_table_has_a_row_for_every_query(tmp_path: Path) -> None:
    results = [result(f"/d/{at}.jpg", "np", (at,)) for at in range(1, 8)]
    html = written(tmp_path / "out", report_of(*results), worst=0)
    rows = re.findall(r"<tr>(.*?)</tr>", html[html.index('class="sortable"') :])[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [row[0] for row in cells] == [f"{at}.jpg" for at in range(1, 8)]
    assert [row[2] for row in cells] == [str(at) for at in range(1, 8)]
    assert cells[3][1] == f"{judged([4], 1).average_precision:.4f}"
    assert cells[0][3] == "n0.jpg"
    assert "wrong" in cells[0][4]
    assert cells[0][5:] == ["maybe", "9.00", "10.0"]


@pytest.mark.usefixtures("undrawn")
def test_every_row_of_the_table_has_the_cells_of_its_head(tmp_path: Path) -> None:
    grouped = replace(result(pattern="p", hard=judged([2], 1)), group="Palm", top_four=3)
    report = report_of(grouped, result(ranks=None), settings={"hard": SettingReport(1, 0.5, {})}, ns=3.0)
    html = written(tmp_path / "out", report)
    table = html[html.index('class="sortable"') :]
    heads = re.findall(r'<th scope="col" class="(\w*)"><button>(.*?)</button>', table)
    assert [name for _, name in heads[:5]] == ["query", "group", "AP hard", "first correct", "top four"]
    for line in re.findall(r"<tr>(<td.*?)</tr>", table):
        kinds = re.findall(r'<td(?: class="(\w+)")?>', line)
        assert [kind == "number" for kind in kinds] == [kind == "number" for kind, _ in heads]


def page_of_names(folder: Path, name: str, *, readable: bool = False) -> str:
    """A report in which each text from outside is the name; its pictures are files of that name, or cannot be read."""
    path = str(folder / f"{name}.jpg") if readable else f"/d/{name}"
    if readable:
        write_picture(Path(path), draw_scene(1, 64, 48))
    hit = RankedImage(path, 1.0, name, "negative")
    odd = QueryResult(path, name, 0.0, 0.0, 0.0, None, True, {name: 1.0}, [hit], {name: judged([3], 1)})
    same = replace(odd, hits=[replace(hit, verdict="same")], top_four=0, settings={"main": judged([3], 1)})
    report = report_of(
        odd,
        same,
        benchmark=name,
        ranker=name,
        ns=1.0,
        options={name: {name: name}, "vocabulary": {"n_words": name, "trained_on": {"source": name}}},
        recall_at_1_by_group={name: 0.5},
        query_milliseconds={name: 1.0},
        settings={name: SettingReport(1, 0.0, {1: 0.5}), "main": SettingReport(1, 0.5, {})},
        notes=[name],
    )
    query = BenchmarkQuery(Path(path), frozenset({Path(f"{path}2")}))
    whole = {
        "skipped": [{"path": name, "reason": name}],
        "n_distractors": name,
        "evaluated_images_trained_on": name,
        "n_evaluated_images": name,
    }
    return written(folder / "out", report, whole, benchmark=benchmark_of(query, query))


@pytest.mark.parametrize("readable", [False, True])
def test_names_cannot_become_markup(tmp_path: Path, readable: bool) -> None:
    html = page_of_names(tmp_path / "one", HOSTILE, readable=readable)
    page, plain = Page(html), Page(page_of_names(tmp_path / "two", "plain", readable=readable))
    assert page.structure == plain.structure
    assert page.tags.count("script") == 1
    assert page.text.count(shown(HOSTILE)) == plain.text.count("plain")
    assert shown(HOSTILE) in page.text
    assert "\x1b" not in html
    assert "\\udcff" in html


def test_figures_that_do_not_apply_are_left_out(tmp_path: Path) -> None:
    bare = report_of(result(ranks=None), map=None, recall_at_1=None, query_milliseconds={}, settings={})
    page = Page(written(tmp_path / "bare", bare, {}))
    assert page.files == []
    assert not re.search(r"N-S|mAP|micro-AP|setting|recall@1 |false accepts|mP@|Worst|peak memory|skipped", page.text)
    whole = report_of(
        result(), ns=3.5, false_accept_rate=0.125, micro_ap=0.875, recall_at_precision_90=0.625, notes=["note one"]
    )
    skipped = [{"path": "/d/x.jpg", "reason": "broken"}]
    text = Page(written(tmp_path / "full", whole, {**WHOLE, "skipped": skipped})).text
    for expected in (
        "N-S (of 4) 3.500",
        "mAP 0.5000",
        "micro-AP 0.8750",
        "recall at precision 0.9 0.6250",
        "false accepts 0.1250",
        "note one",
        "/d/x.jpg: broken",
        "123 KB",
        "200 words, trained on scenes",
        "vote.words 5",
        "vocabulary.trained_on.source scenes",
        "12 pictures, 3 of them distractors",
    ):
        assert expected in text


def test_named_settings_have_a_row_a_column_and_a_line_each(tmp_path: Path) -> None:
    both = {"easy": SettingReport(1, 0.75, {1: 1.0, 5: 0.5}), "hard": SettingReport(1, 0.25, {1: 0.0, 5: 0.125})}
    report = report_of(result(ranks=(1,), easy=judged([1], 1), hard=judged([4], 1)), settings=both)
    text = Page(written(tmp_path / "out", report)).text
    assert "easy 1 0.7500 1.0000 0.5000" in " ".join(text.split())
    assert "hard 1 0.2500 0.0000 0.1250" in text
    assert "AP easy AP hard" in text
    assert "mAP 0.5" not in text  # the main figure has no meaning of its own beside them


@pytest.mark.usefixtures("undrawn")
def test_a_vocabulary_that_has_seen_the_pictures_is_called_out(tmp_path: Path) -> None:
    seen = {"evaluated_images_trained_on": 3, "n_evaluated_images": 12}
    assert "3 of the 12 evaluated pictures" in Page(written(tmp_path / "a", report_of(result()), seen)).text
    none = {**seen, "evaluated_images_trained_on": 0}
    assert "flatter" not in Page(written(tmp_path / "b", report_of(result()), none)).text


@pytest.mark.usefixtures("undrawn")
def test_of_many_groups_the_lowest_are_shown(tmp_path: Path) -> None:
    groups = {f"group-{at:02d}": at / 50 for at in range(50)}
    html = written(tmp_path / "out", report_of(result(), recall_at_1_by_group=groups))
    assert re.findall(r"group-\d\d", html) == [f"group-{at:02d}" for at in range(40)]
    assert "The lowest 40 of 50 groups" in html


def test_the_same_report_has_the_same_bytes(tmp_path: Path, drawn: tuple[Report, Benchmark]) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, drawn[0], benchmark=drawn[1])
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) > 6
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


# -- The folder and the extra -----------------------------------------------------------------------------------------


def refused(folder: Path) -> str:
    with pytest.raises(ReportError) as caught:
        require_report(folder)
    with pytest.raises(ReportError):
        write_report(folder, report_of(result()), WHOLE)
    return str(caught.value)


@pytest.mark.usefixtures("undrawn")
def test_an_earlier_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    written(out, report_of(result(pattern="n", ranks=())))
    (out / "pictures" / "old.jpg").write_bytes(b"old")
    assert "second" in written(out, report_of(result(), benchmark="second"))
    assert not (out / "pictures" / "old.jpg").exists()
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.usefixtures("undrawn")
def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert "drawn" in written(tmp_path / "out", report_of(result()))


@pytest.mark.parametrize("names", [["photo.jpg"], ["report.html"], ["report.html", "figures"], ["pictures"]])
def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("mine")
    message = refused(tmp_path)
    assert "found report.html" in message or "found photo.jpg" in message
    assert "name another folder" in message
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(names, "mine")


@pytest.mark.usefixtures("undrawn")
def test_a_report_that_something_was_put_into_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path / "out", report_of(result()))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert "found notes.txt" in refused(tmp_path / "out")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert f"{tmp_path / 'out'}: expected a folder for the report, found a file" in refused(tmp_path / "out")
    assert f"{tmp_path / 'out'}: a report cannot be written here" in refused(tmp_path / "out" / "below")


@pytest.mark.usefixtures("undrawn")
def test_a_report_that_fails_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written(tmp_path / "out", report_of(result()))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bof.evaluation.report.write_figures", full)
    with pytest.raises(ReportError, match="No space left on device; name another report"):
        write_report(tmp_path / "out", report_of(result(), benchmark="second"), WHOLE)
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_without_matplotlib_the_command_to_install_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert 'pip install "bof-search[report]"' in refused(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_another_benchmark_than_the_one_that_was_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="expected the 1 queries of the report, found 0"):
        write_report(tmp_path / "out", report_of(result()), WHOLE, benchmark=benchmark_of())


def test_matplotlib_waits_until_figures_are_drawn() -> None:
    code = "import sys, bof.evaluation.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- The command ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("undrawn")
def test_evaluate_writes_the_report_of_its_run(vocabulary_folder: Path, tmp_path: Path) -> None:
    for name, seed in {"query": 0, "copy": 0, "other": 1}.items():
        write_picture(tmp_path / "root" / f"{name}.png", draw_scene(seed))
    query = {"image": "query.png", "positives": ["other.png"], "box": [20, 20, 300, 220]}
    content = {"name": "hopeless", "database": ["copy.png", "other.png"], "queries": [query]}
    (tmp_path / "hopeless.json").write_text(json.dumps(content), encoding="utf-8")
    named = {"--root": tmp_path / "root", "--vocabulary": vocabulary_folder, "--report": tmp_path / "out"}
    arguments = [str(tmp_path / "hopeless.json"), *(str(word) for pair in named.items() for word in pair)]
    assert evaluate.main([*arguments, "--workers", "1"]) == 0
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert "hopeless 1 queries, 2 pictures; ranked by bof" in page.text
    assert page.names == {"worst-1", "wrong-1"}
    shown = re.findall(r'<figure class="(\w+)"><img src="(.*?)" alt="(.*?)"', html[: html.index('id="wrong-1"')])
    assert [(kind, name) for kind, _, name in shown][:2] == [("query", "query.png"), ("negative", "copy.png")]
    assert ("positive", "other.png") in [(kind, name) for kind, _, name in shown]
    boxed, plain = (read_image(tmp_path / "out" / file).pixels.astype(int) for _, file, _ in shown[:2])
    assert np.abs(boxed - plain).max() > 50
    assert np.abs(boxed - plain)[40:140, 40:200].max() < 20  # within the box nothing is drawn


def test_evaluate_asks_for_the_place_before_it_starts(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert evaluate.main(["no-such-benchmark", "--root", str(photos), "--report", str(tmp_path)]) == 1
    assert "found mine.txt; name another folder" in capsys.readouterr().err
