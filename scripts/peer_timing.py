"""The time of a query, bof and COLMAP asked in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import peer_colmap
import pycolmap
from bench_timing import DEPTHS, Asker, Call, Spent, ask_bof, in_turn, seconds_of, verifying
from peer_bof import BofPeer
from peer_common import Collection, Workshop

from bof.types import Features


def compare(workshop: Workshop, collection: Collection, n_queries: int) -> Iterator[str]:
    """A line for each depth: both medians in milliseconds, and the median of the queries' own ratios."""
    bof = BofPeer.index(workshop, collection)[0]
    pictures = [collection.features[path] for path in collection.database]
    index, _ = peer_colmap.build(peer_colmap.train(workshop), pictures)
    step = max(1, len(collection.queries) // n_queries)
    queries = [collection.of(query.image, query.box) for query in collection.queries[::step]]
    for depth in DEPTHS:
        yield _line(
            depth, in_turn({"bof": ask_bof(bof, verifying(depth)), "COLMAP": ask_colmap(index, depth)}, queries)
        )


def ask_colmap(index: pycolmap.VisualIndex, depth: int) -> Asker[Features]:
    """Asks COLMAP's index, with as many pictures verified as bof verifies."""

    def prepare(features: Features) -> Call:
        query = peer_colmap.convert(features)
        return lambda: peer_colmap.time_query(index, query, depth)

    return prepare


def _line(depth: int, spent: Mapping[str, Sequence[Spent]]) -> str:
    ours, theirs = seconds_of(spent["bof"]), seconds_of(spent["COLMAP"])
    ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
    milliseconds = f"bof {1e3 * median(ours):.1f} ms, COLMAP {1e3 * median(theirs):.1f} ms"
    return f"verifying {depth}: {milliseconds} a query, ratio {ratio:.2f}"
