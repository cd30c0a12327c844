"""What came into an index as a collection of its own, in which votes and geometry cost what that much costs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.native.mapped_file import reading
from bof.options import SearchOptions
from bof.retrieval.searcher import Searcher
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.retrieval.variants import is_needed
from bof.standing_queries.prepared import WatchedAs, WatchedWords
from bof.store.catalog import CatalogueColumns
from bof.store.catalog.catalogue_columns import gather_rows
from bof.store.film_frames import find_film_frames
from bof.store.index import Snapshot
from bof.store.inverted_file import Weights
from bof.store.segments import ImageColumns, segment_in_memory, store_geometry
from bof.system.stopwatch import Stopwatch

LEAST = 0.02
"""What shows the same with less probability, by votes and geometry, no search calls the same."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Some images of a collection, weighed as there. images: their numbers in it, in the order that they have here."""

    images: Sequence[int]
    stages: VoteAndVerify
    options: SearchOptions

    @classmethod
    def of(cls, images: Sequence[int], searcher: Searcher) -> Newcomers:
        """Live images of its collection, whose numbers of images and features say how far a search goes here too."""
        collection, options = searcher.collection, searcher.options
        with reading(collection):
            columns = [
                ImageColumns(*collection.words(image), *store_geometry(collection.geometry(image))) for image in images
            ]
        segment = segment_in_memory(columns, searcher.vocabulary.n_words)
        weights = Weights(collection.weights.idf, collection.weights.norm[images], np.ones(len(images), np.bool_))
        rows = _rows(collection.rows, images)
        facts = np.zeros(len(images), np.int32), weights, collection.n_images, collection.n_features
        some = Snapshot(0, [""], [segment], rows, *facts, find_film_frames(rows.paths))
        return cls(images, VoteAndVerify(some, searcher.vocabulary, options.vote, options.verify), options)

    def may_show(self, watched: WatchedWords) -> list[int]:
        """The images that may show what a watched picture does, by their numbers in the whole collection."""
        if not len(watched.geometry):
            return []
        found = self._candidates(watched, "plain")
        others: tuple[tuple[WatchedAs, str], ...] = (("mirror", self.options.mirror), ("inverse", self.options.inverse))
        if not self.stages.vocabulary.features.is_like_sift:
            others = ()  # words do not tell those of a changed picture
        needed = [shown for shown, mode in others if is_needed(mode, found, self.stages.verifying)]
        all_found = [found, *(self._candidates(watched, shown) for shown in needed)]
        likely = {i for one in all_found for i, known in one.evidence.items() if (known.shared or 0.0) >= LEAST}
        return [self.images[i] for i in sorted(likely)]

    def _candidates(self, watched: WatchedWords, shown: WatchedAs) -> Candidates:
        words = watched.first(self.stages.words_per_feature, shown)
        if words is None:
            return Candidates(np.zeros(len(self.images)))
        voted = self.stages.votes_of_words(words, Stopwatch())
        return self.stages.verified(watched.features(shown), voted, Stopwatch())


def _rows(rows: CatalogueColumns, images: Sequence[int]) -> CatalogueColumns:
    some = [rows[image] for image in images]
    named = [(os.fsencode(row.name), os.fsencode(row.path)) for row in some]
    cells = [(*named[i], row.width, row.height, row.segment, i, 0, row.id) for i, row in enumerate(some)]
    return gather_rows([cells])
