"""Posters drawn by program for the demo collection: each design fills a sheet from a random stream."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from bof.types import F64, U8
from scripts.demo.scenes import AA, Colour, Rng, fractal_noise, sheet

Palette = tuple[Colour, ...]
Design = Callable[[Rng, Palette, int, int], U8]

# No two posters share a word: a shared word in the same type is a true match, and the demo promises none.
TITLES = ("JAZZ NIGHTS", "MUSEUM", "OPERA", "VELODROME", "HARBOUR", "QUARTET", "EXPO 67", "ZIGZAG", "KIOSK", "ATLAS")
SMALL_PRINT = (
    "12 - 28 October", "Admission free", "Hall of Arts, from 8 pm", "Grand Prix, 3rd of May", "Boats, bands & beacons",
    "strings only", "every weekday until noon", "No. 47", "on the corner", "a world in 90 plates",
)  # fmt: skip
TYPE_WORDS = ("GROTESK", "KERNING", "SERIF", "LIGATURE", "PICA", "GLYPH", "BASELINE", "ITALIC", "CICERO", "QUOIN")


def _palette(code: str) -> Palette:
    """Colours from a row of hex codes: paper first, ink second, then the accents."""
    return tuple((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in code.split())


_CODES = """
f4ead5 1d2a3a d1495b edae49 00798c 66a182
fff8e7 2b2d42 ef233c 8d99ae f9a03f 3a86a8
f1e3d3 22223b 99c1b9 d88c9a f2d0a9 8e7dbe
f7f3e9 0b3954 ff6663 bfd7ea e0ff4f 087e8b
fdf0d5 003049 c1121f 669bbc 780000 f4a259
eef4ed 13315c 8da9c4 ee964b f4d35e f95738
faf3dd 1b4332 52b788 d8572a f7b538 95d5b2
f6f1e5 2a1e38 e4572e 17bebb ffc914 76b041
f8edeb 2d1e2f f08a4b 3d5a80 98c1d9 ee6c4d
"""
PALETTES = tuple(map(_palette, _CODES.strip().splitlines()))


def pick(rng: Rng, palette: Palette, first: int = 2) -> Colour:
    """One of the palette's colours, from `first` on: 2 leaves out paper and ink."""
    return palette[int(rng.integers(first, len(palette)))]


def _point(rng: Rng, height: int, width: int) -> tuple[int, int]:
    return int(rng.integers(0, width)), int(rng.integers(0, height))


def _write(art: U8, text: str, at: tuple[int, int], scale: float, colour: Colour, weight: int, font: int = 0) -> None:
    cv2.putText(art, text, at, font, scale, colour, weight, AA)


def _entitle(rng: Rng, art: U8, palette: Palette, number: int) -> None:
    """A band at the foot with a title and a line of small print."""
    height, width = art.shape[:2]
    band = max(78, height // 7)
    art[height - band :] = palette[0]
    cv2.line(art, (0, height - band), (width, height - band), palette[1], 3)
    title, font = TITLES[number % len(TITLES)], int(rng.choice((2, 4, 6)))
    _write(art, title, (14, height - band // 2 + 2), 1.25, palette[1], 3, font)
    _write(art, SMALL_PRINT[number % len(SMALL_PRINT)], (16, height - 12), 0.6, palette[1], 1)


def shapes_grid(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Cells with quarter discs, discs and triangles."""
    art, cell = sheet(height, width, palette[0]), 72
    for y in range(0, height, cell):
        for x in range(0, width, cell):
            part = sheet(cell, cell, pick(rng, palette, 0))
            _fill_cell(rng, part, pick(rng, palette, 0))
            art[y : y + cell, x : x + cell] = part[: height - y, : width - x]
    return art


def _fill_cell(rng: Rng, part: U8, colour: Colour) -> None:
    size, kind = len(part), int(rng.integers(5))
    corner = (int(rng.integers(2)) * size, int(rng.integers(2)) * size)
    if kind < 2:
        cv2.circle(part, corner, size - 1, colour, -1, AA)
    elif kind == 2:
        cv2.circle(part, (size // 2, size // 2), size // 3, colour, -1, AA)
    elif kind == 3:
        cv2.fillConvexPoly(part, np.array([corner, (size - corner[0], corner[1]), (size // 2, size // 2)]), colour, AA)
    else:
        for radius in range(size, 0, -18):
            cv2.circle(part, corner, radius, colour, 6, AA)


def sunset(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """A sun cut by stripes above layered ridges."""
    ramp = np.linspace(0, 1, height)[:, None, None]
    art: U8 = np.tile(np.uint8(np.array(palette[3]) * (1 - ramp) + np.array(palette[0]) * ramp), (1, width, 1))
    centre, radius = (int(width * rng.uniform(0.3, 0.7)), height * 2 // 5), height // 4
    cv2.circle(art, centre, radius, palette[2], -1, AA)
    for step in range(6):
        y = centre[1] + step * radius // 6
        cv2.line(art, (centre[0] - radius, y), (centre[0] + radius, y), palette[0], 2 + step)
    for layer in range(5):
        _ridge(rng, art, height * (0.5 + 0.09 * layer), palette[1 + (layer * 2 + 4) % (len(palette) - 1)])
    return art


def _ridge(rng: Rng, art: U8, level: float, colour: Colour) -> None:
    height, width = art.shape[:2]
    x = np.linspace(0, width, 40)
    y = level + np.cumsum(rng.normal(0, height / 60, 40))
    outline = np.stack([np.r_[x, width, 0], np.r_[y, height, height]], axis=1).astype(np.int32)
    cv2.fillPoly(art, [outline], colour, AA)


def stained_glass(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Voronoi cells between dark leads."""
    y, x = np.ogrid[0:height, 0:width]
    nearest, second = np.full((2, height, width), 1e9, np.float32)
    cell = np.zeros((height, width), np.intp)
    for number, (sx, sy) in enumerate(rng.random((70, 2)) * (width, height)):
        distance = np.sqrt((x - sx) ** 2 + (y - sy) ** 2, dtype=np.float32)
        second = np.minimum(second, np.maximum(nearest, distance))
        cell[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    colours = np.array(palette[2:], np.float32)[rng.integers(0, len(palette) - 2, 70)] * rng.uniform(0.75, 1.1, (70, 1))
    glass = colours[cell] * (1.1 - nearest / 160)[:, :, None]
    glass[second - nearest < 4] = palette[1]
    return np.clip(glass, 0, 255).astype(np.uint8)


def city_map(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Blocks, parks, a river, avenues and their names."""
    art = sheet(height, width, palette[0])
    for y in range(6, height, 34):
        for x in range(6, width, 46):
            colour = palette[int(rng.choice((2, 3, 4, 5, 0), p=(0.1, 0.15, 0.1, 0.15, 0.5)))]
            cv2.rectangle(art, (x, y), (x + int(rng.integers(22, 41)), y + int(rng.integers(18, 29))), colour, -1)
    river = np.stack([np.linspace(-20, width + 20, 12), height * (0.5 + rng.normal(0, 0.11, 12))], axis=1)
    cv2.polylines(art, [river.astype(np.int32)], False, palette[4], 34, AA)
    for _ in range(7):
        ends = (_point(rng, height, 1), (width, int(rng.integers(0, height))))
        cv2.line(art, *ends, palette[1], 9, AA)
        cv2.line(art, *ends, palette[0], 5, AA)
    for name in ("Station", "Old Town", "Harbour", "Park", "Arena", "Museum", "Market"):
        x, y = _point(rng, height - 90, width - 110)
        cv2.circle(art, (x, y + 20), 6, palette[2], -1, AA)
        _write(art, name, (x + 10, y + 26), 0.65, palette[1], 2)
    return art


def typography(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Words in many sizes and fonts, line below line, on bands of colour."""
    art, y = sheet(height, width, palette[0]), 0
    while y < height:
        step = int(rng.integers(26, 104))
        ground = pick(rng, palette, 0)
        ink = palette[0] if sum(ground) < 380 else palette[1]
        art[y : y + step] = ground
        words = "  ".join(map(str, rng.permutation(TYPE_WORDS)[:7]))
        at = (int(rng.integers(-60, 12)), y + step * 3 // 4)
        _write(art, words, at, step / 42, ink, max(1, step // 20), step % 8)
        y += step
    cv2.circle(art, _point(rng, height, width), height // 6, pick(rng, palette), -1, AA)
    return art


def face(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """A face of plain shapes, half in light and half in shade."""
    art = shapes_grid(rng, (palette[0], palette[4], palette[0], palette[3]), height, width)
    cx, cy, size = width // 2, height * 9 // 20, min(height, width) * 2 // 5
    for start, colour in ((90, palette[2]), (270, palette[5])):
        cv2.ellipse(art, (cx, cy), (size * 4 // 5, size), 0, start, start + 180, colour, -1, AA)
    for side in (-1, 1):
        eye = (cx + side * size // 3, cy - size // 5)
        cv2.ellipse(art, eye, (size // 5, size // 9), 0, 0, 360, palette[0], -1, AA)
        cv2.circle(art, eye, size // 11, palette[1], -1, AA)
        cv2.ellipse(art, (eye[0], eye[1] - size // 6), (size // 4, size // 8), 0, 190, 350, palette[1], 7, AA)
    nose = np.array([(cx, cy - size // 8), (cx + size // 5, cy + size // 4), (cx, cy + size // 4)])
    cv2.fillConvexPoly(art, nose, palette[3], AA)
    cv2.ellipse(art, (cx, cy + size // 2), (size // 3, size // 9), 0, 0, 360, palette[1], -1, AA)
    cv2.line(art, (cx - size // 3, cy + size // 2), (cx + size // 3, cy + size // 2), palette[0], 4, AA)
    for x in range(cx - size // 2, cx + size // 2, 14):
        cv2.line(art, (x, cy - size), (x + int(rng.integers(-30, 30)), cy - size // 2), palette[1], 5, AA)
    return art


def op_art(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """A checkerboard that swells and bends, tinted across."""
    y, x = np.mgrid[0:height, 0:width] / 44.0
    waves = rng.uniform(0.3, 0.9, 4)
    u = x + 1.2 * np.sin(y * waves[0] + waves[2] * 6)
    v = y + 1.2 * np.sin(x * waves[1] + waves[3] * 6)
    dark = (np.floor(u) + np.floor(v)) % 2 == 0
    colours = np.array(palette[1:], np.uint8)[(np.floor(u / 3) + 2 * np.floor(v / 3)).astype(int) % (len(palette) - 1)]
    return np.where(dark[:, :, None], colours, np.array(palette[0], np.uint8))


def contours(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """A hill map: coloured levels with contour lines, peaks named."""
    level = fractal_noise(rng, height, width, coarse=4, octaves=3) * 11
    band = np.floor(level).astype(int)
    art: U8 = np.array((palette[0], *palette[2:]), np.uint8)[band % (len(palette) - 1)]
    edge = cv2.morphologyEx(band.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    art[edge] = palette[1]
    for number in range(6):
        x, y = _point(rng, height - 90, width - 80)
        cv2.drawMarker(art, (x, y + 16), palette[1], cv2.MARKER_TRIANGLE_UP, 14, 3, AA)
        _write(art, str(400 + 137 * number), (x + 12, y + 22), 0.6, palette[1], 2)
    return art


def composition(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Discs, bars, arcs and triangles thrown over each other."""
    art = sheet(height, width, palette[0])
    for _ in range(16):
        at, radius = _point(rng, height, width), int(rng.integers(12, 80))
        cv2.circle(art, at, radius, pick(rng, palette), -1, AA)
        cv2.circle(art, at, radius * 2 // 3, pick(rng, palette, 0), int(rng.integers(2, 9)), AA)
    for _ in range(14):
        cv2.line(art, _point(rng, height, width), _point(rng, height, width), pick(rng, palette, 1), 3, AA)
        x, y = _point(rng, height, width)
        triangle = np.array([x, y]) + rng.integers(-60, 60, (3, 2))
        cv2.fillConvexPoly(art, triangle, pick(rng, palette, 1), AA)
    return art


def truchet(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Tiles of arcs that join into endless ribbons, a disc in a second pair of colours."""
    cell, layers = 48, []
    turns = rng.integers(0, 2, (height // cell + 1, width // cell + 1))
    for ground, ribbon in ((palette[1], palette[3]), (palette[2], palette[0])):
        art = sheet(height, width, ground)
        for (row, col), turn in np.ndenumerate(turns):
            for side in (0, 1):
                corner = ((col + (side if turn else 1 - side)) * cell, (row + side) * cell)
                angle = (0, 180)[side] if turn else (90, 270)[side]
                cv2.ellipse(art, corner, (cell // 2, cell // 2), angle, 0, 90, ribbon, 13, AA)
                cv2.ellipse(art, corner, (cell // 2, cell // 2), angle, 0, 90, palette[4], 3, AA)
        layers.append(art)
    mask = sheet(height, width, (0, 0, 0))
    cv2.circle(mask, (width // 2, height // 2), min(height, width) * 2 // 5, (255, 255, 255), -1)
    return np.where(mask > 0, layers[1], layers[0])


def botanical(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Stems with pairs of leaves and berries."""
    art = sheet(height, width, palette[0])
    for stem in range(width // 70):
        x, lean, colour = 35 + stem * 72, rng.uniform(-0.25, 0.25), pick(rng, palette)
        for step in range(13):
            y = height - 95 - step * (height - 130) // 13
            at = (int(x + lean * (height - y)), y)
            cv2.line(art, at, (int(at[0] - lean * 40), y + 40), palette[1], 3, AA)
            for side in (-1, 1):
                leaf = (at[0] + side * 20, at[1] - 10)
                cv2.ellipse(art, leaf, (21, 8), side * -(25 + int(rng.integers(25))), 0, 360, colour, -1, AA)
            if rng.random() < 0.4:
                cv2.circle(art, (at[0] + int(rng.integers(-20, 20)), y - 8), 6, pick(rng, palette), -1, AA)
    return art


def mondrian(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Fields of colour between heavy bars, halved again and again."""
    art = sheet(height, width, palette[0])

    def split(x0: int, y0: int, x1: int, y1: int, depth: int) -> None:
        wide, cut = x1 - x0 > y1 - y0, rng.uniform(0.3, 0.7)
        if depth == 0 or max(x1 - x0, y1 - y0) < 60:
            art[y0:y1, x0:x1] = pick(rng, palette) if rng.random() < 0.6 else palette[0]
            cv2.rectangle(art, (x0, y0), (x1, y1), palette[1], 7)
            return
        x, y = (int(x0 + cut * (x1 - x0)), y1) if wide else (x1, int(y0 + cut * (y1 - y0)))
        split(x0, y0, x, y, depth - 1)
        split(x if wide else x0, y0 if wide else y, x1, y1, depth - 1)

    split(0, 0, width, height, 5)
    return art


def sunflower(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Dots along the golden spiral, growing outwards."""
    art = sheet(height, width, palette[1])
    centre = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    for n in range(1, 620):
        angle, radius = n * 2.39996, 13.5 * n**0.5
        at = (centre + radius * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        cv2.circle(art, (int(at[0]), int(at[1])), int(3 + n**0.5 / 4), pick(rng, palette, 0), -1, AA)
    return art


def flow(rng: Rng, palette: Palette, height: int, width: int) -> U8:
    """Threads of colour carried along by a smooth field."""
    art = sheet(height, width, palette[1])
    field = fractal_noise(rng, height, width, coarse=3, octaves=2) * 7
    for _ in range(260):
        position = np.array(_point(rng, height, width), np.float64)
        path: list[F64] = []
        while len(path) < 22 and 0 <= position[0] < width and 0 <= position[1] < height:
            path.append(position.copy())
            angle = field[int(position[1]), int(position[0])]
            position += (7 * np.cos(angle), 7 * np.sin(angle))
        cv2.polylines(art, [np.array(path, np.int32)], False, pick(rng, palette, 0), int(rng.integers(2, 7)), AA)
    return art


DESIGNS: tuple[Design, ...] = (
    shapes_grid, sunset, city_map, face, stained_glass, typography, botanical, op_art, contours, composition, truchet,
    mondrian, sunflower, flow,
)  # fmt: skip
ENTITLED = (sunset, city_map, face, botanical, contours)


def draw_poster(number: int, seed: int) -> U8:
    """Poster `number` of a seed, u8 (h, w, 3) RGB, upright or lying; past the last design they come again, changed."""
    rng = np.random.default_rng([seed, 1, number])
    height, width = ((576, 432), (432, 576))[(number + number // len(DESIGNS)) % 2]
    palette = PALETTES[(number * 4 + number // len(DESIGNS)) % len(PALETTES)]
    design = DESIGNS[number % len(DESIGNS)]
    art = design(rng, palette, height, width)
    if design in ENTITLED:
        _entitle(rng, art, palette, number)
    return art
