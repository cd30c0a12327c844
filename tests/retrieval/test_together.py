"""Several pictures of one thing are one query: what they say of an image adds up, and each hit has one proof."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import OptionError
from bof.options import IndexOptions, SearchOptions
from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.evidence import Evidence
from bof.retrieval.query import together
from bof.retrieval.together import joined
from tests.support.scenes import draw_scene, write_picture

LEFT, RIGHT = 20, 21
"""Scenes that hang side by side in one picture of the collection: two sides of a thing."""


@pytest.fixture(scope="module")
def engine(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("together")
    write_picture(folder / "both.png", np.hstack([draw_scene(LEFT), draw_scene(RIGHT)]))
    for seed in range(30, 38):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    found = Engine.create(folder / "index", vocabulary_folder)
    found.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return found


def test_one_picture_together_is_that_picture(engine: Engine) -> None:
    alone, one = engine.search(draw_scene(LEFT)), engine.search_together([draw_scene(LEFT)])
    assert one.to_records() == alone.to_records()


def test_the_order_of_the_pictures_changes_no_score(engine: Engine) -> None:
    pictures = [draw_scene(LEFT), draw_scene(35), draw_scene(RIGHT)]
    one, other = engine.search_together(pictures), engine.search_together(pictures[::-1])
    assert [(hit.name, hit.verdict) for hit in one] == [(hit.name, hit.verdict) for hit in other]
    np.testing.assert_allclose([hit.score for hit in one], [hit.score for hit in other])


def test_scores_are_the_mean_of_those_of_each_picture(engine: Engine) -> None:
    searcher = engine.searcher(SearchOptions())
    queries = [engine.query(draw_scene(seed)) for seed in (LEFT, RIGHT, 33)]
    answers = [searcher.search(query) for query in queries]
    answer = joined(answers, searcher.collection)
    for image, score in zip(answer.images.tolist(), answer.scores.tolist(), strict=True):
        own = [float(one.scores[one.images == image].sum()) for one in answers]
        sure = [10 * (one.probability(image) or 0.0) for one in answers]
        assert score == pytest.approx(np.mean([s + 0.3 * (o - s) for o, s in zip(own, sure, strict=True)]))
        proof = answer.verifications.get(image)
        assert proof is answers[answer.query_numbers[image]].verifications.get(image)
    assert np.array_equal(searcher.search(together(queries)).images, answer.images)


class _Rows(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.names)


def test_what_one_picture_proves_passes_what_all_resemble() -> None:
    alike, proved = Evidence(0.5, 0.0), Evidence(0.01, 0.999)
    resembling = Answer(np.array([0]), np.array([alike.score]), {}, {0: alike}, {})
    proving = Answer(np.array([1, 0]), np.array([proved.score, alike.score]), {}, {0: alike, 1: proved}, {})
    answer = joined(
        [resembling, proving, resembling], cast(Collection, SimpleNamespace(rows=_Rows(names=["alike", "proved"])))
    )
    assert answer.images.tolist() == [1, 0]
    assert answer.query_numbers == {0: 0, 1: 1}


def test_a_hit_is_proved_in_the_picture_that_shows_it(engine: Engine) -> None:
    pictures = [draw_scene(33), draw_scene(RIGHT)]
    hit = next(hit for hit in engine.search_together(pictures, channels="BGR") if hit.name == "both.png")
    assert (hit.query_number, hit.verdict) == (1, "same")
    assert hit.outline is not None
    np.testing.assert_allclose(hit.outline[0], [320 - 0.5, -0.5], atol=3)  # the right half
    query = together([engine.query(picture, channels="BGR") for picture in pictures])
    ours, theirs = engine.matched_points(query, hit)
    np.testing.assert_allclose(theirs - ours, np.broadcast_to([320, 0], ours.shape), atol=3)


def test_no_picture_is_no_query(engine: Engine) -> None:
    with pytest.raises(OptionError, match="one picture at least"):
        engine.search_together([])
