"""What was said of pairs is kept, and what cannot be kept is said."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bof.errors import IndexStoreError
from bof.grouping.differences import Differences
from bof.grouping.memory import FILE_NAME, allow, reject, rejected
from bof.grouping.pairs import FILE_NAME as PAIRS
from bof.grouping.pairs import Pair, PairStore
from bof.grouping.pixels import Likeness

DIFFERENCES = Differences(90, 0.5, 0.25, 0.125, 11, 2, 1.0, 0.25, (0.5, 0.0), (0.75, 0.5), (0.25, -0.5), 0.125)
LIKENESS = Likeness(0.75, 100, 80, 0.25, 3.0, 1.5, (1.0, 0.5), DIFFERENCES)


def pair(query: str, found: str, exact: bool = True) -> Pair:
    rng = np.random.default_rng(len(query))
    return Pair(query, found, 12, 0.99, 11, rng.normal(size=(3, 3)), rng.normal(size=(3, 3)) if exact else None)


def facts(found: Pair) -> tuple[object, ...]:
    exact = None if found.exact is None else found.exact.tobytes()
    return (
        found.query,
        found.found,
        found.n_inliers,
        found.probability,
        found.transform.tobytes(),
        exact,
        found.likeness,
    )


def test_rejected_pairs_are_kept_whatever_their_order(tmp_path: Path) -> None:
    assert rejected(tmp_path) == set()
    reject(tmp_path, [("b", "a"), ("c", "c")])
    reject(tmp_path, [("a", "b"), ("a", "d")])
    assert rejected(tmp_path) == {frozenset("ab"), frozenset("c"), frozenset("ad")}
    allow(tmp_path, [("b", "a")])
    assert rejected(tmp_path) == {frozenset("c"), frozenset("ad")}


def test_a_damaged_memory_is_an_error_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    for work in (rejected, lambda folder: reject(folder, [("a", "b")])):
        with pytest.raises(IndexStoreError, match="rejected"):
            work(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == b"no database" * 100


def test_pairs_come_back_as_they_were(tmp_path: Path) -> None:
    made = [pair("a", "b"), pair("a", "c", exact=False)]
    with PairStore(tmp_path, {}) as store:
        store.add([("a", made), ("b", [])])
        store.compare([("a", {"b": LIKENESS}), ("b", {})])
    with PairStore(tmp_path, {}) as store:
        found = store.pairs({"a", "b", "c"})
        assert store.searched() == {"a": True, "b": True}
        assert [facts(one) for one in store.pairs({"a", "c"})] == [facts(one) for one in found[1:]]
    assert [one.likeness for one in found] == [LIKENESS, None]
    assert [facts(one)[:-1] for one in found] == [facts(one)[:-1] for one in made]


def test_what_could_not_be_compared_is_compared_another_time(tmp_path: Path) -> None:
    with PairStore(tmp_path, {}) as store:
        store.add([("a", [pair("a", "b"), pair("a", "c")])])
        store.compare([("a", {"b": LIKENESS, "c": None})])
        assert store.searched() == {"a": False}
        assert [one.likeness for one in store.pairs(set("abc"))] == [LIKENESS, None]


def test_another_recipe_begins_anew(tmp_path: Path) -> None:
    for candidates, expected in ((50, {}), (50, {"a": False}), (20, {})):
        with PairStore(tmp_path, {"candidates": candidates}) as store:
            assert store.searched() == expected
            store.add([("a", [pair("a", "b")])])


def test_pairs_that_cannot_be_written_are_kept_for_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / PAIRS).mkdir()
    with PairStore(tmp_path, {}) as store:
        store.add([("a", [pair("a", "b")])])
        assert store.searched() == {"a": False}
    assert "cannot be written" in caplog.text


def test_a_disk_that_fails_midway_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with PairStore(tmp_path, {}) as store:
        other = sqlite3.connect(tmp_path / PAIRS)
        other.execute("DROP TABLE pairs")
        other.close()
        with pytest.raises(IndexStoreError, match=PAIRS):
            store.add([("a", [pair("a", "b")])])


def test_a_damaged_file_of_pairs_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for damage in (b"no database" * 100, b"SQLite format 3\0" + b"damaged" * 999):
        (tmp_path / PAIRS).write_bytes(damage)
        with PairStore(tmp_path, {}) as store:
            assert store.searched() == {}
            store.add([("a", [pair("a", "b")])])
        assert "damaged" in caplog.text
        caplog.clear()
        with PairStore(tmp_path, {}) as store:
            assert len(store.pairs({"a", "b"})) == 1
