"""A commit of several catalogues at once: written down whole first, then done in each, by whoever comes first.

What is to be done is one file beside the catalogue. Once it is there, the commit is made: a process that dies leaves
the file, and the next that opens the index goes on where it stopped. A catalogue says by the number of its commit
whether its share is done, so nothing is done twice.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bof.errors import BofError, IndexStoreError, OptionError, reason_of
from bof.store import catalog
from bof.store.catalog import SegmentRecord
from bof.store.check import open_recorded
from bof.store.parts.changes import AddSegment, Change
from bof.store.parts.layout import FACT, FOLDER, Layout
from bof.store.parts.plan_file import ADVICE, Step, read_plan, write_plan
from bof.store.parts.plan_file import FILE_NAME as FILE_NAME
from bof.store.parts.plan_file import DamagedCommitError as DamagedCommitError
from bof.system.files import fsync_path

Plan = Mapping[str, Sequence[Change]]
"""By the name of a part, "" for the whole's own catalogue: what is done there."""


def commit(folder: Path, plan: Plan) -> None:
    """Do all of a plan, or nothing. Only the holder of the writer's lock calls it.

    Raises IndexStoreError: before the plan is on disk the index is as it was, afterwards the next change ends it.
    """
    if len(plan) == 1:
        ((name, steps),) = plan.items()
        _apply_all([(_folder(folder, name), steps)])
    elif plan:
        numbers = {name: catalog.read_generation(_folder(folder, name)) for name in plan}
        steps_of = [(name, numbers[name], steps) for name, steps in plan.items()]
        write_plan(folder, steps_of)
        try:
            _finish(folder, steps_of)
        except OptionError:  # what was requested cannot be: nothing was done of it
            drop(folder)
            raise


def is_pending(folder: Path) -> bool:
    """Was a commit cut short, or is one being made?"""
    return os.path.lexists(folder / FILE_NAME)


def finish(folder: Path, lost: Collection[str] = ()) -> None:
    """Do what a commit that was written down has left to do. Only the holder of the writer's lock calls it.

    lost: parts that are gone for ever, whose share is not done. Raises DamagedCommitError for a file that is none, or
    does not fit the catalogues: then nothing is done.
    """
    if is_pending(folder):
        meta = catalog.read_meta(folder)
        steps = read_plan(folder, Layout.of(meta[FACT]).names)
        steps = [step for step in steps if step[0] not in lost]
        _require_segments(folder, steps, meta["n_words"])
        try:
            _finish(folder, steps)
        except (OptionError, ValueError, TypeError, KeyError, OverflowError) as error:
            problem = f"a commit that does not fit the catalogues: {reason_of(error):.200}"
            raise DamagedCommitError(problem, path=folder / FILE_NAME, advice=ADVICE) from error


def drop(folder: Path) -> None:
    """Forget a commit that is written down. Only the holder of the writer's lock calls it. Raises IndexStoreError."""
    try:
        (folder / FILE_NAME).unlink()
        fsync_path(folder)
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder / FILE_NAME, advice="the next change ends it") from error


def _finish(folder: Path, steps: Sequence[Step]) -> None:
    left = [(_folder(folder, name), done) for name, number, done in steps if _is_left(folder, name, number)]
    _apply_all(left)
    drop(folder)


def _is_left(folder: Path, name: str, number: int) -> bool:
    return catalog.read_generation(_folder(folder, name)) == number


def _require_segments(folder: Path, steps: Sequence[Step], n_words: int) -> None:
    """Raises DamagedCommitError where a segment that is to come in is not there, or is another."""
    for name, number, done in steps:
        for change in done if _is_left(folder, name, number) else ():
            if isinstance(change, AddSegment):
                n_features = sum(record.n_features for record in change.records)
                row = SegmentRecord(1, change.name, len(change.records), n_features, dict(change.files))
                try:
                    open_recorded(_folder(folder, name), row, n_words)
                except BofError as error:
                    problem = f"a commit that does not fit the segments: {error}"
                    raise DamagedCommitError(problem, path=folder / FILE_NAME, advice=ADVICE) from error


def _apply_all(left: Sequence[tuple[Path, Sequence[Change]]]) -> None:
    """Nothing is committed before all of it could be done."""
    with ExitStack() as stack:
        for folder, steps in left:
            database = stack.enter_context(catalog.transaction(folder))
            for step in steps:
                step.apply(database)


def _folder(folder: Path, name: str) -> Path:
    return folder / FOLDER / name if name else folder
