"""A log is data: nothing that it names is deleted or moved unless the disk shows what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bof.errors import DuplicateError
from bof.grouping.journal import read_entries
from bof.grouping.undoing import undo
from tests.grouping.test_duplicate_actions import act, collection, group_of, planned, tree, write

HEX = "0123456789abcdef" * 2


def log_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def rewrite(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A folder where duplicates were moved, and a file that belongs to somebody else."""
    act(planned(collection(tmp_path), "move", tmp_path), "move", tmp_path)
    write(tmp_path / "victim", b"somebody else's")
    return tmp_path


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "part elsewhere": lambda e: e.update(part=str(Path(e["path"]).parents[1] / "victim")),
    "part of our name elsewhere": lambda e: e.update(part=str(Path(e["path"]).parents[1] / f".bof-{HEX}.partial")),
    "part of another name": lambda e: e.update(part=str(Path(e["target"]).with_name("victim"))),
    "part with more digits": lambda e: e.update(part=str(Path(e["target"]).with_name(f".bof-{HEX}0.partial"))),
    "part with a new line": lambda e: e.update(part=str(Path(e["target"]).with_name(f".bof-{HEX}.partial\n"))),
    "path relative": lambda e: e.update(path="photos/b/f.jpg"),
    "path up": lambda e: e.update(path=e["path"].replace("photos", "photos/../photos")),
    "path doubled": lambda e: e.update(path=e["path"].replace("photos", "photos//")),
    "path the root": lambda e: e.update(path="/"),
    "path with zero": lambda e: e.update(path=e["path"] + "\0"),
    "path a number": lambda e: e.update(path=7),
    "path very long": lambda e: e.update(path="/" + "a" * 20000),
    "target up": lambda e: e.update(target=f"{Path(e['target']).parent}/../victim"),
    "target empty": lambda e: e.update(target=""),
    "target the file": lambda e: e.update(target=e["path"], part=str(Path(e["path"]).with_name(f".bof-{HEX}.partial"))),
    "action unknown": lambda e: e.update(action="delete"),
    "action another": lambda e: e.update(action="trash", target=""),
    "number a bool": lambda e: e.update(number=True),
    "number a fraction": lambda e: e.update(number=1.0),
    "number zero": lambda e: e.update(number=0),
    "hash short": lambda e: e.update(sha256=e["sha256"][:-1]),
    "hash in capitals": lambda e: e.update(sha256="A" * 64),
    "hash a list": lambda e: e.update(sha256=["a"] * 64),
    "bytes negative": lambda e: e.update(n_bytes=-1),
    "bytes text": lambda e: e.update(n_bytes="12"),
    "time too large": lambda e: e.update(mtime_ns=1 << 63),
    "mode of a folder": lambda e: e.update(mode=0o40755),
    "inode negative": lambda e: e.update(inode=-1),
    "name nothing": lambda e: e.update(name=None),
    "a field more": lambda e: e.update(extra=1),
    "a field less": lambda e: e.pop("inode"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_entry_is_refused_before_anything_is_done(moved: Path, change: str) -> None:
    lines = log_lines(moved / "log.jsonl")
    CHANGES[change](lines[1])
    rewrite(moved / "log.jsonl", lines)
    before = tree(moved)
    with pytest.raises(DuplicateError, match=r"log\.jsonl.*line 2.*nothing was done"):
        undo(read_entries(moved / "log.jsonl"))
    assert tree(moved) == before


LINES: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "a later format": lambda lines: lines[0].update(bof_duplicates=3),
    "a format of text": lambda lines: lines[0].update(bof_duplicates="2"),
    "no action": lambda lines: lines[0].pop("action"),
    "an outcome of nothing": lambda lines: lines.append({"number": 99, "outcome": "done"}),
    "an outcome that is a number": lambda lines: lines.append({"number": 1, "outcome": 1}),
    "left at no path": lambda lines: lines.append({"number": 1, "outcome": "no", "left": "../victim"}),
    "a number twice": lambda lines: lines.append(dict(lines[1])),
    "a list": lambda lines: lines.append([]),  # type: ignore[arg-type]
    "a long line": lambda lines: lines.append({"number": 1, "outcome": "a" * 70000}),
}


@pytest.mark.parametrize("change", LINES)
def test_a_changed_log_is_refused(moved: Path, change: str) -> None:
    lines = log_lines(moved / "log.jsonl")
    LINES[change](lines)
    rewrite(moved / "log.jsonl", lines)
    with pytest.raises(DuplicateError, match="expected a log that move_to"):
        read_entries(moved / "log.jsonl")


@pytest.mark.parametrize("kind", ["deep", "pipe", "folder", "huge"])
def test_what_is_no_log_ends_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.jsonl"
    if kind == "deep":
        path.write_text('{"bof_duplicates": 1}\n' + '{"a":' * 10000 + "\n\n")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 36)
    with pytest.raises(DuplicateError, match=r"log\.jsonl"):
        read_entries(path)


def test_a_log_that_names_other_content_moves_nothing(moved: Path) -> None:
    """Everything about it is well formed, and the files that it names are not what it says."""
    [header, entry] = log_lines(moved / "log.jsonl")[:2]
    folder = moved / "other"
    names = (f".bof-{HEX}.partial", f".bof-{HEX}.back", f".bof-{HEX}.aside/b", f".bof-{HEX}.undo/a", "a")
    for name in names:
        write(folder / name, b"somebody else's")
    paths = {"path": folder / "b", "target": folder / "a", "part": folder / f".bof-{HEX}.partial"}
    rewrite(moved / "log.jsonl", [header, {**entry, **{key: str(path) for key, path in paths.items()}}])
    before = tree(moved)
    [undone] = undo(read_entries(moved / "log.jsonl"))
    assert undone.state == "not undone"
    assert tree(moved) == before


@pytest.mark.parametrize("action", ["move", "link"])
def test_copies_that_are_no_beginning_of_the_file_stay(tmp_path: Path, action: str) -> None:
    act(planned(collection(tmp_path), action, tmp_path), action, tmp_path)  # type: ignore[arg-type]
    entries = read_entries(tmp_path / "log.jsonl")
    for entry in entries:
        write(Path(entry.part), b"one, and something else")
        write(Path(entry.part).with_suffix(".back"), b"twice")
    undone = undo(entries)
    for entry in entries:
        assert Path(entry.part).read_bytes() == b"one, and something else"
    assert {one.state for one in undone} <= {"put back", "not undone"}


@pytest.mark.parametrize("which", ["path", "target"])
def test_a_folder_that_became_a_link_is_not_followed(moved: Path, which: str) -> None:
    entries = read_entries(moved / "log.jsonl")
    entry = next(entry for entry in entries if entry.path.endswith("b/c.jpg"))
    folder, elsewhere = Path(getattr(entry, which)).parent, moved / "elsewhere"
    elsewhere.mkdir()
    if which == "target":
        write(elsewhere / "c.jpg", Path(entry.target).read_bytes())
        folder.rename(moved / "away")
    else:
        folder.rmdir() if not any(folder.iterdir()) else folder.rename(moved / "away")
    folder.symlink_to(elsewhere)
    before = tree(moved)
    [undone] = undo([entry])
    assert undone.state == "not undone"
    assert "there is a link" in undone.words
    assert tree(moved) == before


def test_a_log_of_format_1_is_undone_through_the_links_that_it_was_written_through(tmp_path: Path) -> None:
    groups = collection(tmp_path / "real")
    before = tree(tmp_path)
    act(planned(groups, "move", tmp_path / "real"), "move", tmp_path / "real")
    (tmp_path / "way").symlink_to(tmp_path / "real")
    lines = log_lines(tmp_path / "real" / "log.jsonl")
    text = json.dumps([{**lines[0], "bof_duplicates": 1}, *lines[1:]]).replace("/real/", "/way/")
    undo(read_entries(rewrite(tmp_path / "old.jsonl", json.loads(text))))
    (tmp_path / "old.jsonl").unlink()
    assert {name: facts for name, facts in tree(tmp_path).items() if not name.startswith("way")} == before


# -- Acting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["move", "link"])
def test_a_folder_that_becomes_a_link_after_planning_is_not_followed(tmp_path: Path, action: str) -> None:
    file_actions = planned(collection(tmp_path), action, tmp_path)  # type: ignore[arg-type]
    folder, elsewhere = tmp_path / "photos" / "b", tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = tree(elsewhere)
    outcomes = act(file_actions, action, tmp_path)  # type: ignore[arg-type]
    assert ["there is a link" in one.problem for one in outcomes] == [True, False, True]
    assert tree(elsewhere) == before


def test_a_link_below_the_folder_to_move_to_is_not_followed(tmp_path: Path) -> None:
    file_actions = planned(collection(tmp_path), "move", tmp_path)
    (tmp_path / "moved").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "moved" / "b").symlink_to(tmp_path / "elsewhere")
    outcomes = act(file_actions, "move", tmp_path)
    assert [one.failed for one in outcomes] == [True, False, True]
    assert not any((tmp_path / "elsewhere").iterdir())


def test_pictures_behind_links_to_folders_are_moved_and_put_back(tmp_path: Path) -> None:
    collection(tmp_path)
    (tmp_path / "way").symlink_to(tmp_path / "photos")
    before = tree(tmp_path / "photos")
    group = group_of([tmp_path / "way" / "a.jpg", tmp_path / "way" / "b" / "c.jpg"])
    [outcome] = act(planned([group], "move", tmp_path), "move", tmp_path)
    assert not outcome.problem
    undo(read_entries(tmp_path / "log.jsonl"))
    assert tree(tmp_path / "photos") == before
