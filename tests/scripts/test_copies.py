"""The copies benchmark: attacks keep what they promise, the truth is right, the arithmetic of recall is right."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import folders
from bof.evaluation.benchmarks.types import BenchmarkQuery
from bof.images.decode import read_image
from bof.types import Ranking, Verdict
from scripts.common.features import Collection
from scripts.copies import __main__ as copies
from scripts.copies import attacks
from scripts.copies import build as building
from scripts.copies import methods as scores
from scripts.peers import hashes
from scripts.peers.peer import Cost
from tests.support.scenes import draw_scene, write_picture

SHAPES = [(1, 1), (2, 9), (60, 7), (37, 53), (240, 320)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ukbench1000/ with two known objects of four pictures and four unknown ones, train/ with five photographs."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(24):
        picture = draw_scene(number // 4 * 4, 160, 120)
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.png", picture)
    names = ("caltech101/cat_0002", "caltech101/cat_head_0004", "caltech101/dog_0002")
    for seed, name in enumerate((*names, "grocery/milk_002", "grocery/pear_004"), 50):
        write_picture(folder / "train" / f"{name}.png", draw_scene(seed, 160, 120))
    return folder


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(building, "FIRST_UNKNOWN", 2)
    return building


# -- Attacks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_a_crop_keeps_its_share_of_the_area_and_is_part_of_the_picture(share: float, seed: int) -> None:
    y, x = np.mgrid[0:240, 0:200].astype(np.uint8)
    picture = np.stack([x, y, x], axis=2)
    part = attacks.crop(picture, np.random.default_rng(seed), share)
    height, width = part.shape[:2]
    assert width * height == pytest.approx(share * 200 * 240, rel=0.02)
    assert 0.73 < (width / height) / (200 / 240) < 1.37
    left, top = part[0, 0, :2].tolist()
    assert np.array_equal(part, picture[top : top + height, left : left + width])


def test_crops_lie_in_different_places() -> None:
    picture = draw_scene(1)
    parts = {attacks.crop(picture, np.random.default_rng(seed), 0.25).tobytes() for seed in range(6)}
    assert len(parts) == 6


@pytest.mark.parametrize("degrees", [5.0, 45.0, 90.0, 133.0, 180.0, -60.0])
def test_a_rotation_keeps_every_pixel_on_the_canvas(degrees: float) -> None:
    turned = attacks.rotate(np.full((60, 100, 3), 200, np.uint8), degrees, [0, 0, 0])
    assert turned.astype(float).sum() == pytest.approx(200 * 60 * 100 * 3, rel=0.03)
    corners = turned[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 0).all() == (degrees % 90 != 0)


def test_a_rotation_by_right_angles_is_exact_and_clockwise() -> None:
    picture = draw_scene(3, 40, 30)
    assert np.array_equal(attacks.rotate(picture, 90, [0, 0, 0]), np.rot90(picture, -1))
    assert np.array_equal(attacks.rotate(picture, 180, [0, 0, 0]), picture[::-1, ::-1])


def test_corners_take_the_colour_of_the_fill() -> None:
    turned = attacks.rotate(draw_scene(3, 80, 60), 30, [10, 20, 30])
    assert turned[0, 0].tolist() == [10, 20, 30]


def test_the_mirror_of_the_mirror_is_the_picture() -> None:
    picture = draw_scene(4)
    assert np.array_equal(attacks.mirror(attacks.mirror(picture)), picture)
    assert np.array_equal(attacks.mirror(picture)[:, 0], picture[:, -1])


def test_light_by_hand() -> None:
    picture = np.array([[[0, 100, 200]]], np.uint8)
    assert attacks.brighten(picture, 1.7).tolist() == [[[0, 170, 255]]]
    assert attacks.brighten(picture, 0.4).tolist() == [[[0, 40, 80]]]
    assert attacks.gamma(picture, 2.0).tolist() == [[[0, 39, 157]]]  # 255 (v / 255)^2
    pair = np.array([[[50] * 3, [150] * 3]], np.uint8)  # the mean is 100
    assert attacks.grey_contrast(pair, 0.5).tolist() == [[[75] * 3, [125] * 3]]


def test_lower_quality_and_wider_blur_change_more() -> None:
    picture = draw_scene(5)

    def change(copy: np.ndarray) -> float:
        return float(np.abs(copy.astype(float) - picture).mean())

    assert change(attacks.compress(picture, 3)) > change(attacks.compress(picture, 20)) > 1
    assert change(attacks.blur(picture, 4)) > change(attacks.blur(picture, 1)) > 0.1


def test_blur_is_the_same_in_proportion_at_any_size() -> None:
    """A step edge widens in proportion to the picture."""
    widths = []
    for side in (128, 512):
        edge = np.zeros((32, side, 3), np.uint8)
        edge[:, side // 2 :] = 255
        row = attacks.blur(edge, 4)[16, :, 0]
        widths.append(((row > 40) & (row < 215)).sum() / side)
    assert widths[0] == pytest.approx(widths[1], rel=0.35)


@pytest.mark.parametrize("seed", range(6))
def test_the_logo_covers_its_share_and_nothing_else_changes(seed: int) -> None:
    picture = np.full((150, 200, 3), 128, np.uint8)  # the badge's colours are never 128 in all channels at once
    changed = (attacks.paste_logo(picture, np.random.default_rng(seed), 0.15) != picture).any(axis=2)
    assert changed.mean() == pytest.approx(0.15, abs=0.004)


@pytest.mark.parametrize("seed", range(8))
def test_captions_lie_inside_the_picture(seed: int) -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    changed = (attacks.write_captions(grey, np.random.default_rng(seed)) != 128).any(axis=2)
    assert 0.02 < changed.mean() < 0.4
    assert not changed[:, :8].any()
    assert not changed[:, -8:].any()
    assert not changed[[0, -1]].any()


def test_picture_in_picture_takes_forty_percent_of_the_side() -> None:
    host, picture = np.zeros((240, 320, 3), np.uint8), np.full((120, 160, 3), 255, np.uint8)
    copy = attacks.inset(picture, np.random.default_rng(0), host)
    assert copy.shape == host.shape
    assert (copy == 255).all(axis=2).sum() == 128 * 96
    assert host.max() == 0


def test_a_collage_holds_the_picture_whole() -> None:
    picture, others = draw_scene(6, 90, 60), [np.full((20, 30, 3), c, np.uint8) for c in (1, 2, 3)]
    places = set()
    for seed in range(12):
        copy = attacks.collage(picture, np.random.default_rng(seed), others)
        assert copy.shape == (120, 180, 3)
        tiles = [copy[y : y + 60, x : x + 90] for y in (0, 60) for x in (0, 90)]
        (place,) = [row for row, tile in enumerate(tiles) if np.array_equal(tile, picture)]
        places.add(place)
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_attack_takes_any_size_and_changes_no_argument(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    others = [np.full((5, 8, 3), c, np.uint8) for c in (30, 60, 90)]
    before = picture.copy()
    for attack in attacks.ATTACKS:
        copy = attack.apply(picture, np.random.default_rng(1), others)
        assert copy.dtype == np.uint8, attack.name
        assert copy.ndim == 3, attack.name
        assert copy.size, attack.name
        assert np.array_equal(picture, before), attack.name


def test_attacks_follow_their_seed() -> None:
    picture, others = draw_scene(7, 120, 90), [draw_scene(n, 60, 50) for n in (8, 9, 10)]
    is_random = 0
    for attack in attacks.ATTACKS:
        copies = [attack.apply(picture, np.random.default_rng(seed), others).tobytes() for seed in (1, 1, 2, 3, 4)]
        assert copies[0] == copies[1], attack.name
        is_random += len(set(copies)) > 1
    assert is_random == 12  # four crops, rotation, gamma, contrast, text, logo, both compositions, the combination


def test_names_of_attacks_are_all_different() -> None:
    names = [attack.name for attack in attacks.ATTACKS]
    assert len(set(names)) == len(names)


# -- The benchmark ----------------------------------------------------------------------------------------------------


def test_the_truth_is_written_as_the_engine_s_benchmarks_are_read(build: Any, data: Path, tmp_path: Path) -> None:
    benchmark = build.build(data, tmp_path, per_attack=2, seed=0)
    read = folders.load(tmp_path / "copies.json", tmp_path)
    assert sorted(read.database) == sorted(benchmark.database)
    assert [q.image for q in read.queries] == [q.image for q in benchmark.queries]
    assert [q.positives for q in read.queries] == [q.positives for q in benchmark.queries]
    assert json.loads((tmp_path / "copies.json").read_text())["pooled"] is True
    for query in benchmark.queries:
        assert read_image(query.image).pixels.size


def test_references_and_unknown_objects_do_not_mix(build: Any, data: Path, tmp_path: Path) -> None:
    photographs = build.find_photographs(data)
    names = [path.stem for path in photographs.references]
    assert names == ["ukbench00000", "ukbench00004", "cat_0002", "cat_head_0004", "dog_0002", "milk_002", "pear_004"]
    assert [path.stem for path in photographs.unknown] == [f"ukbench{n:05d}" for n in range(8, 24)]
    for plan, query in build.plan_queries(photographs, tmp_path, 96, 0):  # all 16 unknown ones
        assert set(plan.others) <= set(photographs.unknown) - {plan.picture}
        assert bool(query.positives) == (plan.picture in photographs.references)
        assert (query.group == "no source") == (not query.positives)


def test_siblings_of_the_source_count_neither_way(build: Any, data: Path, tmp_path: Path) -> None:
    photographs = build.find_photographs(data)
    junk = {
        next(iter(query.positives)).stem: {path.stem for path in query.junk}
        for _, query in build.plan_queries(photographs, tmp_path, 7, 0)
        if query.positives
    }
    assert junk.pop("cat_0002") == {"cat_head_0004"}
    assert junk.pop("cat_head_0004") == {"cat_0002"}
    assert junk.pop("milk_002") == {"pear_004"}
    assert junk.pop("pear_004") == {"milk_002"}
    assert junk == {"ukbench00000": set(), "ukbench00004": set(), "dog_0002": set()}


def test_the_same_seed_makes_the_same_files(build: Any, data: Path, tmp_path: Path) -> None:
    def files(folder: Path, seed: int) -> dict[str, bytes]:
        build.build(data, folder, per_attack=1, seed=seed)
        paths = sorted(path for path in (folder / "queries").rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    first = files(tmp_path / "a", 0)
    assert first == files(tmp_path / "b", 0)
    assert first != files(tmp_path / "c", 1)


def test_every_copy_has_its_own_randomness(build: Any, data: Path, tmp_path: Path) -> None:
    plans = [plan for plan, _ in build.plan_queries(build.find_photographs(data), tmp_path, 4, 0)]
    crops = [dataclasses.replace(plan, picture=plans[0].picture) for plan in plans if plan.attack.name == "crop 25 %"]
    assert len({build.make_copy(plan).tobytes() for plan in crops}) == len(crops) == 5


def test_the_compression_of_jpeg_attacks_is_that_of_the_file(build: Any) -> None:
    picture = draw_scene(11)
    sizes = {a.quality: len(build.encode(picture, a)) for a in attacks.ATTACKS if a.name.startswith("jpeg")}
    assert list(sizes) == [75, 40, 20, 10, 5, 3]
    assert sorted(sizes.values(), reverse=True) == list(sizes.values())


def test_photographs_that_are_missing_are_named(build: Any, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "ukbench1000").mkdir()
    with pytest.raises(BenchmarkError, match="expected ukbench1000/ with more than 3 objects"):
        build.find_photographs(tmp_path)


# -- Recall at zero false accepts -------------------------------------------------------------------------------------

A, B, C = Path("/a"), Path("/b"), Path("/c")


def _judge(query: BenchmarkQuery, values: list[float], limit: float) -> Any:
    verdicts: list[Verdict] = [
        "same" if value >= limit else "no" if value == scores.NEVER else "maybe" for value in values
    ]
    return scores.judge(query, Ranking([A, B, C], np.array(values), verdicts, {}))


@pytest.fixture
def outcomes() -> list[Any]:
    """Three copies and one query without a source; the method's own threshold is 5."""
    copy = BenchmarkQuery(Path("/q"), frozenset([A]), frozenset([C]), None, "crop")
    turned = BenchmarkQuery(Path("/r"), frozenset([B]), frozenset(), None, "rotation")
    stranger = BenchmarkQuery(Path("/s"), frozenset(), frozenset(), None, "no source")
    return [
        _judge(copy, [9.0, 1.0, 99.0], 5),  # C is junk: its 99 counts neither way
        _judge(copy, [4.0, 2.0, scores.NEVER], 5),  # not found by 5, found by the best threshold
        _judge(turned, [6.0, 7.0, 1.0], 5),  # found, and A wrongly too
        _judge(stranger, [1.0, 3.0, 2.0], 5),
    ]


def test_judging_by_hand(outcomes: list[Any]) -> None:
    assert [(o.right, o.wrong, o.found) for o in outcomes] == [
        (9.0, 1.0, True), (4.0, 2.0, False), (7.0, 6.0, True), (scores.NEVER, 3.0, False)
    ]  # fmt: skip
    assert [o.false_accepts for o in outcomes] == [[], [], [A], []]


def test_recall_by_hand(outcomes: list[Any]) -> None:
    assert scores.groups_of(outcomes) == ["crop", "rotation"]
    assert scores.n_false_accepts(outcomes) == 1
    assert scores.n_misled(outcomes) == 1
    assert [scores.recall(outcomes, g) for g in ("crop", "rotation", None)] == [0.5, 1.0, pytest.approx(2 / 3)]
    assert scores.best_threshold(outcomes) == 6.0
    at_best = [scores.recall(outcomes, g, 6.0) for g in ("crop", "rotation", None)]
    assert at_best == [0.5, 1.0, pytest.approx(2 / 3)]


def test_the_best_threshold_is_the_loosest_without_a_false_accept(outcomes: list[Any]) -> None:
    retained = [outcome for outcome in outcomes if outcome.wrong < 6]
    assert scores.best_threshold(retained) == 3.0
    assert scores.recall(retained, "crop", 3.0) == 1.0


def test_a_source_that_only_equals_the_best_wrong_score_is_not_found() -> None:
    query = BenchmarkQuery(Path("/q"), frozenset([A]), frozenset(), None, "crop")
    outcome = _judge(query, [3.0, 3.0, 0.0], 9)
    assert scores.recall([outcome], "crop", scores.best_threshold([outcome])) == 0


def test_the_table_by_hand(outcomes: list[Any]) -> None:
    found = scores.MethodReport("x", "above 5", outcomes, Cost(1.5, 77), 20.0)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in scores.lines([found])]
    rows = {name: cells for name, *cells in filter(None, lines) if "--" not in name}
    assert rows == {
        "recall": ["(1)", "best"],
        "crop": ["0.500", "0.500"],
        "rotation": ["1.000", "1.000"],
        "all copies": ["0.667", "0.667"],
        "cost": ["(1)"],
        "false accepts, pairs": ["1"],
        "queries misled": ["1"],
        "best: score above": ["6.000"],
        "seconds to index": ["1.5"],
        "ms a query": ["20.0"],
        "bytes": ["77"],
    }


def test_recall_needs_a_source(outcomes: list[Any]) -> None:
    with pytest.raises(ValueError, match="no source"):
        scores.recall(outcomes, "no source")


# -- Methods ----------------------------------------------------------------------------------------------------------


def _distances(peer: hashes.HashPeer, path: Path) -> list[int]:
    """Bits by which a picture differs from each of the collection, in its order."""
    ranking = peer.rank(path)
    bits = dict(zip(ranking.paths, hashes.N_BITS * (1 - ranking.scores), strict=True))
    return [int(bits[known]) for known in peer.collection.database]


def test_hashes_are_as_near_as_the_bits_that_differ(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{n}.png", np.full((4, 4, 3), n, np.uint8)) for n in range(3)]
    kinds = {0: 0b0, 1: 0b111, 2: 0xFFFF_FFFF_FFFF_FFFF}
    peer = hashes.hash_peer("x", lambda rgb: kinds[int(rgb[0, 0, 0])], Collection(paths, [], {}))
    assert _distances(peer, paths[0]) == [0, 3, 64]
    assert _distances(peer, paths[1]) == [3, 0, 61]
    assert peer.rank(paths[0]).paths == paths
    assert peer.rank(paths[0]).verdicts == ["same", "same", "maybe"]
    assert peer.cost.n_bytes == 3 * 8


def test_imagehash_s_distances_are_its_own(data: Path) -> None:
    imagehash = pytest.importorskip("imagehash")
    from PIL import Image

    paths = sorted((data / "train").rglob("*.png"))
    own = [imagehash.phash(Image.open(path)) for path in paths]
    peer = next(hashes.family("imagehash", Collection(paths, [], {})))
    for path, one in zip(paths, own, strict=True):
        assert _distances(peer, path) == [one - other for other in own]


def test_imagededup_s_distances_are_its_own(data: Path) -> None:
    imagededup = pytest.importorskip("imagededup.methods")
    paths = sorted((data / "train").rglob("*.png"))
    hasher = imagededup.PHash(verbose=False)
    own = [hasher.encode_image(image_file=str(path)) for path in paths]
    peer = next(hashes.family("imagededup", Collection(paths, [], {})))
    for path, one in zip(paths, own, strict=True):
        assert _distances(peer, path) == [hasher.hamming_distance(one, other) for other in own]


def test_bof_runs_from_the_command_to_the_table(
    build: Any, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--data", str(data), "--out", str(out), "--only", "bof", "--queries", "1"]
    assert copies.main([*arguments, "--json", str(tmp_path / "r.json")]) == 0
    printed = capsys.readouterr().out
    (method,) = json.loads((tmp_path / "r.json").read_text())["methods"]
    assert method["recall"]["jpeg 75"] == 1
    assert method["recall"]["collage"] == 1
    assert method["false_accepts"] == 0
    for line in ("jpeg 75", "all copies", "false accepts, pairs", "ms a query"):
        assert line in printed


def test_a_missing_folder_is_an_error_and_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert copies.main(["--data", str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_a_method_that_is_not_installed_is_named_and_left_out(
    build: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imagededup", None)
    arguments = ["--data", str(data), "--out", str(tmp_path), "--only", "imagededup", "--queries", "1"]
    assert copies.main(arguments) == 0
    assert "imagededup: left out" in capsys.readouterr().err
