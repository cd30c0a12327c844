"""What no writer of an index in parts can go on with: a part that is gone, a commit that cannot be read."""

from __future__ import annotations

from pathlib import Path

from bof.store import catalog
from bof.store.catalog import additions, changes
from bof.store.parts import redo
from bof.store.parts.layout import FACT, FOLDER, Layout
from bof.store.parts.making import make_part

_IDS_AHEAD = 1 << 32
"""More ids than a part can have given: those of the part that is gone are never given again."""

_COMMITS_AHEAD = 1 << 31
"""More commits than a catalogue can count: the number of the epoch grows whatever the part had."""


def missing_parts(folder: Path) -> list[str]:
    """The parts that are not there, in words."""
    names = Layout.of(catalog.read_meta(folder)[FACT]).names
    return [
        f"part {place} of {len(names)}: {folder / FOLDER / name}"
        for place, name in enumerate(names, 1)
        if not catalog.exists(folder / FOLDER / name)
    ]


def drop_unreadable_commit(folder: Path) -> str:
    """Drop a commit that was cut short and cannot be read; why it cannot, "" where there is none such.

    What it has changed in some parts stays, what it was to change in others is not done. Only the holder of the
    writer's lock calls it.
    """
    try:
        redo.finish(folder, lost=_missing_names(folder))
    except redo.DamagedCommitError as error:
        redo.drop(folder)
        return str(error)
    return ""


def replace_missing(folder: Path) -> None:
    """Put empty parts in the places of those that are not there, in one commit; their pictures are lost.

    Ids and numbers of commits go on above all that the lost parts can have given. Only the holder of the writer's lock
    calls it. Raises IndexStoreError.
    """
    facts = catalog.read_meta(folder)
    layout, missing = Layout.of(facts[FACT]), _missing_names(folder)
    if not missing:
        return
    left = [folder / FOLDER / name for name in layout.names if name not in missing]
    last = max(map(catalog.read_last_id, left), default=0) + _IDS_AHEAD
    names = []
    for name in layout.names:
        if name in missing:
            name = make_part(folder, facts)
            with catalog.transaction(folder / FOLDER / name) as database:
                additions.raise_last(database, last)
        names.append(name)
    with catalog.transaction(folder) as database:
        base = layout.base + _COMMITS_AHEAD * len(missing)
        changes.set_meta(database, FACT, Layout(tuple(names), layout.by, base).fact)


def _missing_names(folder: Path) -> list[str]:
    names = Layout.of(catalog.read_meta(folder)[FACT]).names
    return [name for name in names if not catalog.exists(folder / FOLDER / name)]
