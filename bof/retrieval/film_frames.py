"""Frames of one film are no rivals of each other: one stands for all, and what it proves holds for the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from bof.retrieval.evidence import Evidence
from bof.retrieval.thing import quantities, thing_model
from bof.store.film_frames import FilmFrames
from bof.types import F64, I64, Agreement, Verification


def representatives(films: FilmFrames | None, images: Sequence[int], *, by_shot: bool = False) -> list[int]:
    """Images, best first: of a film, or of a shot, the best alone."""
    if films is None:
        return list(images)
    first = films.first_of_each(np.array(images, np.int64), by_shot=by_shot)
    return [image for image, is_first in zip(images, first.tolist(), strict=True) if is_first]


def thing_probabilities(
    verifications: Sequence[Verification], agreements: Sequence[Agreement], films: Sequence[int]
) -> F64:
    """That each of one query's hits shows the thing itself, f64 (n,), by what its rivals explain.

    films: the number of each hit's film, another one for each picture. The rivals of a frame are the best hit of each
    other film, and the pictures.
    """
    if len(set(films)) == len(films):
        return thing_model().probability(quantities(verifications, agreements))
    number = np.array(films, np.int64)
    first = np.sort(np.unique(number, return_index=True)[1])
    found = [
        _alone(place, first[number[first] != number[place]], verifications, agreements) for place in range(len(films))
    ]
    return thing_model().probability(np.stack(found))


def _alone(place: int, rivals: I64, verifications: Sequence[Verification], agreements: Sequence[Agreement]) -> F64:
    """The quantities of one hit beside its rivals."""
    rows = [place, *rivals.tolist()]
    return np.asarray(quantities([verifications[i] for i in rows], [agreements[i] for i in rows])[0], np.float64)


def film_evidence(
    films: FilmFrames | None, evidence: Mapping[int, Evidence], chosen: Sequence[int], others: Sequence[int]
) -> dict[int, Evidence]:
    """The evidence of others, as what was chosen of their shot proves, else of their film; nothing of the rest."""
    if films is None:
        return {}
    frames = [image for image in reversed(chosen) if films.film[image] >= 0]
    of_film = {int(films.film[image]): evidence[image].thing for image in frames}
    of_shot = {int(films.shot[image]): evidence[image].thing for image in frames}
    found = {}
    for image in others:
        film, shot = int(films.film[image]), int(films.shot[image])
        if film in of_film:
            found[image] = dataclasses.replace(evidence[image], thing=of_shot.get(shot, of_film[film]))
    return found
