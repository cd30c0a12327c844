"""Features that the caller extracted: indexed, searched with, kept apart from pictures, refused where they are none."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import bof
from bof.errors import ImageError, MismatchError, OptionError
from bof.features.descriptor_bytes import descriptor_bytes
from bof.features.sift import extract_features
from bof.images.decode import Picture, to_grey
from bof.ingest.own_features import check_features
from bof.options import OWN, FeatureOptions, TrainOptions
from bof.types import U8, Features
from tests.support.scenes import draw_scene

N_SCENES, N_WORDS = 6, 64


def learned(picture: U8, d: int = 64) -> Features:
    """Features as another extractor may give them: SIFT's descriptors as d floats, signed."""
    found = extract_features(Picture(to_grey(picture), picture.shape[1], picture.shape[0]), FeatureOptions())
    mixing = np.random.default_rng(7).standard_normal((128, d)).astype(np.float32)
    floats = (found.descriptors.astype(np.float32) - 40) @ mixing
    return dataclasses.replace(found, descriptors=descriptor_bytes(floats))


@pytest.fixture(scope="module")
def scenes() -> dict[str, Features]:
    return {f"scene-{seed}": learned(draw_scene(seed)) for seed in range(N_SCENES)}


@pytest.fixture(scope="module")
def vocabulary_folder(scenes: dict[str, Features], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words of such features, learned from them."""
    descriptors = np.concatenate([features.descriptors for features in scenes.values()])
    features = FeatureOptions(extractor=OWN)
    sample = bof.Sample(descriptors, np.arange(N_SCENES, dtype=np.uint64), features, "scenes")
    folder = tmp_path_factory.mktemp("words") / "vocabulary"
    bof.train_vocabulary(sample, TrainOptions(words=N_WORDS)).save(folder)
    return folder


@pytest.fixture
def engine(vocabulary_folder: Path, tmp_path: Path) -> bof.Engine:
    return bof.Engine.create(tmp_path / "index", vocabulary_folder)


def test_what_shows_the_same_is_found(engine: bof.Engine, scenes: dict[str, Features]) -> None:
    report = engine.add_features(scenes)
    assert (report.n_added, report.skipped) == (N_SCENES, [])
    part = learned(np.ascontiguousarray(draw_scene(2)[40:, 60:]))
    hits = engine.search_features(part)
    assert (hits[0].name, hits[0].verdict) == ("scene-2", "same")
    assert all(hit.verdict != "same" for hit in hits[1:])
    transform = hits[0].verification.database_from_query
    assert transform is not None
    np.testing.assert_allclose(transform[:2, 2], [60, 40], atol=3)


def test_the_same_features_are_known_again(engine: bof.Engine, scenes: dict[str, Features]) -> None:
    engine.add_features(scenes)
    again = engine.add_features(list(scenes.items()))
    assert (again.n_added, again.n_unchanged) == (0, N_SCENES)
    assert engine.search_features(scenes["scene-4"])[0].basis == "content"
    changed = engine.add_features({"scene-4": scenes["scene-1"]})
    assert changed.n_added == 1
    assert len(engine.images.names) - int(engine.images.deleted.sum()) == N_SCENES


def test_pictures_and_own_features_do_not_mix(engine: bof.Engine, scenes: dict[str, Features], tmp_path: Path) -> None:
    picture = draw_scene(1)
    with pytest.raises(MismatchError, match=r"expected an index of features of pictures, found .* own"):
        engine.add_images({"a": picture})
    with pytest.raises(MismatchError, match="features of pictures"):
        engine.add([tmp_path])
    engine.add_features(scenes)
    with pytest.raises(MismatchError, match="search_features"):
        engine.search(picture)
    ordinary = bof.Engine.create(tmp_path / "pictures")
    with pytest.raises(MismatchError, match="features of your own"):
        ordinary.add_features(scenes)
    with pytest.raises(MismatchError, match="features of your own"):
        ordinary.query_of_features(scenes["scene-0"])


def test_features_of_wrong_shapes_are_named_and_the_others_stay(
    engine: bof.Engine, scenes: dict[str, Features]
) -> None:
    good = scenes["scene-0"]
    floats = Features(good.geometry, good.descriptors.astype(np.float32))  # type: ignore[arg-type]
    fewer = Features(good.geometry, good.descriptors[1:])
    report = engine.add_features({"good": good, "floats": floats, "fewer": fewer})
    assert report.n_added == 1
    assert [item.path for item in report.skipped] == ["floats", "fewer"]
    assert "descriptors uint8" in report.skipped[0].reason


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(scenes: dict[str, Features], value: float) -> None:
    good = scenes["scene-0"]
    xy = good.geometry.xy_px.copy()
    xy[3, 1] = value
    with pytest.raises(ImageError, match="finite"):
        check_features(Features(dataclasses.replace(good.geometry, xy_px=xy), good.descriptors))


@pytest.mark.parametrize("d", [32, 64, 128, 256])
def test_bytes_of_descriptors_keep_distances(d: int) -> None:
    values = np.random.default_rng(0).standard_normal((40, d)).astype(np.float32)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    found = descriptor_bytes(values * 3).astype(np.float32)
    before = np.linalg.norm(unit[:, None] - unit, axis=2)
    after = np.linalg.norm(found[:, None] - found, axis=2) / 384
    np.testing.assert_allclose(after, before, atol=0.03 if d <= 128 else 0.45)


def test_bytes_of_no_descriptors_are_refused() -> None:
    with pytest.raises(OptionError, match=r"floats of shape \(n, d\)"):
        descriptor_bytes(np.zeros((3, 128), np.uint8))  # type: ignore[arg-type]
