"""An index of every format is opened for ever and answers as it did; tests/golden/make.py made the later ones."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from bof.store import catalog
from bof.store.check import check
from bof.store.columns import is_column
from bof.store.index import Index
from bof.store.segments import ARRAYS
from bof.types import Features, Geometry
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.golden import answered, search
from tests.support.scenes import ROOT, draw_scene, write_picture

FORMATS = sorted((ROOT / "tests" / "golden").glob("format-*"))


@pytest.fixture(params=FORMATS, ids=[folder.name for folder in FORMATS])
def golden(request: pytest.FixtureRequest) -> Path:
    """A golden index, its vocabulary, a query and the answers; read it only."""
    folder: Path = request.param
    return folder


@pytest.fixture
def engine(golden: Path, tmp_path: Path) -> Engine:
    """A copy, free to change."""
    shutil.copytree(golden / "index", tmp_path / "index")
    return Engine.open(tmp_path / "index", golden / "vocabulary")


def query(golden: Path) -> Features:
    stored = np.load(golden / "query.npz")
    geometry = Geometry(stored["xy"], stored["scale"], stored["angle"], 320, 240)
    return Features(geometry, stored["descriptors"])


def assert_answers_as_ever(engine: Engine, golden: Path) -> None:
    collection = Index.open(engine.folder).snapshot()
    expected = json.loads((golden / "expected.json").read_text(encoding="utf-8"))
    answer = search(collection, engine.vocabulary, query(golden))
    names = [os.fsencode(engine.images[image].name).decode("latin-1") for image in answer.images]
    assert names == expected["names"]
    np.testing.assert_allclose(answer.scores, expected["scores"], rtol=1e-9)
    inliers = {names[i]: answer.verifications[image].n_inliers for i, image in enumerate(answer.images.tolist())}
    assert inliers == expected["inliers"]
    with np.load(golden / "query.npz") as stored:
        rows = {name: stored[name] for name in stored.files if is_column(name)}
    for ranker, scores in expected.get("whole", {}).items():
        found = answered(collection, engine.vocabulary, query(golden), rows, ranker)
        assert list(found) == list(scores), ranker
        np.testing.assert_allclose(list(found.values()), list(scores.values()), rtol=1e-5)


def test_it_answers_as_it_did_and_reading_changes_no_byte(golden: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in golden.rglob("*") if path.is_file()}

    before = content()
    assert_answers_as_ever(Engine.open(golden / "index", golden / "vocabulary"), golden)
    assert not check(golden / "index", 64).damages
    assert catalog.read_metadata(golden / "index") == {}
    assert content() == before


def test_it_can_be_merged(engine: Engine, golden: Path) -> None:
    engine.merge()
    engine.refresh()
    assert len(Index.open(engine.folder).snapshot().segments) == 1
    (segment,) = (engine.folder / "segments").iterdir()
    assert {path.stem for path in segment.iterdir() if not is_column(path.stem)} == set(ARRAYS)
    assert not check(engine.folder, 64).damages
    assert_answers_as_ever(engine, golden)


def test_it_can_be_described_and_searched_by_words(engine: Engine, golden: Path) -> None:
    names = {name for name, number in ((row.name, row.id) for row in engine.images)}
    assert engine.annotate(["d.png"], {"tag": ["golden"]}) == 1
    found = catalog.select_ids(engine.folder, "tag = golden", "golden d")
    assert [row.name for row in engine.images if row.id in found] == ["d.png"]
    assert len(catalog.select_ids(engine.folder, "name ~ .png", "")) == 4
    assert "e.png" in names
    engine.refresh()
    assert_answers_as_ever(engine, golden)


def test_pictures_come_and_go(engine: Engine, golden: Path, tmp_path: Path) -> None:
    engine.searcher().collection  # noqa: B018 (open it as it was)
    engine.add([write_picture(tmp_path / "new.png", draw_scene(9))], IndexOptions(workers=1))
    assert len(engine) == 5
    engine.remove(["new.png"])
    assert_answers_as_ever(engine, golden)


def test_the_words_of_every_image_are_those_of_its_postings(engine: Engine) -> None:
    """Segments of format 1 have no such column: it is derived."""
    for segment in Index.open(engine.folder).snapshot().segments:
        part = segment.postings
        word = np.repeat(np.arange(64), np.diff(part.indptr))
        assert segment.word[segment.feature_indptr[part.image] + part.feature].tolist() == word.tolist()
        for position in range(segment.n_images):
            assert len(segment.words(position)[0]) == np.diff(segment.feature_indptr)[position]


@pytest.mark.parametrize("name", ["indptr", "image", "count", "vote_image"])
def test_a_segment_of_format_1_needs_all_its_files(name: str, tmp_path: Path) -> None:
    shutil.copytree(FORMATS[0] / "index", tmp_path / "index")
    segment = min((tmp_path / "index" / "segments").iterdir())
    (segment / f"{name}.npy").unlink()
    (damage,) = check(tmp_path / "index", 64).damages
    assert any(f"{name}.npy" in reason for reason in damage.reasons)


def test_a_vocabulary_keeps_its_fingerprint_and_finds_the_same_words(golden: Path, tmp_path: Path) -> None:
    """The fingerprint of format 1 covers an array that nothing reads any more."""
    vocabulary = Vocabulary.load(golden / "vocabulary")
    header = json.loads((golden / "vocabulary" / "vocabulary.json").read_text(encoding="utf-8"))
    assert vocabulary.fingerprint == header["fingerprint"]
    again = vocabulary.assign(vocabulary.centroids)[:, 0]
    assert again.tolist() == list(range(64))
