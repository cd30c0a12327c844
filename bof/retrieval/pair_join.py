"""Which pictures of a collection may show the same? Many of them are joined with all, without a query for each.

Two pictures are proposed where near signatures of the same words weigh enough, and enough of all that votes turns and
scales alike: fewer cannot become a verdict of `maybe` (see `retrieval.evidence`). What is proposed is verified as a
query's shortlist is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bof import native
from bof.geometry.hypotheses import MAX_PAIRS, MIN_FIT, Pairs, find_hypotheses, pair_up, placement_of, refer
from bof.native import joins
from bof.native.joins import FeatureRows
from bof.retrieval.collection import Collection
from bof.retrieval.votes import distance_weights
from bof.store.inverted_file import squared_idf
from bof.types import F64, I32, I64, Correspondences, Geometry, QueryWords

NEAR_HAMMING = 16
"""Signatures this near propose pictures. By chance 1 vote in 14 is that near, of two photographs of a thing every
other."""

LEAST_NEAR = 0.8
"""So many votes of distance 0, of a word of mean weight, what is that near must weigh."""

MOST_NEAR = 256
"""So many images of a view are looked at, those whose near votes weigh most: in 1,600 photographs it has 20."""

LEAST_ALIKE = 0.64
"""The same of all votes that turn and scale alike: no verdict of `maybe` has less. With w of them on n inliers its log
odds are at most 16.07 - 4.19 + 4.06 ln(n - 3) + 7.36 ln(w / n), which is below 0 for every n where w < 0.648."""

_TURNS, _SCALES_AN_OCTAVE = 24, 2
_NEIGHBOURS = 5
"""Bins of 15 degrees and half an octave: pairs that agree with one turn within 30 degrees and with one scale within an
octave (`geometry.hypotheses`) lie in 5 that follow each other."""

_OCTAVES = 6
"""Scales beyond this many octaves up or down count as this many."""

_SCALES = 2 * _OCTAVES * _SCALES_AN_OCTAVE

MOST_SCORES = 1 << 22
"""Of a join: pictures times images of the largest segment. 32 MB of scores, and 16 of numbers of pairs."""


def most_views(collection: Collection) -> int:
    """So many views are joined at once: what is held for them stays below MOST_SCORES."""
    largest = max((part.n_images for part in collection.postings), default=1)
    return max(1, MOST_SCORES // max(1, largest))


@dataclass(frozen=True, slots=True)
class View:
    """A picture that is joined: as it is, or as its mirror image. words: k of each feature; weight: the mean idf**2 of
    its words, what a vote of distance 0 counts.
    """

    image: int
    geometry: Geometry
    words: QueryWords
    weight: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """One view and one image: the tentative matches, strongest first, as verification takes them."""

    view: int
    image: int
    matches: Correspondences


@dataclass(frozen=True)
class Join:
    """Some views, joined with the images of a collection."""

    collection: Collection
    views: Sequence[View]

    def proposals(self, max_hamming: int, tolerance: float) -> list[Proposal]:
        """Pairs of a view and a live image that may show the same, in order.

        max_hamming: of the votes that are verified; tolerance: of what agrees, as `geometry.verification` has it.
        """
        view, image = self._near_pairs()
        indptr, matches = self._matches(view, image, max_hamming)
        pairs = self._pairs(view, image, indptr, matches)
        chosen = np.flatnonzero(_alike(pairs) >= LEAST_ALIKE * self._weight[view])
        agreeing = find_hypotheses(_some(pairs, chosen), tolerance).n_agreeing
        chosen = chosen[agreeing >= MIN_FIT]
        firsts = self._first_feature[view]
        found = []
        for pair in chosen.tolist():
            some = matches.take(slice(int(indptr[pair]), int(indptr[pair + 1])))
            own = Correspondences(some.query - np.int32(firsts[pair]), some.database, some.weight)
            found.append(Proposal(int(view[pair]), int(image[pair]), own))
        return found

    @cached_property
    def _weight(self) -> F64:
        return np.array([view.weight for view in self.views])

    @cached_property
    def _first_feature(self) -> I64:
        return np.cumsum([0, *(len(view.geometry) for view in self.views)])

    @cached_property
    def _weights(self) -> tuple[F64, F64]:
        return distance_weights(), squared_idf(self.collection.weights.idf)

    @cached_property
    def _rows(self) -> FeatureRows:
        """All features with all their words, by word."""
        word = np.concatenate([view.words.word.ravel() for view in self.views])
        signature = np.concatenate([view.words.signature.ravel() for view in self.views])
        k = [view.words.word.shape[1] for view in self.views]
        n = [len(view.geometry) for view in self.views]
        owner = np.repeat(np.arange(len(self.views), dtype=np.int32), np.multiply(n, k))
        firsts = self._first_feature.tolist()
        number = [np.repeat(np.arange(f, f + m, dtype=np.int32), c) for f, m, c in zip(firsts[:-1], n, k, strict=True)]
        order = np.argsort(word, kind="stable")
        return FeatureRows(word[order], signature[order], owner[order], np.concatenate(number)[order])

    def _near_pairs(self) -> tuple[I64, I64]:
        """Views and images i64 (n,) whose near votes weigh enough, by view and image."""
        live, found = self.collection.weights.live, []
        for part in self.collection.postings:
            score = np.zeros((len(self.views), part.n_images))
            joins.join_scores(part.columns, self._rows, NEAR_HAMMING, *self._weights, score)
            near = (score >= LEAST_NEAR * self._weight[:, None]) & part.own(live)
            own = np.array([view.image for view in self.views]) - part.first_image
            inside = np.flatnonzero((own >= 0) & (own < part.n_images))
            near[inside, own[inside]] = False
            view, image = np.nonzero(near)
            found.append((view, image + part.first_image, score[view, image] / self._weight[view]))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        view, image, near_score = (np.concatenate(column) for column in zip(*found, strict=True))
        chosen = _strongest(view, near_score, MOST_NEAR)
        order = chosen[np.lexsort((image[chosen], view[chosen]))]
        return view[order], image[order]

    def _matches(self, view: I64, image: I64, max_hamming: int) -> tuple[I64, Correspondences]:
        """The strongest votes of each pair, pair after pair: indptr i64 (n + 1) and the votes."""
        places = [self._places(part.first_image, part.n_images, view, image) for part in self.collection.postings]
        count = np.zeros(len(view), np.int64)
        for part, place in zip(self.collection.postings, places, strict=True):
            joins.join_counts(part.columns, self._rows, max_hamming, place, count)
        starts = np.concatenate([[0], np.cumsum(count)])
        votes = native.room_for_votes(int(starts[-1]))
        for part, place in zip(self.collection.postings, places, strict=True):
            joins.join_votes(part.columns, self._rows, max_hamming, self._weights, place, starts[:-1], votes)
        indptr = np.concatenate([[0], np.cumsum(np.minimum(count, MAX_PAIRS))])
        m = int(indptr[-1])
        strongest = np.empty(m, np.int32), np.empty(m, np.uint16), np.empty(m)
        native.sort_votes(starts, indptr, range(len(view)), MAX_PAIRS, votes, strongest)
        return indptr, Correspondences(*strongest)

    def _places(self, first_image: int, n_images: int, view: I64, image: I64) -> I32:
        place = np.full((len(self.views), n_images), -1, np.int32)
        inside = np.flatnonzero((image >= first_image) & (image < first_image + n_images))
        place[view[inside], image[inside] - first_image] = inside
        return place

    def _pairs(self, view: I64, image: I64, indptr: I64, matches: Correspondences) -> Pairs:
        placed = self.collection.placement(image, indptr, matches.database)
        query = np.concatenate([placement_of(view.geometry) for view in self.views], axis=1)
        placed = refer(placed, indptr, self.collection.rows.sizes(image))
        return pair_up(indptr, query, matches.query, placed, matches.weight)


def _strongest(view: I64, score: F64, n: int) -> I64:
    """The places i64 of the n best of each view, and of all that tie with the last of them."""
    order = np.lexsort((-score, view))
    starts = np.searchsorted(view[order], view[order])
    last = np.minimum(starts + n - 1, len(order) - 1)
    is_own = view[order][last] == view[order]
    return np.asarray(order[~is_own | (score[order] >= score[order][last])], np.int64)


def matches_of(proposals: Sequence[Proposal]) -> tuple[I64, Correspondences]:
    """The matches of proposals of one view, one after the other: indptr i64 (n + 1,) and all of them."""
    indptr = np.cumsum([0, *(len(one.matches) for one in proposals)])
    matches = Correspondences(
        np.concatenate([one.matches.query for one in proposals]),
        np.concatenate([one.matches.database for one in proposals]),
        np.concatenate([one.matches.weight for one in proposals]),
    )
    return indptr, matches


def _alike(pairs: Pairs) -> F64:
    """The most that those votes of each picture weigh which turn and scale about alike, f64 (n,)."""
    scale, cosine, sine = pairs.turns
    turn = np.floor(np.arctan2(sine, cosine) / (2 * np.pi) * _TURNS).astype(np.int64) % _TURNS
    octave = np.clip(np.log2(scale), -_OCTAVES, _OCTAVES - 1e-9) + _OCTAVES
    bins = turn * _SCALES + np.floor(octave * _SCALES_AN_OCTAVE).astype(np.int64)
    return joins.heaviest_windows(pairs.indptr, bins.astype(np.int32), pairs.weight, (_TURNS, _SCALES), _NEIGHBOURS)


def _some(pairs: Pairs, chosen: I64) -> Pairs:
    """The pairs of some pictures."""
    n = np.diff(pairs.indptr)[chosen]
    indptr = np.concatenate([[0], np.cumsum(n)])
    rows = np.arange(indptr[-1]) + np.repeat(pairs.indptr[chosen] - indptr[:-1], n)
    return Pairs(
        indptr,
        np.take(pairs.places, rows, axis=1),
        np.take(pairs.turns, rows, axis=1),
        np.take(pairs.cells, rows, axis=1),
        np.take(pairs.columns, rows, axis=1),
        pairs.weight[rows],
    )
