"""What comes into an index is compared with what is watched: as a search would, each picture once, whatever happens."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import ImageError, IndexStoreError, OptionError
from bof.options import IndexOptions
from bof.standing_queries import matching
from bof.standing_queries.matching import FOUND, StandingQueries
from bof.standing_queries.newcomers import Newcomers
from bof.standing_queries.prepared import WatchedWords
from bof.standing_queries.storage import FILE_NAME, MAX_NAME, MAX_NOTE, WatchList
from tests.support.scenes import draw_scene, write_picture

ONE = IndexOptions(workers=1)


@pytest.fixture
def queries(tmp_path: Path, vocabulary_folder: Path) -> Iterator[StandingQueries]:
    """An index of eight scenes."""
    for seed in range(8):
        write_picture(tmp_path / "photos" / f"old-{seed}.png", draw_scene(seed))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], ONE)
        yield StandingQueries(engine)


def picture(seed: int) -> bytes:
    return bytes(cv2.imencode(".png", draw_scene(seed))[1])


def come(queries: StandingQueries, folder: Path, **pictures: np.ndarray) -> None:
    """Pictures come into the index."""
    for name, pixels in pictures.items():
        write_picture(folder / "photos" / f"{name}.png", pixels)
    queries.engine.add([folder / "photos"], ONE)


def found(queries: StandingQueries) -> list[tuple[int, str]]:
    return [(hit.watched, hit.name) for hit in queries.watch_list.hits()]


# -- What is found ----------------------------------------------------------------------------------------------------


def test_a_negative_of_what_is_watched_is_found(queries: StandingQueries, tmp_path: Path) -> None:
    queries.add(picture(20), "a plate")
    come(queries, tmp_path, negative=255 - draw_scene(20), stranger=255 - draw_scene(30))
    assert [(hit.name, hit.verdict) for hit in queries.catch_up()] == [("negative.png", "same")]


def test_what_comes_later_is_found_and_what_was_there_is_not(queries: StandingQueries, tmp_path: Path) -> None:
    first = queries.add(picture(3), "a vase", "stolen")
    second = queries.add(picture(20), "a chair")
    assert not queries.catch_up()
    come(queries, tmp_path, copy=draw_scene(20)[40:, 50:], other=draw_scene(30), again=draw_scene(3))
    assert {(hit.watched, hit.name, hit.verdict) for hit in queries.catch_up()} == {
        (first.id, "again.png", "same"), (second.id, "copy.png", "same"),
    }  # fmt: skip
    assert not queries.catch_up()
    (hit,) = queries.watch_list.hits(watched=second.id)
    assert (hit.number, hit.verdict, hit.sha256) == (
        2, "same", next(one.sha256 for one in queries.engine.records() if one.name == "copy.png"),
    )  # fmt: skip
    assert [one.n_hits for one in queries.watch_list.pictures()] == [1, 1]


def altered(seed: int) -> list[np.ndarray]:
    """A scene as people alter pictures; the last are hard to find."""
    scene = draw_scene(seed)
    height, width = scene.shape[:2]
    turned = cv2.warpAffine(scene, cv2.getRotationMatrix2D((width / 2, height / 2), 25, 0.8), (width, height))
    small = cv2.resize(scene, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    return [scene, scene[:, ::-1], scene[60:200, 80:260], turned, small, cv2.GaussianBlur(scene, (0, 0), 2.5)]


def test_every_verdict_is_that_of_a_search(queries: StandingQueries, tmp_path: Path) -> None:
    """Of every watched picture with every picture that came: none is missed, none is added."""
    watched = {queries.add(picture(seed), str(seed)).id: picture(seed) for seed in range(20, 26)}
    new = {f"n{seed}-{i}": pixels for seed in range(20, 28) for i, pixels in enumerate(altered(seed))}
    come(queries, tmp_path, **{name: np.ascontiguousarray(pixels) for name, pixels in new.items()})
    queries.catch_up()
    recorded = {(hit.watched, hit.image): hit.verdict for hit in queries.watch_list.hits()}
    expected = {}
    searcher, rows = queries.engine.searcher(), queries.engine.images
    for number, content in watched.items():
        answer = searcher.search(queries.engine.query(content))
        for image in answer.images.tolist():
            verdict = answer.verdict(image, searcher.options.verify)
            if verdict in FOUND and rows.id[image] > 8:
                expected[number, int(rows.id[image])] = verdict
    assert recorded == expected
    assert len(expected) > 20


def test_a_picture_of_few_features_is_found_by_its_pixels(queries: StandingQueries, tmp_path: Path) -> None:
    flag = np.full((120, 180, 3), 255, np.uint8)
    flag[:40], flag[80:] = (200, 30, 30), (30, 30, 160)
    number = queries.add(bytes(cv2.imencode(".png", flag)[1]), "a flag").id
    come(queries, tmp_path, flag=flag, other=draw_scene(30))
    queries.catch_up()
    assert found(queries) == [(number, "flag.png")]


def test_of_what_shows_nothing_that_is_watched_no_search_is_made(
    queries: StandingQueries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(40, 45):
        queries.add(picture(seed), str(seed))
    come(queries, tmp_path, **{f"n{seed}": draw_scene(seed) for seed in range(50, 56)})
    monkeypatch.setattr(StandingQueries, "_search", lambda *_: pytest.fail("a search was made"))
    assert not queries.catch_up()


# -- Once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_process_that_is_killed_loses_and_doubles_nothing(
    queries: StandingQueries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
) -> None:
    """Before the transaction that records, and after it; in batches, so that some was done before."""
    number = queries.add(picture(20), "watched").id
    monkeypatch.setattr(matching, "N_AT_A_TIME", 2)
    come(queries, tmp_path, **{f"n{i}": draw_scene(20)[i * 4 :] for i in range(6)})
    record, calls = WatchList.record, []

    def die(self: WatchList, *arguments: object) -> bool:
        calls.append(1)
        if len(calls) == 2:
            if is_recorded:
                record(self, *arguments)
            raise KeyboardInterrupt
        return record(self, *arguments)

    monkeypatch.setattr(WatchList, "record", die)
    with pytest.raises(KeyboardInterrupt):
        queries.catch_up()
    assert len(found(queries)) == (4 if is_recorded else 2)
    queries.catch_up()
    assert sorted(found(queries)) == [(number, f"n{i}.png") for i in range(6)]


def test_a_commit_that_fails_leaves_the_list_as_it_was(queries: StandingQueries, tmp_path: Path) -> None:
    queries.add(picture(20), "watched")
    come(queries, tmp_path, copy=draw_scene(20))
    with closing(sqlite3.connect(tmp_path / "index" / FILE_NAME, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO hits VALUES (9, 1, 99, x'61', x'61', '', 'same', 1.0, NULL, 0, 1.0)")
        last = queries.watch_list.last_compared()  # as another reader sees it
        database.execute("ROLLBACK")
    assert (queries.watch_list.last_compared(), found(queries)) == (last, [])
    assert len(queries.catch_up()) == 1


def test_two_processes_record_each_hit_once(queries: StandingQueries, tmp_path: Path) -> None:
    number = queries.add(picture(20), "watched").id
    come(queries, tmp_path, **{f"n{i}": draw_scene(20)[i * 4 :] for i in range(4)})
    others = [StandingQueries(Engine.open(queries.engine.folder)) for _ in range(3)]
    threads = [threading.Thread(target=one.catch_up) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found(queries)) == [(number, f"n{i}.png") for i in range(4)]
    assert [hit.number for hit in queries.watch_list.hits()] == [1, 2, 3, 4]


def test_a_picture_that_takes_the_place_of_the_last_is_compared(queries: StandingQueries, tmp_path: Path) -> None:
    """The index drops the row with the highest id, and what comes next is another picture."""
    queries.add(picture(20), "watched")
    come(queries, tmp_path, other=draw_scene(30))
    queries.catch_up()
    queries.engine.remove("other.png")
    (tmp_path / "photos" / "other.png").unlink()
    queries.engine.merge()
    come(queries, tmp_path, copy=draw_scene(20))
    assert [hit.name for hit in queries.catch_up()] == ["copy.png"]


def test_what_is_watched_no_more_finds_nothing_and_its_number_is_not_given_again(
    queries: StandingQueries, tmp_path: Path
) -> None:
    first, second = (queries.add(picture(20), name) for name in "ab")
    come(queries, tmp_path, copy=draw_scene(20))
    queries.catch_up()
    assert len(found(queries)) == 2
    assert queries.watch_list.remove([second.id, 99]) == 1
    assert found(queries) == [(first.id, "copy.png")]
    assert queries.add(picture(20), "c").id == second.id + 1
    assert queries.watch_list.remove([first.id, second.id + 1]) == 2
    assert queries.watch_list.last_compared() is None
    come(queries, tmp_path, unseen=draw_scene(20)[8:])
    third = queries.add(picture(20), "d")
    come(queries, tmp_path, seen=draw_scene(20)[:, 8:])
    queries.catch_up()
    assert found(queries) == [(third.id, "seen.png")]
    assert queries.watch_list.hits()[0].number > 2


# -- What is refused --------------------------------------------------------------------------------------------------


def test_what_cannot_be_watched_is_refused(queries: StandingQueries) -> None:
    with pytest.raises(ImageError):
        queries.add(b"no picture", "a")
    for name, note in (("a" * (MAX_NAME + 1), ""), ("a", "b" * (MAX_NOTE + 1))):
        with pytest.raises(OptionError, match="at most"):
            queries.add(picture(1), name, note)
    assert not queries.watch_list.pictures()


def test_a_list_that_is_damaged_says_so(queries: StandingQueries, tmp_path: Path) -> None:
    queries.add(picture(20), "watched")
    path = tmp_path / "index" / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE watched SET name = x'00'")
    with pytest.raises(IndexStoreError, match="the watch-list"):
        queries.watch_list.pictures()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON hits BEGIN DELETE FROM watched; END")
    with pytest.raises(IndexStoreError, match="the tables that bof makes"):
        queries.watch_list.pictures()
    path.write_bytes(b"no database, but long enough to be looked at " * 20)
    with pytest.raises(IndexStoreError, match="the watch-list"):
        queries.catch_up()


def test_words_are_what_was_stored_or_refused(queries: StandingQueries) -> None:
    vocabulary = queries.engine.vocabulary
    features = queries.engine.query(picture(20)).features
    words = WatchedWords.of(features, vocabulary)
    data = words.pack()
    again = WatchedWords.unpack(data, vocabulary.n_words)
    for name in ("words", "mirrored_words", "inverse_words", "geometry"):
        before, after = (dataclasses.asdict(getattr(one, name)) for one in (words, again))
        assert all(np.array_equal(before[key], after[key]) for key in before)
    for damaged in (
        b"",
        data[:-1],
        data + b"0",
        data[:8] + b"\xff" * 8 + data[16:],
        data.replace(data[-900:-880], b""),
    ):
        with pytest.raises(IndexStoreError, match="damaged"):
            WatchedWords.unpack(damaged, vocabulary.n_words)
    with pytest.raises(IndexStoreError, match="damaged"):
        WatchedWords.unpack(data, int(words.words.word.max()))


def test_words_that_were_stored_without_the_inverse_are_read(queries: StandingQueries, tmp_path: Path) -> None:
    """What was watched before finds what it found: an inverse is not looked for."""
    searcher = queries.engine.searcher()
    words = WatchedWords.of(queries.engine.query(picture(20)).features, searcher.vocabulary)
    before = WatchedWords.unpack(dataclasses.replace(words, inverse_words=None).pack(), searcher.vocabulary.n_words)
    assert before.inverse_words is None
    assert np.array_equal(before.mirrored_words.signature, words.mirrored_words.signature)
    come(queries, tmp_path, negative=255 - draw_scene(20), plain=draw_scene(20))
    searcher = queries.engine.searcher()
    names = [row.name for row in queries.engine.images]
    newcomers = Newcomers.of([names.index(f"{name}.png") for name in ("negative", "plain")], searcher)
    assert before.first(1, "inverse") is None
    assert newcomers.may_show(before) == [names.index("plain.png")]


def test_newcomers_are_weighed_as_in_their_collection(queries: StandingQueries) -> None:
    """Votes for some images are those that a search of the whole collection counts for them."""
    searcher, images = queries.engine.searcher(), [1, 4, 6]
    few = Newcomers.of(images, searcher)
    query = queries.engine.query(picture(4))
    words = WatchedWords.of(query.features, searcher.vocabulary).first(few.stages.words_per_feature)
    assert words is not None
    alone = few.stages.votes_of_words(words, matching_watch())
    assert np.array_equal(alone.similarity, searcher.votes(query).similarity[images])
    assert few.may_show(WatchedWords.of(query.features, searcher.vocabulary)) == [4]


def matching_watch() -> object:
    from bof.system.stopwatch import Stopwatch

    return Stopwatch()
