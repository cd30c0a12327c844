"""The engine as a whole: relations that hold whatever the pictures are, and planted transforms that come back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bof.engine import Engine
from bof.errors import ImageError, IndexStoreError, MismatchError, OptionError
from bof.features.sift import extract_features
from bof.geometry import transforms
from bof.grouping.finding import find_groups
from bof.images.decode import Picture, read_image
from bof.ingest import batches
from bof.options import ExpandOptions, IndexOptions, SearchOptions, TrainOptions, VerifyOptions, VoteOptions
from bof.retrieval.evidence import weigh
from bof.retrieval.expansion import expand, is_itself
from bof.retrieval.rankers import LocalScores, with_evidence
from bof.retrieval.shortlist import Candidates, VoteAndVerify, best_first
from bof.retrieval.votes import self_similarity, vote
from bof.store.index import Index
from bof.system.steps import Step
from bof.types import Box, Hit
from bof.vocabulary import vocabulary as vocabulary_module
from bof.vocabulary.sampling import Sample
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import load_vocabulary
from tests.support.scenes import N_SCENES, draw_scene, warp, write_picture

N_SIX = 6
ALONE = IndexOptions(workers=1)
TFIDF = SearchOptions(ranker="tfidf")
VOTES = SearchOptions(ranker="votes")


@pytest.fixture
def engine(index_folder: Path) -> Iterator[Engine]:
    """The shared index of all photos; read it only."""
    with Engine.open(index_folder) as opened:
        yield opened


@pytest.fixture
def fresh(tmp_path: Path, vocabulary_folder: Path) -> Engine:
    return Engine.create(tmp_path / "index", vocabulary_folder)


@pytest.fixture(scope="module")
def six_photos(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("six")
    for number in range(N_SIX):
        shutil.copy(photos / f"scene-{number:02d}.png", folder)
    return folder


@pytest.fixture(scope="module")
def baseline(six_photos: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Six photos in one segment; read it only."""
    engine = Engine.create(tmp_path_factory.mktemp("baseline") / "index", vocabulary_folder)
    engine.add([six_photos], ALONE)
    return engine


@pytest.fixture
def own(tmp_path: Path, baseline: Engine) -> Engine:
    """A copy of the baseline, free to change."""
    return Engine.open(shutil.copytree(baseline.folder, tmp_path / "own"))


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """Three of the photos, free to change."""
    copies = tmp_path / "folder"
    copies.mkdir()
    for number in range(3):
        shutil.copy(photos / f"scene-{number:02d}.png", copies)
    return copies


def grey(pixels: NDArray[np.uint8]) -> Picture:
    return Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), pixels.shape[1], pixels.shape[0])


def scene(seed: int) -> Picture:
    return grey(draw_scene(seed))


def ranking(engine: Engine, picture: Picture, options: SearchOptions | None = None) -> list[tuple[str, float]]:
    return [(hit.name, hit.score) for hit in engine.search(picture, options, top=1000)]


def rankings(engine: Engine) -> list[list[tuple[str, float]]]:
    """What the engine answers to scenes that it holds and to one that it does not, by every ranker."""
    return [ranking(engine, scene(seed), options) for seed in (5, 50) for options in (None, VOTES, TFIDF)]


def blank(path: Path) -> Path:
    return write_picture(path, np.full((120, 160, 3), 128, np.uint8))


# -- Relations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [None, TFIDF], ids=["bof", "tfidf"])
def test_a_duplicate_ranks_first(engine: Engine, options: SearchOptions | None) -> None:
    for seed in range(N_SCENES):
        assert engine.search(scene(seed), options)[0].name == f"scene-{seed:02d}.png"


def test_a_duplicate_is_called_the_same_and_strangers_are_not(engine: Engine) -> None:
    first, *others = engine.search(scene(3), top=1000)
    assert first.verdict == "same"
    assert first.verification is not None
    assert first.verification.n_inliers > 100
    assert {hit.verdict for hit in others} == {"no"}


def test_a_picture_that_is_not_there_is_accepted_nowhere(engine: Engine) -> None:
    assert {hit.verdict for hit in engine.search(scene(777), top=1000)} <= {"no"}


def test_scores_never_rise_and_each_image_is_answered_once(engine: Engine) -> None:
    hits = engine.search(scene(4), top=1000)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.image for hit in hits}) == len(hits)


def test_top_cuts_the_same_list(engine: Engine) -> None:
    assert [h.name for h in engine.search(scene(4), top=3)] == [h.name for h in engine.search(scene(4), top=1000)][:3]


def test_searching_twice_answers_the_same(engine: Engine) -> None:
    assert rankings(engine) == rankings(engine)


@pytest.mark.parametrize(
    ("order", "n_at_once", "max_features"),
    [([5, 4, 3, 2, 1, 0], 1000, 600), ([0, 1, 2, 3, 4, 5], 1, 10**6), ([4, 2, 5, 0, 1, 2, 3], 3, 10**6)],
    ids=["reversed, segments of few features", "segments of one image", "shuffled, segments of three images"],
)
def test_order_and_batches_change_no_bit_of_an_answer(
    order: Sequence[int],
    n_at_once: int,
    max_features: int,
    baseline: Engine,
    fresh: Engine,
    six_photos: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "MAX_WAITING_FEATURES", max_features)
    options = IndexOptions(workers=1, commit_images=n_at_once)
    report = fresh.add([six_photos / f"scene-{number:02d}.png" for number in order], options)
    assert report.n_added == N_SIX
    assert len(Index.open(fresh.folder).snapshot().segments) >= 2
    assert rankings(fresh) == rankings(baseline)


def test_two_workers_write_what_one_writes(baseline: Engine, fresh: Engine, six_photos: Path) -> None:
    fresh.add([six_photos], IndexOptions(workers=2))
    one, two = Index.open(baseline.folder).snapshot().segments[0], Index.open(fresh.folder).snapshot().segments[0]
    np.testing.assert_array_equal(one.postings.signature, two.postings.signature)
    np.testing.assert_array_equal(one.xy, two.xy)
    assert rankings(fresh) == rankings(baseline)


def test_adding_in_parts_changes_no_bit_of_an_answer(baseline: Engine, fresh: Engine, six_photos: Path) -> None:
    fresh.add([six_photos / "scene-05.png", six_photos / "scene-03.png"], ALONE)
    report = fresh.add([six_photos], ALONE)
    assert (report.n_added, report.n_unchanged) == (N_SIX - 2, 2)
    assert rankings(fresh) == rankings(baseline)


def test_remove_then_add_again_gives_the_same_answers(baseline: Engine, own: Engine, six_photos: Path) -> None:
    assert own.remove(["scene-00.png", "scene-05.png"]) == 2
    assert len(own) == N_SIX - 2
    assert "scene-05.png" not in dict(ranking(own, scene(5)))
    assert own.add([six_photos], ALONE).n_added == 2
    assert rankings(own) == rankings(baseline)


def test_a_stranger_that_came_and_went_changes_no_bit_of_an_answer(
    baseline: Engine, own: Engine, tmp_path: Path
) -> None:
    own.add([write_picture(tmp_path / "stranger.png", draw_scene(40))], ALONE)
    assert len(own) == N_SIX + 1
    own.remove(["stranger.png"])
    assert rankings(own) == rankings(baseline)


def test_a_reopened_index_gives_the_same_answers(fresh: Engine, folder: Path) -> None:
    fresh.add([folder], ALONE)
    assert rankings(Engine.open(fresh.folder)) == rankings(fresh)


def test_images_of_equal_score_are_ordered_by_name(fresh: Engine, tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write_picture(tmp_path / "twins" / f"{name}.png", draw_scene(1))
        fresh.add([tmp_path / "twins" / f"{name}.png"], ALONE)
    for options in (None, TFIDF):
        hits = fresh.search(scene(1), options)
        assert [hit.name for hit in hits] == ["a.png", "b.png", "c.png"]
        assert len({hit.score for hit in hits}) == 1


# -- Adding -----------------------------------------------------------------------------------------------------------


def test_adding_again_adds_nothing(fresh: Engine, folder: Path) -> None:
    assert fresh.add([folder], ALONE).n_added == 3
    before = fresh.n_bytes()
    report = fresh.add([folder], ALONE)
    assert (report.n_added, report.n_unchanged, list(report.skipped), report.n_features) == (0, 3, [], 0)
    assert fresh.n_bytes() == before


def test_a_changed_file_is_updated(fresh: Engine, folder: Path) -> None:
    fresh.add([folder], ALONE)
    write_picture(folder / "scene-01.png", draw_scene(30))
    report = fresh.add([folder], ALONE)
    assert (report.n_added, report.n_changed, report.n_unchanged, len(fresh)) == (0, 1, 2, 3)
    assert fresh.search(scene(30))[0].name == "scene-01.png"
    assert "same" not in {hit.verdict for hit in fresh.search(scene(1))}


def test_a_touched_file_is_known_by_its_content(fresh: Engine, folder: Path) -> None:
    fresh.add([folder], ALONE)
    before = rankings(fresh)
    os.utime(folder / "scene-02.png", ns=(1, 1))
    report = fresh.add([folder], ALONE)
    assert (report.n_added, report.n_moved, report.n_touched) == (0, 0, 1)
    assert (len(fresh), rankings(fresh)) == (3, before)
    assert fresh.add([folder], ALONE).n_unchanged == 3


def test_equal_names_in_two_folders_both_stay_findable(fresh: Engine, tmp_path: Path) -> None:
    one = write_picture(tmp_path / "one" / "same.png", draw_scene(1))
    two = write_picture(tmp_path / "two" / "same.png", draw_scene(2))
    fresh.add([one.parent, two.parent], ALONE)
    assert [fresh.search(scene(seed))[0].path for seed in (1, 2)] == [one, two]
    assert len({row.name for row in fresh.images}) == 2


def test_equal_names_added_one_after_the_other_both_stay_findable(fresh: Engine, tmp_path: Path) -> None:
    pictures = [write_picture(tmp_path / f"{seed}" / "same.png", draw_scene(seed)) for seed in (1, 2, 3)]
    for picture in pictures:
        fresh.add([picture.parent], ALONE)
    write_picture(pictures[0], draw_scene(4))
    fresh.add([tmp_path / "2", tmp_path / "1"], ALONE)
    assert len(fresh) == 3
    assert [fresh.search(scene(seed))[0].path for seed in (4, 2, 3)] == pictures


def test_a_name_that_was_removed_can_be_taken_by_another_file(fresh: Engine, tmp_path: Path) -> None:
    pictures = [write_picture(tmp_path / f"{seed}" / "same.png", draw_scene(seed)) for seed in (1, 2)]
    fresh.add([pictures[0]], ALONE)
    fresh.remove(["same.png"])
    fresh.add([pictures[1]], ALONE)
    fresh.add([pictures[0]], ALONE)
    assert [fresh.search(scene(seed))[0].path for seed in (1, 2)] == pictures


def test_files_whose_folder_is_gone_stay_findable(fresh: Engine, folder: Path) -> None:
    fresh.add([folder], ALONE)
    shutil.rmtree(folder)
    assert fresh.search(scene(2))[0].path == folder / "scene-02.png"


def test_a_broken_picture_is_skipped_by_name_and_stops_no_other(fresh: Engine, folder: Path) -> None:
    whole = (folder / "scene-01.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.gif").write_bytes(b"")
    report = fresh.add([folder], ALONE)
    assert [Path(item.path).name for item in report.skipped] == ["cut.png", "empty.gif", "text.jpg"]
    assert all(item.reason and item.path not in item.reason for item in report.skipped)
    assert (report.n_added, len(fresh)) == (3, 3)


def test_a_picture_larger_than_allowed_is_skipped(fresh: Engine, folder: Path) -> None:
    report = fresh.add([folder], IndexOptions(workers=1, max_pixels=1000))
    assert (report.n_added, len(report.skipped)) == (0, 3)
    assert "too large" in report.skipped[0].reason


def test_names_that_are_not_utf8_are_indexed_and_found(fresh: Engine, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    write_picture(tmp_path / "odd" / name, draw_scene(6))
    fresh.add([tmp_path / "odd"], ALONE)
    assert Engine.open(fresh.folder).search(scene(6))[0].name == name
    assert fresh.remove([name]) == 1


def test_a_missing_source_raises_and_changes_nothing(fresh: Engine, folder: Path) -> None:
    with pytest.raises(ImageError, match="nowhere"):
        fresh.add([folder, folder / "nowhere"], ALONE)
    assert len(fresh) == len(Engine.open(fresh.folder)) == 0


@pytest.mark.parametrize("number", [0, -1, 1_000_001, 2.5, "3", None])
def test_a_number_of_hits_or_partners_that_is_none_is_refused(engine: Engine, number: Any) -> None:
    with pytest.raises(OptionError, match=r"^top: expected 1 to 1000000, found "):
        engine.search(scene(1), top=number)
    with pytest.raises(OptionError, match=r"^partners: expected 1 to 1000000, found "):
        engine.neighbours(number)


@pytest.mark.parametrize("kind", ["near", "", 3, None])
def test_a_kind_of_duplicates_that_is_none_is_refused(engine: Engine, kind: Any) -> None:
    with pytest.raises(OptionError, match=r"^kind: expected one of exact, copy, crop, scene, found "):
        find_groups(engine, kind)


def test_progress_counts_to_the_number_of_new_pictures(fresh: Engine, folder: Path) -> None:
    seen: list[Step] = []
    fresh.add([folder], ALONE, seen.append)
    assert [(step.stage, step.n_done, step.n_items) for step in seen] == [("reading", n, 3) for n in range(4)]
    assert [step.share for step in seen] == pytest.approx([0, 1 / 3, 2 / 3, 1])  # of pictures of one size


def test_an_interrupt_keeps_all_that_was_read(fresh: Engine, folder: Path) -> None:
    def stop(step: Step) -> None:
        if step.n_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="2 pictures are committed, 1 are left"):
        fresh.add([folder], ALONE, stop)
    again = Engine.open(fresh.folder)
    assert len(again) == 2
    assert again.add([folder], ALONE).n_added == 1


def test_the_vocabulary_may_be_named_from_a_folder_that_is_left_later(
    folder: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(vocabulary_folder.parent)
    engine = Engine.create(tmp_path / "index", Path(vocabulary_folder.name))
    monkeypatch.chdir(tmp_path)
    vocabulary_module._LOADED.clear()
    assert engine.add([folder], ALONE).n_added == 3


# -- Small collections ------------------------------------------------------------------------------------------------


def test_an_empty_index_answers_nothing(fresh: Engine) -> None:
    assert (fresh.search(scene(0)), fresh.search(scene(0), TFIDF), len(fresh)) == ([], [], 0)


def test_one_image_is_found_among_one(fresh: Engine, photos: Path) -> None:
    fresh.add([photos / "scene-08.png"], ALONE)
    (hit,) = fresh.search(scene(8))
    assert (hit.name, hit.verdict) == ("scene-08.png", "same")
    assert [found.name for found in fresh.search(scene(8), TFIDF)] == ["scene-08.png"]


def test_a_blank_image_is_indexed_and_never_matches(fresh: Engine, photos: Path, tmp_path: Path) -> None:
    blank(tmp_path / "blank.png")
    report = fresh.add([tmp_path / "blank.png", photos / "scene-00.png"], ALONE)
    assert (report.n_added, len(fresh)) == (2, 2)
    for options in (None, TFIDF):
        assert [hit.name for hit in fresh.search(scene(0), options)] == ["scene-00.png"]


def test_an_index_of_blank_images_alone_answers_nothing(fresh: Engine, tmp_path: Path) -> None:
    blank(tmp_path / "blank.png")
    fresh.add([tmp_path / "blank.png"], ALONE)
    assert len(Engine.open(fresh.folder)) == 1
    assert fresh.search(scene(0)) == []


@pytest.mark.parametrize("options", [None, TFIDF], ids=["bof", "tfidf"])
def test_a_blank_query_answers_nothing(engine: Engine, options: SearchOptions | None) -> None:
    assert engine.search(grey(np.full((100, 100, 3), 90, np.uint8)), options) == []


def test_a_picture_of_one_pixel_answers_nothing(engine: Engine) -> None:
    assert engine.search(grey(np.zeros((1, 1, 3), np.uint8))) == []


# -- By hand ----------------------------------------------------------------------------------------------------------


def test_a_notebook_reproduces_search_in_public_calls(engine: Engine, photos: Path) -> None:
    path, voting, verifying = photos / "scene-05.png", VoteOptions(), VerifyOptions(pixels=0)
    snapshot, vocabulary = engine.searcher().collection, engine.vocabulary

    picture = read_image(path, grey=True, max_side=engine.features.max_side)
    features = extract_features(picture, engine.features)
    stages = VoteAndVerify(snapshot, vocabulary, voting, verifying)
    words = vocabulary.quantize(features.descriptors, stages.words_per_feature)
    votes = vote(snapshot.postings, snapshot.weights, words, voting)
    own, word_weight = self_similarity(snapshot.weights, words.word[:, 0])
    images = best_first(snapshot, votes.score, len(snapshot.rows))
    verified = stages.verify(features, votes, images)
    similarity = votes.score / own
    evidence = {i: weigh(float(similarity[i]), verified[i], word_weight) for i in verified}
    found = Candidates(similarity, verified, evidence)
    same, shown = found.called_same(verifying), features.geometry
    seeds = {i: verified[i].n_inliers for i in same if not is_itself(snapshot, shown, i, verified[i])}
    added = {image: more for image, more in expand(stages, seeds, 10, same).items() if image not in same}
    scores = LocalScores(snapshot, with_evidence(found, added), found, verifying)

    by_hand = [(snapshot.rows[i].name, float(scores.score[i])) for i in scores.best().tolist()]
    assert by_hand == ranking(engine, picture, SearchOptions(verify=verifying))


def test_without_verification_votes_alone_decide(engine: Engine) -> None:
    hits = engine.search(scene(2), VOTES, top=1000)
    assert {hit.verdict for hit in hits} == {"unverified"}
    assert {hit.outline for hit in hits} == {hit.verification for hit in hits} == {None}
    assert {hit.probability for hit in hits} == {None}
    assert hits[0].name == "scene-02.png"


PLAIN: dict[str, Any] = {"expand": ExpandOptions(expand=0), "mirror": "never"}


def test_depth_bounds_what_is_verified_and_loses_no_image(engine: Engine) -> None:
    hits = engine.search(scene(2), SearchOptions(verify=VerifyOptions(depth=3), **PLAIN), top=1000)
    assert [hit.verification is not None for hit in hits] == [i < 3 for i in range(len(hits))]
    assert [hit.probability is not None for hit in hits] == [i < 3 for i in range(len(hits))]
    assert {hit.name for hit in hits} == {hit.name for hit in engine.search(scene(2), top=1000)}


@pytest.mark.parametrize("depth", [1, 3, 0])
def test_scores_never_rise_behind_the_pictures_called_the_same(engine: Engine, depth: int) -> None:
    """Expansion adds to pictures that were not verified, wherever they stand."""
    for seed in range(N_SCENES):
        query = engine.prepare(scene(seed))
        options = SearchOptions(verify=VerifyOptions(depth=depth))
        answer = engine.answer(query, options)
        same = [answer.verdict(image, options.verify) == "same" for image in answer.images.tolist()]
        assert same == sorted(same, reverse=True)
        rest = answer.scores[sum(same) :].tolist()
        assert rest == sorted(rest, reverse=True)


def test_matched_points_are_the_inliers_in_both_pictures(engine: Engine) -> None:
    query = engine.prepare(scene(9))
    hit = engine.hits(query, engine.answer(query))[0]
    assert hit.verification is not None
    in_query, in_hit = engine.matched_points(query, hit)
    assert len(in_query) == len(in_hit) == hit.verification.n_inliers
    assert float(np.median(np.abs(in_query - in_hit))) < 0.02


# -- Planted transforms -----------------------------------------------------------------------------------------------


def about_centre(linear: NDArray[np.float64], width: int = 320, height: int = 240) -> NDArray[np.float64]:
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.vstack([np.column_stack([linear, centre - linear @ centre]), [0, 0, 1]])


def rotation(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


PERSPECTIVE = np.array([[0.95, 0.06, 6.0], [-0.03, 0.92, 9.0], [2e-4, 3e-4, 1.0]])

PLANTED = {
    "unmoved": np.eye(3),
    "rotated by 30 degrees": about_centre(rotation(30)),
    "rotated by 90 degrees": about_centre(rotation(90)),
    "upside down": about_centre(rotation(180)),
    "scaled by 0.6": about_centre(0.6 * np.eye(2)),
    "scaled by 1.5": about_centre(1.5 * np.eye(2)),
    "rotated and scaled": about_centre(0.8 * rotation(-50)),
    "in perspective": PERSPECTIVE,
}


def assert_outline(hit: Hit, query_from_database: NDArray[np.float64], outline: NDArray[np.float64]) -> None:
    expected = transforms.apply(np.linalg.inv(query_from_database).astype(np.float64), outline)
    assert hit.outline is not None
    assert np.abs(hit.outline - expected).max() < 0.02 * np.hypot(hit.width, hit.height)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("seed", [0, 6])
def test_a_planted_transform_comes_back(engine: Engine, name: str, seed: int) -> None:
    planted = PLANTED[name]
    first = engine.search(grey(warp(draw_scene(seed), planted)))[0]
    assert (first.name, first.verdict) == (f"scene-{seed:02d}.png", "same")
    assert_outline(first, planted, np.array([[-0.5, -0.5], [319.5, -0.5], [319.5, 239.5], [-0.5, 239.5]]))


def test_a_query_of_another_resolution_is_located_in_its_own_pixels(engine: Engine) -> None:
    pixels = np.asarray(cv2.resize(draw_scene(7), (480, 360), interpolation=cv2.INTER_CUBIC), np.uint8)
    first = engine.search(grey(pixels))[0]
    assert (first.name, first.verdict) == ("scene-07.png", "same")
    corners = np.array([[-0.5, -0.5], [319.5, -0.5], [319.5, 239.5], [-0.5, 239.5]])
    assert first.outline == pytest.approx(corners, abs=2.0)


# -- Boxes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def montage() -> Picture:
    """Scene 1 on the left, scene 2 on the right."""
    return grey(np.hstack([draw_scene(1), draw_scene(2)]))


@pytest.mark.parametrize(("box", "seed"), [((0, 0, 320, 240), 1), ((320, 0, 640, 240), 2), ((400, 40, 620, 220), 2)])
def test_a_box_finds_the_object_inside_it_alone(engine: Engine, montage: Picture, box: Box, seed: int) -> None:
    first, *others = engine.search(montage, box=box)
    assert (first.name, first.verdict) == (f"scene-{seed:02d}.png", "same")
    assert "same" not in {hit.verdict for hit in others}


def test_the_outline_of_a_box_is_the_box_in_the_hit(engine: Engine, montage: Picture) -> None:
    first = engine.search(montage, box=(400, 40, 620, 220))[0]
    expected = np.array([[79.5, 39.5], [299.5, 39.5], [299.5, 219.5], [79.5, 219.5]])
    assert first.outline == pytest.approx(expected, abs=3.0)


def test_the_whole_picture_as_a_box_is_no_box(engine: Engine) -> None:
    boxed = engine.search(scene(3), box=(0, 0, 320, 240))
    assert [(h.name, h.score) for h in boxed] == ranking(engine, scene(3))[:20]


def test_a_box_without_texture_answers_nothing(engine: Engine) -> None:
    half_blank = np.hstack([np.full((240, 320, 3), 128, np.uint8), draw_scene(3)])
    assert engine.search(grey(half_blank), box=(0, 0, 150, 240)) == []


@pytest.mark.parametrize(
    "box",
    [(-1, 0, 10, 10), (0, 0, 321, 10), (0, 0, 10, 241), (10, 0, 10, 10), (20, 0, 10, 10), (0, 5, 10, 4),
     (0, 0, float("nan"), 10), (0, 0, float("inf"), 10)],
)  # fmt: skip
def test_a_box_outside_the_picture_is_refused(engine: Engine, box: Box) -> None:
    with pytest.raises(ImageError, match="expected x0 < x1 and y0 < y1 inside the picture's 320 x 240 pixels"):
        engine.search(scene(3), box=box)


# -- Opening ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_vocabulary_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    descriptors = np.random.default_rng(0).integers(0, 90, (300, 128)).astype(np.uint8)
    features = load_vocabulary(vocabulary_folder).features
    folder = tmp_path_factory.mktemp("other") / "vocabulary"
    train_vocabulary(Sample(descriptors, np.empty(0, np.uint64), features, "noise"), TrainOptions(words=8)).save(folder)
    return folder


def test_another_vocabulary_is_refused(index_folder: Path, other_vocabulary_folder: Path) -> None:
    with pytest.raises(MismatchError, match="name the right one with vocabulary"):
        Engine.open(index_folder, other_vocabulary_folder)
    with pytest.raises(MismatchError):
        Engine.open_or_create(index_folder, other_vocabulary_folder)


def test_a_vocabulary_of_fewer_words_than_a_query_asks_for_still_answers(
    tmp_path: Path, other_vocabulary_folder: Path, photos: Path
) -> None:
    engine = Engine.create(tmp_path / "index", other_vocabulary_folder)
    engine.add([photos / "scene-00.png"], ALONE)
    hits = engine.search(scene(0), SearchOptions(vote=VoteOptions(words_per_feature=64)))
    assert [hit.verdict for hit in hits] == ["same"]


def test_other_features_are_refused(index_folder: Path, vocabulary_folder: Path) -> None:
    assert len(Engine.open_or_create(index_folder, vocabulary_folder, max_side=1024)) == N_SCENES
    with pytest.raises(MismatchError, match="max_side=512"):
        Engine.open_or_create(index_folder, vocabulary_folder, max_side=512)


def test_features_out_of_range_are_refused(tmp_path: Path, vocabulary_folder: Path) -> None:
    with pytest.raises(OptionError, match="max_side: expected 16 to 16384, found 3"):
        Engine.open_or_create(tmp_path / "new", vocabulary_folder, max_side=3)
    assert not (tmp_path / "new").exists()


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexStoreError, match="no index here"):
        Engine.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_unknown_ranker_is_refused() -> None:
    with pytest.raises(OptionError, match=r"^ranker: expected one of bof, votes, tfidf, .*, found 'magic'"):
        SearchOptions(ranker="magic")


def test_an_unknown_way_to_mirror_is_refused() -> None:
    with pytest.raises(OptionError, match="expected one of auto, always, never, found 'often'"):
        SearchOptions(mirror="often")
