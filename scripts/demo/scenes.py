"""Walls and scenes drawn by program for the demo collection, each u8 (WALL_HEIGHT, WALL_WIDTH, 3) RGB."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from bof.types import F32, U8

Rng = np.random.Generator
Colour = tuple[int, int, int]
Background = Callable[[Rng], U8]

AA = cv2.LINE_AA
WALL_WIDTH, WALL_HEIGHT = 1000, 750


def fractal_noise(rng: Rng, height: int, width: int, *, coarse: int = 4, octaves: int = 5) -> F32:
    """Smooth noise f32 (height, width) in 0..1: random grids, each twice as fine and half as strong as the last."""
    total: F32 = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarse * 2**octave
        grid = rng.random((cells, cells), np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.5**octave)
    spread: F32 = (total - total.min()) / np.float32(np.ptp(total))
    return spread


def sheet(height: int, width: int, colour: Colour) -> U8:
    """A picture u8 (height, width, 3) of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def _shaded(rng: Rng, colours: F32, grain: float = 16.0) -> U8:
    """Colours f32 (h, w, 3) with blotches and grain."""
    height, width = colours.shape[:2]
    blotches = (fractal_noise(rng, height, width) - 0.5) * 36
    speckle = cv2.resize(rng.standard_normal((height // 2, width // 2), np.float32), (width, height)) * np.float32(
        grain
    )
    return np.clip(colours + (blotches + speckle)[:, :, None], 0, 255).astype(np.uint8)


def _masonry(rng: Rng, size: tuple[int, int], base: Colour, spread: float, joint: Colour, offset: int) -> U8:
    """Stones of (width, height) px in rows shifted by `offset`, each in its own shade, with joints between."""
    y = np.arange(WALL_HEIGHT, dtype=np.int32)[:, None]
    row = y // size[1]
    wobble = (fractal_noise(rng, WALL_HEIGHT, WALL_WIDTH, octaves=4) * 8).astype(np.int32)
    column, x = np.divmod(np.arange(WALL_WIDTH, dtype=np.int32) + row % 2 * offset + wobble, size[0])
    shades = np.array(base, np.float32) + rng.normal(0, spread, (64, 64, 1)) + rng.normal(0, spread / 3, (64, 64, 3))
    colours = shades.astype(np.float32)[row, column]
    colours[(x < 5) | (y % size[1] < 5)] = joint
    return _shaded(rng, colours)


def bricks(rng: Rng) -> U8:
    """A wall of staggered bricks: u8 (h, w, 3)."""
    base = ((158, 84, 66), (190, 160, 132), (134, 92, 82))[int(rng.integers(3))]
    return _masonry(rng, (int(rng.integers(70, 96)), int(rng.integers(26, 36))), base, 17, (205, 198, 186), 40)


def tiles(rng: Rng) -> U8:
    """A tiled wall: u8 (h, w, 3)."""
    base = ((120, 164, 170), (206, 196, 176), (150, 160, 190))[int(rng.integers(3))]
    side = int(rng.integers(60, 100))
    return _masonry(rng, (side, side), base, 9, (236, 234, 228), 0)


def boards(rng: Rng) -> U8:
    """Upright boards with grain along them."""
    y, x = np.ogrid[0.0:WALL_HEIGHT, 0.0:WALL_WIDTH]
    board = int(rng.integers(80, 120))
    number = np.arange(WALL_WIDTH) // board
    tone, start = rng.normal(0, 13, 64)[number], rng.uniform(0, 60, 64)[number]
    warp = fractal_noise(rng, WALL_HEIGHT, WALL_WIDTH, coarse=3) * np.float32(27)
    grain = np.sin(warp + (x * 0.45 + start + y * 0.004).astype(np.float32)) * 9 + tone.astype(np.float32)
    base = np.array(((164, 120, 80), (196, 164, 124), (110, 88, 74)), np.float32)[int(rng.integers(3))]
    colours = (base + grain[:, :, None]).astype(np.float32)
    colours[:, np.arange(WALL_WIDTH) % board < 4] *= 0.4
    return _shaded(rng, colours, 7)


def plaster(rng: Rng) -> U8:
    """A rough plaster wall: u8 (h, w, 3)."""
    base = ((226, 214, 192), (196, 208, 204), (214, 190, 176), (176, 190, 206))[int(rng.integers(4))]
    return _shaded(rng, sheet(WALL_HEIGHT, WALL_WIDTH, base).astype(np.float32), 9)


def foliage(rng: Rng) -> U8:
    """Leaf over leaf, the deeper the darker."""
    art = sheet(WALL_HEIGHT, WALL_WIDTH, (18, 30, 16))
    for n in range(1900):
        light = 0.35 + 0.65 * n / 1900
        green = tuple(int(c * light) for c in (rng.integers(50, 150), rng.integers(110, 190), rng.integers(30, 80)))
        at = (int(rng.integers(WALL_WIDTH)), int(rng.integers(WALL_HEIGHT)))
        axes = (int(rng.integers(14, 34)), int(rng.integers(5, 12)))
        cv2.ellipse(art, at, axes, int(rng.integers(360)), 0, 360, green, -1, AA)
    return art


def _sky(rng: Rng) -> F32:
    skies = np.array((((70, 130, 200), (214, 226, 236)), ((52, 48, 96), (246, 170, 120))), np.float32)
    top, low = skies[int(rng.integers(2))]
    ramp = np.linspace(0, 1, WALL_HEIGHT, dtype=np.float32)[:, None, None]
    clouds = np.clip(fractal_noise(rng, WALL_HEIGHT, WALL_WIDTH) * 2 - 0.9, 0, 1)[:, :, None]
    mixed: F32 = (top * (1 - ramp) + low * ramp) * (1 - clouds) + 246 * clouds
    return mixed


def skyline(rng: Rng) -> U8:
    """Towers with windows below clouds."""
    art = _shaded(rng, _sky(rng), 2)
    for layer in range(3):
        x = -20
        while x < WALL_WIDTH:
            width, top = int(rng.integers(50, 130)), int(rng.integers(180 + 100 * layer, 430 + 85 * layer))
            wall: Colour = tuple(int(c) for c in rng.integers(90, 150, 3) - 28 * layer)  # type: ignore[assignment]
            _tower(rng, art, (x, top, width), wall)
            x += width + int(rng.integers(0, 30))
    return art


def _tower(rng: Rng, art: U8, place: tuple[int, int, int], wall: Colour) -> None:
    x, top, width = place
    cv2.rectangle(art, (x, top), (x + width, WALL_HEIGHT), wall, -1)
    step_x, step_y = int(rng.integers(12, 22)), int(rng.integers(14, 26))
    for wy in range(top + 8, WALL_HEIGHT, step_y):
        for wx in range(x + 6, x + width - 9, step_x):
            lit = (250, 226, 150) if rng.random() < 0.35 else tuple(c // 2 for c in wall)
            cv2.rectangle(art, (wx, wy), (wx + step_x // 2, wy + step_y // 2), lit, -1)


def mountains(rng: Rng) -> U8:
    """Ridges that fade with distance, trees in front."""
    art = _sky(rng)
    x = np.arange(WALL_WIDTH)
    for layer in range(5):
        rough = cv2.resize(rng.random((1, 9 + 8 * layer)), (WALL_WIDTH, 1), interpolation=cv2.INTER_CUBIC)[0]
        level = 240 + 95 * layer + (rough - 0.5) * (290 - 45 * layer) + rng.normal(0, 3, WALL_WIDTH)
        inside = np.arange(WALL_HEIGHT)[:, None] > level
        art[inside] = np.array((150, 166, 190)) * (1 - layer / 5) + np.array((30, 60, 34)) * (layer / 5)
    for at in rng.choice(x, 90):
        foot, tall = int(rng.integers(610, WALL_HEIGHT)), int(rng.integers(50, 140))
        tree = np.array([(at, foot - tall), (at + tall // 4, foot), (at - tall // 4, foot)])
        cv2.fillConvexPoly(art, tree, tuple(map(float, rng.integers((10, 40, 20), (40, 90, 50)))), AA)
    return _shaded(rng, art, 9)


WALLS: tuple[Background, ...] = (bricks, plaster, boards, tiles)
SCENES: tuple[Background, ...] = (skyline, foliage, mountains, bricks, boards, tiles)
