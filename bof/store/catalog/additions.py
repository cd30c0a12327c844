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
LAST = "last_id"
"""The fact that says which id was the last before the images with the highest ones were dropped."""

MAX_ID = 1 << 62
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
    first = next_id(database)
    before = read_entries(database)
    entries = [pair for pair in before if pair[0] < first]  # older versions gave ids of dropped images again
    if not entries or entries[-1][1] // _HOUR != now // _HOUR:
        entries.append([first, now])
    if entries != before:
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, json.dumps(entries)))


def next_id(database: Connection) -> int:
    """The id of the image that comes next: higher than any that was ever given, so that an id means one image."""
    return 1 + last_id(database)


def last_id(database: Connection) -> int:
    """The highest id that was ever given, also to an image that is gone; 0 before the first."""
    (last,) = database.execute("SELECT coalesce(max(id), 0) FROM images").fetchone()
    dropped = _fact(database, LAST)
    return max(int(last), dropped if type(dropped) is int and dropped < MAX_ID else 0)


def note_last(database: Connection) -> None:
    """Remember the highest id, before images are dropped, in this transaction."""
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (LAST, json.dumps(last_id(database))))


def raise_last(database: Connection, last: int) -> None:
    """The images that come next have higher ids than this one too, in this transaction."""
    if last >= next_id(database):
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (LAST, json.dumps(last)))


def times_of(database: Connection) -> Callable[[int], int | None]:
    """Image id -> when it came in seconds since 1970, as of now; None for one from before this was noted."""
    entries = read_entries(database)
    ids = [first for first, _ in entries]

    def added(number: int) -> int | None:
        at = bisect_right(ids, number)
        return entries[at - 1][1] if at else None

    return added


def read_entries(database: Connection) -> list[list[int]]:
    """Pairs of an id and a time; none where there is no such fact, or a damaged one."""
    found = _fact(database, KEY)
    return found if are_valid(found) else []


def _fact(database: Connection, key: str) -> Any:
    """A fact of the index; None where it has none such, or a damaged one."""
    row = database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    try:
        return json.loads(row[0]) if row else None
    except (ValueError, TypeError, RecursionError):
        return None
