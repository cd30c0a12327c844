"""An answer grouped by a field of its pictures: the best picture of each product, and what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.hits import PlacedImage
from bof.types import F64, I32, I64, ValueGroup


@dataclass(frozen=True, slots=True)
class FieldValues:
    """The values that a field has: images i64 (m,) and values i32 (m,), a pair for each value of an image, by number;
    names: of the values; n_images i64 (v,): live images that have each.
    """

    field: str
    images: I64
    values: I32
    names: Sequence[str]
    n_images: I64


@dataclass(frozen=True, slots=True)
class GroupedAnswer:
    """The best image of each of g groups, best group first, as columns. values: the number of each group's value, -1 of
    an image without the field, which is a group of its own; n_agree, n_found, margins: see `ValueGroup`.
    """

    field_values: FieldValues
    images: I64
    scores: F64
    values: I64
    n_agree: I64
    n_found: I64
    margins: F64

    def placed(self, groups: I64) -> list[PlacedImage]:
        """Some of the groups, each as its best image at its place."""
        return [PlacedImage(int(self.images[g]), float(self.scores[g]), self._group(g)) for g in groups.tolist()]

    def _group(self, g: int) -> ValueGroup:
        found, value = self.field_values, int(self.values[g])
        margin = float(self.margins[g]) if len(self.images) > 1 else None
        name, n_images = (None, 1) if value < 0 else (found.names[value], int(found.n_images[value]))
        return ValueGroup(found.field, name, int(self.n_agree[g]), int(self.n_found[g]), n_images, margin)


def grouped(answer: Answer, field_values: FieldValues, options: VerifyOptions) -> GroupedAnswer:
    """The answer by the values of a field; an image with several is in several groups.

    Groups are in the order of their best images, those of one image in the order of the values' names.
    """
    rank, value = _memberships(answer, field_values)
    order = np.lexsort((rank, value))
    rank, value = rank[order], value[order]
    is_first = np.r_[True, (value[1:] != value[:-1]) | (value[1:] < 0)][: len(value)]
    group = np.cumsum(is_first) - 1
    n_groups = int(is_first.sum())
    agrees = answer.have_verdicts(answer.images, ("same",), options)
    n_agree = np.bincount(group[agrees[rank]], minlength=n_groups)
    best = rank[is_first]
    by_rank = np.argsort(best, kind="stable")
    scores = answer.scores[best[by_rank]]
    return GroupedAnswer(
        field_values,
        answer.images[best[by_rank]],
        scores,
        value[is_first][by_rank],
        n_agree[by_rank],
        np.bincount(group, minlength=n_groups)[by_rank],
        _margins(scores),
    )


def _memberships(answer: Answer, found: FieldValues) -> tuple[I64, I64]:
    """Ranks i64 (k,) and values i64 (k,): a pair for each value of each image of the answer, -1 for one without."""
    size = 1 + max(int(answer.images.max(initial=-1)), int(found.images.max(initial=-1)))
    rank_of = np.full(size, -1, np.int64)
    rank_of[answer.images] = np.arange(len(answer.images))
    rank = rank_of[found.images]
    is_found = rank >= 0
    has_value = np.zeros(len(answer.images), np.bool_)
    has_value[rank[is_found]] = True
    alone = np.flatnonzero(~has_value)
    values = found.values[is_found].astype(np.int64)
    return np.concatenate([rank[is_found], alone]), np.concatenate([values, np.full(len(alone), -1, np.int64)])


def _margins(scores: F64) -> F64:
    """Each score less the highest of the others."""
    if len(scores) < 2:
        return np.zeros(len(scores))
    first = int(np.argmax(scores))
    others = np.full(len(scores), scores[first])
    others[first] = np.delete(scores, first).max()
    return np.asarray(scores - others, np.float64)
