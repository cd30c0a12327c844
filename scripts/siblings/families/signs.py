"""Signs and codes: QR codes, bar codes, number plates, road signs, flags, clocks, gauges, safety signs."""

from __future__ import annotations

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, logo, qr, ring
from scripts.siblings.registry import family
from scripts.siblings.scenery import gradient
from scripts.siblings.streams import Streams, colour, dark, mixed, pick, whole

_BLUE, _GREEN, _RED = (24, 76, 160), (20, 110, 70), (196, 30, 40)


@family("sign")
def _qr_sticker(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(560, 700, WHITE)
    sheet.box(0, 0, 560, 90, tint)
    sheet.text((280, 45), "SCAN TO PAY", 46, WHITE, "bold", "mm")
    sheet.paste(qr(f"https://{words.word(design)}.example/{words.digits(own, 18)}", 480), 40, 110)
    sheet.text((280, 630), words.company(design), 30, tint, "bold", "mm")
    sheet.text((280, 672), words.digits(own, 8, 4), 24, INK, "mono", "mm")
    return sheet.pixels


@family("sign")
def _bare_qr(member: int, streams: Streams) -> U8:
    return qr(f"{words.title(streams.own, 4)} {words.digits(streams.own, 40)}", 620)


@family("sign")
def _bar_code(member: int, streams: Streams) -> U8:
    sheet = Sheet(700, 400)
    sheet.paste(barcode(streams.own, 600, 280), 50, 30)
    sheet.text((350, 350), " ".join(words.digits(streams.own, 13)), 40, BLACK, "mono", "mm")
    return sheet.pixels


@family("sign")
def _asset_label(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(700, 360, (206, 208, 212))
    sheet.box(12, 12, 676, 336, None, INK, 4, 20)
    sheet.paste(logo(design, 90, dark(design), (206, 208, 212)), 36, 34)
    sheet.text((150, 40), "PROPERTY OF", 22, INK)
    sheet.text((150, 70), words.company(design).upper(), 38, INK, "bold")
    sheet.paste(barcode(own, 500, 110), 100, 160)
    sheet.text((350, 310), f"{words.letters(design, 2)}-{words.digits(own, 7)}", 40, INK, "mono", "mm")
    return sheet.pixels


@family("sign")
def _number_plate(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(900, 240, WHITE)
    sheet.box(6, 6, 888, 228, (250, 250, 250), BLACK, 8, 24)
    sheet.box(10, 10, 90, 220, (30, 60, 150), corner=18)
    for x, y in ring(55, 84, 30, 12):
        sheet.poly(ring(x, y, 8, 10, 0.45), (250, 210, 60))
    sheet.text((55, 180), words.letters(design, 1), 60, WHITE, "bold", "mm")
    plate = f"{words.letters(own, 2)} {words.letters(own, 2)} {words.digits(own, 3)}"
    sheet.text((500, 122), plate, 108, BLACK, "bold", "mm")
    return sheet.pixels


@family("sign")
def _speed_sign(member: int, streams: Streams) -> U8:
    sheet = Sheet(600, 600, gradient(600, 600, (150, 180, 210), (210, 220, 226)))
    sheet.disc(300, 300, 270, WHITE, GREY, 4)
    sheet.disc(300, 300, 258, _RED)
    sheet.disc(300, 300, 200, WHITE)
    sheet.text((300, 300), 30 + 10 * member, 210, BLACK, "bold", "mm")
    return sheet.pixels


@family("sign")
def _motorway_sign(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    ground = pick(design, (_BLUE, _GREEN))
    sheet = Sheet(900, 560, ground)
    sheet.box(12, 12, 876, 536, None, WHITE, 8, 26)
    sheet.box(60, 50, 150, 80, _RED, WHITE, 4, 10)
    sheet.text((135, 90), f"A{whole(own, 1, 99)}", 56, WHITE, "bold", "mm")
    for i in range(3):
        y = 180 + 110 * i
        sheet.text((60, y), words.city(own), 74, WHITE, "bold")
        sheet.text((640, y), whole(own, 3, 400), 74, WHITE, "bold", "ra")
    for x in (700, 790):
        sheet.poly([(x - 30, 240), (x + 10, 180), (x + 50, 240)], WHITE)
        sheet.box(x, 240, 20, 240, WHITE)
    return sheet.pixels


@family("sign")
def _street_plate(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    ground = dark(design)
    sheet = Sheet(860, 300, ground)
    sheet.box(14, 14, 832, 272, None, WHITE, 6, 20)
    sheet.text((430, 72), f"{whole(design, 2, 20)}e District", 32, WHITE, "serif", "mm")
    sheet.text((430, 160), f"{words.title(own, 1)} Street", 84, WHITE, "serif-bold", "mm")
    sheet.text((430, 244), f"{words.person(own)}, {whole(own, 1700, 1950)}", 26, WHITE, "italic", "mm")
    return sheet.pixels


@family("sign")
def _flag_stripes(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(840, 560, WHITE)
    tints = [colour(own, (0.4, 0.9), (0.6, 1.0)) for _ in range(3)]
    for i, tint in enumerate(tints):
        sheet.box(0, 187 * i, 840, 188, tint)
    sheet.poly(ring(420, 280, 110, 10, 0.42), (250, 214, 70))
    sheet.box(330, 380, 180, 34, WHITE, INK, 2)
    sheet.text((420, 397), words.city(design).upper(), 24, INK, "serif-bold", "mm")
    return sheet.pixels


@family("sign")
def _clock_face(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(640, 640, mixed(colour(design), WHITE, 0.7))
    sheet.disc(320, 320, 296, (40, 40, 44))
    sheet.disc(320, 320, 276, (250, 248, 240))
    for i, (x, y) in enumerate(ring(320, 320, 262, 60)):
        sheet.disc(x, y, 6 if i % 5 == 0 else 2, INK)
    for i, (x, y) in enumerate(ring(320, 320, 220, 12)):
        sheet.text((x, y), i or 12, 46, INK, "serif-bold", "mm")
    sheet.text((320, 220), words.title(design, 1).upper(), 26, INK, "serif", "mm")
    for length, thick, angle in ((130, 14, own.uniform(0, 360)), (210, 8, own.uniform(0, 360))):
        turn = np.deg2rad(angle)
        sheet.line([(320, 320), (320 + length * np.cos(turn), 320 + length * np.sin(turn))], BLACK, thick)
    sheet.disc(320, 320, 14, _RED)
    return sheet.pixels


@family("sign")
def _gauge(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(700, 700, (60, 64, 70))
    sheet.disc(350, 350, 330, (190, 192, 196))
    sheet.disc(350, 350, 300, WHITE)
    for i in range(51):
        turn = np.deg2rad(135 + 270 * i / 50)
        reach = 230 if i % 5 == 0 else 250
        ends = [(350 + r * np.cos(turn), 350 + r * np.sin(turn)) for r in (reach, 272)]
        sheet.line(ends, INK, 4 if i % 5 == 0 else 2)
        if i % 5 == 0:
            sheet.text((350 + 196 * np.cos(turn), 350 + 196 * np.sin(turn)), i // 5, 36, INK, "sans", "mm")
    sheet.text((350, 460), pick(design, ("bar", "kPa", "psi")), 36, INK, "sans", "mm")
    sheet.text((350, 510), words.company(design), 22, GREY, "sans", "mm")
    turn = np.deg2rad(135 + 270 * own.random())
    sheet.line([(350, 350), (350 + 240 * np.cos(turn), 350 + 240 * np.sin(turn))], _RED, 10)
    sheet.disc(350, 350, 26, BLACK)
    return sheet.pixels


@family("sign")
def _departure_board(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(1000, 620, (18, 20, 26))
    sheet.text((30, 16), words.city(design).upper() + "  DEPARTURES", 44, (250, 210, 60), "bold")
    sheet.text((970, 24), words.clock(own), 38, WHITE, "mono", "ra")
    for row in range(10):
        y = 92 + 52 * row
        sheet.box(20, y, 960, 46, (34, 38, 48))
        flight = f"{words.letters(own, 2)} {words.digits(own, 3)}"
        cells = (
            words.clock(own),
            words.city(own),
            flight,
            whole(own, 1, 20),
            pick(own, ("on time", "delayed", "gone")),
        )
        for x, cell in zip((34, 180, 560, 760, 830), cells, strict=True):
            sheet.text((x, y + 8), cell, 26, (250, 230, 150), "mono")
    return sheet.pixels
