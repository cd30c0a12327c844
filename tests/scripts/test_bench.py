"""The benchmark: its table and ratios, who is asked when, the limits, the searches it compares, the whole script."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bof.errors import BofError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import VerifyOptions, VoteOptions
from bof.vocabulary.vocabulary import load_vocabulary
from tests.support.scenes import ROOT, draw_scene, warp, write_picture

N_WORDS = 64


@pytest.fixture(scope="module", autouse=True)
def scripts() -> Iterator[None]:
    """The scripts can be imported while these tests run; no thread needs to settle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        patch.setattr(_module("bench_timing"), "SETTLE_SECONDS", 0.0)
        patch.setattr(_module("bench_stages"), "COPY_BYTES", 1 << 20)
        yield


def _module(name: str, package: str | None = None) -> ModuleType:
    if package:
        pytest.importorskip(package)
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def data(scripts: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objects of UKBench, four views each, and three training pictures."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(8):
        shift = np.array([[1, 0, 3 * (number % 4)], [0, 1, 0], [0, 0, 1]], np.float64)
        scene = warp(draw_scene(number // 4), shift)
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", scene)
    for seed in range(200, 203):
        write_picture(folder / "train" / f"{seed}.png", draw_scene(seed))
    return folder


@pytest.fixture(scope="module")
def bench(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A benchmark over `data` with small vocabularies, one run, three queries."""
    folder = tmp_path_factory.mktemp("bench")
    workshop = _module("peer_common").Workshop(N_WORDS, data / "train", folder, folder, 1)
    return _module("bench_setup").Bench(data, workshop, 3, 1)


def _row(**changes: Any) -> Any:
    fields = {"group": "g", "what": "w", "unit": "ms", "ours": [0.01, 0.02, 0.04], "theirs": [0.02, 0.06, 0.16]}
    return _module("bench_table").Row(**{**fields, "peer": "COLMAP", **changes})


def test_a_ratio_is_the_median_of_the_pairs_own() -> None:
    assert _row().ratio == 3.0
    assert _row(is_limit=True).ratio == pytest.approx(1 / 3)
    assert _row(theirs=[], peer="").ratio is None
    with pytest.raises(ValueError, match="zip"):
        _ = _row(theirs=[1.0]).ratio


@pytest.mark.parametrize(
    ("asked", "is_limit", "met"),
    [(3.0, False, True), (3.1, False, False), (0.4, True, True), (0.3, True, False), (None, False, None)],
)
def test_a_peer_is_beaten_at_least_and_a_limit_missed_at_most(
    asked: float | None, is_limit: bool, met: bool | None
) -> None:
    assert _row(asked=asked, is_limit=is_limit).met is met


def test_the_table_has_a_line_a_row_under_its_group_and_the_notes_below() -> None:
    other = _row(group="h", what="alone", theirs=[], unit="s", ours=[123.4], note="nobody to compare with")
    head, rule, *lines = _module("bench_table").table([_row(asked=4.0), other])
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *lines[:4])]
    assert cells == [
        ["what", "bof", "peer or limit", "ratio", "asked", "met"],
        ["**g**", "", "", "", "", ""],
        ["w", "20.0 ms", "COLMAP: 60.0 ms", "3.00", "at least 4", "no"],
        ["**h**", "", "", "", "", ""],
        ["alone", "123 s", "", "", "", ""],
    ]
    assert set(rule) == {"|", "-", " "}
    assert {len(line) for line in (head, rule, *lines[:4])} == {len(head)}
    assert lines[4:] == ["", "h, alone: nobody to compare with"]


def test_each_question_is_put_to_all_before_the_next() -> None:
    asked: list[str] = []

    def asker(name: str) -> Callable[[int], Callable[[], object]]:
        return lambda question: lambda: asked.append(f"{name}{question}")

    spent = _module("bench_timing").in_turn({"a": asker("a"), "b": asker("b")}, [1, 2], runs=2)
    assert asked == ["a1", "b1", *["a1", "b1", "b2", "a2"] * 2]
    assert {name: len(calls) for name, calls in spent.items()} == {"a": 4, "b": 4}


def test_making_ready_is_not_timed() -> None:
    def prepare(question: int) -> Callable[[], object]:
        time.sleep(0.05)
        return lambda: time.sleep(0.01)

    (spent,) = _module("bench_timing").in_turn({"a": prepare}, [1])["a"]
    assert 0.01 <= spent.seconds < 0.05
    assert spent.cpu_seconds < spent.seconds


def test_bandwidth_counts_what_is_read_and_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = _module("bench_limits")
    monkeypatch.setattr(limits, "_copy", lambda threads, halves: 0.5 * sum(target.size for target, _ in halves))
    assert limits.copy_bandwidth(1000) == 4.0


def test_votes_touch_every_posting_of_every_word_of_the_query(bench: Any) -> None:
    engine, query = bench.peer.engine, bench.questions[0]
    k = min(20, N_WORDS)
    words = load_vocabulary(engine.vocabulary_folder).assign(query.descriptors, k).ravel().tolist()
    collection = [bench.collection.features[path].descriptors for path in bench.collection.database]
    postings = np.bincount(np.concatenate([engine.vocabulary.assign(d)[:, 0] for d in collection]), minlength=N_WORDS)
    assert _module("bench_limits").vote_bytes(engine, query) == 14 * sum(int(postings[word]) for word in words)


def test_ransac_is_given_the_matches_that_verification_is_given(bench: Any) -> None:
    limits, looking = _module("bench_limits"), importlib.import_module("bof.retrieval.shortlist")
    engine, query = bench.peer.engine, bench.questions[0]
    pictures = limits.candidates(engine, query, 4)
    watch = looking.Stopwatch()
    seen = looking.look(
        engine.searcher().collection, engine.vocabulary, query, VoteOptions(), VerifyOptions(depth=4), watch
    )
    assert len(pictures) == len(seen.verifications) == 4
    first = next(iter(seen.verifications.values())).inliers
    pairs = {tuple(pair) for pair in np.rint(pictures[0][0]).astype(int).tolist()}
    inliers = np.rint(query.geometry.xy_px[first.query]).astype(int).tolist()
    assert len(inliers) > 10
    assert pairs >= {tuple(pair) for pair in inliers}
    here, there = pictures[0]
    assert np.median(np.abs(here - there)) < 0.1, "the query finds itself first, where it is"
    assert limits.ransac_seconds(pictures, query) > 0


def test_all_ways_to_search_find_the_nearest_words() -> None:
    assignment = _module("bench_assignment", "faiss")
    rng = np.random.default_rng(0)
    words, descriptors = (rng.integers(0, 256, (n, 128)).astype(np.uint8) for n in (50, 20))
    distance = ((descriptors[:, None].astype(int) - words[None].astype(int)) ** 2).sum(axis=2)
    expected = np.argsort(distance, axis=1)[:, :5]
    for name, search in assignment.other_ways(words).items():
        assert search(descriptors, 5).tolist() == expected.tolist(), name
        assert search(descriptors, 1).tolist() == expected[:, :1].tolist(), name


def test_assignment_has_a_row_for_each_way_and_number_of_words(bench: Any) -> None:
    vocabulary = bench.peer.engine.vocabulary
    rows = list(_module("bench_assignment", "faiss").compare(vocabulary, [q.descriptors for q in bench.questions], 2))
    assert len(rows) == 6
    assert all(len(row.ours) == len(row.theirs) == 2 * len(bench.questions) for row in rows)
    assert rows[0].what == f"{N_WORDS} words, nearest 1, recall@1 1.000"
    assert rows[-1].peer.startswith("faiss IndexHNSWFlat(32), recall@1 ")


def test_stages_add_up_and_have_their_limits(bench: Any) -> None:
    rows = {row.what: row for row in _module("bench_stages").measure(bench)}
    whole = rows["query, verifying 50"]
    assert sum(whole.parts.values()) == pytest.approx(np.mean(whole.ours))
    assert set(rows["query, votes alone"].parts) == {"assign", "vote", "rank"}
    assert rows["stage vote"].asked == 4.0
    assert rows["stage vote"].is_limit
    assert len(rows["stage verify, 100 pictures"].theirs) == len(bench.questions)
    assert rows["stage assign"].ratio is None


def test_a_batch_asks_every_picture(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = _module("bench_batch")
    monkeypatch.setattr(batch, "ask_all", lambda engine: time.sleep(0.08))
    row, likewise = batch.measure(bench)
    assert likewise.asked is None
    assert len(likewise.theirs) == bench.runs
    assert row.ours == [pytest.approx(0.01, rel=0.5)]
    assert row.asked == 3.0


def test_a_batch_finds_the_views_of_an_object(bench: Any) -> None:
    engine = bench.peer.engine
    found = _module("bench_batch").ask_all(engine)
    names = [Path(row.name).stem for row in engine.images]
    for asked in found:
        views = [number for number in range(len(names)) if number // 4 == asked.image // 4 and number != asked.image]
        assert {other for other, _ in asked.others[: len(views)]} == set(views)
    assert len(found) == len(engine)
    alone = _module("bench_batch").ask_one_by_one(engine)
    assert [dict(asked.others).items() <= dict(one).items() for asked, one in zip(found, alone, strict=True)] == [
        True
    ] * 8


def test_a_peer_is_asked_in_turn_and_its_index_timed(bench: Any) -> None:
    for module, package, peer in (("bench_colmap", "pycolmap", "COLMAP"), ("bench_asmk", "asmk", "asmk")):
        rows = list(_module(module, package).measure(bench))
        assert rows[0].what == "index without extraction"
        assert len(rows[0].ours) == len(rows[0].theirs) == 1
        assert all(row.peer.startswith(peer) for row in rows)
        assert all(len(row.ours) == len(row.theirs) == len(bench.questions) for row in rows[1:])
        assert all("cores kept busy: bof" in row.note for row in rows[1:])


def test_bare_sift_extracts_what_the_engine_extracts(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extraction = _module("bench_extraction")
    found: list[int] = []

    class Sift:
        def __init__(self, sift: Any) -> None:
            self.sift = sift

        def detectAndCompute(self, pixels: Any, mask: None) -> None:  # noqa: N802
            found.append(len(self.sift.detectAndCompute(pixels, mask)[0]))

    create = extraction.cv2.SIFT.create
    monkeypatch.setattr(extraction.cv2, "SIFT", SimpleNamespace(create=lambda *options: Sift(create(*options))))
    paths = sorted((data / "ukbench1000").iterdir())[:2]
    assert extraction.sift_share(paths) > 0
    monkeypatch.undo()
    assert found == [len(extract_features(read_image(p, grey=True), extraction.FeatureOptions())) for p in paths]


def test_a_process_is_measured_without_the_one_that_starts_it() -> None:
    process = _module("bench_process")
    ballast = np.ones(200 << 20, np.uint8)
    small = process.run_measured([sys.executable, "-S", "-c", "print('done')"])
    large = process.run_measured([sys.executable, "-S", "-c", "x = b'1' * (100 << 20)"], {"SOME": "thing"})
    assert len(ballast) > small.peak_bytes > 1 << 20
    assert 90 << 20 < large.peak_bytes - small.peak_bytes < 110 << 20
    assert small.stdout == "done\n"
    assert small.seconds > 0
    with pytest.raises(BofError, match="exit status 3; sorry"):
        process.run_measured([sys.executable, "-c", "import sys; print('sorry', file=sys.stderr); sys.exit(3)"])


def test_the_first_search_ever_has_nothing_compiled(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    start = _module("bench_start")
    known: set[str] = set()

    def run(command: list[str], environment: dict[str, str] | None = None) -> Any:
        caches = set((environment or {}).values())
        seconds = 0.5 if caches <= known else 9.0
        known.update(caches)
        return SimpleNamespace(seconds=seconds)

    monkeypatch.setattr(start, "run_measured", run)
    place = SimpleNamespace(by_command=SimpleNamespace(search=["search"]), runs=2, workshop=bench.workshop)
    warm, cold = start.measure(place)
    assert warm.ours == [0.5, 0.5]
    assert (cold.ours, cold.theirs) == ([9.0, 9.0], [0.5, 0.5])


def test_size_counts_features_and_pictures(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    size = _module("bench_size")
    monkeypatch.setattr(size, "run_measured", lambda command: SimpleNamespace(peak_bytes=5e6))
    folder, measured = bench.peer.engine.folder, SimpleNamespace(peak_bytes=7e6)
    place = SimpleNamespace(by_command=SimpleNamespace(folder=folder, measured=measured, search=[]), runs=2)
    monkeypatch.setattr(size.Engine, "open", lambda folder: bench.peer.engine)
    indexing, search, index = size.measure(place)
    assert (indexing.ours, search.ours) == ([7e6], [5e6, 5e6])
    assert index.ours == [bench.peer.engine.n_bytes()]
    assert index.theirs == [24 * bench.n_features + 1024 * 8]
    assert index.is_limit
    assert index.asked == 1.0


def test_figures_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    draw = _module("bench_draw", "matplotlib").draw
    rows = [_row(asked=4.0), _row(asked=4.0, is_limit=True), _row(theirs=[], parts={"assign": 0.01, "vote": 0.02})]
    first, second = draw(rows, tmp_path / "a"), draw(rows, tmp_path / "b")
    assert [path.name for path in first] == ["ratios.svg", "stages.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    text = first[0].read_text(encoding="utf-8")
    assert "g, w" in text
    assert "at least 4" in text
    assert "<dc:date>" not in text
    assert draw([_row()], tmp_path / "c") == [tmp_path / "c" / "ratios.svg"]


def test_a_group_without_its_package_is_left_out(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = _module("bench")
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    for name in ("bench_colmap", "peer_colmap", "peer_timing"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert list(script._measure("colmap", bench)) == []
    assert "pip install pycolmap" in capsys.readouterr().err


def test_the_whole_script_prints_one_table_and_writes_it(
    data: Path, bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    report = tmp_path / "report.json"
    known = ["--data", str(data), "--cache", str(bench.workshop.cache), "--json", str(report)]
    options = ["--queries", "2", "--runs", "2", "--words", str(N_WORDS), "--only", "stages", "batch"]
    assert _module("bench").main([*known, *options]) == 0
    printed = capsys.readouterr().out
    assert printed.count("| what ") == 1
    assert "| **stages of a query** " in printed
    assert "make compare-peers" in printed
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["machine"]["cores"] > 0
    assert written["settings"]["runs"] == 2
    assert all(len(row["ours"]) in (2, 4) for row in written["rows"] if not row["what"].startswith("stage"))
    assert {row["group"] for row in written["rows"]} == {"stages of a query", "batch of queries"}


def test_no_runs_are_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _module("bench").main(["--data", str(data), "--runs", "0"]) == 2
    assert "--runs: expected 1 or more, found 0" in capsys.readouterr().err
