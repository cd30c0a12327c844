"""A page of an answer: which of its images, or of its groups, become hits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.grouped import FieldValues, grouped
from bof.retrieval.hits import Hits, PlacedImage
from bof.types import I64


@dataclass(frozen=True, slots=True)
class HitRange:
    """At most `top` hits from `offset` on, of those with one of some verdicts; of all where none is named."""

    top: int = 20
    offset: int = 0
    verdicts: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class HitPage:
    """Some hits of an answer, and the total of those that pass the filters."""

    hits: Hits
    total: int


def page_of(
    answer: Answer, field_values: FieldValues | None, options: VerifyOptions, chosen: HitRange
) -> tuple[list[PlacedImage], int]:
    """The images of a page, each at its place, and the total of all pages. field_values: to group by, if any."""
    groups = None if field_values is None else grouped(answer, field_values, options)
    images = answer.images if groups is None else groups.images
    places = _of_verdicts(answer, images, chosen.verdicts, options)
    shown = places[chosen.offset : chosen.offset + chosen.top]
    if groups is not None:
        return groups.placed(shown), len(places)
    pairs = zip(images[shown].tolist(), answer.scores[shown].tolist(), strict=True)
    return [PlacedImage(*pair) for pair in pairs], len(places)


def _of_verdicts(answer: Answer, images: I64, verdicts: Collection[str], options: VerifyOptions) -> I64:
    """Places i64 (k,) of those images that have one of these verdicts; of all where none is named."""
    if not verdicts:
        return np.arange(len(images))
    known = np.array(sorted({*answer.evidence, *answer.verdicts}), np.int64)
    chosen = [answer.verdict(image, options) in verdicts for image in known.tolist()]
    retained = np.isin(images, known[np.array(chosen, np.bool_)])
    if "unverified" in verdicts:
        retained |= ~np.isin(images, known)
    return np.flatnonzero(retained)
