"""Hits as --format csv prints them: a row a hit, with a column for each field of the pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from bof.cli.export import SEPARATOR
from bof.cli.finding import FailedQuery, FoundHits
from bof.retrieval.hits import Hits
from bof.system.csv_cells import text_cell

_OF_GROUPS = ("group", "group_agree", "group_found", "group_pictures", "margin")
_OF_FILMS = ("time", "shot_start", "shot_stop", "shots")
_COLUMNS = (
    "rank", *_OF_GROUPS, "verdict", "basis", "score", "probability", "inliers", "mirrored", "variant", "query_number",
    "query_overlap", "hit_overlap", "left", "top", "right", "bottom", "width", "height", "name", "path", "part",
    *_OF_FILMS,
)  # fmt: skip

_FIELD = "field:"
"""Before the name of a field, which may be called as another column is."""


def hits_as_csv(answered: Sequence[FoundHits | FailedQuery]) -> str:
    """All answers as one table, a row a hit; a query without hits, or without an answer, has a row that says so.

    Several values of a field are joined; groups have columns where hits are grouped, films where there
    are any.
    """
    hits = [hit for one in answered if isinstance(one, FoundHits) for hit in one.hits]
    keys = sorted({key for hit in hits for key in hit.fields})
    left_out = {*(() if any(hit.group for hit in hits) else _OF_GROUPS)}
    left_out |= {*(() if any(hit.film for hit in hits) else _OF_FILMS)}
    columns = [name for name in _COLUMNS if name not in left_out]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["query", "problem", *columns, *(text_cell(f"{_FIELD}{key}") for key in keys)])
    for one in answered:
        writer.writerows(_rows(one, columns, keys))
    return stream.getvalue()


def _rows(one: FoundHits | FailedQuery, columns: Sequence[str], keys: Sequence[str]) -> Iterator[list[object]]:
    query = text_cell(one.shown)
    if isinstance(one, FailedQuery) or not one.hits:
        problem = text_cell(one.problem) if isinstance(one, FailedQuery) else None
        yield [query, problem, *(None for _ in (*columns, *keys))]
        return
    for record, hit in zip(Hits(one.hits).to_records(), one.hits, strict=True):
        values = (text_cell(SEPARATOR.join(hit.fields.get(key, ()))) for key in keys)
        yield [query, None, *(_shown({**record, "name": one.names[hit.image]}[name]) for name in columns), *values]


def _shown(value: object) -> object:
    """A cell that any terminal and any spreadsheet can read; true and false as JSON has them."""
    if isinstance(value, bool):
        return str(value).lower()
    return text_cell(value) if isinstance(value, str) else value
