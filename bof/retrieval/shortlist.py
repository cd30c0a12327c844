"""One look at the collection: words -> votes -> shortlist -> geometry."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from bof.features.sift import mirror_features
from bof.geometry.hypotheses import MAX_PAIRS, Placement, find_hypotheses, pair_up, placement_of
from bof.geometry.verification import verify_all
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.evidence import Evidence, weigh
from bof.retrieval.votes import Votes, self_similarity, top_images, vote
from bof.store.index import Snapshot
from bof.types import F64, I64, Correspondences, Features, Geometry, Verification
from bof.vocabulary.vocabulary import Vocabulary

POSTINGS_PER_FEATURE = 4800
MIN_WORDS, MAX_WORDS = 1, 20
"""A query feature looks into as many words as hold about this many postings."""

CLEAR_INLIERS = 40
"""With fewer the mirror image may be the better match: letters like A and M, tins and wheels look alike in it."""

DEPTH_PER_ROOT = 16
MAX_DEPTH = 2000
"""The shortlist grows with the square root of the collection."""

FIRST = 100
"""So many of it are verified first; the others only where these leave something to find."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a query sees: how similar each image is, and what geometry and votes together say of the most similar.

    similarity f64 (n_images,): votes as a share of what the query scores against itself, 0 for an image without a vote.
    """

    similarity: F64
    verifications: Mapping[int, Verification]
    evidence: Mapping[int, Evidence]

    def called_same(self, options: VerifyOptions) -> list[int]:
        """The images called the same, the strongest evidence first, ties in the order of votes."""
        same = [i for i, known in self.evidence.items() if known.verdict(options) == "same"]
        return sorted(same, key=lambda i: -self.evidence[i].score)

    def with_proof(self, found: Mapping[int, Verification], word_weight: float) -> Look:
        """This look, with geometry's word on more images. word_weight: of one of the query's features."""
        evidence = {i: weigh(float(self.similarity[i]), known, word_weight) for i, known in found.items()}
        return dataclasses.replace(
            self, verifications={**self.verifications, **found}, evidence={**self.evidence, **evidence}
        )

    def is_clear(self, options: VerifyOptions) -> bool:
        """Is an image called the same on more than symmetric letters and patterns, which a mirror image shares?"""
        return any(self.verifications[i].n_inliers >= CLEAR_INLIERS for i in self.called_same(options))


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def look(
    snapshot: Snapshot,
    vocabulary: Vocabulary,
    query: Features,
    voting: VoteOptions,
    verifying: VerifyOptions | None,
    watch: Stopwatch,
    also: I64 | None = None,
) -> Look:
    """Vote and verify; verifying None: votes alone. also: images to verify in any case."""
    with watch.stage("assign"):
        words = vocabulary.describe(query.descriptors, words_per_feature(snapshot, vocabulary, voting))
    with watch.stage("vote"):
        votes = vote(snapshot.postings, snapshot.weights, words, voting)
        own, word_weight = self_similarity(snapshot.weights, words.word[:, 0])
    seen = Look(votes.score / own, {}, {})
    if verifying is None:
        return seen
    with watch.stage("vote"):
        shortlist = best_first(snapshot, votes.score, depth(snapshot, verifying))
    with watch.stage("verify"):
        n_first = len(shortlist) if verifying.depth else FIRST
        for part in np.split(shortlist, [n_first]):
            if len(part) and not _is_settled(seen, verifying):
                found = verify_shortlist(snapshot, query, votes, part, verifying)
                seen = seen.with_proof(found, word_weight)
        left = [] if also is None else [i for i in np.unique(also).tolist() if i not in seen.verifications]
        if left:
            seen = seen.with_proof(verify_shortlist(snapshot, query, votes, np.array(left), verifying), word_weight)
    return seen


def _is_settled(seen: Look, options: VerifyOptions) -> bool:
    """Is an image clearly the same, and nothing like it among the later half of those verified?"""
    verified = list(seen.evidence.values())
    later = verified[len(verified) // 2 :]
    return seen.is_clear(options) and all(known.verdict(options) == "no" for known in later)


def words_per_feature(snapshot: Snapshot, vocabulary: Vocabulary, options: VoteOptions) -> int:
    """How many words a query feature looks into: more find more, and read as many more postings."""
    affordable = round(POSTINGS_PER_FEATURE * vocabulary.n_words / max(snapshot.n_features, 1))
    k = options.words_per_feature or min(max(affordable, MIN_WORDS), MAX_WORDS)
    return min(k, vocabulary.n_words)


def depth(snapshot: Snapshot, options: VerifyOptions) -> int:
    """How many of the best pictures are verified."""
    return options.depth or min(math.ceil(DEPTH_PER_ROOT * math.sqrt(snapshot.n_images)), MAX_DEPTH)


def verify_shortlist(
    snapshot: Snapshot, query: Features, votes: Votes, shortlist: I64, options: VerifyOptions
) -> dict[int, Verification]:
    """Geometry's word on each image of a shortlist."""
    indptr, matches, placed = _matches(snapshot, votes, shortlist)
    images = shortlist.tolist()
    sizes = list(zip(snapshot.rows.width[images].tolist(), snapshot.rows.height[images].tolist(), strict=True))
    found = verify_all(query.geometry, sizes, placed, indptr, matches, options)
    return dict(zip(images, found, strict=True))


def count_agreeing(snapshot: Snapshot, query: Geometry, votes: Votes, images: I64, options: VerifyOptions) -> list[int]:
    """How many matches of each image agree with one similarity: a quick verification, without refinement."""
    indptr, matches, placed = _matches(snapshot, votes, images)
    pairs = pair_up(indptr, placement_of(query), matches.query, placed, matches.weight)
    n_agreeing: list[int] = find_hypotheses(pairs, options.tolerance).n_agreeing.tolist()
    return n_agreeing


def _matches(snapshot: Snapshot, votes: Votes, images: I64) -> tuple[I64, Correspondences, Placement]:
    """The strongest votes for images, image after image, and where their features lie in the images."""
    indptr, matches = votes.matches(images, MAX_PAIRS)
    return indptr, matches, snapshot.placement(images, indptr, matches.database)


def best_first(snapshot: Snapshot, score: F64, n: int) -> I64:
    """The n images with the best positive score f64 (n_images,), ties by name."""
    images = top_images(score, n)
    return in_order(snapshot, score[images], images)[:n]


def in_order(snapshot: Snapshot, score: F64, images: I64) -> I64:
    """Images sorted by score f64 (n,), best first: those of one score by name, however they were indexed."""
    starts = np.flatnonzero(np.diff(score, prepend=np.nan) != 0)
    edges = np.append(starts, len(images))
    ordered = images.copy()
    for first, stop in np.stack([edges[:-1], edges[1:]], axis=1)[np.diff(edges) > 1].tolist():
        ordered[first:stop] = sorted(images[first:stop].tolist(), key=lambda i: snapshot.rows.names[i])
    return ordered


def look_into_mirror(
    snapshot: Snapshot,
    vocabulary: Vocabulary,
    query: Features,
    voting: VoteOptions,
    verifying: VerifyOptions,
    straight: Look,
    also: I64 | None = None,
) -> Look:
    """The same look, with what the query's mirror image shows where that is the better proof.

    Only the query is flipped, and its features without extracting them again: the cost is a second vote.
    """
    mirrored = look(snapshot, vocabulary, mirror_features(query), voting, verifying, Stopwatch(), also)
    better = [
        image
        for image, known in mirrored.evidence.items()
        if known.verdict(verifying) in ("same", "maybe")
        and (image not in straight.evidence or known.score > straight.evidence[image].score)
    ]
    flipped = {image: _flipped(mirrored.verifications[image], query.geometry.width) for image in better}
    return Look(
        straight.similarity,
        {**straight.verifications, **flipped},
        {**straight.evidence, **{image: mirrored.evidence[image] for image in better}},
    )


def _flipped(verification: Verification, width: int) -> Verification:
    """A proof that starts from the mirror image, started from the picture itself."""
    flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    transform = verification.database_from_query
    if transform is None:
        return verification
    return dataclasses.replace(verification, database_from_query=transform @ flip / (transform @ flip)[2, 2])
