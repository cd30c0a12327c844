"""Perceptual hashes: to the letter, against OpenCV's own comparison, near for copies, the same on every processor."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bof.errors import OptionError
from bof.global_descriptors import hashes
from bof.options import HASHES
from bof.types import U8, U64
from tests.support.scenes import draw_scene

IMG_HASH: Any = cv2.img_hash
BIT_HASHES = [name for name, (kind, _) in hashes.ARRAYS.items() if kind == "<u8"]
N_SCENES = 8


@pytest.fixture(scope="module")
def scenes() -> list[U8]:
    return [draw_scene(seed) for seed in range(N_SCENES)]


@pytest.fixture(scope="module")
def stored(scenes: list[U8]) -> dict[str, NDArray[np.generic]]:
    """The rows of all scenes, by hash."""
    rows = [hashes.describe(scene) for scene in scenes]
    return {name: np.stack([row[name] for row in rows]) for name in hashes.ARRAYS}


def random_hashes(n: int, width: int, seed: int = 0) -> U64:
    return np.random.default_rng(seed).integers(0, 1 << 64, (n, width), dtype=np.uint64, endpoint=False)


# -- What is stored ---------------------------------------------------------------------------------------------------

ODD_PICTURES = {
    "empty": np.zeros((0, 7, 3), np.uint8),
    "one pixel": np.full((1, 1, 3), 9, np.uint8),
    "black": np.zeros((40, 60, 3), np.uint8),
    "flat": np.full((300, 512, 3), 128, np.uint8),
    "grey": np.repeat(draw_scene(1)[..., :1], 3, axis=2),
    "very wide": draw_scene(2, 512, 8)[:2],
    "very tall": np.ascontiguousarray(draw_scene(3, 8, 512)[:, :1]),
}


@pytest.mark.parametrize("kind", ODD_PICTURES)
def test_any_picture_gives_rows_that_compare(kind: str) -> None:
    rows = hashes.describe(ODD_PICTURES[kind])
    assert list(rows) == list(hashes.ARRAYS) == list(HASHES)
    for name, (dtype, shape) in hashes.ARRAYS.items():
        assert (rows[name].dtype, rows[name].shape) == (np.dtype(dtype), shape)
        assert np.isfinite(rows[name].astype(float)).all()
        assert hashes.similarity(rows[name], rows[name][None], name).tolist() == pytest.approx([1.0], abs=1e-6)


def test_ahash_to_the_letter() -> None:
    """8 x 8, 64 grey levels, mean, one bit a pixel: on a picture of that size, where nothing is shrunk."""
    grey = np.random.default_rng(0).integers(0, 256, (8, 8)).astype(np.uint8)
    levels = [int(v) // 4 for v in grey.ravel()]
    mean = sum(levels) / 64
    expected = [level >= mean for level in levels]
    found = np.unpackbits(hashes.average_hash(grey).view(np.uint8))
    assert found.astype(bool).tolist() == expected
    assert 0 < sum(expected) < 64


def test_ahash_sees_64_levels_only() -> None:
    grey = np.random.default_rng(1).integers(0, 64, (8, 8)).astype(np.uint8) * 4
    assert hashes.average_hash(grey) == hashes.average_hash(grey + np.uint8(3))


def test_dhash_tells_where_it_gets_brighter() -> None:
    columns = np.tile(np.array([0, 10, 10, 5, 50, 60, 20, 30, 30], np.uint8), (8, 1))
    bits = np.unpackbits(hashes.gradient_hash(columns).view(np.uint8)).reshape(8, 8)
    assert bits.tolist() == [[1, 0, 0, 1, 1, 0, 1, 0]] * 8


@pytest.mark.parametrize("shape", [(32, 32), (200, 100), (9, 700), (700, 2)])
def test_shrinking_keeps_the_mean(shape: tuple[int, int]) -> None:
    """Every pixel counts alike: picking single ones would lose the stripes."""
    grey = np.zeros(shape, np.uint8)
    grey[::2] = 200
    assert hashes.shrink(grey, 8, 8).mean() == pytest.approx(grey.mean(), abs=12)


def test_hashes_are_those_of_opencv_where_the_size_fits(scenes: list[U8]) -> None:
    """At the very size on which img_hash works, shrinking first changes nothing."""
    for side, name, algorithm in [(32, "phash", IMG_HASH.pHash), (256, "blockmean", IMG_HASH.blockMeanHash)]:
        picture = cv2.resize(scenes[0], (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
        expected = algorithm(np.ascontiguousarray(picture[..., ::-1])).ravel()
        assert hashes.describe(picture)[name].view(np.uint8).tolist() == expected.tolist()


def test_radial_and_moments_are_those_of_opencv(scenes: list[U8]) -> None:
    picture = cv2.resize(scenes[1], (256, 192), interpolation=cv2.INTER_AREA).astype(np.uint8)
    blue_first = np.ascontiguousarray(picture[..., ::-1])
    rows = hashes.describe(picture)
    assert rows["radial"].tolist() == cv2.img_hash.radialVarianceHash(blue_first).ravel().tolist()
    expected = cv2.img_hash.colorMomentHash(blue_first).ravel()
    assert rows["moments"].tolist() == expected.astype(np.float32).tolist()
    assert not np.allclose(expected[7:], cv2.img_hash.colorMomentHash(picture).ravel()[7:], rtol=0.01, atol=0)


# -- Comparing: img_hash's own compare --------------------------------------------------------------------------------


def test_bits_that_differ_are_opencvs_distance(stored: dict[str, NDArray[np.uint64]]) -> None:
    for name, algorithm in [("phash", IMG_HASH.PHash_create()), ("blockmean", IMG_HASH.BlockMeanHash_create())]:
        rows = stored[name]
        expected = [algorithm.compare(rows[0].view(np.uint8)[None], row.view(np.uint8)[None]) for row in rows]
        assert hashes.distances(rows[0], rows).tolist() == expected
        n_bits = 64 * rows.shape[1]
        assert hashes.similarity(rows[0], rows, name).tolist() == [1 - d / n_bits for d in expected]


def test_radial_is_opencvs_peak_of_the_correlation(stored: dict[str, NDArray[np.uint8]]) -> None:
    rows, algorithm = stored["radial"], IMG_HASH.RadialVarianceHash_create()
    expected = [algorithm.compare(rows[2][None], row[None]) for row in rows]
    assert hashes.similarity(rows[2], rows, "radial").tolist() == pytest.approx(expected, abs=1e-6)


def test_radial_does_not_see_a_shift() -> None:
    row = np.random.default_rng(0).integers(0, 256, 40).astype(np.uint8)
    shifted = np.stack([np.roll(row, by) for by in range(40)])
    assert hashes.similarity(row, shifted, "radial").tolist() == pytest.approx([1.0] * 40, abs=1e-6)


def test_hashes_without_variance_are_alike_and_unlike_others() -> None:
    rows = np.stack([np.zeros(40), np.full(40, 7), np.arange(40)]).astype(np.uint8)
    assert hashes.similarity(rows[0], rows, "radial").tolist() == [1, 1, 0]
    assert hashes.similarity(rows[2], rows, "radial").tolist() == pytest.approx([0, 0, 1])


def test_moments_are_as_far_as_opencv_says(stored: dict[str, NDArray[np.float32]]) -> None:
    rows, algorithm = stored["moments"], IMG_HASH.ColorMomentHash_create()
    precise = rows.astype(np.float64)
    distance = np.array([algorithm.compare(precise[1][None], row[None]) for row in precise])
    assert hashes.similarity(rows[1], rows, "moments").tolist() == pytest.approx(
        (1 / (1 + distance)).tolist(), rel=1e-5
    )
    assert len(set(distance)) == N_SCENES


def test_moments_do_not_see_a_mirror(scenes: list[U8], stored: dict[str, NDArray[np.float32]]) -> None:
    mirrored = hashes.describe(np.ascontiguousarray(scenes[4][:, ::-1]))["moments"]
    alike = hashes.similarity(mirrored, stored["moments"], "moments")
    assert alike.argmax() == 4
    assert alike[4] > 0.99


# -- Comparing: many rows ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("width", [1, 2, 4, 5])
@pytest.mark.parametrize("n", [0, 1, 7, 40_001])
def test_distances_are_those_of_numpy(n: int, width: int) -> None:
    rows, query = random_hashes(n, width), random_hashes(1, width, seed=1)[0]
    expected = np.bitwise_count(rows ^ query).sum(axis=1)
    assert hashes.distances(query, rows).tolist() == expected.tolist()


def test_similarities_of_many_rows_are_those_of_their_distances() -> None:
    """More rows than a thread's share and a block."""
    rows = random_hashes(140_001, 1)
    distance = hashes.distances(rows[5], rows)
    assert hashes.similarity(rows[5], rows, "dhash").tolist() == (1 - distance / 64).tolist()


@pytest.mark.parametrize("name", ["radial", "moments"])
def test_rows_are_compared_alike_in_any_company(name: str) -> None:
    dtype, shape = hashes.ARRAYS[name]
    rows = np.random.default_rng(0).integers(0, 256, (9_000, *shape)).astype(dtype)
    together = hashes.similarity(rows[8_500], rows, name)
    alone = [hashes.similarity(rows[8_500], rows[i : i + 1], name)[0] for i in (0, 4_095, 4_096, 8_500, 8_999)]
    assert together[[0, 4_095, 4_096, 8_500, 8_999]].tolist() == alone
    assert together.argmax() == 8_500


def test_a_read_only_map_of_rows_will_do(stored: dict[str, NDArray[np.generic]]) -> None:
    for name, rows in stored.items():
        frozen = rows.copy()
        frozen.flags.writeable = False
        assert hashes.similarity(frozen[3], frozen, name).argmax() == 3


def test_another_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"expected one of ahash, .*moments, found 'whash'"):
        hashes.similarity(random_hashes(1, 1)[0], random_hashes(1, 1), "whash")


# -- What it means ----------------------------------------------------------------------------------------------------


def test_ahash_is_sure_up_to_5_and_beyond_10_bits() -> None:
    for differing in range(65):
        query = random_hashes(1, 1)[0]
        other = query ^ np.uint64((1 << differing) - 1)
        verdict = hashes.verdict("ahash", hashes.similarity(query, other[None], "ahash")[0])
        assert verdict == ("same" if differing <= 5 else "maybe" if differing <= 10 else "no")


def test_other_hashes_have_no_verdict() -> None:
    assert {hashes.verdict(name, 1.0) for name in HASHES if name != "ahash"} == {"unverified"}


def changed(picture: U8, long_side: int, quality: int) -> U8:
    """Resized and encoded as JPEG."""
    scale = long_side / max(picture.shape)
    small = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize(("long_side", "quality"), [(320, 60), (160, 85), (100, 95), (512, 80)])
def test_a_picture_resized_and_encoded_anew_keeps_its_hashes_near(
    scenes: list[U8], stored: dict[str, NDArray[np.generic]], long_side: int, quality: int
) -> None:
    for i in range(0, N_SCENES, 3):
        copy = hashes.describe(changed(scenes[i], long_side, quality))
        for name, rows in stored.items():
            alike = hashes.similarity(copy[name], rows, name)
            assert alike.argmax() == i, name
            assert name not in BIT_HASHES or alike[i] >= 0.92, name
        assert hashes.verdict("ahash", float(hashes.similarity(copy["ahash"], stored["ahash"], "ahash")[i])) == "same"
