"""Flat logos, their siblings, and how one hangs in a photograph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from bof.types import U8

SHARES = {"25 %": 443, "6 %": 217, "3 %": 154}
"""The side in pixels of what takes so much of a picture of 1,024 x 768."""

SIZE = 1024, 768
_SIDE = 240
_WORDS = ("AMB", "RIV", "STO", "WIN", "MAR", "PAP", "SIL", "GAR", "ENG", "PLA", "COP", "MOR", "VIO", "HAR")
_FRAME = np.array([[0, 0], [_SIDE, 0], [_SIDE, _SIDE], [0, _SIDE]], np.float32)


@dataclass(frozen=True, slots=True)
class Logo:
    """A shape in one colour, a slice of a disc in another, three letters in a third."""

    inks: tuple[tuple[int, ...], ...]
    n_corners: int
    turn_deg: float
    middle: tuple[int, int]
    slice_deg: float
    letters: str
    letters_at: tuple[int, int]

    def draw(self) -> U8:
        """RGB u8 (240, 240, 3), on white."""
        drawn = Image.new("RGB", (_SIDE, _SIDE), "white")
        draw, (x, y) = ImageDraw.Draw(drawn), self.middle
        draw.regular_polygon((120, 120, 100), self.n_corners, self.turn_deg, fill=self.inks[0])
        draw.pieslice((x - 45, y - 45, x + 45, y + 45), self.turn_deg, self.turn_deg + self.slice_deg, self.inks[1])
        draw.text(self.letters_at, self.letters, self.inks[2], ImageFont.load_default(44))
        return np.asarray(drawn)


def draw_logo(rng: Generator) -> Logo:
    """Any."""
    inks = tuple(tuple(ink) for ink in rng.integers(0, 256, (3, 3)).tolist())
    middle, at = rng.integers(80, 160, 2).tolist(), (int(rng.integers(50, 110)), int(rng.integers(90, 160)))
    turn_deg, slice_deg = float(rng.uniform(0, 360)), float(rng.uniform(120, 300))
    return Logo(inks, int(rng.integers(3, 9)), turn_deg, (middle[0], middle[1]), slice_deg, str(rng.choice(_WORDS)), at)


def siblings(logo: Logo, rng: Generator) -> Iterator[tuple[str, Logo]]:
    """Logos that differ in one thing, by what that is."""
    others = [word for word in _WORDS if word != logo.letters]
    yield "letters", replace(logo, letters=str(rng.choice(others)))
    ink = tuple((np.array(logo.inks[1]) + 100) % 256)
    yield "colour", replace(logo, inks=(logo.inks[0], tuple(int(level) for level in ink), logo.inks[2]))
    yield "slice", replace(logo, slice_deg=logo.slice_deg + (70 if logo.slice_deg < 210 else -70))
    yield "place", replace(logo, letters_at=(logo.letters_at[0] + 12, logo.letters_at[1] - 14))


def hang(logo: U8, photograph: U8, side: int, rng: Generator, *, with_ground: bool = True) -> U8:
    """A logo in a photograph, both RGB: turned, seen a little from aside, darker, blurred, with noise.

    with_ground: its white ground hangs there too, otherwise what is drawn alone.
    """
    scene = cv2.resize(photograph, SIZE, interpolation=cv2.INTER_AREA).astype(np.float64)
    angle, reach = math.radians(rng.uniform(-15, 15)), 0.66 * side
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = rng.uniform([reach, reach], [SIZE[0] - reach, SIZE[1] - reach])
    seen = ((_FRAME / _SIDE - 0.5) * side) @ turn.T + rng.uniform(-0.04, 0.04, (4, 2)) * side + middle
    place = cv2.getPerspectiveTransform(_FRAME, seen.astype(np.float32))
    shown = np.asarray(np.ones((_SIDE, _SIDE)) if with_ground else (logo < 255).any(axis=2), np.float64)
    drawn, mask = cv2.warpPerspective(logo, place, SIZE), cv2.warpPerspective(shown, place, SIZE)
    scene = scene * (1 - mask[..., None]) + drawn * rng.uniform(0.7, 1) * mask[..., None]
    noisy = cv2.GaussianBlur(scene, (0, 0), 0.6) + rng.normal(0, 3, scene.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)
