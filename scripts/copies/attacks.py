"""What is done to a copy: crops, turns, compression, blur, light, overlays, composition, and mixtures of these.

An attack takes a picture u8 (h, w, 3) RGB of any size, a random generator and, where it composes, other pictures; it
returns a new picture and leaves its arguments alone. Everything random comes from the generator.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from bof.types import U8, Bool

Apply = Callable[[U8, Generator, Sequence[U8]], U8]

BLUR_SIDE_PX = 512  # blur is given in pixels of a picture with this long side
_WORDS = (
    "NEW", "when you see it", "SALE 50 %", "breaking news", "follow us", "Monday", "WOW", "sample", "for you", "2024",
)  # fmt: skip
_INKS = ((255, 255, 255), (255, 230, 0), (20, 20, 20), (230, 30, 30))
_LINE_SHARE = 0.16  # height of a line of text as a share of the picture's height
_ASPECT = 4 / 3
_INSET = 0.4


@dataclass(frozen=True, slots=True)
class Attack:
    """A way to make a copy. n_others: pictures that it mixes in; quality: written as JPEG of it, as PNG where None."""

    name: str
    apply: Apply
    n_others: int = 0
    quality: int | None = None


def crop(picture: U8, rng: Generator, share: float) -> U8:
    """A rectangle of `share` of the area, anywhere, its aspect 3:4 to 4:3 of the picture's."""
    height, width = picture.shape[:2]
    widest = min(_ASPECT, 1 / share)  # neither side may exceed the picture's
    stretch = np.exp(rng.uniform(-np.log(widest), np.log(widest)))
    w = _within(width * np.sqrt(share * stretch), width)
    h = _within(height * np.sqrt(share / stretch), height)
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    return picture[y : y + h, x : x + w].copy()


def _within(length: float, limit: int) -> int:
    return min(limit, max(1, round(length)))


def rotate(picture: U8, degrees: float, fill: Sequence[float]) -> U8:
    """Turned about its middle on a canvas that holds all of it; the corners are filled with one colour."""
    height, width = picture.shape[:2]
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    canvas_w = int(np.ceil(width * abs(cosine) + height * abs(sine) - 1e-6))
    canvas_h = int(np.ceil(width * abs(sine) + height * abs(cosine) - 1e-6))
    matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0]])
    middle = np.array([width - 1, height - 1]) / 2
    matrix[:, 2] = np.array([canvas_w - 1, canvas_h - 1]) / 2 - matrix[:, :2] @ middle
    border = tuple(float(c) for c in fill)
    return _u8(cv2.warpAffine(picture, matrix, (canvas_w, canvas_h), flags=cv2.INTER_CUBIC, borderValue=border))


def mirror(picture: U8) -> U8:
    """Left and right exchanged."""
    return np.ascontiguousarray(picture[:, ::-1])


def compress(picture: U8, quality: int) -> U8:
    """What a JPEG of this quality (1 to 95, Pillow's scale) shows."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream).convert("RGB"))


def blur(picture: U8, sigma: float) -> U8:
    """Gaussian blur; sigma in pixels of a picture whose long side is BLUR_SIDE_PX."""
    return _u8(cv2.GaussianBlur(picture, (0, 0), sigma * max(picture.shape[:2]) / BLUR_SIDE_PX))


def brighten(picture: U8, factor: float) -> U8:
    """Every value times a factor, cut off at white."""
    return _u8(np.clip(np.rint(picture * np.float32(factor)), 0, 255))


def gamma(picture: U8, exponent: float) -> U8:
    """255 (value / 255) ** exponent: above 1 the dark parts close, below 1 they open."""
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return _u8(table[picture])


def grey_contrast(picture: U8, factor: float) -> U8:
    """Without colour (Rec. 601), and the distance from the mean times a factor."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    stretched = np.clip(np.rint((grey - grey.mean()) * factor + grey.mean()), 0, 255).astype(np.uint8)
    return np.repeat(stretched[:, :, None], 3, axis=2)


def shrink(picture: U8, factor: float) -> U8:
    """Both sides times a factor below 1."""
    height, width = picture.shape[:2]
    return _resized(picture, _within(width * factor, width), _within(height * factor, height))


def inset(picture: U8, rng: Generator, host: U8) -> U8:
    """The picture inside another, as large as fits into 40 % of its sides, anywhere."""
    canvas = host.copy()
    height, width = host.shape[:2]
    scale = _INSET * min(width / picture.shape[1], height / picture.shape[0])
    small = _resized(picture, _within(picture.shape[1] * scale, width), _within(picture.shape[0] * scale, height))
    h, w = small.shape[:2]
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    canvas[y : y + h, x : x + w] = small
    return canvas


def collage(picture: U8, rng: Generator, others: Sequence[U8]) -> U8:
    """Two rows of two: the picture at its own size in a random place, three others stretched to that size."""
    height, width = picture.shape[:2]
    tiles = [_resized(other, width, height) for other in others[:3]]
    tiles.insert(int(rng.integers(0, 4)), picture)
    return np.concatenate([np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:], axis=1)])


def combine(picture: U8, rng: Generator) -> U8:
    """Two to four different attacks of medium strength, one after the other."""
    for row in rng.permutation(len(_MEDIUM))[: rng.integers(2, 5)]:
        picture = _MEDIUM[row](picture, rng)
    return picture


def write_captions(picture: U8, rng: Generator) -> U8:
    """Three lines of outlined text across the picture: near its top, about its middle, near its bottom."""
    canvas = picture.copy()
    words = rng.choice(_WORDS, 3, replace=False).tolist()
    ink = _INKS[int(rng.integers(0, len(_INKS)))]
    for text, middle in zip(words, (0.12, float(rng.uniform(0.4, 0.6)), 0.88), strict=True):
        _write(canvas, text, middle, ink)
    return canvas


def _write(canvas: U8, text: str, middle: float, ink: tuple[int, int, int]) -> None:
    """A rimmed line as large as fits into 90 % of the width, its middle at a share of the height."""
    height, width = canvas.shape[:2]
    face = cv2.FontFace("sans")
    size = max(1, round(_LINE_SHARE * height))
    needed = _measure(text, face, size)[2]
    size = max(1, min(size, int(size * 0.9 * width / needed)))
    x, y, w, h = _measure(text, face, size)
    left, base = round((width - w) / 2) - x, round(middle * height - h / 2) - y
    rim, step = ((0, 0, 0) if sum(ink) > 200 else (255, 255, 255)), max(1, size // 14)
    for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        cv2.putText(canvas, text, (left + dx * step, base + dy * step), rim, face, size, 700)
    cv2.putText(canvas, text, (left, base), ink, face, size, 700)


def _measure(text: str, face: cv2.FontFace, size: int) -> tuple[int, int, int, int]:
    """The box (x, y, width, height) of a text that is written at the origin, at least one pixel wide."""
    x, y, w, h = cv2.getTextSize((0, 0), text, (0, 0), face, size, 700)
    return int(x), int(y), max(1, int(w)), int(h)


def paste_logo(picture: U8, rng: Generator, share: float) -> U8:
    """An opaque badge, a disc or a tile with a star on it, over `share` of the area, anywhere inside."""
    canvas = picture.copy()
    height, width = canvas.shape[:2]
    w, h, is_disc = _badge_shape(width, height, share, rng.random() < 0.5)
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    mask = _disc(w) if is_disc else np.ones((h, w), np.bool_)
    canvas[y : y + h, x : x + w][mask] = _badge(w, h, rng)[mask]
    return canvas


def _badge_shape(width: int, height: int, share: float, is_disc: bool) -> tuple[int, int, bool]:
    """(width, height, is it a disc): a disc or a square of `share` of the area, a rectangle where neither fits in."""
    area = share * width * height
    across = 2 * np.sqrt(area / np.pi)
    if is_disc and across <= min(width, height):
        return max(1, round(across)), max(1, round(across)), True
    side = max(1.0, min(np.sqrt(area), width, height))
    w, h = (side, area / side) if width < height else (area / side, side)
    return min(width, max(1, round(w))), min(height, max(1, round(h))), False


def _disc(side: int) -> Bool:
    offset = np.arange(side) - (side - 1) / 2
    return np.asarray(offset[:, None] ** 2 + offset**2 <= (side / 2) ** 2)


def _badge(width: int, height: int, rng: Generator) -> U8:
    """A star on a ground, one bright and one dark, u8 (height, width, 3)."""
    back, front = (tuple(int(c) for c in rng.integers(low, low + 128, 3)) for low in rng.permutation([0, 128]))
    badge = np.full((height, width, 3), back, np.uint8)
    middle, radius = np.array([width - 1, height - 1]) / 2, min(width, height) / 2
    turn = np.pi * (np.arange(10) / 5 + float(rng.uniform(0, 1)))
    reach = radius * np.where(np.arange(10) % 2, 0.35, 0.85)
    star = middle + np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    cv2.fillPoly(badge, [np.rint(star).astype(np.int32)], front, cv2.LINE_AA)
    return badge


def _resized(picture: U8, width: int, height: int) -> U8:
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return _u8(cv2.resize(picture, (width, height), interpolation=method))


def _u8(pixels: object) -> U8:
    return np.asarray(pixels, np.uint8)


def _turn(picture: U8, rng: Generator, least: float, most: float) -> U8:
    """Turned by an angle between two limits to either side; the fill is black, white or any colour."""
    degrees = float(rng.uniform(least, most)) * float(rng.choice([-1, 1]))
    fill = ([0, 0, 0], [255, 255, 255], rng.integers(0, 256, 3).tolist())[int(rng.integers(0, 3))]
    return rotate(picture, degrees, fill)


_MEDIUM: tuple[Callable[[U8, Generator], U8], ...] = (
    lambda p, rng: crop(p, rng, 0.6),
    lambda p, rng: _turn(p, rng, 5, 25),
    lambda p, rng: mirror(p),
    lambda p, rng: compress(p, 30),
    lambda p, rng: blur(p, 1.5),
    lambda p, rng: brighten(p, float(rng.uniform(0.6, 1.4))),
    lambda p, rng: grey_contrast(p, 0.7),
    lambda p, rng: shrink(p, 0.6),
    lambda p, rng: write_captions(p, rng),
    lambda p, rng: paste_logo(p, rng, 0.1),
)


def _crop_to(share: float) -> Apply:
    return lambda p, rng, others: crop(p, rng, share)


def _blur_by(sigma: float) -> Apply:
    return lambda p, rng, others: blur(p, sigma)


ATTACKS: tuple[Attack, ...] = (
    *(Attack(f"crop {n} %", _crop_to(n / 100)) for n in (80, 50, 25, 10)),
    Attack("rotation", lambda p, rng, others: _turn(p, rng, 5, 175)),
    Attack("rotation 90", lambda p, rng, others: np.ascontiguousarray(np.rot90(p))),
    Attack("rotation 180", lambda p, rng, others: np.ascontiguousarray(np.rot90(p, 2))),
    Attack("mirror", lambda p, rng, others: mirror(p)),
    *(Attack(f"jpeg {quality}", lambda p, rng, others: p, 0, quality) for quality in (75, 40, 20, 10, 5, 3)),
    *(Attack(f"blur {sigma}", _blur_by(sigma)) for sigma in (1, 2, 4)),
    Attack("dark", lambda p, rng, others: brighten(p, 0.4)),
    Attack("bright", lambda p, rng, others: brighten(p, 1.7)),
    Attack("gamma", lambda p, rng, others: gamma(p, float(rng.choice([0.45, 2.2])))),
    Attack("grey, contrast", lambda p, rng, others: grey_contrast(p, float(rng.choice([0.5, 1.6])))),
    Attack("downscale 25 %", lambda p, rng, others: shrink(p, 0.25)),
    Attack("text", lambda p, rng, others: write_captions(p, rng)),
    Attack("logo", lambda p, rng, others: paste_logo(p, rng, 0.15)),
    Attack("picture in picture", lambda p, rng, others: inset(p, rng, others[0]), 1),
    Attack("collage", lambda p, rng, others: collage(p, rng, others), 3),
    Attack("combination", lambda p, rng, others: combine(p, rng), 0, 60),
)
