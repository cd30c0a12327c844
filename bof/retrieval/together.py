"""Several pictures are one query: each is searched with, and what they say of an image adds up.

A thing has several sides, and its look-alikes share some of them. The score of an image is the mean of what it has by
each picture, 0 where one does not find it; its proof is that of the picture by which it has most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from bof.retrieval.answer import Answer
from bof.store.catalog import CatalogueColumns
from bof.types import F64

_Value = TypeVar("_Value")


def joined(answers: Sequence[Answer], rows: CatalogueColumns) -> Answer:
    """The answers to several pictures as one. rows: the names, by which ties are broken.

    `query_numbers` says by which of the pictures each image is proved. An image that is the very file of one of them
    comes first.
    """
    scores = np.zeros((len(answers), len(rows)))
    for number, answer in enumerate(answers):
        scores[number, answer.images] = answer.scores
    mean = np.asarray(scores.mean(axis=0), np.float64)
    best = scores.argmax(axis=0)
    numbers = _numbers(answers, scores)
    images = _ranked(np.flatnonzero(mean > 0).tolist(), mean, answers, rows)
    seconds = {stage: sum(one.seconds.get(stage, 0.0) for one in answers) for one in answers for stage in one.seconds}
    numbers |= {image: int(best[image]) for image in images if image not in numbers}
    return Answer(
        np.array(images, np.int64),
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


def _numbers(answers: Sequence[Answer], scores: F64) -> dict[int, int]:
    """By which picture each image that is known otherwise than by votes is known best."""
    numbers: dict[int, int] = {}
    for number, answer in enumerate(answers):
        for image in {*answer.evidence, *answer.verdicts, *answer.basis}:
            before = numbers.get(image)
            if before is None or scores[number, image] > scores[before, image]:
                numbers[image] = number
    return numbers


def _ranked(images: Sequence[int], mean: F64, answers: Sequence[Answer], rows: CatalogueColumns) -> list[int]:
    """Best first, ties by name; before all others those that are files of the query."""
    own = {image for answer in answers for image, basis in answer.basis.items() if basis == "content"}
    return sorted(images, key=lambda image: (image not in own, -mean[image], rows.names[image]))


def _chosen(of_answers: Sequence[Mapping[int, _Value]], numbers: Mapping[int, int]) -> dict[int, _Value]:
    """Of each image what the answer has that it is proved by."""
    return {image: of_answers[n][image] for image, n in numbers.items() if image in of_answers[n]}
