"""What a golden index answers."""

from __future__ import annotations

import os

from bof.geometry.transforms import corners
from bof.options import SearchOptions
from bof.retrieval.query import Query
from bof.retrieval.searcher import Answer, Searcher
from bof.store.columns import Rows
from bof.store.index import Snapshot
from bof.types import Features
from bof.vocabulary.vocabulary import Vocabulary


def search(
    snapshot: Snapshot, vocabulary: Vocabulary, requested: Features, rows: Rows | None = None, ranker: str = "bof"
) -> Answer:
    """What a query of features and of rows of global descriptors finds."""
    outline = corners((0, 0, requested.geometry.width, requested.geometry.height))
    return Searcher(snapshot, vocabulary, SearchOptions(ranker=ranker)).search(Query(requested, outline, rows or {}))


def answered(
    snapshot: Snapshot, vocabulary: Vocabulary, requested: Features, rows: Rows, ranker: str
) -> dict[str, float]:
    """Name -> score, best first."""
    answer = search(snapshot, vocabulary, requested, rows, ranker)
    names = [os.fsencode(snapshot.rows[image].name).decode("latin-1") for image in answer.images]
    return dict(zip(names, answer.scores.tolist(), strict=True))
