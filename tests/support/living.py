"""Small made-up collections, and what every index that holds them must answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bof.options import FeatureOptions, VoteOptions
from bof.retrieval.votes import SIGMA, vote
from bof.store import catalog
from bof.store.catalog import ImageRecord
from bof.store.check import SEGMENTS
from bof.store.columns import group_of, known
from bof.store.counts_cache import FILE_NAME as COUNTS
from bof.store.index import Index, Snapshot
from bof.store.parts.index import PartedIndex
from bof.store.parts.layout import FOLDER, By, Layout
from bof.store.parts.making import facts_of_whole, make_part
from bof.store.parts.writer import PartedWriter
from bof.store.writer import Writer
from bof.types import QueryWords
from tests.support.extracted import Extracted, extracted

N_WORDS = 12
SIZES = (7, 0, 1, 12, 25, 3)
"""Features of the images that `picture` makes, by seed."""

QUERIES = (4, 10)
NEAR = VoteOptions(max_hamming=30)
"""Random signatures differ in 32 bits: many vote, many do not."""


def picture(path: str, seed: int, name: str = "") -> Extracted:
    facts, columns = extracted(name or Path(path).name, seed, SIZES[seed % len(SIZES)])
    return dataclasses.replace(facts, path=path), dataclasses.replace(columns, word=columns.word % N_WORDS)


def empty(folder: Path) -> Index:
    (folder / SEGMENTS).mkdir(parents=True)
    catalog.create(folder, _facts())
    return Index.open(folder)


def _facts() -> dict[str, Any]:
    facts = FeatureOptions().fact
    return {"fingerprint": "", "n_words": N_WORDS, "features": facts, "vocabulary_folder": "v"}


def votes_by_name(snapshot: Snapshot, seed: int) -> dict[str, float]:
    _, query = picture("query", seed)
    words = QueryWords(query.word[:, None], query.signature[:, None])
    score = vote(snapshot.postings, snapshot.weights, words, NEAR).score
    return {row.name: float(score[image]) for image, row in enumerate(snapshot.rows) if not row.deleted}


def votes_by_hand(images: Mapping[str, Extracted], seed: int) -> dict[str, float]:
    """What `vote` promises, feature by feature, without segments."""
    _, query = picture("query", seed)
    has = {path: set(columns.word.tolist()) for path, (_, columns) in images.items()}
    frequency = [sum(word in words for words in has.values()) for word in range(N_WORDS)]
    idf = [np.log1p(len(images) / df) if df else 0.0 for df in frequency]
    squared = [float(np.rint(np.float64(one) ** 2 * 2**20) / 2**20) for one in idf]
    near = np.rint(np.exp(-((np.arange(65) / SIGMA) ** 2)) * 2**10) / 2**10
    found = {}
    for facts, columns in images.values():
        score = 0.0
        for word, signature in zip(query.word.tolist(), query.signature.tolist(), strict=True):
            others = columns.signature[columns.word == word].tolist()
            distances = [h for other in others if (h := (other ^ signature).bit_count()) <= NEAR.max_hamming]
            if distances:
                total = sum(float(near[h]) * squared[word] for h in distances) * (1 / np.sqrt(len(distances)))
                score += float(np.rint(total * 2**32) / 2**32)
        tf = np.bincount(columns.word, minlength=N_WORDS)
        found[facts.name] = float(score / (np.sqrt((tf * tf * squared).sum()) or 1.0))
    return found


def features_of(snapshot: Snapshot, image: int) -> tuple[bytes, ...]:
    """Words, signatures and places of an image."""
    where = snapshot.geometry(image)
    columns = (*snapshot.words(image), where.xy_px, where.scale_px, where.angle_deg)
    return tuple(column.tobytes() for column in columns)


def features_by_name(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Words, signatures and places of every image."""
    snapshot = Index.open(folder).snapshot()
    live = {row.name: image for image, row in enumerate(snapshot.rows) if not row.deleted}
    return {name: features_of(snapshot, image) for name, image in live.items()}


def columns_by_name(snapshot: Snapshot) -> dict[str, dict[str, bytes]]:
    """The optional columns of every live image that has rows in them."""
    found: dict[str, dict[str, bytes]] = {}
    for i in np.flatnonzero(snapshot.weights.live).tolist():
        row, segment = snapshot.rows[i], snapshot.segments[int(snapshot.segment_of[i])]
        found[row.name] = {
            name: column[row.position].tobytes()
            for name, column in segment.columns.items()
            if known(segment.columns, group_of(name), segment.n_images)[row.position]
        }
    return found


def records_by_path(folder: Path) -> dict[str, ImageRecord]:
    return {record.path: record for record in Index.open(folder).records()}


def state(folder: Path) -> tuple[Any, ...]:
    """All that a reader can learn, by name."""
    index = Index.open(folder)
    snapshot = index.snapshot()
    files = {record.name: record.file for record in index.records()}
    name_of = {row.id: row.name for row in snapshot.rows}
    texts = [{name_of[number] for number in index.select_ids("", word)} for word in ("b", "kept")]
    reported, meta = index.metadata(), catalog.read_meta(folder)
    facts = meta.get("roots"), meta.get("columns"), columns_by_name(snapshot)
    return files, features_by_name(folder), snapshot.weights.idf.tobytes(), reported, texts, facts


def empty_in_parts(folder: Path, n_parts: int, by: By = "hash") -> Index:
    facts = _facts()
    (folder / FOLDER).mkdir(parents=True)
    names = tuple(make_part(folder, facts) for _ in range(n_parts))
    catalog.create(folder, facts_of_whole(facts, Layout(names, by)))
    return Index.open(folder)


def is_clean(folder: Path) -> bool:
    """Is there nothing in the index folder but what the catalogue names, and the lock?"""
    index = Index.open(folder)
    if isinstance(index, PartedIndex):
        beside = {path.name for path in folder.iterdir()} - {"writer.lock", "writer.json"}
        named = {path.name for path in (folder / FOLDER).iterdir()} == set(index.layout.names)
        return named and beside == {catalog.FILE_NAME, FOLDER} and all(is_clean(part.folder) for part in index.parts)
    with catalog.reading(folder) as database:
        known = {row.name: set(row.files) for row in catalog.read_segments(database)}
    found = {path.name: {file.name for file in path.iterdir()} for path in (folder / SEGMENTS).iterdir()}
    beside = {path.name for path in folder.iterdir()} - {"writer.lock", "writer.json", COUNTS}
    return known == found and beside == {catalog.FILE_NAME, SEGMENTS}


ALL_PATHS = [f"/photos/{letter}.jpg" for letter in "abcdefgh"]


def writer_of(folder: Path) -> Writer:
    """One without its lock."""
    index = Index.open(folder)
    if isinstance(index, PartedIndex):
        writers = tuple(Writer(part.folder, N_WORDS) for part in index.parts)
        return PartedWriter(folder, N_WORDS, index.layout, writers)
    return Writer(folder, N_WORDS)


def make(folder: Path, n_parts: int = 0) -> None:
    """Two segments, eight images, two of them with metadata; in so many parts, 0: an ordinary index."""
    writer = writer_of((empty_in_parts(folder, n_parts) if n_parts else empty(folder)).folder)
    for start in (0, 5):
        writer.append([picture(path, start + i) for i, path in enumerate(ALL_PATHS[start : start + 5])])
    writer.annotate(ALL_PATHS[1:4], {"tag": ["kept"]}, {})


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 4
    path.write_bytes(data)


def segments_of(folder: Path) -> list[Path]:
    with catalog.reading(folder) as database:
        return [folder / SEGMENTS / row.name for row in catalog.read_segments(database)]
