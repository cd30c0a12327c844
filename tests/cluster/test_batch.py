"""Batch work on Dask: an index, a vocabulary and pairs as this machine makes them alone."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import ClusterError, IndexStoreError, VocabularyError
from bof.index import main as index
from bof.options import FeatureOptions, IndexOptions, TrainOptions
from bof.scheduling.connection import Cluster
from bof.scheduling.worker import worker_address
from bof.store.incoming import INCOMING
from bof.train_vocab import main as train_vocab
from bof.vocabulary.sampling import draw_sample
from tests.support.dask_workers import kill, limit_files, pids
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


def indexed(folder: Path, vocabulary: Path, sources: list[Path], cluster: Cluster | None = None) -> Engine:
    engine = Engine.create(folder, vocabulary)
    engine.add(sources, ALONE, cluster=cluster)
    return engine


def answers(engine: Engine, photos: Path) -> list[list[tuple[str, float]]]:
    pictures = sorted(photos.rglob("*.png"))[:4]
    return [[(hit.name, hit.score) for hit in engine.search(picture)] for picture in pictures]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Pictures for some shares, and three that are none or no ordinary ones."""
    folder = tmp_path / "many"
    for seed in range(40):
        write_picture(folder / f"{seed:02d}.png", draw_scene(seed % 30, 160, 120))
    (folder / "broken.png").write_bytes((folder / "00.png").read_bytes()[:400])
    return folder


def test_an_index_is_as_one_machine_makes_it(
    cluster: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    with indexed(tmp_path / "one", vocabulary_folder, [many]) as one:
        expected, records = answers(one, many), [(r.name, r.sha256, r.n_features) for r in one.records()]
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        report = engine.add([many], ALONE, cluster=cluster)
        assert report.n_added == 40
        assert report.n_reused == 10
        assert [Path(item.path).name for item in report.skipped] == ["broken.png"]
        assert [(r.name, r.sha256, r.n_features) for r in engine.records()] == records
        assert answers(engine, many) == expected
        assert engine.check().is_sound
        assert not list((tmp_path / "index" / INCOMING).iterdir())
        assert engine.add([many], ALONE, cluster=cluster).n_added == 0


def test_a_worker_that_is_killed_costs_nothing(
    mortal: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    threading.Timer(0.5, kill, (next(iter(pids(mortal).values())),)).start()
    with indexed(tmp_path / "index", vocabulary_folder, [many], mortal) as engine:
        assert len(engine) == 40
        assert engine.check().is_sound


def test_a_full_disk_on_one_worker(
    mortal: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = mortal.client.run(limit_files, 4096, workers=sorted(mortal.workers)[:1])
    with indexed(tmp_path / "index", vocabulary_folder, [many], mortal) as engine:
        assert len(engine) == 40
        assert engine.check().is_sound
    assert f"the worker {next(iter(full))} cannot do its share (Input/output error); others do it" in caplog.text


def test_a_full_disk_everywhere_leaves_the_index_as_it_was(
    mortal: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    mortal.client.run(limit_files, 4096)
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        with pytest.raises(OSError, match="Input/output error"):
            engine.add([many], ALONE, cluster=mortal)
        assert engine.check().is_sound
        assert engine.count() == 0


def test_a_segment_that_is_not_what_was_said_is_refused(
    cluster: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bof.ingest import add

    original = add.write_segments

    def damaging(*arguments: object) -> object:
        for written in original(*arguments):
            for one in written.segments:
                path = tmp_path / "index" / INCOMING / one.segment.name / "signature.npy"
                data = bytearray(path.read_bytes())
                data[-1] ^= 1
                path.write_bytes(data)
            yield written

    monkeypatch.setattr(add, "write_segments", damaging)
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        with pytest.raises(IndexStoreError, match=r"signature\.npy: its content has changed \(checksum\)"):
            engine.add([many], ALONE, cluster=cluster)
        assert engine.check().is_sound
        assert engine.count() == 0


def test_what_a_worker_reports_is_compared_with_its_share(
    cluster: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bof.ingest import segment_tasks

    original = segment_tasks.spread

    def lying(*arguments: object) -> object:
        for first, share, found in original(*arguments):
            object.__setattr__(found.segments[0], "records", found.segments[0].records[1:])
            yield first, share, found

    monkeypatch.setattr(segment_tasks, "spread", lying)
    with (
        Engine.create(tmp_path / "index", vocabulary_folder) as engine,
        pytest.raises(ClusterError, match="expected a worker's report on each file of its share, found another"),
    ):
        engine.add([many], ALONE, cluster=cluster)


def test_another_vocabulary_on_a_worker_is_refused(
    cluster: Cluster, many: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bof.ingest import segment_tasks

    monkeypatch.setattr(segment_tasks, "vocabulary_fact", lambda folder: "0" * 64)
    with (
        Engine.create(tmp_path / "index", vocabulary_folder) as engine,
        pytest.raises(VocabularyError, match="finds another vocabulary here than the index has"),
    ):
        engine.add([many], ALONE, cluster=cluster)


def test_columns_are_filled_in_by_workers(
    cluster: Cluster, photos: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    with indexed(tmp_path / "index", vocabulary_folder, [photos], cluster) as engine:
        engine.add_columns("hash")
        assert engine.add([photos], ALONE, cluster=cluster).n_backfilled == 12
        assert engine.count_known("hash") == 12


def test_a_sample_is_the_same_to_the_bit(cluster: Cluster, photos: Path) -> None:
    options = TrainOptions(words=50, workers=1, max_descriptors=1000)
    made = [
        draw_sample([photos], "photos", FeatureOptions(), options, lambda *_: None, on)[0] for on in (None, cluster)
    ]
    assert np.array_equal(made[0].descriptors, made[1].descriptors)
    assert np.array_equal(made[0].image_keys, made[1].image_keys)


def test_pairs_are_those_of_one_process(cluster: Cluster, index_folder: Path) -> None:
    with Engine.open(index_folder) as engine:
        assert list(engine.neighbours(5, cluster=cluster)) == list(engine.neighbours(5))


def test_commands(workers: object, photos: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    address = workers.scheduler_address
    flags = ["--index", str(tmp_path / "index"), "--vocabulary", str(vocabulary_folder), "--dask", address]
    assert index([str(photos), *flags]) == 0
    assert index(["--index", str(tmp_path / "index"), "--pairs", str(tmp_path / "pairs.txt"), "--dask", address]) == 0
    assert (tmp_path / "pairs.txt").stat().st_size
    for name, more in (("one", ["--workers", "1"]), ("other", ["--dask", address])):
        assert train_vocab([str(photos), "-o", str(tmp_path / name), "--words", "40", "--source", "x", *more]) == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)


def test_a_wrong_address_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index([str(tmp_path), "--dask", "localhost:8786"]) == 2
    assert "tcp://HOST:PORT" in capsys.readouterr().err


def test_a_worker_outside_of_dask_has_no_address() -> None:
    with pytest.raises(ValueError, match="No worker"):
        worker_address()


def test_what_a_killed_run_left_is_swept(index_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(index_folder, folder)
    (folder / INCOMING / ("0" * 32)).mkdir(parents=True)
    (folder / INCOMING / ("0" * 32) / "word.npy").write_bytes(b"half")
    with Engine.open(folder) as engine:
        engine.merge()
    assert not list((folder / INCOMING).iterdir())
