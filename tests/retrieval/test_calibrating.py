"""What inliers of learned features prove is measured on views of pictures, the same with any number of workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.features.learned import learned_options
from bof.options import FeatureOptions, TrainOptions
from bof.retrieval.calibrating import Views, calibrate, read_views
from bof.retrieval.evidence import CALIBRATION, SIFT, Calibration
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.local_models import LocalModel
from tests.support.scenes import draw_scene, write_picture

ONE = TrainOptions(words=300, workers=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(40):
        write_picture(folder / f"{seed:02d}.png", draw_scene(seed))
    return folder


@pytest.fixture(scope="module")
def vocabulary(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    model = LocalModel().write(tmp_path_factory.mktemp("models") / "cells.onnx")
    features = learned_options(model, FeatureOptions())
    sample, _ = draw_sample([folder], "scenes", features, ONE, lambda done, total: None)
    return train_vocabulary(sample, ONE)


def paths(folder: Path, n: int = 40) -> list[str]:
    return [str(path) for path in sorted(folder.iterdir())[:n]]


def test_a_view_and_a_mirror_image_are_of_the_picture(folder: Path, vocabulary: Vocabulary) -> None:
    views = [read_views((vocabulary.features, ONE), (3, paths(folder)[3])) for _ in range(2)]
    assert isinstance(views[0], Views)
    assert isinstance(views[1], Views)
    np.testing.assert_array_equal(views[0].view.descriptors, views[1].view.descriptors)
    assert min(len(views[0].picture), len(views[0].mirrored)) > 100
    assert views[0].view.geometry.width != views[0].picture.geometry.width


def test_what_cannot_be_read_is_left_out(tmp_path: Path, vocabulary: Vocabulary) -> None:
    (tmp_path / "a.png").write_bytes(b"none")
    assert read_views((vocabulary.features, ONE), (0, str(tmp_path / "a.png"))) is None


def test_of_few_pictures_nothing_is_learned(folder: Path, vocabulary: Vocabulary) -> None:
    assert calibrate(paths(folder, 12), vocabulary, ONE) is None


def test_the_same_pictures_give_the_same_numbers(folder: Path, vocabulary: Vocabulary) -> None:
    one = calibrate(paths(folder), vocabulary, ONE)
    other = calibrate(paths(folder), vocabulary, TrainOptions(words=300, workers=2))
    assert one is not None
    assert one == other


def test_a_vocabulary_says_its_calibration_and_nonsense_is_none() -> None:
    own = Calibration(1.0, 2.0, -0.5, 3.0)
    assert Calibration.of({CALIBRATION: own.fact}) == own
    assert Calibration.of({}) == SIFT
    for nonsense in ([1.0, 2.0, 3.0], "text", [1.0, 2.0, 3.0, float("nan")], [1.0, 2.0, 3.0, 1e9], [1, 2, 3, True]):
        assert Calibration.of({CALIBRATION: nonsense}) == SIFT
