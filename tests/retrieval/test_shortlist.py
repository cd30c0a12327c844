"""shortlist: how far a query looks, mirrored and turned queries, and strangers that are called nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.geometry import transforms
from bof.images.decode import Picture
from bof.options import IndexOptions, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval import shortlist
from bof.retrieval.evidence import Evidence
from bof.retrieval.shortlist import (
    MAX_DEPTH,
    MAX_WORDS,
    MIN_WORDS,
    POSTINGS_PER_FEATURE,
    Candidates,
    VoteAndVerify,
    best_first,
    in_order,
)
from bof.retrieval.votes import vote
from bof.system.stopwatch import Stopwatch
from bof.types import F64, U8, Box, Correspondences, Hit, Verification
from tests.support.scenes import N_SCENES, draw_scene, rows_of, write_picture

CORNERS = np.array([[-0.5, -0.5], [319.5, -0.5], [319.5, 239.5], [-0.5, 239.5]])
FLIP = np.array([[-1.0, 0, 319], [0, 1, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def engine(index_folder: Path) -> Engine:
    """The shared index of all photos; read it only."""
    return Engine.open(index_folder)


def grey(pixels: U8) -> Picture:
    return Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), pixels.shape[1], pixels.shape[0])


def flipped(pixels: U8) -> U8:
    return np.ascontiguousarray(pixels[:, ::-1])


def assert_located(hit: Hit, expected: F64) -> None:
    assert hit.outline is not None
    assert np.abs(hit.outline - expected).max() < 0.02 * np.hypot(hit.width, hit.height)


# -- How far to look --------------------------------------------------------------------------------------------------


def collection(n_features: int = 0, n_images: int = 0) -> Any:
    """What the rules ask of a snapshot."""
    return SimpleNamespace(n_features=n_features, n_images=n_images)


def words(n_features: int, n_words: int = 65536, chosen: int = 0) -> int:
    vocabulary: Any = SimpleNamespace(n_words=n_words)
    return VoteAndVerify(collection(n_features), vocabulary, VoteOptions(words_per_feature=chosen)).words_per_feature


def depth(n_images: int, chosen: int = 0) -> int:
    vocabulary: Any = None
    return VoteAndVerify(collection(n_images=n_images), vocabulary, verifying=VerifyOptions(depth=chosen)).depth


def test_a_query_feature_looks_into_fewer_words_as_the_collection_grows() -> None:
    sizes = [0, 1, 10**6, 3 * 10**7, 5 * 10**7, 10**8, 10**9]
    found = [words(n) for n in sizes]
    assert found == sorted(found, reverse=True)
    assert (found[0], found[1], found[-1]) == (MAX_WORDS, MAX_WORDS, MIN_WORDS)


@pytest.mark.parametrize("n_features", [20_000_000, 33_000_000, 70_000_000])
def test_between_the_ends_a_query_feature_reads_about_as_many_postings(n_features: int) -> None:
    k = words(n_features)
    assert MIN_WORDS < k < MAX_WORDS
    assert k * n_features / 65536 == pytest.approx(POSTINGS_PER_FEATURE, abs=n_features / 65536 / 2)


def test_the_number_of_words_asked_for_is_used_where_there_are_as_many() -> None:
    assert [words(10**9, chosen=k) for k in (1, 7, 64)] == [1, 7, 64]
    assert words(0, n_words=8) == words(0, n_words=8, chosen=64) == 8


def test_the_shortlist_grows_with_the_square_root_of_the_collection() -> None:
    sizes = [0, 1, 2, 100, 400, 5000, 10_000, 15_625, 10**6]
    found = [depth(n) for n in sizes]
    assert found == [0, 16, 23, 160, 320, 1132, 1600, MAX_DEPTH, MAX_DEPTH]


def test_the_depth_asked_for_is_used() -> None:
    assert [depth(10**6, d) for d in (1, 50, 10**6)] == [1, 50, 10**6]


def test_a_small_collection_is_verified_whole(engine: Engine) -> None:
    query = engine.prepare(grey(draw_scene(1)))
    answer = engine.answer(query)
    assert set(answer.verifications) == set(answer.evidence) == set(answer.images.tolist())
    assert len(answer.images) == N_SCENES


def verified(engine: Engine, pixels: U8, depth: int = 0) -> int:
    options = SearchOptions(verify=VerifyOptions(depth=depth), mirror="never")
    return len(engine.answer(engine.prepare(grey(pixels)), options).verifications)


def test_no_more_is_verified_once_a_picture_is_clearly_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortlist, "FIRST", 4)
    assert verified(engine, draw_scene(1)) == 4


def test_all_is_verified_where_nothing_is_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortlist, "FIRST", 4)
    assert verified(engine, draw_scene(N_SCENES + 1)) == N_SCENES


def test_all_is_verified_where_the_last_ones_are_still_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortlist, "FIRST", 1)
    assert verified(engine, draw_scene(1)) == N_SCENES


def test_a_depth_asked_for_is_verified_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortlist, "FIRST", 1)
    assert verified(engine, draw_scene(1), depth=5) == 5


# -- Mirrored queries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirror", ["auto", "always"])
@pytest.mark.parametrize("seed", range(0, N_SCENES, 3))
def test_a_mirrored_query_is_found_and_located(engine: Engine, seed: int, mirror: str) -> None:
    first, *others = engine.search(grey(flipped(draw_scene(seed))), SearchOptions(mirror=mirror))
    assert (first.name, first.verdict) == (f"scene-{seed:02d}.png", "same")
    assert first.verification is not None
    assert first.verification.mirrored
    assert_located(first, transforms.apply(FLIP, CORNERS))
    assert "same" not in {hit.verdict for hit in others}


def test_a_mirrored_query_is_not_found_if_nobody_looks(engine: Engine) -> None:
    for seed in range(N_SCENES):
        hits = engine.search(grey(flipped(draw_scene(seed))), SearchOptions(mirror="never"))
        assert "same" not in {hit.verdict for hit in hits}
        assert not any(hit.verification.mirrored for hit in hits if hit.verification)


def test_a_query_mirrored_turned_and_shrunk_is_located(engine: Engine) -> None:
    planted = np.array([[0.5, -0.55, 150], [0.55, 0.5, 10], [0, 0, 1.0]])
    query = cv2.warpPerspective(flipped(draw_scene(6)), planted, (320, 240))
    first = engine.search(grey(np.asarray(query, np.uint8)))[0]
    assert (first.name, first.verdict) == ("scene-06.png", "same")
    assert_located(first, transforms.apply(FLIP @ np.linalg.inv(planted), CORNERS))


def test_a_box_of_a_mirrored_query_is_located(engine: Engine) -> None:
    """The box's features keep their places in the picture, but the box is all the picture there is."""
    montage = np.hstack([draw_scene(1), flipped(draw_scene(2))])
    box: Box = (400, 40, 600, 220)
    first = engine.search(grey(montage), box=box)[0]
    assert (first.name, first.verdict) == ("scene-02.png", "same")
    in_scene = np.array([[400, 40], [600, 40], [600, 220], [400, 220]]) - 0.5 - [320, 0]
    assert_located(first, transforms.apply(FLIP, in_scene))


def test_the_points_of_a_mirrored_hit_lie_where_its_transform_puts_them(engine: Engine) -> None:
    query = engine.prepare(grey(flipped(draw_scene(9))))
    hit = engine.hits(query, engine.answer(query))[0]
    assert hit.verification is not None
    assert hit.verification.database_from_query is not None
    in_query, in_hit = engine.matched_points(query, hit)
    assert len(in_query) == hit.verification.n_inliers > 50
    mapped = transforms.apply(hit.verification.database_from_query, in_query.astype(np.float64))
    assert np.abs(mapped - in_hit).max() < 5
    assert hit.verification.database_from_query[2, 2] == 1


@pytest.mark.parametrize("seed", range(0, N_SCENES, 4))
def test_looking_into_the_mirror_takes_nothing_from_a_query_that_is_found_without(engine: Engine, seed: int) -> None:
    query = grey(draw_scene(seed))
    answers = [
        [(hit.name, hit.score, hit.verdict) for hit in engine.search(query, SearchOptions(mirror=mirror), top=1)]
        for mirror in ("never", "auto", "always")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0][2] == "same"


@pytest.mark.parametrize("mirrored", [False, True])
def test_of_two_proofs_the_better_stays(engine: Engine, mirrored: bool) -> None:
    """The query shows the scene large and, beside it, the other way round and small."""
    large, small = draw_scene(1), cv2.resize(flipped(draw_scene(1)), (160, 120), interpolation=cv2.INTER_AREA)
    both = np.full((240, 500, 3), 128, np.uint8)
    both[:, :320], both[:120, 330:490] = large, small
    first = engine.search(grey(flipped(both) if mirrored else both), SearchOptions(mirror="always"))[0]
    assert (first.name, first.verdict) == ("scene-01.png", "same")
    assert first.verification is not None
    assert first.verification.mirrored == mirrored
    assert first.verification.n_inliers > 100


def test_the_mirror_image_changes_what_is_better_there_alone(engine: Engine) -> None:
    query = engine.prepare(grey(np.hstack([draw_scene(1), flipped(draw_scene(2))]))).features
    straight = engine.searcher(SearchOptions(mirror="never")).candidates(query)
    both = engine.searcher(SearchOptions(mirror="always")).candidates(query)
    assert both.similarity.tolist() == straight.similarity.tolist()
    changed = [i for i in both.evidence if both.evidence[i] != straight.evidence[i]]
    assert [engine.images[i].name for i in changed] == ["scene-02.png"]
    assert [i for i in both.verifications if both.verifications[i].mirrored] == changed


def test_a_mirror_takes_time_only_where_nothing_was_found(engine: Engine) -> None:
    stages = [
        set(engine.answer(engine.prepare(grey(pixels)), SearchOptions(mirror=mirror)).seconds)
        for pixels in (draw_scene(3), flipped(draw_scene(3)))
        for mirror in ("never", "auto", "always")
    ]
    assert ["mirror" in names for names in stages] == [False, False, True, False, True, True]


# -- Turned queries, and strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_query_turned_by_quarters_is_located(engine: Engine, quarters: int, mirrored: bool) -> None:
    """Pixels are moved, none is interpolated, and width and height change places."""
    pixels = draw_scene(2 + quarters)
    turned = np.ascontiguousarray(np.rot90(flipped(pixels) if mirrored else pixels, quarters))
    first = engine.search(grey(turned))[0]
    assert (first.name, first.verdict) == (f"scene-{2 + quarters:02d}.png", "same")
    expected = np.roll(CORNERS, -quarters, axis=0)
    assert_located(first, transforms.apply(FLIP, expected) if mirrored else expected)


def test_strangers_are_called_the_same_by_nothing(engine: Engine) -> None:
    """Each is looked for as it is and mirrored."""
    for seed in range(700, 716):
        query = engine.prepare(grey(draw_scene(seed)))
        answer = engine.answer(query, SearchOptions(mirror="always"))
        assert max(answer.probability(image) or 0.0 for image in answer.evidence) < 0.5


def test_scores_compare_between_queries_and_collections(
    engine: Engine, photos: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    """One threshold tells all duplicates from all strangers, whatever is asked and whatever else is there."""
    few = Engine.create(tmp_path / "index", vocabulary_folder)
    few.add([photos / f"scene-{seed:02d}.png" for seed in range(4)], IndexOptions(workers=1))
    duplicates, strangers = [], []
    for chosen, n_there in ((engine, N_SCENES), (few, 4)):
        for seed in (*range(n_there), 800, 801):
            hits = chosen.search(grey(draw_scene(seed)), top=1000)
            duplicates += [hit.score for hit in hits if hit.name == f"scene-{seed:02d}.png"]
            strangers += [hit.score for hit in hits if hit.name != f"scene-{seed:02d}.png"]
    assert len(duplicates) == N_SCENES + 4
    assert min(duplicates) > max(strangers) + 5


def test_two_files_of_one_picture_score_alike(vocabulary_folder: Path, tmp_path: Path) -> None:
    pictures = [write_picture(tmp_path / f"{name}.png", draw_scene(1)) for name in ("b", "a")]
    engine = Engine.create(tmp_path / "index", vocabulary_folder)
    for picture in (*pictures, write_picture(tmp_path / "c.png", draw_scene(2))):
        engine.add([picture], IndexOptions(workers=1))
    first, second = engine.search(grey(draw_scene(1)))[:2]
    assert [first.name, second.name] == ["a.png", "b.png"]
    assert (first.score, first.probability) == (second.score, second.probability)


# -- Parts ------------------------------------------------------------------------------------------------------------


def test_images_of_one_score_come_by_name() -> None:
    snapshot: Any = SimpleNamespace(rows=rows_of("dacbe"))
    images = np.array([4, 1, 0, 2, 3])
    assert in_order(snapshot, np.array([3.0, 2, 1, 1, 1]), images).tolist() == [4, 1, 3, 2, 0]
    assert in_order(snapshot, np.array([4.0, 3]), images[:2]).tolist() == [4, 1]
    assert in_order(snapshot, np.array([2.0, 2]), images[:2]).tolist() == [1, 4]
    assert in_order(snapshot, np.empty(0), images[:0]).tolist() == []
    assert images.tolist() == [4, 1, 0, 2, 3]


@pytest.mark.parametrize("n", range(7))
def test_the_best_come_first_and_of_those_that_tie_the_first_by_name(n: int) -> None:
    snapshot: Any = SimpleNamespace(rows=rows_of("dacbef"))
    score = np.array([1.0, 2, 1, 1, 3, 0])
    assert best_first(snapshot, score, n).tolist() == [4, 1, 3, 2, 0][:n]


def test_those_called_the_same_come_strongest_first() -> None:
    evidence = {7: Evidence(0.1, 0.999), 3: Evidence(0.5, 0.6), 5: Evidence(0.4, 0.999), 9: Evidence(0.1, 0.999)}
    found = Candidates(np.zeros(10), {}, evidence)
    assert found.called_same(VerifyOptions(same=0.99)) == [5, 7, 9]
    assert found.called_same(VerifyOptions(same=1.0)) == []


@pytest.mark.parametrize(("n_inliers", "probability", "clear"), [(39, 1.0, False), (40, 1.0, True), (400, 0.9, False)])
def test_candidates_are_clear_with_one_that_is_the_same_on_many_points(
    n_inliers: int, probability: float, clear: bool
) -> None:
    none = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    verified = {3: Verification(n_inliers, 1.0, 0.1, np.eye(3), none)}
    found = Candidates(np.zeros(10), verified, {3: Evidence(0.1, probability)})
    assert found.is_clear(VerifyOptions(same=0.99)) == clear


def test_a_quick_count_is_near_the_verified_one(engine: Engine) -> None:
    query = engine.prepare(grey(draw_scene(4)))
    answer = engine.answer(query, SearchOptions(mirror="never"))
    extracted = engine.vocabulary.quantize(query.features.descriptors, MAX_WORDS)
    votes = vote(engine.searcher().collection.postings, engine.searcher().collection.weights, extracted, VoteOptions())
    stages = VoteAndVerify(engine.searcher().collection, engine.vocabulary)
    quick, _ = stages.quick_verify(query.features.geometry, votes, answer.images)
    verified = [answer.verifications[image].n_inliers for image in answer.images.tolist()]
    assert quick[0] == pytest.approx(verified[0], rel=0.1)
    assert max(quick[1:]) < quick[0] / 5


def test_a_stopwatch_adds_up() -> None:
    watch = Stopwatch()
    for name in ("one", "two", "one"):
        with watch.stage(name):
            sum(range(1000))
    once = dict(watch.seconds)
    with pytest.raises(ZeroDivisionError), watch.stage("one"):
        1 / 0  # noqa: B018
    assert list(once) == ["one", "two"]
    assert watch.seconds["one"] > once["one"] > 0
    assert watch.seconds["two"] == once["two"]
