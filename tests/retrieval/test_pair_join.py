"""bof.retrieval.pair_join: what a search calls the same is proposed, whatever is joined with it; nothing else is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.grouping import candidates, joining
from bof.grouping.candidates import VerifiedCandidate, find_all_candidates, find_candidates, search_options
from bof.options import IndexOptions
from bof.retrieval import pair_join
from bof.retrieval.searcher import Searcher
from bof.store.index import Snapshot
from bof.vocabulary.reconstruction import Reconstruction
from tests.support.scenes import draw_scene, write_picture


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Iterator[Engine]:
    """Six scenes, of the first three a crop, a mirror image and a smaller one; in two segments."""
    folder = tmp_path_factory.mktemp("joined")
    with Engine.create(folder / "index", vocabulary_folder) as opened:
        for number in range(6):
            write_picture(folder / "first" / f"{number}.png", draw_scene(number))
        opened.add([folder / "first"], IndexOptions(workers=1))
        write_picture(folder / "second" / "crop.png", draw_scene(0)[20:-40, 30:-50])
        write_picture(folder / "second" / "mirror.png", np.ascontiguousarray(draw_scene(1)[:, ::-1]))
        write_picture(folder / "second" / "small.png", np.ascontiguousarray(draw_scene(2)[::2, ::2]))
        opened.add([folder / "second"], IndexOptions(workers=1))
        yield opened


@pytest.fixture(scope="module")
def searcher(engine: Engine) -> Searcher:
    return engine.searcher(search_options(25))


def both_ways(
    engine: Engine, searcher: Searcher
) -> tuple[list[list[VerifiedCandidate]], list[list[VerifiedCandidate]]]:
    """What is found of every image, by a query for each, and joined."""
    reconstruction, limit = Reconstruction.of(searcher.vocabulary), engine.features.extent
    images = range(searcher.collection.n_images)
    alone = [find_candidates(searcher, reconstruction, image, limit) for image in images]
    return alone, find_all_candidates(searcher, reconstruction, images, limit)


def test_what_queries_find_is_found_by_the_join(
    engine: Engine, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_FEW_FEATURES", 1)  # scenes are drawn with few
    alone, joined = both_ways(engine, searcher)
    names = searcher.collection.rows.names
    found = {(names[i], names[one.image]) for i, of_image in enumerate(joined) for one in of_image}
    assert found == {(names[i], names[one.image]) for i, of_image in enumerate(alone) for one in of_image}
    pairs = {frozenset(Path(name).stem for name in pair) for pair in found}
    assert {frozenset({"0", "crop"}), frozenset({"1", "mirror"}), frozenset({"2", "small"})} <= pairs


def test_what_is_joined_with_a_picture_changes_nothing(engine: Engine, searcher: Searcher) -> None:
    reconstruction, limit = Reconstruction.of(searcher.vocabulary), engine.features.extent
    images = list(range(searcher.collection.n_images))
    joined = joining.PictureJoin(searcher, reconstruction, 1)
    together = joined.candidates(images)
    for image in images:
        (alone,) = joined.candidates([image])
        assert alone is not None
        assert (known := together[image]) is not None
        assert {i: e.score for i, e in alone.candidates.evidence.items()} == {
            i: e.score for i, e in known.candidates.evidence.items()
        }
    assert [len(one) for one in find_all_candidates(searcher, reconstruction, images, limit)]


def test_pictures_that_may_not_answer_are_not_proposed(engine: Engine, searcher: Searcher) -> None:
    names = [Path(name).stem for name in searcher.collection.rows.names]
    ids = set(searcher.collection.rows.id.tolist()) - {int(searcher.collection.rows.id[names.index("crop")])}
    joined = joining.PictureJoin(searcher.restricted(ids), Reconstruction.of(searcher.vocabulary), 1)
    (found,) = joined.candidates([names.index("0")])
    assert found is not None
    assert names.index("crop") not in found.candidates.evidence
    assert joined.candidates([]) == []


def test_pictures_of_few_features_and_those_with_an_overlay_are_left_out(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconstruction = Reconstruction.of(searcher.vocabulary)
    assert joining.PictureJoin(searcher, reconstruction, 10**6).candidates([0, 1]) == [None, None]
    monkeypatch.setattr(joining.PictureJoin, "_has_overlay", lambda *_: True)
    assert joining.PictureJoin(searcher, reconstruction, 1).candidates([0]) == [None]


def test_the_strongest_of_each_view_and_all_that_tie_with_the_last_are_looked_at() -> None:
    view = np.array([0, 0, 0, 0, 1, 1, 2])
    score = np.array([1.0, 3.0, 2.0, 2.0, 5.0, 4.0, 0.5])
    assert sorted(pair_join._strongest(view, score, 2).tolist()) == [1, 2, 3, 4, 5, 6]
    assert sorted(pair_join._strongest(view, score, 1).tolist()) == [1, 4, 6]


def test_an_empty_collection_and_a_large_one(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_join, "MOST_SCORES", 20)
    largest = max(part.n_images for part in searcher.collection.postings)
    assert pair_join.most_views(searcher.collection) == max(1, 20 // largest)
    assert isinstance(searcher.collection, Snapshot)
    empty = dataclasses.replace(searcher.collection, segments=[])
    assert pair_join.most_views(empty) == 20
