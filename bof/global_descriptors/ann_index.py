"""The pictures most alike by embedding: row by row in small collections, by a graph or by lists of codes in large ones.

Both only propose; what they propose is compared as exactly as all rows are in a small collection. They are derived from
one segment's rows each, so a new picture or a merge spoils none but those of the segments that it replaces.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import IO, Any

import numpy as np

from bof.global_descriptors.embedding import similarity
from bof.global_descriptors.faiss_check import is_sound, read_faiss_index
from bof.global_descriptors.pooling import F16
from bof.native.mapped_file import file_of, reading
from bof.onnx_models.session import INSTALL
from bof.system.directory import Directory
from bof.system.files import fsync_path, sha256_in, sha256_of, write_json
from bof.system.threads import n_threads
from bof.types import F32, I64, Bool

FOLDER = "nearest"
FORMAT = 1
COMPARED_ALL = 1 << 26
"""Numbers in a segment (rows times dimension) up to which all are compared: about 25 ms on two cores."""

GRAPH_ROWS = 1 << 18
"""Rows up to which a graph is made: it takes 0.3 ms and a kilobyte a row of 384 numbers, codes 0.02 ms and 74 bytes."""

_NEIGHBOURS, _CONSTRUCTION, _SEARCH = 32, 80, 128
"""HNSW's M, efConstruction and efSearch (Malkov and Yashunin 2020)."""

_VISITED, _CANDIDATES, _BITS, _MAX_BYTES, _LEAST_BYTES = 1 / 8, 400, 8, 64, 8
"""IVF-PQ (Jegou, Douze and Schmid 2011): share of lists visited, rows compared exactly, bits, numbers of a code."""

_TRAINING_ROWS, _TRAINING_NUMBERS = 64, 1 << 26
"""Rows a list to train on, and numbers in all: 256 megabytes at most."""

_AT_ONCE = 1 << 22
"""Numbers added at once: 16 megabytes."""

_NOTE_BYTES = 1 << 12

log = logging.getLogger("bof")


@dataclass(frozen=True, slots=True)
class EmbeddingPart:
    """The rows f16 (n, d), of length 1, of one segment; first: the number of its first in the collection.

    name: the SHA-256 of their file, or another name that changes when they change.
    """

    name: str
    first: int
    rows: F16


@dataclass(frozen=True, slots=True)
class AnnIndex:
    """Searches a collection; faiss_indexes: by the name of the part that each is derived from."""

    parts: Sequence[EmbeddingPart]
    faiss_indexes: Mapping[str, Any]

    def search(self, query: F16, k: int, live: Bool | None = None) -> tuple[I64, F32]:
        """The k rows most alike to a query f16 (d,), and how alike, most alike first; ties by row.

        live bool (n,): the rows of the collection that may be found, all where it is None. Fewer than k are found
        where there are fewer, and may be where nearly all rows of a faiss index are requested.
        """
        found = [self._search(part, query, k, live) for part in self.parts]
        rows = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in found)])
        alike = np.concatenate([np.empty(0, np.float32), *(alike for _, alike in found)])
        return _best(rows, alike, k)

    def _search(self, part: EmbeddingPart, query: F16, k: int, live: Bool | None) -> tuple[I64, F32]:
        n, d = part.rows.shape
        alive = np.ones(n, np.bool_) if live is None else live[part.first : part.first + n]
        faiss_index = self.faiss_indexes.get(part.name)
        if faiss_index is None:
            chosen = np.flatnonzero(alive)
            alike = similarity(query, part.rows)[chosen]
        else:
            few = np.count_nonzero(alive) * d <= COMPARED_ALL // 4
            chosen = np.flatnonzero(alive) if few else _propose(faiss_index, query, k, None if live is None else alive)
            alike = similarity(query, part.rows[chosen])
        rows, alike = _best(chosen, alike, k)
        return rows + part.first, alike


def open_ann_index(folder: Path, parts: Sequence[EmbeddingPart]) -> AnnIndex:
    """The parts, with the faiss indexes in an index's folder; a part without one is compared row by row."""
    faiss_indexes = {part.name: _load(folder / FOLDER, part) for part in parts if kind_of(*part.rows.shape) != "all"}
    slow = [part for part in parts if part.name in faiss_indexes and faiss_indexes[part.name] is None]
    if slow:
        advice = "the next bof index makes one" if _has_faiss() else f"faiss is missing: {INSTALL}"
        n_rows = sum(len(part.rows) for part in slow)
        log.warning("%s: no ANN index for %d embeddings, which are all compared instead; %s", folder, n_rows, advice)
    return AnnIndex(
        parts, {name: faiss_index for name, faiss_index in faiss_indexes.items() if faiss_index is not None}
    )


def save_ann_index(
    folder: Path, parts: Sequence[EmbeddingPart], progress: Callable[[int, int], None] | None = None
) -> None:
    """Make the faiss indexes that are missing, and delete those of other parts.

    progress(rows done, rows in all). Only the holder of the writer's lock calls it. Where the disk fails nothing is
    lost: all rows are compared.
    """
    place = folder / FOLDER
    missing = [part for part in parts if kind_of(*part.rows.shape) != "all" and not _is_saved(place, part)]
    if missing and not _has_faiss():
        log.warning("%s: no faiss to make an ANN index for %d embeddings with: %s", folder, _count(missing), INSTALL)
        missing = []
    try:
        _delete_others(place, {part.name for part in parts})
        done = 0
        for part in missing:
            with reading(*file_of(part.rows)):
                faiss_index = make_faiss_index(part.rows, _moved(progress, done, _count(missing)))
            _save(place, part, faiss_index)
            done += len(part.rows)
    except OSError as error:
        log.warning("%s: ANN indexes of embeddings cannot be saved: %s", place, error)


def kind_of(n_rows: int, dimension: int) -> str:
    """How rows are searched: all, graph (HNSW), or codes (IVF-PQ)."""
    if n_rows * dimension <= COMPARED_ALL:
        return "all"
    return "codes" if n_rows > GRAPH_ROWS and _code_bytes(dimension) >= _LEAST_BYTES else "graph"


def make_faiss_index(rows: F16, progress: Callable[[int], None] | None = None) -> Any:
    """A faiss index over rows f16 (n, d), mapped ones too: they are read in pieces. Raises ImportError without faiss.

    The same rows give the same index: a graph is made by one thread, since it depends on who comes first.
    """
    if kind_of(*rows.shape) == "graph":
        with _threads(1):
            return _filled(_empty_graph(rows.shape[1]), rows, progress)
    with _threads(1):  # training is many short steps, at whose ends threads would wait for each other
        codes = _trained_codes(rows)
    with _threads(n_threads()):
        return _filled(codes, rows, progress)


def _empty_graph(dimension: int) -> Any:
    kind = faiss().ScalarQuantizer.QT_fp16
    graph = faiss().IndexHNSWSQ(dimension, kind, _NEIGHBOURS, faiss().METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _CONSTRUCTION
    graph.is_trained = True  # numbers of 16 bits need no training
    return graph


def _empty_codes(n: int, d: int) -> Any:
    n_lists = 1 << round(np.log2(2 * np.sqrt(n)))
    lists = faiss().IndexFlatIP(d)
    return faiss().IndexIVFPQ(lists, d, n_lists, _code_bytes(d), _BITS, faiss().METRIC_INNER_PRODUCT)


def _trained_codes(rows: F16) -> Any:
    n, d = rows.shape
    codes = _empty_codes(n, d)
    n_training = min(n, _TRAINING_ROWS * codes.nlist, _TRAINING_NUMBERS // d)
    codes.cp.min_points_per_centroid = 1  # or else faiss prints what it thinks of few rows of many numbers
    codes.train(rows[np.arange(n_training) * n // n_training].astype(np.float32))
    return codes


def _filled(faiss_index: Any, rows: F16, progress: Callable[[int], None] | None) -> Any:
    step = max(1, _AT_ONCE // rows.shape[1])
    for first in range(0, len(rows), step):
        faiss_index.add(rows[first : first + step].astype(np.float32))
        if progress:
            progress(min(first + step, len(rows)))
    return faiss_index


def _code_bytes(dimension: int) -> int:
    """The most bytes a code that divide the dimension, at four numbers a byte or more."""
    return max(m for m in range(1, _MAX_BYTES + 1) if dimension % m == 0 and (m == 1 or dimension >= 4 * m))


def _propose(faiss_index: Any, query: F16, k: int, alive: Bool | None) -> I64:
    """Rows i64 that may be most alike, in their order, by one thread: a single question is not worth sharing out."""
    allowed, share = {}, 1.0
    if alive is not None:
        allowed["sel"] = faiss().IDSelectorBitmap(np.packbits(alive, bitorder="little"))
        share = np.count_nonzero(alive) / len(alive)  # the fewer may be found, the further is looked for them
    if isinstance(faiss_index, faiss().IndexHNSW):
        n_candidates = max(k, _SEARCH)
        how = faiss().SearchParametersHNSW(efSearch=int(max(2 * k, _SEARCH) / share), **allowed)
    else:
        n_candidates = max(4 * k, _CANDIDATES)
        how = faiss().SearchParametersIVF(nprobe=ceil(faiss_index.nlist * min(_VISITED / share, 1)), **allowed)
    with _threads(1):
        _, rows = faiss_index.search(query[None].astype(np.float32), min(n_candidates, faiss_index.ntotal), params=how)
    return np.sort(rows[rows >= 0]).astype(np.int64)


def _best(rows: I64, alike: F32, k: int) -> tuple[I64, F32]:
    """The k most alike, most alike first; ties by row."""
    if len(rows) > k:
        least = np.partition(alike, len(alike) - k)[len(alike) - k]
        rows, alike = rows[alike >= least], alike[alike >= least]
    order = np.lexsort((rows, -alike))[:k]
    return rows[order].astype(np.int64), alike[order]


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """faiss' OpenMP threads, for calls from this thread; spinning, they and ours would slow each other."""
    before = faiss().omp_get_max_threads()
    faiss().omp_set_num_threads(n)
    try:
        yield
    finally:
        faiss().omp_set_num_threads(before)


def faiss() -> Any:
    """The module, which takes a fifth of a second to import: only who needs it waits."""
    return importlib.import_module("faiss")


def _has_faiss() -> bool:
    return importlib.util.find_spec("faiss") is not None


def _count(parts: Sequence[EmbeddingPart]) -> int:
    return sum(len(part.rows) for part in parts)


def _moved(progress: Callable[[int, int], None] | None, done: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda n: progress(done + n, total)


def _is_saved(place: Path, part: EmbeddingPart) -> bool:
    """Is there a whole faiss index of just these rows?"""
    stream = _opened(place, part)
    if stream is not None:
        stream.close()
    return stream is not None


def _opened(place: Path, part: EmbeddingPart) -> IO[bytes] | None:
    """The file of the faiss index, if it is what its note says; no link is followed, only a regular file is opened."""
    try:
        with Directory.open_below(place.parent, place.name) as here:
            with here.open_file(f"{part.name}.json") as stream:
                note = json.loads(stream.read(_NOTE_BYTES))
            found = {key: note[key] for key in ("format", "kind", "shape")}
            if found != _note(part) or here.size_of(f"{part.name}.faiss") > _most_bytes(*part.rows.shape):
                return None
            faiss_index = here.open_file(f"{part.name}.faiss")
            if note["sha256"] == sha256_in(faiss_index):
                faiss_index.seek(0)
                return faiss_index
            faiss_index.close()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        log.debug("%s: %s", place / part.name, error)
    return None


def _most_bytes(n: int, dimension: int) -> int:
    """No faiss index is larger: a row of a graph has its numbers, and seldom twice the neighbours of one level."""
    return (1 << 20) + n * (2 * dimension + 32 * _NEIGHBOURS) + (1 << 12) * dimension * (1 + int(np.sqrt(n)))


def _note(part: EmbeddingPart) -> dict[str, Any]:
    return {"format": FORMAT, "kind": kind_of(*part.rows.shape), "shape": list(part.rows.shape)}


def _load(place: Path, part: EmbeddingPart) -> Any:
    """The saved faiss index of these rows; None where there is none, or it is damaged."""
    stream = _opened(place, part) if _has_faiss() else None
    if stream is None:
        return None
    n, d = part.rows.shape
    fresh = _empty_graph(d) if kind_of(n, d) == "graph" else _empty_codes(n, d)
    try:
        with stream:
            faiss_index = read_faiss_index(faiss(), stream, fresh)
        return faiss_index if is_sound(faiss(), faiss_index, fresh, n) else None
    except (RuntimeError, MemoryError) as error:  # of a version of faiss that this one cannot read
        log.debug("%s: %s", place / part.name, error)
        return None


def _save(place: Path, part: EmbeddingPart, faiss_index: Any) -> None:
    """First the faiss index, then the note that names its content: without its note it is not used."""
    place.mkdir(exist_ok=True)
    target, fresh = place / f"{part.name}.faiss", place / f".{part.name}.partial"
    try:
        with fresh.open("wb") as stream:
            faiss().write_index(faiss_index, faiss().PyCallbackIOWriter(stream.write))
        sha256 = sha256_of(fresh)
        _into_place(fresh, target)
        write_json(fresh, {**_note(part), "sha256": sha256})
        _into_place(fresh, target.with_suffix(".json"))
    finally:
        fresh.unlink(missing_ok=True)


def _into_place(fresh: Path, target: Path) -> None:
    fsync_path(fresh)
    os.replace(fresh, target)


def _delete_others(place: Path, names: set[str]) -> None:
    with contextlib.suppress(FileNotFoundError), Directory.open_below(place.parent, place.name) as here:
        for name in here.names():
            if Path(name).stem not in names and not here.is_folder(name):
                with contextlib.suppress(FileNotFoundError):
                    here.remove_file(name)
