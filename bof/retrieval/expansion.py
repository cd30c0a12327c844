"""Query expansion: what was found for certain asks in its turn, and its answers count for the query too.

Sources: Chum et al. 2007 (only verified results expand); Tolias and Jegou 2014 (with Hamming signatures).
"""

from __future__ import annotations

from collections.abc import Mapping

from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.evidence import gained
from bof.retrieval.shortlist import best_first, count_agreeing
from bof.retrieval.votes import self_similarity, vote
from bof.store.index import Snapshot
from bof.system.threads import in_threads
from bof.types import QueryWords

DEPTH = 50
_WORTH_A_THREAD = 1 << 23
"""Features of a collection in which asking is more reading than handing over: threads then share the pictures."""

_FULL_TRUST = 20
"""Inliers from which a verified picture is trusted as much as the query itself; below, in proportion."""


def expand(
    snapshot: Snapshot, seeds: Mapping[int, int], voting: VoteOptions, verifying: VerifyOptions
) -> dict[int, float]:
    """What verified pictures add to others' similarity, by image. seeds: image -> inliers it was verified with.

    A picture asks with the words and signatures that the index holds of it, one word a feature. Nothing adds to
    itself: that it is like itself says nothing about the query.
    """
    is_large = snapshot.n_features >= _WORTH_A_THREAD
    found = in_threads(lambda seed: _ask(snapshot, seed, voting, verifying, DEPTH), seeds, worth=is_large)
    added: dict[int, float] = {}
    for n_inliers, (own, others) in zip(seeds.values(), found, strict=True):
        trust = min(1.0, n_inliers / _FULL_TRUST) / own
        for image, similarity in others:
            added[image] = added.get(image, 0.0) + trust * similarity
    return added


def neighbours(
    snapshot: Snapshot, image: int, voting: VoteOptions, verifying: VerifyOptions, depth: int = DEPTH
) -> list[tuple[int, float]]:
    """The images most like an indexed one, which is not among them, and what votes and agreeing points say of each."""
    return _ask(snapshot, image, voting, verifying, depth)[1]


def _ask(
    snapshot: Snapshot, image: int, voting: VoteOptions, verifying: VerifyOptions, depth: int
) -> tuple[float, list[tuple[int, float]]]:
    """What an indexed image scores against itself, and its neighbours."""
    word, signature = snapshot.words(image)
    own = self_similarity(snapshot.weights, word)[0]
    votes = vote(snapshot.postings, snapshot.weights, QueryWords(word[:, None], signature[:, None]), voting)
    images = best_first(snapshot, votes.score, depth + 1)
    agreeing = count_agreeing(snapshot, snapshot.geometry(image), votes, images, verifying)
    pairs = zip(images.tolist(), agreeing, strict=True)
    return own, [(other, gained(float(votes.score[other]), n)) for other, n in pairs if other != image]
