"""files and folders: nothing is written through a link, and no link is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bof.system.files import (
    ArrayFile,
    link_or_copy,
    save_arrays,
    write_file,
    write_folder,
    write_json,
    writing_file,
)
from bof.system.folders import open_folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    (tmp_path / "victim").write_bytes(b"untouched")
    return tmp_path / "victim"


WRITERS: dict[str, Callable[[Path], object]] = {
    "file": lambda path: write_file(path, b"new"),
    "json": lambda path: write_json(path, {}),
    "array": lambda path: ArrayFile(path, np.uint8, (3,)),
    "arrays": lambda path: save_arrays(path.parent, {path.stem: np.zeros(3)}),
    "copy": lambda path: link_or_copy(path.with_name("source"), path),
    "folder": lambda path: write_folder(path, lambda fresh: None),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("leads", ["somewhere", "nowhere"])
def test_nothing_is_written_through_a_link(victim: Path, writer: str, leads: str) -> None:
    path = victim.with_name("out.npy")
    victim.with_name("source").write_bytes(b"source")
    target = victim if leads == "somewhere" else victim.with_name("none")
    path.symlink_to(target)
    with pytest.raises(OSError, match=r"there is a link|File exists"):
        WRITERS[writer](path)
    assert victim.read_bytes() == b"untouched"
    assert not victim.with_name("none").exists()
    assert path.is_symlink()
    assert {one.name for one in victim.parent.iterdir()} == {"victim", "source", "out.npy"}


@pytest.mark.parametrize("writer", ["file", "json", "array", "arrays"])
def test_a_pipe_is_no_place_to_write_to(tmp_path: Path, writer: str) -> None:
    os.mkfifo(tmp_path / "out.npy")
    with pytest.raises(OSError, match="no regular file"):
        WRITERS[writer](tmp_path / "out.npy")


def test_a_second_name_keeps_its_content(victim: Path) -> None:
    os.link(victim, victim.with_name("out"))
    write_file(victim.with_name("out"), b"new")
    assert victim.read_bytes() == b"untouched"
    assert victim.with_name("out").read_bytes() == b"new"


def write_half(path: Path) -> None:
    with writing_file(path) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_a_file_is_replaced_whole_with_its_mode_or_not_at_all(victim: Path) -> None:
    victim.chmod(0o640)
    with pytest.raises(RuntimeError):
        write_half(victim)
    assert victim.read_bytes() == b"untouched"
    write_file(victim, b"new")
    assert (victim.read_bytes(), victim.stat().st_mode & 0o777) == (b"new", 0o640)
    assert [one.name for one in victim.parent.iterdir()] == ["victim"]


def test_a_link_that_comes_while_a_file_is_written_is_not_followed(victim: Path) -> None:
    path = victim.with_name("out")
    with pytest.raises(OSError, match="there is a link"), writing_file(path):
        path.symlink_to(victim)
    assert victim.read_bytes() == b"untouched"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_link_on_the_way_to_a_folder_is_named(tmp_path: Path, depth: int) -> None:
    (tmp_path / "real" / "a" / "b").mkdir(parents=True)
    place = [tmp_path / "real", tmp_path / "real" / "a", tmp_path / "real" / "a" / "b"][depth]
    place.rename(tmp_path / "away")
    place.symlink_to(tmp_path / "away")
    with pytest.raises(OSError, match="there is a link") as caught, open_folder(tmp_path / "real" / "a" / "b"):
        pass
    assert caught.value.filename == str(place)


def test_what_is_done_in_an_open_folder_is_done_there(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with open_folder(tmp_path / "one") as folder:
        (tmp_path / "one").rename(tmp_path / "away")
        (tmp_path / "one").symlink_to(tmp_path / "other")
        folder.mkdir("made")
    assert (tmp_path / "away" / "made").is_dir()
    assert not any((tmp_path / "other").iterdir())


def test_folders_are_made_and_links_are_not_files(tmp_path: Path) -> None:
    with open_folder(tmp_path / "a" / "b", make=True) as folder:
        os.symlink("/etc/passwd", tmp_path / "a" / "b" / "link")
        os.mkfifo(tmp_path / "a" / "b" / "pipe")
        for name in ("link", "pipe"):
            with pytest.raises(OSError, match=r"regular file|symbolic links"):
                folder.open_file(name)
        assert folder.find("nothing") is None
