"""Where points and pixels agree is where the part lies."""

from __future__ import annotations

import numpy as np
import pytest

from bof.reuse.outlines import area, hull, intersection


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def test_the_hull_is_around_all_points() -> None:
    points = np.array([[0, 0], [10, 0], [5, 4], [10, 10], [0, 10]], np.float32)
    assert area(hull(points)) == 100.0
    assert len(hull(points)) == 4


def test_what_is_in_both_is_left() -> None:
    common = intersection(box(0, 0, 100, 100), box(40, 0, 300, 100))
    assert common is not None
    assert area(common) == pytest.approx(6000.0)


@pytest.mark.parametrize("pixels", [box(200, 200, 300, 300), box(90, 0, 300, 100)])
def test_hardly_anything_in_both_says_nothing(pixels: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    assert intersection(box(0, 0, 100, 100), pixels) is None
