"""Damage of every kind is found, named and repaired, and never copied."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_crashes import clean, make, state, writer_of
from test_store import described

from bof import catalog, metadata
from bof.checking import check
from bof.errors import IndexStoreError
from bof.files import fact_of
from bof.segments import ARRAYS
from bof.store import Index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "index"
    make(made)
    return made


def first_segment(folder: Path) -> Path:
    """Of images 0a to 0f."""
    with catalog.reading(folder) as database:
        return folder / "segments" / catalog.read_segments(database)[0].name


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def unlink(path: Path) -> None:
    path.unlink()


def test_a_sound_index_is_sound(folder: Path) -> None:
    report = check(folder, 200)
    assert (report.n_segments, report.n_images, report.n_saved) == (3, 17, 17)
    assert not report.damages
    assert not report.strays


@pytest.mark.parametrize(
    ("harm", "reason"), [(flip, "its content has changed"), (cut, "bytes, found"), (unlink, "cannot be read")]
)
@pytest.mark.parametrize("name", ARRAYS)
def test_damage_is_named_and_repair_drops_just_that(
    folder: Path, name: str, harm: Callable[[Path], None], reason: str
) -> None:
    writer = writer_of(folder)
    writer.describe(["/photos/0b.jpg"], {"tag": ["lost"]}, {})
    features = state(folder)[0]
    path = first_segment(folder) / f"{name}.npy"
    harm(path)
    (damage,) = check(folder, 200).damages
    assert damage.segment.name == path.parent.name
    assert len(damage.reasons) == 1
    assert damage.reasons[0].startswith(f"{path}: ")
    assert reason in damage.reasons[0]
    assert [image.name for image in damage.lost] == ["0b.jpg", "0c.jpg", "0d.jpg", "0e.jpg", "0f.jpg"]

    writer.repair()
    assert clean(folder)
    assert not check(folder, 200).damages
    assert state(folder)[0] == {name: found for name, found in features.items() if not name.startswith("0")}
    writer.append([described("0b.jpg", 1)])
    assert metadata.read_metadata(folder)["/photos/0b.jpg"] == {"tag": ["lost"]}
    assert "0b.jpg" in {
        r.name for r in Index.open(folder).snapshot().rows if r.id in metadata.select_ids(folder, "", "lost")
    }


def test_postings_out_of_range_are_found_though_their_checksum_holds(folder: Path) -> None:
    path = first_segment(folder) / "vote_feature.npy"
    feature = np.load(path)
    feature[3] = 60000
    np.save(path, feature)
    database = sqlite3.connect(folder / catalog.FILE_NAME)
    with database:
        database.execute(
            "UPDATE files SET sha256 = ? WHERE segment = 1 AND name = ?", (fact_of(path).sha256, path.name)
        )
    database.close()
    (damage,) = check(folder, 200).damages
    assert "features that do not exist" in damage.reasons[0]


def test_strays_are_named_and_swept_by_the_next_writer(folder: Path) -> None:
    (folder / "segments" / ".x.partial").mkdir()
    (first_segment(folder) / "notes.txt").write_text("mine", encoding="utf-8")
    assert {path.name for path in check(folder, 200).strays} == {".x.partial", "notes.txt"}
    with Index.open(folder).writer():
        pass
    assert clean(folder)


def test_a_damaged_catalogue_cannot_be_repaired_and_says_so(folder: Path) -> None:
    path = folder / catalog.FILE_NAME
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 512):
        data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(IndexStoreError, match="damaged"):
        check(folder, 200)


def test_a_merge_never_copies_damage(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    flip(first_segment(folder) / "signature.npy")
    writer = writer_of(folder)
    with pytest.raises(IndexStoreError, match="its content has changed"):
        writer.merge()
    with caplog.at_level(logging.WARNING):
        writer.append([described("new.jpg", 9)])
    assert "merging is put off" in caplog.text
    assert len(check(folder, 200).damages) == 1
    assert "new.jpg" in {row.name for row in Index.open(folder).snapshot().rows}


# -- The lock ---------------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from bof.store import Index
with Index.open(Path(sys.argv[1])).writer():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_the_lock_names_its_holder_and_dies_with_it(folder: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        index = Index.open(folder)
        with pytest.raises(IndexStoreError, match=rf"process {holder.pid} on .* is writing this index"), index.writer():
            pass
        assert index.snapshot().n_images == 17
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    end = time.monotonic() + 5
    while True:
        try:
            with index.writer() as writer:
                writer.remove(["1a.jpg"])
            break
        except IndexStoreError:
            assert time.monotonic() < end
    assert index.snapshot().n_images == 16


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system")
def test_a_read_only_medium_is_searched_and_not_written(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "medium"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["cp", "-r", str(folder), str(place / "index")], check=True)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        index = Index.open(place / "index")
        assert index.snapshot().n_images == 17
        assert not check(index.folder, 200).damages
        with pytest.raises(IndexStoreError, match="cannot be written: Read-only file system"), index.writer():
            pass
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
