"""bof.geometry.transforms: points mapped by a transform."""

from __future__ import annotations

import numpy as np
import pytest

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
