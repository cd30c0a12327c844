"""What an index holds, in figures for people and plots."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from bof.engine import Engine
from bof.images.decode import display_name
from bof.store.catalog import FILE_NAME
from bof.store.index import Snapshot

N_BINS = 20
MAX_NAMES = 500
"""Folders, tags and fields that are told, the most frequent first."""

_PARTS = {
    "vote_indptr": "votes", "vote_image": "votes", "vote_feature": "votes", "signature": "signatures", "xy": "places",
    "scale_angle": "places", "word": "words", "feature_indptr": "words", "indptr": "votes", "image": "votes",
    "count": "votes",
}  # fmt: skip


def statistics(engine: Engine) -> dict[str, Any]:
    """Of the commit that the engine holds; tags and bytes are the newest commit's."""
    snapshot = engine.snapshot
    tags, fields = map(_ranked, engine.index.count_annotated())
    parts, columns = _bytes_by_part(engine)
    used = np.zeros(engine.vocabulary.n_words, np.bool_)
    for segment in snapshot.segments:
        used |= np.diff(segment.postings.indptr) > 0
    return {
        "generation": snapshot.generation,
        "pictures": snapshot.n_images,
        "features": snapshot.n_features,
        "bytes": sum(parts.values()),
        "segments": len(snapshot.segments),
        "bytes_by_part": parts,
        "folders": _ranked(_folders(snapshot)),
        "tags": tags,
        "fields": fields,
        "columns": columns,
        "vocabulary": {
            "words": engine.vocabulary.n_words, "used": int(used.sum()),
            "fingerprint": engine.index.fingerprint,
        },
        "features_per_image": _histogram(snapshot),
    }  # fmt: skip


def _ranked(counts: dict[str, int]) -> list[dict[str, Any]]:
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_NAMES]
    return [{"name": display_name(name), "pictures": n} for name, n in best]


def _folders(snapshot: Snapshot) -> Counter[str]:
    """Pictures below each first folder of a name."""
    rows = snapshot.rows
    names = (rows.names[i] for i in np.flatnonzero(~rows.deleted).tolist())
    return Counter(name.split("/", 1)[0] for name in names if "/" in name.lstrip("/"))


def _bytes_by_part(engine: Engine) -> tuple[dict[str, int], list[str]]:
    """Bytes on disk by what they are for, and the optional columns."""
    parts = dict.fromkeys([*dict.fromkeys(_PARTS.values()), "columns", "catalogue"], 0)
    columns: set[str] = set()
    for name, n_bytes in engine.index.bytes_by_file().items():
        stem = name.removesuffix(".npy")
        parts["catalogue" if name == FILE_NAME else _PARTS.get(stem, "columns")] += n_bytes
        columns |= set() if name == FILE_NAME or stem in _PARTS else {stem}
    return parts, sorted(columns)


def _histogram(snapshot: Snapshot) -> dict[str, list[int]]:
    """How many pictures have how many features."""
    sizes = [np.diff(segment.feature_indptr) for segment in snapshot.segments]
    live = ~snapshot.rows.deleted
    n_features = np.concatenate(sizes)[live] if sizes else np.zeros(0, np.int64)
    edges = np.linspace(0, max(1, int(n_features.max(initial=0))), N_BINS + 1)
    counts = np.histogram(n_features, edges)[0]
    return {"edges": np.rint(edges).astype(int).tolist(), "counts": counts.tolist()}
