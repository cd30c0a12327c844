"""Damage of every kind is found, named and repaired, and never copied."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from bof.errors import IndexStoreError
from bof.store import catalog
from bof.store import check as check_module
from bof.store.catalog import connection
from bof.store.check import SEGMENTS, check
from bof.store.index import Index
from bof.store.segments import ARRAYS
from bof.system.files import fact_of
from scripts.torture.forging import forge
from tests.support.living import (
    ALL_PATHS,
    N_WORDS,
    features_by_name,
    flip,
    is_clean,
    make,
    picture,
    segments_of,
    writer_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "index"
    make(made)
    return made


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def unlink(path: Path) -> None:
    path.unlink()


def test_a_sound_index_is_sound(folder: Path) -> None:
    report = check(folder, N_WORDS)
    assert (report.n_segments, report.n_images, report.n_saved) == (2, 8, 8)
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
    writer.annotate(["/photos/b.jpg"], {"tag": ["lost"]}, {"tag": ["kept"]})
    features = features_by_name(folder)
    path = segments_of(folder)[0] / f"{name}.npy"
    harm(path)
    (damage,) = check(folder, N_WORDS).damages
    assert damage.segment.name == path.parent.name
    assert len(damage.reasons) == 1
    assert damage.reasons[0].startswith(f"{path}: ")
    assert reason in damage.reasons[0]
    assert [image.name for image in damage.lost] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]

    writer.repair()
    assert is_clean(folder)
    assert not check(folder, N_WORDS).damages
    assert features_by_name(folder) == {name: found for name, found in features.items() if name[0] in "fgh"}
    writer.append([picture("/photos/b.jpg", 1)])
    assert catalog.read_metadata(folder)["/photos/b.jpg"] == {"tag": ["lost"]}
    assert "b.jpg" in {
        r.name for r in Index.open(folder).snapshot().rows if r.id in catalog.select_ids(folder, "", "lost")
    }


def test_strays_are_named_and_swept_by_the_next_writer(folder: Path) -> None:
    (folder / "segments" / ".x.partial").mkdir()
    (segments_of(folder)[0] / "notes.txt").write_text("mine", encoding="utf-8")
    assert {path.name for path in check(folder, N_WORDS).strays} == {".x.partial", "notes.txt"}
    with Index.open(folder).writer():
        pass
    assert is_clean(folder)


def test_a_damaged_catalogue_cannot_be_repaired_and_says_so(folder: Path) -> None:
    path = folder / catalog.FILE_NAME
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 512):
        data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(IndexStoreError, match="damaged"):
        check(folder, N_WORDS)


def test_a_merge_never_copies_damage(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    flip(segments_of(folder)[0] / "signature.npy")
    writer = writer_of(folder)
    with pytest.raises(IndexStoreError, match="its content has changed"):
        writer.merge()
    with caplog.at_level(logging.WARNING):
        for seed in (8, 9):
            writer.append([picture(f"/photos/{seed}.jpg", seed)])
    assert "merging is put off" in caplog.text
    assert len(check(folder, N_WORDS).damages) == 1
    assert "9.jpg" in {row.name for row in Index.open(folder).snapshot().rows}


def put_out_of_range(folder: Path, name: str) -> None:
    """An array of the first segment that is as it was written, and wrong."""
    path = segments_of(folder)[0] / f"{name}.npy"
    array = np.load(path)
    array[3] = 60_000
    np.save(path, array)
    with catalog.transaction(folder) as database:
        change = "UPDATE files SET sha256 = ? WHERE segment = 1 AND name = ?"
        database.execute(change, (fact_of(path).sha256, path.name))


@pytest.mark.parametrize("name", ARRAYS)
def test_a_file_larger_than_it_can_be_is_named_and_not_read(folder: Path, name: str) -> None:
    """It takes no space, and the catalogue agrees with it."""
    path = segments_of(folder)[0] / f"{name}.npy"
    os.truncate(path, 1 << 40)
    forge(folder, f"UPDATE files SET n_bytes = {1 << 40} WHERE segment = 1 AND name = '{path.name}'")
    begin = time.perf_counter()
    (damage,) = check(folder, N_WORDS).damages
    assert f"{path}: expected at most" in damage.reasons[0]
    with pytest.raises(IndexStoreError, match="expected at most"):
        writer_of(folder).merge()
    assert time.perf_counter() - begin < 20


@pytest.mark.parametrize("name", ["vote_image", "vote_feature"])
def test_postings_out_of_range_are_found_dropped_and_never_merged(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    put_out_of_range(folder, name)
    (damage,) = check(folder, N_WORDS).damages
    assert "postings name images or features that do not exist" in damage.reasons[0]
    assert [image.path for image in damage.lost] == ALL_PATHS[:5]
    before = segments_of(folder)
    with pytest.raises(IndexStoreError, match="do not exist"):
        writer_of(folder).merge()
    with caplog.at_level(logging.WARNING):
        writer_of(folder).remove(["a.jpg", "d.jpg"])  # what is left of the segment asks to be rewritten
    assert "merging is put off" in caplog.text
    assert segments_of(folder) == before
    writer_of(folder).repair()
    assert {row.path for row in Index.open(folder).snapshot().rows} == set(ALL_PATHS[5:])


def test_all_segments_can_be_lost_and_their_images_come_back_with_what_was_said(folder: Path) -> None:
    expected = {row.path for row in Index.open(folder).snapshot().rows}
    shutil.rmtree(folder / SEGMENTS)
    report = check(folder, N_WORDS)
    assert (len(report.damages), report.n_saved) == (2, 0)
    with Index.open(folder).writer() as writer:
        with pytest.raises(IndexStoreError, match="cannot be read"):
            writer.require_whole()
        writer.repair()
        assert (Index.open(folder).snapshot().n_images, check(folder, N_WORDS).damages) == (0, [])
        writer.append([picture(path, i) for i, path in enumerate(ALL_PATHS)])
    snapshot = Index.open(folder).snapshot()
    assert {row.path for row in snapshot.rows} == expected
    found = catalog.select_ids(folder, "tag = kept", "kept")
    assert {row.path for row in snapshot.rows if row.id in found} == set(ALL_PATHS[1:4])


def test_what_cannot_be_swept_away_is_left_and_hinders_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = segments_of(folder)[0] / "stray.npy"
    stray.write_bytes(b"")

    def refuse(path: Any, **_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        with Index.open(folder).writer() as writer:
            assert writer.remove(["b.jpg"]) == 1
    assert stray.exists()
    with Index.open(folder).writer():
        assert not stray.exists()


def test_a_long_check_hinders_no_writer_and_takes_no_merge_for_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE_S", 0.1)
    sha256_in, merged = check_module.sha256_in, list[object]()

    def merge_meanwhile(stream: IO[bytes]) -> str:
        if not merged:
            merged.append(stream)
            writer_of(folder).merge()
        return sha256_in(stream)

    monkeypatch.setattr(check_module, "sha256_in", merge_meanwhile)
    report = check(folder, N_WORDS)
    assert len(segments_of(folder)) == 1
    assert not report.damages
    assert not report.strays


# -- The lock ---------------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from bof.store.index import Index
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
        assert index.snapshot().n_images == 8
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    end = time.monotonic() + 5
    while True:
        try:
            with index.writer() as writer:
                writer.remove(["f.jpg"])
            break
        except IndexStoreError:
            assert time.monotonic() < end
    assert index.snapshot().n_images == 7


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
        assert index.snapshot().n_images == 8
        assert not check(index.folder, N_WORDS).damages
        with pytest.raises(IndexStoreError, match="cannot be written: Read-only file system"), index.writer():
            pass
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
