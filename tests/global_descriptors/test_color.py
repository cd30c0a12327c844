"""Colour histograms: regions and bins as they are meant, OpenCV's comparisons as oracles, the same bits everywhere."""

from __future__ import annotations

import colorsys
import math

import cv2
import numpy as np
import pytest

from bof import native
from bof.errors import OptionError
from bof.global_descriptors import color
from bof.system.threads import set_threads
from bof.types import F32, U8
from tests.support.scenes import draw_scene

N_SCENES = 6


@pytest.fixture(scope="module")
def stored() -> dict[str, U8]:
    """The rows of some scenes."""
    rows = [color.describe(draw_scene(seed)) for seed in range(N_SCENES)]
    return {name: np.stack([row[name] for row in rows]) for name in color.ARRAYS}


def made_rows(n: int, n_bins: int, seed: int = 0) -> U8:
    """Codes of random shares, with blocks of bins that are empty, and a row that has nothing at all."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (n, n_bins)) * (rng.random((n, n_bins)) < 0.4)
    blocks = rng.random((n, n_bins // 16)) < 0.6
    rows = (rows.reshape(n, -1, 16) * blocks[..., None]).reshape(n, n_bins)
    rows[n // 2] = 0
    return rows.astype(np.uint8)


# -- What is stored ---------------------------------------------------------------------------------------------------

ODD_PICTURES = {
    "empty": np.zeros((5, 0, 3), np.uint8),
    "one pixel": np.full((1, 1, 3), 9, np.uint8),
    "black": np.zeros((40, 60, 3), np.uint8),
    "flat": np.full((300, 512, 3), 128, np.uint8),
    "grey": np.repeat(draw_scene(1)[..., :1], 3, axis=2),
    "very wide": draw_scene(2, 512, 8)[:1],
    "very tall": draw_scene(3, 8, 512)[:, :1],
}


@pytest.mark.parametrize("kind", ODD_PICTURES)
def test_any_picture_gives_rows_that_are_alike_themselves(kind: str) -> None:
    rows = color.describe(ODD_PICTURES[kind])
    assert list(rows) == list(color.ARRAYS)
    for name, (dtype, shape) in color.ARRAYS.items():
        assert (rows[name].dtype, rows[name].shape) == (np.dtype(dtype), shape)
        for metric in color.METRICS:
            assert color.similarity(rows[name], rows[name][None], metric).tolist() == pytest.approx([1.0], abs=1e-6)


@pytest.mark.parametrize(
    "rgb", [(250, 10, 10), (10, 250, 10), (90, 80, 200), (30, 30, 28), (255, 255, 255), (250, 240, 5)]
)
def test_a_flat_picture_has_one_bin_in_every_region(rgb: tuple[int, int, int]) -> None:
    hue, saturation, value = colorsys.rgb_to_hsv(*(v / 255 for v in rgb))
    bins = int(hue * 8), min(int(saturation * 12), 11), min(int(value * 3), 2)
    expected = np.zeros((5, 8, 12, 3))
    expected[:, bins[0], bins[1], bins[2]] = 255
    rows = color.describe(np.full((30, 40, 3), rgb, np.uint8))
    assert rows["color"].tolist() == expected.ravel().tolist()
    assert rows["histogram"].tolist() == expected[0].ravel().tolist()


@pytest.mark.parametrize(("height", "width"), [(48, 64), (33, 7), (1, 50), (2, 2)])
def test_regions_are_an_ellipse_and_four_corners(height: int, width: int) -> None:
    expected = np.empty((height, width), int)
    for y in range(height):
        for x in range(width):
            right, down = (x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5
            inside = (right / 0.375) ** 2 + (down / 0.375) ** 2 <= 1
            expected[y, x] = 0 if inside else 1 + (right >= 0) + 2 * (down >= 0)
    assert color.regions(height, width).tolist() == expected.tolist()


def test_the_ellipse_covers_its_share_of_the_picture() -> None:
    assert np.mean(color.regions(300, 400) == 0) == pytest.approx(np.pi * 0.375**2, rel=0.01)


def test_counts_are_those_of_a_mask_for_each_region() -> None:
    picture = draw_scene(0)
    hsv, region = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV), color.regions(*picture.shape[:2])
    counts = color.count(picture)
    for r in range(5):
        mask = (region == r).astype(np.uint8)
        expected = cv2.calcHist([hsv], [0, 1, 2], mask, [8, 12, 3], [0, 180, 0, 256, 0, 256])
        assert counts[r].tolist() == expected.ravel().tolist()
    assert counts.sum() == picture.shape[0] * picture.shape[1]


def test_codes_are_roots_of_shares_within_half_a_step() -> None:
    counts = np.random.default_rng(0).integers(0, 1000, (5, 288)).astype(float) ** 2
    share = counts / counts.sum(axis=1, keepdims=True)
    codes = color.encode(counts).reshape(5, 288)
    assert np.abs(codes / 255 - np.sqrt(share)).max() <= 0.5 / 255 + 1e-12
    assert codes.min() == 0 < codes.max()


def test_a_corner_that_changes_changes_its_region_alone() -> None:
    picture = draw_scene(1)
    other = picture.copy()
    other[-20:, -20:] = (255, 0, 0)
    before, after = (color.describe(p)["color"].reshape(5, 288) for p in (picture, other))
    assert [bool((a != b).any()) for a, b in zip(before, after, strict=True)] == [False] * 4 + [True]


# -- Comparing --------------------------------------------------------------------------------------------------------


def in_opencv(metric: str, query: F32, row: F32) -> float:
    """cv2.compareHist of shares that add up to one, as a similarity."""
    how = {
        "chi-square": cv2.HISTCMP_CHISQR_ALT,
        "correlation": cv2.HISTCMP_CORREL,
        "intersection": cv2.HISTCMP_INTERSECT,
        "bhattacharyya": cv2.HISTCMP_BHATTACHARYYA,
    }
    if metric == "euclidean":
        return 1 - float(cv2.norm(query, row, cv2.NORM_L2)) / math.sqrt(2)
    found = cv2.compareHist(query, row, how[metric])
    return {"chi-square": 1 - found / 4, "bhattacharyya": 1 - found}.get(metric, max(found, 0.0))


@pytest.mark.parametrize("metric", color.METRICS)
def test_metrics_are_opencvs(metric: str) -> None:
    """On histograms of two pictures, mixed; rounding to codes leaves the shares of each a little off one."""
    counts = [color.count(draw_scene(seed)).sum(axis=0, keepdims=True) for seed in range(2)]
    mixed = [counts[0] * (1 - part) + counts[1] * part for part in np.linspace(0, 1, 7)]
    rows = np.stack([color.encode(m) for m in mixed])
    shares = np.stack([m.ravel() / m.sum() for m in mixed]).astype(np.float32)
    expected = [in_opencv(metric, shares[0], row) for row in shares]
    assert color.similarity(rows[0], rows, metric).tolist() == pytest.approx(expected, abs=0.015)
    assert expected[0] == pytest.approx(1.0, abs=1e-5)
    assert max(np.diff(expected)) < -0.015


def alike_in_numpy(metric: str, query: U8, row: U8) -> float:
    """Of one region, as the definitions are written."""
    p, q = query.astype(np.float64) ** 2, row.astype(np.float64) ** 2
    of_query, of_row = max(float(p.sum()), 1.0), max(float(q.sum()), 1.0)
    if metric == "correlation":
        spread = len(p) ** 2 * p.var() * q.var()
        return max(float(((p - p.mean()) * (q - q.mean())).sum() / math.sqrt(spread)), 0.0) if spread else 0.0
    return {
        "chi-square": 1 - float(((p - q) ** 2 / np.maximum(p + q, 1)).sum()) / (2 * of_query),
        "euclidean": 1 - float(((p - q) ** 2).sum()) / (2 * 255**2 * of_query),
        "intersection": float(np.minimum(p, q).sum()) / of_query,
        "bhattacharyya": float(np.sqrt(p * q).sum()) / math.sqrt(of_query * of_row),
    }[metric]


def similarity_in_numpy(metric: str, query: U8, row: U8) -> float:
    n_regions = 5 if len(query) == 1440 else 1
    parts = zip(query.reshape(n_regions, -1), row.reshape(n_regions, -1), strict=True)
    middle = math.pi * 0.375**2
    areas = [middle, *[(1 - middle) / 4] * 4] if n_regions > 1 else [0.5]
    total = weight = 0.0
    for area, (p, q) in zip(areas, parts, strict=True):
        if p.any():
            weight += area / (1 - area)
            total += area / (1 - area) * min(max(alike_in_numpy(metric, p, q), 0.0), 1.0)
    total /= max(weight, 1e-9)
    return 1 - math.sqrt(max(1 - total, 0.0)) if metric in ("euclidean", "bhattacharyya") else total


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("metric", color.METRICS)
@pytest.mark.parametrize("n_bins", [16, 288, 1440])
@pytest.mark.parametrize("lacking", [[], [1], [0, 3], [0, 1, 2, 3, 4]])
def test_the_compiled_similarities_are_those_of_numpy(metric: str, n_bins: int, lacking: list[int]) -> None:
    """Also where the query, and a row, lack regions."""
    rows, query = made_rows(50, n_bins), max(made_rows(9, n_bins, seed=1), key=np.count_nonzero)
    for region in lacking if n_bins == 1440 else []:
        query.reshape(5, -1)[region] = 0
        rows[7].reshape(5, -1)[region - 1] = 0
    expected = [similarity_in_numpy(metric, query, row) for row in rows]
    np.testing.assert_allclose(color.similarity(query, rows, metric), expected, rtol=3e-6, atol=1e-6)


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("metric", color.METRICS)
def test_every_processor_gives_the_same_bits(metric: str) -> None:
    rows, query = made_rows(60, 1440), made_rows(3, 1440, seed=1)[0]
    here = color.similarity(query, rows, metric)
    used = native.limit_processor(0)
    assert used == 0
    assert color.similarity(query, rows, metric).tobytes() == here.tobytes()


@pytest.mark.parametrize("metric", color.METRICS)
def test_threads_and_company_change_nothing(metric: str) -> None:
    rows = made_rows(3_000, 1440)
    together = color.similarity(rows[7], rows, metric)
    set_threads(1)
    try:
        assert color.similarity(rows[7], rows, metric).tobytes() == together.tobytes()
    finally:
        set_threads(1 << 10)
    assert color.similarity(rows[7], rows[2_000:2_001], metric)[0] == together[2_000]


@pytest.mark.parametrize("metric", color.METRICS)
@pytest.mark.parametrize("name", color.ARRAYS)
def test_a_picture_is_most_like_itself_then_its_copy(metric: str, name: str, stored: dict[str, U8]) -> None:
    copy = cv2.resize(draw_scene(2), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA).astype(np.uint8)
    rows = np.concatenate([stored[name], color.describe(copy)[name][None]])
    rows.flags.writeable = False
    alike = color.similarity(rows[2], rows, metric)
    assert alike[2] == pytest.approx(1.0, abs=1e-6)
    assert np.argsort(-alike, kind="stable")[:2].tolist() == [2, N_SCENES]
    assert alike.min() >= 0.0


def test_colours_that_nothing_shares_are_as_different_as_can_be() -> None:
    red, blue = (color.describe(np.full((20, 30, 3), rgb, np.uint8))["color"] for rgb in [(255, 0, 0), (0, 0, 255)])
    for metric in color.METRICS:
        assert color.similarity(red, np.stack([blue, red]), metric).tolist() == pytest.approx([0.0, 1.0], abs=1e-6)


def test_no_rows_give_no_similarities() -> None:
    assert color.similarity(made_rows(3, 288)[0], np.empty((0, 288), np.uint8)).shape == (0,)


def test_another_metric_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"expected one of chi-square, .*bhattacharyya, found 'emd'"):
        color.similarity(made_rows(3, 288)[0], made_rows(3, 288), "emd")
