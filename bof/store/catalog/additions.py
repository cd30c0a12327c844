"""When images came into the index: a fact of the index that grows by an entry an hour at most.

Ids grow with every commit and stay whatever is merged, so that the first id of a commit and its time say it of all
images until the next entry; a column would take eight bytes an image and another format.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from sqlite3 import Connection
from typing import Any

KEY = "added"
_HOUR = 3600

Entries = Sequence[Sequence[int]]
"""Pairs of an id and a time in seconds since 1970, ids ascending: images from that id on came then or soon after."""


def are_valid(fact: Any) -> bool:
    """Whether a fact of the catalogue is a list of such entries."""
    if not isinstance(fact, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in fact):
        return False
    ids = [pair[0] for pair in fact]
    return all(type(number) is int for pair in fact for number in pair) and ids == sorted(set(ids))


def note(database: Connection, seconds: int | None = None) -> None:
    """Note that the images that are inserted next, in this transaction, come now. seconds: since 1970."""
    now = int(time.time()) if seconds is None else seconds
    (first,) = database.execute("SELECT coalesce(max(id), 0) + 1 FROM images").fetchone()
    before = _read(database)
    entries = [pair for pair in before if pair[0] < first]  # ids of dropped images are given again
    if not entries or entries[-1][1] // _HOUR != now // _HOUR:
        entries.append([first, now])
    if entries != before:
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, json.dumps(entries)))


def times_of(database: Connection) -> Callable[[int], int | None]:
    """Image id -> when it came in seconds since 1970, as of now; None for one from before this was noted."""
    entries = _read(database)
    ids = [first for first, _ in entries]

    def added(number: int) -> int | None:
        at = bisect_right(ids, number)
        return entries[at - 1][1] if at else None

    return added


def _read(database: Connection) -> list[list[int]]:
    row = database.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    try:
        found = json.loads(row[0]) if row else []
    except (ValueError, TypeError, RecursionError):
        found = []
    return found if are_valid(found) else []
