"""Which extractor made the features of an index and of a vocabulary: a fact of both, old ones mean OpenCV."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof import index, train_vocab
from bof.engine import Engine
from bof.errors import MismatchError, OptionError, VocabularyError
from bof.features.sift import opencv_sift, own_sift
from bof.images.decode import Picture, read_image
from bof.options import EXTRACTORS, NATIVE, OPENCV, PLAIN, PRESETS, FeatureOptions
from bof.store.index import Index
from bof.types import U8
from bof.vocabulary.vocabulary import Vocabulary, load_vocabulary
from tests.support.scenes import draw_scene, write_picture

SIFT = {OPENCV: opencv_sift, NATIVE: own_sift}


def grey(seed: int) -> U8:
    return np.asarray(cv2.cvtColor(draw_scene(seed), cv2.COLOR_BGR2GRAY), np.uint8)


def expected(extractor: str, pixels: U8) -> U8:
    return SIFT[extractor](pixels, FeatureOptions())[1]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "photos" / "picture.png", draw_scene(1))


@pytest.fixture(params=EXTRACTORS)
def made(request: pytest.FixtureRequest, picture: Path, vocabulary_folder: Path, tmp_path: Path) -> tuple[str, Path]:
    """An extractor, and the index of one picture by it."""
    folder = tmp_path / "index"
    flags = ["--vocabulary", str(vocabulary_folder), "--extractor", request.param, "--workers", "1"]
    assert index.main([str(picture), "--index", str(folder), *flags]) == 0
    return request.param, folder


def test_the_fact_of_opencv_is_that_there_is_none() -> None:
    assert "extractor" not in FeatureOptions(extractor=OPENCV).fact
    assert FeatureOptions.from_fact({"max_side": 500}) == FeatureOptions(max_side=500, extractor=OPENCV, reading=PLAIN)
    for options in (FeatureOptions(extractor=extractor, max_features=7) for extractor in EXTRACTORS):
        assert FeatureOptions.from_fact(json.loads(json.dumps(options.fact))) == options
    with pytest.raises(OptionError, match="extractor: expected one of opencv, native"):
        FeatureOptions.from_fact({"extractor": "surf"})


def test_an_index_records_its_extractor_and_queries_use_it(made: tuple[str, Path], picture: Path) -> None:
    extractor, folder = made
    n = len(expected(extractor, read_image(picture, grey=True).pixels))
    assert Index.open(folder).features.extractor == extractor
    with Engine.open(folder) as engine:
        assert engine.n_features == n
        query = engine.prepare(Picture(grey(2), 320, 240))
        np.testing.assert_array_equal(query.features.descriptors, expected(extractor, grey(2)))
        engine.add_images({"in memory": grey(3)})
        assert engine.n_features == n + len(expected(extractor, grey(3)))


def test_an_index_refuses_another_extractor(made: tuple[str, Path], vocabulary_folder: Path) -> None:
    extractor, folder = made
    (other,) = set(EXTRACTORS) - {extractor}
    with pytest.raises(MismatchError, match="drop the option"):
        Engine.open_or_create(folder, vocabulary_folder, extractor=other)
    Engine.open_or_create(folder, vocabulary_folder, extractor=extractor).close()


def test_a_vocabulary_records_whose_features_it_learned(photos: Path, tmp_path: Path) -> None:
    made = {}
    for extractor in EXTRACTORS:
        flags = ["--extractor", extractor, "--words", "8", "--workers", "1"]
        assert train_vocab.main([str(photos), "-o", str(tmp_path / extractor), *flags]) == 0
        made[extractor] = load_vocabulary(tmp_path / extractor)
        assert made[extractor].features == FeatureOptions(extractor=extractor)
        header = json.loads((tmp_path / extractor / "vocabulary.json").read_text(encoding="utf-8"))
        assert header["features"].get("extractor", OPENCV) == extractor
    assert len({vocabulary.fingerprint for vocabulary in made.values()}) == 2


def test_the_extractor_is_part_of_the_fingerprint(vocabulary_folder: Path, tmp_path: Path) -> None:
    """A header that names another one is damage."""
    found = load_vocabulary(vocabulary_folder)
    found.save(tmp_path / "copy")
    header = json.loads((tmp_path / "copy" / "vocabulary.json").read_text(encoding="utf-8"))
    header["features"]["extractor"] = {OPENCV: NATIVE, NATIVE: OPENCV}[found.features.extractor]
    (tmp_path / "copy" / "vocabulary.json").write_text(json.dumps(header), encoding="utf-8")
    with pytest.raises(VocabularyError, match="fingerprint"):
        Vocabulary.load(tmp_path / "copy")


def test_a_preset_leaves_the_extractor_as_it_is(picture: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    for extractor in EXTRACTORS:
        flags = ["--vocabulary", str(vocabulary_folder), "--extractor", extractor, "--preset", "fast", "--workers", "1"]
        assert index.main([str(picture), "--index", str(tmp_path / extractor), *flags]) == 0
        assert Index.open(tmp_path / extractor).features == PRESETS["fast"].replaced(extractor=extractor)
