"""What shows little is looked at again; what shows enough is left alone, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from bof.features.second_look import FEW
from bof.features.sift import extract_features
from bof.images.decode import Picture, to_grey
from bof.images.pixels import opponent_channels
from bof.options import PLAIN, FeatureOptions
from bof.types import U8, Features
from tests.support.scenes import draw_scene


def picture_of(pixels: U8) -> Picture:
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


def unread() -> Picture:
    raise AssertionError("colours were read where grey shows enough")


def gradient() -> U8:
    """A sky: light falls off smoothly around three places, u8 (400, 600)."""
    y, x = np.mgrid[0:400, 0:600].astype(np.float64)
    light = sum(
        60 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / c) for a, b, c in ((90, 80, 4e3), (400, 300, 9e3), (500, 90, 2e3))
    )
    return np.rint(light + 40).astype(np.uint8)


def equally_bright() -> U8:
    """Discs of colours that have one grey, RGB u8 (300, 400, 3)."""
    pixels = np.full((300, 400, 3), (120, 120, 120), np.uint8)
    rng = np.random.default_rng(3)
    for red in rng.integers(0, 255, 25):
        green = (120 - 0.299 * red - 0.114 * 120) / 0.587
        centre = int(rng.integers(0, 400)), int(rng.integers(0, 300))
        cv2.circle(pixels, centre, int(rng.integers(8, 40)), (int(red), round(green), 120), -1)
    return pixels


def test_a_picture_with_enough_features_is_read_as_before() -> None:
    picture = picture_of(to_grey(draw_scene(0)))
    found = extract_features(picture, FeatureOptions(), unread)
    plain = extract_features(picture, FeatureOptions(reading=PLAIN))
    assert len(found) >= FEW
    assert found.descriptors.tobytes() == plain.descriptors.tobytes()
    assert found.geometry.xy_px.tobytes() == plain.geometry.xy_px.tobytes()


@pytest.mark.parametrize(("side", "least"), [(32, 3.0), (64, 1.5), (120, 1.5)])
def test_a_small_picture_is_enlarged_and_its_features_lie_where_they_were(side: int, least: float) -> None:
    small = cv2.resize(to_grey(draw_scene(1)), (side, side), interpolation=cv2.INTER_AREA)
    picture = picture_of(np.asarray(small, np.uint8))
    found = extract_features(picture, FeatureOptions())
    plain = extract_features(picture, FeatureOptions(reading=PLAIN))
    assert len(found) >= least * len(plain)
    assert found.geometry.xy_px.min() >= -0.5
    assert found.geometry.xy_px.max() <= side - 0.5
    apart = np.linalg.norm(plain.geometry.xy_px[:, None] - found.geometry.xy_px, axis=2).min(axis=1)
    assert np.mean(apart < 1.0) > 0.8


def test_gradients_have_features_and_flat_pictures_none() -> None:
    plain = extract_features(picture_of(gradient()), FeatureOptions(reading=PLAIN))
    found = extract_features(picture_of(gradient()), FeatureOptions())
    assert len(found) > len(plain)
    flat = np.full((300, 400, 3), (200, 30, 60), np.uint8)
    assert len(extract_features(picture_of(to_grey(flat)), FeatureOptions(), lambda: picture_of(flat))) == 0


def test_colours_of_one_brightness_have_features() -> None:
    pixels = equally_bright()
    grey = picture_of(to_grey(pixels))
    options = FeatureOptions()
    without = extract_features(grey, options)
    found = extract_features(grey, options, lambda: picture_of(pixels))
    assert len(found) >= len(without) + 50
    small = np.asarray(cv2.resize(pixels, (200, 150), interpolation=cv2.INTER_AREA), np.uint8)
    shown = Picture(small, 400, 300)
    smaller = extract_features(grey, options, lambda: shown)
    assert smaller.geometry.xy_px[:, 0].max() > 250, "features lie in the frame of the original"


@pytest.mark.parametrize("make", [gradient, lambda: to_grey(draw_scene(3))[:100, :100]])
def test_the_same_picture_has_the_same_features(make: Callable[[], U8]) -> None:
    picture = picture_of(np.ascontiguousarray(make()))
    one, other = (extract_features(picture, FeatureOptions()) for _ in range(2))
    assert isinstance(one, Features)
    assert one.descriptors.tobytes() == other.descriptors.tobytes()


def test_channels_of_grey_are_neither_colour() -> None:
    for channel in opponent_channels(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)):
        assert set(np.unique(channel).tolist()) <= {127, 128}


@pytest.mark.parametrize(("width", "height"), [(320, 240), (160, 120)])
def test_a_picture_that_has_all_that_was_asked_for_shows_enough(width: int, height: int) -> None:
    """A limit below that of few features makes no picture poor."""
    picture = picture_of(to_grey(draw_scene(5, width, height)))
    most = extract_features(picture, FeatureOptions())
    assert len(most) > FEW
    few = extract_features(picture, FeatureOptions(max_features=FEW // 2), unread)
    assert np.array_equal(few.descriptors, most.descriptors[: FEW // 2])


def test_a_picture_that_was_made_small_is_not_enlarged() -> None:
    pixels = cv2.resize(to_grey(draw_scene(5, 640, 480)), (160, 120), interpolation=cv2.INTER_AREA)
    made_small = Picture(np.asarray(pixels, np.uint8), 640, 480)
    plain, adaptive = (extract_features(made_small, FeatureOptions(160, reading=each)) for each in (PLAIN, "adaptive"))
    assert len(plain) > FEW
    assert np.array_equal(adaptive.descriptors, plain.descriptors)


def test_a_faint_strip_as_long_as_can_be_is_looked_at_again() -> None:
    strip = np.tile(np.rint(120 + 20 * np.sin(np.arange(20000) / 40)).astype(np.uint8), (64, 1))
    assert len(extract_features(picture_of(strip), FeatureOptions())) >= 0
