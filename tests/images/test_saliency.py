"""saliency: a planted object is found, moves with its place and size, and nothing is found where nothing is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.images.saliency import barrier_distance, best_rectangle, find_subject, spectral_residual
from bof.types import F32, U8, Box
from tests.support.scenes import draw_scene

WIDTH, HEIGHT = 480, 360
PLACES: list[Box] = [(170, 120, 330, 250), (40, 60, 180, 160), (300, 200, 430, 330)]


def plain_ground() -> U8:
    return np.full((HEIGHT, WIDTH, 3), (120, 130, 110), np.uint8)


def textured_ground() -> U8:
    noise = np.random.default_rng(3).normal(0, 12, (HEIGHT, WIDTH, 3))
    return np.clip(plain_ground() + noise, 0, 255).astype(np.uint8)


GROUNDS = {"plain": plain_ground, "textured": textured_ground}


def plant(ground: U8, place: Box, kind: str) -> U8:
    """The ground with an object on it: bright, coloured or full of shapes."""
    x0, y0, x1, y1 = (int(side) for side in place)
    picture = ground.copy()
    if kind == "shapes":
        picture[y0:y1, x0:x1] = draw_scene(1, x1 - x0, y1 - y0)
    else:
        picture[y0:y1, x0:x1] = {"bright": (235, 235, 235), "coloured": (190, 60, 50)}[kind]
    return picture


def iou(a: Box, b: Box) -> float:
    masks = [np.zeros((HEIGHT, WIDTH), np.bool_) for _ in range(2)]
    for mask, (x0, y0, x1, y1) in zip(masks, (a, b), strict=True):
        mask[round(y0) : round(y1), round(x0) : round(x1)] = True
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def found(pixels: U8) -> Box:
    box = find_subject(pixels)
    assert box is not None
    return box


# -- Where something is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["bright", "coloured", "shapes"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_planted_object_is_found(ground: str, kind: str, place: Box) -> None:
    assert iou(found(plant(GROUNDS[ground](), place, kind)), place) >= 0.5


def test_colour_alone_is_enough() -> None:
    colours = np.array([[[150, 90, 90], [90, 118, 120]]], np.uint8)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    assert abs(int(grey[0, 0]) - int(grey[0, 1])) <= 2
    picture = np.full((HEIGHT, WIDTH, 3), colours[0, 1], np.uint8)
    picture[120:250, 170:330] = colours[0, 0]
    assert iou(found(picture), PLACES[0]) >= 0.5


@pytest.mark.parametrize(("dx", "dy"), [(60, 0), (-75, 30), (0, -60)])
def test_the_box_moves_with_the_object(dx: int, dy: int) -> None:
    x0, y0, x1, y1 = PLACES[0]
    before = found(plant(plain_ground(), PLACES[0], "shapes"))
    after = found(plant(plain_ground(), (x0 + dx, y0 + dy, x1 + dx, y1 + dy), "shapes"))
    cell = WIDTH / 64
    assert np.abs(np.array(after) - before - (dx, dy, dx, dy)).max() <= 2 * cell


@pytest.mark.parametrize("factor", [2, 3])
def test_a_larger_picture_has_a_larger_box(factor: int) -> None:
    picture = plant(textured_ground(), PLACES[1], "shapes")
    large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    assert np.allclose(found(large), factor * np.array(found(picture)), atol=factor * WIDTH / 64)


def test_a_turned_picture_has_a_turned_box() -> None:
    picture = plant(plain_ground(), PLACES[2], "shapes")
    x0, y0, x1, y1 = found(np.ascontiguousarray(picture[::-1, ::-1]))
    assert iou((WIDTH - x1, HEIGHT - y1, WIDTH - x0, HEIGHT - y0), found(picture)) >= 0.8


@pytest.mark.parametrize("seed", range(4))
def test_the_box_lies_within_the_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(90, 700, 2))
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 2 :, width // 3 :] = draw_scene(seed, width - width // 3, height - height // 2)
    x0, y0, x1, y1 = found(picture)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height


# -- Where nothing is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_flat_picture_has_no_subject(value: int) -> None:
    assert find_subject(np.full((HEIGHT, WIDTH, 3), value, np.uint8)) is None


def test_faint_noise_has_no_subject() -> None:
    noise = np.random.default_rng(0).integers(118, 124, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert find_subject(noise) is None


def test_an_object_that_fills_the_picture_is_no_subject() -> None:
    assert find_subject(plant(plain_ground(), (6, 6, WIDTH - 6, HEIGHT - 6), "bright")) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 500), (500, 3), (7, 7)])
def test_a_tiny_or_narrow_picture_has_no_subject(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert find_subject(noise) is None
    assert find_subject(noise[..., 0]) is None


# -- The same for the same --------------------------------------------------------------------------------------------


def test_grey_is_as_rgb_of_that_grey() -> None:
    grey = cv2.cvtColor(plant(textured_ground(), PLACES[0], "shapes"), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    assert found(grey) == found(np.repeat(grey[..., None], 3, axis=2))


def test_the_same_pixels_give_the_same_box_and_stay_as_they_are() -> None:
    picture = plant(textured_ground(), PLACES[0], "shapes")
    picture.flags.writeable = False
    before, first = picture.copy(), found(picture)
    assert found(np.asfortranarray(picture)) == first == found(picture)
    assert np.array_equal(picture, before)


# -- Parts ------------------------------------------------------------------------------------------------------------


def best_by_brute_force(gain: F32) -> float:
    height, width = gain.shape
    return max(
        float(gain[y0:y1, x0:x1].sum(dtype=np.float64))
        for y0 in range(height)
        for y1 in range(y0 + 1, height + 1)
        for x0 in range(width)
        for x1 in range(x0 + 1, width + 1)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("offset", [0.0, -2.0, 2.0])
def test_the_rectangle_is_the_best_of_all(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    gain = (rng.integers(-4, 5, rng.integers(1, 8, 2)) + offset).astype(np.float32)
    x0, y0, x1, y1 = best_rectangle(gain)
    assert x0 < x1
    assert y0 < y1
    assert gain[y0:y1, x0:x1].sum() == best_by_brute_force(gain)


def test_a_ring_is_a_barrier_as_high_as_it_is() -> None:
    picture = np.full((30, 40, 3), 50, np.uint8)
    cv2.rectangle(picture, (10, 8), (28, 22), (90, 50, 50), 2)
    distance = barrier_distance(picture)
    assert distance[15, 20] == 40  # shut in: every path to the border climbs the ring
    assert distance[4, 4] == 0
    picture[15, 20:, 0] = 50
    assert barrier_distance(picture)[15, 20] == 0  # a gap lets it out


def test_a_flat_channel_has_no_residual() -> None:
    lab = np.full((48, 64, 3), 128, np.uint8)
    assert not spectral_residual(lab).any()
    lab[20:30, 30:40, 0] = 200
    one = spectral_residual(lab)
    assert one.max() > 0
    lab[..., 1] = 7
    assert np.array_equal(spectral_residual(lab), one)
