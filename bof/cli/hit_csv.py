"""Hits as --format csv prints them: a row a hit, with a column for each field of the pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from bof.cli.export import SEPARATOR
from bof.cli.finding import FoundHits
from bof.errors import display_name
from bof.retrieval.hits import Hits

_OF_GROUPS = ("group", "group_agree", "group_found", "group_pictures", "margin")
_COLUMNS = (
    "rank", *_OF_GROUPS, "verdict", "basis", "score", "probability", "inliers", "mirrored", "query_overlap",
    "hit_overlap", "left", "top", "right", "bottom", "width", "height", "name", "path", "part",
)  # fmt: skip

_FIELD = "field:"
"""Before the name of a field, which may be called as another column is."""


def hits_as_csv(found: Sequence[FoundHits]) -> str:
    """All answers as one table. Several values of a field are joined; groups have columns where hits are grouped."""
    keys = sorted({key for one in found for hit in one.hits for key in hit.fields})
    is_grouped = any(hit.group for one in found for hit in one.hits)
    columns = [name for name in _COLUMNS if is_grouped or name not in _OF_GROUPS]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["query", *columns, *(f"{_FIELD}{display_name(key)}" for key in keys)])
    for one in found:
        for record, hit in zip(Hits(one.hits).to_records(), one.hits, strict=True):
            values = (SEPARATOR.join(hit.fields.get(key, ())) for key in keys)
            facts = (_shown(record[name]) for name in columns)
            writer.writerow([one.shown, *facts, *map(display_name, values)])
    return stream.getvalue()


def _shown(value: object) -> object:
    """A cell that any terminal and any spreadsheet can read."""
    return display_name(value) if isinstance(value, str) else value
