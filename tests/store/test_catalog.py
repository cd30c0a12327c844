"""The catalogue believes nobody: files, schemas and cells that we did not write are refused or found."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bof.errors import IndexStoreError, MismatchError
from bof.store import catalog
from bof.store.catalog import checksums, commits, schema
from bof.store.check import check
from bof.store.index import Index
from scripts.torture.forging import age, columns_of, damage, forge, opened, rewrite_schema, set_cell
from tests.support.living import N_WORDS, make, state, writer_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments, eight images; read it only."""
    folder = tmp_path_factory.mktemp("sound") / "index"
    make(folder)
    writer_of(folder).set_facts({"roots": ["/photos"], "columns": []})
    return folder


@pytest.fixture(scope="module")
def answers(sound: Path) -> object:
    return everything(sound)


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "index"))


def everything(folder: Path) -> object:
    """All that an index answers."""
    index = Index.open(folder)
    selections = [index.select("tag = kept", "b"), index.select("width > 10", order="newest", limit=3)]
    with catalog.reading(folder) as database:
        sizes = commits.read_sizes(database)
    snapshot = index.snapshot()
    columns = [row for row in snapshot.rows if not row.deleted]
    return (
        state(folder), index.records(), selections, sizes, columns, index.segments(), index.count_annotated(),
        catalog.read_meta(folder),
    )  # fmt: skip


def error_of(read: Callable[[], object]) -> IndexStoreError:
    with pytest.raises(IndexStoreError) as caught:
        read()
    return caught.value


def open_all(folder: Path) -> object:
    return Index.open(folder).snapshot()


def assert_damage_is_told(error: IndexStoreError, folder: Path) -> None:
    """An error says where, what was expected, what was found, and what to do."""
    assert error.path == str(folder / catalog.FILE_NAME)
    assert error.expected
    assert error.found
    assert "the catalogue is damaged" in error.advice


# -- One owner --------------------------------------------------------------------------------------------------------


SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE FROM|CREATE (TABLE|INDEX|VIRTUAL)|PRAGMA|FROM images)\b|\.execute")
OWN_DATABASES = {
    "iiif/answers.py",
    "grouping/pairs.py",
    "grouping/memory.py",
    "store/judgments.py",
    "store/side_database.py",
    "system/database.py",
    "standing_queries/storage.py",
}


def test_no_sql_of_the_catalogue_stands_outside_its_package() -> None:
    modules = {path.relative_to(ROOT / "bof").as_posix(): path for path in (ROOT / "bof").rglob("*.py")}
    others = {n: path for n, path in modules.items() if not n.startswith("store/catalog/") and n not in OWN_DATABASES}
    found = {n: match[0] for n, path in others.items() if (match := SQL.search(path.read_text(encoding="utf-8")))}
    assert not found
    assert len(others) > 80


# -- Files ------------------------------------------------------------------------------------------------------------


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    place = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(place)


def a_link(path: Path) -> None:
    target = path.with_name("elsewhere")
    if path.name == catalog.FILE_NAME:
        shutil.copy(path.with_name("aside"), target)
    path.symlink_to(target)


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
@pytest.mark.parametrize("make_odd", [a_pipe, Path.mkdir, a_socket, a_link], ids=["pipe", "folder", "socket", "link"])
@pytest.mark.parametrize("suffix", ["", "-journal", "-wal", "-shm"])
def test_what_is_no_regular_file_is_an_error_and_no_wait(
    folder: Path, suffix: str, make_odd: Callable[[Path], None]
) -> None:
    if not suffix:
        (folder / catalog.FILE_NAME).rename(folder / "aside")
    make_odd(folder / f"{catalog.FILE_NAME}{suffix}")
    errors: list[IndexStoreError] = []

    def read() -> None:
        for act in (open_all, lambda folder: writer_of(folder).remove(["a.jpg"])):
            try:
                act(folder)
            except IndexStoreError as error:
                errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(20)
    assert len(errors) == 2
    for error in errors:
        assert_damage_is_told(error, folder)
        assert "as a regular file" in error.expected


def test_a_journal_that_names_another_file_has_it_neither_read_nor_deleted(folder: Path, tmp_path: Path) -> None:
    """SQLite by itself takes the name for that of a commit of several databases, and deletes the file."""
    victim = tmp_path / "victim.txt"
    victim.write_text("mine", encoding="utf-8")
    path = folder / catalog.FILE_NAME
    with opened(folder) as database:
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        rows = [(f"key {i}", "x" * 500) for i in range(2000)]
        database.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        content, journal = path.read_bytes(), path.with_name(f"{path.name}-journal").read_bytes()
        database.execute("ROLLBACK")
    page, name = (1 << 30) // 4096 + 1, os.fsencode(victim)
    path.write_bytes(content)
    numbers = [number.to_bytes(4, "big") for number in (page, len(name), sum(name))]
    end = numbers[0] + name + numbers[1] + numbers[2] + bytes.fromhex("d9d505f920a163d7")
    path.with_name(f"{path.name}-journal").write_bytes(journal + end)
    error = error_of(lambda: open_all(folder))
    assert_damage_is_told(error, folder)
    assert victim.read_text(encoding="utf-8") == "mine"


# -- Schema -----------------------------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
HOSTILE_SCHEMAS = {
    "a trigger": ["CREATE TRIGGER t AFTER UPDATE ON images BEGIN DELETE FROM meta; END"],
    "a view": ["CREATE VIEW v AS SELECT 1"],
    "an endless view in place of a table": [
        "ALTER TABLE images RENAME TO those",
        f"CREATE VIEW images AS {ENDLESS} i id, x'61' name, x'61' path, i n_bytes, i mtime_ns, 'a' sha256, 9 width, "
        "9 height, 0 n_features, 1 segment, i position, 0 deleted FROM n",
    ],
    "another table": ["CREATE TABLE more (x)"],
    "another index": ["CREATE INDEX more ON images (width)"],
    "no index": ["DROP INDEX live_path"],
    "no table": ["DROP TABLE files"],
    "another column": ["ALTER TABLE segments ADD COLUMN more"],
    "a computed column": ["ALTER TABLE images ADD COLUMN more AS (hex(zeroblob(1000000000)))"],
    "a default": ["ALTER TABLE segments ADD COLUMN more TEXT DEFAULT 'x'"],
    "another tokenizer": ["DROP TABLE texts", "CREATE VIRTUAL TABLE texts USING fts5(text)"],
    "words of another table": ["DROP TABLE texts", "CREATE VIRTUAL TABLE texts USING fts5(text, content = 'meta')"],
    "a write-ahead log": ["PRAGMA journal_mode = WAL"],
}


@pytest.mark.parametrize("kind", HOSTILE_SCHEMAS)
def test_a_schema_that_is_not_ours_is_refused(kind: str, folder: Path) -> None:
    damage(folder, *HOSTILE_SCHEMAS[kind])
    before = {path: path.read_bytes() for path in folder.rglob("*.npy")}
    acts: list[Callable[[], object]] = [
        lambda: open_all(folder), lambda: check(folder, N_WORDS), lambda: writer_of(folder).remove(["a.jpg"]),
        lambda: writer_of(folder).merge(), lambda: catalog.read_generation(folder),
    ]  # fmt: skip
    for act in acts:
        assert_damage_is_told(error_of(act), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.npy")} == before


@pytest.mark.parametrize(
    ("ours", "other"),
    [("BLOB NOT NULL", "TEXT NOT NULL"), ("INTEGER NOT NULL", "NOT NULL"), (" WITHOUT ROWID", ""), ("UNIQUE", "CHECK")],
)
def test_columns_of_other_types_and_tables_without_constraints_are_refused(ours: str, other: str, folder: Path) -> None:
    rewrite_schema(folder, lambda _, sql: sql.replace(ours, other, 1))
    error = error_of(lambda: open_all(folder))
    assert error.path == str(folder / catalog.FILE_NAME)
    assert "the catalogue is damaged" in error.advice


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    """Bytes of names would be read as other characters."""
    with sqlite3.connect(tmp_path / catalog.FILE_NAME) as database:
        database.execute("PRAGMA encoding = 'UTF-16le'")
        schema.create_tables(database)
    database.close()
    assert "UTF-8" in error_of(lambda: catalog.read_generation(tmp_path)).expected


def test_a_later_format_with_other_tables_is_another_format_and_no_damage(folder: Path) -> None:
    damage(folder, "CREATE TABLE later (x)", "UPDATE meta SET value = '5' WHERE key = 'format'")
    with pytest.raises(MismatchError, match="expected index format 1 to 4, found 5; use the bof that wrote it"):
        Index.open(folder)


def test_functions_in_a_schema_are_not_trusted_and_readers_write_nothing(folder: Path) -> None:
    with catalog.connect(folder, write=False) as database:
        settings = [
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("trusted_schema", "cell_size_check", "query_only")
        ]
    assert settings == [0, 1, 1]


# -- Cells ------------------------------------------------------------------------------------------------------------

NAMES = ["../../victim", "../..", "..", "", ".", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", f"{'a' * 32}/x"]
FILES = [
    "../xy.npy",
    "xy.npy/../../victim",
    "xy",
    "other.npy",
    "a.b.c.npy",
    "A.b.npy",
    ".npy",
    "hash..npy",
    "x y.z.npy",
]


@pytest.fixture
def old(folder: Path) -> Path:
    """A catalogue without checksums: each cell must be judged by itself."""
    return age(folder)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("act", ["remove", "merge", "repair", "sweep"])
def test_no_segment_lies_elsewhere(name: str, act: str, old: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("mine", encoding="utf-8")
    with opened(old) as database:
        database.execute("INSERT INTO segments VALUES (9, ?, 0, 0)", (name,))
    writer = writer_of(old)
    acts: dict[str, Callable[[], object]] = {
        "remove": lambda: writer.remove(["a.jpg", "b.jpg", "c.jpg", "d.jpg"]),
        "merge": writer.merge, "repair": writer.repair, "sweep": writer.sweep,
    }  # fmt: skip
    for error in (error_of(lambda: open_all(old)), error_of(acts[act])):
        assert_damage_is_told(error, old)
        assert "segments.name" in error.expected
    assert (tmp_path / "victim" / "file").read_text(encoding="utf-8") == "mine"
    assert len(list((old / "segments").iterdir())) == 2


@pytest.mark.parametrize("name", FILES)
def test_a_segment_has_no_files_but_those_of_a_closed_list(name: str, old: Path) -> None:
    with opened(old) as database:
        database.execute("INSERT INTO files VALUES (1, ?, 1, ?)", (name, "0" * 64))
    error = error_of(lambda: open_all(old))
    assert_damage_is_told(error, old)
    assert "files.name" in error.expected


def test_names_of_segments_and_files_that_a_writer_makes_are_allowed(folder: Path) -> None:
    writer_of(folder).backfill(
        1, {0: {"hash.ahash": np.array([7], np.uint64), "embedding.embedding": np.zeros(3, np.float16)}}
    )
    assert len(Index.open(folder).segments()[0].files) == 12
    assert check(folder, N_WORDS).is_sound


def looked_up(folder: Path) -> None:
    """What is read of the catalogue at all."""
    everything(folder)
    index = Index.open(folder)
    index.select(ids=range(1, 20), paths=[])
    index.column_spec  # noqa: B018
    index.metadata()
    for each in index.segments():
        assert index.open_segment(each).n_images == each.n_images


ODD_CELLS = ["'a'", "x'61'", "1.5", "NULL", "-1", "9223372036854775807", "4294967296"]
ODD_TEXTS = ["x'61'", "1", "CAST(x'ff' AS TEXT)"]
DEEP = "replace(hex(zeroblob(9999)), 0, '[')"
ODD = [
    *(("images", column, cell) for column in ("width", "height", "position", "segment") for cell in ODD_CELLS),
    *(("images", column, "0") for column in ("width", "height", "segment", "id")),
    *(("images", "deleted", cell) for cell in ["'a'", "x'61'", "1.5", "NULL", "-1", "2"]),
    *(("images", column, cell) for column in ("n_bytes", "mtime_ns") for cell in ODD_CELLS[:4]),
    *(("images", "n_features", cell) for cell in [*ODD_CELLS, "65536"]),
    *(("images", column, cell) for column in ("name", "path") for cell in ["'a'", "1", "NULL", "x'6100'"]),
    *(("images", "sha256", cell) for cell in ["'a'", "x'61'", "NULL", "1", f"'{'A' * 64}'", f"'../{'a' * 61}'"]),
    *(("segments", column, cell) for column in ("n_images", "n_features") for cell in [*ODD_CELLS, "0", "4", "6"]),
    *(("segments", "number", cell) for cell in ["0", "-1", "9", "4294967296"]),
    *(("files", "n_bytes", cell) for cell in [*ODD_CELLS, "0"]),
    *(("files", "sha256", cell) for cell in [*ODD_TEXTS, "NULL"]),
    *(("files", "segment", cell) for cell in ODD_CELLS if cell != "NULL"),
    *(("meta", "value", cell) for cell in [*ODD_TEXTS, "NULL", "''", "'{'", "'nan'", DEEP]),
    *(("metadata", column, cell) for column in ("key", "value") for cell in ODD_TEXTS),
    *(("metadata", "path", cell) for cell in ["'a'", "1", "x'6100'"]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "cell"), ODD, ids=lambda text: str(text)[:30])
def test_a_cell_that_cannot_be_one_is_an_error_that_says_which(table: str, column: str, cell: str, old: Path) -> None:
    assert set_cell(old, table, column, 0, cell)
    error = error_of(lambda: looked_up(old))
    assert str(error).startswith(str(old))
    assert "catalogue is damaged" in str(error) or "--check" in str(error)
    assert "expected" in str(error) or re.search("decode|overflow|function raised", str(error))


# -- Places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE images SET position = 495 WHERE segment = 1 AND position = 3",
        "UPDATE images SET position = position + 1 WHERE segment = 2 AND position = 2",
        "UPDATE images SET segment = 1, position = 5 WHERE segment = 2 AND position = 0",
        "UPDATE images SET segment = 7 WHERE segment = 2",
        "DELETE FROM images WHERE segment = 2 AND position = 1",
        "DELETE FROM segments WHERE number = 2",
        "UPDATE segments SET n_images = n_images + 1 WHERE number = 1",
        "UPDATE segments SET n_images = n_images + (1 << 30)",
        "UPDATE segments SET n_features = n_features + 1 WHERE number = 1",
    ],
)
@pytest.mark.parametrize("is_old", [True, False])
def test_each_position_of_a_segment_has_one_image(statement: str, is_old: bool, folder: Path) -> None:
    forge(folder, statement)
    if is_old:
        age(folder)
    error = error_of(lambda: open_all(folder))
    assert error.expected
    assert error.found


# -- Checksums --------------------------------------------------------------------------------------------------------

OPENED = {
    "id": "id + 100", "name": "x'7a'", "path": "x'2f7a'", "width": "width + 1", "height": "height + 2",
    "deleted": "1 - deleted",
}  # fmt: skip
OTHERS = {
    "n_bytes": "n_bytes + 1", "mtime_ns": "mtime_ns + 1", "n_features": "n_features + 1", "sha256": f"'{'1' * 64}'",
}  # fmt: skip


@pytest.mark.parametrize("column", OPENED)
def test_a_changed_bit_that_a_search_reads_is_found_when_the_index_is_opened(column: str, folder: Path) -> None:
    damage(folder, f"UPDATE images SET {column} = {OPENED[column]} WHERE name = CAST('b.jpg' AS BLOB)")
    error = error_of(lambda: open_all(folder))
    assert_damage_is_told(error, folder)
    assert "segment 1" in error.expected


@pytest.mark.parametrize("column", [*OPENED, *OTHERS])
def test_any_changed_bit_of_an_image_is_found_repaired_and_never_sealed(column: str, folder: Path) -> None:
    before = catalog.read_records(folder)
    damage(folder, f"UPDATE images SET {column} = {(OPENED | OTHERS)[column]} WHERE name = CAST('b.jpg' AS BLOB)")
    (found,) = check(folder, N_WORDS).damages
    assert "catalog.sqlite" in found.reasons[0]
    assert len(found.lost) in (4, 5)
    content = (folder / catalog.FILE_NAME).read_bytes()
    writer = writer_of(folder)
    for act in (lambda: writer.remove(["a.jpg"]), writer.merge):
        assert_damage_is_told(error_of(act), folder)
    assert (folder / catalog.FILE_NAME).read_bytes() == content
    with Index.open(folder).writer() as repairing:
        repairing.repair()
    assert check(folder, N_WORDS).is_sound
    assert catalog.read_records(folder) == [record for record in before if record.name in ("f.jpg", "g.jpg", "h.jpg")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE files SET n_bytes = n_bytes + 1", f"UPDATE files SET sha256 = '{'1' * 64}'",
        "UPDATE meta SET value = '\"/v\"' WHERE key = 'vocabulary_folder'", "DELETE FROM meta WHERE key = 'roots'",
        "UPDATE segments SET n_features = n_features + 1", "UPDATE meta SET value = '2' WHERE key = 'format'",
        "UPDATE meta SET value = replace(value, '1024', '1023') WHERE key = 'features'", "DELETE FROM files",
        "DELETE FROM checksums WHERE part = 'index'", f"UPDATE checksums SET value = '{'1' * 64}' WHERE part = 'index'",
    ],
)  # fmt: skip
def test_a_changed_fact_segment_or_file_is_found_when_the_index_is_opened(statement: str, folder: Path) -> None:
    damage(folder, statement)
    for act in (lambda: Index.open(folder), lambda: open_all(folder), lambda: writer_of(folder).remove(["a.jpg"])):
        error = error_of(act)
        assert_damage_is_told(error, folder)
        assert "checksum" in error.found


@pytest.mark.parametrize("part", ["images", "records", "metadata"])
def test_a_lost_or_changed_checksum_is_found(part: str, folder: Path) -> None:
    for statement in ("DELETE FROM checksums WHERE", f"UPDATE checksums SET value = '{'1' * 64}' WHERE"):
        damage(folder, f"{statement} part = '{part}'")
        assert not check(folder, N_WORDS).is_sound
        if part == "images":
            assert_damage_is_told(error_of(lambda: open_all(folder)), folder)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE metadata SET value = 'kept2'", "UPDATE metadata SET key = 'tags'", "DELETE FROM metadata",
        "INSERT INTO metadata VALUES (x'2f61', 'tag', 'kept')", "DELETE FROM texts WHERE rowid = 2",
        "UPDATE texts SET text = 'b other' WHERE rowid = 2", "INSERT INTO texts (rowid, text) VALUES (99, 'kept')",
        "UPDATE texts_content SET c0 = 'b kept kept'", "DELETE FROM texts_data WHERE id > 10",
        "UPDATE texts_data SET block = zeroblob(length(block)) WHERE id > 10",
    ],
)  # fmt: skip
def test_changed_metadata_and_words_are_found_and_words_made_again(statement: str, folder: Path) -> None:
    damage(folder, statement)
    report = check(folder, N_WORDS)
    assert report.wrong_metadata
    assert not report.is_sound
    assert not report.damages
    with Index.open(folder).writer() as writer:
        assert writer.repair().wrong_metadata
    assert check(folder, N_WORDS).is_sound
    annotated = {path for path, fields in catalog.read_metadata(folder).items() if "kept" in str(fields)} - {"/a"}
    assert {record.path for record in catalog.select(folder, text="kept*").records} == annotated
    assert len(catalog.read_records(folder)) == 8


def test_blocks_of_a_large_segment_are_summed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "BLOCK", 3)
    make(tmp_path / "index")
    writer = writer_of(tmp_path / "index")
    writer.merge()
    writer.remove(["a.jpg"])
    assert check(tmp_path / "index", N_WORDS).is_sound
    with opened(tmp_path / "index") as database:
        keys = set(database.execute("SELECT part, segment, block FROM checksums WHERE segment > 0"))
        (number,) = database.execute("SELECT number FROM segments").fetchone()
    assert keys == {(part, number, block) for part in ("images", "records") for block in range(3)}
    damage(tmp_path / "index", "UPDATE images SET width = 7 WHERE position = 4")
    writer.remove(["b.jpg"])  # of another block
    error = error_of(lambda: open_all(tmp_path / "index"))
    assert f"at 3 to 5 of segment {number}" in error.expected


def test_a_catalogue_without_checksums_opens_and_gets_them_with_the_next_change(old: Path) -> None:
    before = everything(old)
    damage(old, "UPDATE images SET width = width + 1")
    assert everything(old) != before
    damage(old, "UPDATE images SET width = width - 1")
    assert everything(old) == before
    assert check(old, N_WORDS).is_sound
    writer_of(old).annotate(["/photos/a.jpg"], {"tag": ["new"]}, {})
    assert catalog.read_meta(old)["format"] == catalog.FORMAT
    assert check(old, N_WORDS).is_sound
    damage(old, "UPDATE images SET width = width + 1")
    assert_damage_is_told(error_of(lambda: open_all(old)), old)


# -- Any cell, any bit ------------------------------------------------------------------------------------------------


def is_found_or_changes_nothing(folder: Path, before: object) -> bool:
    try:
        now = everything(folder)
        if not check(folder, N_WORDS).is_sound:
            return True
    except IndexStoreError:
        return True
    return now == before


def copied(sound: Path, places: pytest.TempPathFactory) -> Path:
    """An index whose catalogue may be changed, and nothing else."""
    folder = places.mktemp("one") / "index"
    shutil.copytree(sound / "segments", folder / "segments", copy_function=os.link)
    shutil.copyfile(sound / catalog.FILE_NAME, folder / catalog.FILE_NAME)
    return folder


VALUES = st.one_of(
    st.none(), st.integers(-3, 700), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False),
    st.binary(max_size=9), st.text(st.characters(codec="utf-8"), max_size=9),
    st.sampled_from(["1", "kept", "tag", "b", "f" * 64, '"x"', b"/photos/a.jpg", b"a.jpg"]),
)  # fmt: skip


COLUMNS = [
    *(("meta", column) for column in ("key", "value")),
    *(("segments", column) for column in ("number", "name", "n_images", "n_features")),
    *(("files", column) for column in ("segment", "name", "n_bytes", "sha256")),
    *(("images", column) for column in ("id", "name", "path", "n_bytes", "mtime_ns", "sha256", "width", "height")),
    *(("images", column) for column in ("n_features", "segment", "position", "deleted")),
    *(("metadata", column) for column in ("path", "key", "value")),
    *(("texts_data", column) for column in ("id", "block")),
    *(("texts_idx", column) for column in ("segid", "term", "pgno")),
    *(("texts_content", column) for column in ("id", "c0")),
    *(("texts_docsize", column) for column in ("id", "sz")),
    *(("texts_config", column) for column in ("k", "v")),
    *(("checksums", column) for column in ("part", "segment", "block", "value")),
]


def test_every_column_of_every_table_is_tried(sound: Path) -> None:
    assert sorted(columns_of(sound)) == sorted(COLUMNS)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=st.integers(0, 40), value=VALUES)
def test_a_changed_cell_is_found_or_changes_no_answer(
    table: str,
    column: str,
    row: int,
    value: object,
    sound: Path,
    answers: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = copied(sound, tmp_path_factory)
    if set_cell(folder, table, column, row, "?", value):
        assert is_found_or_changes_nothing(folder, answers)
    shutil.rmtree(folder.parent)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_flipped_bit_of_the_file_is_found_or_changes_no_answer(
    data: st.DataObject, sound: Path, answers: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copied(sound, tmp_path_factory)
    path = folder / catalog.FILE_NAME
    content = bytearray(path.read_bytes())
    used = [at for at in range(len(content)) if content[at]]
    content[used[data.draw(st.integers(0, len(used) - 1))]] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert is_found_or_changes_nothing(folder, answers)
    shutil.rmtree(folder.parent)
