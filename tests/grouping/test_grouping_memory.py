"""What was said of pairs is kept, and what cannot be kept is said."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bof.alignment.differences import Differences
from bof.alignment.likeness import Likeness
from bof.errors import IndexStoreError
from bof.grouping.memory import FILE_NAME, allow, reject, rejected
from bof.grouping.pairs import FILE_NAME as PAIRS
from bof.grouping.pairs import Pair, PairStore

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


# -- What somebody else left there ------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
REJECTED_VIEW = f"DROP TABLE rejected; CREATE VIEW rejected AS {ENDLESS} SELECT x AS one, x AS other FROM n"
PAIRS_VIEW = f"DROP TABLE asked; CREATE VIEW asked AS {ENDLESS} SELECT x AS sha256, 1 AS compared FROM n"


def spoil(path: Path, statements: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(statements)
    database.close()


@pytest.mark.parametrize(
    "statements",
    [
        REJECTED_VIEW,
        "CREATE TRIGGER t AFTER INSERT ON rejected BEGIN DELETE FROM rejected; END",
        "CREATE TABLE more (x)",
        "ALTER TABLE rejected ADD COLUMN x",
        "INSERT INTO rejected VALUES (x'00', 'a')",
        "INSERT INTO rejected VALUES (NULL, 'a')",
    ],
    ids=["view", "trigger", "table", "column", "blob", "null"],
)
def test_rejected_pairs_that_bof_does_not_write_are_an_error(tmp_path: Path, statements: str) -> None:
    reject(tmp_path, [("a", "b")])
    try:
        spoil(tmp_path / FILE_NAME, statements)
    except sqlite3.IntegrityError:
        pytest.skip("this SQLite does not store it")
    with pytest.raises(IndexStoreError, match=r"expected the pairs that were rejected, found expected"):
        rejected(tmp_path)
    if "VALUES" not in statements:
        with pytest.raises(IndexStoreError, match=r"expected the pairs that were rejected, found expected"):
            reject(tmp_path, [("c", "d")])


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_link(path: Path) -> None:
    path.symlink_to(path.with_name("victim"))


@pytest.mark.skipif(sys.platform == "win32", reason="no links and pipes there")
@pytest.mark.parametrize("put", [put_pipe, put_link], ids=["pipe", "link"])
@pytest.mark.parametrize("suffix", ["", "-journal"])
def test_pipes_and_links_are_not_opened(tmp_path: Path, put: Callable[[Path], None], suffix: str) -> None:
    put(tmp_path / f"{FILE_NAME}{suffix}")
    put(tmp_path / f"{PAIRS}{suffix}")
    with pytest.raises(IndexStoreError, match="as a regular file, found a"):
        reject(tmp_path, [("a", "b")])
    with PairStore(tmp_path, {}) as store:
        store.add([("a", [pair("a", "b")])])
    with PairStore(tmp_path, {}) as store:
        assert store.searched() == {"a": False}
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    "statements",
    [PAIRS_VIEW, "CREATE TRIGGER t AFTER INSERT ON asked BEGIN DELETE FROM pairs; END", "ALTER TABLE pairs ADD x"],
    ids=["view", "trigger", "column"],
)
def test_pairs_with_another_schema_are_begun_anew(
    tmp_path: Path, statements: str, caplog: pytest.LogCaptureFixture
) -> None:
    with PairStore(tmp_path, {}) as store:
        store.add([("a", [pair("a", "b")])])
    spoil(tmp_path / PAIRS, statements)
    with PairStore(tmp_path, {}) as store:
        assert store.searched() == {}
    assert "started again" in caplog.text


@pytest.mark.parametrize("column", ["n_inliers", "probability", "n_exact", "transform", "exact", "likeness"])
@pytest.mark.parametrize(
    "value", ["'text'", "x'00'", "7", "1e999", "'[1]'", "'[1,2,3,4,5,6,[7]]'", "'[\"a\",1,1,1,1,1,[1,1]]'"]
)
def test_a_cell_of_another_type_is_an_error_that_names_the_file(tmp_path: Path, column: str, value: str) -> None:
    with PairStore(tmp_path, {}) as store:
        store.add([("a", [pair("a", "b")])])
        store.compare([("a", {"b": LIKENESS})])
        spoil(tmp_path / PAIRS, f"UPDATE pairs SET {column} = {value}")
        if (column, value) in {("n_inliers", "7"), ("n_exact", "7"), ("probability", "7")}:
            assert len(store.pairs({"a", "b"})) == 1
            return
        with pytest.raises(IndexStoreError, match=PAIRS):
            store.pairs({"a", "b"})
