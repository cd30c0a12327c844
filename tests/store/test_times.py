"""`modified` and `added` as fields of a condition, and the fields that there are."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError, OptionError
from bof.options import IndexOptions
from bof.store.catalog import FILE_NAME, additions, transaction
from bof.store.catalog.changes import set_meta
from bof.store.catalog.filters import _time
from tests.support.scenes import draw_scene, write_picture

ONE = IndexOptions(workers=1)
DAY = 86_400


@pytest.fixture
def engine(tmp_path: Path, vocabulary_folder: Path) -> Iterator[Engine]:
    """Two pictures: old.png, changed in 2019, and new.png, changed now."""
    for name, seed in (("old", 1), ("new", 2)):
        write_picture(tmp_path / "photos" / f"{name}.png", draw_scene(seed))
    then = datetime(2019, 5, 1, 12, 30, 15).timestamp()
    os.utime(tmp_path / "photos" / "old.png", (then, then))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], ONE)
        yield engine


def found(engine: Engine, where: str) -> list[str]:
    return [record.name for record in engine.select(where).records]


@pytest.mark.parametrize(
    "condition",
    ["modified = 2019", "modified = 2019-05", "modified = 2019-05-01", "modified = 2019-05-01T12",
     "modified = '2019-05-01 12:30'", "modified = 2019-05-01t12:30:15", "modified < 2020", "modified <= 2019-05-01",
     "modified <= 2019", "modified > 2018 and modified < 2019-06", "not modified > 2019-05-01",
     "modified != 2030-01-01 and modified != 2026 and modified < 2020",
     "modified >= 2019-05-01 and modified < 2019-05-02"],
)  # fmt: skip
def test_a_time_is_compared_as_far_as_the_date_goes(engine: Engine, condition: str) -> None:
    assert found(engine, condition) == ["old.png"]


@pytest.mark.parametrize(
    "condition", ["modified > 2019-05-01", "modified > 2019", "modified >= 2019-05-01T12:31", "modified >= 2020"]
)
def test_all_of_a_day_is_that_day_and_not_after_it(engine: Engine, condition: str) -> None:
    assert found(engine, condition) == ["new.png"]


@pytest.mark.parametrize("value", ["now", "05/01/2019", "20190501", "2019-5-1", "1e3", "''", "2019-05-01Tx", "*"])
@pytest.mark.parametrize("key", ["modified", "added"])
def test_what_is_no_date_is_refused(engine: Engine, key: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"a date such as 2019-05-01 or 2019-05-01T12:30 after {key}"):
        engine.select(f"{key} >= {value}")


def test_a_time_contains_nothing(engine: Engine) -> None:
    with pytest.raises(OptionError, match="found ~ '2019'"):
        engine.select("modified ~ 2019")


def test_pictures_are_added_when_their_content_came(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 40 * DAY
    today, then = (datetime.fromtimestamp(seconds).date().isoformat() for seconds in (time.time(), later))
    monkeypatch.setattr(additions.time, "time", lambda: later)
    write_picture(tmp_path / "photos" / "third.png", draw_scene(3))
    (tmp_path / "photos" / "new.png").rename(tmp_path / "photos" / "moved.png")
    write_picture(tmp_path / "photos" / "old.png", draw_scene(9))
    engine.add([tmp_path / "photos"], ONE)
    expected = ["moved.png"], ["old.png", "third.png"]
    assert (found(engine, f"added = {today}"), found(engine, f"added >= {then}")) == expected
    engine.merge()
    assert (found(engine, f"added = {today}"), found(engine, f"added > {today}")) == expected
    assert found(engine, "has added and added != 1999") == ["moved.png", "old.png", "third.png"]


def entries(engine: Engine) -> list[list[int]]:
    with closing(sqlite3.connect(engine.folder / FILE_NAME)) as database:
        return additions.read_entries(database)


def test_an_hour_has_one_entry(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = 3600 * 500_000
    for number, seconds in enumerate((0, 10, 3599, 3600, 7199, 20_000)):
        monkeypatch.setattr(additions.time, "time", lambda seconds=seconds: start + seconds)
        picture = write_picture(tmp_path / "more" / f"{number}.png", draw_scene(20 + number))
        engine.add([picture], ONE)
    assert [when - start for _, when in entries(engine)[1:]] == [0, 3600, 20_000]
    assert [first for first, _ in entries(engine)] == [1, 3, 6, 8]


def test_an_index_from_before_knows_no_times(engine: Engine, tmp_path: Path) -> None:
    with transaction(engine.folder) as database:
        set_meta(database, additions.KEY, [])
    assert found(engine, "added > 1999") == []
    assert found(engine, "added != 1999") == ["new.png", "old.png"]
    write_picture(tmp_path / "photos" / "third.png", draw_scene(3))
    engine.add([tmp_path / "photos"], ONE)
    assert found(engine, "added > 1999") == ["third.png"]


@pytest.mark.parametrize("fact", ["{}", "[1]", "[[1]]", '[["1", 2]]', "[[2, 3], [1, 4]]", "[[1, 2.5]]", "[[true, 1]]"])
def test_entries_that_are_none_are_damage(engine: Engine, fact: str) -> None:
    with transaction(engine.folder) as database:
        set_meta(database, additions.KEY, json.loads(fact))
    with pytest.raises(IndexStoreError, match="another kind of fact added"):
        Engine.open(engine.folder)


def test_impossible_times_are_no_error(engine: Engine) -> None:
    assert [_time(seconds) for seconds in (None, 1 << 60, -(1 << 60))] == [None, None, None]
    assert np.datetime64(_time(0)) < np.datetime64("1970-01-03")


# -- Fields that there are --------------------------------------------------------------------------------------------


def test_a_field_that_no_picture_has_is_named_with_those_there_are(engine: Engine) -> None:
    engine.annotate(["old.png"], {"year": ["1900"], "artist": ["Monet"]})
    with pytest.raises(OptionError) as caught:
        engine.select("width > 3 and (yeer > 2000 or artist = x)")
    assert str(caught.value) == (
        "where: expected one of the fields name, path, folder, width, height, bytes, features, modified, added, tag, "
        "artist, year, found 'yeer'; did you mean year?"
    )
    assert found(engine, "year > 1800") == ["old.png"]


def test_tags_titles_and_questions_whether_there_is_a_field_need_none(engine: Engine) -> None:
    assert found(engine, "tag = x or title = y or has colour") == []
    assert found(engine, "not has colour") == ["new.png", "old.png"]


def test_many_fields_are_not_all_named(engine: Engine) -> None:
    engine.annotate(["old.png"], {f"field {number:03d}": ["x"] for number in range(100)})
    with pytest.raises(OptionError) as caught:
        engine.select("nothing = 1")
    assert ", ..., found 'nothing'" in str(caught.value)
    assert len(str(caught.value)) < 800


def test_built_in_fields_cannot_be_given(engine: Engine) -> None:
    for key in ("modified", "added"):
        with pytest.raises(OptionError, match="other than those that every image has"):
            engine.annotate(["old.png"], {key: ["2019"]})


def test_an_id_is_never_given_again(engine: Engine, tmp_path: Path) -> None:
    """Whoever remembers an id, or the highest, must not meet another picture under it."""
    before = max(record.id for record in engine.records())
    last = next(record for record in engine.records() if record.id == before)
    engine.remove(last.name)
    engine.merge()
    write_picture(tmp_path / "after.png", draw_scene(97))
    engine.add(tmp_path / "after.png")
    assert [record.id for record in engine.records() if record.name == "after.png"] == [before + 1]
    engine.remove([record.name for record in engine.records()])
    engine.merge()
    engine.add(tmp_path / "after.png")
    assert [record.id for record in engine.records()] == [before + 2]
