"""What is done to duplicates: no byte is lost whenever the process dies, and all of it can be undone."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import numpy as np
import pytest

from bof.errors import DuplicateError, OptionError
from bof.grouping import actions, copying
from bof.grouping.actions import FileAction, Outcome, perform, plan, require_outside
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at
from bof.grouping.journal import Action, read_entries, writing
from bof.grouping.trash import Trash, find_in_trash, require_trash
from bof.grouping.types import Group, Link, Member
from bof.grouping.undoing import undo
from bof.system import renaming

Tree = dict[str, tuple[bytes, int, int]]
"""Relative path -> content, mode, mtime_ns."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies takes no disk with it: what is forced onto the disk is only counted."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Dead(BaseException):
    """The process is no more: nothing that it does afterwards reaches the disk."""


def member(path: Path, number: int) -> Member:
    content, found = path.read_bytes(), path.stat()
    sha256 = hashlib.sha256(content).hexdigest()
    return Member(path.name, str(path), len(content), found.st_mtime_ns, sha256, 320, 240, 0, number)


def group_of(paths: Sequence[Path], first_id: int = 0) -> Group:
    members = [member(path, number) for number, path in enumerate(paths, first_id)]
    return Group(members[0], tuple((other, Link("exact", 0, 1.0, np.eye(3), ())) for other in members[1:]))


def write(path: Path, content: bytes, mtime: int = 1_500_000_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    path.chmod(0o640)
    return path


def collection(root: Path) -> list[Group]:
    """Two groups of exact copies: three files of one content and two of another, in folders."""
    one = [
        write(root / "photos" / name, b"one" * 500, 10**9 + 100 * i)
        for i, name in enumerate(["a.jpg", "b/c.jpg", "d.jpg"])
    ]
    two = [write(root / "photos" / name, b"two" * 400, 10**9 + 100 * i) for i, name in enumerate(["e.jpg", "b/f.jpg"])]
    return [group_of(one), group_of(two, 10)]


def planned(groups: Sequence[Group], action: Action, root: Path, protected: Sequence[Path] = ()) -> list[FileAction]:
    choices = [choose(group, look_at(group), protected) for group in groups]
    folder = root / "moved" if action == "move" else None
    return plan(groups, choices, action, folder, [root / "photos"])


def act(file_actions: Sequence[FileAction], action: Action, root: Path, trash: Trash | None = None) -> list[Outcome]:
    with writing(root / "log.jsonl", action, root / "index") as journal:
        return list(perform(file_actions, journal, trash))


def tree(root: Path) -> Tree:
    return {
        str(path.relative_to(root)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "log.jsonl"
    }


def no_shared_files(root: Path) -> bool:
    return all(path.stat().st_nlink == 1 for path in root.rglob("*") if path.is_file())


# -- Death at every step ----------------------------------------------------------------------------------------------


KINDS: list[tuple[Action, str]] = [
    ("move", "all"), ("move", "links"), ("move", "neither"), ("move", "across"), ("move", "neither, across"),
    ("link", "all"), ("link", "links"), ("trash", "all"),
]  # fmt: skip
"""What is done, and what the file system offers: renaming that never overwrites, second names, neither; or two systems.
"""

each_kind = pytest.mark.parametrize(("action", "system"), KINDS, ids=[f"{action}, {has}" for action, has in KINDS])


def refusal(call: str, folders: Sequence[int], system: str) -> int:
    """What a file system answers to link and rename_new, between open folders; 0 where it does it."""
    places = {"moved" in Path(os.readlink(f"/proc/self/fd/{folder}")).parts for folder in folders}
    if "across" in system and len(places) == 2:
        return errno.EXDEV
    if call == "rename_new":
        return 0 if system in ("all", "across") else errno.EINVAL
    return errno.EPERM if "neither" in system else 0


@contextmanager
def dying(at: int, system: str = "all") -> Iterator[list[int]]:
    """Death before the step of this number; yields the count of steps. system: what it offers, see KINDS."""
    count, halves = [0], [False]

    def step(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            count[0] += 1
            if count[0] >= at:
                raise Dead
            if name == "write" and not halves.pop():  # half a line, half a picture, and then the rest
                halves.append(True)
                return call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            halves[:] = [False]
            if name in ("link", "rename_new"):
                folders = arguments[2:] if name == "rename_new" else [named["src_dir_fd"], named["dst_dir_fd"]]
                if code := refusal(name, folders, system):
                    raise OSError(code, os.strerror(code))
            return call(*arguments, **named)

        return counted

    with ExitStack() as stack:
        for name in ("link", "unlink", "replace", "rename", "mkdir", "rmdir", "write", "chmod", "utime"):
            stack.enter_context(mock.patch.object(os, name, step(getattr(os, name), name)))
        stack.enter_context(mock.patch.object(os, "fsync", step(lambda _: None, "fsync")))
        stack.enter_context(mock.patch.object(renaming, "rename_new", step(renaming.rename_new, "rename_new")))
        yield count


def throw_away(path: str) -> None:
    """A trash that takes a file in two steps, and its note first."""
    trash = Path(os.environ["XDG_DATA_HOME"]) / "Trash"
    name = Path(path).name
    (trash / "info" / f"{name}.trashinfo").write_text(f"[Trash Info]\nPath={quote(path)}\n")
    os.rename(path, trash / "files" / name)


def die_and_undo(root: Path, action: Action, at: int, system: str) -> bool:
    """Act, die before a step, check, undo; returns whether the action ended before that step came."""
    groups = collection(root)
    for name in ("files", "info"):
        (root / "data" / "Trash" / name).mkdir(parents=True)
    before, file_actions = tree(root), planned(groups, action, root)
    retained = {
        str(Path(file_action.keeper.path).relative_to(root)) for file_action in file_actions if file_action.keeper
    }
    ended = False
    with dying(at, system):
        try:
            act(file_actions, action, root, throw_away if action == "trash" else None)
            ended = True
        except Dead:
            pass
    now, words = tree(root), list[str]()
    assert {content for content, *_ in before.values()} <= {content for content, *_ in now.values()}
    assert all(now[name] == before[name] for name in retained)
    if (root / "log.jsonl").exists() and b"\n" in (root / "log.jsonl").read_bytes():
        for _ in range(2):
            words = [one.words for one in undo(read_entries(root / "log.jsonl")) if one.state == "not undone"]
            assert not words or action == "trash"
    if action == "trash":  # what is in the trash stays there, and its place is told
        trashed = {path.name for path in (root / "data" / "Trash" / "files").iterdir()}
        assert trashed == {Path(reported.split(";")[0]).name for reported in words}
        assert {name for name in before if Path(name).name not in trashed} <= set(tree(root))
        shutil.rmtree(root)
        return ended
    assert tree(root) == before
    assert no_shared_files(root)
    assert not (root / "moved").exists() or not any((root / "moved").rglob("*.jpg"))
    shutil.rmtree(root)
    return ended


@each_kind
def test_a_process_that_dies_at_any_step_loses_nothing_and_can_be_undone(
    action: Action, system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "here" / "data"))
    for at in range(1, 500):
        if die_and_undo(tmp_path / "here", action, at, system):
            break
    assert 20 < at < 150


@pytest.mark.parametrize(("action", "system"), KINDS[:-1])
def test_undoing_that_dies_at_any_step_goes_on_when_it_is_run_again(
    action: Action, system: str, tmp_path: Path
) -> None:
    for at in range(1, 300):
        root = tmp_path / str(at)
        groups = collection(root)
        before = tree(root)
        act(planned(groups, action, root), action, root)
        entries, ended = read_entries(root / "log.jsonl"), False
        with dying(at, system):
            try:
                undo(entries)
                ended = True
            except Dead:
                pass
        assert {content for content, *_ in before.values()} <= {content for content, *_ in tree(root).values()}
        undo(entries)
        assert tree(root) == before
        assert no_shared_files(root)
        if ended:
            break
    assert 10 < at < 150


# -- What is never touched --------------------------------------------------------------------------------------------


def test_a_plan_touches_nothing(tmp_path: Path) -> None:
    groups = collection(tmp_path)
    before = tree(tmp_path)
    assert [file_action.refusal for file_action in planned(groups, "move", tmp_path)] == ["", "", ""]
    assert tree(tmp_path) == before
    assert not (tmp_path / "moved").exists()


def test_the_kept_file_stays_and_the_others_keep_their_folders(tmp_path: Path) -> None:
    act(planned(collection(tmp_path), "move", tmp_path), "move", tmp_path)
    assert set(tree(tmp_path)) == {"photos/a.jpg", "photos/e.jpg", "moved/b/c.jpg", "moved/d.jpg", "moved/b/f.jpg"}


def test_nothing_that_stands_in_the_target_folder_is_overwritten(tmp_path: Path) -> None:
    groups = collection(tmp_path)
    write(tmp_path / "moved" / "d.jpg", b"other")
    outcomes = act(planned(groups, "move", tmp_path), "move", tmp_path)
    assert (tmp_path / "moved" / "d.jpg").read_bytes() == b"other"
    names = [outcome.file_action.target.name for outcome in outcomes if outcome.file_action.target]
    assert f"d-{groups[0].representative.sha256[:12]}.jpg" in names


def test_a_file_that_comes_to_the_target_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file_actions = planned(collection(tmp_path), "move", tmp_path)
    write(tmp_path / "moved" / "d.jpg", b"other")
    failed = [outcome for outcome in act(file_actions, "move", tmp_path) if outcome.failed]
    assert [outcome.file_action.member.name for outcome in failed] == ["d.jpg"]
    assert (tmp_path / "moved" / "d.jpg").read_bytes() == b"other"
    assert (tmp_path / "photos" / "d.jpg").exists()


@pytest.mark.parametrize("spoilt", ["changed", "gone", "link", "same file", "keeper changed", "keeper gone"])
def test_what_is_not_as_it_was_indexed_is_left_alone(spoilt: str, tmp_path: Path) -> None:
    file_actions = planned(collection(tmp_path)[1:], "move", tmp_path)
    retained, other = tmp_path / "photos" / "e.jpg", tmp_path / "photos" / "b" / "f.jpg"
    target = retained if "keeper" in spoilt else other
    content, found = target.read_bytes(), target.stat()
    if "changed" in spoilt:  # of the same size and time: only its content tells
        target.write_bytes(content[:-1] + b"!")
        os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
    else:
        target.unlink()
    if spoilt == "link":
        target.symlink_to(retained)
    elif spoilt == "same file":
        target.hardlink_to(retained)
    before = set(tree(tmp_path))
    [outcome] = act(file_actions, "move", tmp_path)
    words = {
        "changed": "has changed", "gone": "is gone", "link": "is a link", "same file": "is one file",
        "keeper changed": "the picture to keep has changed", "keeper gone": "the picture to keep is gone",
    }  # fmt: skip
    assert outcome.problem.startswith(words[spoilt])
    assert not outcome.failed
    assert set(tree(tmp_path)) == before


def test_protected_pictures_are_kept_and_never_touched(tmp_path: Path) -> None:
    groups = collection(tmp_path)
    file_actions = planned(groups, "move", tmp_path, [tmp_path / "photos" / "b"])
    assert {file_action.keeper.name for file_action in file_actions if file_action.keeper} == {"c.jpg", "f.jpg"}
    file_actions = planned(groups, "move", tmp_path, [tmp_path])
    assert {file_action.refusal for file_action in file_actions} == {"is in a protected folder"}
    (tmp_path / "way").symlink_to(tmp_path / "photos" / "b")
    through_a_link = planned(groups, "move", tmp_path, [tmp_path / "way"])
    assert {file_action.keeper.name for file_action in through_a_link if file_action.keeper} == {"c.jpg", "f.jpg"}


def test_a_failed_action_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    before, file_actions = set(), planned(collection(tmp_path), "move", tmp_path)
    before = set(tree(tmp_path))
    real = os.rename

    def refuse(path: Any, *other: Any, **named: Any) -> None:
        if str(path) == "c.jpg":
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, *other, **named)

    with mock.patch.object(os, "rename", refuse):
        outcomes = act(file_actions, "move", tmp_path)
    assert [(one.file_action.member.name, one.failed) for one in outcomes] == [
        ("c.jpg", True), ("d.jpg", False), ("f.jpg", False),
    ]  # fmt: skip
    assert not (tmp_path / "moved" / "b" / "c.jpg").exists()
    undo(read_entries(tmp_path / "log.jsonl"))
    assert set(tree(tmp_path)) == before


def test_a_full_disk_leaves_no_half_copies(tmp_path: Path) -> None:
    file_actions = planned(collection(tmp_path), "move", tmp_path)
    before = tree(tmp_path)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        dying(1 << 30, "across"),
        mock.patch.object(copying, "_write", side_effect=full),
    ):
        outcomes = act(file_actions, "move", tmp_path)
    assert all(outcome.failed and "space" in outcome.problem for outcome in outcomes)
    assert tree(tmp_path) == before


def test_without_a_log_nothing_is_done(tmp_path: Path) -> None:
    file_actions = planned(collection(tmp_path), "move", tmp_path)
    before = tree(tmp_path)
    with (
        pytest.raises(DuplicateError, match="the log cannot be written"),
        writing(tmp_path / "log.jsonl", "move", tmp_path) as journal,
        mock.patch.object(os, "write", side_effect=OSError(errno.ENOSPC, "full")),
    ):
        list(perform(file_actions, journal))
    assert tree(tmp_path) == before
    with pytest.raises(DuplicateError, match="name another with log FILE"):
        act(file_actions, "move", tmp_path)  # a log stands there already


@pytest.mark.parametrize("place", ["photos", "photos/b", ".", "index/x"])
def test_the_collection_is_no_place_to_move_to(place: str, tmp_path: Path) -> None:
    collection(tmp_path)
    with pytest.raises(OptionError, match="move_to"):
        require_outside(tmp_path / place, [tmp_path / "photos"], index=tmp_path / "index")


def test_a_picture_in_the_target_folder_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path / "photos")
    pictures = [Path(m.path) for group in collection(tmp_path) for m in group.members]
    with pytest.raises(OptionError, match="holds no picture"):
        require_outside(tmp_path / "way", [], pictures)
    require_outside(tmp_path / "moved", [tmp_path / "photos"], pictures)


# -- Links, trash, undoing --------------------------------------------------------------------------------------------


def test_links_make_one_file_and_undoing_makes_two(tmp_path: Path) -> None:
    groups = collection(tmp_path)
    before = tree(tmp_path)
    act(planned(groups, "link", tmp_path), "link", tmp_path)
    assert (tmp_path / "photos" / "b" / "c.jpg").samefile(tmp_path / "photos" / "a.jpg")
    again = planned(groups, "link", tmp_path)
    assert {file_action.refusal for file_action in again} == {"is one file with the kept one already"}
    undo(read_entries(tmp_path / "log.jsonl"))
    assert tree(tmp_path) == before
    assert no_shared_files(tmp_path)


def test_only_the_same_bytes_become_one_file(tmp_path: Path) -> None:
    one, two = write(tmp_path / "photos" / "a.jpg", b"a"), write(tmp_path / "photos" / "b.jpg", b"b")
    link = Link("copy", 20, 1.0, np.eye(3), ("encoded",))
    group = Group(member(one, 0), ((member(two, 1), link),))
    with mock.patch.object(actions, "_same_file", return_value=""):
        choice = choose(group, {m.id: look_at(group_of([Path(m.path)]))[0] for m in group.members})
        [file_action] = plan([group], [choice], "link", None, [tmp_path])
    assert "same bytes" in file_action.refusal


def test_undoing_overwrites_nothing(tmp_path: Path) -> None:
    act(planned(collection(tmp_path), "move", tmp_path), "move", tmp_path)
    write(tmp_path / "photos" / "d.jpg", b"a new picture")
    write(tmp_path / "moved" / "b" / "f.jpg", b"changed")
    (tmp_path / "moved" / "b" / "c.jpg").unlink()
    words = {Path(one.entry.path).name: one.words for one in undo(read_entries(tmp_path / "log.jsonl"))}
    assert "another file is there" in words["d.jpg"]
    assert "changed since" in words["f.jpg"]
    assert "not at" in words["c.jpg"]
    assert (tmp_path / "photos" / "d.jpg").read_bytes() == b"a new picture"
    assert (tmp_path / "moved" / "b" / "f.jpg").read_bytes() == b"changed"


def test_the_trash_takes_files_and_undoing_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """send2trash's own trash folder is fixed when it is imported; the place is told to it here."""
    plain = pytest.importorskip("send2trash.plat_other")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(plain, "HOMETRASH_B", os.fsencode(tmp_path / "data" / "Trash"))
    monkeypatch.setattr(plain, "HOMETRASH", str(tmp_path / "data" / "Trash"))
    monkeypatch.setattr(plain, "get_dev", lambda path: 1)
    monkeypatch.setattr(plain, "XDG_DATA_HOME", os.fsencode(tmp_path / "data"))
    groups = collection(tmp_path)
    outcomes = act(planned(groups, "trash", tmp_path), "trash", tmp_path, plain.send2trash)
    assert not any(outcome.problem for outcome in outcomes)
    assert not (tmp_path / "photos" / "d.jpg").exists()
    assert find_in_trash(tmp_path / "photos" / "d.jpg", groups[0].representative.sha256) == [
        tmp_path / "data" / "Trash" / "files" / "d.jpg"
    ]
    words = [one.words for one in undo(read_entries(tmp_path / "log.jsonl"))]
    assert all("Trash/files" in reported for reported in words)


def test_a_missing_trash_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "send2trash", None)
    with pytest.raises(DuplicateError, match=r'pip install "bof-search\[trash\]"'):
        require_trash()


@pytest.mark.parametrize(
    "content", [b"", b"no log\n", b'{"bof_duplicates": 9}\n', b"[]\n", b'{"bof_duplicates": 1}\n{"n": 1}\n']
)
def test_a_log_that_is_none_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(DuplicateError, match=r"log\.jsonl"):
        read_entries(tmp_path / "log.jsonl")


def test_names_that_are_no_text_are_moved_and_put_back(tmp_path: Path) -> None:
    odd = os.fsdecode(b"odd \xff\n'\"<b>.jpg")
    paths = [write(tmp_path / "photos" / name, b"one" * 99, 10**9 + 100 * i) for i, name in enumerate(["a.jpg", odd])]
    before, group = tree(tmp_path), group_of(paths)
    act(planned([group], "move", tmp_path), "move", tmp_path)
    assert (tmp_path / "moved" / odd).exists()
    undo(read_entries(tmp_path / "log.jsonl"))
    assert tree(tmp_path) == before
