"""Small things that many templates have: logos, signatures, bar codes, rosettes, leaves, stars."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import U8
from scripts.siblings.canvas import WHITE, Points, Sheet
from scripts.siblings.streams import Colour, Rng, colour, mixed, pick, whole


def ring(x: float, y: float, radius: float, n: int, inner: float = 1.0, start: float = -90.0) -> Points:
    """n corners around a point, each second one nearer by `inner`: a star, or a polygon with inner = 1."""
    angles = np.deg2rad(start + 360.0 * np.arange(n) / n)
    reach = np.where(np.arange(n) % 2, radius * inner, radius)
    return list(zip((x + np.cos(angles) * reach).tolist(), (y + np.sin(angles) * reach).tolist(), strict=True))


def logo(rng: Rng, side: int, tint: Colour, ground: Colour = WHITE) -> U8:
    """An emblem of a few shapes: RGB u8 (side, side, 3)."""
    sheet, middle, other = Sheet(side, side, ground), side / 2, colour(rng)
    kind = whole(rng, 0, 4)
    if kind == 0:
        sheet.poly(ring(middle, middle, middle - 2, 2 * whole(rng, 4, 9), rng.uniform(0.4, 0.75)), tint)
        sheet.disc(middle, middle, side * 0.2, other)
    elif kind == 1:
        sheet.disc(middle, middle, middle - 2, tint)
        sheet.poly(ring(middle, middle, side * 0.4, whole(rng, 3, 7), 1.0, rng.uniform(0, 90)), other)
        sheet.disc(middle, middle, side * 0.12, ground)
    elif kind == 2:
        for i in range(4):
            part = mixed(tint, other, i / 3)
            sheet.box(i % 2 * middle, i // 2 * middle, middle - 3, middle - 3, part, corner=side / 9)
        sheet.disc(middle, middle, side * 0.16, ground)
    else:
        for i in range(5):
            sheet.disc(middle, middle, middle * (1 - i / 5), (tint, ground, other, ground, tint)[i])
        sheet.box(0, middle, side, middle, ground)
        sheet.poly(ring(middle, side * 0.72, side * 0.24, 3), tint)
    return sheet.pixels


def scribble(sheet: Sheet, rng: Rng, x: float, y: float, width: float, height: float) -> None:
    """A signature, its middle line at y."""
    t = np.linspace(0, 1, 160)
    waves = [rng.uniform(0.2, 1) * np.sin(2 * np.pi * (rng.uniform(1.5, 9) * t + rng.random())) for _ in range(4)]
    fade = np.linspace(1, 0.35, 160)
    ups = y + height / 3.2 * sum(waves) * fade
    along = x + width * (t + 0.035 * np.sin(2 * np.pi * rng.uniform(5, 9) * t))
    sheet.line(list(zip(along.tolist(), ups.tolist(), strict=True)), (30, 40, 120), 2)


def barcode(rng: Rng, width: int, height: int) -> U8:
    """Bars of one to four units: RGB u8 (height, width, 3)."""
    n_units = 95
    bars: list[int] = []
    while len(bars) < n_units:
        bars += [0] * whole(rng, 1, 4) + [255] * whole(rng, 1, 4)
    row = np.array([0, 255, 0, *bars[: n_units - 6], 0, 255, 0], np.uint8)
    wide = cv2.resize(row[None], (width, height), interpolation=cv2.INTER_NEAREST)
    return np.repeat(wide[:, :, None], 3, axis=2)


def qr(text: str, side: int, ground: Colour = WHITE, ink: Colour = (0, 0, 0)) -> U8:
    """A QR code of a text with its margin: RGB u8 (side, side, 3)."""
    code = np.asarray(cv2.QRCodeEncoder.create().encode(text))
    large = cv2.resize(code, (side, side), interpolation=cv2.INTER_NEAREST)[:, :, None]
    return np.where(large > 127, np.array(ground, np.uint8), np.array(ink, np.uint8))


def rosette(sheet: Sheet, x: float, y: float, radius: float, tint: Colour, n: int) -> None:
    """A seal: a toothed wheel with rings and a star."""
    sheet.poly(ring(x, y, radius, 2 * n, 0.86), tint)
    sheet.disc(x, y, radius * 0.74, mixed(tint, WHITE, 0.75), WHITE, 2)
    sheet.disc(x, y, radius * 0.62, None, tint, 2)
    sheet.poly(ring(x, y, radius * 0.46, 10, 0.42), tint)


def guilloche(sheet: Sheet, rng: Rng, place: tuple[float, float, float, float], tint: Colour, n: int = 14) -> None:
    """The interlaced curves of banknotes in a place (x, y, width, height)."""
    x, y, width, height = place
    t = np.linspace(0, 1, 300)
    a, b, c = whole(rng, 2, 6), whole(rng, 5, 14), rng.uniform(0.2, 0.45)
    for i in range(n):
        phase = 2 * np.pi * i / n
        wave = np.sin(2 * np.pi * a * t + phase) * (1 - c) + np.sin(2 * np.pi * b * t - phase) * c
        points = zip((x + width * t).tolist(), (y + height / 2 * (1 + wave)).tolist(), strict=True)
        sheet.line(list(points), mixed(tint, WHITE, 0.2 + 0.5 * i / n), 1)


def leaf(sheet: Sheet, x: float, y: float, length: float, degrees: float, tint: Colour) -> None:
    """A leaf with its middle rib, from its stem outwards."""
    t, turn = np.linspace(0, 1, 18), np.deg2rad(degrees)
    half = 0.2 * length * np.sin(np.pi * t)
    along = np.concatenate([t, t[::-1]]) * length
    across = np.concatenate([half, -half[::-1]])
    xs = x + along * np.cos(turn) - across * np.sin(turn)
    ys = y + along * np.sin(turn) + across * np.cos(turn)
    sheet.poly(list(zip(xs.tolist(), ys.tolist(), strict=True)), tint)
    sheet.line([(x, y), (x + length * np.cos(turn), y + length * np.sin(turn))], mixed(tint, (0, 0, 0), 0.4), 2)


def flower(sheet: Sheet, rng: Rng, x: float, y: float, radius: float, tint: Colour) -> None:
    """Leaves in a ring around a disc, in some number."""
    n = whole(rng, 5, 11)
    for i in range(n):
        leaf(sheet, x, y, radius, 360 * i / n + rng.uniform(-6, 6), mixed(tint, WHITE, 0.12 * (i % 2)))
    sheet.disc(x, y, radius * 0.24, pick(rng, ((240, 200, 60), (120, 70, 30), WHITE)))
