"""Watch-lists of several indexes become that of the index that these are combined to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bof.errors import IndexStoreError
from bof.standing_queries.storage import FILE_NAME, WatchList
from bof.store import catalog


def bring_watch_lists(folder: Path, sources: Sequence[tuple[Path, int]]) -> None:
    """Give a new index what others watch, with the hits so far. sources: their folders, what is added to their ids.

    What several watch under one name and note is watched once. Everything that comes into the new index is compared
    with all of it; what one index had before is not compared with what another has watched. Raises IndexStoreError
    where one has pictures that were not compared yet.
    """
    (folder / FILE_NAME).unlink(missing_ok=True)  # what one that was killed has left
    ends = {source: catalog.read_last_id(source) + added for source, added in sources}
    target, last = WatchList(folder), max(ends.values(), default=0)
    known: dict[tuple[str, str, str], int] = {}
    for source, added in sources:
        watch_list = WatchList(source)
        compared = watch_list.last_compared()
        if compared is None:
            continue
        _require_compared(source, compared)
        for one in reversed(watch_list.pictures()):
            key = one.name, one.note, one.sha256
            if key not in known:
                content = watch_list.picture(one.id) or b"", watch_list.words(one.id) or b""
                known[key] = target.add(one.name, one.note, one.sha256, last, *content, created=one.created).id
            hits = [
                dataclasses.replace(hit, watched=known[key], image=hit.image + added)
                for hit in watch_list.hits(watched=one.id)
            ]
            target.record(last, last, hits)


def _require_compared(folder: Path, compared: int) -> None:
    newest = catalog.select(folder, order="newest", limit=1).records
    if newest and newest[0].id > compared:
        advice = "show its hits first, which compares them: bof watch-list hits {index} " + str(folder)
        found = "pictures that are not compared yet"
        raise IndexStoreError(path=folder, expected="a watch-list that is up to date", found=found, advice=advice)
