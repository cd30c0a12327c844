"""Several pictures are one query: each is searched with, and what they say of an image adds up.

A thing has several sides, and its look-alikes share some of them: what has a little in common with every picture is
likelier a look-alike than the thing, and probabilities count for more than votes do. The score of an image is the mean
over the pictures, 0 where one does not find it; its proof is that of the picture by which it has most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.evidence import PROBABILITY_WEIGHT
from bof.retrieval.shortlist import best_first
from bof.types import F64, I64

_Value = TypeVar("_Value")

_OF_VOTES = 0.3
"""What the votes for an image count beside its probability, of what they do in the answer to one picture. On packages
the same from 0.2 to 0.4; at 1 the siblings of a product pass it.
"""


def joined(answers: Sequence[Answer], collection: Collection) -> Answer:
    """The answers to several pictures as one.

    `query_numbers` says by which of the pictures each image is proved. An image that is the very file of one of them
    comes first.
    """
    if len(answers) == 1:
        return answers[0]
    scores = np.stack([_scores(answer, len(collection.rows)) for answer in answers])
    mean = np.asarray(scores.mean(axis=0), np.float64)
    numbers = _numbers(answers, scores)
    images = _ranked(collection, mean, answers)
    seconds = {stage: sum(one.seconds.get(stage, 0.0) for one in answers) for one in answers for stage in one.seconds}
    return Answer(
        images,
        mean[images],
        _chosen([one.verifications for one in answers], numbers),
        _chosen([one.evidence for one in answers], numbers),
        seconds,
        _chosen([one.verdicts for one in answers], numbers),
        _chosen([one.agreements for one in answers], numbers),
        _chosen([one.basis for one in answers], numbers),
        None,
        numbers,
    )


def _scores(answer: Answer, n_images: int) -> F64:
    """What each image has, f64 (n_images,): what rests on votes counts less; what a person has said counts."""
    scores, sure = np.zeros(n_images), np.zeros(n_images)
    scores[answer.images] = answer.scores
    for image in answer.evidence:
        sure[image] = min(scores[image], PROBABILITY_WEIGHT * (answer.probability(image) or 0.0))
    judged = [image for image, basis in answer.basis.items() if basis == "person"]
    sure[judged] = scores[judged]
    return np.asarray(_OF_VOTES * scores + (1 - _OF_VOTES) * sure, np.float64)


def _numbers(answers: Sequence[Answer], scores: F64) -> dict[int, int]:
    """By which picture each image that is known otherwise than by votes is known best."""
    numbers: dict[int, int] = {}
    for number, answer in enumerate(answers):
        for image in {*answer.evidence, *answer.verdicts, *answer.basis}:
            before = numbers.get(image)
            if before is None or scores[number, image] > scores[before, image]:
                numbers[image] = number
    return numbers


def _ranked(collection: Collection, mean: F64, answers: Sequence[Answer]) -> I64:
    """Best first, ties by name; before all others those that are files of the query."""
    images = best_first(collection, mean, len(mean))
    own = np.isin(images, [image for one in answers for image, basis in one.basis.items() if basis == "content"])
    return np.concatenate([images[own], images[~own]])


def _chosen(of_answers: Sequence[Mapping[int, _Value]], numbers: Mapping[int, int]) -> dict[int, _Value]:
    """Of each image what the answer has that it is proved by."""
    return {image: of_answers[n][image] for image, n in numbers.items() if image in of_answers[n]}
