"""An index carries its vocabulary: the copy travels, outlives upgrades, is checked and repaired."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError, VocabularyError
from bof.index import main
from bof.options import FeatureOptions, IndexOptions
from bof.store import catalog, vocabulary_copy
from bof.store.catalog import changes
from bof.store.check import check
from bof.store.index import Index
from bof.vocabulary import vocabulary as vocabulary_module
from bof.vocabulary.vocabulary import Vocabulary, load_vocabulary
from tests.support.scenes import ROOT, draw_scene, write_picture

ALONE = IndexOptions(workers=1)
OLD = ROOT / "tests" / "golden" / "format-3"
NAMES = ["centroids.npy", "image_keys.npy", "projection.npy", "thresholds.npy", "vocabulary.json"]


@pytest.fixture(autouse=True)
def unloaded() -> None:
    """Every test reads vocabularies from their files."""
    vocabulary_module._LOADED.clear()


@pytest.fixture
def source(vocabulary_folder: Path, tmp_path: Path) -> Path:
    """A vocabulary that may be moved and spoilt."""
    shutil.copytree(vocabulary_folder, tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    """An index of two pictures."""
    photos = [write_picture(tmp_path / "photos" / f"{n}.png", draw_scene(n)) for n in range(2)]
    with Engine.create(tmp_path / "index", source) as engine:
        engine.add(photos, ALONE)
    vocabulary_module._LOADED.clear()
    return tmp_path / "index"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def link(path: Path) -> None:
    elsewhere = path.parents[2] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def test_the_copy_is_the_vocabulary_byte_for_byte(folder: Path, source: Path) -> None:
    assert files(folder / "vocabulary") == files(source)
    assert sorted(files(source)) == NAMES
    facts = vocabulary_copy.files_of(catalog.read_meta(folder))
    assert sorted(facts) == NAMES
    assert Engine.open(folder).n_bytes() > sum(fact.n_bytes for fact in facts.values()) > 50_000


def test_an_index_travels_and_needs_nothing_else(folder: Path, source: Path, tmp_path: Path) -> None:
    shutil.rmtree(source)
    folder.rename(tmp_path / "elsewhere")
    with Engine.open(tmp_path / "elsewhere") as engine:
        assert engine.vocabulary_folder == tmp_path / "elsewhere" / "vocabulary"
        assert engine.search(draw_scene(1)[:, :, ::-1])[0].name == "1.png"
        assert engine.add(write_picture(tmp_path / "new.png", draw_scene(5)), ALONE).n_added == 1
        assert engine.check().is_sound


def test_another_vocabulary_where_it_came_from_changes_nothing(folder: Path, source: Path) -> None:
    spoil(source / "centroids.npy")
    assert len(Engine.open(folder)) == 2
    vocabulary_module._LOADED.clear()
    with pytest.raises(VocabularyError):
        Engine.open(folder, source)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", [spoil, os.unlink, link])
def test_a_damaged_copy_is_named_and_repaired(
    folder: Path, source: Path, name: str, damage: Callable[[Path], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder / "vocabulary" / name)
    report = check(folder, 200)
    assert name in report.wrong_vocabulary
    assert not report.is_sound
    assert (report.damages, report.n_saved) == ([], 2)
    with pytest.raises(IndexStoreError, match=r"its vocabulary cannot be used: .*--repair"):
        Engine.open(folder)
    assert main(["--index", str(folder), "--check"]) == 1
    assert "--repair copies it again" in capsys.readouterr().out
    assert main(["--index", str(folder), "--repair"]) == 0
    assert files(folder / "vocabulary") == files(source)
    assert check(folder, 200).is_sound
    assert len(Engine.open(folder)) == 2


def test_a_copy_that_is_a_link_is_not_followed(folder: Path, source: Path) -> None:
    shutil.rmtree(folder / "vocabulary")
    (folder / "vocabulary").symlink_to(source)
    with pytest.raises(IndexStoreError, match="link"):
        Engine.open(folder)
    assert "link" in check(folder, 200).wrong_vocabulary


def test_what_cannot_be_repaired_is_said_and_the_named_place_helps(
    folder: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source.rename(tmp_path / "moved")
    shutil.rmtree(folder / "vocabulary")
    assert main(["--index", str(folder), "--repair"]) == 1
    assert "another or none in" in capsys.readouterr().err
    assert main(["--index", str(folder), "--repair", "--vocabulary", str(tmp_path / "moved")]) == 0
    assert len(Engine.open(folder)) == 2


def test_the_vocabulary_of_another_index_is_not_taken(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "vocabulary")
    shutil.copytree(OLD / "vocabulary", folder / "vocabulary")
    with pytest.raises(IndexStoreError, match="built with vocabulary"):
        Engine.open(folder)


def test_an_older_index_gets_a_copy_when_it_next_grows(tmp_path: Path) -> None:
    shutil.copytree(OLD / "index", tmp_path / "index")
    shutil.copytree(OLD / "vocabulary", tmp_path / "vocabulary")
    engine = Engine.open(tmp_path / "index", tmp_path / "vocabulary")
    before = sorted(engine)
    assert check(engine.folder, 64).is_sound
    engine.add(write_picture(tmp_path / "new.png", draw_scene(9)), ALONE)
    shutil.rmtree(tmp_path / "vocabulary")
    again = Engine.open(tmp_path / "index")
    assert sorted(again) == sorted([*before, "new.png"])
    assert again.vocabulary.fingerprint == engine.vocabulary.fingerprint
    assert again.check().is_sound


def test_a_vocabulary_of_format_1_is_copied_with_its_fingerprint(tmp_path: Path) -> None:
    source = ROOT / "tests" / "golden" / "format-1" / "vocabulary"
    engine = Engine.create(tmp_path / "index", source)
    assert files(tmp_path / "index" / "vocabulary") == files(source)
    assert Engine.open(tmp_path / "index").vocabulary.fingerprint == load_vocabulary(source).fingerprint
    assert engine.check().is_sound


def test_copies_of_one_vocabulary_are_loaded_once(folder: Path, source: Path, tmp_path: Path) -> None:
    other = Engine.create(tmp_path / "other", source)
    assert Engine.open(folder).vocabulary is other.vocabulary


# -- Crashes ----------------------------------------------------------------------------------------------------------


class PowerCutError(Exception):
    """The machine is off."""


@contextmanager
def cut_after(k: int) -> Iterator[list[str]]:
    """What changes names and what forces onto the disk is done k times, and then nothing more."""
    done: list[str] = []

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if len(done) >= k:
                raise PowerCutError
            done.append(name)
            return original(*arguments, **named)

        return step

    names = ("rename", "replace", "mkdir", "fsync", "unlink", "rmdir")
    with mock.patch.multiple(os, **{name: counted(name, getattr(os, name)) for name in names}):
        yield done


def steps_of(change: Callable[[Path], object], prepare: Callable[[Path], object], tmp_path: Path) -> int:
    prepare(tmp_path / "all")
    with cut_after(1 << 20) as done:
        change(tmp_path / "all")
    return len(done)


def test_a_crash_at_any_step_of_making_an_index_leaves_none_or_a_whole_one(source: Path, tmp_path: Path) -> None:
    vocabulary = Vocabulary.load(source)

    def create(folder: Path) -> object:
        return Index.create(folder, vocabulary, source, FeatureOptions())

    n_steps = steps_of(create, lambda folder: None, tmp_path)
    assert n_steps > 8
    for k in range(n_steps):
        folder = tmp_path / str(k)
        with cut_after(k), pytest.raises(PowerCutError):
            create(folder)
        if catalog.exists(folder):
            assert check(folder, vocabulary.n_words).is_sound
        else:
            create(folder)
        engine = Engine.open(folder)
        assert engine.add(write_picture(tmp_path / "one.png", draw_scene(1)), ALONE).n_added == 1
        assert engine.check().is_sound
        assert not engine.check().strays


def test_a_crash_while_an_older_index_gets_its_copy_loses_nothing(tmp_path: Path) -> None:
    def prepare(folder: Path) -> object:
        return shutil.copytree(OLD / "index", folder)

    def carry(folder: Path) -> None:
        with Index.open(folder).writer() as writer:
            writer.carry_vocabulary([OLD / "vocabulary"])

    for k in range(steps_of(carry, prepare, tmp_path)):
        folder = tmp_path / str(k)
        prepare(folder)
        with cut_after(k), pytest.raises(PowerCutError):
            carry(folder)
        assert check(folder, 64).is_sound
        assert len(Engine.open(folder, OLD / "vocabulary")) == 4
        carry(folder)
        assert len(Engine.open(folder)) == 4
        assert not check(folder, 64).strays


def test_a_crash_while_a_damaged_copy_is_replaced_can_be_repeated(folder: Path, tmp_path: Path) -> None:
    def prepare(here: Path) -> None:
        shutil.copytree(folder, here)
        spoil(here / "vocabulary" / "centroids.npy")

    def repair(here: Path) -> object:
        return Index.open(here).repair()

    for k in range(steps_of(repair, prepare, tmp_path)):
        here = tmp_path / str(k)
        prepare(here)
        with cut_after(k), pytest.raises(PowerCutError):
            repair(here)
        repair(here)
        assert check(here, 200).is_sound
        assert not check(here, 200).strays
        assert len(Engine.open(here)) == 2


def test_a_full_disk_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vocabulary_copy, "write_folder", full)
    with pytest.raises(IndexStoreError, match=r"cannot copy the vocabulary.*No space left"):
        Engine.create(tmp_path / "index", source)
    assert not catalog.exists(tmp_path / "index")


@pytest.mark.parametrize(
    "fact",
    [
        "[]", '"x"', '{"a": 1}', '{"a": {"n_bytes": "1", "sha256": ""}}', '{"a": {"n_bytes": 1}}',
        '{"../x": {"n_bytes": 1, "sha256": "0"}}', '{"a\\u0000": {"n_bytes": 1, "sha256": "0"}}',
    ],
)  # fmt: skip
def test_a_hostile_fact_is_refused_or_named(folder: Path, fact: str) -> None:
    value = json.loads(fact)
    with catalog.transaction(folder) as database:
        changes.set_meta(database, vocabulary_copy.FACT, value)
    if vocabulary_copy.is_fact(value):
        assert check(folder, 200).wrong_vocabulary
    else:
        with pytest.raises(IndexStoreError, match="vocabulary_files"):
            Engine.open(folder)
