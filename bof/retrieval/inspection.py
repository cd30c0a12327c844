"""The pixels of the first hits are compared with the query's: do they show one thing, or only share a part?

Votes and points prove that two pictures share something. What many things share (a form, a frame, artwork, a
watermark) proves nothing about the thing, so that what geometry calls the same is looked at again, pixel by pixel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bof.alignment.agreement import DECODED, agree, detail_of
from bof.alignment.likeness import compare
from bof.alignment.photograph import fit_copy
from bof.geometry.verification import MIN_LOCATED, NO_MATCHES
from bof.global_descriptors.sketch import FEW_FEATURES
from bof.images.decode import Picture
from bof.options import DuplicateOptions, PixelLimit, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.evidence import Evidence
from bof.retrieval.film_frames import film_evidence, representatives, thing_probabilities
from bof.retrieval.proving import ProvedImage, is_other_page, prove_doubtful
from bof.retrieval.query import Query
from bof.retrieval.shown import Pictures, QueryPixels, in_rgb
from bof.store.film_frames import FilmFrames
from bof.system.threads import in_threads
from bof.types import F64, Agreement, Basis, Verification

_COPY = 0.99
"""The probability that a copy of the query's photograph, or what agrees with it from edge to edge, shows the thing."""

_FIRST = 100
"""A picture with more, that is in the collection, is among so many of its own answer."""

_WEAKEST = 5

_MOST_OF_ITSELF = 150
"""A picture has at most so many inliers with itself: half of its features, which is what votes leave of many."""


@dataclass(frozen=True, slots=True)
class Inspector:
    """Compares hits with a query. limit: of the pictures as their features were extracted; by_shot: one
    frame of each shot of a film is compared, not one of each film.
    """

    collection: Collection
    pictures: Pictures
    options: VerifyOptions
    limit: PixelLimit
    by_shot: bool = False

    def inspect(
        self, query: Query, answer: Answer, whole_copies: Mapping[int, Verification] = MappingProxyType({})
    ) -> Answer:
        """The answer as contents and pixels have it: identical files first, then what was compared, by what it
        explains. whole_copies: of all of the picture, found without features.
        """
        proofs = prove_doubtful(query, answer, self.collection, self.pictures, self.options, self.limit)
        proved, parts, others = (
            [i for i, proof in proofs.items() if proof.says == says] for says in ("same", "part", "other")
        )
        before, answer = answer, _with_proofs(answer, proofs)
        live = self.collection.weights.live
        identical = [image for image in _identical(query, answer, self.pictures) if live[image]]
        whole = [image for image in whole_copies if image not in identical]
        same = [image for image in _called_same(answer, self.options) if image not in {*identical, *whole}]
        films = self.collection.films
        chosen = representatives(films, same, by_shot=self.by_shot)[: self.options.pixels]
        compared = self._compared(query, answer, chosen)
        agreements = {image: found.agreement for image, found in compared.items()}
        itself = query_as_hit(query, [answer.verifications[i] for i in agreements]) if identical or whole else None
        basis: dict[int, Basis] = {image: "pixels" if image in agreements else "points" for image in same}
        basis |= dict.fromkeys([*proved, *parts, *(image for image in others if image in same)], "pixels")
        basis |= {**dict.fromkeys(identical, "content"), **dict.fromkeys(whole, "whole")}
        evidence = {**answer.evidence, **_things(answer, same, agreements, itself, films)}
        copies = [*(image for image, found in compared.items() if found.is_copy), *proved]
        evidence |= {image: _as_copy(evidence[image]) for image in copies}
        others += [*parts, *(image for image, found in compared.items() if found.is_other and image not in proved)]
        evidence |= {image: _as_sibling(evidence[image], self.options) for image in others}
        evidence |= film_evidence(films, evidence, chosen, [image for image in same if image not in agreements])
        evidence |= {image: _certain(answer, image, 1.0) for image in identical}
        evidence |= {image: _certain(answer, image, _COPY) for image in whole}
        verifications = {**whole_copies, **answer.verifications, **{image: whole_copies[image] for image in whole}}
        for image in identical:
            known = verifications.get(image) or Verification(0, 0.0, 0.0, None, NO_MATCHES)
            verifications[image] = dataclasses.replace(known, database_from_query=np.eye(3))
        found = dataclasses.replace(answer, verifications=verifications, evidence=evidence)
        judged = dataclasses.replace(found, agreements=agreements, basis=basis)
        return _reordered(judged, before, [*identical, *whole], chosen)

    def _compared(self, query: Query, answer: Answer, images: Sequence[int]) -> dict[int, _Compared]:
        """How the pixels of images agree with the query's; nothing of those that cannot be read."""
        one = query.picture
        if one is None:
            return {}
        shown = QueryPixels.of(query, one)
        detail = detail_of(one) if images else None
        self.pictures.contents(images)  # looked up together

        def compare_with(image: int) -> _Compared | None:
            other, verification = self.pictures.read(image, DECODED), answer.verifications[image]
            if other is None or verification.database_from_query is None:
                return None
            other_from_one = verification.database_from_query @ shown.query_from_picture
            alike = shown.as_found(verification)
            found = agree(alike, other, other_from_one, shown.points(verification), detail)
            if found is None:
                return None
            is_copy = self._is_copy(shown, other, image, verification, other_from_one)
            is_other = not is_copy and is_other_page(alike, other, found, verification.n_inliers)
            return _Compared(shown.in_query(found), is_copy, is_other)

        found = zip(images, in_threads(compare_with, images), strict=True)
        return {image: compared for image, compared in found if compared is not None}

    def _is_copy(
        self, shown: QueryPixels, other: Picture, image: int, verification: Verification, other_from_one: F64
    ) -> bool:
        """Is an image the query's own photograph, cropped, turned, recoloured or drawn over?"""
        one = shown.as_found(verification)
        xy_px = self.collection.geometry(image, verification.inliers.database).xy_px
        sizes = (one.width, one.height), (other.width, other.height)
        fit = fit_copy(shown.points(verification), xy_px, other_from_one, sizes, self.limit)
        if fit.transform is None or not fit.may_be_copy:
            return False
        alike = compare(in_rgb(other), in_rgb(one), fit.transform)
        return fit.proves_copy(alike, DuplicateOptions().agreement, may_be_pasted=False)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What the pixels of a hit say."""

    agreement: Agreement
    is_copy: bool
    is_other: bool


def query_as_hit(query: Query, others: Sequence[Verification]) -> tuple[Verification, Agreement] | None:
    """What geometry and pixels would say of a copy of the query, beside other hits; None without its picture."""
    points = query.features.geometry.xy_px - np.array(query.box[:2], np.float32)
    agreement = agree(query.picture, query.picture, np.eye(3), points) if query.picture and others else None
    if agreement is None:
        return None
    n_inliers = max(min(len(points) // 2, _MOST_OF_ITSELF), *(found.n_inliers for found in others), 1)
    spread = max(found.spread for found in others)
    return dataclasses.replace(others[0], n_inliers=n_inliers, spread=spread), agreement


def _things(
    answer: Answer,
    same: Sequence[int],
    agreements: Mapping[int, Agreement],
    itself: tuple[Verification, Agreement] | None,
    films: FilmFrames | None,
) -> dict[int, Evidence]:
    """The evidence of images called the same, with the probability that each shows the thing itself.

    itself: the query as a hit, where it is in the collection: it explains what look-alikes do not.
    """
    verifications = [*(answer.verifications[image] for image in agreements), *([itself[0]] if itself else [])]
    found = [*agreements.values(), *([itself[1]] if itself else [])]
    probabilities = thing_probabilities(verifications, found, _film_numbers([*agreements], films, len(found))).tolist()
    thing: dict[int, float | None] = dict(zip(agreements, probabilities, strict=False))
    usual = _usual(list(thing.values()))
    return {image: dataclasses.replace(answer.evidence[image], thing=thing.get(image, usual)) for image in same}


def _film_numbers(images: Sequence[int], films: FilmFrames | None, n: int) -> list[int]:
    """The number of each image's film, another one for each picture, and for what is left of n."""
    alone = [-1 - place for place in range(n)]
    if films is None:
        return alone
    numbers = films.film[np.array(images, np.int64)].tolist()
    return [film if film >= 0 else other for film, other in zip(numbers, alone, strict=False)] + alone[len(numbers) :]


def _usual(things: Sequence[float | None]) -> float | None:
    """What is to be expected of hits that were not compared: what the weakest of those that were have shown."""
    known = [thing for thing in things if thing is not None][-_WEAKEST:]
    return sum(known) / len(known) if len(known) == _WEAKEST else None


def _called_same(answer: Answer, options: VerifyOptions) -> list[int]:
    """The images that geometry calls the same, best first."""
    return [i for i in answer.images.tolist() if i in answer.evidence and answer.verdict(i, options) == "same"]


def _with_proofs(answer: Answer, proofs: Mapping[int, ProvedImage]) -> Answer:
    """The answer with images that pixels proved to share something: it is sure of them, and knows where they lie.

    Where fewer points than MIN_LOCATED have laid an image over the query and pixels say nothing, nobody knows.
    """
    evidence, verifications = dict(answer.evidence), dict(answer.verifications)
    for image, found in answer.verifications.items():
        if found.n_inliers < MIN_LOCATED and (found.tentative or found.database_from_query is not None):
            verifications[image] = Verification(found.n_inliers, 0.0, 0.0, None, NO_MATCHES)
    for image, proof in proofs.items():
        verifications[image] = proof.verification
        if proof.says in ("same", "part"):
            shared = max(_COPY, answer.evidence[image].shared or 0.0)
            evidence[image] = dataclasses.replace(answer.evidence[image], shared=shared)
    return dataclasses.replace(answer, evidence=evidence, verifications=verifications)


def _identical(query: Query, answer: Answer, pictures: Pictures) -> list[int]:
    """The images whose files are the query's."""
    if not query.sha256:
        return []
    first = answer.images[:_FIRST].tolist()
    contents = pictures.contents(first)
    found = [image for image in first if contents.get(image) == query.sha256]
    return found or (list(pictures.find(query.sha256)) if len(query.features) < FEW_FEATURES else [])


def _as_copy(known: Evidence) -> Evidence:
    """The evidence of a copy of the query's photograph."""
    return dataclasses.replace(known, thing=max(_COPY, known.thing or 0.0))


def _as_sibling(known: Evidence, options: VerifyOptions) -> Evidence:
    """The evidence of a picture that shows something else in one place."""
    is_shared = known.shared is not None and known.shared >= options.same
    usual = 1.0 if known.thing is None else known.thing
    return dataclasses.replace(known, thing=min(usual, options.thing / 2)) if is_shared else known


def _certain(answer: Answer, image: int, probability: float) -> Evidence:
    """The evidence of an image that is known without its points."""
    known = answer.evidence.get(image)
    return Evidence(known.gained if known else 0.0, probability, probability)


def _reordered(judged: Answer, before: Answer, identical: Sequence[int], chosen: Sequence[int]) -> Answer:
    """Identical files first, then what was compared in the order of its scores, then the rest as it was."""
    is_ranked = np.isin(before.images, [*identical, *chosen])
    scores = dict(zip(before.images[is_ranked].tolist(), before.scores[is_ranked].tolist(), strict=True))
    for image in (*identical, *chosen):
        known = before.evidence.get(image)
        scores[image] = scores.get(image, 0.0) + judged.evidence[image].score - (known.score if known else 0.0)
    ranked = [*identical, *sorted(chosen, key=lambda image: -scores[image])]
    images = np.concatenate([np.array(ranked, np.int64), before.images[~is_ranked]])
    of_ranked = np.array([scores[image] for image in ranked], np.float64)
    return dataclasses.replace(judged, images=images, scores=np.concatenate([of_ranked, before.scores[~is_ranked]]))
