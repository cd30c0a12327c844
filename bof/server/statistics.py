"""What an index holds, in figures for people and plots."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from bof.engine import Engine
from bof.errors import display_name
from bof.images.address import Address
from bof.options import SKETCH
from bof.store import pictures
from bof.store.catalog import FILE_NAME, CatalogueColumns
from bof.store.columns import group_of
from bof.store.vocabulary_copy import FOLDER
from bof.types import I64

N_BINS = 20
MAX_NAMES = 500
"""Folders, tags and fields that are reported, the most frequent first."""

_PARTS = {
    "vote_indptr": "votes", "vote_image": "votes", "vote_feature": "votes", "signature": "signatures", "xy": "places",
    "scale_angle": "places", "word": "words", "feature_indptr": "words", "indptr": "votes", "image": "votes",
    "count": "votes",
}  # fmt: skip


def statistics(engine: Engine) -> dict[str, Any]:
    """Of the commit that the engine holds; tags and bytes are the newest commit's."""
    facts = engine.facts()
    tags, fields = engine.count_annotated()
    folders = _folders(engine.images)
    parts, columns = _bytes_by_part(engine)
    return {
        "generation": facts.generation,
        "pictures": facts.n_images,
        "features": facts.n_features,
        "bytes": sum(parts.values()),
        "segments": facts.n_segments,
        "bytes_by_part": parts,
        "folders": _ranked(folders), "tags": _ranked(tags), "fields": _ranked(fields),
        "n_folders": len(folders), "n_tags": len(tags), "n_fields": len(fields),
        "columns": columns,
        "vocabulary": {
            "words": engine.vocabulary.n_words, "used": facts.n_words_used,
            "fingerprint": engine.vocabulary.fingerprint,
        },
        "features_per_image": _histogram(facts.features_per_image),
    }  # fmt: skip


def _ranked(counts: dict[str, int]) -> list[dict[str, Any]]:
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_NAMES]
    return [{"name": display_name(name), "pictures": n} for name, n in best]


def _folders(rows: CatalogueColumns) -> Counter[str]:
    """Pictures below each first folder of a name."""
    live = np.flatnonzero(~rows.deleted).tolist()
    named = ((i, rows.names[i]) for i in live)
    names = (Address.file_name(rows[i].path, name) if "#" in name else name for i, name in named)
    return Counter(name.split("/", 1)[0] for name in names if "/" in name.lstrip("/"))


def _bytes_by_part(engine: Engine) -> tuple[dict[str, int], list[str]]:
    """Bytes on disk by what they are for, and the optional columns but the one that every index has."""
    parts = dict.fromkeys([*dict.fromkeys(_PARTS.values()), "columns", "catalogue", "vocabulary"], 0)
    columns: set[str] = set()
    for name, n_bytes in engine.bytes_by_file().items():
        stem = name.removesuffix(".npy")
        part = {FILE_NAME: "catalogue", FOLDER: "vocabulary", pictures.FOLDER: "pictures"}.get(name)
        part = part or _PARTS.get(stem, "columns")
        parts[part] = parts.get(part, 0) + n_bytes
        columns |= {stem} if part == "columns" and group_of(stem) != SKETCH else set()
    return parts, sorted(columns)


def _histogram(n_features: I64) -> dict[str, list[int]]:
    """How many pictures have how many features."""
    edges = np.linspace(0, max(1, int(n_features.max(initial=0))), N_BINS + 1)
    counts = np.histogram(n_features, edges)[0]
    return {"edges": np.rint(edges).astype(int).tolist(), "counts": counts.tolist()}
