"""Content that the index knows under another path is not decoded again, and answers as if it had been."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import read_image
from bof.ingest import add, reuse
from bof.ingest.extract import extract_files
from bof.options import IndexOptions, SearchOptions
from bof.store import catalog
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that are decoded."""
    names: list[str] = []

    def extract(files: Any, *others: Any) -> Iterator[Any]:
        names.extend(name for _, name in files)
        return extract_files(files, *others)

    monkeypatch.setattr(add, "extract_files", extract)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        write_picture(tmp_path / "p" / f"{number}.png", draw_scene(number))
    return tmp_path / "p"


@pytest.fixture
def engine(tmp_path: Path, folder: Path, vocabulary_folder: Path) -> Engine:
    made = Engine.create(tmp_path / "ix", vocabulary_folder)
    made.add_columns(["hash"])
    made.add([folder], ALONE)
    return made


def answers(engine: Engine, query: Path) -> list[tuple[str, float]]:
    picture = read_image(query, max_side=1024)
    hits = [*engine.search(picture), *engine.search(picture, SearchOptions(ranker="phash"))]
    return [(hit.name, hit.score) for hit in hits]


def test_a_copy_is_not_decoded_and_answers_as_if_it_had_been(
    engine: Engine, folder: Path, tmp_path: Path, vocabulary_folder: Path, extracted: list[str]
) -> None:
    shutil.copy(folder / "1.png", folder / "copy.png")
    write_picture(folder / "new.png", draw_scene(9))
    shutil.copy(folder / "new.png", folder / "new copy.png")
    report = engine.add([folder], ALONE)
    assert sorted(extracted) == ["new copy.png"]  # the first of the two by its path
    assert (report.n_added, report.n_reused, report.n_unchanged, len(engine)) == (3, 2, 3, 6)
    fresh = Engine.create(tmp_path / "fresh", vocabulary_folder)
    fresh.add_columns(["hash"])
    for path in sorted(folder.iterdir()):
        fresh.add([path], ALONE)
    for query in sorted(folder.iterdir()):
        assert answers(engine, query) == answers(fresh, query)
    assert engine.check().is_sound
    engine.merge()
    engine.refresh()
    assert answers(engine, folder / "1.png") == answers(fresh, folder / "1.png")


def test_a_changed_file_takes_over_what_it_became_a_copy_of(engine: Engine, folder: Path, extracted: list[str]) -> None:
    extracted.clear()
    shutil.copy(folder / "1.png", folder / "2.png")
    report = engine.add([folder], ALONE)
    assert (extracted, report.n_added, report.n_changed, report.n_reused) == ([], 0, 1, 1)
    found = {record.name: record.sha256 for record in engine.records()}
    assert found["1.png"] == found["2.png"]
    assert engine.add([folder], ALONE).n_unchanged == 3


def test_copies_of_what_cannot_be_read_are_all_named(engine: Engine, folder: Path) -> None:
    for name in ("broken.jpg", "broken copy.jpg"):
        (folder / name).write_bytes(b"no picture")
    report = engine.add([folder], ALONE)
    assert [Path(one.path).name for one in report.skipped] == ["broken copy.jpg", "broken.jpg"]


def test_a_damaged_segment_is_not_copied_from(
    engine: Engine, folder: Path, extracted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    extracted.clear()
    path = next((engine.folder / "segments").glob("*/signature.npy"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    shutil.copy(folder / "1.png", folder / "copy.png")
    report = engine.add([folder], ALONE)
    assert (extracted, report.n_added, report.n_reused) == (["copy.png"], 1, 0)
    assert "read again" in caplog.text


def test_a_segment_that_is_too_large_to_be_hashed_for_one_file_is_not(
    engine: Engine, folder: Path, extracted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted.clear()
    monkeypatch.setattr(reuse, "_BYTES_A_FILE", 1000)
    shutil.copy(folder / "1.png", folder / "copy.png")
    assert engine.add([folder], ALONE).n_reused == 0
    assert extracted == ["copy.png"]


def test_what_leaves_meanwhile_is_read_again(
    engine: Engine, folder: Path, extracted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many copies in small steps, with merges between them; and pictures without any feature."""
    extracted.clear()
    monkeypatch.setattr(reuse, "_AT_ONCE", 2)
    blank = write_picture(folder / "blank.png", np.full((40, 40, 3), 200, np.uint8))
    for number in range(9):
        shutil.copy([folder / "1.png", blank][number % 2], folder / f"copy {number}.png")
    report = engine.add([folder], IndexOptions(workers=1, commit_images=1))
    assert (extracted, report.n_added, report.n_reused) == (["blank.png"], 10, 9)
    assert engine.check().is_sound
    with_features = {record.name: record.n_features for record in catalog.read_records(engine.folder)}
    assert with_features["copy 1.png"] == 0 < with_features["copy 0.png"] == with_features["1.png"]
