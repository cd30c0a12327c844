"""Query expansion: pictures called the same become queries (seeds), and what they find counts for the query too.

What a seed shares enough points with becomes a seed in its turn, the most promising first: views of a place form a
chain, of which a query sees the next links alone. Sources: Chum et al. 2007 (only verified results expand, and again
from what they found); Tolias and Jegou 2014 (with Hamming signatures).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from bof.retrieval.collection import Collection
from bof.retrieval.evidence import gained
from bof.retrieval.shortlist import VoteAndVerify, best_first
from bof.system.stopwatch import Stopwatch
from bof.system.threads import in_threads
from bof.types import Bool, Geometry, Overlay, QueryWords, Verification

DEPTH = 50
_WORTH_A_THREAD = 1 << 21
"""Features of a collection in which a seed's search is more reading than handing over: threads then share the seeds."""

FULL_TRUST = 20
"""Inliers from which a verified picture is trusted as much as the query itself; below, in proportion."""

LEAST_AGREEING = 8
"""Points that a picture shares with a seed, from which it may become a seed in its turn."""

_AT_ONCE = 2
"""So many of these search before it is looked anew which are the most promising: threads share them."""

_MOST_REMEMBERED = 4096

_ITSELF_PX = 1e-4
"""As a share of the long side: how far the points of a picture lie from themselves, as the index holds them."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """own: what an indexed image scores against itself; the images most like it, best first: what votes and agreeing
    points say of each, and how many points agree.
    """

    own: float
    images: Sequence[int]
    similarity: Sequence[float]
    n_agreeing: Sequence[int]


class NeighbourMemory:
    """The neighbourhoods of the images of one commit that were seeds last; threads share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Neighbourhood] = OrderedDict()
        self._lock = Lock()

    def get(self, image: int) -> Neighbourhood | None:
        """That of an image, where it is known."""
        with self._lock:
            if image in self._known:
                self._known.move_to_end(image)
            return self._known.get(image)

    def put(self, image: int, found: Neighbourhood) -> None:
        """Remember one; the one that was not asked for longest goes."""
        with self._lock:
            self._known[image] = found
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)


def expand(
    stages: VoteAndVerify,
    seeds: Mapping[int, int],
    n_more: int = 0,
    without: Sequence[int] = (),
    memory: NeighbourMemory | None = None,
) -> dict[int, float]:
    """What seeds add to others' similarity, by image. seeds: image -> inliers it was verified with.

    A seed searches with the words and signatures that the index holds of it, one word a feature. Nothing adds to
    itself: that it is like itself says nothing about the query. A film is one thing there. n_more: so many of the
    images that share points with seeds become seeds in their turn, those that have gained most first, and what these
    reach among them; each is trusted as far as all steps to it are; none of `without`; memory: of this commit and these
    options.
    """
    added: dict[int, float] = {}
    trust = {seed: min(1.0, n_inliers / FULL_TRUST) for seed, n_inliers in seeds.items()}
    reached = _spread(stages, trust, added, memory)
    searched, names = {*trust, *without}, stages.collection.rows.names
    while n_more > 0 and (left := [image for image in reached if image not in searched]):
        best = sorted(left, key=lambda image: (-added[image], names[image]))[: min(_AT_ONCE, n_more)]
        farther = _spread(stages, {image: reached[image] for image in best}, added, memory)
        reached |= {image: max(trusted, reached.get(image, 0.0)) for image, trusted in farther.items()}
        searched.update(best)
        n_more -= len(best)
    return added


def is_itself(collection: Collection, query: Geometry, image: int, found: Verification) -> bool:
    """Is an image the query's own picture, by where the points lie that agree? All that it says the query has said."""
    rows = collection.rows
    is_of_size = (int(rows.width[image]), int(rows.height[image])) == (query.width, query.height)
    if not is_of_size or found.query_xy_px is not None or found.mirrored or not len(found.inliers):
        return False
    apart = collection.geometry(image, found.inliers.database).xy_px - found.points_in(query)
    return bool(np.median(np.abs(apart)) <= _ITSELF_PX * query.long_side)


def _spread(
    stages: VoteAndVerify, trust: Mapping[int, float], added: dict[int, float], memory: NeighbourMemory | None
) -> dict[int, float]:
    """Add what seeds find to `added`, as far as each is trusted; returns how far that goes for what they lead to."""
    is_large = stages.collection.n_features >= _WORTH_A_THREAD
    found = in_threads(lambda seed: _neighbourhood(stages, seed, memory), trust, worth=is_large)
    reached: dict[int, float] = {}
    for trusted, near in zip(trust.values(), found, strict=True):
        for image, similarity, n in zip(near.images, near.similarity, near.n_agreeing, strict=True):
            added[image] = added.get(image, 0.0) + trusted / near.own * similarity
            if n >= LEAST_AGREEING:
                reached[image] = max(reached.get(image, 0.0), trusted * min(1.0, n / FULL_TRUST))
    return reached


def _neighbourhood(stages: VoteAndVerify, seed: int, memory: NeighbourMemory | None) -> Neighbourhood:
    """Of a seed, as it is remembered."""
    known = memory.get(seed) if memory else None
    if known is None:
        known = _search(stages, seed, DEPTH, without_film=True)
        if memory:
            memory.put(seed, known)
    return known


def neighbours(stages: VoteAndVerify, image: int, depth: int = DEPTH) -> list[tuple[int, float]]:
    """The images most like an indexed one, which is not among them, and what votes and agreeing points say of each."""
    found = _search(stages, image, depth)
    return list(zip(found.images, found.similarity, strict=True))


def _search(stages: VoteAndVerify, image: int, depth: int, *, without_film: bool = False) -> Neighbourhood:
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
    others = [one for one in found if one[0] != image]
    images, similarity, n_agreeing = ([one[column] for one in others] for column in range(3))
    return Neighbourhood(own, [int(one) for one in images], similarity, [int(n) for n in n_agreeing])


def _ask(
    stages: VoteAndVerify, query: Geometry, words: QueryWords, depth: int, among: Bool | None = None
) -> tuple[float, list[tuple[int, float, int]], Overlay | None]:
    """What features score against themselves, the images most like them, and the overlay that many of these share.

    among bool (n_images,): which images may be found, None: any.
    """
    voted = stages.votes_of_words(words, Stopwatch())
    score = voted.votes.score if among is None else np.where(among, voted.votes.score, 0.0)
    images = best_first(stages.collection, score, depth + 1)
    agreeing, overlay = stages.quick_verify(query, voted.votes, images)
    pairs = zip(images.tolist(), agreeing, strict=True)
    return voted.own, [(other, gained(float(voted.votes.score[other]), n), n) for other, n in pairs], overlay
