"""sift: SIFT in the frame of the original picture, RootSIFT in bytes, the same with any number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bof.features.sift import N_DIMENSIONS, crop_features, extract_features, mirror_features, root_sift
from bof.images.decode import Picture, decode
from bof.options import OPENCV, FeatureOptions
from bof.types import F64, U8, Features, Geometry
from tests.support.scenes import draw_scene

OPTIONS = FeatureOptions()
EVERY_FEATURE = 65535


@pytest.fixture
def opencv_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


def grey_picture(pixels: U8, max_side: int = OPTIONS.max_side) -> Picture:
    return decode(cv2.imencode(".png", pixels)[1].tobytes(), grey=True, max_side=max_side)


def features_of(pixels: U8, max_side: int = OPTIONS.max_side) -> Features:
    return extract_features(grey_picture(pixels, max_side), OPTIONS.replaced(max_side=max_side))


def twice_as_large(pixels: U8) -> U8:
    """Every pixel four times: shrinking by area gives the very picture back."""
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def draw_blob(x: float, y: float, sigma: float, width: int, height: int) -> U8:
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    pixels: U8 = np.rint(40 + 180 * blob).astype(np.uint8)
    return pixels


def mutual_matches(a: U8, b: U8, max_distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a and b that are each other's nearest and nearer than max_distance."""
    distance = np.linalg.norm(a[:, None].astype(np.float32) - b[None].astype(np.float32), axis=2)
    nearest_b, nearest_a = distance.argmin(axis=1), distance.argmin(axis=0)
    rows = np.arange(len(a))
    retained = (nearest_a[nearest_b] == rows) & (distance[rows, nearest_b] < max_distance)
    return rows[retained], nearest_b[retained]


def same_features(a: Features, b: Features) -> bool:
    columns = [(g.xy_px, g.scale_px, g.angle_deg) for g in (a.geometry, b.geometry)]
    return np.array_equal(a.descriptors, b.descriptors) and all(map(np.array_equal, *columns))


# -- RootSIFT ---------------------------------------------------------------------------------------------------------


def root_by_formula(descriptors: U8) -> F64:
    histogram = descriptors.astype(np.float64)
    found: F64 = 512 * np.sqrt(histogram / histogram.sum(axis=1, keepdims=True))
    return found


@given(hnp.arrays(np.uint8, (3, N_DIMENSIONS), elements=st.integers(0, 255)))
def test_root_sift_is_the_formula_to_half_a_byte(descriptors: U8) -> None:
    descriptors[:, 0] |= 1
    difference = root_sift(descriptors) - np.minimum(root_by_formula(descriptors), 255)
    assert np.abs(difference).max() <= 0.5 + 1e-4


def test_root_sift_has_length_512() -> None:
    length = np.linalg.norm(features_of(draw_scene(0)).descriptors.astype(np.float64), axis=1)
    assert np.percentile(length, 1) > 500
    assert length.max() < 516


def test_root_sift_of_nothing_is_nothing() -> None:
    assert not root_sift(np.zeros((2, N_DIMENSIONS), np.uint8)).any()
    assert root_sift(np.empty((0, N_DIMENSIONS), np.uint8)).shape == (0, N_DIMENSIONS)


# -- Positions --------------------------------------------------------------------------------------------------------


def test_features_have_columns_of_one_length_and_one_type() -> None:
    features = features_of(draw_scene(0))
    geometry, n = features.geometry, len(features)
    assert n == len(geometry) > 300
    assert geometry.xy_px.shape == (n, 2)
    assert {geometry.xy_px.dtype, geometry.scale_px.dtype, geometry.angle_deg.dtype} == {np.dtype(np.float32)}
    assert features.descriptors.shape == (n, N_DIMENSIONS)
    assert features.descriptors.dtype == np.uint8
    assert ((geometry.angle_deg >= 0) & (geometry.angle_deg < 360)).all()
    assert (geometry.scale_px > 0).all()


def test_a_shrunk_picture_has_its_features_in_the_original_frame() -> None:
    scene = draw_scene(1)
    small, large = features_of(scene), features_of(twice_as_large(scene), max_side=320)
    assert (large.geometry.width, large.geometry.height) == (640, 480)
    assert np.array_equal(small.descriptors, large.descriptors)
    # The centre of the first pixel of two lies a quarter of a small pixel left of the small pixel's centre.
    assert np.allclose(large.geometry.xy_px, (small.geometry.xy_px + 0.5) * 2 - 0.5, atol=1e-3)
    assert np.allclose(large.geometry.scale_px, 2 * small.geometry.scale_px, rtol=1e-5)
    assert np.array_equal(large.geometry.angle_deg, small.geometry.angle_deg)


def test_a_scene_seen_whole_and_shrunk_has_its_features_at_the_same_places() -> None:
    scene = np.asarray(cv2.resize(draw_scene(2), (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    whole, shrunk = features_of(scene), features_of(scene, max_side=320)
    a, b = mutual_matches(whole.descriptors, shrunk.descriptors, 100)
    offset = whole.geometry.xy_px[a] - shrunk.geometry.xy_px[b]
    assert len(a) > 100
    assert (np.linalg.norm(offset, axis=1) < 1).mean() > 0.95
    assert np.abs(np.median(offset, axis=0)).max() < 0.1


@pytest.mark.parametrize("max_side", [1024, 400, 256])
@pytest.mark.parametrize(("x", "y"), [(200.0, 150.0), (301.25, 99.5), (420.7, 333.3)])
def test_a_blob_is_found_at_its_centre(x: float, y: float, max_side: int) -> None:
    features = features_of(draw_blob(x, y, 12, 641, 479), max_side)
    xy = features.geometry.xy_px[np.abs(features.geometry.scale_px - 2 * 12 * np.sqrt(2)).argmin()]
    assert np.abs(xy - [x, y]).max() < 0.2


# -- Which features ---------------------------------------------------------------------------------------------------


def test_the_strongest_are_kept() -> None:
    picture = grey_picture(draw_scene(3))
    detector = cv2.SIFT.create(0, 3, OPTIONS.contrast_threshold, 10.0, 1.6, cv2.CV_8U, True)
    keypoints = sorted(detector.detect(picture.pixels, None), key=lambda k: -k.response)
    n = next(i for i in range(100, len(keypoints)) if keypoints[i - 1].response > keypoints[i].response)
    retained = extract_features(picture, OPTIONS.replaced(max_features=n, extractor=OPENCV)).geometry.xy_px
    expected = np.array([k.pt for k in keypoints[:n]], np.float32)
    assert {(x, y) for x, y in retained.tolist()} == {(x, y) for x, y in expected.tolist()}


@pytest.mark.parametrize("n", [1, 17, 200])
def test_a_cap_cuts_the_weakest_off(n: int) -> None:
    picture = grey_picture(draw_scene(3))
    every = extract_features(picture, OPTIONS.replaced(max_features=EVERY_FEATURE))
    capped = extract_features(picture, OPTIONS.replaced(max_features=n))
    assert len(capped) == n < len(every)
    assert np.array_equal(capped.geometry.xy_px, every.geometry.xy_px[:n])
    assert np.array_equal(capped.descriptors, every.descriptors[:n])


@pytest.mark.usefixtures("opencv_threads")
def test_threads_change_nothing() -> None:
    found = []
    for n_threads in (1, 2):
        cv2.setNumThreads(n_threads)
        found.append(features_of(np.asarray(cv2.resize(draw_scene(4), (900, 700)), np.uint8)))
    assert len(found[0]) > 300
    assert same_features(*found)


def test_a_blank_picture_has_none() -> None:
    features = features_of(np.full((120, 160, 3), 130, np.uint8))
    assert len(features) == len(features.geometry) == 0
    assert features.descriptors.shape == (0, N_DIMENSIONS)
    assert (features.geometry.width, features.geometry.height) == (160, 120)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_a_tiny_picture_is_no_error(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    assert features_of(noise).descriptors.shape[1] == N_DIMENSIONS


# -- Boxes ------------------------------------------------------------------------------------------------------------


def test_a_crop_keeps_the_centres_inside_where_they_are() -> None:
    features = features_of(draw_scene(5))
    x, y = features.geometry.xy_px.T
    inside = [i for i in range(len(features)) if 80 <= x[i] <= 200 and 60.5 <= y[i] <= 180]
    cropped = crop_features(features, (80, 60.5, 200, 180))
    assert 0 < len(inside) < len(features)
    assert np.array_equal(cropped.geometry.xy_px, features.geometry.xy_px[inside])
    assert np.array_equal(cropped.descriptors, features.descriptors[inside])


def test_a_crop_has_the_size_of_its_box() -> None:
    features = features_of(draw_scene(5))
    cropped = crop_features(features, (80, 60.5, 200, 180))
    assert (cropped.geometry.width, cropped.geometry.height) in {(120, 119), (120, 120)}
    assert (features.geometry.width, features.geometry.height) == (320, 240)
    assert crop_features(features, (5, 5, 5.2, 5.2)).geometry.long_side == 1


# -- Mirror images ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_mirrored_features_are_those_of_the_mirrored_picture(seed: int) -> None:
    pixels = np.asarray(cv2.GaussianBlur(draw_scene(seed, 400, 300), (0, 0), 1.5), np.uint8)
    mirrored, extracted = mirror_features(features_of(pixels)), features_of(np.ascontiguousarray(pixels[:, ::-1]))
    found, i = place_and_angle(mirrored.geometry, extracted.geometry)
    assert found.mean() > 0.75
    distance = np.linalg.norm(mirrored.descriptors.astype(np.float64) - extracted.descriptors[i], axis=1)[found]
    unlike = np.linalg.norm(mirrored.descriptors.astype(np.float64) - extracted.descriptors[np.roll(i, 1)], axis=1)
    assert np.median(distance) < 2
    assert np.percentile(distance, 95) < 70
    assert np.median(unlike) > 300


def place_and_angle(a: Geometry, b: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of b in place, angle and scale for each of a, and whether it is near in all of them."""
    apart = np.linalg.norm(a.xy_px[:, None] - b.xy_px[None], axis=2)
    turned = np.abs((a.angle_deg[:, None] - b.angle_deg[None] + 180) % 360 - 180)
    octaves = np.abs(np.log2(a.scale_px[:, None] / b.scale_px[None]))
    nearest = (apart + turned / 5 + octaves * 10).argmin(axis=1)
    rows = np.arange(len(a))
    near = (apart[rows, nearest] < 1) & (turned[rows, nearest] < 5) & (octaves[rows, nearest] < 0.1)
    return near, nearest


def test_mirrored_twice_is_the_picture_itself() -> None:
    features = features_of(draw_scene(5))
    twice = mirror_features(mirror_features(features))
    assert np.array_equal(twice.descriptors, features.descriptors)
    assert np.abs(twice.geometry.xy_px - features.geometry.xy_px).max() < 1e-3
    assert np.abs((twice.geometry.angle_deg - features.geometry.angle_deg + 180) % 360 - 180).max() < 1e-3
    assert np.array_equal(twice.geometry.scale_px, features.geometry.scale_px)
    assert (twice.geometry.width, twice.geometry.height) == (320, 240)


def test_a_mirror_turns_left_to_right_and_angles_about_the_vertical() -> None:
    xy, scale, angle = (np.array(column, np.float32) for column in ([[0, 7], [99, 3]], [5, 6], [0, 250]))
    geometry = Geometry(xy, scale, angle, 100, 50)
    mirrored = mirror_features(Features(geometry, np.zeros((2, N_DIMENSIONS), np.uint8))).geometry
    assert mirrored.xy_px.tolist() == [[99, 7], [0, 3]]
    assert mirrored.angle_deg.tolist() == [180, 290]
    assert mirrored.scale_px.tolist() == [5, 6]


def test_nothing_mirrored_is_nothing() -> None:
    assert len(mirror_features(features_of(np.full((50, 60, 3), 9, np.uint8)))) == 0
