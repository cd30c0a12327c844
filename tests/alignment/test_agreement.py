"""Where two pictures are laid over each other, pixels say how much of them is the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.alignment.agreement import MEASURES, agree
from bof.geometry import transforms
from bof.images.decode import Picture
from bof.types import F64, U8, Agreement
from tests.support.scenes import draw_scene, warp

SIZE = 640, 480


def picture(pixels: U8) -> Picture:
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


def scene(seed: int) -> U8:
    return draw_scene(seed, *SIZE)


def with_card(frame: int, content: int) -> U8:
    """One scene as a frame, another inside it."""
    pixels = scene(frame)
    pixels[120:360, 160:480] = scene(content)[120:360, 160:480]
    return pixels


def compared(one: U8, other: U8, other_from_one: F64 | None = None) -> Agreement:
    x, y = np.meshgrid(np.linspace(40, 600, 8), np.linspace(40, 440, 6))
    points = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    found = agree(picture(one), picture(other), np.eye(3) if other_from_one is None else other_from_one, points)
    assert found is not None
    return found


def measure(found: Agreement, name: str) -> float:
    return float(found.measures[MEASURES.index(name)])


def test_a_picture_agrees_with_itself_everywhere() -> None:
    found = compared(scene(1), scene(1))
    assert (found.query_overlap, found.hit_overlap) == (1.0, 1.0)
    assert found.n_differing == 0
    assert len(found.measures) == len(MEASURES)
    assert np.nanmin(found.correlation) > 0.99


def test_another_scene_does_not_agree() -> None:
    found = compared(scene(1), scene(2))
    assert measure(found, "agree all") < 0.3
    assert found.query_overlap < 0.3


def test_other_content_in_one_frame_is_found_where_it_is() -> None:
    found = compared(with_card(1, 2), with_card(1, 3))
    inside, outside = found.correlation[10:22, 10:22], np.delete(found.correlation, np.s_[7:25], axis=1)
    assert np.nanmedian(inside) < 0.5 < 0.95 < np.nanmedian(outside)
    assert 0.3 < found.query_overlap < 0.95
    assert measure(found, "breaks all") > 0 or measure(found, "largest difference") > 0.05


def test_light_contrast_blur_and_noise_are_no_difference() -> None:
    one = scene(4)
    other = cv2.GaussianBlur(np.clip(one * 0.6 + 40, 0, 255).astype(np.uint8), (0, 0), 1.5)
    noise = np.random.default_rng(0).normal(0, 3, other.shape)
    found = compared(one, np.clip(other + noise, 0, 255).astype(np.uint8))
    assert measure(found, "agree all") > 0.9


def test_a_turned_picture_agrees_by_its_transform() -> None:
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 120.0], [np.sin(angle), np.cos(angle), -60.0], [0, 0, 1]])
    found = compared(scene(5), warp(scene(5), turn), turn)
    assert measure(found, "agree all") > 0.9
    assert found.query_region is not None
    assert found.hit_region is not None
    assert np.allclose(found.hit_region, transforms.apply(turn, found.query_region))


def test_colour_counts_where_both_have_it() -> None:
    one = scene(6)
    assert measure(compared(one, one[..., ::-1].copy()), "tint all") > measure(compared(one, one), "tint all") + 0.5
    grey = cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)
    assert measure(compared(one, np.asarray(grey, np.uint8)), "agree all") > 0.95


SENSELESS = {
    "no transform": np.zeros((3, 3)),
    "far away": np.array([[1.0, 0, 5000], [0, 1, 0], [0, 0, 1]]),
    "behind the horizon": np.array([[1.0, 0, 0], [0, 1, 0], [0.01, 0, -1]]),
}


@pytest.mark.parametrize("transform", SENSELESS.values(), ids=SENSELESS.keys())
def test_a_senseless_transform_leaves_nothing_in_common(transform: F64) -> None:
    points = np.zeros((4, 2), np.float32)
    assert agree(picture(scene(1)), picture(scene(1)), transform.astype(np.float64), points) is None
