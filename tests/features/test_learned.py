"""Learned local features: the contract of a model, what becomes of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from bof.errors import MismatchError, ModelError, OptionError
from bof.features import learned_model
from bof.features.learned import SCALE_PX, learned_options
from bof.features.learned_model import cached_model, load_model
from bof.features.sift import extract_features
from bof.images.decode import Picture
from bof.onnx_models import trial
from bof.options import LEARNED, FeatureOptions
from bof.types import U8
from scripts.torture import hostile_models as hostile
from tests.support.local_models import CELL, LENGTH, LocalModel
from tests.support.scenes import draw_scene

ONCE = 480


def grey(seed: int) -> U8:
    return np.asarray(draw_scene(seed).mean(axis=2), np.uint8)


def picture(pixels: U8) -> Picture:
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return LocalModel().write(tmp_path_factory.mktemp("models") / "cells.onnx")


@pytest.fixture(scope="module")
def options(model: Path) -> FeatureOptions:
    """So that no scene is seen enlarged: none fits the side twice."""
    return learned_options(model, FeatureOptions(max_side=ONCE))


def test_points_and_descriptors_are_the_models(options: FeatureOptions) -> None:
    features = extract_features(picture(grey(0)), options)
    assert len(features) > 200
    assert (features.descriptors.dtype, features.descriptors.shape[1]) == (np.uint8, 128)
    np.testing.assert_array_equal(features.geometry.xy_px % CELL, np.full((len(features), 2), CELL / 2 - 0.5))
    np.testing.assert_array_equal(features.geometry.scale_px, np.full(len(features), SCALE_PX))
    np.testing.assert_array_equal(features.geometry.angle_deg, np.zeros(len(features)))


def test_bytes_keep_the_angles_between_descriptors(model: Path, options: FeatureOptions) -> None:
    found = load_model(model).find(grey(1))
    order = np.lexsort((found.xy[:, 0], found.xy[:, 1], -found.score))
    values = found.descriptors[order] / np.linalg.norm(found.descriptors[order], axis=1, keepdims=True)
    stored = extract_features(picture(grey(1)), options).descriptors.astype(np.float64) - 128
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    assert np.abs(values @ values.T - stored @ stored.T).max() < 0.02


def test_the_strongest_come_first_and_are_kept(options: FeatureOptions) -> None:
    all_of_them = extract_features(picture(grey(2)), options)
    few = extract_features(picture(grey(2)), options.replaced(max_features=50))
    np.testing.assert_array_equal(few.descriptors, all_of_them.descriptors[:50])
    np.testing.assert_array_equal(few.geometry.xy_px, all_of_them.geometry.xy_px[:50])


def test_what_is_padded_has_no_points(options: FeatureOptions) -> None:
    pixels = grey(3)[:101, :203]
    xy = extract_features(picture(pixels), options).geometry.xy_px
    assert len(xy) > 0
    assert (xy.max(axis=0) < [202.5, 100.5]).all()


def test_a_smaller_picture_has_its_features_in_the_originals_frame(options: FeatureOptions) -> None:
    pixels = grey(4)
    features = extract_features(Picture(pixels, 2 * pixels.shape[1], 2 * pixels.shape[0]), options)
    np.testing.assert_array_equal((features.geometry.xy_px + 0.5) / 2 % CELL, np.full((len(features), 2), CELL / 2))
    assert (features.geometry.scale_px == 2 * SCALE_PX).all()


def test_a_picture_that_fits_the_side_twice_is_seen_enlarged_too(options: FeatureOptions) -> None:
    once = extract_features(picture(grey(8)), options.replaced(max_features=9000))
    twice = extract_features(picture(grey(8)), options.replaced(max_side=640, max_features=9000))
    assert set(twice.geometry.scale_px.tolist()) == {SCALE_PX, SCALE_PX / 2}
    near = twice.take(twice.geometry.scale_px == SCALE_PX)
    np.testing.assert_array_equal(near.descriptors, once.descriptors)
    assert len(twice) > 3 * len(once)
    xy = twice.geometry.xy_px
    assert (xy > -0.5).all()
    assert (xy < [319.5, 239.5]).all()


def test_a_small_picture_is_enlarged_and_a_long_one_seen_in_tiles(options: FeatureOptions) -> None:
    small = grey(5)[:100, :120]
    enlarged = extract_features(picture(small), options)
    plain = extract_features(picture(small), options.replaced(reading="plain"))
    assert len(enlarged) > 2 * len(plain)
    long = np.concatenate([grey(seed)[:120] for seed in range(12)], axis=1)
    tiled = extract_features(picture(long), options.replaced(max_side=512))
    assert len(tiled) > options.replaced(max_side=512).max_features * 0.5
    assert tiled.geometry.xy_px[:, 0].max() > long.shape[1] - 40


def test_a_picture_without_anything_has_no_features(options: FeatureOptions) -> None:
    assert len(extract_features(picture(np.full((90, 120), 77, np.uint8)), options)) == 0


def test_a_model_of_colours_sees_grey_three_times_and_may_have_a_batch_axis(
    tmp_path: Path, options: FeatureOptions
) -> None:
    coloured = learned_options(
        LocalModel(channels=3, batched=True).write(tmp_path / "m.onnx"), FeatureOptions(max_side=ONCE)
    )
    one, other = (extract_features(picture(grey(6)), each) for each in (options, coloured))
    np.testing.assert_array_equal(one.geometry.xy_px, other.geometry.xy_px)
    assert np.abs(one.descriptors.astype(int) - other.descriptors).max() <= 1


def test_angles_of_a_model_are_taken(tmp_path: Path) -> None:
    turned = learned_options(LocalModel(angles=True).write(tmp_path / "m.onnx"), FeatureOptions())
    assert set(extract_features(picture(grey(7)), turned).geometry.angle_deg.tolist()) == {33.0}


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (LocalModel(left_out=("scores",)), "expected outputs keypoints, descriptors, scores, found .*: no scores"),
        (LocalModel(shape=(1, 1, 240, 320)), r"expected free height and width, found .*; export it with dynamic axes"),
        (LocalModel(shape=(1, 4, "h", "w")), r"expected an input of float32 \[1, 1 or 3, height, width\]"),
        (LocalModel(multiple_of="0"), "expected bof.multiple_of from 1 to 256, found '0'"),
        (LocalModel(multiple_of="many"), "expected bof.multiple_of from 1 to 256"),
        (LocalModel(broken="infinite"), "expected finite numbers in scores, found others"),
        (LocalModel(broken="twice"), r"expected scores of shape \[\d+\], found \[\d+\] beside descriptors"),
        (LocalModel(broken="flat"), "expected descriptors of 2 axes, or one more of 1 before them"),
        (LocalModel(length=4), "descriptors of 8 to 1024 numbers"),
    ],
)  # fmt: skip
def test_a_model_that_is_none_of_local_features_is_refused(tmp_path: Path, model: LocalModel, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        load_model(model.write(tmp_path / "m.onnx"))


def test_what_is_no_file_and_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"see docs/learned-features\.md"):
        cached_model(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model at all", encoding="utf-8")
    with pytest.raises(ModelError):
        cached_model(tmp_path / "text.onnx")


def test_a_model_with_weights_in_another_file_is_refused(tmp_path: Path, model: Path) -> None:
    onnx.save(onnx.load(model), tmp_path / "m.onnx", save_as_external_data=True, location="weights", size_threshold=0)
    with pytest.raises(ModelError, match="expected a model in one file, found weights in weights"):
        load_model(tmp_path / "m.onnx")


def test_a_model_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 2.0)
    (tmp_path / "endless.onnx").write_bytes(hostile.loop().SerializeToString())
    with pytest.raises(ModelError, match="expected"):
        cached_model(tmp_path / "endless.onnx")


def test_a_model_that_is_too_large_is_refused_before_it_is_read(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_model, "MAX_BYTES", 1 << 10)
    with pytest.raises(ModelError, match="expected at most 0 MB"):
        load_model(model)


def test_another_model_than_that_of_the_options_is_not_run(tmp_path: Path, options: FeatureOptions) -> None:
    other = LocalModel(channels=3).write(tmp_path / "other.onnx")
    with pytest.raises(MismatchError, match=rf"expected the model {options.model[:12]}"):
        extract_features(picture(grey(0)), options.replaced(model_file=str(other)))


def test_options_name_a_model_beside_the_extractor_that_has_one_alone(options: FeatureOptions) -> None:
    with pytest.raises(ModelError, match="expected a model of learned features, found none"):
        extract_features(picture(grey(0)), FeatureOptions(extractor=LEARNED, model_file=options.model_file))
    with pytest.raises(OptionError, match="expected a model beside the extractor learned alone"):
        FeatureOptions(model=options.model)
    with pytest.raises(OptionError):
        FeatureOptions(extractor=LEARNED, model="0" * 63)
    fact = options.fact
    assert "model_file" not in fact
    assert FeatureOptions.from_fact(fact) == options
    assert "model" not in FeatureOptions().fact
    with pytest.raises(TypeError):
        FeatureOptions.from_fact({**fact, "model_file": "/elsewhere.onnx"})


def test_the_type_of_the_input_is_checked(tmp_path: Path) -> None:
    path = LocalModel(dtype=TensorProto.DOUBLE).write(tmp_path / "m.onnx")
    with pytest.raises(ModelError):
        load_model(path)


def test_the_length_of_the_small_model_is_that_of_this_test(model: Path) -> None:
    assert load_model(model).find(grey(0)).descriptors.shape[1] == LENGTH
