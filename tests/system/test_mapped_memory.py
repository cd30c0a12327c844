"""Mapped files leave memory when they take too much of it, and are there again when they are needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import Picture
from bof.store.index import Snapshot
from bof.system.files import map_array, mapped_bytes, release
from tests.support.scenes import draw_scene

MEGABYTES = 64

linux = pytest.mark.skipif(not mapped_bytes(), reason="this system does not tell what is mapped")


@linux
def test_a_released_file_takes_no_memory_and_reads_the_same(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 1 << 63, MEGABYTES << 17, dtype=np.uint64)
    np.save(tmp_path / "large.npy", values)
    mapped = map_array(tmp_path / "large.npy")
    before = mapped_bytes()
    total = int(mapped.sum(dtype=np.uint64))
    touched = mapped_bytes()
    assert touched - before > (MEGABYTES - 4) << 20
    release(mapped[1000:])
    assert mapped_bytes() < before + (4 << 20)
    assert int(mapped.sum(dtype=np.uint64)) == total == int(values.sum(dtype=np.uint64))


def test_an_array_in_memory_is_left_alone() -> None:
    array = np.arange(10)
    release(array)
    assert array.tolist() == list(range(10))


@linux
def test_an_engine_keeps_within_its_memory_and_answers_the_same(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = np.asarray(draw_scene(3)[..., 0], np.uint8)
    released: list[Snapshot] = []
    whole = Snapshot.stay_within

    def watched(snapshot: Snapshot, n_bytes: int) -> None:
        if mapped_bytes() > n_bytes:
            released.append(snapshot)
        whole(snapshot, n_bytes)

    monkeypatch.setattr(Snapshot, "stay_within", watched)
    roomy, tight = Engine.open(index_folder), Engine.open(index_folder, memory=1)
    answers = [
        [(hit.name, hit.score) for hit in engine.search(Picture(scene, 320, 240))]
        for engine in (roomy, tight, tight, roomy)
    ]
    assert answers[0] == answers[1] == answers[2] == answers[3] != []
    assert released == [tight.searcher().collection] * 2
