"""A page of an answer: which of its images, or of its groups, become hits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from bof.options import TOP, SearchOptions, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.grouped import FieldValues, grouped
from bof.retrieval.hits import Hits, PlacedImage
from bof.store.catalog import Selection
from bof.store.film_frames import FilmFrames


@dataclass(frozen=True, slots=True)
class HitRange:
    """At most `top` hits from `offset` on, of those with one of some verdicts; of all where none is named."""

    top: int = TOP.default
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
    answer: Answer,
    field_values: FieldValues | None,
    films: FilmFrames | None,
    options: SearchOptions,
    chosen: HitRange,
) -> tuple[list[PlacedImage], int]:
    """The images of a page, each at its place, and the total of all pages.

    field_values: to group by, if any; films: which images are frames of films, of which one each is shown, or one a
    shot.
    """
    answer = answer if films is None else one_a_film(answer, films, by_shot=options.shots)
    groups = None if field_values is None else grouped(answer, field_values, options.verify)
    images = answer.images if groups is None else groups.images
    is_chosen = (
        answer.have_verdicts(images, chosen.verdicts, options.verify) if chosen.verdicts else np.ones(len(images), bool)
    )
    places = np.flatnonzero(is_chosen)
    shown = places[chosen.offset : chosen.offset + chosen.top]
    if groups is not None:
        return groups.placed(shown), len(places)
    pairs = zip(images[shown].tolist(), answer.scores[shown].tolist(), strict=True)
    return [PlacedImage(*pair) for pair in pairs], len(places)


def one_a_film(answer: Answer, films: FilmFrames, *, by_shot: bool) -> Answer:
    """The answer with the best frame alone of each film, or of each shot."""
    first = films.first_of_each(answer.images, by_shot=by_shot)
    return replace(answer, images=answer.images[first], scores=answer.scores[first])


def count_shots(answer: Answer, films: FilmFrames | None, options: VerifyOptions) -> dict[int, int]:
    """By the number of a film: how many of its shots are called the same; only of those that have any."""
    known = {*answer.evidence, *answer.verdicts}
    same = np.array([image for image in known if answer.verdict(image, options) == "same"], np.int64)
    if films is None or not len(same):
        return {}
    pairs = np.unique(np.stack([films.film[same], films.shot[same]]), axis=1)
    numbers, counts = np.unique(pairs[0], return_counts=True)
    n_of = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    return {number: n for number, n in n_of.items() if number >= 0}
