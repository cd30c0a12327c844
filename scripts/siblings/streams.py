"""Where a family's chance comes from: one stream that its members share, and one that each has for itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from bof.images.decode import read_image
from bof.types import U8

T = TypeVar("T")

Rng = np.random.Generator
Colour = tuple[int, int, int]

_DESIGN, _OWN = 0, 1


@dataclass(frozen=True)
class Streams:
    """design: alike for all members of a family; own: of one member; photos: files to show instead of drawn scenes."""

    design: Rng
    own: Rng
    photos: Sequence[Path] = ()

    @classmethod
    def of(cls, name: str, member: int, seed: int, photos: Sequence[Path] = ()) -> Streams:
        """The streams of one member of a family."""
        key = name_key(name)
        design = np.random.default_rng([seed, key, _DESIGN])
        return cls(design, np.random.default_rng([seed, key, _OWN, member]), photos)


def name_key(name: str) -> int:
    """A number that a name always has: the first 4 bytes of its SHA-256."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def pick(rng: Rng, things: Sequence[T]) -> T:
    """One of some things."""
    return things[int(rng.integers(len(things)))]


def some(rng: Rng, things: Sequence[T], n: int) -> list[T]:
    """n different of some things, in any order."""
    return [things[i] for i in rng.permutation(len(things))[:n]]


def whole(rng: Rng, low: int, high: int) -> int:
    """A whole number from low to high - 1."""
    return int(rng.integers(low, high))


def colour(rng: Rng, value: tuple[float, float] = (0.3, 0.9), saturation: tuple[float, float] = (0.4, 0.9)) -> Colour:
    """Any hue, with brightness and saturation in ranges of 0 to 1."""
    hsv = np.array([[[rng.uniform(0, 180), 255 * rng.uniform(*saturation), 255 * rng.uniform(*value)]]], np.uint8)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue


def dark(rng: Rng) -> Colour:
    """A colour for text and bars."""
    return colour(rng, (0.2, 0.5), (0.4, 0.95))


def pale(rng: Rng) -> Colour:
    """A colour for paper."""
    return colour(rng, (0.93, 1.0), (0.02, 0.14))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two; share: how much of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def framed_photo(file: Path, rng: Rng, width: int, height: int) -> U8:
    """The middle of a photograph file in a size; half of them mirrored."""
    pixels = read_image(file, max_side=max(width, height) * 2).pixels
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale)))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    part = large[y : y + height, x : x + width]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part, np.uint8)
