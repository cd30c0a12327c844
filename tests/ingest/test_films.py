"""Films come into the index chunk by chunk; each is resumed, changed, moved, copied and removed as its file is."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.images.address import Address
from bof.images.films.times import times_of
from bof.images.listing import Skipped
from bof.ingest import film_files, film_reading
from bof.ingest.film_chunks import FilmChunk, extract_chunk_in_worker
from bof.ingest.film_files import CHANGED, common_fields
from bof.ingest.films import NOTHING_TO_FIND
from bof.ingest.sync import UNFINISHED_NS
from bof.options import IndexOptions, VideoOptions
from bof.system.workers import LostItem
from bof.video import chunks
from tests.store.test_crashes import Death
from tests.support.films import black, pan, write_film
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1, commit_images=1)
SECONDS = 2
"""Each shot of these films lasts as long as a chunk here."""


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SECONDS", SECONDS)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films of drawn scenes that a camera pans over, 3 shots and 1, and a black one."""
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "a.mp4", [frame for seed in (1, 2, 3) for frame in pan(seed, 20, 2)], rate=10)
    write_film(folder / "b.mp4", pan(4, 20, 2), rate=10)
    write_film(folder / "black.mp4", black(20), rate=10)
    return folder


@pytest.fixture
def here(tmp_path: Path, films: Path) -> Path:
    """A folder with the film of three shots, which a test may change."""
    (tmp_path / "f").mkdir()
    shutil.copy2(films / "a.mp4", tmp_path / "f" / "a.mp4")
    return tmp_path / "f"


@pytest.fixture
def engine(tmp_path: Path, vocabulary_folder: Path) -> Engine:
    return Engine.create(tmp_path / "index", vocabulary_folder)


class Replay:
    """Reads each chunk once, here, and gives the same again: what became of some can be told."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], Any] = {}
        self.fates: dict[int, Any] = {}
        self.n_asked: list[int] = []

    def __call__(self, function: str, spec: Any, items: Iterator[FilmChunk], *_: Any) -> Iterator[Any]:
        for item in items:
            number = int(item.chunk.start) // SECONDS
            self.n_asked.append(number)
            key = (item.film.sha256, item.film.path, item.film.name, item.film.stamp, item.chunk)
            if number not in self.fates and key not in self.known:
                self.known[key] = extract_chunk_in_worker(spec, item)
            yield self.fates.get(number, self.known.get(key))


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    found = Replay()
    monkeypatch.setattr(film_reading, "run_in_workers", found)
    return found


def shots(engine: Engine) -> list[tuple[str, float, float]]:
    """The file, start and stop of the shot of each picture of a film, in order."""
    found = []
    for record in engine.records():
        address = Address.parse(record.path)
        if times := times_of(address.part):
            found.append((Path(address.file).name, float(times.start), float(times.stop)))
    return sorted(found)


OF_A = [("a.mp4", 0.0, 2.0), ("a.mp4", 2.0, 4.0), ("a.mp4", 4.0, 6.0)]


def content(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """All that the index has of each path."""
    engine.refresh()
    rows = engine.images
    named = {rows[i].path: i for i in range(len(rows)) if not rows[i].deleted}
    fields = engine.select()
    of_path = {record.path: (record, fields.fields[record.id]) for record in fields.records}
    snapshot = engine._collection
    return {
        path: (
            of_path[path][0].sha256, of_path[path][0].mtime_ns, of_path[path][0].name, of_path[path][1],
            *(array.tobytes() for array in snapshot.words(image)), snapshot.geometry(image).xy_px.tobytes(),
            float(snapshot.weights.norm[image]),
        )
        for path, image in named.items()
    }  # fmt: skip


# -- Coming, changing, going ------------------------------------------------------------------------------------------


def test_each_shot_is_in_the_index_with_the_facts_of_its_film(engine: Engine, here: Path, films: Path) -> None:
    shutil.copy2(films / "black.mp4", here)
    steps = []
    report = engine.add([here], IndexOptions(workers=2), steps.append)
    assert shots(engine) == OF_A
    assert report.n_added == 3
    assert report.skipped == [Skipped(str(here / "black.mp4"), NOTHING_TO_FIND)]
    last = [step for step in steps if step.stage.startswith("reading films")][-1]
    assert (last.n_done, last.n_items, last.share) == (8, 8, 1.0)
    for record in engine.records():
        assert record.name.startswith("a.mp4#t=")
        assert (record.width, record.height) == (320, 240)
        assert record.mtime_ns == (here / "a.mp4").stat().st_mtime_ns
    assert len(engine.select("duration > 5 and codec = h264 and fps = 10").records) == 3
    assert not engine.select("duration > 6").records
    again = engine.add([here], ALONE)
    assert (again.n_added, again.n_changed, again.n_unchanged) == (0, 0, 3)


def test_a_film_moves_is_touched_and_leaves_with_its_file(engine: Engine, here: Path, replay: Replay) -> None:
    engine.add([here], ALONE)
    engine.annotate("a.mp4", {"tag": ["holiday"]})
    (here / "a.mp4").rename(here / "new.mp4")
    report = engine.add([here], ALONE)
    assert (report.n_moved, report.n_added) == (3, 0)
    assert [name for name, _, _ in shots(engine)] == ["new.mp4"] * 3
    assert len(engine.select("tag = holiday").records) == 3
    os.utime(here / "new.mp4", ns=(1, 1_000_000_000))
    assert engine.add([here], ALONE).n_touched == 3
    assert replay.n_asked == [0, 1, 2]  # read once
    (here / "new.mp4").unlink()
    write_picture(here / "p.png", draw_scene(9))
    assert engine.add([here], ALONE).n_gone == 3
    assert engine.add([here], ALONE, delete=True).n_removed == 3
    assert shots(engine) == []


def test_a_copy_is_not_read_again_and_one_name_removes_all_of_a_film(
    engine: Engine, here: Path, replay: Replay
) -> None:
    shutil.copyfile(here / "a.mp4", here / "copy.mp4")
    report = engine.add([here], ALONE)
    assert (report.n_added, report.n_reused) == (6, 3)
    assert replay.n_asked == [0, 1, 2]
    assert engine.remove("a.mp4") == 3
    assert [name for name, _, _ in shots(engine)] == ["copy.mp4"] * 3


def test_a_changed_film_is_read_again_and_keeps_what_was_said_of_all_of_it(
    engine: Engine, here: Path, films: Path
) -> None:
    engine.add([here], ALONE)
    engine.annotate("a.mp4", {"tag": ["holiday"]})
    engine.annotate(engine.records()[0].name, {"tag": ["first"]})
    shutil.copyfile(films / "b.mp4", here / "a.mp4")
    report = engine.add([here], ALONE)
    assert (report.n_added + report.n_changed, shots(engine)) == (1, [("a.mp4", 0.0, 2.0)])
    (fields,) = engine.select().fields.values()
    assert (fields["tag"], fields["duration"]) == (["holiday"], ["2.000"])


def test_common_fields() -> None:
    both = {"tag": ["x"], "year": ["1999"]}
    assert common_fields([{"tag": ["x", "y"], "year": ["1999"], "fps": ["25"]}, both]) == both
    assert common_fields([]) == {}
    assert common_fields([{"tag": ["x"]}, {}]) == {}


def test_options_of_films_are_no_facts_of_an_index(engine: Engine, here: Path, films: Path) -> None:
    engine.add([here], ALONE)
    shutil.copy2(films / "b.mp4", here)
    few = IndexOptions(workers=1, video=VideoOptions(keyframe_features=40))
    engine.add([here], few)
    of_film = {Address.file_name(one.path, one.name): one.n_features for one in engine.records()}
    assert of_film["b.mp4"] <= 40 < of_film["a.mp4"]
    (first, *_) = engine.search(pan(4, 20, 2)[10])
    assert (first.file.name, first.verdict) == ("b.mp4", "same")


# -- What goes wrong --------------------------------------------------------------------------------------------------


def test_a_chunk_that_kills_its_process_is_named_and_the_rest_is_there(
    engine: Engine, here: Path, replay: Replay
) -> None:
    replay.fates[1] = LostItem("the process that read it crashed (SIGSEGV)")
    report = engine.add([here], ALONE)
    reason = "from 2 s to 4 s: the process that read it crashed (SIGSEGV)"
    assert report.skipped == [Skipped(str(here / "a.mp4"), reason)]
    assert shots(engine) == [OF_A[0], OF_A[2]]
    assert engine.add([here], ALONE).n_unchanged == 2  # the film counts as read


def test_after_three_lost_chunks_the_rest_is_left(engine: Engine, here: Path, replay: Replay) -> None:
    replay.fates = dict.fromkeys(range(3), LostItem("took longer than 960 s"))
    longer = [frame for seed in range(5) for frame in pan(seed, 20, 2)]
    write_film(here / "a.mp4", longer, rate=10)
    report = engine.add([here], ALONE)
    assert report.skipped[-1].reason == "from 4 s to 6 s: took longer than 960 s; the rest is not read"
    assert replay.n_asked == [0, 1, 2]
    assert shots(engine) == []


def test_a_process_that_dies_costs_a_chunk(engine: Engine, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_reading, "EXTRACT", f"{__name__}:die_at_two_seconds")
    report = engine.add([here], IndexOptions(workers=2))
    assert [skipped.reason for skipped in report.skipped] == [
        "from 2 s to 4 s: the process that read it crashed (SIGKILL)"
    ]
    assert shots(engine) == [OF_A[0], OF_A[2]]


def die_at_two_seconds(spec: Any, item: FilmChunk) -> Any:
    if item.chunk.start == SECONDS:
        os.kill(os.getpid(), signal.SIGKILL)
    return extract_chunk_in_worker(spec, item)


def test_a_film_that_changes_while_it_is_read_is_read_by_the_next_run(
    engine: Engine, here: Path, replay: Replay
) -> None:
    replay.fates[1] = Skipped(str(here / "a.mp4"), CHANGED)
    report = engine.add([here], ALONE)
    assert report.skipped == [Skipped(str(here / "a.mp4"), CHANGED)]
    assert replay.n_asked == [0, 1]
    assert {record.mtime_ns for record in engine.records()} == {UNFINISHED_NS}
    replay.fates = {}
    assert not engine.add([here], ALONE).skipped
    assert replay.n_asked == [0, 1, 1, 2]
    assert shots(engine) == OF_A


def test_a_film_that_grows_is_not_begun(
    engine: Engine, here: Path, monkeypatch: pytest.MonkeyPatch, replay: Replay
) -> None:
    os.utime(here / "a.mp4")

    def grow(_: float) -> None:
        with (here / "a.mp4").open("ab") as stream:
            stream.write(b"\0" * 64)

    monkeypatch.setattr(film_files.time, "sleep", grow)
    found = film_files.open_film(str(here / "a.mp4"), "a.mp4")
    assert found == Skipped(str(here / "a.mp4"), CHANGED)


def test_frames_that_do_not_fit_into_memory_are_named(
    engine: Engine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_reading, "memory_of", lambda facts, features: 1 << 50)
    (skipped,) = engine.add([here], ALONE).skipped
    assert skipped.reason.startswith("its frames of 320 x 240 pixels need --memory 1073742")
    assert shots(engine) == []


# -- Resuming ---------------------------------------------------------------------------------------------------------


def test_a_killed_run_goes_on_at_the_chunk_that_is_not_there(
    engine: Engine, here: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.add([here], ALONE)
    expected = content(engine)
    other = Engine.create(engine.folder.with_name("killed"), engine.vocabulary_folder)
    replay.n_asked = []
    real = film_reading.run_in_workers

    def until_the_second(*arguments: Any) -> Iterator[Any]:
        found = real(*arguments)
        yield next(found)
        raise KeyboardInterrupt

    monkeypatch.setattr(film_reading, "run_in_workers", until_the_second)
    with pytest.raises(KeyboardInterrupt, match="1 pictures are committed, some are left"):
        other.add([here], ALONE)
    assert shots(other) == OF_A[:1]
    other.annotate("a.mp4", {"tag": ["early"]})
    monkeypatch.setattr(film_reading, "run_in_workers", real)
    other.add([here], ALONE)
    assert replay.n_asked == [0, 1, 2]
    assert len(other.select("tag = early").records) == 3
    other.annotate("a.mp4", {}, {"tag": ["early"]})
    assert content(other) == expected


def test_a_death_at_any_step_loses_nothing(tmp_path: Path, here: Path, vocabulary_folder: Path, replay: Replay) -> None:
    folder = tmp_path / "dying" / "index"
    engine = Engine.create(folder, vocabulary_folder)
    death = Death(folder)
    with death.at_work():
        engine.add([here], ALONE)
    expected = content(engine)
    assert shots(engine) == OF_A
    assert len(death.left) > 50
    for left in death.left[::9]:
        with Engine.open(left) as again:
            again.add([here], ALONE)
            assert content(again) == expected
            assert not again.check().damages


def test_batches_workers_and_merges_do_not_show(engine: Engine, here: Path, films: Path, tmp_path: Path) -> None:
    shutil.copy2(films / "b.mp4", here)
    write_picture(here / "p.png", draw_scene(2))
    engine.add([here], ALONE)
    engine.merge()
    other = Engine.create(tmp_path / "other", engine.vocabulary_folder)
    other.add([here / "b.mp4", here / "p.png"], IndexOptions(workers=2, commit_images=100))
    other.add([here], IndexOptions(workers=2, commit_images=100))
    mine, others = content(engine), content(other)
    assert mine.keys() == others.keys()
    for path, found in mine.items():
        assert found[4:] == others[path][4:]
    query = np.ascontiguousarray(pan(2, 20, 2)[7])
    answers = [
        [(hit.path, hit.score, hit.film and hit.film.time) for hit in each.search(query)] for each in (engine, other)
    ]
    assert answers[0] == answers[1]
