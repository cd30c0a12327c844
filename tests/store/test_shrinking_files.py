"""A mapped file of an index that becomes shorter is an error of the reader, who lives on; other faults still kill.

What may kill runs in a process of its own.
"""

from __future__ import annotations

import faulthandler
import mmap
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError
from bof.images.decode import Picture
from bof.native.mapped_file import MappedFile, ShrunkFileError, reading
from bof.store import check as check_module
from bof.store import writer as writer_module
from bof.store.index import Index, Snapshot
from tests.support.scenes import N_WORDS, ROOT, draw_scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="mapped files cannot be made shorter there")

PAGE = mmap.PAGESIZE
FORMATS = sorted((ROOT / "tests" / "golden").glob("format-*"))


def end_of(work: Callable[..., None], *arguments: Any) -> int:
    """What a process of its own ends with: 0 where the work is done, 1 for an error, less for a signal."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join(120)
    process.kill()
    assert process.exitcode is not None
    return process.exitcode


def cut(path: Path, n_bytes: int = 0) -> None:
    """As `cp` over a file or `rsync --inplace` begin."""
    os.truncate(path, n_bytes)


def files_of(index: Path, name: str) -> list[Path]:
    return sorted((index / "segments").glob(f"*/{name}.npy"))


def picture(seed: int) -> Picture:
    return Picture(np.ascontiguousarray(draw_scene(seed)[..., 0]), 320, 240)


def found(engine: Engine, seed: int = 1) -> list[tuple[str, float]]:
    return [(hit.name, hit.score) for hit in engine.search(picture(seed))]


def read_all(snapshot: Snapshot) -> None:
    with reading(snapshot):
        for segment in snapshot.segments:
            for file in segment.files:
                np.frombuffer(file, np.uint8).sum()


@pytest.fixture
def index(index_folder: Path, tmp_path: Path) -> Path:
    """A copy, free to change."""
    return Path(shutil.copytree(index_folder, tmp_path / "index"))


# -- One file ---------------------------------------------------------------------------------------------------------


def read_a_file_that_was_cut(path: Path) -> None:
    content = np.random.default_rng(0).integers(1, 256, 10 * PAGE, np.uint8)
    path.write_bytes(content.tobytes())
    with path.open("rb") as stream:
        file = MappedFile(path, stream, 10 * PAGE)
    array = file.view(np.uint8, (10 * PAGE,), 0)
    assert (array == content).all()
    file.require_whole()
    cut(path, 6 * PAGE)
    assert (array[: 6 * PAGE] == content[: 6 * PAGE]).all()
    assert not array[8 * PAGE :].any()  # the page before is looked for in the file once more
    assert not array[6 * PAGE :].any()
    path.write_bytes(content.tobytes())  # back in its length, yet zeros were read
    assert not file.is_whole
    with pytest.raises(ShrunkFileError, match=r"became shorter while it was read.*restore this one from a copy"):
        file.require_whole()


def test_what_is_missing_is_read_as_zeros_and_remembered(tmp_path: Path) -> None:
    assert end_of(read_a_file_that_was_cut, tmp_path / "file") == 0


def test_a_file_that_lost_less_than_a_page_or_grew_is_an_error_too(tmp_path: Path) -> None:
    """The system sends no signal then: the rest of the last page is zeros."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as stream:
        file = MappedFile(path, stream, 100)
    cut(path, 99)
    with pytest.raises(ShrunkFileError, match="became shorter while it was read: expected 100 bytes, found 99"):
        file.require_whole()
    path.write_bytes(b"x" * 101)
    with pytest.raises(ShrunkFileError, match="became longer while it was read: expected 100 bytes, found 101"):
        file.require_whole()
    path.write_bytes(b"x" * 100)
    file.require_whole()


def test_a_file_that_is_closed_is_watched_no_longer(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    slots = set()
    for _ in range(300):
        with (tmp_path / "file").open("rb") as stream:
            slots.add(MappedFile(tmp_path / "file", stream, 100)._slot)
    assert len(slots) < 5


def test_an_error_that_a_shorter_file_has_led_to_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as stream:
        file = MappedFile(path, stream, 100)
    with pytest.raises(ZeroDivisionError), reading(file):
        raise ZeroDivisionError
    cut(path, 99)
    with pytest.raises(ShrunkFileError), reading(file):
        raise ZeroDivisionError


# -- An index ---------------------------------------------------------------------------------------------------------


def read_every_file_cut(golden: Path, folder: Path) -> None:
    names = sorted(path.relative_to(golden / "index") for path in (golden / "index" / "segments").glob("*/*.npy"))
    for number, name in enumerate(names):
        index = Path(shutil.copytree(golden / "index", folder / str(number)))
        snapshot = Index.open(index).snapshot()
        read_all(snapshot)
        if not any(file.path == index / name for segment in snapshot.segments for file in segment.files):
            continue  # of format 1, and no longer read
        print(name, flush=True)
        cut(index / name)
        with pytest.raises(ShrunkFileError) as caught:
            read_all(snapshot)
        assert caught.value.path == str(index / name)
        assert not snapshot.is_whole


@pytest.mark.parametrize("golden", FORMATS, ids=[folder.name for folder in FORMATS])
def test_whichever_file_is_cut_its_reader_lives_and_is_told_which(golden: Path, tmp_path: Path) -> None:
    assert end_of(read_every_file_cut, golden, tmp_path) == 0


def search_in_threads(index: Path, name: str) -> None:
    with Engine.open(index) as engine:
        before = found(engine)
        contents = {path: path.read_bytes() for path in files_of(index, name)}
        errors: list[BaseException] = []

        def keep_searching() -> None:
            try:
                while True:
                    assert found(engine) == before
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=keep_searching) for _ in range(4)]
        for thread in threads:
            thread.start()
        for path in contents:
            cut(path)
        for thread in threads:
            thread.join()
        assert [type(error) for error in errors] == [ShrunkFileError] * 4
        with pytest.raises(IndexStoreError):
            engine.refresh()
        for path, content in contents.items():
            path.write_bytes(content)
        assert not engine.refresh()  # no new commit, but the files are mapped again
        assert found(engine) == before


@pytest.mark.parametrize("name", ["signature", "vote_image", "xy", "feature_indptr"])
def test_searches_in_threads_end_with_an_error_and_go_on_once_the_file_is_back(index: Path, name: str) -> None:
    assert end_of(search_in_threads, index, name) == 0


def cut_beneath_others(index: Path, retained: Path) -> None:
    with Engine.open(index) as engine, Engine.open(retained) as other:
        before = found(other)
        assert found(engine) == before
        cut(files_of(index, "signature")[0])
        with pytest.raises(ShrunkFileError):
            found(engine)
        assert found(other) == before
        with pytest.raises(ShrunkFileError):
            next(engine.neighbours(3))
        child = os.fork()
        if child == 0:
            cut(files_of(retained, "signature")[0])
            try:
                found(other)
            except ShrunkFileError:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_another_index_answers_as_before_and_a_forked_child_is_guarded(index: Path, tmp_path: Path) -> None:
    retained = Path(shutil.copytree(index, tmp_path / "kept"))
    assert end_of(cut_beneath_others, index, retained) == 0


def cut_while_merging(index: Path, name: str) -> None:
    with Engine.open(index) as engine:
        engine.remove(["scene-00.png"])
        merged, before = writer_module.write_merged, engine.generation

        def write_merged(*arguments: Any) -> Any:
            cut(files_of(index, name)[0])
            return merged(*arguments)

        writer_module.write_merged = write_merged  # type: ignore[assignment]
        with pytest.raises(ShrunkFileError):
            engine.merge()
        assert Index.open(index).generation() == before
        assert not list((index / "segments").glob(".*"))


@pytest.mark.parametrize(
    "name", ["vote_indptr", "vote_image", "vote_feature", "signature", "feature_indptr", "word", "xy"]
)
def test_a_merge_of_a_file_that_is_cut_changes_nothing(index: Path, name: str) -> None:
    assert end_of(cut_while_merging, index, name) == 0


def cut_while_checking(index: Path, name: str) -> None:
    is_in_range = check_module.is_in_range

    def cut_then_compare(segment: Any) -> bool:
        cut(files_of(index, name)[0])
        return is_in_range(segment)

    check_module.is_in_range = cut_then_compare
    (damage,) = check_module.check(index, N_WORDS).damages
    assert "became shorter while it was read" in damage.reasons[0]


@pytest.mark.parametrize("name", ["vote_indptr", "vote_feature", "word"])
def test_a_check_of_a_file_that_is_cut_names_it(index: Path, name: str) -> None:
    assert end_of(cut_while_checking, index, name) == 0


# -- Other faults -----------------------------------------------------------------------------------------------------


def fault_elsewhere(folder: Path) -> None:
    """Read a mapped file of nobody's that was cut."""
    path = folder / "elsewhere"
    path.write_bytes(b"x" * PAGE)
    with path.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    cut(path)
    mapped[0]


def fault_with_faulthandler(when: str, index: Path, folder: Path, *, ours: bool) -> None:
    with (folder / "trace").open("w") as trace:
        if when == "before":
            faulthandler.enable(trace)
        engine = Engine.open(index)
        before = found(engine)
        if when == "between":
            faulthandler.enable(trace)
            engine = Engine.open(index)
            assert found(engine) == before
        if ours:
            cut(files_of(index, "signature")[0])
            with pytest.raises(ShrunkFileError):
                found(engine)
        else:
            fault_elsewhere(folder)


@pytest.mark.parametrize("when", ["never", "before", "between"])
def test_a_fault_elsewhere_still_kills_and_is_told_by_faulthandler_once(index: Path, when: str, tmp_path: Path) -> None:
    assert end_of(fault_with_faulthandler_elsewhere, when, index, tmp_path) == -signal.SIGBUS
    assert (tmp_path / "trace").read_text().count("Fatal Python error: Bus error") in (
        (0,) if when == "never" else (1, 2)
    )


def fault_with_faulthandler_elsewhere(when: str, index: Path, folder: Path) -> None:
    fault_with_faulthandler(when, index, folder, ours=False)


@pytest.mark.parametrize("when", ["before", "between"])
def test_faulthandler_is_not_told_of_a_file_that_was_cut(index: Path, when: str, tmp_path: Path) -> None:
    assert end_of(fault_with_faulthandler_here, when, index, tmp_path) == 0
    assert (tmp_path / "trace").read_text() == ""


def fault_with_faulthandler_here(when: str, index: Path, folder: Path) -> None:
    fault_with_faulthandler(when, index, folder, ours=True)


def send_to_itself(index: Path, how: str) -> None:
    received: list[int] = []
    handlers: dict[str, Any] = {"handled": lambda number, frame: received.append(number), "ignored": signal.SIG_IGN}
    if how in handlers:
        signal.signal(signal.SIGBUS, handlers[how])
    with Engine.open(index) as engine:
        before = found(engine)
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGBUS)
        assert found(engine) == before
    assert received == ([signal.SIGBUS] * 3 if how == "handled" else [])


@pytest.mark.parametrize(("how", "end"), [("unhandled", -signal.SIGBUS), ("handled", 0), ("ignored", 0)])
def test_a_signal_that_is_sent_goes_to_who_handled_it_before(index: Path, how: str, end: int) -> None:
    assert end_of(send_to_itself, index, how) == end
