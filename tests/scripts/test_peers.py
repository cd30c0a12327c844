"""The peers of scripts/compare_peers: each finds a turned copy first; the ceiling against brute force; the table."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import OptionError
from bof.evaluation.benchmarks import BenchmarkQuery
from bof.evaluation.rankers import EngineRanker
from bof.options import FeatureOptions, IndexOptions, SearchOptions
from tests.support.scenes import N_SCENES, ROOT, draw_scene, warp, write_picture

N_WORDS = 64


@pytest.fixture(scope="module", autouse=True)
def scripts() -> Iterator[None]:
    """The scripts can be imported while these tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield


def _module(name: str, package: str | None = None) -> ModuleType:
    """One of the scripts; the test is skipped where the package that it needs is not installed."""
    if package:
        pytest.importorskip(package)
    return importlib.import_module(name)


def _turn(pixels: np.ndarray, degrees: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    affine = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return warp(pixels, np.vstack([affine, [0, 0, 1]]))


@pytest.fixture(scope="module")
def workshop(scripts: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small vocabulary, trained on scenes that no collection holds."""
    folder = tmp_path_factory.mktemp("peers")
    for seed in range(100, 106):
        write_picture(folder / "train" / f"{seed}.png", draw_scene(seed))
    (folder / "cache").mkdir()
    (folder / "scratch").mkdir()
    return _module("peer_common").Workshop(N_WORDS, folder / "train", folder / "cache", folder / "scratch", 1)


@pytest.fixture(scope="module")
def collection(scripts: None, workshop: Any, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The scenes of `photos`; queries are copies of them turned by 20 degrees, in the same order."""
    folder = tmp_path_factory.mktemp("turned")
    turned = [write_picture(folder / f"{seed:02d}.png", _turn(draw_scene(seed), 20)) for seed in range(N_SCENES)]
    return _collection(workshop, sorted(photos.iterdir()), turned)


def _collection(workshop: Any, database: list[Path], queries: list[Path]) -> Any:
    common = _module("peer_common")
    features = common.extract_all([*database, *queries], common.engine_features(), workshop)
    return common.Collection(database, [BenchmarkQuery(query, frozenset()) for query in queries], features)


PEERS = [
    ("peer_bof", "BofPeer", None),
    ("peer_colmap", "ColmapPeer", "pycolmap"),
    ("peer_asmk", "AsmkPeer", "asmk"),
    ("peer_exhaustive", "ExhaustivePeer", None),
]


@pytest.mark.parametrize(("module", "kind", "package"), PEERS)
def test_a_peer_finds_the_turned_copy_first(
    module: str, kind: str, package: str | None, workshop: Any, collection: Any
) -> None:
    made = getattr(_module(module, package), kind).index(workshop, collection)
    for peer in made if isinstance(made, list) else [made]:
        rankings = [peer.rank(query.image) for query in collection.queries]
        assert [ranking.paths[0] for ranking in rankings] == collection.database, peer.name
        assert all((np.diff(ranking.scores) <= 0).all() for ranking in rankings)
        assert all(len(set(ranking.paths)) == len(ranking.scores) for ranking in rankings)
        assert all(ranking.seconds for ranking in rankings)
        assert peer.cost.n_bytes > 0


def test_phash_finds_the_brightened_copy_first(workshop: Any, collection: Any, tmp_path: Path) -> None:
    peer = _module("peer_hashes", "imagehash").PhashPeer.index(workshop, collection)
    pixels = np.clip(draw_scene(3).astype(int) + 20, 0, 255).astype(np.uint8)
    ranking = peer.rank(write_picture(tmp_path / "bright.jpg", pixels))
    assert ranking.paths[0] == collection.database[3]
    assert ranking.scores[0] > 0.9
    assert len(ranking.paths) == N_SCENES
    assert peer.cost.n_bytes == 8 * N_SCENES


def test_phash_of_a_box_is_that_of_the_cut_out(tmp_path: Path) -> None:
    hashes = _module("peer_hashes", "imagehash")
    whole = write_picture(tmp_path / "whole.png", draw_scene(1))
    part = write_picture(tmp_path / "part.png", draw_scene(1)[30:200, 20:300])
    assert hashes.phash(whole, (20, 30, 300, 200)) == hashes.phash(part) != hashes.phash(whole)


def test_colmap_answers_more_queries_than_it_holds_pictures(workshop: Any, collection: Any) -> None:
    """Queries borrow the numbers of indexed pictures, so they are asked in several goes."""
    colmap = _module("peer_colmap", "pycolmap")
    queries = [query.image for query in collection.queries]
    few = _module("peer_common").Collection(collection.database[:5], collection.queries, collection.features)
    (peer,) = colmap.ColmapPeer.index(workshop, few)
    assert [peer.rank(query).paths[0] for query in queries[:5]] == few.database
    assert all(set(peer.rank(query).paths) <= set(few.database) for query in queries)


def test_colmap_verified_keeps_the_others_behind(workshop: Any, collection: Any) -> None:
    colmap = _module("peer_colmap", "pycolmap")
    plain, verified = colmap.ColmapPeer.index(workshop, collection, (0, 2))
    for query in collection.queries:
        head, whole = verified.rank(query.image).paths, plain.rank(query.image).paths
        assert set(head[:2]) == set(whole[:2])
        assert head[2:] == whole[2:]
    assert (plain.name, verified.name) == ("COLMAP, unverified", "COLMAP, verifying 2")


def test_bof_as_a_peer_ranks_as_the_engine_does(workshop: Any, collection: Any, tmp_path: Path) -> None:
    bof = _module("peer_bof")
    peer = bof.BofPeer.index(workshop, collection)[0]
    with Engine.create(tmp_path / "index", bof.train(workshop)) as engine:
        engine.add(collection.database, IndexOptions(workers=1))
        ranker = EngineRanker(engine, SearchOptions())
        for query in collection.queries[:3]:
            expected, found = ranker.rank(query.image), peer.rank(query.image)
            assert found.paths == expected.paths
            assert found.scores == pytest.approx(expected.scores)


def test_matches_are_those_of_brute_force_over_all_distances() -> None:
    exhaustive = _module("peer_exhaustive")
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
    match = _module("peer_exhaustive").match
    one = np.full((1, 128), 45, np.uint8)
    assert len(match(one, one)) == len(match(one[:0], np.repeat(one, 3, axis=0))) == 0


def test_two_equal_neighbours_are_no_match() -> None:
    one = np.full((1, 128), 45, np.uint8)
    other = np.eye(1, 128, dtype=np.uint8) * 200
    match = _module("peer_exhaustive").match
    assert len(match(one, np.concatenate([one, one]))) == 0
    assert match(one, np.concatenate([other, one])).database.tolist() == [1]


def test_exhaustive_of_two_pictures_calls_the_right_one_the_same(workshop: Any, collection: Any) -> None:
    common = _module("peer_common")
    two = common.Collection(collection.database[:2], collection.queries[1:2], collection.features)
    ranking = _module("peer_exhaustive").ExhaustivePeer.index(workshop, two).rank(two.queries[0].image)
    assert ranking.paths[0] == two.database[1]
    assert ranking.verdicts[0] == "same"
    assert "same" not in ranking.verdicts[1:]
    assert ranking.scores[0] > 10


def test_features_are_kept_until_a_picture_changes(workshop: Any, tmp_path: Path) -> None:
    common = _module("peer_common")
    path = write_picture(tmp_path / "a.png", draw_scene(1))
    first = common.extract_all([path], FeatureOptions(), workshop)[path]
    again = common.extract_all([path], FeatureOptions(), workshop)[path]
    assert np.array_equal(first.descriptors, again.descriptors)
    assert np.array_equal(first.geometry.xy_px, again.geometry.xy_px)
    write_picture(path, draw_scene(2))
    changed = common.extract_all([path], FeatureOptions(), workshop)[path]
    assert not np.array_equal(first.descriptors, changed.descriptors)


def test_a_subset_holds_all_four_views_of_ukbench() -> None:
    compare = _module("compare_peers")
    queries = [BenchmarkQuery(Path(f"/{i}.jpg"), frozenset()) for i in range(1000)]
    numbers = [int(query.image.stem) for query in compare.even_subset(queries, 125)]
    assert len(numbers) == len(set(numbers)) == 125
    assert {number % 4 for number in numbers} == {0, 1, 2, 3}
    assert numbers == sorted(numbers)
    assert compare.even_subset(queries, 0) == compare.even_subset(queries, 2000) == queries
    with pytest.raises(OptionError, match="queries: expected 0"):
        compare.even_subset(queries, -1)


def _result(image: str, top_four: int, average_precision: float, seconds: float) -> SimpleNamespace:
    return SimpleNamespace(
        image=image,
        top_four=top_four,
        average_precision=average_precision,
        recall_at_1=1.0,
        seconds={"extract": 9.0, "vote": seconds, "verify": seconds},
    )


def test_the_table_holds_means_and_the_median_query_without_extraction() -> None:
    table = _module("peer_table")
    results = [_result("a", 4, 1.0, 0.001), _result("b", 3, 0.5, 0.002), _result("c", 2, 0.0, 0.004)]
    rows = {"one": table.Row(2.0, 5000, "train", results), "part": table.Row(0.0, 1, "", results[:1])}
    head, *lines = table.table(rows, 3, 100)
    assert head.split() == ["method", "N-S", "mAP", "recall@1", "index", "s", "ms/image", "query", "ms", "bytes"]
    assert [line.split() for line in lines] == [["one", "3.000", "0.5000", "1.0000", "2.0", "20.00", "4.00", "5", "KB"]]
    assert table.figures(rows["one"].only({"b", "c"}))["ns"] == 2.5
    assert len(table.table(rows, 1, 100)) == 2


def test_a_missing_package_is_named_with_its_command(
    workshop: Any, collection: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compare = _module("compare_peers")
    monkeypatch.setitem(sys.modules, "imagehash", None)
    monkeypatch.delitem(sys.modules, "peer_hashes", raising=False)
    assert compare._peers("phash", workshop, collection) == []
    assert "phash: left out" in (printed := capsys.readouterr().out)
    assert "pip install ImageHash" in printed


def _small_data(folder: Path) -> Path:
    for number in range(8):
        scene = _turn(draw_scene(number // 4), 5 * (number % 4))
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", scene)
    for seed in range(200, 203):
        write_picture(folder / "train" / f"{seed}.png", draw_scene(seed))
    return folder


def test_the_whole_script_prints_both_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    compare = _module("compare_peers")
    data, report = _small_data(tmp_path / "data"), tmp_path / "report.json"
    arguments = ["--benchmarks", "ukbench", "--only", "bof", "exhaustive", "--words", "64", "--json", str(report)]
    assert compare.main(["--data", str(data), "--exhaustive-queries", "2", *arguments]) == 0
    printed = capsys.readouterr().out
    whole, subset = printed.split("\nukbench-8, 8 pictures, 64 words, ")[1:]
    assert whole.startswith("8 queries")
    assert "exhaustive  " not in whole.split("words of")[0]
    assert subset.startswith("2 queries")
    assert {"bof", "tfidf", "exhaustive"} <= {line.split()[0] for line in subset.splitlines()}
    rows = json.loads(report.read_text(encoding="utf-8"))["ukbench"]
    assert rows["exhaustive"]["ns"] == rows["bof"]["ns"] == 4
    assert len(rows["bof"]["queries"]) == 8
    assert len(rows["exhaustive"]["queries"]) == 2


def test_timing_prints_both_medians_at_each_depth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pycolmap")
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    data = _small_data(tmp_path / "data")
    assert _module("compare_peers").main(["--data", str(data), "--timing", "--words", "64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["verifying 0", "verifying 50", "verifying 100"]
    assert all("bof" in line and "COLMAP" in line and "ratio" in line for line in lines)
