"""Pictures of the cloud are fetched into a folder for a while, some at a time, and extracted there as any others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bof.errors import ImageError
from bof.images.address import Address, Stamp, file_of
from bof.images.cloud import MAX_FETCHED_BYTES, fetch_all
from bof.images.listing import Skipped
from bof.ingest.documents import Parts
from bof.ingest.extract import Extracted, ExtractSpec, extract_files
from bof.ingest.film_files import OpenedFilm
from bof.ingest.sync import Found
from bof.options import IndexOptions

_AT_ONCE = 64
"""Files that lie in the folder at a time."""


def extract_cloud(
    files: Sequence[Found],
    stamps: Mapping[str, Stamp],
    spec: ExtractSpec,
    options: IndexOptions,
    on_note: Callable[[Skipped], None],
) -> Iterator[Extracted | Parts | Skipped]:
    """As `extract_files`, for paths of the cloud; stamps: of the files, as they were listed."""
    of_file: dict[str, list[Found]] = {}
    for file in files:
        of_file.setdefault(file_of(file[0]), []).append(file)
    places = list(of_file)
    for first in range(0, len(places), _AT_ONCE):
        with tempfile.TemporaryDirectory(prefix="bof-") as folder:
            fetched = dict(fetch_all(places[first : first + _AT_ONCE], Path(folder), MAX_FETCHED_BYTES))
            local = {place: found for place, found in fetched.items() if isinstance(found, Path)}
            for place, found in fetched.items():
                if isinstance(found, ImageError):
                    yield from (Skipped(path, found.reason()) for path, _ in of_file[place])
            cloud_of = {str(path): place for place, path in local.items()}
            items = [(_moved(path, str(local[place])), name) for place in local for path, name in of_file[place]]
            notes: list[Skipped] = []
            for item in extract_files(items, spec, options, notes.append):
                yield _named(item, cloud_of, stamps)
            for note in notes:
                on_note(replace(note, path=_moved(note.path, cloud_of[file_of(note.path)])))


def _moved(path: str, file: str) -> str:
    """The same part of another file."""
    return str(replace(Address.parse(path), file=file))


def _named(
    item: Extracted | Parts | OpenedFilm | Skipped, cloud_of: Mapping[str, str], stamps: Mapping[str, Stamp]
) -> Extracted | Parts | Skipped:
    """What was found of a local file, as that of the file in the cloud."""
    if isinstance(item, OpenedFilm):
        return Skipped(cloud_of[item.path], "films that lie on other machines are not read; copy it to this one")
    if isinstance(item, Skipped):
        return replace(item, path=_moved(item.path, cloud_of[file_of(item.path)]))
    if isinstance(item, Parts):
        place = cloud_of[item.path]
        return replace(item, path=place, stamp=stamps[place])
    record, columns = item
    place = cloud_of[file_of(record.path)]
    n_bytes, mtime_ns = stamps[place]
    return replace(record, path=_moved(record.path, place), n_bytes=n_bytes, mtime_ns=mtime_ns), columns
