"""Pictures that are not like photographs, drawn: each kind with pictures to index and queries that show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from bof.types import U8

_WORDS = [
    "amber",
    "river",
    "stone",
    "window",
    "market",
    "paper",
    "silver",
    "garden",
    "engine",
    "planet",
    "copper",
    "morning",
    "violet",
    "harbor",
]
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class Case:
    """A picture of the collection and pictures that show it or a part of it: RGB or RGBA u8 (h, w, 3 or 4)."""

    target: U8
    queries: Sequence[U8]


Draw = Callable[[Generator, Iterator[U8]], Case]
"""Draws one case; photographs u8 (h, w, 3) come one after another, none twice."""


def screenshot(rng: Generator, photographs: Iterator[U8]) -> Case:
    """A page of 800 x 6,000 pixels with text and photographs; a screen of it, and half of one."""
    page, y = Image.new("RGB", (800, 6000), "white"), 20
    draw = ImageDraw.Draw(page)
    while y < 5700:
        if rng.random() < 0.8:
            for _ in range(rng.integers(2, 7)):
                draw.text((40, y), " ".join(rng.choice(_WORDS, 10)), fill="black", font=ImageFont.load_default(18))
                y += 26
        else:
            photograph = _sized(next(photographs), 320, 240)
            page.paste(Image.fromarray(photograph), (40, y))
            y += 250
        y += 16
    pixels, top = np.asarray(page), int(rng.integers(0, 4800))
    return Case(pixels, [pixels[top : top + 1200], pixels[top : top + 500]])


def panorama(rng: Generator, photographs: Iterator[U8]) -> Case:
    """Photographs side by side, 12,000 x 480; a piece as it is, and one at 0.7 of the size."""
    pixels = np.concatenate([_sized(next(photographs), 600, 480) for _ in range(20)], axis=1)
    left = int(rng.integers(0, 11_000))
    piece = pixels[:, left : left + 800]
    return Case(pixels, [piece[:, :533], _sized(piece, 560, 336)])


def logo(rng: Generator, photographs: Iterator[U8]) -> Case:
    """A flat logo that takes a quarter of a photograph, turned and seen a little from aside; the clean logo."""
    clean = _logo(rng)
    scene = _sized(next(photographs), 1024, 768).astype(np.float64)
    side, angle = 443.0, math.radians(rng.uniform(-15, 15))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    corners = np.array([[0, 0], [240, 0], [240, 240], [0, 240]], np.float32)
    middle = rng.uniform([290, 290], [734, 478])
    seen = ((corners / 240 - 0.5) * side) @ turn.T + rng.uniform(-0.04, 0.04, (4, 2)) * side + middle
    place = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    drawn, mask = (cv2.warpPerspective(one, place, (1024, 768)) for one in (clean, np.full((240, 240), 1.0)))
    scene = scene * (1 - mask[..., None]) + drawn * rng.uniform(0.7, 1) * mask[..., None]
    noisy = cv2.GaussianBlur(scene, (0, 0), 0.6) + rng.normal(0, 3, scene.shape)
    return Case(_bytes(noisy), [clean])


def gradient(rng: Generator, _: Iterator[U8]) -> Case:
    """A sunset: two gradients, a disc, a hill; cropped, brighter, mirrored, half as large."""
    y, x = np.mgrid[0:660, 0:1000].astype(float)
    low, high = rng.integers(60, 255, 3), rng.integers(10, 180, 3)
    sky = high * (1 - y[..., None] / 660) + low * (y[..., None] / 660)
    away = np.hypot(x - rng.uniform(200, 800), y - rng.uniform(200, 460))
    sun = 1 / (1 + np.exp((away - rng.uniform(30, 70)) / 6))[..., None]
    hill = (y > 660 * (0.75 + 0.08 * np.sin(x / rng.uniform(80, 160))))[..., None]
    pixels = _bytes(
        cv2.GaussianBlur(np.where(hill, 0.3, 1) * (sky * (1 - sun) + np.array([255, 230, 150]) * sun), (0, 0), 2)
    )
    brighter = _bytes(pixels * 1.3 + 10)
    return Case(pixels, [pixels[50:610, 100:900], brighter, pixels[:, ::-1], _sized(pixels, 500, 330)])


def strokes(rng: Generator, _: Iterator[U8]) -> Case:
    """White lines on nothing, RGBA; half as large, and on a dark ground."""
    drawing = Image.new("RGBA", (600, 600), (255, 255, 255, 0))
    draw = ImageDraw.Draw(drawing)
    for _number in range(25):
        draw.line([tuple(point) for point in rng.integers(40, 560, (3, 2)).tolist()], fill="white", width=5)
        x, y, radius = (int(rng.integers(*limits)) for limits in ((60, 540), (60, 540), (8, 40)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline="white", width=4)
    dark = Image.new("RGBA", drawing.size, (30, 40, 60, 255))
    dark.alpha_composite(drawing)
    return Case(np.asarray(drawing), [np.asarray(drawing.resize((300, 300))), np.asarray(dark.convert("RGB"))[30:580]])


def equal_brightness(rng: Generator, _: Iterator[U8]) -> Case:
    """Shapes in colours of one grey; cropped, and smaller."""
    pixels, light = np.empty((500, 700, 3)), rng.uniform(90, 140)
    pixels[:] = _colour_of(light, rng)
    for _number in range(30):
        mask = np.zeros((500, 700), np.uint8)
        if rng.random() < 0.5:
            cv2.circle(mask, (int(rng.integers(700)), int(rng.integers(500))), int(rng.integers(15, 80)), 1, -1)
        else:
            cv2.fillPoly(mask, [rng.integers(0, 500, (4, 2)).astype(np.int32)], 1)
        pixels[mask > 0] = _colour_of(light, rng)
    return Case(_bytes(pixels), [_bytes(pixels)[60:440, 100:620], _sized(_bytes(pixels), 420, 300)])


def icon(rng: Generator, _: Iterator[U8]) -> Case:
    """A logo of 64 pixels; twice as large."""
    clean = _logo(rng)
    return Case(_sized(clean, 64, 64), [_sized(clean, 128, 128)])


def sprite(rng: Generator, _: Iterator[U8]) -> Case:
    """A sprite of 32 pixels, enlarged 8 times by whole pixels; as it was."""
    half = cv2.medianBlur(rng.integers(0, 5, (32, 16)).astype(np.uint8), 3)
    pixels = rng.integers(0, 256, (5, 3)).astype(np.uint8)[np.concatenate([half, half[:, ::-1]], axis=1)]
    return Case(np.repeat(np.repeat(pixels, 8, axis=0), 8, axis=1), [pixels])


KINDS: Mapping[str, Draw] = MappingProxyType(
    {
        "long screenshot": screenshot, "panorama": panorama, "flat logo, 25 %": logo, "gradient": gradient,
        "white on nothing": strokes, "equal brightness": equal_brightness, "icon, 64 px": icon, "sprite": sprite,
    }
)  # fmt: skip
HAS_PHOTOGRAPHS = frozenset({"long screenshot", "panorama"})
"""Kinds whose queries show photographs."""


def _logo(rng: Generator) -> U8:
    """A flat logo, RGB u8 (240, 240, 3): a shape in one colour, another in it, three letters."""
    drawn = Image.new("RGB", (240, 240), "white")
    draw, inks = ImageDraw.Draw(drawn), [tuple(ink) for ink in rng.integers(0, 256, (3, 3)).tolist()]
    n_corners, turn = int(rng.integers(3, 9)), float(rng.uniform(0, 360))
    draw.regular_polygon((120, 120, 100), n_corners, turn, fill=inks[0])
    x, y = rng.integers(80, 160, 2).tolist()
    draw.pieslice((x - 45, y - 45, x + 45, y + 45), turn, turn + float(rng.uniform(120, 300)), fill=inks[1])
    letters = str(rng.choice(_WORDS))[:3].upper()
    draw.text((int(rng.integers(50, 110)), int(rng.integers(90, 160))), letters, inks[2], ImageFont.load_default(44))
    return np.asarray(drawn)


def _colour_of(light: float, rng: Generator) -> U8:
    """A colour that is as bright as this in grey."""
    while True:
        colour = rng.integers(1, 256, 3).astype(float)
        colour *= light / float(_LUMA @ colour)
        if colour.max() <= 255 and np.ptp(colour) > 80:
            return _bytes(colour)


def _sized(pixels: U8, width: int, height: int) -> U8:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _bytes(values: np.typing.NDArray[np.floating]) -> U8:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
