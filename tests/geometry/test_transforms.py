"""bof.geometry.transforms: points mapped by a transform."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.geometry import transforms
from bof.geometry.transforms import apply
from bof.types import F64

AFFINE = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.0, 0.0, 1.0]])
HOMOGRAPHY = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.2, -0.15, 1.0]])


def map_slowly(transform: F64, x: float, y: float) -> tuple[float, float]:
    u, v, w = (float(row[0] * x + row[1] * y + row[2]) for row in transform)
    return u / w, v / w


@pytest.mark.parametrize("transform", [np.eye(3), AFFINE, HOMOGRAPHY])
def test_apply_divides_by_the_depth(transform: F64) -> None:
    xy = np.random.default_rng(0).random((20, 2))
    assert np.allclose(apply(transform, xy), [map_slowly(transform, x, y) for x, y in xy], atol=1e-12)
    assert apply(transform, np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("seed", range(60))
def test_a_picture_lies_in_another_where_its_points_do(seed: int) -> None:
    """Against the definition, point by point: also of transforms that look at a picture from behind."""
    rng = np.random.default_rng(seed)
    source, target = (80, 60), (100, 70)
    turn = np.eye(3) + rng.normal(0, [[0.5, 0.5, 40], [0.5, 0.5, 40], [0.008, 0.008, 0]])
    outline = transforms.lies_in(turn, source, target)
    x, y = np.meshgrid(np.arange(100.0), np.arange(70.0))
    back = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)]) @ np.linalg.inv(turn).T
    before_viewer = back[:, 2] > 0  # of the inverse exactly when of the transform
    place = back[:, :2] / back[:, 2:]
    inside = before_viewer & (place > -0.5).all(axis=1) & (place < np.array(source) - 0.5).all(axis=1)
    if outline is None:
        assert inside.sum() <= 2
        return
    assert (outline >= -0.5 - 1e-6).all()
    assert (outline <= np.array(target) - 0.5 + 1e-6).all()
    polygon = outline.astype(np.float32).reshape(-1, 1, 2)
    distance = [cv2.pointPolygonTest(polygon, (float(a), float(b)), True) for a, b in zip(x.flat, y.flat, strict=True)]
    clear = np.abs(distance) > 0.05
    np.testing.assert_array_equal((np.array(distance) > 0)[clear], inside[clear])


def test_a_picture_elsewhere_lies_nowhere() -> None:
    away = np.array([[1.0, 0, 500], [0, 1, 0], [0, 0, 1]])
    assert transforms.lies_in(away, (80, 60), (100, 70)) is None
    whole = transforms.lies_in(np.eye(3), (80, 60), (100, 70))
    assert whole is not None
    np.testing.assert_allclose(whole, transforms.corners((0, 0, 80, 60)))
