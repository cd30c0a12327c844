"""A process that dies, or a disk that fails, at any step of any change: the index is old or new, nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, Any
from unittest import mock

import numpy as np
import pytest

from bof.errors import IndexStoreError
from bof.store import catalog, columns
from bof.store import merge as merge_module
from bof.store.catalog import Move
from bof.store.check import SEGMENTS
from bof.store.index import Index
from bof.store.writer import Writer
from bof.system import files
from tests.support.living import (
    N_WORDS,
    flip,
    is_clean,
    make,
    picture,
    records_by_path,
    state,
)


class Steps:
    """Counts what a change does to the disk and to the catalogue, and is told of each step before it is done."""

    def __init__(self) -> None:
        self.n = 0

    def step(self, do: Callable[[], Any], kind: str) -> Any:
        """do: the step; kind: of SQL the statement, else the name of a call."""
        self.n += 1
        return do()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is forced onto the disk is only counted: a process that dies takes no disk with it."""
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(merge_module, "MERGE_AT", 3))
            for name in ("rename", "replace", "unlink", "rmdir", "mkdir"):
                stack.enter_context(mock.patch.object(os, name, self._counted(getattr(os, name), name)))
            stack.enter_context(mock.patch.object(os, "fsync", self._counted(lambda _: None, "fsync")))
            stack.enter_context(mock.patch.object(np, "save", self._saving(np.save)))
            for module in (merge_module, columns):
                stack.enter_context(mock.patch.object(module, "ArrayFile", self._writing(files.ArrayFile)))
            stack.enter_context(mock.patch.object(os, "link", self._counted(os.link, "link")))
            stack.enter_context(mock.patch.object(sqlite3, "connect", self._connecting(sqlite3.connect)))
            yield

    def _counted(self, original: Callable[..., Any], kind: str) -> Callable[..., Any]:
        return lambda *arguments, **named: self.step(lambda: original(*arguments, **named), kind)

    def _saving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def save(stream: IO[bytes], array: Any, **named: Any) -> None:
            """In two steps, so that there is something between."""
            for part in (array[: len(array) // 2], array):
                stream.seek(0)
                stream.truncate()
                self.step(partial(original, stream, part, **named), "save")
                stream.flush()

        return save

    def _writing(self, kind: type[Any]) -> type[Any]:
        steps = self

        class Counted(kind):  # type: ignore[misc]
            def __init__(self, *arguments: Any) -> None:
                steps.step(lambda: super(Counted, self).__init__(*arguments), "open")

            def write(self, rows: Any) -> None:
                """In two steps, so that there is something between."""
                for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                    steps.step(partial(super().write, part), "write")
                    self._stream.flush()

        return Counted

    def _connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        steps = self

        class Counted(sqlite3.Connection):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                super().execute("PRAGMA cache_size = 1")  # half a transaction is on the disk before it ends

            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if sql.startswith("SELECT"):
                    return super().execute(sql, *arguments)
                quick = sql.replace("synchronous = EXTRA", "synchronous = OFF")
                cursor: sqlite3.Cursor = steps.step(lambda: super(Counted, self).execute(quick, *arguments), sql)
                return cursor

            def executemany(self, *arguments: Any) -> sqlite3.Cursor:
                cursor: sqlite3.Cursor = steps.step(lambda: super(Counted, self).executemany(*arguments), "MANY")
                return cursor

        return lambda *arguments, **named: original(*arguments, factory=Counted, **named)


class Death(Steps):
    """Keeps the disk as the process would leave it if it died before a step: what is in its memory is not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.left: list[Path] = []
        self.is_keeping = False

    def step(self, do: Callable[[], Any], kind: str) -> Any:
        if not self.is_keeping:
            self.is_keeping = True
            self.left.append(self.folder.with_name(f"left {len(self.left)}"))
            shutil.copytree(self.folder, self.left[-1], copy_function=shutil.copyfile)
            self.is_keeping = False
        return super().step(do, kind)


class Failure(Steps):
    """The k-th step is not done and says so, the disk being full or broken in turn.

    lies: a commit or a rename is done and says that it failed; other steps do not count.
    """

    def __init__(self, k: int, lies: bool) -> None:
        super().__init__()
        self.k, self.lies = k, lies

    def step(self, do: Callable[[], Any], kind: str) -> Any:
        if self.lies and kind not in ("COMMIT", "rename", "fsync", "mkdir"):
            return do()
        self.n += 1
        if self.n != self.k:
            return do()
        if self.lies:
            do()
        if kind[0].isupper():
            raise sqlite3.OperationalError("disk I/O error" if self.k % 2 else "database or disk is full")
        code = errno.EIO if self.k % 2 else errno.ENOSPC
        raise OSError(code, os.strerror(code))


def append(writer: Writer) -> None:
    """The third segment: all are merged."""
    writer.append([picture("/photos/b.jpg", 30), picture("/photos/z.jpg", 31)])


def remove(writer: Writer) -> None:
    """One segment is left with waste and rewritten, another is left with nothing and goes."""
    writer.remove(["a.jpg", "d.jpg", "f.jpg", "g.jpg", "h.jpg"])


def rearrange(writer: Writer) -> None:
    if "roots" not in catalog.read_meta(writer.folder):  # not done before
        known = records_by_path(writer.folder)
        b, d = known["/photos/b.jpg"], known["/photos/d.jpg"]
        moves = [Move(b.id, "d.jpg", d.path, 5, 5), Move(d.id, "new/b.jpg", "/photos/new/b.jpg", 5, 5)]
        writer.rearrange(moves, [known["/photos/e.jpg"].id], ["/photos"])


def merge(writer: Writer) -> None:
    writer.merge()


def annotate(writer: Writer) -> None:
    writer.annotate(["/photos/b.jpg"], {"tag": ["new"], "year": ["1999"]}, {"tag": ["kept"]})


def repair(writer: Writer) -> None:
    writer.repair()


def backfill(writer: Writer) -> None:
    """Some images of one segment get columns."""
    with catalog.reading(writer.folder) as database:
        number = catalog.read_segments(database)[0].number
    writer.backfill(number, {1: {"hash.ahash": np.array([7], np.uint64)}, 3: {"hash.ahash": np.array([9], np.uint64)}})


def add_columns(writer: Writer) -> None:
    writer.set_facts({"columns": ["hash"]}, ["hash"])


CHANGES = [append, remove, rearrange, merge, annotate, repair, backfill, add_columns]


@pytest.fixture(scope="module")
def quick() -> Iterator[Path]:
    """A folder in memory where there is one: much is written there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module", params=CHANGES, ids=lambda change: change.__name__)
def changed(request: pytest.FixtureRequest, quick: Path) -> tuple[Any, ...]:
    """A change, an index to make it in, and the states before and after."""
    folder = quick / request.param.__name__ / "index"
    make(folder)
    if request.param is repair:
        flip(sorted(folder.glob("segments/*/scale_angle.npy"))[0])
    old, done = state(folder), copied(folder, "done")
    act(request.param, done)
    assert (state(done) == old) == (request.param is merge)
    return request.param, folder, old, state(done)


def copied(folder: Path, name: str) -> Path:
    """A copy beside it, free to change: files of segments are written once."""
    here = folder.parent / name
    shutil.copytree(folder / SEGMENTS, here / SEGMENTS, copy_function=os.link)
    shutil.copy(folder / catalog.FILE_NAME, here)
    return here


def act(change: Callable[[Writer], None], folder: Path, steps: Steps | None = None) -> None:
    with (steps or Steps()).at_work(), Index.open(folder).writer() as writer:
        change(writer)


def error_of(do: Callable[[], None]) -> str:
    """What the index says that went wrong; empty when all is well."""
    try:
        do()
    except IndexStoreError as error:
        return str(error)
    return ""


def assert_it_goes_on(change: Callable[[Writer], None], here: Path, new: object) -> None:
    """What was left behind is swept, and the change can be made again."""
    Writer(here, N_WORDS).sweep()
    assert is_clean(here)
    act(change, here)
    assert state(here) == new
    shutil.rmtree(here)


def test_a_death_at_any_step_leaves_the_old_or_the_new_state(changed: tuple[Any, ...]) -> None:
    """A death before a step is one after the step before it, too."""
    change, folder, old, new = changed
    death = Death(copied(folder, "dying"))
    act(change, death.folder, death)
    assert any((here / f"{catalog.FILE_NAME}-journal").exists() for here in death.left)
    states = [state(here) for here in death.left]
    n_old = states.index(new)
    assert all(one == old for one in states[:n_old])
    assert all(one == new for one in states[n_old:])
    for here in death.left:
        assert_it_goes_on(change, here, new)
    assert len(death.left) > 10


@pytest.mark.parametrize("lies", [False, True])
def test_a_failing_disk_at_any_step_leaves_the_old_or_the_new_state(changed: tuple[Any, ...], lies: bool) -> None:
    change, folder, old, new = changed
    for k in count(1):
        here, failure = copied(folder, f"failing {k}"), Failure(k, lies)
        reported = error_of(partial(act, change, here, failure))
        assert state(here) in ((old, new) if reported else (new,))
        assert not reported or str(here) in reported
        assert_it_goes_on(change, here, new)
        if failure.n < k:
            break
    assert k > 2
