"""A template is what more than some pictures have at one place; what a few have there, or many elsewhere, is reuse."""

from __future__ import annotations

import numpy as np
import pytest

from bof.reuse.template import outside_template
from bof.types import F64, Correspondences, Geometry, Verification

SIZE = (900, 1200)
N = 400


def page() -> Geometry:
    """Features all over a page: the first hundred along its top."""
    rng = np.random.default_rng(0)
    xy = rng.uniform((0, 200), SIZE, (N, 2))
    xy[:100, 1] = rng.uniform(0, 90, 100)
    ones = np.ones(N, np.float32)
    return Geometry(xy.astype(np.float32), ones, ones, *SIZE)


def verified(rows: range, transform: F64) -> Verification:
    matches = Correspondences(np.array(rows, np.int32), np.zeros(len(rows), np.uint16), np.ones(len(rows)))
    return Verification(len(rows), float(len(rows)), 0.1, transform, matches)


def moved(x: float = 0.0, y: float = 0.0, scale: float = 1.0) -> F64:
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])


@pytest.mark.parametrize(("n_images", "is_template"), [(8, False), (9, True), (40, True)])
def test_more_than_so_many_pictures_make_a_template(n_images: int, is_template: bool) -> None:
    query = page()
    found = {image: verified(range(100), moved(5.0, -4.0)) for image in range(n_images)}
    left = outside_template(query, found, [SIZE] * n_images, 8)
    assert (left is not None) == is_template
    if left is not None:
        assert 250 < len(left) <= 300
        assert query.xy_px[left, 1].min() > 90


def test_a_page_of_another_size_has_the_template_at_the_same_place() -> None:
    found = {image: verified(range(100), moved(scale=2.0)) for image in range(9)}
    assert outside_template(page(), found, [(1800, 2400)] * 9, 8) is not None
    assert outside_template(page(), found, [SIZE] * 9, 8) is None


@pytest.mark.parametrize("transform", [moved(200.0), moved(0.0, 300.0), moved(scale=1.5), np.diag([-1.0, 1.0, 1.0])])
def test_what_lies_elsewhere_is_reuse(transform: F64) -> None:
    found = {image: verified(range(100), transform) for image in range(30)}
    assert outside_template(page(), found, [SIZE] * 30, 8) is None


def test_copies_of_a_whole_page_are_no_template() -> None:
    found = {image: verified(range(N), moved()) for image in range(30)}
    assert outside_template(page(), found, [SIZE] * 30, 8) is None


def test_a_few_points_and_no_transform_say_nothing() -> None:
    found = {image: verified(range(5), moved()) for image in range(30)}
    found |= {40 + i: Verification(0, 0.0, 0.0, None, verified(range(0), moved()).inliers) for i in range(30)}
    assert outside_template(page(), found, [SIZE] * 60, 8) is None
