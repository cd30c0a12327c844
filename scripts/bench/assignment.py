"""Finding the nearest words, picture by picture, in turn: bof's vocabulary, the exact matrix product, and faiss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from bof.types import I32, U8
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.common.timing import Call, in_turn

GROUP = "word assignment, a descriptor"
N_PICTURES = 25  # pictures of one timing: exact search takes a second each
HNSW_NEIGHBOURS = 32
WORDS = (1, 5)  # nearest words that are looked for
Search = Callable[[U8, int], I32]  # the k nearest words i32 (n, k) of descriptors u8 (n, 128)


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for the vocabulary that comes with bof and for those that were named."""
    pictures = [features.descriptors for features in bench.questions[:N_PICTURES] if len(features)]
    for folder in (default_vocabulary_path(), *bench.vocabularies):
        yield from compare(load_vocabulary(folder), pictures, bench.runs)


def compare(vocabulary: Vocabulary, pictures: Sequence[U8], runs: int) -> Iterator[Row]:
    """A row for each other way to search and each number of words; recall@1 is against the nearest word of all."""
    ways = {"bof": vocabulary.assign, **other_ways(vocabulary.centroids)}
    sizes = [len(descriptors) for descriptors in pictures] * runs
    for k in WORDS:
        spent = in_turn({name: partial(_prepared, search, k) for name, search in ways.items()}, pictures, runs)
        each = {name: [s.seconds / n for s, n in zip(calls, sizes, strict=True)] for name, calls in spent.items()}
        recall = recall_at_1(ways, pictures, k)
        for name in list(ways)[1:]:
            what = f"{vocabulary.n_words} words, nearest {k}, recall@1 {recall['bof']:.3f}"
            peer = f"{name}, recall@1 {recall[name]:.3f}"
            yield Row(GROUP, what, "us", each["bof"], peer, each[name])


def other_ways(words: U8) -> dict[str, Search]:
    """By name: exact search in numpy and in faiss, and faiss' graph with its defaults."""
    import faiss

    points = words.astype(np.float32)
    flat, graph = faiss.IndexFlatL2(points.shape[1]), faiss.IndexHNSWFlat(points.shape[1], HNSW_NEIGHBOURS)
    flat.add(points)
    graph.add(points)
    return {
        "matrix product": exact_search(words),
        "faiss IndexFlatL2": lambda descriptors, k: _search(flat, descriptors, k),
        f"faiss IndexHNSWFlat({HNSW_NEIGHBOURS})": lambda descriptors, k: _search(graph, descriptors, k),
    }


def exact_search(words: U8) -> Search:
    """One product of float32 matrices, on as many cores as numpy's BLAS takes; the k nearest in order."""
    points = np.ascontiguousarray(words.T, np.float32)
    half_square = (points * points).sum(axis=0) / 2

    def search(descriptors: U8, k: int) -> I32:
        distance = half_square - descriptors.astype(np.float32) @ points
        if k == 1:
            return np.asarray(distance.argmin(axis=1)[:, None], np.int32)
        word = np.argpartition(distance, k, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(distance, word, axis=1), axis=1)
        return np.asarray(np.take_along_axis(word, order, axis=1), np.int32)

    return search


def _search(index: Any, descriptors: U8, k: int) -> I32:
    return np.asarray(index.search(descriptors.astype(np.float32), k)[1], np.int32)


def _prepared(search: Search, k: int, descriptors: U8) -> Call:
    return lambda: search(descriptors, k)


def recall_at_1(ways: Mapping[str, Search], pictures: Sequence[U8], k: int) -> dict[str, float]:
    """By name: the share of descriptors, an even subset, whose first word is that of the matrix product."""
    descriptors = np.concatenate(pictures)[:: len(pictures)]
    found = {name: search(descriptors, k)[:, 0] for name, search in ways.items()}
    exact = found["matrix product"]
    return {name: float(np.mean(word == exact)) for name, word in found.items()}
