"""An index that the first version wrote is opened for ever, and answers as it did."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import draw_scene, write_picture

from bof import metadata
from bof.checking import check
from bof.engine import Engine
from bof.options import IndexOptions
from bof.searching import SearchOptions, search
from bof.types import Features, Geometry

GOLDEN = Path(__file__).parent / "golden" / "format-1"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A copy, free to change."""
    shutil.copytree(GOLDEN / "index", tmp_path / "index")
    return Engine.open(tmp_path / "index", GOLDEN / "vocabulary")


def query() -> Features:
    stored = np.load(GOLDEN / "query.npz")
    geometry = Geometry(stored["xy"], stored["scale"], stored["angle"], 320, 240)
    return Features(geometry, stored["descriptors"])


def assert_answers_as_ever(engine: Engine) -> None:
    expected = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    answer = search(engine.snapshot, engine.vocabulary, query(), SearchOptions())
    names = [os.fsencode(engine.snapshot.rows[image].name).decode("latin-1") for image in answer.images]
    assert names == expected["names"]
    np.testing.assert_allclose(answer.scores, expected["scores"], rtol=1e-9)
    inliers = {names[i]: answer.verifications[image].n_inliers for i, image in enumerate(answer.images.tolist())}
    assert inliers == expected["inliers"]


def test_it_answers_as_it_did_and_reading_changes_no_byte() -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}

    before = content()
    assert_answers_as_ever(Engine.open(GOLDEN / "index", GOLDEN / "vocabulary"))
    assert not check(GOLDEN / "index", 64).damages
    assert metadata.read_metadata(GOLDEN / "index") == {}
    assert content() == before


def test_it_can_be_merged(engine: Engine) -> None:
    engine.merge()
    engine.refresh()
    assert len(engine.snapshot.segments) == 1
    assert_answers_as_ever(engine)


def test_it_can_be_described_and_searched_by_words(engine: Engine) -> None:
    names = {name for name, number in ((row.name, row.id) for row in engine.snapshot.rows)}
    assert engine.describe(["d.png"], {"tag": ["golden"]}) == 1
    found = metadata.select_ids(engine.index.folder, "tag = golden", "golden d")
    assert [row.name for row in engine.snapshot.rows if row.id in found] == ["d.png"]
    assert len(metadata.select_ids(engine.index.folder, "name ~ .png", "")) == 4
    assert "e.png" in names
    engine.refresh()
    assert_answers_as_ever(engine)


def test_pictures_come_and_go(engine: Engine, tmp_path: Path) -> None:
    engine.snapshot  # noqa: B018 (open it as it was)
    engine.add([write_picture(tmp_path / "new.png", draw_scene(9))], IndexOptions(workers=1))
    assert len(engine) == 5
    engine.remove(["new.png"])
    assert_answers_as_ever(engine)
