"""native_sift: bof's own SIFT against OpenCV's, with the same bits on every processor, and on hostile pictures."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from bof import native
from bof.features import native_sift as native_sift_module
from bof.features.native_sift import native_sift
from bof.features.sift import extract_features, opencv_sift, own_sift
from bof.images.decode import Picture
from bof.native.table import MOST_ANGLES, MOST_BANDS, POINT
from bof.options import FeatureOptions
from bof.system.threads import set_threads
from bof.types import F32, U8, Bool
from tests.support.scenes import BEST_VARIANT, draw_scene

OPTIONS = FeatureOptions()
Extracted = tuple[F32, U8]


def grey_scene(seed: int, width: int = 320, height: int = 240) -> U8:
    return np.asarray(cv2.cvtColor(draw_scene(seed, width, height), cv2.COLOR_BGR2GRAY), np.uint8)


def noise(width: int, height: int) -> U8:
    return np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)


def checkerboard(side: int, width: int, height: int) -> U8:
    y, x = np.mgrid[:height, :width] // side
    return ((x + y) % 2 * 255).astype(np.uint8)


def extract(pixels: U8, n: int = 2000) -> Extracted:
    return native_sift(pixels, OPTIONS.contrast_threshold, n)


def twins(a: Extracted, b: Extracted) -> tuple[Bool, Bool, np.ndarray]:
    """Of each key point of a: has b one within 0.1 px and 1 % of scale; one within 1 degree besides; and which one."""
    p, q = a[0][:, None].astype(np.float64), b[0][None].astype(np.float64)
    apart = np.hypot(p[..., 0] - q[..., 0], p[..., 1] - q[..., 1])
    near = (apart <= 0.1) & (np.abs(np.log(p[..., 2] / q[..., 2])) <= 0.01)
    twin = near & (np.abs((p[..., 3] - q[..., 3] + 180) % 360 - 180) <= 1.0)
    return near.any(axis=1), twin.any(axis=1), np.where(twin, apart, np.inf).argmin(axis=1)


@pytest.mark.parametrize("size", [(320, 240), (97, 411), (640, 33)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_opencvs_features_have_twins_of_nearly_the_same_descriptors(seed: int, size: tuple[int, int]) -> None:
    pixels = grey_scene(seed, *size)
    ours, theirs = own_sift(pixels, OPTIONS), opencv_sift(pixels, OPTIONS)
    assert abs(len(ours[0]) - len(theirs[0])) <= 0.08 * len(theirs[0])
    near, twin, which = twins(theirs, ours)
    assert near.mean() > 0.88
    assert twin.mean() > 0.87
    distances = np.linalg.norm(theirs[1][twin].astype(float) - ours[1][which[twin]].astype(float), axis=1)
    assert np.median(distances) < 5
    assert np.percentile(distances, 95) < 25


def test_the_strongest_are_those_that_opencv_keeps() -> None:
    pixels, few = grey_scene(5, 640, 480), OPTIONS.replaced(max_features=200)
    near, _, _ = twins(opencv_sift(pixels, few), own_sift(pixels, few))
    assert near.mean() > 0.93


@pytest.mark.parametrize("n", [1, 2, 77, 500])
def test_fewer_features_are_the_first_of_more(n: int) -> None:
    pixels = noise(600, 600)
    (keypoints, descriptors), (more, their_descriptors) = extract(pixels, n), extract(pixels, 4000)
    assert len(keypoints) == n
    np.testing.assert_array_equal(keypoints, more[:n])
    np.testing.assert_array_equal(descriptors, their_descriptors[:n])


@pytest.mark.parametrize(("x", "y", "sigma"), [(60.0, 50.0, 4.0), (61.3, 48.6, 2.5), (80.5, 30.25, 7.0)])
def test_a_blob_is_found_at_its_centre_with_its_size(x: float, y: float, sigma: float) -> None:
    columns, rows = np.meshgrid(np.arange(140), np.arange(100))
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    (first, *_), _ = extract(np.rint(40 + 180 * blob).astype(np.uint8))
    expected = opencv_sift(np.rint(40 + 180 * blob).astype(np.uint8), OPTIONS)[0][0]
    assert np.hypot(first[0] - x, first[1] - y) < 0.05
    assert first[2] == pytest.approx(expected[2], rel=0.01)


# -- The same bits ----------------------------------------------------------------------------------------------------


def pictures() -> list[U8]:
    return [grey_scene(3), grey_scene(4, 131, 77), noise(200, 150), noise(33, 500), checkerboard(7, 150, 90)]


def everything() -> list[bytes]:
    return [column.tobytes() for pixels in pictures() for column in extract(pixels)]


@pytest.fixture(scope="module")
def plain() -> list[bytes]:
    native.limit_processor(0)
    try:
        return everything()
    finally:
        native.limit_processor(BEST_VARIANT)


def test_every_processor_finds_the_same_bits(plain: list[bytes], variant: int) -> None:
    assert everything() == plain


def test_threads_and_what_came_before_change_nothing() -> None:
    expected = everything()
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: everything(), range(8)))


@pytest.mark.parametrize("size", [(640, 480), (300, 900), (900, 128), (257, 1100), (60, 4000), (31, 47)])
def test_threads_that_share_a_picture_find_the_same_bits(size: tuple[int, int]) -> None:
    """Bands end within octaves of any size; features on both sides of an end are found, and described, once."""
    pixels, found = grey_scene(8, *size), {}
    try:
        for n in (1, 2, 3, 5, MOST_BANDS + 3):
            set_threads(n)
            found[n] = tuple(column.tobytes() for column in extract(pixels))
    finally:
        set_threads(os.cpu_count() or 1)
    assert len(set(found.values())) == 1


def test_large_octaves_are_cut_into_bands_and_small_ones_are_not() -> None:
    assert [native.sift_bands(1024, 768, 2, octave) for octave in range(10)] == [2, 2, 1, 1, 1, 1, 1, 1, 0, 0]
    assert native.sift_bands(1024, 768, 16, 0) == 1536 // 256
    assert native.sift_bands(5, 5000, 16, 0) == 0


def test_what_the_room_holds_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, found = grey_scene(6, 150, 110), set()
    for fill in (0, 255, 77):
        monkeypatch.setattr(native_sift_module, "_ROOM", FilledRoom(fill))
        found.add(tuple(column.tobytes() for column in extract(pixels, 300)))
    assert len(found) == 1


class FilledRoom:
    """Room that held something else before."""

    def __init__(self, fill: int) -> None:
        self._fill = fill

    def of(self, n_bytes: int) -> U8:
        return np.full(n_bytes, self._fill, np.uint8)


def test_too_little_room_is_an_error() -> None:
    room, points = np.empty(native.sift_room(64, 64, 2) - 1, np.uint8), np.zeros(20, POINT)
    with pytest.raises(ValueError, match="leads out of its array"):
        native.sift_points(noise(64, 64), np.zeros(2, np.float32), room, points, range(1), 0, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"octave": -1}, {"octave": 4}, {"layer": 0}, {"layer": 4}, {"row": 4}, {"row": 123}, {"column": -7}),
        *({"column": 2**31 - 1}, {"scale": 0.0}, {"scale": 3.7}, {"scale": np.nan}, {"scale": np.inf}),
    ],
    ids=str,
)
def test_a_point_that_no_picture_has_is_an_error(wrong: dict[str, float]) -> None:
    swept = 64, 64, 1
    room, points = np.zeros(native.sift_room(*swept), np.uint8), np.zeros(2, POINT)
    for name, value in {"layer": 1, "row": 9, "column": 9, "scale": 2.0}.items():
        points[name] = value
    angles, n_angles = np.zeros((2, MOST_ANGLES), np.float32), np.zeros(2, np.int32)
    native.sift_orient(room, points, range(2), angles, n_angles, swept)
    for name, value in wrong.items():
        points[name][1] = value
    with pytest.raises(ValueError, match="leads out of its array"):
        native.sift_orient(room, points, range(2), angles, n_angles, swept)
    features = np.empty((9, 4), np.float32), np.empty((9, 128), np.uint8)
    with pytest.raises(ValueError, match="leads out of its array"):
        native.sift_describe(room, points, range(2), (angles, n_angles, n_angles), features, swept)


# -- Hostile pictures -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (1, 5000), (5000, 1), (2, 3), (5, 5), (6, 6), (6, 5000), (5000, 6), (7, 31), (32, 32), (33, 33), (255, 9)],
)
def test_pictures_of_any_shape_are_no_error(width: int, height: int) -> None:
    for pixels in (noise(width, height), np.full((height, width), 255, np.uint8), checkerboard(1, width, height)):
        keypoints, descriptors = extract(pixels)
        assert len(keypoints) == len(descriptors)
        assert np.isfinite(keypoints).all()
        assert ((keypoints[:, :2] > -1) & (keypoints[:, :2] < [width, height])).all()
        assert ((keypoints[:, 3] >= 0) & (keypoints[:, 3] < 360)).all()


@pytest.mark.parametrize("grey", [0, 1, 127, 254, 255])
def test_a_flat_picture_has_none(grey: int) -> None:
    assert len(extract(np.full((200, 300), grey, np.uint8))[0]) == 0


def test_noise_has_what_opencv_finds_in_it() -> None:
    pixels = noise(160, 120)
    near, _, _ = twins(opencv_sift(pixels, OPTIONS), own_sift(pixels, OPTIONS))
    assert near.mean() > 0.97


def test_a_picture_of_edges_alone_fills_nothing_up() -> None:
    """Along straight edges every pixel ties with the next."""
    stripes = np.repeat(checkerboard(9, 600, 1), 400, axis=0)
    assert len(extract(stripes)[0]) <= len(opencv_sift(stripes, OPTIONS)[0]) + 20


@pytest.mark.parametrize("contrast", [0.0, 1.0])
def test_the_ends_of_the_contrast_are_no_error(contrast: float) -> None:
    keypoints, _ = native_sift(grey_scene(7, 100, 80), contrast, 65535)
    assert (len(keypoints) == 0) == (contrast == 1.0)


@pytest.mark.parametrize("extractor", ["opencv", "native"])
def test_the_extractor_is_an_option(extractor: str) -> None:
    pixels = grey_scene(8)
    found = extract_features(Picture(pixels, 640, 480), OPTIONS.replaced(extractor=extractor))
    keypoints, descriptors = {"opencv": opencv_sift, "native": own_sift}[extractor](pixels, OPTIONS)
    np.testing.assert_array_equal(found.descriptors, descriptors)
    np.testing.assert_allclose(found.geometry.xy_px, (keypoints[:, :2] + 0.5) * 2 - 0.5, atol=1e-3)
