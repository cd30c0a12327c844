"""The peers: each finds a turned copy first; the ceiling against brute force; the table."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import OptionError
from bof.evaluation.benchmarks import BenchmarkQuery
from bof.evaluation.rankers import EngineRanker
from bof.options import FeatureOptions, IndexOptions
from scripts.common.data import even_subset
from scripts.common.features import Collection, engine_features, extract_all
from scripts.peers import __main__ as script
from scripts.peers import engine as bof_peer
from scripts.peers import exhaustive
from scripts.peers.peer import Cost, Workshop
from tests.support.scenes import N_SCENES, draw_scene, warp, write_picture

N_WORDS = 64


@pytest.fixture(scope="module", autouse=True)
def one_process() -> Iterator[None]:
    """Is enough for a dozen pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)
        yield


def _peer(name: str, package: str | None) -> Any:
    """The module of a peer; the test is skipped where the package that it needs is not installed."""
    if package:
        pytest.importorskip(package)
    return importlib.import_module(f"scripts.peers.{name}")


def _turn(pixels: np.ndarray, degrees: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    affine = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return warp(pixels, np.vstack([affine, [0, 0, 1]]))


@pytest.fixture(scope="module")
def workshop(one_process: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small vocabulary, trained on scenes that no collection holds."""
    folder = tmp_path_factory.mktemp("peers")
    for seed in range(100, 106):
        write_picture(folder / "train" / f"{seed}.png", draw_scene(seed))
    (folder / "cache").mkdir()
    (folder / "scratch").mkdir()
    return Workshop(N_WORDS, folder / "train", folder / "cache", folder / "scratch")


@pytest.fixture(scope="module")
def collection(workshop: Any, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The scenes of `photos`; queries are copies of them turned by 20 degrees, in the same order."""
    folder = tmp_path_factory.mktemp("turned")
    turned = [write_picture(folder / f"{seed:02d}.png", _turn(draw_scene(seed), 20)) for seed in range(N_SCENES)]
    return _collection(workshop, sorted(photos.iterdir()), turned)


def _collection(workshop: Any, database: list[Path], queries: list[Path]) -> Any:
    features = extract_all([*database, *queries], engine_features(), workshop.cache)
    return Collection(database, [BenchmarkQuery(query, frozenset()) for query in queries], features)


PEERS = [("engine", None), ("colmap", "pycolmap"), ("asmk", "asmk"), ("exhaustive", None)]


@pytest.mark.parametrize(("name", "package"), PEERS)
def test_a_peer_finds_the_turned_copy_first(name: str, package: str | None, workshop: Any, collection: Any) -> None:
    for peer in _peer(name, package).index(workshop, collection):
        rankings = [peer.rank(query.image) for query in collection.queries]
        assert [ranking.paths[0] for ranking in rankings] == collection.database, peer.name
        assert all((np.diff(ranking.scores) <= 0).all() for ranking in rankings)
        assert all(len(set(ranking.paths)) == len(ranking.scores) for ranking in rankings)
        assert all(ranking.seconds for ranking in rankings)
        assert peer.cost.n_bytes > 0


def test_phash_finds_the_brightened_copy_first(workshop: Any, collection: Any, tmp_path: Path) -> None:
    (peer,) = _peer("hashes", "imagehash").index(workshop, collection)
    pixels = np.clip(draw_scene(3).astype(int) + 20, 0, 255).astype(np.uint8)
    ranking = peer.rank(write_picture(tmp_path / "bright.jpg", pixels))
    assert ranking.paths[0] == collection.database[3]
    assert ranking.scores[0] > 0.9
    assert len(ranking.paths) == N_SCENES
    assert peer.cost.n_bytes == 8 * N_SCENES


def test_phash_of_a_box_is_that_of_the_cut_out(workshop: Any, collection: Any, tmp_path: Path) -> None:
    (peer,) = _peer("hashes", "imagehash").index(workshop, collection)
    whole = write_picture(tmp_path / "whole.png", draw_scene(1))
    part = write_picture(tmp_path / "part.png", draw_scene(1)[30:200, 20:300])
    boxed, cut, plain = peer.rank(whole, (20, 30, 300, 200)), peer.rank(part), peer.rank(whole)
    assert boxed.scores.tolist() == cut.scores.tolist() != plain.scores.tolist()


def test_colmap_answers_more_queries_than_it_holds_pictures(workshop: Any, collection: Any) -> None:
    """Queries borrow the numbers of indexed pictures, so they are asked in several goes."""
    colmap = _peer("colmap", "pycolmap")
    queries = [query.image for query in collection.queries]
    few = Collection(collection.database[:5], collection.queries, collection.features)
    (peer,) = colmap.index(workshop, few, (0,))
    assert [peer.rank(query).paths[0] for query in queries[:5]] == few.database
    assert all(set(peer.rank(query).paths) <= set(few.database) for query in queries)


def test_colmap_verified_keeps_the_others_behind(workshop: Any, collection: Any) -> None:
    colmap = _peer("colmap", "pycolmap")
    plain, verified = colmap.index(workshop, collection, (0, 2))
    for query in collection.queries:
        head, whole = verified.rank(query.image).paths, plain.rank(query.image).paths
        assert set(head[:2]) == set(whole[:2])
        assert head[2:] == whole[2:]
    assert (plain.name, verified.name) == ("COLMAP, unverified", "COLMAP, verifying 2")


def test_bof_as_a_peer_ranks_as_the_engine_does(workshop: Any, collection: Any, tmp_path: Path) -> None:
    peer = bof_peer.index(workshop, collection)[0]
    with Engine.create(tmp_path / "index", bof_peer.train(workshop)) as engine:
        engine.add(collection.database, IndexOptions(workers=1))
        ranker = EngineRanker(engine, bof_peer.VARIANTS["bof"])
        for query in collection.queries[:3]:
            expected, found = ranker.rank(query.image), peer.rank(query.image)
            assert found.paths == expected.paths
            assert found.scores == pytest.approx(expected.scores)


def test_matches_are_those_of_brute_force_over_all_distances() -> None:
    rng = np.random.default_rng(0)
    database = rng.integers(0, 256, (40, 128)).astype(np.uint8)
    noise = rng.integers(-400, 400, (40, 128)) * (np.arange(40)[:, None] / 40)
    query = np.clip(database + noise, 0, 255).astype(np.uint8)
    unit = [d / np.linalg.norm(d.astype(float), axis=1, keepdims=True) for d in (query, database)]
    distance = np.linalg.norm(unit[0][:, None] - unit[1][None], axis=2)
    ratio = np.divide(*np.sort(distance, axis=1)[:, :2].T)
    matches = exhaustive.match(query, database)
    assert 0 < len(matches) < 40
    assert sorted(matches.query) == np.flatnonzero(ratio < 0.8).tolist()
    assert matches.database.tolist() == distance.argmin(axis=1)[matches.query].tolist()
    assert (np.diff(ratio[matches.query]) >= -1e-4).all()


def test_without_a_second_nearest_nothing_matches() -> None:
    match = exhaustive.match
    one = np.full((1, 128), 45, np.uint8)
    assert len(match(one, one)) == len(match(one[:0], np.repeat(one, 3, axis=0))) == 0


def test_two_equal_neighbours_are_no_match() -> None:
    one = np.full((1, 128), 45, np.uint8)
    other = np.eye(1, 128, dtype=np.uint8) * 200
    match = exhaustive.match
    assert len(match(one, np.concatenate([one, one]))) == 0
    assert match(one, np.concatenate([other, one])).database.tolist() == [1]


def test_exhaustive_of_two_pictures_calls_the_right_one_the_same(workshop: Any, collection: Any) -> None:
    two = Collection(collection.database[:2], collection.queries[1:2], collection.features)
    ranking = exhaustive.index(workshop, two)[0].rank(two.queries[0].image)
    assert ranking.paths[0] == two.database[1]
    assert ranking.verdicts[0] == "same"
    assert "same" not in ranking.verdicts[1:]
    assert ranking.scores[0] > 10


def test_features_are_kept_until_a_picture_changes(workshop: Any, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", draw_scene(1))
    first = extract_all([path], FeatureOptions(), workshop.cache)[path]
    again = extract_all([path], FeatureOptions(), workshop.cache)[path]
    assert np.array_equal(first.descriptors, again.descriptors)
    assert np.array_equal(first.geometry.xy_px, again.geometry.xy_px)
    write_picture(path, draw_scene(2))
    changed = extract_all([path], FeatureOptions(), workshop.cache)[path]
    assert not np.array_equal(first.descriptors, changed.descriptors)


def test_a_subset_holds_all_four_views_of_ukbench() -> None:
    queries = [BenchmarkQuery(Path(f"/{i}.jpg"), frozenset()) for i in range(1000)]
    numbers = [int(query.image.stem) for query in even_subset(queries, 125)]
    assert len(numbers) == len(set(numbers)) == 125
    assert {number % 4 for number in numbers} == {0, 1, 2, 3}
    assert numbers == sorted(numbers)
    assert even_subset(queries, 0) == even_subset(queries, 2000) == queries
    with pytest.raises(OptionError, match="queries: expected 0"):
        even_subset(queries, -1)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_table_holds_means_and_the_median_query_without_extraction() -> None:
    report: Any = SimpleNamespace(
        ns=3.0, map=0.5, recall_at_1=1.0, n_database=100, query_milliseconds={"after_extract": 4.0}
    )
    peer: Any = SimpleNamespace(cost=Cost(2.0, 5000), trained_on="train")
    head, _, line, source = script.lines({"one": (peer, report)})
    assert _cells(head) == ["method", "N-S", "mAP", "recall@1", "index s", "ms/image", "query ms", "bytes"]
    assert _cells(line) == ["one", "3.000", "0.5000", "1.0000", "2.0", "20.00", "4.00", "5 KB"]
    assert source == "words of one: trained on train"


def test_a_missing_package_is_named_with_its_command(
    workshop: Any, collection: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "imagehash", None)
    monkeypatch.delitem(sys.modules, "scripts.peers.hashes", raising=False)
    assert list(script.peers_of("phash", workshop, collection)) == []
    assert "phash: left out" in (printed := capsys.readouterr().err)
    assert "pip install ImageHash" in printed


def _small_data(folder: Path) -> Path:
    for number in range(8):
        scene = _turn(draw_scene(number // 4), 5 * (number % 4))
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", scene)
    for seed in range(200, 203):
        write_picture(folder / "train" / f"{seed}.png", draw_scene(seed))
    return folder


def test_the_whole_script_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, report = _small_data(tmp_path / "data"), tmp_path / "report.json"
    arguments = ["--benchmark", "ukbench", "--only", "bof", "exhaustive", "--words", "64", "--json", str(report)]
    assert script.main(["--data", str(data), "--queries", "4", *arguments]) == 0
    title, *lines = capsys.readouterr().out.strip().splitlines()
    assert title == "ukbench-8, 8 pictures, 64 words, 4 queries"
    assert [_cells(line)[0] for line in lines[3:-1]] == ["bof", "bof, votes alone", "tfidf", "exhaustive"]
    rows = json.loads(report.read_text(encoding="utf-8"))["ukbench"]
    assert rows["exhaustive"]["ns"] == rows["bof"]["ns"] == 4
    assert len(rows["bof"]["queries"]) == len(rows["exhaustive"]["queries"]) == 4


def test_any_benchmark_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A JSON file with a box, junk and a query without positives, distractors beside; words trained elsewhere."""
    root, report = tmp_path / "photographs", tmp_path / "report.json"
    for seed in range(4):
        write_picture(root / f"{seed}.png", draw_scene(seed))
    write_picture(root / "turned.png", _turn(draw_scene(1), 20))
    for seed in (20, 21):
        write_picture(tmp_path / "others" / f"{seed}.png", draw_scene(seed))
        write_picture(tmp_path / "words" / f"{seed}.png", draw_scene(seed + 10))
    queries = [
        {"image": "turned.png", "positives": ["1.png"], "box": [40, 30, 280, 210]},
        {"image": "2.png", "positives": ["3.png"]},
        {"image": "0.png", "positives": []},
    ]
    truth = {"name": "scenes", "database": [f"{seed}.png" for seed in range(4)], "queries": queries}
    (tmp_path / "scenes.json").write_text(json.dumps(truth))
    places = ["--benchmark", str(tmp_path / "scenes.json"), "--root", str(root), "--train", str(tmp_path / "words")]
    more = ["--distractors", str(tmp_path / "others"), "--words", "64", "--only", "bof", "phash", "exhaustive"]
    assert script.main([*places, *more, "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "scenes, 6 pictures, 64 words, 3 queries" in printed
    assert "words of bof, bof, votes alone, tfidf: trained on words" in printed
    (rows,) = json.loads(report.read_text(encoding="utf-8")).values()
    assert [query["recall_at_1"] for query in rows["exhaustive"]["queries"]][::2] == [1.0, None]
    assert [query["recall_at_1"] for query in rows["bof"]["queries"]][::2] == [1.0, None]


def test_a_benchmark_that_is_not_built_in_needs_its_photographs(capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--benchmark", "oxford5k"]) == 2
    assert "--benchmark: expected ukbench, dvd, or another with --root, found oxford5k" in capsys.readouterr().err
