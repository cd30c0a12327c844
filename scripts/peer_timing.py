"""The time of a query, bof and COLMAP asked in turn: the machine's load then falls on both alike."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from statistics import median

import peer_colmap
from peer_bof import BofPeer, query_of
from peer_common import Collection, Workshop

from bof.types import Features

DEPTHS = (0, 50, 100)
"""Pictures verified."""


def compare(workshop: Workshop, collection: Collection, n_queries: int) -> Iterator[str]:
    """A line for each depth: both medians in milliseconds, and the median of the queries' own ratios."""
    bof = BofPeer.index(workshop, collection)[0]
    pictures = [collection.features[path] for path in collection.database]
    index, _ = peer_colmap.build(peer_colmap.train(workshop), pictures)
    step = max(1, len(collection.queries) // n_queries)
    features = [collection.of(query.image, query.box) for query in collection.queries[::step]]
    queries = [(each, peer_colmap.convert(each)) for each in features]
    for depth in DEPTHS:
        pairs = [
            (_time_bof(bof, ours, depth), peer_colmap.time_query(index, theirs, depth)) for ours, theirs in queries
        ]
        yield _line(depth, pairs)


def _time_bof(peer: BofPeer, features: Features, depth: int) -> float:
    verifying = dataclasses.replace(peer.options.verify, depth=depth) if depth else peer.options.verify
    options = dataclasses.replace(peer.options, ranker="bof" if depth else "votes", verify=verifying)
    query = query_of(features)
    start = time.perf_counter()
    peer.engine.answer(query, options)
    return time.perf_counter() - start


def _line(depth: int, pairs: Sequence[tuple[float, float]]) -> str:
    ours, theirs = (1e3 * median(column) for column in zip(*pairs, strict=True))
    ratio = median(b / a for a, b in pairs)
    return f"verifying {depth}: bof {ours:.1f} ms, COLMAP {theirs:.1f} ms a query, ratio {ratio:.2f}"
