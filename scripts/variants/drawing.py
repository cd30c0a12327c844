"""Pictures of a collection, and queries that show one of them in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from bof.types import U8

Rng = np.random.Generator

_WORDS = tuple(
    f"{first}{last}"
    for first in ("can", "mar", "pel", "vin", "tor", "sil", "gar", "bol")
    for last in ("dle", "ket", "ican", "eyard", "toise", "ver", "den")
)
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_DUPLEX)
_LINE_PX, _MARGIN_PX = 22, 80


@dataclass(frozen=True, slots=True)
class DrawnCase:
    """A query u8 (h, w, 3) and the picture of the collection that is right."""

    kind: str
    query: U8
    right: U8


def draw_cases(rng: Rng) -> Iterator[DrawnCase]:
    """One of each kind."""
    for kind, draw in _CHANGED.items():
        pixels = draw(rng)
        yield DrawnCase(kind, np.asarray(255 - pixels, np.uint8), pixels)
    page = _page(rng)
    top = _MARGIN_PX + _LINE_PX * int(rng.integers(3, 30))
    yield DrawnCase("line of a page", page[top - 22 : top + 24, _MARGIN_PX - 10 : -_MARGIN_PX + 10], page)
    large = scene(rng, 1600, 1200, 110)
    for side in (200, 120, 80):
        yield DrawnCase(f"detail of {side} pixels", large, _lively_part(rng, large, side))
    for share in (0.18, 0.03):
        logo, alpha = _logo(rng, 240)
        on_white = np.where(alpha[..., None] > 0, logo, 255).astype(np.uint8)
        yield DrawnCase(f"flat logo at {share:.0%}", on_white, _pasted(rng, logo, alpha, share))


def scene(rng: Rng, width: int, height: int, n_shapes: int) -> U8:
    """Shapes and lines on noise."""
    pixels = np.full((height, width, 3), rng.integers(60, 255, 3), np.uint8)
    for _ in range(n_shapes):
        colour, size = rng.integers(0, 255, 3).tolist(), int(rng.integers(15, 220))
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        kind, turned = rng.integers(4), float(rng.uniform(0, 360))
        if kind == 0:
            cv2.ellipse(pixels, (x, y), (size // 2, size // 3), turned, 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            corners = np.array([x, y]) + rng.integers(-size // 2, size // 2 + 1, (int(rng.integers(3, 6)), 2))
            cv2.fillPoly(pixels, [corners.astype(np.int32)], colour, cv2.LINE_AA)
        elif kind == 2:
            cv2.ellipse(pixels, (x, y), (size, size), turned, 0, 200, colour, int(rng.integers(1, 6)), cv2.LINE_AA)
        else:
            end = int(x + rng.integers(-size, size)), int(y + rng.integers(-size, size))
            cv2.line(pixels, (x, y), end, colour, int(rng.integers(1, 6)), cv2.LINE_AA)
    return np.clip(pixels + rng.normal(0, 12, (height, width, 1)), 0, 255).astype(np.uint8)


def _photograph(rng: Rng) -> U8:
    return np.asarray(cv2.GaussianBlur(scene(rng, 480, 360, 60), (0, 0), 1.0), np.uint8)


def _line_art(rng: Rng, side: int = 700) -> U8:
    pixels = np.full((side, side, 3), 255, np.uint8)
    for _ in range(14):
        axes = int(rng.integers(20, 90)), int(rng.integers(10, 60))
        place = int(rng.integers(side)), int(rng.integers(side))
        cv2.ellipse(pixels, place, axes, int(rng.integers(180)), 0, 360, (0, 0, 0), 2, cv2.LINE_AA)
    for _ in range(16):
        direction = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 60))
        path = rng.integers(0, side, 2) + np.cumsum(6 * np.stack([np.cos(direction), np.sin(direction)], 1), axis=0)
        cv2.polylines(pixels, [path.astype(np.int32)], False, (0, 0, 0), 2, cv2.LINE_AA)
    return pixels


def _screen(rng: Rng) -> U8:
    pixels = np.full((640, 900, 3), 255, np.uint8)
    for _ in range(9):
        x, y = int(rng.integers(700)), int(rng.integers(540))
        corner = x + int(rng.integers(90, 260)), y + int(rng.integers(30, 90))
        cv2.rectangle(pixels, (x, y), corner, (int(rng.integers(60, 200)),) * 3, 2)
        _write(rng, pixels, (x + 8, y + 24), 3, rng.uniform(0.4, 0.8))
    return pixels


def _page(rng: Rng) -> U8:
    pixels = np.full((1169, 827, 3), 255, np.uint8)
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    for y in range(_MARGIN_PX, 1169 - _MARGIN_PX, _LINE_PX):
        words = [_WORDS[int(i)] for i in rng.integers(0, len(_WORDS), 30)]
        while cv2.getTextSize(" ".join(words), font, 0.5, 1)[0][0] > 827 - 2 * _MARGIN_PX:
            words.pop()
        cv2.putText(pixels, " ".join(words), (_MARGIN_PX, y), font, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return pixels


def _write(rng: Rng, pixels: U8, place: tuple[int, int], n_words: int, size: float) -> None:
    text = " ".join(_WORDS[int(i)] for i in rng.integers(0, len(_WORDS), n_words))
    cv2.putText(pixels, text, place, _FONTS[int(rng.integers(len(_FONTS)))], size, (40, 40, 90), 1, cv2.LINE_AA)


def _lively_part(rng: Rng, pixels: U8, side: int) -> U8:
    """The part with the most edges of a few."""
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(pixels, (0, 0), 3), cv2.CV_32F)).sum(axis=2)
    places = [(int(rng.integers(1600 - side)), int(rng.integers(1200 - side))) for _ in range(4)]
    x, y = max(places, key=lambda at: float(edges[at[1] : at[1] + side, at[0] : at[0] + side].sum()))
    return np.ascontiguousarray(pixels[y : y + side, x : x + side])


def _logo(rng: Rng, side: int) -> tuple[U8, U8]:
    """A wheel of coloured blades u8 (h, w, 3), and where it is u8 (h, w)."""
    pixels, alpha = np.full((side, side, 3), 255, np.uint8), np.zeros((side, side), np.uint8)
    n, middle = int(rng.integers(5, 9)), side / 2
    for i in range(n):
        angles = 2 * np.pi * i / n + np.array([0.0, np.pi / n * rng.uniform(0.8, 1.2)])
        rim = middle + np.array([[0.46], [0.4]]) * side * np.stack([np.cos(angles), np.sin(angles)], 1)
        blade = [np.vstack([[middle, middle], rim]).astype(np.int32)]
        cv2.fillPoly(pixels, blade, rng.integers(0, 220, 3).tolist(), cv2.LINE_AA)
        cv2.fillPoly(alpha, blade, (255,))
    return pixels, alpha


def _pasted(rng: Rng, logo: U8, alpha: U8, share: float) -> U8:
    """A scene with a logo on it that takes about a share of its area."""
    whole = scene(rng, 1024, 768, 40)
    side = int(np.sqrt(share * 1024 * 768))
    middle = (logo.shape[1] - 1) / 2, (logo.shape[0] - 1) / 2
    turn = cv2.getRotationMatrix2D(middle, float(rng.uniform(-15, 15)), 1.0)
    turned, mask = (
        cv2.resize(cv2.warpAffine(part, turn, logo.shape[1::-1]), (side, side), interpolation=cv2.INTER_AREA)
        for part in (logo, alpha)
    )
    x, y = int(rng.integers(1024 - side)), int(rng.integers(768 - side))
    into = whole[y : y + side, x : x + side]
    opacity = mask[..., None] / 255.0
    into[:] = (turned * opacity + into * (1 - opacity)).astype(np.uint8)
    return whole


_CHANGED: Mapping[str, Callable[[Rng], U8]] = MappingProxyType(
    {"negative": _photograph, "white lines on black": _line_art, "dark screen": _screen}
)
