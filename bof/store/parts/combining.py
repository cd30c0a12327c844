"""Indexes that were made apart become one in parts. They stay as they are: their files get second names."""

from __future__ import annotations

import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bof.errors import MismatchError, OptionError, display_name
from bof.store import catalog, pictures
from bof.store.catalog import additions, changes
from bof.store.check import SEGMENTS
from bof.store.index import Index
from bof.store.judgments import add_judgments, read_judgments
from bof.store.new_index import make_folder
from bof.store.parts.layout import FACT, FOLDER, SHARE, By, Layout
from bof.store.parts.making import facts_of_whole, link_vocabulary, naming_failure, offsets, require_number
from bof.system.files import fsync_path, link_or_copy
from bof.system.locking import one_writer

_SAME = ("fingerprint", "n_words", "features", "columns", "model")
"""Facts that all parts have in common."""


Bring = Callable[[Path, Sequence[tuple[Path, int]]], None]
"""Brings what the store does not know into a new index folder: of each folder, and what is added to its ids."""


def combine(folder: Path, sources: Sequence[Path], by: By = "hash", bring: Bring | None = None) -> Index:
    """A new index whose parts are copies of others, made with the same vocabulary, features and columns.

    Shares of one collection (`PartShare`) must all be there, and say themselves what goes where. Ids stay where no two
    indexes have given the same; judgments and stored pictures come along, and what `bring` brings. Raises OptionError,
    MismatchError and IndexStoreError: nothing was made.
    """
    require_number(len(sources), "combine")
    indexes = [Index.open(source) for source in sources]
    facts = [catalog.read_meta(index.folder) for index in indexes]
    for index, its_facts in zip(indexes, facts, strict=True):
        _require_alike(index, facts[0], its_facts)
    order, by = _ordered(sources, [its_facts.get(SHARE) for its_facts in facts], by)
    indexes = [indexes[number] for number in order]
    make_folder(folder / FOLDER)
    with ExitStack() as stack:
        stack.enter_context(one_writer(folder))
        catalog.require_none(folder)
        for index in indexes:
            stack.enter_context(one_writer(index.folder))
        _require_apart(indexes)
        stack.enter_context(naming_failure(folder))
        added = _offsets(indexes)
        names = [_copy(one.folder, folder, by_ids) for one, by_ids in zip(indexes, added, strict=True)]
        link_vocabulary(indexes[0].folder, folder)
        _bring_along(folder, indexes)
        if bring:
            bring(folder, [(one.folder, by_ids) for one, by_ids in zip(indexes, added, strict=True)])
        roots = sorted({str(root) for index in indexes for root in index.roots})
        catalog.create(folder, facts_of_whole({**facts[0], "roots": roots}, Layout(tuple(names), by)))
    return Index.open(folder)


def _require_alike(index: Index, expected: dict[str, Any], found: dict[str, Any]) -> None:
    if FACT in found:
        raise OptionError("combine", path=index.folder, expected="ordinary indexes", found="an index in parts")
    for key in _SAME:
        if expected.get(key) != found.get(key):
            raise MismatchError(
                f"other {key} than the first", path=index.folder, expected=expected.get(key), found=found.get(key),
                advice="make all parts by the same command",
            )  # fmt: skip


def _ordered(sources: Sequence[Path], shares: Sequence[Any], by: By) -> tuple[list[int], By]:
    """The order of the parts, and what decides where new pictures go."""
    known = [share for share in shares if share is not None]
    if not known:
        return list(range(len(sources))), by
    of, decides = known[0]["of"], known[0]["by"]
    fits = len(known) == len(shares) and all((one["of"], one["by"]) == (of, decides) for one in known)
    numbers = Counter(share["number"] for share in known)
    if not fits or sorted(numbers.elements()) != list(range(1, of + 1)):
        lacking = [number for number in range(1, of + 1) if number not in numbers]
        found = f"{len(sources)} indexes, of which none is part {', '.join(map(str, lacking))}" if lacking else "others"
        raise OptionError("combine", expected=f"the {of} parts of one collection, each once", found=found)
    return sorted(range(len(sources)), key=lambda number: shares[number]["number"]), decides


def _require_apart(indexes: Sequence[Index]) -> None:
    """Raises OptionError where two indexes have a picture of the same path or name."""
    for what in ("path", "name"):
        home_of: dict[str, Path] = {}
        for index in indexes:
            for record in index.records():
                text = getattr(record, what)
                if text in home_of:
                    expected = f"pictures of different {what}s in each part"
                    found = f"{display_name(text)} in {home_of[text]} and in {index.folder}"
                    advice = "{remove} it from one of them"
                    raise OptionError("combine", expected=expected, found=found, advice=advice)
                home_of[text] = index.folder


def _offsets(indexes: Sequence[Index]) -> list[int]:
    firsts, lasts = [], []
    for index in indexes:
        with catalog.reading(index.folder) as database:
            lasts.append(additions.last_id(database))
            firsts.append(next(iter(changes.read_ids(database)), lasts[-1]))
    return offsets(lasts, firsts)


def _copy(source: Path, folder: Path, added: int) -> str:
    """A part that has what an index has; returns its name. Raises OSError."""
    name = uuid.uuid4().hex
    place = folder / FOLDER / name
    (place / SEGMENTS).mkdir(parents=True)
    with catalog.reading(source) as database:
        for segment in catalog.read_segments(database):
            (place / SEGMENTS / segment.name).mkdir()
            for file in segment.files:
                link_or_copy(source / SEGMENTS / segment.name / file, place / SEGMENTS / segment.name / file)
            fsync_path(place / SEGMENTS / segment.name)
        shutil.copyfile(source / catalog.FILE_NAME, place / catalog.FILE_NAME)
    link_vocabulary(source, place)
    with catalog.transaction(place) as database:
        changes.drop_meta(database, (SHARE, "roots"))
        if added:
            changes.raise_ids(database, added)
    fsync_path(place)
    return name


def _bring_along(folder: Path, indexes: Sequence[Index]) -> None:
    """What lies beside the catalogues: stored pictures, and what a person has judged."""
    for index in indexes:
        shelves = index.folder / pictures.FOLDER
        for path in sorted(shelves.glob("*/*")) if shelves.is_dir() else ():
            target = folder / path.relative_to(index.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(target):
                link_or_copy(path, target)
        if judgments := read_judgments(index.folder):
            add_judgments(folder, judgments, only_later=True)
