"""Query expansion: what was found for certain asks in its turn, and its answers count for the query too.

Sources: Chum et al. 2007 (only verified results expand); Tolias and Jegou 2014 (with Hamming signatures).
"""

from __future__ import annotations

from collections.abc import Mapping

from bof.evidence import gained
from bof.looking import count_agreeing
from bof.options import VerifyOptions, VoteOptions
from bof.scoring import self_similarity, top_images, vote
from bof.store import Snapshot
from bof.types import QueryWords

_DEPTH = 50
_FULL_TRUST = 20
"""Inliers from which a verified picture is trusted as much as the query itself; below, in proportion."""


def expand(
    snapshot: Snapshot, seeds: Mapping[int, int], voting: VoteOptions, verifying: VerifyOptions
) -> dict[int, float]:
    """What verified pictures add to others' similarity, by image. seeds: image -> inliers it was verified with.

    A picture asks with the words and signatures that the index holds of it, one word a feature. Nothing adds to
    itself: that it is like itself says nothing about the query.
    """
    added: dict[int, float] = {}
    for seed, n_inliers in seeds.items():
        word, signature = snapshot.words(seed)
        votes = vote(snapshot.postings, snapshot.weights, QueryWords(word[:, None], signature[:, None]), voting)
        images = top_images(votes.score, _DEPTH + 1)[: _DEPTH + 1]
        agreeing = count_agreeing(snapshot, snapshot.geometry(seed), votes, images, verifying)
        trust = min(1.0, n_inliers / _FULL_TRUST) / self_similarity(snapshot.weights, word)[0]
        for image, n in zip(images.tolist(), agreeing, strict=True):
            if image != seed:
                added[image] = added.get(image, 0.0) + trust * gained(float(votes.score[image]), n)
    return added
