"""Cluttered scenes made by program: a photograph lies as an object on other photographs, and where it lies is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from bof.geometry import transforms
from bof.types import F32, F64, U8, Box

GROUNDS = ("plain", "blurred", "sharp", "patches")
"""What the object lies on: one colour with noise, a photograph out of focus, a photograph, one strewn with pieces."""

EDGES = ("bare", "framed", "feathered")
"""How the object ends: cut off, with a border of one colour, fading into the ground."""

WIDTH, HEIGHT = 640, 480
_N_PATCHES = 6
_SHARES = (0.10, 0.45)
_TURN_DEG = 15.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture RGB u8 (HEIGHT, WIDTH, 3), the object's corners f64 (4, 2) in it and the box around them.

    Corners and box count from the left and top edge: pixel i spans i to i + 1.
    """

    pixels: U8
    corners: F64
    box: Box


def compose(thing: U8, photographs: Sequence[U8], ground: str, edge: str, rng: Generator) -> Scene:
    """Lay a photograph RGB u8 (h, w, 3), turned by up to 15 degrees, on a ground; wholly inside, anywhere.

    It takes a tenth to nearly a half of the scene's area. photographs: the first is the ground, pieces of the others
    lie on it, below the object.
    """
    canvas = _lay_ground(photographs, ground, rng)
    height, width = thing.shape[:2]
    scene_from_thing = _placement(width, height, rng)
    corners = transforms.apply(scene_from_thing, transforms.corners((0, 0, width, height)) + 0.5)
    pixels = _paste(canvas, _bordered(thing, rng) if edge == "framed" else thing, scene_from_thing, edge == "feathered")
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Scene(pixels, corners, (x0, y0, x1, y1))


def _lay_ground(photographs: Sequence[U8], ground: str, rng: Generator) -> U8:
    if ground == "plain":
        noise = rng.normal(0, 4, (HEIGHT, WIDTH, 1)) + rng.integers(40, 216, 3)
        return np.clip(noise, 0, 255).astype(np.uint8)
    canvas = _filling(photographs[0])
    if ground == "blurred":
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 6), np.uint8)
    if ground == "patches":
        for photograph in photographs[1 : 1 + _N_PATCHES]:
            canvas = _strew(canvas, photograph, rng)
    return canvas


def _filling(photograph: U8) -> U8:
    """The middle of a photograph in the scene's shape and size."""
    height, width = photograph.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    large = cv2.resize(photograph, (max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale))))
    top, left = (large.shape[0] - HEIGHT) // 2, (large.shape[1] - WIDTH) // 2
    return np.asarray(large[top : top + HEIGHT, left : left + WIDTH], np.uint8)


def _strew(canvas: U8, photograph: U8, rng: Generator) -> U8:
    """Lay a piece of a photograph, at most a quarter of it, somewhere on the canvas."""
    height, width = photograph.shape[:2]
    h, w = round(height / 2), round(width / 2)
    top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    piece = photograph[top : top + h, left : left + w]
    scale = float(rng.uniform(60, 140)) / max(h, w)
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.uniform(0, 360)), scale)
    turn[:, 2] += rng.uniform(0, 1, 2) * (WIDTH, HEIGHT) - (w / 2, h / 2)
    return _paste(canvas, piece, np.vstack([turn, [0, 0, 1]]), False)


def _placement(width: int, height: int, rng: Generator) -> F64:
    """scene_from_thing f64 (3, 3), in edge coordinates, for an object of this size."""
    angle = float(rng.uniform(-_TURN_DEG, _TURN_DEG))
    scale = np.sqrt(float(rng.uniform(*_SHARES)) * WIDTH * HEIGHT / (width * height))
    turn = cv2.getRotationMatrix2D((0, 0), angle, 1.0)[:, :2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turn.T
    scale = min(scale, float(((WIDTH, HEIGHT) / np.ptp(corners, axis=0)).min()) * 0.98)
    free = (WIDTH, HEIGHT) - scale * np.ptp(corners, axis=0)
    shift = rng.uniform(0, 1, 2) * free - scale * corners.min(axis=0)
    return np.vstack([np.column_stack([scale * turn, shift]), [0, 0, 1]])


def _bordered(thing: U8, rng: Generator) -> U8:
    """The photograph with its outermost 4 % painted white, black or in a colour."""
    colours = [(250, 250, 250), (15, 15, 15), tuple(rng.integers(0, 256, 3).tolist())]
    margin = round(0.04 * max(thing.shape[:2]))
    framed = np.full_like(thing, colours[int(rng.integers(0, 3))])
    framed[margin:-margin, margin:-margin] = thing[margin:-margin, margin:-margin]
    return framed


def _paste(canvas: U8, piece: U8, scene_from_piece: F64, is_feathered: bool) -> U8:
    """The canvas with the piece on it; feathered: its outermost tenth fades in."""
    height, width = piece.shape[:2]
    cover = _fade(height, width) if is_feathered else np.ones((height, width), np.float32)
    centred = _from_centres(scene_from_piece)
    scale = np.sqrt(np.linalg.det(scene_from_piece[:2, :2]))
    soft = cv2.GaussianBlur(piece, (0, 0), 0.5 / scale) if scale < 0.7 else piece
    opacity = cv2.warpPerspective(cover, centred, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None]
    laid = cv2.warpPerspective(soft, centred, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mixed = canvas * (1 - opacity) + laid * opacity
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _fade(height: int, width: int) -> F32:
    ramp: Callable[[int], F64] = lambda n: np.minimum(np.arange(n) + 0.5, np.arange(n)[::-1] + 0.5)  # noqa: E731
    edge = np.minimum(ramp(height)[:, None], ramp(width)) / (0.1 * min(height, width))
    return np.minimum(edge, 1).astype(np.float32)


def _from_centres(transform: F64) -> F64:
    """The same transform for coordinates that count from the centre of the first pixel, as OpenCV's do."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.asarray(np.linalg.inv(half) @ transform @ half, np.float64)
