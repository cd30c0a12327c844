"""One table a benchmark: how accurate each peer is, and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bof.evaluation.run import QueryResult
from bof.system.units import human_bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One peer on one benchmark: seconds and bytes of its index, what its words were trained on, every query."""

    index_seconds: float
    index_bytes: int
    trained_on: str
    queries: Sequence[QueryResult]

    def only(self, images: Collection[str]) -> Row:
        """The same peer, counting only the queries with these pictures."""
        return dataclasses.replace(self, queries=[query for query in self.queries if query.image in images])


def figures(row: Row) -> dict[str, float | str | None]:
    """N-S of 4, mAP and recall@1 where they apply; the median query in milliseconds without extraction; the index."""
    return {
        "n_queries": len(row.queries),
        "ns": _mean(query.top_four for query in row.queries),
        "map": _mean(query.average_precision for query in row.queries),
        "recall_at_1": _mean(query.recall_at_1 for query in row.queries),
        "query_ms": 1e3 * median(_without_extraction(query) for query in row.queries),
        "index_seconds": row.index_seconds,
        "index_bytes": row.index_bytes,
        "trained_on": row.trained_on,
    }


def table(rows: Mapping[str, Row], n_queries: int, n_pictures: int) -> list[str]:
    """Lines: a head, then one a peer that answered all of the queries."""
    head = (
        f"{'method':<22}{'N-S':>7}{'mAP':>8}{'recall@1':>10}{'index s':>9}{'ms/image':>10}{'query ms':>10}{'bytes':>9}"
    )
    whole = {name: row for name, row in rows.items() if len(row.queries) == n_queries}
    return [head, *(_line(name, row, n_pictures) for name, row in whole.items())]


def print_table(title: str, n_queries: int, rows: Mapping[str, Row], n_pictures: int) -> None:
    """The table under its title, and below it what each vocabulary was trained on."""
    print(f"\n{title}, {n_queries} queries")
    print("\n".join(table(rows, n_queries, n_pictures)))
    for line in _sources(rows):
        print(line, flush=True)


def _sources(rows: Mapping[str, Row]) -> list[str]:
    """Which methods' words were trained on what."""
    sources = dict.fromkeys(row.trained_on for row in rows.values() if row.trained_on)
    methods = {source: [name for name, row in rows.items() if row.trained_on == source] for source in sources}
    return [f"words of {', '.join(names)}: trained on {source}" for source, names in methods.items()]


def _line(name: str, row: Row, n_pictures: int) -> str:
    values = figures(row)
    accuracy = f"{_figure(values['ns'], 3):>7}{_figure(values['map'], 4):>8}{_figure(values['recall_at_1'], 4):>10}"
    milliseconds = 1e3 * row.index_seconds / n_pictures
    cost = f"{row.index_seconds:>9.1f}{milliseconds:>10.2f}{values['query_ms']:>10.2f}"
    return f"{name:<22}{accuracy}{cost}{human_bytes(row.index_bytes):>9}"


def _figure(value: float | str | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _without_extraction(query: QueryResult) -> float:
    return sum(seconds for stage, seconds in query.seconds.items() if stage != "extract")


def _mean(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None
