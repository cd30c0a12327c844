"""Searches on Dask's workers are those of one process to the bit, whatever becomes of workers meanwhile."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster

from bof.engine import Engine
from bof.errors import ClusterError
from bof.options import FeatureOptions, IndexOptions, SearchOptions
from bof.retrieval.remote import on_worker
from bof.retrieval.remote.parts import Ask, RemoteParts
from bof.retrieval.remote.requests import TouchRequest
from bof.retrieval.remote.searching import SearchWorkers
from bof.retrieval.remote.status import status_of
from bof.scheduling.connection import Cluster
from bof.store.parts.making import create_in_parts
from bof.vocabulary.vocabulary import load_vocabulary
from tests.support.dask_workers import connected, kill, local_workers, lose_scheduler, pids
from tests.support.flat import draw_logo, hang
from tests.support.scenes import draw_scene, warp, write_picture

ALONE = IndexOptions(workers=1)
RANKERS = ("bof", "votes", "tfidf", "dhash", "color", "bof+color", "bof+phash+histogram", "tfidf+ahash")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes, some of them twice as others see them, a watermark on six of them, and two flat drawings in scenes."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, logo in (("hung.png", draw_logo()), ("hung-sibling.png", draw_logo("GAR"))):
        write_picture(folder / name, hang(logo)[..., ::-1])
    mark = draw_scene(999, 96, 60)
    for seed in range(24):
        pixels = draw_scene(seed)
        if seed < 6:
            pixels[10:70, 12:108] = mark
        write_picture(folder / f"{seed:02d}.png", pixels)
        if seed % 3 == 0:
            moved = warp(pixels, np.array([[0.9, 0.1, 5.0], [-0.1, 0.9, 20.0], [0, 0, 1.0]]))
            write_picture(folder / f"{seed:02d}-moved.png", moved)
            write_picture(folder / f"{seed:02d}-mirrored.png", pixels[:, ::-1].copy())
    return folder


@pytest.fixture(scope="module")
def parted(pictures: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of three parts."""
    folder = tmp_path_factory.mktemp("parted") / "index"
    vocabulary = load_vocabulary(vocabulary_folder)
    create_in_parts(folder, vocabulary, vocabulary_folder, FeatureOptions(), 3)
    with Engine.open(folder) as engine:
        engine.add_columns(["hash", "color"])
        engine.add([pictures], ALONE)
    return folder


@pytest.fixture
def searching(cluster: Cluster, parted: Path) -> Iterator[Engine]:
    with Engine.open(parted, workers=SearchWorkers(cluster)) as engine:
        yield engine


def plain(value: Any) -> Any:
    """Arrays and dataclasses as plain values, which compare to the bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "seconds"}
    if isinstance(value, dict):
        return [(key, plain(one)) for key, one in value.items()]
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def answers(engine: Engine, pictures: Path, options: SearchOptions) -> list[Any]:
    chosen = [pictures / name for name in ("00.png", "03-moved.png", "09-mirrored.png", "17.png")]
    queries = [*(engine.query(path, options) for path in chosen), engine.query(draw_logo(), options, channels="RGB")]
    return [plain(engine.answer(query, options)) for query in queries]


@pytest.mark.parametrize("ranker", RANKERS)
def test_every_ranker_answers_as_one_process(searching: Engine, parted: Path, pictures: Path, ranker: str) -> None:
    options = SearchOptions(ranker=ranker)
    with Engine.open(parted) as one:
        assert answers(searching, pictures, options) == answers(one, pictures, options)


def test_filters_and_matches_are_those_of_one_process(searching: Engine, parted: Path, pictures: Path) -> None:
    options = SearchOptions(where="name != 00.png")
    with Engine.open(parted) as one:
        assert answers(searching, pictures, options) == answers(one, pictures, options)
        query = one.query(pictures / "03.png")
        image = one.images.names.find("03-moved.png")[0]
        assert plain(searching.match(query, image)[1]) == plain(one.match(query, image)[1])


def test_an_ordinary_index_is_one_part(cluster: Cluster, index_folder: Path, photos: Path) -> None:
    with (
        Engine.open(index_folder, workers=SearchWorkers(cluster, replicas=2)) as many,
        Engine.open(index_folder) as one,
    ):
        picture = photos / "scene-03.png"
        assert plain(many.answer(many.query(picture))) == plain(one.answer(one.query(picture)))


def test_a_killed_worker_changes_no_answer(mortal: Cluster, parted: Path, pictures: Path) -> None:
    options = SearchOptions()
    with Engine.open(parted) as one:
        expected = answers(one, pictures, options)
    with Engine.open(parted, workers=SearchWorkers(mortal, deadline_s=20.0)) as engine:
        assert answers(engine, pictures, options) == expected
        timer = threading.Timer(0.2, kill, (next(iter(pids(mortal).values())),))
        timer.start()
        found = answers(engine, pictures, options)
        timer.join()
    assert found == expected


def test_a_worker_that_joins_opens_its_parts_before_it_is_sent_a_query(
    parted: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_workers(1) as local, connected(local) as cluster:
        cluster.client.wait_for_workers(1, timeout=30)
        workers = SearchWorkers(cluster)
        with Engine.open(parted, workers=workers) as engine:
            query = engine.query(pictures / "03.png")
            expected = plain(engine.answer(query))
            (parts,) = workers._parts.values()
            (first,) = cluster.workers
            opened: list[int] = []
            send = RemoteParts._send

            def sent(self: RemoteParts, call: Any) -> None:
                opened.extend([call.part] if call.opens else [])
                send(self, call)

            monkeypatch.setattr(RemoteParts, "_send", sent)
            local.scale(3)
            cluster.client.wait_for_workers(3, timeout=60)
            until = time.monotonic() + 60
            while [parts.workers_of(n)[0] for n in range(3)] != [drawn(parts, cluster, n) for n in range(3)]:
                assert plain(engine.answer(query)) == expected
                assert time.monotonic() < until
                time.sleep(0.1)
            assert plain(engine.answer(query)) == expected
            assert not opened, "no query has waited for a part to be opened"
            held = {worker.address: {part.name for part in worker.parts} for worker in status_of(cluster)}
            for number, name in enumerate(parts.names):
                assert name.name in held[drawn(parts, cluster, number)]
            assert first in held


def drawn(parts: RemoteParts, cluster: Cluster, number: int) -> str:
    """The worker that is to hold a part."""
    name = parts.names[number].name.encode()
    return min(cluster.workers, key=lambda one: hashlib.sha256(name + one.encode()).digest())


def test_stopped_workers_leave_a_partial_answer_that_names_what_is_missing(parted: Path, pictures: Path) -> None:
    with local_workers(2) as local, connected(local) as cluster:
        cluster.client.wait_for_workers(2, timeout=30)
        workers = SearchWorkers(cluster, deadline_s=6.0)
        with Engine.open(parted, workers=workers) as engine:
            query = engine.query(pictures / "03.png")
            whole = engine.answer(query)
            assert not whole.missing
            parts = next(iter(workers._parts.values()))
            homes = [parts.workers_of(number)[0] for number in range(3)]
            victim = homes[0]
            names = sorted(parts.names[n].name for n, home in enumerate(homes) if home == victim)
            if len(set(homes)) == 1:
                pytest.skip("all parts fell to one worker")
            pid = pids(cluster)[victim]
            os.kill(pid, signal.SIGSTOP)
            parts.deadline_s = 4.0
            try:
                with pytest.MonkeyPatch.context() as patched:
                    patched.setattr("bof.retrieval.remote.parts._LATE_SHARE", 10.0)
                    began = time.monotonic()
                    partial = engine.answer(query)
                    assert time.monotonic() - began < 20
                assert sorted(partial.missing) == names
                firsts = np.cumsum([0, *(p.n_rows for p in engine._collection.parts)])
                part_of = np.searchsorted(firsts, partial.images, side="right") - 1
                assert {parts.names[p].name for p in part_of.tolist()} & set(names) == set()
                parts.deadline_s = 8.0
                assert plain(engine.answer(query)) == plain(whole)  # the other worker opens them
            finally:
                os.kill(pid, signal.SIGCONT)


def test_a_scheduler_that_is_gone_for_good_is_an_error_in_words(
    workers: LocalCluster, parted: Path, pictures: Path
) -> None:
    with connected(workers) as cluster, Engine.open(parted, workers=SearchWorkers(cluster)) as engine:
        query = engine.query(pictures / "03.png")
        assert len(engine.answer(query).images)
        lose_scheduler(cluster)
        with pytest.raises(ClusterError, match="the Dask scheduler or all its workers are gone"):
            engine.answer(query)


def test_a_part_whose_folder_is_gone_is_named(cluster: Cluster, parted: Path, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    shutil.copytree(parted, folder)
    workers = SearchWorkers(cluster)
    with Engine.open(folder) as engine:
        gone = engine._collection.parts[1].name  # its features; what it knows of pictures is still there
        query = engine.query(pictures / "03.png")
        shutil.move(folder / "parts" / gone / "segments", tmp_path / "gone")
        engine.workers = workers
        found = engine.answer(query)
        assert list(found.missing) == [gone]
        assert "No such file or directory" in found.missing[gone]
    other = tmp_path / "other"
    shutil.copytree(parted, other)
    with Engine.open(other) as engine:
        for part in engine._collection.parts:
            shutil.rmtree(other / "parts" / part.name / "segments")
        engine.workers = SearchWorkers(cluster)
        with pytest.raises(ClusterError, match="no part of the index can be opened"):
            engine.answer(query)


def test_each_query_sees_one_commit_while_others_add(
    mortal: Cluster, parted: Path, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    shutil.copytree(parted, folder)
    more = write_picture(tmp_path / "more" / "more.png", draw_scene(3))
    with Engine.open(folder, workers=SearchWorkers(mortal, deadline_s=90.0)) as engine:
        query = engine.query(pictures / "03.png")
        before = plain(engine.answer(query))
        with Engine.open(folder) as writer:
            writer.add([more.parent], ALONE)
            after = plain(writer.answer(query))
        assert plain(engine.answer(query)) == before
        for pid in pids(mortal).values():  # nobody has the old commit open any more
            kill(pid)
        assert plain(engine.answer(query)) == after
        assert after != before


def test_the_commit_before_answers_while_the_next_is_opened(
    cluster: Cluster, parted: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers, is_open = SearchWorkers(cluster), threading.Event()
    with Engine.open(parted) as engine:
        before = engine._collection
    after = dataclasses.replace(before, generation=before.generation + 1)
    parts = workers.parts_of(before, parted, vocabulary_folder)
    monkeypatch.setattr(workers, "_open", lambda parts: is_open.wait(60))
    with ThreadPoolExecutor(2) as threads:
        opening = threads.submit(workers.parts_of, after, parted, vocabulary_folder)
        try:
            assert threads.submit(workers.parts_of, before, parted, vocabulary_folder).result(20) is parts
            assert not opening.done()
        finally:
            is_open.set()
        assert opening.result(20) is workers.parts_of(after, parted, vocabulary_folder)


def test_a_part_is_opened_when_it_is_first_asked_for(cluster: Cluster, parted: Path, vocabulary_folder: Path) -> None:
    held = on_worker.PartsHeld()
    with Engine.open(parted) as engine:
        workers = SearchWorkers(cluster)
        parts = workers.parts_of(engine._collection, parted, vocabulary_folder)
    assert held.part(parts.names[0], None) is None
    opened = held.part(parts.names[0], parts.opening)
    assert opened is held.part(parts.names[0], None)
    assert [fact[1] for fact in held.facts()] == [parts.names[0].name]
    held.close()
    assert held.facts() == []
    replies, missing = parts.ask({0: Ask(TouchRequest()), 2: Ask(TouchRequest())}, time.monotonic() + 30)
    assert replies == {0: True, 2: True}
    assert not missing


def test_duplicates_are_those_of_one_process(searching: Engine, parted: Path) -> None:
    from bof.grouping.finding import find_groups

    with Engine.open(parted) as one:
        expected = [sorted(m.name for m in group.members) for group in find_groups(one, "crop")]
    assert [sorted(m.name for m in group.members) for group in find_groups(searching, "crop")] == expected
    assert expected
