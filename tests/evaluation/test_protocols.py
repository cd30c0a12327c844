"""The public benchmarks: small sets in exactly their layout are loaded, run and reported; broken copies are named."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof import evaluate
from bof.engine import Engine
from bof.errors import BenchmarkError, ImageError
from bof.evaluation.benchmarks import LOADERS, Benchmark, load_benchmark
from bof.evaluation.benchmarks.oxford import read_ground_truth
from bof.evaluation.rankers import EngineRanker
from bof.images.decode import read_image
from bof.options import IndexOptions, SearchOptions
from tests.support.scenes import draw_scene, warp, write_picture

TURNED = np.array([[0.87, -0.5, 80.0], [0.5, 0.87, -60.0], [0.0, 0.0, 1.0]])
WIDTH, HEIGHT = 320, 240
BROKEN = b"\xff\xd8\xff\xe0 a photograph that breaks off"

Run = Callable[..., tuple[dict[str, Any], str]]


@cache
def photograph(scene: int, turned: bool) -> bytes:
    pixels = draw_scene(scene)
    return bytes(cv2.imencode(".jpg", warp(pixels, TURNED) if turned else pixels)[1].tobytes())


def draw(folder: Path, scenes: dict[str, int], turned: dict[str, int] | None = None) -> None:
    """Photographs NAME.jpg of scenes by number, and views of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, scene in scenes.items():
        (folder / f"{name}.jpg").write_bytes(photograph(scene, turned=False))
    for name, scene in (turned or {}).items():
        (folder / f"{name}.jpg").write_bytes(photograph(scene, turned=True))


def refused(kind: str, root: Path) -> str:
    with pytest.raises(BenchmarkError) as caught:
        load_benchmark(kind, root)
    return str(caught.value)


def stems(paths: Any) -> set[str]:
    return {path.stem for path in paths}


@pytest.fixture
def run(vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command over a set; returns the report that it writes and the table that it prints."""

    def run_here(kind: str, root: Path, *more: str | Path) -> tuple[dict[str, Any], str]:
        file = tmp_path / "report.json"
        places = {"--root": root, "--vocabulary": vocabulary_folder, "--json-file": file, "--workers": 1}
        arguments = [kind, *(str(part) for pair in places.items() for part in pair), *map(str, more)]
        assert evaluate.main(arguments) == 0
        return json.loads(file.read_text()), capsys.readouterr().out

    return run_here


# -- Oxford and Paris -------------------------------------------------------------------------------------------------


def write_truth(folder: Path, name: str, query: str, good: str = "", ok: str = "", junk: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_query.txt").write_text(query + "\n")
    for kind, names in {"good": good, "ok": ok, "junk": junk}.items():
        (folder / f"{name}_{kind}.txt").write_text("".join(f"{n}\n" for n in names.split()))


def oxford_set(root: Path, prefix: str = "oxc1_", images: str = "images", truth: str = "groundtruth") -> Path:
    """Two landmarks of two photographs, one of which is junk for the second, and a stranger."""
    draw(
        root / images,
        {"all_souls_000000": 0, "radcliffe_camera_000010": 1, "oxford_000002": 2},
        {"all_souls_000001": 0, "radcliffe_camera_000011": 1},
    )
    write_truth(
        root / truth,
        "all_souls_1",
        f"{prefix}all_souls_000000 20.5 -3.5 320.25 200",
        "all_souls_000000",
        "all_souls_000001",
    )
    write_truth(
        root / truth,
        "radcliffe_camera_1",
        f"{prefix}radcliffe_camera_000010 0 0 300 240",
        "radcliffe_camera_000010",
        junk="radcliffe_camera_000011",
    )
    return root


@pytest.mark.parametrize("prefix", ["oxc1_", ""])
@pytest.mark.parametrize(
    ("images", "truth"),
    [("images", "groundtruth"), ("jpg", "gt_files"), ("", "gt"), ("images/all", "labels"), ("jpg", "")],
)
def test_oxford_in_any_of_its_layouts(tmp_path: Path, prefix: str, images: str, truth: str) -> None:
    benchmark = load_benchmark("oxford5k", oxford_set(tmp_path, prefix, images, truth))
    assert (benchmark.name, len(benchmark.database), benchmark.pooled) == ("oxford5k", 5, False)
    first, second = benchmark.queries
    assert first.image in benchmark.database
    assert stems(first.positives) == {"all_souls_000000", "all_souls_000001"}
    assert (stems(second.positives), stems(second.junk)) == ({"radcliffe_camera_000010"}, {"radcliffe_camera_000011"})
    assert [query.group for query in benchmark.queries] == ["all_souls", "radcliffe_camera"]


def test_a_box_is_cut_off_where_the_photograph_ends(tmp_path: Path) -> None:
    first, second = load_benchmark("oxford5k", oxford_set(tmp_path)).queries
    assert (first.box, second.box) == ((20.5, 0, WIDTH, 200), (0, 0, 300, HEIGHT))


def test_oxford_runs(run: Run, tmp_path: Path) -> None:
    report, table = run("oxford5k", oxford_set(tmp_path / "oxford"))
    assert (report["map"], report["n_queries"], report["n_database"]) == (1, 2, 5)
    assert report["queries"][0]["hits"][0]["relevance"] == "positive"
    assert report["settings"]["main"] == {"n_queries": 2, "map": 1, "precision_at": {"1": 1, "5": 1, "10": 1}}
    assert report["notes"] == ["query boxes: key points whose centre lies inside are kept"]
    assert report["options"]["query_box"] == "key points inside"
    assert "query boxes: key points" in table


def test_oxford_runs_with_cropped_queries_among_distractors(run: Run, tmp_path: Path) -> None:
    draw(tmp_path / "others", {"x": 8, "y": 9})
    report, table = run("oxford5k", oxford_set(tmp_path / "oxford"), "--crop", "--distractors", tmp_path / "others")
    assert (report["n_distractors"], report["n_database"], report["map"]) == (2, 7, 1)
    assert report["options"]["query_box"] == "cropped picture"
    assert "features extracted from the cropped picture" in table


def paris_set(root: Path) -> Path:
    """Two landmarks in sub-folders; a positive is broken."""
    images = root / "images"
    draw(images / "defense", {"paris_defense_000000": 0}, {"paris_defense_000001": 0})
    draw(images / "louvre", {"paris_louvre_000000": 1}, {"paris_louvre_000001": 1})
    (images / "louvre" / "paris_louvre_000136.jpg").write_bytes(BROKEN)
    write_truth(root / "groundtruth", "defense_1", "paris_defense_000000 0 0 320 240", "paris_defense_000001")
    write_truth(
        root / "groundtruth",
        "louvre_1",
        "paris_louvre_000000 0 0 320 240",
        "paris_louvre_000000 paris_louvre_000001",
        "paris_louvre_000136",
    )
    return root


def test_paris_passes_over_its_broken_photographs_and_names_them(run: Run, tmp_path: Path) -> None:
    report, table = run("paris6k", paris_set(tmp_path / "paris"))
    assert report["queries"][1]["average_precision"] == 1
    assert report["settings"]["main"]["n_queries"] == 2
    assert [Path(item["path"]).name for item in report["skipped"]] == ["paris_louvre_000136.jpg"]
    assert "1 photographs cannot be decoded and count neither way: paris_louvre_000136.jpg" in report["notes"]
    assert "1 pictures cannot be read: paris_louvre_000136.jpg" in table


def test_a_broken_photograph_of_oxford_is_never_found(run: Run, tmp_path: Path) -> None:
    root = oxford_set(tmp_path / "oxford")
    (root / "images" / "all_souls_000001.jpg").write_bytes(BROKEN)
    report, _ = run("oxford5k", root)
    assert report["queries"][0]["average_precision"] == 0.5
    assert len(report["skipped"]) == 1


def test_a_broken_query_of_paris_counts_as_not_found(run: Run, tmp_path: Path) -> None:
    root = paris_set(tmp_path / "paris")
    (root / "images" / "defense" / "paris_defense_000000.jpg").write_bytes(BROKEN)
    report, _ = run("paris6k", root)
    assert [query["average_precision"] for query in report["queries"]] == [0, 1]
    assert any(
        note.startswith("query counted as not found: ") and "paris_defense_000000" in note for note in report["notes"]
    )


def test_a_broken_query_of_oxford_ends_the_run(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = oxford_set(tmp_path)
    (root / "images" / "all_souls_000000.jpg").write_bytes(BROKEN)
    assert (
        evaluate.main(["oxford5k", "--root", str(root), "--vocabulary", str(vocabulary_folder), "--workers", "1"]) == 1
    )
    error = capsys.readouterr().err
    assert error.startswith("error: oxford5k: query ")
    assert "all_souls_000000.jpg cannot be searched" in error


def test_copies_of_paris_without_the_broken_photographs_load(tmp_path: Path) -> None:
    root = paris_set(tmp_path)
    (root / "images" / "louvre" / "paris_louvre_000136.jpg").unlink()
    benchmark = load_benchmark("paris6k", root)
    assert stems(benchmark.queries[1].positives) == {"paris_louvre_000000", "paris_louvre_000001"}
    assert benchmark.notes == ["left out, because no such photograph is there: paris_louvre_000136"]
    write_truth(root / "groundtruth", "x_1", "paris_louvre_000000 0 0 9 9", " ".join(f"paris_x_{i}" for i in range(25)))
    assert "26 photographs of the ground truth are missing" in refused("paris6k", root)


def test_a_missing_photograph_of_oxford_is_named(tmp_path: Path) -> None:
    root = oxford_set(tmp_path)
    (root / "images" / "all_souls_000001.jpg").unlink()
    message = refused("oxford5k", root)
    assert message.startswith(f"{root}: 1 photographs of the ground truth are missing, the first is all_souls_000001")


OXFORD_BREAKAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no photographs": (lambda root: (root / "images").rename(root.parent / "away"), "expected photographs in images/"),
    "no ground truth": (lambda root: (root / "groundtruth").rename(root.parent / "away"), "found none"),
    "two ground truths": (lambda root: write_truth(root / "gt", "x_1", "x 0 0 1 1"), "found "),
    "no list": (lambda root: (root / "groundtruth" / "all_souls_1_ok.txt").unlink(), "all_souls_1_ok.txt: expected"),
    "a list in no encoding": (
        lambda root: (root / "groundtruth" / "all_souls_1_ok.txt").write_bytes(b"\xff\xfe\xfa"),
        "all_souls_1_ok.txt: expected",
    ),
    "a box of three": (
        lambda root: write_truth(root / "groundtruth", "all_souls_1", "all_souls_000000 1 2 3"),
        "all_souls_1_query.txt: expected a name and a box x0 y0 x1 y1, found 'all_souls_000000 1 2 3'",
    ),
    "a box of words": (lambda root: write_truth(root / "groundtruth", "x_1", "all_souls_000000 a b c d"), "x_1_query"),
    "an endless box": (lambda root: write_truth(root / "groundtruth", "x_1", "oxford_000002 0 0 inf 9"), "x_1_query"),
    "a box inside out": (lambda root: write_truth(root / "groundtruth", "x_1", "oxford_000002 9 9 3 3"), "x_1_query"),
    "a box elsewhere": (
        lambda root: write_truth(root / "groundtruth", "x_1", "oxford_000002 400 0 500 9"),
        "expected a box in 320 x 240 pixels, found 400,0,500,9",
    ),
    "an empty query": (lambda root: write_truth(root / "groundtruth", "x_1", ""), "x_1_query"),
    "an unknown query": (lambda root: write_truth(root / "groundtruth", "x_1", "y 0 0 9 9"), "the first is y"),
    "one name twice": (lambda root: draw(root / "images" / "more", {"oxford_000002": 2}), "expected one photograph"),
}


@pytest.mark.parametrize("case", OXFORD_BREAKAGES)
def test_a_broken_copy_of_oxford_is_named(tmp_path: Path, case: str) -> None:
    root = oxford_set(tmp_path / "oxford")
    breakage, reason = OXFORD_BREAKAGES[case]
    breakage(root)
    message = refused("oxford5k", root)
    assert reason in message
    assert str(root) in message


def test_the_published_ground_truth_of_oxford_loads(shared: Path) -> None:
    queries = read_ground_truth(shared / "oxford5k_gt")
    assert len(queries) == 55
    assert len({query.name.rpartition("_")[0] for query in queries}) == 11
    for query in queries:
        assert not (query.good | query.ok) & query.junk
        assert query.good
        assert not query.image.startswith("oxc1_")
    first = queries[0]
    assert (first.name, first.image, first.box) == ("all_souls_1", "all_souls_000013", (136.5, 34.1, 648.5, 955.7))
    assert (
        sum(len(query.good | query.ok) for query in queries) == 2840
    )  # one of the 2,841 lines names a photograph twice
    assert sum(len(query.junk) for query in queries) == 1495


# -- Crop -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [(-1, 0, 9, 9), (0, 0, 321, 9), (9, 9, 9, 12), (0, 12, 9, 9)])
def test_a_crop_outside_the_picture_is_refused(photos: Path, index_folder: Path, box: Any) -> None:
    with Engine.open(index_folder) as engine, pytest.raises(ImageError, match=r"scene-00\.png: expected a box"):
        EngineRanker(engine, SearchOptions(), crop=True).rank(photos / "scene-00.png", box)


def test_a_crop_is_what_a_cropped_file_gives(photos: Path, index_folder: Path, tmp_path: Path) -> None:
    pixels = read_image(photos / "scene-03.png").pixels[20:221, 50:301]
    write_picture(tmp_path / "cut.png", pixels[..., ::-1].copy())  # OpenCV writes BGR
    with Engine.open(index_folder) as engine:
        ranker = EngineRanker(engine, SearchOptions(), crop=True)
        cropped = ranker.rank(photos / "scene-03.png", (50.25, 20.5, 300.5, 220.75))
        cut = ranker.rank(tmp_path / "cut.png")
    assert cropped.paths == cut.paths
    assert np.array_equal(cropped.scores, cut.scores)


def test_a_large_crop_is_shrunk_to_the_index_size(vocabulary_folder: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "wide.png", draw_scene(5, 1600, 400))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "wide.png"], IndexOptions(workers=1))
        ranking = EngineRanker(engine, SearchOptions(), crop=True).rank(tmp_path / "wide.png", (0, 0, 1500, 400))
    assert ranking.verdicts[0] == "same"


# -- Revisited Oxford and Paris ---------------------------------------------------------------------------------------


def labels(easy: Any = (), hard: Any = (), junk: Any = (), bbx: Any = (0, 0, WIDTH, HEIGHT)) -> dict[str, Any]:
    """One entry of gnd, as the published files hold it."""
    arrays = {name: np.array(places, np.int64) for name, places in {"easy": easy, "hard": hard, "junk": junk}.items()}
    return {"bbx": list(bbx), **arrays}


def revisited_set(root: Path, kind: str = "roxford5k", protocol: int = 2, **changes: Any) -> Path:
    """Two landmarks: an easy and a hard view of each, a junk view of the first; the queries outside the database."""
    draw(root / "jpg", {"a_0": 0, "a_1": 0, "b_0": 1, "other": 2, "query_a": 0, "query_b": 1}, {"a_2": 0, "b_1": 1})
    content = {
        "imlist": ["a_0", "a_1", "a_2", "b_0", "b_1", "other"],
        "qimlist": ["query_a", "query_b"],
        "gnd": [labels([0], [2], [1], (10, -1, 330, 200.5)), labels([3], [4])],
        **changes,
    }
    (root / f"gnd_{kind}.pkl").write_bytes(pickle.dumps(content, protocol))
    return root


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("kind", ["roxford5k", "rparis6k"])
def test_labels_become_three_settings(tmp_path: Path, kind: str, protocol: int) -> None:
    benchmark = load_benchmark(kind, revisited_set(tmp_path, kind, protocol))
    assert (benchmark.name, stems(benchmark.database)) == (kind, {"a_0", "a_1", "a_2", "b_0", "b_1", "other"})
    query = benchmark.queries[0]
    assert query.image not in benchmark.database
    assert query.box == (10, 0, WIDTH, 200.5)
    found = {name: (stems(j.positives), stems(j.junk)) for name, j in query.settings.items()}
    assert found == {
        "easy": ({"a_0"}, {"a_1", "a_2"}),
        "medium": ({"a_0", "a_2"}, {"a_1"}),
        "hard": ({"a_2"}, {"a_0", "a_1"}),
    }
    assert (stems(query.positives), stems(query.junk)) == found["medium"]


def test_revisited_sets_run(run: Run, tmp_path: Path) -> None:
    gnd = [labels([0], [2], [1]), labels([3, 4])]
    report, table = run("roxford5k", revisited_set(tmp_path / "set", gnd=gnd))
    assert {name: setting["n_queries"] for name, setting in report["settings"].items()} == {
        "easy": 2,
        "medium": 2,
        "hard": 1,
    }
    assert all(setting["map"] == 1 for setting in report["settings"].values())
    for row in ("mAP", "mP@1", "mP@5", "mP@10"):
        assert f"\n{row:<19} easy 1.0000, medium 1.0000, hard 1.0000\n" in table
    assert report["false_accept_rate"] is None


def test_queries_with_nothing_to_find_are_dropped(tmp_path: Path) -> None:
    gnd = [labels(junk=[1]), labels(np.array([3]), [4])]
    benchmark = load_benchmark("roxford5k", revisited_set(tmp_path, gnd=gnd))
    assert stems(query.image for query in benchmark.queries) == {"query_b"}
    assert benchmark.notes == ["1 queries without positives dropped"]
    assert "found none" in refused("roxford5k", revisited_set(tmp_path, gnd=[labels(), labels()]))


REVISITED_BREAKAGES: dict[str, tuple[dict[str, Any], str]] = {
    "a place that is not there": ({"gnd": [labels([6]), labels([3])]}, "places in the list of 6"),
    "a place before the first": ({"gnd": [labels([-1]), labels([3])]}, "places in the list of 6"),
    "half a place": ({"gnd": [{**labels(), "easy": np.array([0.5])}, labels([3])]}, "places in the list of 6"),
    "a huge place": ({"gnd": [{**labels(), "easy": [1 << 70]}, labels([3])]}, "places in the list of 6"),
    "names for places": ({"gnd": [{**labels(), "easy": ["a_0"]}, labels([3])]}, "numbers that are a list"),
    "no label": ({"gnd": [{"bbx": [0, 0, 1, 1], "easy": [0]}, labels([3])]}, "'hard'"),
    "a query too few": ({"gnd": [labels([0])]}, "shorter"),
    "a box of three": ({"gnd": [labels([0], bbx=(1, 2, 3)), labels([3])]}, "not enough values"),
    "a box inside out": ({"gnd": [labels([0], bbx=(5, 2, 3, 9)), labels([3])]}, "the box 5,2,3,9"),
    "no list of photographs": ({"imlist": []}, "an empty list"),
    "numbers for photographs": ({"imlist": [1, 2]}, "a name that is a int"),
    "an unknown photograph": ({"qimlist": ["query_a", "stranger"]}, "the first is stranger"),
    "labels by name": ({"gnd": {"query_a": labels([0]), "query_b": labels([3])}}, "indices must be integers"),
}


@pytest.mark.parametrize("case", REVISITED_BREAKAGES)
def test_a_broken_revisited_ground_truth_is_named(tmp_path: Path, case: str) -> None:
    changes, reason = REVISITED_BREAKAGES[case]
    message = refused("roxford5k", revisited_set(tmp_path, **changes))
    assert message.startswith(str(tmp_path))
    assert reason in message


def test_a_ground_truth_without_lists_is_named(tmp_path: Path) -> None:
    revisited_set(tmp_path)
    (tmp_path / "gnd_roxford5k.pkl").write_bytes(pickle.dumps([1, 2]))
    assert "expected imlist, qimlist and gnd" in refused("roxford5k", tmp_path)


def test_the_other_city_s_ground_truth_is_not_taken(tmp_path: Path) -> None:
    message = refused("rparis6k", revisited_set(tmp_path, "roxford5k"))
    assert message.startswith(f"{tmp_path}: expected gnd_rparis6k.pkl here or in a folder below, found none")


class Command:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return eval, ("open('called', 'w')",)


def test_a_ground_truth_that_runs_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused("roxford5k", revisited_set(tmp_path, extra=Command()))
    assert "gnd_roxford5k.pkl" in message
    assert "eval; do not trust this file" in message
    assert not (tmp_path / "called").exists()


# -- Holidays ---------------------------------------------------------------------------------------------------------


def holidays_set(root: Path) -> Path:
    draw(root, {"100000": 0, "100100": 1, "149900": 2}, {"100001": 0, "100002": 0, "100101": 1, "149901": 2})
    return root


def test_holidays_group_by_hundreds(tmp_path: Path) -> None:
    benchmark = load_benchmark("holidays", holidays_set(tmp_path))
    assert (benchmark.name, len(benchmark.database)) == ("holidays-7", 7)
    assert [query.image.stem for query in benchmark.queries] == ["100000", "100100", "149900"]
    assert stems(benchmark.queries[0].positives) == {"100001", "100002"}
    assert stems(benchmark.queries[0].junk) == {"100000"}


def test_holidays_run_and_say_who_turned_the_photographs(run: Run, tmp_path: Path) -> None:
    report, table = run("holidays", holidays_set(tmp_path / "holidays" / "jpg").parent)
    assert (report["map"], report["n_queries"], report["n_database"]) == (1, 3, 7)
    assert "turned upright where their EXIF says how" in table


@pytest.mark.parametrize(("gone", "named"), [("100000", "100000"), ("149901", "149900")])
def test_an_incomplete_group_of_holidays_is_named(tmp_path: Path, gone: str, named: str) -> None:
    (holidays_set(tmp_path) / f"{gone}.jpg").unlink()
    assert f"an incomplete group at {named}" in refused("holidays", tmp_path)


def test_photographs_that_are_no_holidays_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, {"beach": 0})
    assert "found no NNNNNN.jpg" in refused("holidays", tmp_path)


# -- Copies -----------------------------------------------------------------------------------------------------------


def copies_set(root: Path, truth: str = "query_id,reference_id\nQ1,R1\nQ2.jpg,R2.jpg\nQ3,\n") -> Path:
    """Two copies, a query listed without source, a query not listed."""
    draw(root / "references", {"R1": 1, "R2": 2, "R3": 3})
    draw(root / "queries", {"Q1": 1, "Q3": 777, "Q4": 778}, {"Q2": 2})
    (root / "ground_truth.csv").write_text(truth)
    return root


@pytest.mark.parametrize(
    "header", ["query_id,reference_id\n", "Query_ID, Reference_ID\r\n", "\ufeffquery_id,reference_id\n", ""]
)
def test_copies_name_their_sources(tmp_path: Path, header: str) -> None:
    benchmark = load_benchmark("copies", copies_set(tmp_path, f"{header}Q1,R1\nQ2.jpg,R2.jpg\n\nQ1,R3\nQ3,\n"))
    assert benchmark.pooled
    assert stems(benchmark.database) == {"R1", "R2", "R3"}
    found = {query.image.stem: stems(query.positives) for query in benchmark.queries}
    assert found == {"Q1": {"R1", "R3"}, "Q2": {"R2"}, "Q3": set(), "Q4": set()}


def test_copies_run(run: Run, tmp_path: Path) -> None:
    root = copies_set(tmp_path / "small")
    (root / "groups.csv").write_text("query_id,group\nQ1,plain\nQ2,turned\nQ3,none\n")
    report, table = run("copies", root)
    assert (report["micro_ap"], report["recall_at_precision_90"], report["false_accept_rate"]) == (1, 1, 0)
    assert report["recall_at_1_by_group"] == {"plain": 1, "turned": 1}
    assert "\nmicro-AP            1.0000\n" in table
    assert "\nrecall at prec. 0.9 1.0000\n" in table


COPIES_BREAKAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no references": (
        lambda root: (root / "references").rename(root / "x"),
        "references: expected pictures, found none",
    ),
    "no queries": (lambda root: (root / "queries").rename(root / "x"), "queries: expected pictures, found none"),
    "no ground truth": (lambda root: (root / "ground_truth.csv").unlink(), "ground_truth.csv: expected a CSV file"),
    "a row of three": (lambda root: copies_set(root, "a,b\nQ1,R1,R2\n"), "line 2: expected query_id,reference_id"),
    "an unknown query": (lambda root: copies_set(root, "Q1,R1\nQ9,R1\n"), "found 'Q9'"),
    "an unknown reference": (lambda root: copies_set(root, "Q1,R9\n"), "found 'R9'"),
    "a group of nothing": (lambda root: (root / "groups.csv").write_text("Q9,x\n"), "groups.csv: expected names"),
    "an unclosed quote": (lambda root: copies_set(root, 'Q1,"R1\n'), "expected a CSV file"),
    "one name twice": (
        lambda root: write_picture(root / "queries" / "Q1.png", draw_scene(1)),
        "one picture called 'Q1'",
    ),
}


@pytest.mark.parametrize("case", COPIES_BREAKAGES)
def test_a_broken_set_of_copies_is_named(tmp_path: Path, case: str) -> None:
    breakage, reason = COPIES_BREAKAGES[case]
    breakage(copies_set(tmp_path))
    message = refused("copies", tmp_path)
    assert reason in message
    assert message.startswith(str(tmp_path))


# -- Kinds ------------------------------------------------------------------------------------------------------------


def test_an_unknown_kind_is_told_all_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused("oxford", tmp_path)
    with pytest.raises(SystemExit):
        evaluate.main(["--help"])
    shown = "".join(capsys.readouterr().out.split())
    for kind in LOADERS:
        assert kind in message
        assert kind in shown


@pytest.mark.parametrize("kind", sorted(LOADERS))
def test_an_empty_folder_is_named(tmp_path: Path, kind: str) -> None:
    message = refused(kind, tmp_path)
    assert message.startswith(str(tmp_path))
    assert "data/README.md" in message


@pytest.mark.parametrize("kind", ["oxford5k", "roxford5k", "holidays", "copies"])
def test_paths_do_not_depend_on_the_folder_that_one_stands_in(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets: dict[str, Callable[[Path], Path]] = {
        "oxford5k": oxford_set,
        "roxford5k": revisited_set,
        "holidays": holidays_set,
        "copies": copies_set,
    }
    root = sets[kind](tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    absolute, relative = load_benchmark(kind, root), load_benchmark(kind, Path("set"))
    assert absolute == relative
    assert all(path.is_absolute() for path in named(relative))


def named(benchmark: Benchmark) -> list[Path]:
    judged = [path for query in benchmark.queries for path in (query.image, *query.positives, *query.junk)]
    return [*benchmark.database, *judged]
