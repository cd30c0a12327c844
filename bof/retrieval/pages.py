"""A page of an answer: which of its images, or of its groups, become hits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.grouped import FieldValues, grouped
from bof.retrieval.hits import Hits, PlacedImage
from bof.store.catalog import Selection


@dataclass(frozen=True, slots=True)
class HitRange:
    """At most `top` hits from `offset` on, of those with one of some verdicts; of all where none is named."""

    top: int = 20
    offset: int = 0
    verdicts: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class HitPage:
    """Some hits of an answer, the total of those that pass the filters, and what the catalogue says of them: a commit
    since may have taken one out.
    """

    hits: Hits
    total: int
    selection: Selection


def page_of(
    answer: Answer, field_values: FieldValues | None, options: VerifyOptions, chosen: HitRange
) -> tuple[list[PlacedImage], int]:
    """The images of a page, each at its place, and the total of all pages. field_values: to group by, if any."""
    groups = None if field_values is None else grouped(answer, field_values, options)
    images = answer.images if groups is None else groups.images
    is_chosen = (
        answer.have_verdicts(images, chosen.verdicts, options) if chosen.verdicts else np.ones(len(images), bool)
    )
    places = np.flatnonzero(is_chosen)
    shown = places[chosen.offset : chosen.offset + chosen.top]
    if groups is not None:
        return groups.placed(shown), len(places)
    pairs = zip(images[shown].tolist(), answer.scores[shown].tolist(), strict=True)
    return [PlacedImage(*pair) for pair in pairs], len(places)
