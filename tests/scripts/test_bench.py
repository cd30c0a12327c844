"""The benchmark: its table and ratios, who is asked when, the limits, the searches it compares, the whole script."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import BofError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import OPENCV, FeatureOptions, SearchOptions, VerifyOptions
from bof.vocabulary.vocabulary import load_vocabulary
from scripts.bench import __main__ as script
from scripts.bench import appearance, assignment, batch, commands, extraction, peers, stages
from scripts.bench.draw import draw
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.bench.table import lines as table
from scripts.common import process, timing
from scripts.peers.peer import Workshop
from tests.support.scenes import draw_scene, warp, write_picture

N_WORDS = 64


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """No thread needs to settle, and one process is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "SETTLE_SECONDS", 0.0)
        patch.setattr(stages, "COPY_BYTES", 1 << 20)
        patch.setattr("os.cpu_count", lambda: 1)
        yield


@pytest.fixture(scope="module")
def data(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    return Bench(data, Workshop(N_WORDS, data / "train", folder, folder), 3, 1)


def _row(**changes: Any) -> Any:
    fields = {"group": "g", "what": "w", "unit": "ms", "ours": [0.01, 0.02, 0.04], "theirs": [0.02, 0.06, 0.16]}
    return Row(**{**fields, "peer": "COLMAP", **changes})


def test_a_ratio_is_the_median_of_the_pairs_own() -> None:
    assert _row().ratio == 3.0
    assert _row(is_limit=True).ratio == pytest.approx(1 / 3)
    assert _row(theirs=[], peer="").ratio is None
    with pytest.raises(ValueError, match="zip"):
        _ = _row(theirs=[1.0]).ratio


def test_the_table_has_a_line_a_row_under_its_group_and_the_notes_below() -> None:
    other = _row(group="h", what="alone", theirs=[], unit="s", ours=[123.4], note="nobody to compare with")
    head, rule, *lines = table([_row(), other, _row(group="i", is_limit=True)])
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *lines[:6])]
    assert cells == [
        ["what", "bof", "peer or limit", "ratio"],
        ["**g**", "", "", ""],
        ["w", "20.0 ms", "COLMAP: 60.0 ms", "3.00"],
        ["**h**", "", "", ""],
        ["alone", "123 s", "", ""],
        ["**i**", "", "", ""],
        ["w", "20.0 ms", "COLMAP: 60.0 ms", "0.33 of the limit"],
    ]
    assert set(rule) == {"|", "-", " "}
    assert {len(line) for line in (head, rule, *lines[:6])} == {len(head)}
    assert lines[6:] == ["", "h, alone: nobody to compare with"]


def test_each_question_is_put_to_all_before_the_next() -> None:
    requested: list[str] = []

    def asker(name: str) -> Callable[[int], Callable[[], object]]:
        return lambda question: lambda: requested.append(f"{name}{question}")

    spent = timing.in_turn({"a": asker("a"), "b": asker("b")}, [1, 2], runs=2)
    assert requested == ["a1", "b1", *["a1", "b1", "b2", "a2"] * 2]
    assert {name: len(calls) for name, calls in spent.items()} == {"a": 4, "b": 4}


def test_making_ready_is_not_timed() -> None:
    def prepare(question: int) -> Callable[[], object]:
        time.sleep(0.05)
        return lambda: time.sleep(0.01)

    (spent,) = timing.in_turn({"a": prepare}, [1])["a"]
    assert 0.01 <= spent.seconds < 0.05
    assert spent.cpu_seconds < spent.seconds


def test_bandwidth_counts_what_is_read_and_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_copy", lambda threads, halves: 0.5 * sum(target.size for target, _ in halves))
    assert stages.copy_bandwidth(1000) == 4.0


def test_votes_touch_every_posting_of_every_word_of_the_query(bench: Any) -> None:
    engine, query = bench.peer.engine, bench.questions[0]
    k = min(20, N_WORDS)
    words = load_vocabulary(engine.vocabulary_folder).assign(query.descriptors, k).ravel().tolist()
    collection = [bench.collection.features[path].descriptors for path in bench.collection.database]
    postings = np.bincount(np.concatenate([engine.vocabulary.assign(d)[:, 0] for d in collection]), minlength=N_WORDS)
    assert stages.vote_bytes(engine, query) == 14 * sum(int(postings[word]) for word in words)


def test_ransac_is_given_the_matches_that_verification_is_given(bench: Any) -> None:
    engine, query = bench.peer.engine, bench.questions[0]
    pictures = stages.candidates(engine, query, 4)
    seen = engine.searcher(SearchOptions(verify=VerifyOptions(depth=4), mirror="never")).candidates(query)
    assert len(pictures) == len(seen.verifications) == 4
    first = next(iter(seen.verifications.values())).inliers
    pairs = {tuple(pair) for pair in np.rint(pictures[0][0]).astype(int).tolist()}
    inliers = np.rint(query.geometry.xy_px[first.query]).astype(int).tolist()
    assert len(inliers) > 10
    assert pairs >= {tuple(pair) for pair in inliers}
    here, there = pictures[0]
    assert np.median(np.abs(here - there)) < 0.1, "the query finds itself first, where it is"
    assert stages.ransac_seconds(pictures, query) > 0


def test_all_ways_to_search_find_the_nearest_words() -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    words, descriptors = (rng.integers(0, 256, (n, 128)).astype(np.uint8) for n in (50, 20))
    distance = ((descriptors[:, None].astype(int) - words[None].astype(int)) ** 2).sum(axis=2)
    expected = np.argsort(distance, axis=1)[:, :5]
    for name, search in assignment.other_ways(words).items():
        assert search(descriptors, 5).tolist() == expected.tolist(), name
        assert search(descriptors, 1).tolist() == expected[:, :1].tolist(), name


def test_assignment_has_a_row_for_each_way_and_number_of_words(bench: Any) -> None:
    pytest.importorskip("faiss")
    vocabulary = bench.peer.engine.vocabulary
    rows = list(assignment.compare(vocabulary, [q.descriptors for q in bench.questions], 2))
    assert len(rows) == 6
    assert all(len(row.ours) == len(row.theirs) == 2 * len(bench.questions) for row in rows)
    assert rows[0].what == f"{N_WORDS} words, nearest 1, recall@1 1.000"
    assert rows[-1].peer.startswith("faiss IndexHNSWFlat(32), recall@1 ")


def test_stages_add_up_and_have_their_limits(bench: Any) -> None:
    rows = {row.what: row for row in stages.measure(bench)}
    whole = rows["query, verifying 50"]
    assert sum(whole.parts.values()) == pytest.approx(np.mean(whole.ours))
    assert set(rows["query, votes alone"].parts) == {"assign", "vote", "rank"}
    assert rows["stage vote"].is_limit
    assert len(rows["stage verify, 100 pictures"].theirs) == len(bench.questions)
    assert rows["stage assign"].ratio is None


def test_a_batch_asks_every_picture(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "ask_all", lambda engine: time.sleep(0.08))
    row, likewise = batch.measure(bench)
    ours: Any = row.ours
    assert len(likewise.theirs) == bench.runs
    assert ours == [pytest.approx(0.01, rel=0.5)]


def test_a_batch_finds_the_views_of_an_object(bench: Any) -> None:
    engine = bench.peer.engine
    found: Any = batch.ask_all(engine)
    names = [Path(row.name).stem for row in engine.images]
    for requested in found:
        views = [
            number for number in range(len(names)) if number // 4 == requested.image // 4 and number != requested.image
        ]
        assert {other for other, _ in requested.others[: len(views)]} == set(views)
    assert len(found) == len(engine)
    alone: Any = batch.ask_one_by_one(engine)
    assert [
        dict(requested.others).items() <= dict(one).items() for requested, one in zip(found, alone, strict=True)
    ] == [True] * 8


def test_a_peer_is_asked_in_turn_and_its_index_timed(bench: Any) -> None:
    for measure, package, peer in ((peers.measure_colmap, "pycolmap", "COLMAP"), (peers.measure_asmk, "asmk", "asmk")):
        pytest.importorskip(package)
        rows = list(measure(bench))
        assert rows[0].what == "index without extraction"
        assert len(rows[0].ours) == len(rows[0].theirs) == 1
        assert all(row.peer.startswith(peer) for row in rows)
        assert all(len(row.ours) == len(row.theirs) == len(bench.questions) for row in rows[1:])
        assert all("cores kept busy: bof" in row.note for row in rows[1:])


def test_bare_sift_extracts_what_the_engine_extracts(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []

    class Sift:
        def __init__(self, sift: Any) -> None:
            self.sift = sift

        def detectAndCompute(self, pixels: Any, mask: None) -> None:  # noqa: N802
            found.append(len(self.sift.detectAndCompute(pixels, mask)[0]))

    create = cv2.SIFT.create
    monkeypatch.setattr(cv2, "SIFT", SimpleNamespace(create=lambda *options: Sift(create(*options))))
    paths = sorted((data / "ukbench1000").iterdir())[:2]
    assert extraction.sift_share(paths) > 0
    monkeypatch.undo()
    assert found == [len(extract_features(read_image(p, grey=True), FeatureOptions(extractor=OPENCV))) for p in paths]


def test_a_process_is_measured_without_the_one_that_starts_it() -> None:
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
    known: set[str] = set()

    def run(command: list[str], environment: dict[str, str] | None = None) -> Any:
        caches = set((environment or {}).values())
        seconds = 0.5 if caches <= known else 9.0
        known.update(caches)
        return SimpleNamespace(seconds=seconds)

    monkeypatch.setattr(commands, "run_measured", run)
    place: Any = SimpleNamespace(by_command=SimpleNamespace(search=["search"]), runs=2, workshop=bench.workshop)
    warm, cold = commands.measure_start(place)
    assert warm.ours == [0.5, 0.5]
    assert (cold.ours, cold.theirs) == ([9.0, 9.0], [0.5, 0.5])


def test_size_counts_features_and_pictures(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run_measured", lambda command: SimpleNamespace(peak_bytes=5e6))
    folder, measured = bench.peer.engine.folder, SimpleNamespace(peak_bytes=7e6)
    place: Any = SimpleNamespace(by_command=SimpleNamespace(folder=folder, measured=measured, search=[]), runs=2)
    monkeypatch.setattr(Engine, "open", lambda folder: bench.peer.engine)
    indexing, search, index = commands.measure_size(place)
    assert (indexing.ours, search.ours) == ([7e6], [5e6, 5e6])
    assert index.ours == [bench.peer.engine.n_bytes()]
    assert index.theirs == [24 * sum(map(len, bench.collection.features.values())) + 1024 * 8]
    assert index.is_limit


def test_figures_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [_row(), _row(is_limit=True), _row(theirs=[], parts={"assign": 0.01, "vote": 0.02})]
    first, second = draw(rows, tmp_path / "a"), draw(rows, tmp_path / "b")
    assert [path.name for path in first] == ["ratios.svg", "stages.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    text = first[0].read_text(encoding="utf-8")
    assert "g, w" in text
    assert "times the limit" in text
    assert "<dc:date>" not in text
    assert draw([_row()], tmp_path / "c") == [tmp_path / "c" / "ratios.svg"]


def test_a_group_without_its_package_is_left_out(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    monkeypatch.delitem(sys.modules, "scripts.peers.colmap", raising=False)
    assert list(script.measure("colmap", bench)) == []
    assert "pip install pycolmap" in capsys.readouterr().err


def test_the_whole_script_prints_one_table_and_writes_it(
    data: Path, bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    known = ["--data", str(data), "--cache", str(bench.workshop.cache), "--json", str(report)]
    options = ["--queries", "2", "--runs", "2", "--words", str(N_WORDS), "--only", "stages", "batch"]
    assert script.main([*known, *options]) == 0
    printed = capsys.readouterr().out
    assert printed.count("| what ") == 1
    assert "| **stages of a query** " in printed
    assert "make compare-peers" in printed
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["machine"]["cores"] > 0
    assert written["settings"]["runs"] == 2
    assert all(len(row["ours"]) in (2, 4) for row in written["rows"] if not row["what"].startswith("stage"))
    assert {row["group"] for row in written["rows"]} == {"stages of a query", "batch of queries"}


def test_hashes_and_colours_stand_beside_their_like(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    monkeypatch.setattr(appearance, "N_HASHES", 500)
    monkeypatch.setattr(appearance, "N_COLOURS", 1000)
    rows = list(appearance.measure(bench))
    assert {row.group.split(" of ")[1].split(",")[0] for row in rows} == {"64 bits", "color", "histogram"}
    assert all(len(row.ours) == len(row.theirs) == appearance.RUNS for row in rows)
    calls = appearance.hash_calls(appearance.made_hashes(500))["distances"]
    ours, theirs = (np.asarray(calls[name]()) for name in ("bof", "numpy"))
    assert np.array_equal(ours, theirs)


def test_no_runs_are_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--data", str(data), "--runs", "0"]) == 2
    assert "--runs: expected 1 or more, found 0" in capsys.readouterr().err
