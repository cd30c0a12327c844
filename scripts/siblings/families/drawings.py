"""Drawings with one frame: charts, maps, floor plans, circuits, underground lines, timetables, anatomy of a plant."""

from __future__ import annotations

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import leaf, ring
from scripts.siblings.registry import family
from scripts.siblings.streams import Colour, Rng, Streams, colour, dark, mixed, pale, pick, whole


def _axes(sheet: Sheet, design: Rng, place: tuple[int, int, int, int]) -> None:
    """Axes with ticks, a grid, titles; place: x, y, width, height."""
    x, y, width, height = place
    for i in range(9):
        at = y + height - height * i / 8
        sheet.line([(x, at), (x + width, at)], (226, 226, 230))
        sheet.text((x - 10, at), 25 * i, 15, INK, "sans", "rm")
    for i in range(11):
        sheet.line([(x + width * i / 10, y + height), (x + width * i / 10, y + height + 6)], INK, 2)
        sheet.text((x + width * i / 10, y + height + 12), 2010 + i, 15, INK, "sans", "ma")
    sheet.line([(x, y), (x, y + height), (x + width, y + height)], INK, 2)
    sheet.text((x + width / 2, y + height + 44), words.title(design, 2), 18, INK, "sans", "ma")
    sheet.slanted((x - 62, y + height / 2), words.title(design, 2), 17, INK, 90, 1)


@family("drawing")
def _line_chart(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(960, 640)
    sheet.text((480, 20), words.title(design, 4), 28, INK, "bold", "ma")
    _axes(sheet, design, (110, 80, 800, 460))
    for i in range(3):
        tint = colour(design)
        values = np.clip(np.cumsum(own.normal(0, 0.09, 31)) + own.uniform(0.2, 0.8), 0.02, 0.98)
        points = list(zip(np.linspace(110, 910, 31).tolist(), (540 - 460 * values).tolist(), strict=True))
        sheet.line(points, tint, 4)
        for x, y in points[::3]:
            sheet.disc(x, y, 6, tint)
        sheet.box(740, 94 + 30 * i, 24, 12, tint)
        sheet.text((776, 90 + 30 * i), words.title(design, 1), 17)
    return sheet.pixels


@family("drawing")
def _bar_chart(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tints = [colour(design) for _ in range(2)]
    sheet = Sheet(960, 640, (252, 252, 250))
    sheet.text((480, 20), words.title(design, 3) + f" in {words.city(own)}", 28, INK, "serif-bold", "ma")
    _axes(sheet, design, (110, 80, 800, 460))
    for i in range(10):
        for j, tint in enumerate(tints):
            height = own.uniform(20, 430)
            sheet.box(122 + 80 * i + 28 * j, 540 - height, 26, height, tint)
    return sheet.pixels


@family("drawing")
def _scatter_plot(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(860, 700)
    sheet.text((430, 20), f"{words.title(design, 2)}, sample {member + 1}", 26, INK, "sans", "ma")
    _axes(sheet, design, (110, 70, 700, 540))
    for _ in range(3):
        tint, centre = colour(design), own.uniform(0.2, 0.8, 2)
        for x, y in own.normal(centre, own.uniform(0.04, 0.12, 2), (70, 2)):
            if 0 < x < 1 and 0 < y < 1:
                sheet.disc(110 + 700 * x, 610 - 540 * y, 6, mixed(tint, WHITE, 0.3), tint, 2)
    return sheet.pixels


def _streets(sheet: Sheet, design: Rng, width: int, height: int) -> list[list[tuple[float, float]]]:
    """Streets across a town, drawn; returns their corners."""
    roads = []
    for i in range(12):
        t = np.linspace(-0.05, 1.05, 14)
        bend = np.cumsum(design.normal(0, 16, 14)) + design.uniform(0, height if i % 2 else width)
        points = list(zip((t * width).tolist(), bend.tolist(), strict=True))
        roads.append(points if i % 2 else [(b, a * height / width) for a, b in points])
    for thick, tint in ((15, (190, 186, 176)), (11, WHITE)):
        for points in roads:
            sheet.line(points, tint, thick)
    return roads


@family("drawing")
def _route_map(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(900, 700, (238, 234, 224))
    for _ in range(7):
        x, y, radius = design.uniform(0, 900), design.uniform(0, 700), design.uniform(40, 130)
        corners = [(a + design.normal(0, 14), b + design.normal(0, 14)) for a, b in ring(x, y, radius, 14)]
        sheet.poly(corners, pick(design, ((196, 222, 176), (166, 206, 226), (226, 214, 196))))
    roads = _streets(sheet, design, 900, 700)
    for _ in range(26):
        x, y = design.uniform(40, 860), design.uniform(20, 680)
        sheet.text((x, y), words.title(design, 1) + pick(design, (" St", " Rd", " Sq")), 15, GREY, "narrow", "mm")
    route: list[tuple[float, float]] = []
    for row in own.permutation(12)[: whole(own, 2, 5)].tolist():
        start = whole(own, 0, 7)
        route += roads[row][start : start + whole(own, 4, 8)]
    sheet.line(route, (50, 90, 220), 8)
    for (x, y), tint in ((route[0], (40, 160, 70)), (route[-1], (210, 40, 40))):
        sheet.disc(x, y, 16, tint, WHITE, 4)
    sheet.box(16, 16, 250, 76, WHITE, GREY, 1, 8)
    sheet.text((30, 24), f"{whole(own, 4, 90)} min", 28, (40, 130, 60), "bold")
    sheet.text((30, 60), f"{whole(own, 10, 300) / 10} km", 20, GREY)
    return sheet.pixels


@family("drawing")
def _underground_map(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(960, 660, (250, 250, 248))
    sheet.text((30, 20), words.city(design) + " Metro", 34, INK, "bold")
    closed = whole(own, 0, 6)
    for number in range(6):
        tint, x, y = colour(design), 60.0, design.uniform(90, 600)
        points = [(x, y)]
        while x < 880:
            step, slope = design.uniform(60, 150), pick(design, (0, 0, 1, -1))
            x, y = x + step, float(np.clip(y + slope * step, 80, 620))
            points.append((x, y))
        sheet.line(points, (214, 214, 216) if number == closed else tint, 9)
        for i, (px, py) in enumerate(points):
            name = words.title(design, 1)
            sheet.disc(px, py, 9, WHITE, INK, 3)
            if i % 2 == 0:
                sheet.text((px + 8, py - 26), name, 14, INK, "narrow")
    x, y = own.uniform(120, 840), own.uniform(140, 560)
    sheet.box(x - 70, y - 24, 140, 48, (220, 40, 40), WHITE, 3, 8)
    sheet.text((x, y), f"closed to {whole(own, 1, 29)} {words.MONTHS[member][:3]}", 15, WHITE, "bold", "mm")
    return sheet.pixels


@family("drawing")
def _floor_plan(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(960, 700, WHITE)
    columns = [80, *(200 * i + 80 + whole(design, -50, 50) for i in (1, 2, 3)), 880]
    rows = [80, whole(design, 260, 420), 600]
    for i in range(4):
        for j in range(2):
            x, y, wide, tall = columns[i], rows[j], columns[i + 1] - columns[i], rows[j + 1] - rows[j]
            sheet.box(x, y, wide, tall, None, BLACK, 7)
            door = design.uniform(0.2, 0.7)
            sheet.box(x + wide * door, y + tall - 5, 40, 10, WHITE)
            sheet.arc((x + wide * door - 40, y + tall - 42, x + wide * door + 40, y + tall + 38), 270, 360, INK, 2)
            for _ in range(whole(own, 1, 4)):
                fx, fy = x + own.uniform(0.1, 0.6) * wide, y + own.uniform(0.1, 0.6) * tall
                fw, fh = min(own.uniform(24, 80), wide * 0.35), min(own.uniform(24, 80), tall * 0.35)
                sheet.box(fx, fy, fw, fh, None, GREY, 2, own.uniform(0, 12))
                sheet.line([(fx, fy), (fx + fw, fy + fh)], GREY, 1)
            sheet.text((x + wide / 2, y + 24), pick(own, ("Office", "Kitchen", "Bath", "Bedroom", "Hall", "Store")), 17,
                       INK, "sans", "mm")  # fmt: skip
            sheet.text((x + wide / 2, y + 46), f"{wide * tall / 4000:.1f} m²", 14, GREY, "sans", "mm")
    sheet.box(660, 620, 220, 64, None, BLACK, 2)
    sheet.text((670, 626), words.company(design), 17, INK)
    sheet.text((670, 654), f"Floor {member + 1}   1:100", 17, INK)
    return sheet.pixels


def _part(sheet: Sheet, own: Rng, x: float, y: float, kind: int) -> None:
    """A part of a circuit on a wire that runs from left to right."""
    if kind == 0:
        sheet.box(x - 30, y - 11, 60, 22, WHITE, BLACK, 3)
    elif kind == 1:
        sheet.box(x - 6, y - 24, 12, 48, WHITE)
        for dx in (-7, 7):
            sheet.line([(x + dx, y - 24), (x + dx, y + 24)], BLACK, 3)
    elif kind == 2:
        sheet.disc(x, y, 24, WHITE, BLACK, 3)
        sheet.line([(x - 16, y - 16), (x + 16, y + 16)], BLACK, 3)
        sheet.line([(x + 16, y - 16), (x - 16, y + 16)], BLACK, 3)
    else:
        sheet.poly([(x - 18, y - 20), (x + 18, y), (x - 18, y + 20)], WHITE, BLACK, 3)
        sheet.line([(x + 18, y - 20), (x + 18, y + 20)], BLACK, 3)
    sheet.text((x, y - 42), f"{'RCLD'[kind]}{whole(own, 1, 40)}", 17, BLACK, "sans", "mm")


@family("drawing")
def _circuit(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(960, 680, (252, 252, 248))
    sheet.box(16, 16, 928, 648, None, BLACK, 3)
    rows, columns = [110, 250, 390, 530], [110, 330, 550, 770, 860]
    for y in rows:
        sheet.line([(110, y), (860, y)], BLACK, 3)
    for x in columns:
        low, high = sorted(design.choice(4, 2, replace=False).tolist())
        sheet.line([(x, rows[low]), (x, rows[high])], BLACK, 3)
        for y in (rows[low], rows[high]):
            sheet.disc(x, y, 6, BLACK)
    for y in rows:
        for x in (220, 440, 660):
            kinds = whole(design, 0, 4), whole(own, 0, 4)
            _part(sheet, own, x, y, kinds[int(own.random() < 0.5)])
    sheet.box(640, 590, 304, 74, WHITE, BLACK, 3)
    sheet.text((652, 598), words.title(design, 2), 20, BLACK, "bold")
    sheet.text((652, 630), f"Sheet {member + 1} of 7   {words.date(own)}", 16, BLACK)
    return sheet.pixels


@family("drawing")
def _timetable(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint: Colour = dark(design)
    sheet = Sheet(800, 1000, pale(design))
    sheet.box(0, 0, 800, 110, tint)
    sheet.text((30, 18), f"Line {whole(own, 2, 99)}", 52, WHITE, "bold")
    sheet.text((770, 34), words.city(own) + " - " + words.city(own), 26, WHITE, "sans", "ra")
    for i, head in enumerate(("Monday - Friday", "Saturday", "Sunday")):
        sheet.text((100 + 250 * i, 130), head, 20, tint, "bold")
    for hour in range(5, 24):
        y = 170 + 40 * (hour - 5)
        if hour % 2:
            sheet.box(20, y, 760, 40, mixed(tint, WHITE, 0.85))
        sheet.text((60, y + 8), hour, 22, tint, "bold", "ra")
        for i in range(3):
            minutes = sorted(own.integers(0, 60, 5 - i).tolist())
            for j, minute in enumerate(minutes):
                sheet.text((100 + 250 * i + 44 * j, y + 9), f"{minute:02d}", 19, INK)
    sheet.text((30, 950), "Valid from " + words.date(own), 18, GREY)
    return sheet.pixels


@family("drawing")
def _herbarium(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(640, 900, (240, 230, 206))
    sheet.box(24, 24, 592, 852, None, INK, 2)
    green, x, y = mixed((70, 100, 40), (120, 130, 50), own.random()), 320.0, 700.0
    stem = [(x, y)]
    for i in range(14):
        x, y = x + own.normal(0, 14), y - 38
        stem.append((x, y))
        leaf(sheet, x, y, own.uniform(60, 170), -90 + (1, -1)[i % 2] * own.uniform(30, 80), green)
    sheet.line(stem, mixed(green, BLACK, 0.4), 5)
    sheet.box(330, 730, 270, 130, (250, 246, 232), INK, 2)
    sheet.text((345, 742), "HERBARIUM " + words.city(design).upper(), 17, INK, "serif-bold")
    sheet.text((345, 772), f"{words.title(own, 1)}us {words.word(own)}alis", 20, INK, "italic")
    sheet.text((345, 804), f"leg. {words.person(design)}", 16, INK, "serif")
    sheet.text((345, 828), words.date(own), 16, INK, "serif")
    return sheet.pixels
