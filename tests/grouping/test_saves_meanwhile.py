"""Another program saves by renaming, before every system call of every action: what it saved is never lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bof.grouping.actions import FileAction
from bof.grouping.journal import Action, read_entries
from bof.grouping.undoing import undo
from bof.system import renaming
from tests.grouping.test_duplicate_actions import act, group_of, refusal, throw_away, write

CALLS = (
    "open", "write", "fsync", "stat", "lstat", "rename", "replace", "link", "unlink", "mkdir", "rmdir", "chmod", "utime"
)  # fmt: skip
"""Those that find, make or change something; to read from an open file or to close it is to do so a moment later."""

REAL = {name: getattr(os, name) for name in CALLS}
ONE, SAVED, AGAIN = b"one" * 500, b"saved meanwhile", b"saved again"

CASES = [
    (action, system, undoing)
    for action, system in [
        ("move", "all"), ("move", "links"), ("move", "across"), ("link", "all"), ("link", "links"), ("trash", "all")
    ]
    for undoing in (False, True)
]  # fmt: skip


@dataclass
class Files:
    """A kept picture, its duplicate, and where that is moved to."""

    root: Path

    @property
    def keeper_path(self) -> Path:
        return self.root / "photos" / "a.jpg"

    @property
    def path(self) -> Path:
        return self.root / "photos" / "b" / "c.jpg"

    @property
    def target(self) -> Path:
        return self.root / "moved" / "b" / "c.jpg"

    @property
    def log(self) -> Path:
        return self.root / "log.jsonl"

    def make(self) -> None:
        write(self.keeper_path, ONE, 10**9)
        write(self.path, ONE, 10**9 + 100)
        for name in ("files", "info"):
            (self.root / "data" / "Trash" / name).mkdir(parents=True)

    def places(self, content: bytes) -> set[Path]:
        """Where a content is, the log apart."""
        files = [path for path in self.root.rglob("*") if path.is_file() and path != self.log]
        return {path for path in files if path.read_bytes() == content}


def save(path: Path, content: bytes) -> None:
    """As editors do it: a new file, then its name. Where the folder is not there, there is nothing to save."""
    fresh = path.with_name("fresh")
    try:
        descriptor = REAL["open"](fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileNotFoundError:
        return
    REAL["write"](descriptor, content)
    os.close(descriptor)
    REAL["rename"](fresh, path)


@contextmanager
def saving(saves: dict[int, Callable[[], None]], system: str) -> Iterator[list[int]]:
    """Run these before the calls of these numbers; yields the count of calls."""
    count, inside = [0], [False]

    def counted(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def one(*arguments: Any, **named: Any) -> Any:
            is_way = name == "open" and arguments[1] & os.O_PATH  # a folder above those that are saved in
            if inside[0] or is_way:
                return call(*arguments, **named)
            inside[0] = True
            try:
                saves.get(count[0], lambda: None)()
                count[0] += 1
                if name in ("link", "rename_new"):
                    folders = arguments[2:] if name == "rename_new" else [named["src_dir_fd"], named["dst_dir_fd"]]
                    if code := refusal(name, folders, system):
                        raise OSError(code, os.strerror(code))
            finally:
                inside[0] = False
            return call(*arguments, **named)

        return one

    with ExitStack() as stack:
        for name in CALLS:
            call = REAL[name] if name != "fsync" else lambda _: None
            stack.enter_context(mock.patch.object(os, name, counted(call, name)))
        stack.enter_context(mock.patch.object(renaming, "rename_new", counted(renaming.rename_new, "rename_new")))
        yield count


def run(files: Files, action: Action, system: str, undoing: bool, saves: dict[int, Callable[[], None]]) -> int:
    """Act, or undo, while another program saves; checks what is told of it; returns the number of calls."""
    files.make()
    keeper_path, member = group_of([files.keeper_path, files.path]).members
    target = files.target if action == "move" else None
    file_actions = [FileAction(action, member, keeper_path, target, "", files.path, files.keeper_path)]
    trash = throw_away if action == "trash" else None
    if undoing:
        act(file_actions, action, files.root, trash)
        entries = read_entries(files.log)
        with saving(saves, system) as count:
            undone = undo(entries)
        reported = "\n".join(one.words for one in undone)
    else:
        with saving(saves, system) as count:
            [outcome] = act(file_actions, action, files.root, trash)
        reported = outcome.problem
        check_log(files, action, reported)
    check_leftovers(files, reported)
    return count[0]


def check_log(files: Files, action: Action, reported: str) -> None:
    """The log says what the output says, and where it says that it is done, it is."""
    lines = [json.loads(line) for line in files.log.read_bytes().splitlines()[1:]]
    if not lines:  # it was left alone
        assert reported
        assert files.path.exists()
        return
    assert lines[-1]["outcome"] == (reported or "done")
    if reported:
        assert files.path.exists() or Path(lines[-1]["left"]).exists()
    elif action == "move":
        assert files.target in files.places(ONE) | files.places(SAVED) | files.places(AGAIN)
    elif action == "link":
        assert (
            files.path.read_bytes() != ONE or files.path.stat().st_nlink == 2 or files.keeper_path.read_bytes() != ONE
        )
    else:
        assert (files.root / "data" / "Trash" / "files" / "c.jpg").read_bytes() == ONE
        assert "aside" not in (files.root / "data" / "Trash" / "info" / "c.jpg.trashinfo").read_text()


def check_leftovers(files: Files, reported: str) -> None:
    """No folder of our own stays without a word, and no file."""
    for path in files.root.rglob(".bof-*"):
        inside = list(path.iterdir()) if path.is_dir() else [path]
        assert inside
        assert all(str(one) in reported for one in inside)


def check_saved(files: Files, place: Path, content: bytes) -> None:
    """What was saved is where it was saved, or where the output says."""
    places = files.places(content)
    assert place in places or any(".bof-" in str(path) for path in places)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    files = Files(tmp_path / "here")
    monkeypatch.setenv("XDG_DATA_HOME", str(files.root / "data"))
    return files


@pytest.mark.parametrize(("action", "system", "undoing"), CASES)
@pytest.mark.parametrize("name", ["path", "keeper_path", "target"])
def test_a_save_before_any_call_is_never_lost(
    files: Files, name: str, action: Action, system: str, undoing: bool
) -> None:
    place = getattr(files, name)
    n_calls = run(files, action, system, undoing, {})
    assert 10 < n_calls < 200
    for at in range(n_calls):
        shutil.rmtree(files.root)
        was_saved = list[bool]()

        def one_save(was_saved: list[bool] = was_saved) -> None:
            save(place, SAVED)
            was_saved.append(place.parent.is_dir())

        run(files, action, system, undoing, {at: one_save})
        assert files.places(ONE), f"the picture itself is lost at call {at}"
        if any(was_saved):
            check_saved(files, place, SAVED)


@pytest.mark.parametrize(("action", "system", "undoing"), CASES)
def test_two_saves_are_not_lost_either(files: Files, action: Action, system: str, undoing: bool) -> None:
    """The first may be gone where the second was saved over it."""
    n_calls = run(files, action, system, undoing, {})
    for at in range(0, n_calls, 4):
        for after in (1, 3, 9):
            shutil.rmtree(files.root)
            saves = {at: lambda: save(files.path, SAVED), at + after: lambda: save(files.path, AGAIN)}
            if run(files, action, system, undoing, saves) > at + after:
                check_saved(files, files.path, AGAIN)
