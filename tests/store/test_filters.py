"""Conditions and words: what they mean, against an evaluator in Python, and that nothing else gets through."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof.errors import OptionError
from bof.store.catalog.filters import compile_text, compile_where, register, searchable

Metadata = dict[str, list[str]]
IMAGES: list[tuple[bytes, Metadata]] = [
    (b"trips/2019/rome.jpg", {"tag": ["Museum", "stone"], "year": ["1901"], "date": ["2019-05-01"]}),
    ("trips/café.png".encode(), {"tag": ["CAFÉ"], "year": ["20"], "title": ['He said "yes"', "it's"]}),
    (b"raw/\xe9t\xe9.jpg", {"year": ["07", "x"]}),
    ("大教堂广场.jpg".encode(), {"my field": ["two words"], "title": ["Große Kirche"]}),
    (b"plain.jpg", {}),
]


def database_of(images: list[tuple[bytes, Metadata]]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE TABLE images (id INTEGER PRIMARY KEY, name BLOB, path BLOB, n_bytes INTEGER, width INTEGER,"
        " height INTEGER, n_features INTEGER, deleted INTEGER DEFAULT 0)"
    )
    database.execute("CREATE TABLE metadata (path BLOB, key TEXT, value TEXT)")
    database.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')")
    for number, (name, fields) in enumerate(images):
        path = b"/photos/" + name
        row = (number, name, path, 1000 * number, 640 + number, 480, 10 * number)
        database.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, 0)", row)
        pairs = [(path, key, value) for key, values in fields.items() for value in values]
        database.executemany("INSERT INTO metadata VALUES (?, ?, ?)", pairs)
        text = searchable(os.fsdecode(name), [value for _, _, value in pairs])
        database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (number, text))
    register(database, lambda number: None)
    return database


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    opened = database_of(IMAGES)
    yield opened
    opened.close()


def select(database: sqlite3.Connection, where: str) -> set[int]:
    condition, parameters = compile_where(where)
    return {n for (n,) in database.execute(f"SELECT id FROM images WHERE deleted = 0 AND ({condition})", parameters)}


def match(database: sqlite3.Connection, text: str) -> set[int]:
    return {n for (n,) in database.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (compile_text(text),))}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("tag = museum", {0}),
        ("tag=MUSEUM and tag=stone", {0}),
        ("TAG = museum", set()),
        ("tag = café", {1}),
        ("tag != museum", {1, 2, 3, 4}),
        ("not tag = museum", {1, 2, 3, 4}),
        ("tag = museum or tag = café", {0, 1}),
        ("tag = museum OR tag = café AND year = 3", {0}),
        ("(tag = museum or tag = café) and year < 1000", {1}),
        ("year = 7", {2}),
        ("year = 07.0", {2}),
        ("year > 9", {0, 1}),
        ("year >= 20 and year <= 20", {1}),
        ("year = x", {2}),
        ("date < 2019-06-01", {0}),
        ("date >= 2019-06-01", set()),
        ("has year", {0, 1, 2}),
        ("not has year", {3, 4}),
        ("has name", {0, 1, 2, 3, 4}),
        ('title = "He said ""yes"""', {1}),
        ("title = 'it''s'", {1}),
        ("title ~ KIRCHE", {3}),
        ("title = 'GROSSE KIRCHE'", {3}),
        ('"my field" = "TWO words"', {3}),
        ("name ~ .JPG", {0, 2, 3, 4}),
        ("name = plain.jpg", {4}),
        ("folder = trips", {0, 1}),
        ("folder = trips/2019/", {0}),
        ("folder = TRIPS", {0, 1}),
        ("folder = /photos/trips", {0, 1}),
        ("folder = /", {0, 1, 2, 3, 4}),
        ("folder = tri", set()),
        ("folder != trips", {2, 3, 4}),
        ("width > 642", {3, 4}),
        ("width != 642", {0, 1, 3, 4}),
        ("name != 5", {0, 1, 2, 3, 4}),
        ("not name > 5", {0, 1, 2, 3, 4}),
        ("not not tag = museum", {0}),
        ("not tag = museum and not tag = café", {2, 3, 4}),
        ("not tag != museum or not has year and tag != x", {0, 3, 4}),
        ("not " * 99 + "(((((tag = museum)))))", {1, 2, 3, 4}),
        ("tag = cafe\u0301", {1}),
        ("name ~ e\u0301.png", {1}),
        ("name = raw/\udce9t\udce9.jpg", {2}),
        ("tag = and or tag = not", set()),
        ("has = 3", set()),
        ("'not' = 3 or \"and\" = 3 or has 'or'", set()),
        ("bytes = 2000", {2}),
        ("features < 15", {0, 1}),
        ("path ~ /photos/raw", {2}),
        ("name ~ 教堂", {3}),
    ],
)
def test_a_condition_means_what_is_documented(database: sqlite3.Connection, where: str, expected: set[int]) -> None:
    assert select(database, where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("", "expected a field, found the end"),
        ("tag", "expected one of .* found the end"),
        ("tag =", 'expected a value after "=", found the end'),
        ("tag = a b", 'expected "and", "or" or the end, found \'b\''),
        ("tag = a and", "expected a field, found the end"),
        ("(tag = a", r'expected "\)", found the end'),
        ("tag = a)", "or the end, found '\\)'"),
        ("= a", "expected a field, found '='"),
        ("tag == a", "a value after \"=\", found '='"),
        ('tag = "a', "expected a value"),
        ("folder < a", "expected = or != after folder"),
        ("(" * 11 + "a=1" + ")" * 11, "at most 10 parentheses"),
        ("(" * 100 + "a=1" + ")" * 100, "at most 10 parentheses"),
        ("(" * 100_000, "at most 10 parentheses"),
        ("not " * 100_000, "expected a field, found the end"),
        (" and ".join(["a = 1"] * 401), "at most 400 conditions"),
        (" or ".join(["has a"] * 401), "at most 400 conditions"),
    ],
)
def test_what_cannot_be_understood_is_named(where: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        compile_where(where)


@pytest.mark.parametrize("inmost", ["tag != museum", "width != 640", "folder != trips", "not has tag"])
@pytest.mark.parametrize("level", ["({})", "tag = 3 or tag = 4 and not ({})", "not (tag = 3 and tag = 4 or not ({}))"])
def test_the_deepest_that_is_allowed_is_not_too_deep_for_sqlite(
    database: sqlite3.Connection, level: str, inmost: str
) -> None:
    where = inmost
    for _ in range(10 // level.count("(")):
        where = level.format(where)
    select(database, f"tag = 3 or tag = 4 and {where}")


def test_long_chains_are_not_too_deep_for_sqlite(database: sqlite3.Connection) -> None:
    assert select(database, " or ".join(["tag = museum"] * 400)) == {0}
    assert select(database, " and ".join(["tag != nothing"] * 400)) == {0, 1, 2, 3, 4}
    assert select(database, " and ".join(["not (tag = nothing)"] * 200)) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("value", ["x'; DROP TABLE images; --", "' OR 1=1 --", "%", "_", "*"])
def test_values_are_values(database: sqlite3.Connection, value: str) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    assert select(database, f"tag = {quoted}") == set()
    assert select(database, f"tag ~ {quoted}") == set()
    assert select(database, "has name") == {0, 1, 2, 3, 4}


KEYS = ["tag", "year", "name"]
VALUES = ["a", "A", "b", "7", "07", "10", "9.5", "ß", "SS", "2019-01-02", "-3"]
FIELDS = st.dictionaries(
    st.sampled_from(KEYS[:2]), st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True)
)
LEAF = st.tuples(
    st.sampled_from(KEYS), st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), st.sampled_from(VALUES)
)
TREE: Any = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["and", "or"]), inner, inner)),
    max_leaves=8,
)


def written(tree: Any) -> str:
    if tree[0] == "not":
        return f"not {within(tree[1], 'and', 'or')}"
    if tree[0] == "and":
        return f"{within(tree[1], 'or')} and {within(tree[2], 'or')}"
    if tree[0] == "or":
        return f"{written(tree[1])} or {written(tree[2])}"
    return f"{tree[0]} {tree[1]} '{tree[2]}'"


def within(tree: Any, *weaker: str) -> str:
    """In parentheses where it needs them."""
    return f"({written(tree)})" if tree[0] in weaker else written(tree)


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def leaf_holds(values: list[str], operator: str, value: str) -> bool:
    def one(found: str) -> bool:
        if operator == "~":
            return value.casefold() in found.casefold()
        if operator == "=":
            equal_numbers = number(value) is not None and number(value) == number(found)
            return found.casefold() == value.casefold() or equal_numbers
        ordered: dict[str, Callable[[Any, Any], bool]] = {
            "<": lambda x, y: x < y,
            "<=": lambda x, y: x <= y,
            ">": lambda x, y: x > y,
            ">=": lambda x, y: x >= y,
        }
        if number(value) is not None:
            return number(found) is not None and ordered[operator](number(found), number(value))
        return ordered[operator](found, value)

    if operator == "!=":
        return not leaf_holds(values, "=", value)
    return any(one(found) for found in values)


def holds(fields: Metadata, tree: Any) -> bool:
    if tree[0] == "not":
        return not holds(fields, tree[1])
    if tree[0] == "and":
        return holds(fields, tree[1]) and holds(fields, tree[2])
    if tree[0] == "or":
        return holds(fields, tree[1]) or holds(fields, tree[2])
    return leaf_holds(fields.get(tree[0], []), tree[1], tree[2])


@settings(max_examples=200)
@given(images=st.lists(FIELDS, max_size=4), tree=TREE)
def test_conditions_select_what_a_plain_evaluator_selects(images: list[Metadata], tree: Any) -> None:
    names = ["a", "7", "ß", "-3"]
    database = database_of([(names[n].encode(), fields) for n, fields in enumerate(images)])
    try:
        plain = {n for n, fields in enumerate(images) if holds({**fields, "name": [names[n]]}, tree)}
        assert select(database, written(tree)) == plain
    finally:
        database.close()


PIECES = st.sampled_from(
    ["and", "or", "not", "has", "(", ")", "=", "!=", "~", "<", "'", '"', "tag", "7", " ", "é", "\0", "\udce9", "width"]
)
ANY_TEXT = st.text(st.characters(), max_size=40)
"""Lone surrogates too: bytes of an argument that are no UTF-8."""


@given(text=st.one_of(ANY_TEXT, st.lists(PIECES, max_size=15).map(" ".join)))
def test_any_text_is_a_condition_or_refused(database: sqlite3.Connection, text: str) -> None:
    with contextlib.suppress(OptionError):
        select(database, text)


@given(text=st.one_of(ANY_TEXT, st.lists(PIECES, max_size=15).map("".join), st.text('"*^:-()ab ', max_size=20)))
def test_any_text_is_words_or_refused(database: sqlite3.Connection, text: str) -> None:
    with contextlib.suppress(OptionError):
        match(database, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("museum", {0}),
        ("MUSEUM stone", {0}),
        ("museum cafe", set()),
        ("cafe", {1}),
        ("Café", {1}),
        ("ro*", {0}),
        ("ro", set()),
        ("教堂", {3}),
        ("堂教", set()),
        ('"große kirche"', {3}),
        ('"kirche große"', set()),
        ("rome.jpg", set()),
        ("2019", {0}),
        ("NEAR", set()),
        ("plain OR rome", set()),
        ("Cafe\u0301", {1}),
        ("re\u0301sume\u0301", {5}),
        ("résumé", {5}),
        ("한국", {5}),
        ("한*", {5}),
        ("notre-dame", {5}),
        ("notre_dame", {5}),
        ("dame-notre", set()),
        ('"notre dame"', {5}),
        ("not*", {5}),
        ("大教*", {3}),
        ("text:rome {rome} ^rome", set()),
        ("rome " * 5000, {0}),
    ],
)
def test_words_find_names_and_values(text: str, expected: set[int]) -> None:
    own = unicodedata.normalize("NFD", "한국/résumé_notre-dame.jpg").encode()
    both = database_of([*IMAGES, (own, {})])
    try:
        assert match(both, text) == expected
    finally:
        both.close()


@pytest.mark.parametrize("text", ["", "  ", '""', "***", "- . ,"])
def test_no_words_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="expected a word to look for"):
        compile_text(text)
