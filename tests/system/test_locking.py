"""The writer's lock and its note: nothing is written or read through links and pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bof.errors import IndexStoreError
from bof.system.locking import LOCK_NAME, NOTE_NAME, one_writer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no links and pipes there")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def test_the_note_names_the_holder_while_it_holds_the_lock(folder: Path) -> None:
    with one_writer(folder):
        assert json.loads((folder / NOTE_NAME).read_text())["pid"] == os.getpid()
    assert not (folder / NOTE_NAME).exists()


def test_no_note_is_written_through_a_link(folder: Path, victim: Path) -> None:
    (folder / NOTE_NAME).symlink_to(victim)
    with one_writer(folder):
        assert victim.read_text() == "precious"
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("is_pipe", [False, True])
def test_a_lock_that_is_a_link_or_a_pipe_is_refused(folder: Path, victim: Path, is_pipe: bool) -> None:
    os.mkfifo(folder / LOCK_NAME) if is_pipe else (folder / LOCK_NAME).symlink_to(victim)
    with (
        pytest.raises(IndexStoreError, match=f"{LOCK_NAME}: .*nothing below an index may be a link"),
        one_writer(folder),
    ):
        pass
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    "note", ["pipe", "link", "[" * 100_000, '{"pid": "\\u001b[2J", "host": "", "command": "", "since": ""}']
)
def test_a_note_of_somebody_else_does_no_harm(folder: Path, victim: Path, note: str) -> None:
    hold = "import sys, time; from pathlib import Path; from bof.system.locking import one_writer\n"
    hold += "with one_writer(Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, folder], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            path = folder / NOTE_NAME
            path.unlink()
            if note == "pipe":
                os.mkfifo(path)
            elif note == "link":
                path.symlink_to(victim)
            else:
                path.write_text(note)
            with pytest.raises(IndexStoreError, match="is writing this index") as caught, one_writer(folder):
                pass
            assert "\x1b" not in str(caught.value)
        finally:
            holder.kill()
