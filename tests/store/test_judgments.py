"""Judgments stay as they were said: in files that crash, are written at once, or were changed by anybody."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from pathlib import Path

import pytest

from bof.errors import IndexStoreError, OptionError
from bof.store.judgments import (
    FILE_NAME,
    Judgment,
    JudgmentReader,
    add_judgments,
    read_judgments,
    require_sound_judgments,
    withdraw_judgments,
)

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def said(folder: Path) -> dict[tuple[str, str], bool]:
    return {(judged.one, judged.other): judged.is_same for judged in read_judgments(folder)}


def test_a_pair_has_one_judgment_whatever_its_order(tmp_path: Path) -> None:
    assert read_judgments(tmp_path) == []
    assert withdraw_judgments(tmp_path, [(A, B)]) == 0
    assert not (tmp_path / FILE_NAME).exists(), "looking makes no file"
    add_judgments(tmp_path, [Judgment.of(B, A, is_same=True), Judgment.of(A, C, is_same=False)])
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=False)])
    assert said(tmp_path) == {(A, B): False, (A, C): False}
    assert withdraw_judgments(tmp_path, [(B, A)]) == 1
    assert said(tmp_path) == {(A, C): False}


def test_the_later_one_holds_where_they_are_read_from_elsewhere(tmp_path: Path) -> None:
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=True, seconds=100)])
    assert add_judgments(tmp_path, [Judgment.of(A, B, is_same=False, seconds=99)], only_later=True) == 0
    assert said(tmp_path) == {(A, B): True}
    assert add_judgments(tmp_path, [Judgment.of(A, B, is_same=False, seconds=101)], only_later=True) == 1
    assert said(tmp_path) == {(A, B): False}
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=True, seconds=1)])  # a person says so, whatever the clock
    assert said(tmp_path) == {(A, B): True}


@pytest.mark.parametrize("content", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_what_is_no_content_is_refused(content: str) -> None:
    with pytest.raises(OptionError, match="SHA-256"):
        Judgment.of(content, B, is_same=True)


def test_a_picture_is_not_judged_with_itself() -> None:
    with pytest.raises(OptionError, match="two pictures"):
        Judgment.of(A, A, is_same=True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE judgments SET same = 1 - same",
        "UPDATE judgments SET same = 2",
        "UPDATE judgments SET seconds = -1",
        "UPDATE judgments SET seconds = 'now'",
        "UPDATE judgments SET other = 'x'",
        "UPDATE judgments SET one = other, other = one",
        "UPDATE judgments SET seal = NULL",
        "UPDATE judgments SET one = x'00'",
        "ALTER TABLE judgments ADD COLUMN more",
        "CREATE TRIGGER t AFTER INSERT ON judgments BEGIN DELETE FROM judgments; END",
    ],
)
def test_any_change_of_a_cell_is_found(tmp_path: Path, change: str) -> None:
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=True)])
    database = sqlite3.connect(tmp_path / FILE_NAME)
    with database:
        database.execute(change)
    database.close()
    for look in (read_judgments, require_sound_judgments, lambda folder: JudgmentReader(folder).by_content()):
        with pytest.raises(IndexStoreError, match="judgments"):
            look(tmp_path)


def test_flipped_bits_are_found_or_change_nothing(tmp_path: Path) -> None:
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=True), Judgment.of(B, C, is_same=False)])
    path, before = tmp_path / FILE_NAME, said(tmp_path)
    data, rng, n_found = path.read_bytes(), random.Random(0), 0
    used = [at for at in range(len(data)) if data[at]]
    for at in rng.sample(used, 150):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        try:
            assert said(tmp_path) == before
        except IndexStoreError:
            n_found += 1
    assert n_found > 50


@pytest.mark.parametrize("stray", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, stray: str) -> None:
    path = tmp_path / FILE_NAME
    {"pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(tmp_path / "x"), "folder": path.mkdir}[stray]()
    for work in (read_judgments, lambda folder: add_judgments(folder, [Judgment.of(A, B, is_same=True)])):
        with pytest.raises(IndexStoreError):
            work(tmp_path)
    assert not (tmp_path / "x").exists()


def test_a_process_that_dies_leaves_all_or_nothing(tmp_path: Path) -> None:
    add_judgments(tmp_path, [Judgment.of(A, B, is_same=True)])
    child = os.fork()
    if child == 0:
        database = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        for number in range(3000):
            row = Judgment.of(A, f"{number:064x}", is_same=True)
            cells = (row.one, row.other, 1, row.seconds, row.seal)
            database.execute("INSERT INTO judgments VALUES (?, ?, ?, ?, ?)", cells)
        os._exit(9)
    os.waitpid(child, 0)
    assert (tmp_path / f"{FILE_NAME}-journal").stat().st_size > 0, "it died in the middle"
    assert said(tmp_path) == {(A, B): True}
    require_sound_judgments(tmp_path)


def test_a_reader_sees_each_change(tmp_path: Path) -> None:
    reader = JudgmentReader(tmp_path)
    assert reader.by_content() == {}
    for number in range(50):
        add_judgments(tmp_path, [Judgment.of(A, B, is_same=number % 2 == 0)])
        assert reader.by_content() == {A: {B: number % 2 == 0}, B: {A: number % 2 == 0}}
    os.utime(tmp_path / FILE_NAME, (1, 1))
    assert reader.by_content() is reader.by_content(), "a file that rests is read once"
    withdraw_judgments(tmp_path, [(A, B)])
    assert reader.by_content() == {}


def test_threads_that_judge_at_once_lose_nothing(tmp_path: Path) -> None:
    def judge(first: int) -> None:
        for number in range(first, 40, 4):
            add_judgments(tmp_path, [Judgment.of(A, f"{number:064x}", is_same=True)])

    threads = [threading.Thread(target=judge, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_judgments(tmp_path)) == 40
