"""Vote and verify: features vote, the images with the most votes are the shortlist, geometry verifies these."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bof.geometry.hypotheses import MAX_PAIRS, Placement, pair_up, placement_of, refer
from bof.geometry.two_points import propose
from bof.geometry.verification import MIN_LOCATED, verify_all
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.collection import Collection
from bof.retrieval.column_similarity import column_similarity
from bof.retrieval.evidence import SIFT, Calibration, Evidence, weigh
from bof.retrieval.overlays import Shifts, find_overlay, shared_features, unturned, unturned_hypotheses
from bof.retrieval.votes import SIGMA_LEARNED, Votes, self_similarity, tfidf_scores, top_images, vote
from bof.store.columns import Rows
from bof.store.film_frames import FilmFrames
from bof.system.stopwatch import Stopwatch
from bof.types import (
    F32,
    F64,
    I32,
    I64,
    Bool,
    Correspondences,
    Features,
    Geometry,
    Overlay,
    QueryWords,
    Verification,
)
from bof.vocabulary.vocabulary import Vocabulary

POSTINGS_PER_FEATURE = 4800
MIN_WORDS, MAX_WORDS = 1, 20
"""A query feature looks into as many words as hold about this many postings."""

CLEAR_INLIERS = 40
"""With fewer the mirror image may be the better match: letters like A and M, tins and wheels look alike in it."""

DEPTH_PER_ROOT = 16
MAX_DEPTH = 2000
"""The shortlist grows with the square root of the collection."""

MOST_OF_A_FILM = 16
"""So many frames of a film are on the shortlist before those of others that have fewer votes."""

_DEEPER = 4
"""So many times the shortlist is looked at to find others behind the frames of a film."""

FIRST = 100
"""So many of it are verified first; the others only where these leave something to find."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What votes say of each image, and what geometry and votes together say of the shortlist.

    similarity f64 (n_images,): votes as a share of what the query scores against itself, 0 for an image without a vote;
    overlay: what was left out of the query; calibration: what inliers prove.
    """

    similarity: F64
    verifications: Mapping[int, Verification] = field(default_factory=dict)
    evidence: Mapping[int, Evidence] = field(default_factory=dict)
    overlay: Overlay | None = None
    calibration: Calibration = SIFT

    def called_same(self, options: VerifyOptions) -> list[int]:
        """The images called the same, the strongest evidence first, ties in the order of votes."""
        same = [i for i, known in self.evidence.items() if known.verdict(options) == "same"]
        return sorted(same, key=lambda i: -self.evidence[i].score)

    def with_verified(self, found: Mapping[int, Verification], word_weight: float) -> Candidates:
        """These candidates with more verified images. word_weight: of one of the query's features."""
        evidence = {
            i: weigh(float(self.similarity[i]), known, word_weight, self.calibration) for i, known in found.items()
        }
        known = {**self.verifications, **found}, {**self.evidence, **evidence}
        return dataclasses.replace(self, verifications=known[0], evidence=known[1])

    def is_clear(self, options: VerifyOptions) -> bool:
        """Is an image called the same on more than symmetric letters and patterns, which a mirror image shares?"""
        return any(self.verifications[i].n_inliers >= CLEAR_INLIERS for i in self.called_same(options))

    def is_settled(self, options: VerifyOptions, films: FilmFrames | None = None) -> bool:
        """Is an image clearly the same, and nothing like it among the later half of those verified?

        films: which are frames: that a film is found says nothing of what others are.
        """
        later = np.array(list(self.evidence)[len(self.evidence) // 2 :], np.int64)
        if films is not None:
            same = np.array(self.called_same(options), np.int64)
            later = later[(films.film[later] < 0) | ~np.isin(films.film[later], films.film[same])]
        is_nothing = all(self.evidence[image].verdict(options) == "no" for image in later.tolist())
        return self.is_clear(options) and is_nothing

    def with_better(self, others: Candidates, options: VerifyOptions) -> Candidates:
        """These candidates, with those of a variant of the query, in the query's pixels, where these prove more."""
        better = [
            image
            for image, known in others.evidence.items()
            if known.verdict(options) in ("same", "maybe")
            and (image not in self.evidence or known.score > self.evidence[image].score)
        ]
        verifications = {image: others.verifications[image] for image in better}
        evidence = {image: others.evidence[image] for image in better}
        known = {**self.verifications, **verifications}, {**self.evidence, **evidence}
        return dataclasses.replace(self, verifications=known[0], evidence=known[1])

    def without(self, overlay: Overlay, left: I64) -> Candidates:
        """These candidates of the features i64 (n,) of a query that are left without an overlay, as its candidates."""
        verifications = {i: _of_rows(known, left) for i, known in self.verifications.items()}
        return dataclasses.replace(self, verifications=verifications, overlay=overlay)


@dataclass(frozen=True, slots=True)
class QueryVotes:
    """The votes of a query with some words; own: what it scores against itself; word_weight: the mean idf**2 of its
    words.
    """

    words: QueryWords
    votes: Votes
    own: float
    word_weight: float

    @property
    def similarity(self) -> F64:
        """Votes for each image as a share of what the query scores against itself, f64 (n_images,)."""
        return self.votes.score / self.own


@dataclass(frozen=True, slots=True)
class VoteAndVerify:
    """The two stages in one collection, with their options.

    part: so many of a shortlist are verified at a time, and no more after a part in which nothing is found; 0: as many
    as the options say; least_located: inliers from which geometry says where a picture lies.
    """

    collection: Collection
    vocabulary: Vocabulary
    voting: VoteOptions = field(default_factory=VoteOptions)
    verifying: VerifyOptions = field(default_factory=VerifyOptions)
    part: int = 0
    least_located: int = MIN_LOCATED

    @property
    def missing(self) -> Mapping[str, str]:
        """Parts of the collection that have not answered, by name, and why: none in one process."""
        return {}

    @property
    def words_per_feature(self) -> int:
        """How many words a query feature looks into: more find more, and read as many more postings."""
        n_words = self.vocabulary.n_words
        affordable = round(POSTINGS_PER_FEATURE * n_words / max(self.collection.n_features, 1))
        k = self.voting.words_per_feature or min(max(affordable, MIN_WORDS), MAX_WORDS)
        return min(k, n_words)

    @property
    def depth(self) -> int:
        """How many of the best images are verified."""
        affordable = math.ceil(DEPTH_PER_ROOT * math.sqrt(self.collection.n_images))
        return self.verifying.depth or min(affordable, MAX_DEPTH)

    def votes(self, query: Features, watch: Stopwatch) -> QueryVotes:
        """What the query's features vote for."""
        with watch.stage("assign"):
            words = self.vocabulary.quantize(query.descriptors, self.words_per_feature)
        return self.votes_of_words(words, watch)

    def votes_of_words(self, words: QueryWords, watch: Stopwatch) -> QueryVotes:
        """What words with their signatures vote for."""
        with watch.stage("vote"):
            return QueryVotes(words, self.vote(words), *self_similarity(self.collection.weights, words.word[:, 0]))

    def vote(self, words: QueryWords) -> Votes:
        """The votes of words for the images of the collection."""
        sigma = SIGMA_LEARNED if self.vocabulary.features.is_learned else None
        return vote(self.collection.postings, self.collection.weights, words, self.voting, sigma)

    def candidates(
        self, query: Features, watch: Stopwatch, also: I64 | None = None, voted: QueryVotes | None = None
    ) -> Candidates:
        """Vote and verify; where there is an overlay, again without it.

        also: images to verify in any case; voted: the query's votes, if they are known.
        """
        voted = voted or self.votes(query, watch)
        found = self.verified(query, voted, watch, also)
        with watch.stage("verify"):
            shifts = unturned(self.collection, query.geometry, found.verifications)
            overlay = self.find_overlay(query.geometry, voted.votes, shifts)
        if overlay is None:
            return found
        left = np.setdiff1d(np.arange(len(query)), overlay.features)
        again = self.votes_of_words(voted.words.take(left), watch)
        return self.verified(query.take(left), again, watch, also).without(overlay, left)

    def verified(self, query: Features, voted: QueryVotes, watch: Stopwatch, also: I64 | None = None) -> Candidates:
        """Geometry of the images with the most votes, and of others in any case; overlays count like all else."""
        found = Candidates(voted.similarity, calibration=Calibration.of(self.vocabulary.trained_on))
        with watch.stage("vote"):
            shortlist = shortlisted(self.collection, voted.votes.score, self.depth)
        with watch.stage("verify"):
            for part in self._parts(shortlist):
                if len(part) and not self._is_enough(found):
                    found = found.with_verified(self.verify(query, voted.votes, part), voted.word_weight)
            known = found.verifications
            left = [] if also is None else [i for i in dict.fromkeys(also.tolist()) if i not in known]
            if left:
                found = found.with_verified(self.verify(query, voted.votes, np.array(left)), voted.word_weight)
        return found

    def _parts(self, shortlist: I64) -> list[I64]:
        """What is verified together."""
        if self.part:
            return np.split(shortlist, range(self.part, len(shortlist), self.part))
        return np.split(shortlist, [len(shortlist) if self.verifying.depth else FIRST])

    def _is_enough(self, found: Candidates) -> bool:
        """Do the images that were verified so far say that the others have nothing?"""
        if not self.part:
            return found.is_settled(self.verifying, self.collection.films)
        last = list(found.evidence.values())[-self.part :]
        return bool(last) and all(known.verdict(self.verifying) == "no" for known in last)

    def verify(self, query: Features, votes: Votes, images: I64) -> dict[int, Verification]:
        """Geometric verification of each of some images."""
        return self.verify_geometry(query.geometry, votes, images)

    def verify_geometry(self, query: Geometry, votes: Votes, images: I64) -> dict[int, Verification]:
        """The same, by where the features of the query lie."""
        return self.verify_matches(query, images, *votes.matches(images, MAX_PAIRS))

    def verify_matches(
        self, query: Geometry, images: I64, indptr: I64, matches: Correspondences
    ) -> dict[int, Verification]:
        """The same of tentative matches: those of image i, strongest first, at indptr[i]:indptr[i + 1]."""
        placed = self._placed(images, indptr, matches)
        sizes = self.collection.rows.sizes(images)
        found = verify_all(query, sizes, placed, indptr, matches, self.verifying, self.least_located)
        return dict(zip(images.tolist(), found, strict=True))

    def quick_verify(self, query: Geometry, votes: Votes, images: I64) -> tuple[list[int], Overlay | None]:
        """How many matches of each image agree with one similarity, a quick verification without refinement; and the
        overlay if there is one.
        """
        n_agreeing, shifts = self.hypotheses(query, votes, images)
        return n_agreeing, self.find_overlay(query, votes, shifts)

    def hypotheses(self, query: Geometry, votes: Votes, images: I64) -> tuple[list[int], Shifts]:
        """How many matches of each image agree with one similarity, and in which images this turns nothing."""
        indptr, matches = votes.matches(images, MAX_PAIRS)
        placed = self._placed(images, indptr, matches)
        pairs = pair_up(indptr, placement_of(query), matches.query, placed, matches.weight)
        pairs, best, _ = propose(pairs, query, self.verifying.tolerance)
        return best.n_agreeing.tolist(), unturned_hypotheses(images, pairs, best) if len(matches) else {}

    def shared(self, query: Geometry, votes: Votes, shifts: Shifts) -> tuple[Bool, I64]:
        """Which features of the query images have at the same place: see `shared_features`."""
        return shared_features(self.collection, query, votes, shifts)

    def find_overlay(self, query: Geometry, votes: Votes, shifts: Shifts) -> Overlay | None:
        """What enough images share with the query at one place: see `overlays.find_overlay`."""
        return find_overlay(self.collection, query, lambda chosen: self.shared(query, votes, chosen), shifts)

    def tfidf(self, word: I32) -> F64:
        """The cosine of TF-IDF histograms of words i32 (n,) with every image, f64 (n_images,)."""
        return tfidf_scores(self.collection.postings, self.collection.weights, word)

    def column_similarity(self, ranker: str, query: Rows, metric: str) -> tuple[F32, Bool]:
        """How alike every image is to the query's row of a column, by one of COLUMN_OF: see `column_similarity`."""
        return column_similarity(self.collection, ranker, query, metric)

    def _placed(self, images: I64, indptr: I64, matches: Correspondences) -> Placement:
        """Where the features of matches lie in the images, image after image."""
        placed = self.collection.placement(images, indptr, matches.database)
        return refer(placed, indptr, self.collection.rows.sizes(images))


def best_first(collection: Collection, score: F64, n: int) -> I64:
    """The n images with the best positive score f64 (n_images,), ties by name."""
    images = top_images(score, n)
    return in_order(collection, score[images], images)[:n]


def first_by_name(collection: Collection, images: I64, n: int) -> I64:
    """The n of some images whose names come first, in the order of their names."""
    names = collection.rows.names
    return np.array(heapq.nsmallest(n, images.tolist(), key=lambda image: names[image]), np.int64)


def shortlisted(collection: Collection, score: F64, n: int) -> I64:
    """The n images to verify: the best, those of a film that has many behind those of others."""
    films = collection.films
    if films is None:
        return best_first(collection, score, n)
    images = best_first(collection, score, _DEEPER * n)
    is_early = films.place_in_film(images) < MOST_OF_A_FILM
    return np.concatenate([images[is_early], images[~is_early]])[:n]


def in_order(collection: Collection, score: F64, images: I64) -> I64:
    """Images sorted by score f64 (n,), best first: those of one score by name, however they were indexed."""
    starts = np.flatnonzero(np.diff(score, prepend=np.nan) != 0)
    edges = np.append(starts, len(images))
    names, ordered = collection.rows.names, images.copy()
    for first, stop in np.stack([edges[:-1], edges[1:]], axis=1)[np.diff(edges) > 1].tolist():
        ordered[first:stop] = sorted(images[first:stop].tolist(), key=lambda i: names[i])
    return ordered


def _of_rows(verification: Verification, rows: I64) -> Verification:
    """A proof by some rows of the query's features, in rows of all of them."""

    def of_rows(matches: Correspondences) -> Correspondences:
        return dataclasses.replace(matches, query=rows[matches.query].astype(np.int32))

    tentative = verification.tentative and of_rows(verification.tentative)
    return dataclasses.replace(verification, inliers=of_rows(verification.inliers), tentative=tentative)
