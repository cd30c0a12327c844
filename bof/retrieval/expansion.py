"""Query expansion: pictures called the same become queries (seeds), and what they find counts for the query too.

Sources: Chum et al. 2007 (only verified results expand); Tolias and Jegou 2014 (with Hamming signatures).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bof.retrieval.evidence import gained
from bof.retrieval.shortlist import VoteAndVerify, best_first
from bof.system.stopwatch import Stopwatch
from bof.system.threads import in_threads
from bof.types import Bool, Geometry, Overlay, QueryWords

DEPTH = 50
_WORTH_A_THREAD = 1 << 23
"""Features of a collection in which a seed's search is more reading than handing over: threads then share the seeds."""

FULL_TRUST = 20
"""Inliers from which a verified picture is trusted as much as the query itself; below, in proportion."""


def expand(stages: VoteAndVerify, seeds: Mapping[int, int]) -> dict[int, float]:
    """What seeds add to others' similarity, by image. seeds: image -> inliers it was verified with.

    A seed searches with the words and signatures that the index holds of it, one word a feature. Nothing adds to
    itself: that it is like itself says nothing about the query. A film is one thing there.
    """
    is_large = stages.collection.n_features >= _WORTH_A_THREAD
    found = in_threads(lambda seed: _search(stages, seed, DEPTH, without_film=True), seeds, worth=is_large)
    added: dict[int, float] = {}
    for n_inliers, (own, others) in zip(seeds.values(), found, strict=True):
        trust = min(1.0, n_inliers / FULL_TRUST) / own
        for image, similarity in others:
            added[image] = added.get(image, 0.0) + trust * similarity
    return added


def neighbours(stages: VoteAndVerify, image: int, depth: int = DEPTH) -> list[tuple[int, float]]:
    """The images most like an indexed one, which is not among them, and what votes and agreeing points say of each."""
    return _search(stages, image, depth)[1]


def _search(
    stages: VoteAndVerify, image: int, depth: int, *, without_film: bool = False
) -> tuple[float, list[tuple[int, float]]]:
    """What an indexed image scores against itself, and its neighbours; an overlay on it counts for nothing.

    without_film: frames of its own film are no neighbours.
    """
    films = stages.collection.films
    if without_film and films is not None and films.film[image] >= 0:
        is_other: Bool | None = films.film != films.film[image]
    else:
        is_other = None
    geometry, (word, signature) = stages.collection.geometry(image), stages.collection.words(image)
    words = QueryWords(word[:, None], signature[:, None])
    own, found, overlay = _ask(stages, geometry, words, depth, is_other)
    if overlay is not None:
        left = np.setdiff1d(np.arange(len(word)), overlay.features)
        own, found, _ = _ask(stages, geometry.take(left), words.take(left), depth, is_other)
    return own, [pair for pair in found if pair[0] != image]


def _ask(
    stages: VoteAndVerify, query: Geometry, words: QueryWords, depth: int, among: Bool | None = None
) -> tuple[float, list[tuple[int, float]], Overlay | None]:
    """What features score against themselves, the images most like them, and the overlay that many of these share.

    among bool (n_images,): which images may be found, None: any.
    """
    voted = stages.votes_of_words(words, Stopwatch())
    score = voted.votes.score if among is None else np.where(among, voted.votes.score, 0.0)
    images = best_first(stages.collection, score, depth + 1)
    agreeing, overlay = stages.quick_verify(query, voted.votes, images)
    pairs = zip(images.tolist(), agreeing, strict=True)
    return voted.own, [(other, gained(float(voted.votes.score[other]), n)) for other, n in pairs], overlay
