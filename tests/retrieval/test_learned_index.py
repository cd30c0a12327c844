"""An index of learned features: one command makes its vocabulary, all that is built on words goes, nothing is mixed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bof import index as index_command
from bof import search as search_command
from bof import train_vocab
from bof.engine import Engine
from bof.errors import MismatchError, VocabularyError
from bof.features.learned import learned_options
from bof.options import FeatureOptions, IndexOptions, SearchOptions
from bof.options.published import CacheOptions
from bof.store.index import Index
from bof.store.parts.combining import combine
from bof.store.parts.layout import PartShare, Split
from bof.store.published.buckets import open_bucket
from bof.store.published.publishing import publish
from bof.types import U8
from bof.vocabulary.stored import MODEL
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.local_models import LocalModel
from tests.support.scenes import draw_scene, write_picture

N, WORDS = 8, 300
ALONE = IndexOptions(workers=1)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(N):
        write_picture(folder / f"{seed}.png", draw_scene(seed))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return LocalModel().write(tmp_path_factory.mktemp("models") / "cells.onnx")


@pytest.fixture(scope="module")
def vocabulary(scenes: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the one command that the documentation has."""
    folder = tmp_path_factory.mktemp("vocabulary") / "cells"
    found = train_vocab.main(
        [str(scenes), "-o", str(folder), "--features", str(model), "--words", str(WORDS), "--workers", "1"]
    )
    assert found == 0
    return folder


@pytest.fixture(scope="module")
def folder(scenes: Path, vocabulary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("index") / "index"
    with Engine.create(place, vocabulary) as engine:
        assert engine.add(scenes, ALONE).n_added == N
    return place


def best(engine: Engine, pixels: U8, options: SearchOptions | None = None) -> tuple[str, str]:
    hit = engine.search(pixels, options, top=1, channels="BGR")[0]
    return hit.name, hit.verdict


def test_the_vocabulary_carries_its_model(vocabulary: Path, model: Path) -> None:
    assert (vocabulary / MODEL).read_bytes() == model.read_bytes()
    found = Vocabulary.load(vocabulary)
    assert found.n_words == WORDS
    assert found.features == learned_options(model, FeatureOptions())
    assert found.new_index_features == found.features


def test_a_vocabulary_without_its_model_is_refused(vocabulary: Path, tmp_path: Path) -> None:
    shutil.copytree(vocabulary, tmp_path / "v")
    (tmp_path / "v" / MODEL).unlink()
    with pytest.raises(VocabularyError, match="expected the model of its features, found none"):
        Vocabulary.load(tmp_path / "v")


def test_another_model_in_a_vocabulary_is_not_run(vocabulary: Path, scenes: Path, tmp_path: Path) -> None:
    shutil.copytree(vocabulary, tmp_path / "v")
    LocalModel(channels=3).write(tmp_path / "v" / MODEL)
    match = "expected the model"
    with Engine.create(tmp_path / "index", tmp_path / "v") as engine, pytest.raises(MismatchError, match=match):
        engine.add(scenes, ALONE)
    assert not Index.open(tmp_path / "index").count()


def test_pictures_are_found_moved_and_mirrored(folder: Path) -> None:
    scene = draw_scene(3)
    with Engine.open(folder) as engine:
        assert best(engine, scene[8:, 16:].copy()) == ("3.png", "same")
        assert best(engine, np.ascontiguousarray(scene[:, ::-1])) == ("3.png", "same")
        hit = engine.search(
            np.ascontiguousarray(scene[:, ::-1]), SearchOptions(enlarge="never", tilt="never"), channels="BGR"
        )[0]
        assert hit.verification is not None
        assert hit.verification.mirrored
        unseen = engine.search(draw_scene(100))
        assert all(hit.verdict != "same" for hit in unseen)


def test_nothing_but_the_folder_is_needed(folder: Path, vocabulary: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "moved")
    with Engine.open(tmp_path / "moved") as engine:
        assert Path(engine.features.model_file).is_relative_to(tmp_path)
        assert best(engine, draw_scene(5)) == ("5.png", "same")


def test_a_publication_carries_the_model(folder: Path, tmp_path: Path) -> None:
    publish(Index.open(folder), open_bucket(tmp_path / "there", write=True))
    with Engine.open(tmp_path / "there", cache=CacheOptions(str(tmp_path / "cache"), 1000)) as engine:
        assert best(engine, draw_scene(2)) == ("2.png", "same")


@pytest.mark.parametrize("split", [Split(3, "hash")])
def test_parts_search_as_the_whole(folder: Path, vocabulary: Path, scenes: Path, tmp_path: Path, split: Split) -> None:
    with Engine.create(tmp_path / "parts", vocabulary, split=split) as parts, Engine.open(folder) as whole:
        parts.add(scenes, ALONE)
        for seed in (1, 4):
            query = draw_scene(seed)[8:]
            found, expected = (each.search(query.copy(), top=4) for each in (parts, whole))
            assert [(hit.name, hit.score) for hit in found] == [(hit.name, hit.score) for hit in expected]


def test_shares_with_another_model_are_not_combined(
    vocabulary: Path, scenes: Path, tmp_path: Path, model: Path
) -> None:
    other = LocalModel(channels=3).write(tmp_path / "other.onnx")
    assert (
        train_vocab.main(
            [str(scenes), "-o", str(tmp_path / "v"), "--features", str(other), "--words", str(WORDS), "--workers", "1"]
        )
        == 0
    )
    shares = []
    for number, place in enumerate((vocabulary, tmp_path / "v")):
        share = PartShare(number + 1, 2, "hash")
        with Engine.create(tmp_path / f"share-{number}", place, split=share) as engine:
            engine.add(scenes, ALONE)
        shares.append(tmp_path / f"share-{number}")
    with pytest.raises(MismatchError):
        combine(tmp_path / "whole", shares)


def test_an_index_of_sift_takes_no_model(scenes: Path, vocabulary_folder: Path, model: Path, tmp_path: Path) -> None:
    flags = ["--features", str(model), "--workers", "1"]
    made = [str(scenes), "--index", str(tmp_path / "sift"), "--vocabulary", str(vocabulary_folder)]
    assert index_command.main([*made, *flags]) == 1
    assert not (tmp_path / "sift" / "catalog.sqlite").exists()
    assert index_command.main([*made, "--workers", "1"]) == 0
    assert index_command.main([*made, *flags]) == 1


def test_the_index_of_a_model_takes_it_and_no_other(
    folder: Path, scenes: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "index")
    made = [str(scenes), "--index", str(tmp_path / "index"), "--workers", "1"]
    assert index_command.main([*made, "--features", str(model)]) == 0
    other = LocalModel(channels=3).write(tmp_path / "other.onnx")
    assert index_command.main([*made, "--features", str(other)]) == 1
    assert "expected" in capsys.readouterr().err


def commands(folder: Path, tmp_path: Path) -> Sequence[list[str]]:
    place = ["--index", str(folder)]
    return [
        [*place, "--check"], [*place, "--merge"], [*place, "--stats", "--json"],
        [*place, "--pairs", str(tmp_path / "pairs.txt")],
    ]  # fmt: skip


def test_commands_work_on_it(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder, tmp_path / "index")
    for arguments in commands(tmp_path / "index", tmp_path):
        assert index_command.main(arguments) == 0, arguments
    query = write_picture(tmp_path / "query.png", draw_scene(2))
    capsys.readouterr()
    assert search_command.main([str(query), "--index", str(tmp_path / "index"), "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert "2.png" in json.dumps(hits)


def test_a_model_that_was_changed_in_the_index_is_found_and_repaired(
    folder: Path, vocabulary: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "index")
    changed = tmp_path / "index" / "vocabulary" / MODEL
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert index_command.main(["--index", str(tmp_path / "index"), "--check"]) == 1
    assert index_command.main(["--index", str(tmp_path / "index"), "--repair", "--vocabulary", str(vocabulary)]) == 0
    with Engine.open(tmp_path / "index") as engine:
        assert best(engine, draw_scene(6)) == ("6.png", "same")
