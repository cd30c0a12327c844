"""Illustrations as a woodblock prints them, drawn by program: black lines and hatching on paper, worn by each use."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from bof.types import F64, U8

BLOCK_PX = (420, 320)
"""Width and height of a block as it is cut."""

_DRAWN_AT = 2
_PAPER, _INK = 255, 0


def draw_block(rng: Generator) -> U8:
    """A block's print u8 (320, 420), black on white: hills, sky, trees, houses and people of its own."""
    width, height = (side * _DRAWN_AT for side in BLOCK_PX)
    block = np.full((height, width), _PAPER, np.uint8)
    _sky(block, rng)
    for level in sorted(rng.uniform(0.35, 0.8, 3)):
        _hill(block, level, rng)
        for _ in range(int(rng.integers(2, 5))):
            x, y = rng.uniform(0.05, 0.95) * width, (level + rng.uniform(0.02, 0.15)) * height
            _THINGS[int(rng.integers(len(_THINGS)))](block, x, y, rng)
    cv2.rectangle(block, (4, 4), (width - 5, height - 5), _INK, 6)
    return np.asarray(cv2.resize(block, BLOCK_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _line(block: U8, points: F64, thickness: int) -> None:
    cv2.polylines(block, [np.rint(points).astype(np.int32)], False, _INK, thickness, cv2.LINE_AA)


def _area(block: U8, points: F64, thickness: int) -> None:
    """An outline on clean paper."""
    corners = [np.rint(points).astype(np.int32)]
    cv2.fillPoly(block, corners, _PAPER)
    cv2.polylines(block, corners, True, _INK, thickness, cv2.LINE_AA)


def _wave(xs: F64, base: float, size: float, rng: Generator) -> F64:
    phases, periods = rng.uniform(0, 6.28, 3), rng.uniform(60, 400, 3)
    heights = sum(np.sin(xs / period * 6.28 + phase) for period, phase in zip(periods, phases, strict=True))
    return np.column_stack([xs, base + size * np.asarray(heights)])


def _sky(block: U8, rng: Generator) -> None:
    height, width = block.shape
    xs = np.arange(0, width, 8, dtype=np.float64)
    for y in np.arange(16, height * rng.uniform(0.2, 0.4), rng.uniform(14, 26)):
        first, last = sorted(rng.integers(0, len(xs), 2))
        if last - first > 4:
            _line(block, _wave(xs[first:last], y, 3, rng), 2)
    if rng.random() < 0.6:
        centre, radius = rng.uniform([0.1, 0.1], [0.9, 0.25]) * (width, height), rng.uniform(22, 44)
        _area(block, _ring(centre, radius, 24), 3)
        for angle in np.linspace(0, 6.28, int(rng.integers(8, 20)), endpoint=False):
            ray = np.array([np.cos(angle), np.sin(angle)])
            _line(block, np.stack([centre + ray * radius * 1.2, centre + ray * radius * rng.uniform(1.4, 1.9)]), 2)


def _ring(centre: F64, radius: float, n: int) -> F64:
    angles = np.linspace(0, 6.28, n, endpoint=False)
    return np.asarray(centre + radius * np.column_stack([np.cos(angles), np.sin(angles)]), np.float64)


def _hill(block: U8, level: float, rng: Generator) -> None:
    height, width = block.shape
    ridge = _wave(np.arange(-8, width + 9, 8, dtype=np.float64), level * height, rng.uniform(6, 20), rng)
    _area(block, np.concatenate([ridge, [[width + 8, height + 8], [-8, height + 8]]]), 4)
    slant = rng.uniform(-0.8, 0.8)
    for x, y in ridge[rng.random(len(ridge)) < 0.7]:
        length = rng.uniform(10, 60)
        _line(block, np.array([[x, y + 4], [x + slant * length, y + 4 + length]]), 2)


def _tree(block: U8, x: float, y: float, rng: Generator) -> None:
    size = rng.uniform(30, 80)
    _line(block, np.array([[x, y], [x + rng.uniform(-8, 8), y - size]]), int(rng.integers(4, 9)))
    crown = _ring(np.array([x, y - 1.3 * size]), size * 0.5, 14) + rng.normal(0, size * 0.08, (14, 2))
    _area(block, crown, 3)
    for _ in range(int(rng.integers(8, 20))):
        at = np.array([x, y - 1.3 * size]) + rng.uniform(-0.33, 0.33, 2) * size
        _line(block, _ring(at, rng.uniform(3, 8), 9)[: int(rng.integers(4, 8))], 2)


def _house(block: U8, x: float, y: float, rng: Generator) -> None:
    wide, high = rng.uniform(40, 100), rng.uniform(30, 80)
    _area(block, np.array([[x, y], [x + wide, y], [x + wide, y - high], [x, y - high]]), 3)
    roof = np.array([[x - 8, y - high], [x + wide + 8, y - high], [x + wide * rng.uniform(0.3, 0.7), y - 1.7 * high]])
    _area(block, roof, 3)
    for step in np.arange(0.15, 0.9, rng.uniform(0.12, 0.25)):
        left = roof[0] + (roof[2] - roof[0]) * step
        _line(block, np.stack([left, roof[1] + (roof[2] - roof[1]) * step]), 2)
    for _ in range(int(rng.integers(1, 4))):
        corner = np.array([x, y]) + rng.uniform([0.1, -0.9], [0.7, -0.4]) * (wide, high)
        window = corner + np.array([[0, 0], [0.16, 0], [0.16, 0.25], [0, 0.25]]) * (wide, high)
        cv2.fillPoly(block, [np.rint(window).astype(np.int32)], _INK)


def _person(block: U8, x: float, y: float, rng: Generator) -> None:
    size = rng.uniform(40, 110)
    shoulders, hem = size * rng.uniform(0.12, 0.2), size * rng.uniform(0.18, 0.32)
    body = np.array([[x - hem, y], [x + hem, y], [x + shoulders, y - 0.75 * size], [x - shoulders, y - 0.75 * size]])
    _area(block, body, 3)
    _area(block, _ring(np.array([x, y - 0.88 * size]), size * 0.12, 16), 3)
    for _ in range(int(rng.integers(3, 8))):
        fold = x + rng.uniform(-0.7, 0.7) * shoulders
        _line(
            block, np.array([[fold, y - 0.65 * size], [fold + rng.uniform(-9, 9), y - rng.uniform(0, 0.3) * size]]), 2
        )
    hand = np.array([x, y - 0.6 * size]) + rng.uniform([-0.6, -0.4], [0.6, 0.2]) * size
    _line(block, np.stack([[x, y - 0.65 * size], hand]), 4)
    _line(block, np.stack([hand, hand + rng.uniform(-0.5, 0.5, 2) * size]), 3)


_THINGS = (_tree, _house, _person)


def worn(block: U8, amount: float, rng: Generator) -> U8:
    """A block's print after so much wear, 0 to 1: cracks, worm holes, thick or thin ink. Same shape."""
    print_ = block.copy()
    height, width = block.shape
    for _ in range(round(5 * amount)):
        start = rng.uniform(0, 1, 2) * (width, height)
        crack = np.cumsum(np.concatenate([start[None], rng.normal(0, 9, (14, 2)) + rng.normal(0, 12, 2)]), axis=0)
        cv2.polylines(print_, [np.rint(crack).astype(np.int32)], False, _PAPER, int(rng.integers(1, 4)))
    for _ in range(round(25 * amount)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        cv2.circle(print_, (int(x), int(y)), int(rng.integers(1, 4)), _PAPER, -1)
    ink = np.asarray(cv2.GaussianBlur(print_, (0, 0), 0.5 + 0.5 * amount), np.float64)
    press = cv2.resize(rng.normal(0, 40 * amount, (4, 5)), (width, height), interpolation=cv2.INTER_CUBIC)
    thickness = rng.uniform(-30, 30) * amount
    return np.clip((ink - 128 + thickness + press) * 1.6 + 128, 0, 255).astype(np.uint8)
