"""A process that dies, or a disk that fails, at any write of any change: the index is old or new, nothing else."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from test_store import Described, described

from bof import catalog, merging, metadata
from bof.changes import Move
from bof.errors import IndexStoreError
from bof.options import FeatureOptions
from bof.store import Index
from bof.writing import Writer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

DIED = 77


def writer_of(folder: Path) -> Writer:
    return Writer(folder, 200)


def make(folder: Path) -> None:
    """Three small segments, six images, one of them deleted, two with metadata."""
    (folder / "segments").mkdir(parents=True)
    catalog.create(folder, {"fingerprint": "", "n_words": 200, "features": dataclasses.asdict(FeatureOptions()),
                            "vocabulary_folder": "v"})  # fmt: skip
    writer = writer_of(folder)
    for number in range(3):
        writer.append([described(f"{number}{letter}.jpg", 10 * number + i) for i, letter in enumerate("abcdef")])
    writer.remove(["0a.jpg"])
    writer.describe(["/photos/1a.jpg", "/photos/2a.jpg"], {"tag": ["kept"]}, {})
    assert len(Index.open(folder).snapshot().segments) == 3


def state(folder: Path) -> object:
    """All that a reader can learn, by name: features, metadata, what full-text search finds."""
    index = Index.open(folder)
    snapshot = index.snapshot()
    live = {row.name: image for image, row in enumerate(snapshot.rows) if not row.deleted}
    features = {
        name: (snapshot.rows[image].path, *(column.tolist() for column in snapshot.words(image)),
               snapshot.geometry(image).xy_px.tolist())
        for name, image in live.items()
    }  # fmt: skip
    name_of = {row.id: row.name for row in snapshot.rows}
    texts = [{name_of[number] for number in metadata.select_ids(folder, "", word)} for word in ("1a", "kept", "new")]
    return features, metadata.read_metadata(folder), texts


def clean(folder: Path) -> bool:
    """Is there nothing among the segments but what the catalogue names?"""
    with catalog.reading(folder) as database:
        known = {row.name: set(row.files) for row in catalog.read_segments(database)}
    return known == {path.name: {file.name for file in path.iterdir()} for path in (folder / "segments").iterdir()}


# -- The changes ------------------------------------------------------------------------------------------------------


def append(folder: Path) -> None:
    new: list[Described] = [described("1a.jpg", 70), described("new.jpg", 71)]
    writer_of(folder).append(new)


def remove(folder: Path) -> None:
    writer_of(folder).remove(["1a.jpg", "1b.jpg"])


def rearrange(folder: Path) -> None:
    known = catalog.read_known(folder)
    a, b = known.get("/photos/1a.jpg"), known.get("/photos/2a.jpg")
    if a is None or b is None or a.mtime_ns == 5:  # done before
        return
    moves = [Move(a.id, "2a.jpg", b.path, 5, 5), Move(b.id, "1a.jpg", a.path, 5, 5)]
    writer_of(folder).rearrange(moves, [known["/photos/0b.jpg"].id], ["/photos"])


def merge(folder: Path) -> None:
    writer_of(folder).merge()


def describe(folder: Path) -> None:
    writer_of(folder).describe(["/photos/1a.jpg"], {"tag": ["new"]}, {"tag": ["kept"]})


def repair(folder: Path) -> None:
    writer_of(folder).repair()


CHANGES = [append, remove, rearrange, merge, describe, repair]


@pytest.fixture(scope="module", params=CHANGES, ids=lambda change: change.__name__)
def change(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """A change, an index to make it in, and the states before and after."""
    folder = tmp_path_factory.mktemp(request.param.__name__) / "index"
    make(folder)
    old = state(folder)
    if request.param is repair:
        damaged = next(folder.glob("segments/*/count.npy"))
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"\xff")
        old = None  # not to be read
    done = shutil.copytree(folder, folder.parent / "done")
    request.param(done)
    return request.param, folder, old, state(done)


# -- Death ------------------------------------------------------------------------------------------------------------


class Faults:
    """Counts operations on the disk and the catalogue; at one of them, something happens."""

    def __init__(self, k: int, act: Callable[[Callable[[], object] | None], None]) -> None:
        self.k, self.act, self.n = k, act, 0

    def passes(self, half: Callable[[], object] | None = None) -> None:
        self.n += 1
        if self.n == self.k:
            self.act(half)

    def patches(self) -> ExitStack:
        stack = ExitStack()
        for name in ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir"):
            stack.enter_context(mock.patch.object(os, name, self._counting(getattr(os, name))))
        stack.enter_context(mock.patch.object(np, "save", self._saving(np.save)))
        write = merging._ArrayFile.write
        stack.enter_context(mock.patch.object(merging._ArrayFile, "write", self._writing(write)))
        stack.enter_context(mock.patch.object(sqlite3, "connect", self._connecting(sqlite3.connect)))
        return stack

    def _counting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.passes()
            return original(*arguments, **named)

        return counted

    def _saving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def save(path: Path, array: Any, **named: Any) -> None:
            self.passes(lambda: original(path, array[: len(array) // 2], **named))
            original(path, array, **named)

        return save

    def _writing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def write(file: Any, rows: Any) -> None:
            self.passes(lambda: (original(file, rows[: len(rows) // 2]), file.close()))
            original(file, rows)

        return write

    def _connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        faults = self

        class Counted(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if not sql.lstrip().startswith("SELECT"):
                    faults.passes()
                return super().execute(sql, *arguments)

            def executemany(self, *arguments: Any) -> sqlite3.Cursor:
                faults.passes()
                return super().executemany(*arguments)

        return lambda *arguments, **named: original(*arguments, factory=Counted, **named)


def dies(half: Callable[[], object] | None) -> None:
    if half:
        half()  # a torn write
    os._exit(DIED)


def in_a_child(act: Callable[[], None]) -> int:
    """Fork, act, and end without any clean-up; returns the exit status."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_death_at_any_operation_leaves_the_old_or_the_new_state(change: tuple[Any, ...], tmp_path: Path) -> None:
    act, folder, old, new = change
    for k in range(1, 1000):
        here = shutil.copytree(folder, tmp_path / str(k))

        def act_and_die(here: Path = here, k: int = k) -> None:
            with Faults(k, dies).patches():
                act(here)

        status = in_a_child(act_and_die)
        assert status in (0, DIED)
        if old is not None:
            assert state(here) in (old, new)
        writer_of(here).sweep()
        assert clean(here)
        act(here)
        assert state(here) == new
        shutil.rmtree(here)
        if status == 0:
            break
    assert 5 < k < 1000


# -- A failing disk ---------------------------------------------------------------------------------------------------


def test_a_failing_disk_at_any_operation_leaves_the_old_or_the_new_state(
    change: tuple[Any, ...], tmp_path: Path
) -> None:
    act, folder, old, new = change

    for k in range(1, 1000):
        here = shutil.copytree(folder, tmp_path / str(k))
        code = (errno.ENOSPC, errno.EIO)[k % 2]

        def fails(half: Callable[[], object] | None, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        faults = Faults(k, fails)
        with faults.patches():
            try:
                act(here)
            except (IndexStoreError, OSError):
                assert faults.n >= k
        if old is not None:
            assert state(here) in (old, new)
        act(here)
        writer_of(here).sweep()
        assert clean(here)
        assert state(here) == new
        shutil.rmtree(here)
        if faults.n < k:
            break
    assert 5 < k < 1000
