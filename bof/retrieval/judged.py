"""What a person has judged decides: the same ranks with the proved ones, not the same comes last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from bof.retrieval.answer import Answer
from bof.retrieval.evidence import Evidence
from bof.types import Basis, Bool, Verdict


class Judgments(Protocol):
    """What was said of the pictures of a collection."""

    def of(self, sha256: str) -> Mapping[int, bool]:
        """By image, in the order of their names: does it show the same thing as the picture of this content?

        Nothing of those not judged.
        """


def with_judgments(answer: Answer, judged: Mapping[int, bool], live: Bool) -> Answer:
    """The answer as a person has judged some of its images, ties in the order of these.

    live bool (n_images,): which images may answer.

    The same: the score that certainty gives, at its place among the others, also of an image that nothing else found.
    Not the same: no score, last. Probability and proof stay what they were. The query's own file is left as it is.
    """
    may_move = {i: same for i, same in judged.items() if live[i] and answer.basis.get(i) != "content"}
    if not may_move:
        return answer
    verdicts: dict[int, Verdict] = {i: "same" if same else "no" for i, same in may_move.items()}
    basis: dict[int, Basis] = dict.fromkeys(may_move, "person")
    moved = replace(answer, verdicts={**answer.verdicts, **verdicts}, basis={**answer.basis, **basis})
    return _reordered(moved, {i: _certain_score(answer, i) if same else 0.0 for i, same in may_move.items()})


def _certain_score(answer: Answer, image: int) -> float:
    """The score of an image, with certainty in the place of its probability."""
    known = answer.evidence.get(image)
    gained = known.gained if known else 0.0
    before = answer.scores[answer.images == image]
    score = float(before[0]) if len(before) else 0.0
    return score + Evidence(gained, 1.0).score - (known.score if known else 0.0)


def _reordered(answer: Answer, scores: Mapping[int, float]) -> Answer:
    """The images of `scores` at new places: best first behind the query's own file, without a score at the end."""
    stays = ~np.isin(answer.images, list(scores))
    images, values = answer.images[stays], answer.scores[stays]
    n_own = next((n for n, image in enumerate(images.tolist()) if answer.basis.get(image) != "content"), len(images))
    same = sorted((image for image, score in scores.items() if score > 0), key=lambda image: -scores[image])
    lower = np.maximum.accumulate(values[n_own:][::-1])[::-1]  # from a place on, no score is higher
    places = [n_own + int(np.count_nonzero(lower >= scores[image])) for image in same]
    images = np.insert(images, places, same)
    values = np.insert(values, places, [scores[image] for image in same])
    last = [image for image, score in scores.items() if score <= 0]
    return replace(
        answer,
        images=np.concatenate([images, np.array(last, np.int64)]),
        scores=np.concatenate([values, np.zeros(len(last))]),
    )
