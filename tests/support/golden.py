"""What a golden index answers."""

from __future__ import annotations

import os

from bof.retrieval.searcher import SearchOptions, search
from bof.store.columns import Rows
from bof.store.index import Snapshot
from bof.types import Features
from bof.vocabulary.vocabulary import Vocabulary


def answered(snapshot: Snapshot, vocabulary: Vocabulary, asked: Features, rows: Rows, ranker: str) -> dict[str, float]:
    """Name -> score, best first."""
    answer = search(snapshot, vocabulary, asked, SearchOptions(ranker=ranker), rows)
    names = [os.fsencode(snapshot.rows[image].name).decode("latin-1") for image in answer.images]
    return dict(zip(names, answer.scores.tolist(), strict=True))
