"""Patterns: dots, tiles, plaid, leaves, damask; what a member has is its colours, a tile, or a thing on the pattern."""

from __future__ import annotations

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import INK, WHITE, Sheet
from scripts.siblings.marks import flower, leaf, ring
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, photo
from scripts.siblings.streams import Streams, colour, dark, mixed, pale, pick, whole


@family("pattern")
def _polka_dots(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    ground, dot = colour(design), pale(design)
    step, odd = whole(design, 50, 70), {int(i) for i in own.permutation(100)[:4]}
    sheet = Sheet(720, 720, ground)
    n = 0
    for row, y in enumerate(range(30, 720, step)):
        for x in range(30 + row % 2 * step // 2, 720, step):
            sheet.disc(x, y, 17, colour(own) if n in odd else dot)
            n += 1
    return sheet.pixels


@family("pattern")
def _wallpaper(member: int, streams: Streams) -> U8:
    design = streams.design
    tints = [colour(streams.own, (0.4, 0.9)) for _ in range(3)]
    sheet = Sheet(760, 760, pale(design))
    petals = [(design.uniform(0, 190), design.uniform(0, 190), design.uniform(30, 60)) for _ in range(5)]
    for top in range(-190, 760, 190):
        for left in range(-190, 760, 190):
            for i, (x, y, size) in enumerate(petals):
                for turn in range(0, 360, 60):
                    leaf(sheet, left + x, top + y, size, turn + 11 * i, tints[i % 3])
    return sheet.pixels


@family("pattern")
def _floor_tiles(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    one, other = dark(design), colour(design)
    sheet = Sheet(720, 720, WHITE)
    swapped = set(own.permutation(36)[: whole(own, 3, 9)].tolist())
    for tile in range(36):
        x, y = 120 * (tile % 6), 120 * (tile // 6)
        a, b = (other, one) if tile in swapped else (one, other)
        sheet.box(x, y, 120, 120, mixed(a, WHITE, 0.8), INK, 2)
        sheet.poly(ring(x + 60, y + 60, 56, 8, 0.5, 0), a)
        sheet.disc(x + 60, y + 60, 20, b)
        for cx, cy in ((x, y), (x + 120, y), (x, y + 120), (x + 120, y + 120)):
            sheet.disc(cx, cy, 22, None, b, 5)
    return sheet.pixels


@family("pattern")
def _plaid(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    n = 240
    row = np.zeros((n, 3), np.float32)
    bounds = np.sort(design.integers(0, n, 11)).tolist()
    for start, end in zip([0, *bounds], [*bounds, n], strict=True):
        row[start:end] = colour(own if start == bounds[4] else design, (0.2, 0.9))
    row = np.concatenate([row, row[::-1]] * 2)[:720]
    twill = (np.add.outer(np.arange(720), np.arange(720)) // 3 % 2)[:, :, None]
    woven = np.where(twill, row[None], row[:, None]) + own.normal(0, 5, (720, 720, 1))
    return np.clip(woven, 0, 255).astype(np.uint8)


@family("pattern")
def _gift_wrap(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    ground = colour(design, (0.4, 0.8))
    sheet = Sheet(720, 900, ground)
    for _ in range(150):
        x, y, size = design.uniform(0, 720), design.uniform(0, 900), design.uniform(14, 40)
        sheet.poly(ring(x, y, size, 10, 0.42, design.uniform(0, 72)), mixed(ground, WHITE, design.uniform(0.3, 0.9)))
    sheet.box(140, 340, 440, 220, (252, 250, 242), INK, 3, 14)
    sheet.text((360, 400), "Happy birthday", 44, INK, "italic", "mm")
    sheet.text((360, 480), words.person(own).split()[0], 64, dark(design), "serif-bold", "mm")
    return sheet.pixels


@family("pattern")
def _press_wall(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(900, 640, WHITE)
    names = [words.title(design, 1).upper() for _ in range(3)]
    tints = [dark(design) for _ in range(3)]
    for row in range(8):
        for column in range(6):
            which = (row + column) % 3
            x = 40 + 160 * column + row % 2 * 50
            sheet.text((x, 30 + 82 * row), names[which], 26, tints[which], "bold", "mm")
            sheet.poly(ring(x, 62 + 82 * row, 14, 6 + 2 * which, 0.6), tints[which])
    sheet.paste(face(own, 400, 480), whole(own, 180, 320), 160)
    return sheet.pixels


@family("pattern")
def _picture_frame(member: int, streams: Streams) -> U8:
    design = streams.design
    gold = pick(design, ((186, 146, 66), (120, 80, 44), (60, 56, 54)))
    sheet = Sheet(840, 700, gold)
    for i in range(14):
        sheet.box(4 * i, 4 * i, 840 - 8 * i, 700 - 8 * i, None, mixed(gold, WHITE, 0.5 * abs(np.sin(i))), 4)
    for i in range(26):
        for x, y in ((30 + 31 * i, 30), (30 + 31 * i, 670), (30, 30 + 26 * i), (810, 30 + 26 * i)):
            flower(sheet, design, x, y, 17, mixed(gold, WHITE, 0.4))
    sheet.paste(photo(streams, 700, 560), 70, 70)
    return sheet.pixels
