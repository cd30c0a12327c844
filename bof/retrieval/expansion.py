"""Query expansion: pictures called the same become queries (seeds), and what they find counts for the query too.

Sources: Chum et al. 2007 (only verified results expand); Tolias and Jegou 2014 (with Hamming signatures).
"""

from __future__ import annotations

from collections.abc import Mapping

from bof.retrieval.evidence import gained
from bof.retrieval.shortlist import VoteAndVerify, best_first
from bof.retrieval.votes import self_similarity, vote
from bof.system.threads import in_threads
from bof.types import QueryWords

DEPTH = 50
_WORTH_A_THREAD = 1 << 23
"""Features of a collection in which a seed's search is more reading than handing over: threads then share the seeds."""

_FULL_TRUST = 20
"""Inliers from which a verified picture is trusted as much as the query itself; below, in proportion."""


def expand(stages: VoteAndVerify, seeds: Mapping[int, int]) -> dict[int, float]:
    """What seeds add to others' similarity, by image. seeds: image -> inliers it was verified with.

    A seed searches with the words and signatures that the index holds of it, one word a feature. Nothing adds to
    itself: that it is like itself says nothing about the query.
    """
    is_large = stages.collection.n_features >= _WORTH_A_THREAD
    found = in_threads(lambda seed: _search(stages, seed, DEPTH), seeds, worth=is_large)
    added: dict[int, float] = {}
    for n_inliers, (own, others) in zip(seeds.values(), found, strict=True):
        trust = min(1.0, n_inliers / _FULL_TRUST) / own
        for image, similarity in others:
            added[image] = added.get(image, 0.0) + trust * similarity
    return added


def neighbours(stages: VoteAndVerify, image: int, depth: int = DEPTH) -> list[tuple[int, float]]:
    """The images most like an indexed one, which is not among them, and what votes and agreeing points say of each."""
    return _search(stages, image, depth)[1]


def _search(stages: VoteAndVerify, image: int, depth: int) -> tuple[float, list[tuple[int, float]]]:
    """What an indexed image scores against itself, and its neighbours."""
    collection = stages.collection
    word, signature = collection.words(image)
    own = self_similarity(collection.weights, word)[0]
    words = QueryWords(word[:, None], signature[:, None])
    votes = vote(collection.postings, collection.weights, words, stages.voting)
    images = best_first(collection, votes.score, depth + 1)
    agreeing = stages.count_agreeing(collection.geometry(image), votes, images)
    pairs = zip(images.tolist(), agreeing, strict=True)
    return own, [(other, gained(float(votes.score[other]), n)) for other, n in pairs if other != image]
