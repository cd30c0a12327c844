"""Screens: mail, a web page, a chat, a dashboard, slides, code, a shop, a weather app."""

from __future__ import annotations

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import GREY, INK, WHITE, Sheet
from scripts.siblings.marks import logo
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, photo, shared_photo
from scripts.siblings.streams import Colour, Rng, Streams, colour, dark, mixed, pick, whole

_PALE = (242, 243, 246)


@family("screen")
def _mail_screen(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1100, 720)
    sheet.box(0, 0, 1100, 56, tint)
    sheet.text((24, 14), words.title(design, 1) + "Mail", 24, WHITE, "bold")
    sheet.box(320, 12, 520, 32, mixed(tint, WHITE, 0.25), corner=8)
    sheet.text((336, 18), "Search in mail", 16, WHITE)
    sheet.box(0, 56, 210, 664, _PALE)
    sheet.box(20, 76, 150, 44, tint, corner=20)
    sheet.text((95, 98), "Compose", 18, WHITE, "bold", "mm")
    for i, name in enumerate(("Inbox", "Starred", "Sent", "Drafts", "Spam", "Trash", "Work", "Family", "Travel")):
        sheet.box(24, 146 + 40 * i, 18, 14, None, tint, 2)
        sheet.text((56, 142 + 40 * i), name, 16)
    for row in range(14):
        y = 66 + 46 * row
        sheet.box(230, y + 8, 18, 18, None, GREY, 1)
        is_new = own.random() < 0.4
        sheet.text((270, y + 7), words.person(own), 16, INK, "bold" if is_new else "sans")
        sheet.block((450, y + 7), words.sentence(own), 510, 15, INK if is_new else GREY, n_lines=1)
        sheet.text((1080, y + 7), words.clock(own), 14, GREY, "sans", "ra")
        sheet.line([(210, y + 40), (1100, y + 40)], (226, 226, 230))
    return sheet.pixels


@family("screen")
def _website(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1100, 800)
    sheet.paste(logo(design, 52, tint), 40, 14)
    sheet.text((108, 24), words.title(design, 1) + " Times", 28, tint, "serif-bold")
    for i in range(6):
        sheet.text((480 + 100 * i, 30), words.title(design, 1), 17, INK)
    sheet.line([(0, 80), (1100, 80)], tint, 3)
    sheet.block((40, 100), words.title(own, 6), 660, 42, INK, "serif-bold", n_lines=2)
    sheet.text((40, 222), f"By {words.person(own)}, {words.date(own)}", 15, GREY)
    sheet.paste(photo(streams, 660, 340), 40, 250)
    sheet.block((40, 610), words.paragraph(own, 9), 660, 17, INK, "serif", n_lines=8)
    sheet.box(740, 100, 320, 250, _PALE)
    sheet.text((760, 116), "Most read", 20, tint, "bold")
    for i in range(5):
        sheet.text((760, 152 + 38 * i), i + 1, 22, tint, "bold")
        sheet.block((796, 156 + 38 * i), words.title(design, 4), 260, 15, INK, n_lines=1)
    sheet.paste(shared_photo(streams, 320, 220), 740, 380)
    sheet.text((760, 620), words.title(design, 4), 18, INK, "bold")
    sheet.block((760, 652), words.paragraph(design, 2), 300, 14, GREY, n_lines=6)
    return sheet.pixels


@family("screen")
def _chat(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(450, 900, mixed(tint, WHITE, 0.88))
    sheet.box(0, 0, 450, 96, tint)
    sheet.text((20, 8), words.clock(own), 15, WHITE)
    sheet.text((430, 8), f"{whole(own, 10, 100)} %", 15, WHITE, "sans", "ra")
    sheet.paste(face(own, 48, 56), 54, 32)
    sheet.text((116, 46), words.person(own), 22, WHITE, "bold")
    sheet.line([(34, 48), (22, 60), (34, 72)], WHITE, 3)
    y = 116.0
    while y < 780:
        text, mine = words.sentence(own), own.random() < 0.5
        n_lines = 1 + len(text) // 32
        x = 130 if mine else 20
        sheet.box(x, y, 300, 22 * n_lines + 24, mixed(tint, WHITE, 0.6) if mine else WHITE, corner=14)
        sheet.block((x + 14, y + 8), text, 272, 16, INK, n_lines=n_lines)
        sheet.text((x + 286, y + 22 * n_lines + 4), words.clock(own), 11, GREY, "sans", "ra")
        y += 22 * n_lines + 38
    sheet.box(0, 838, 450, 62, WHITE)
    sheet.box(20, 850, 350, 38, _PALE, GREY, 1, 18)
    sheet.text((40, 859), "Message", 16, GREY)
    sheet.disc(408, 869, 22, tint)
    sheet.poly([(400, 859), (420, 869), (400, 879)], WHITE)
    return sheet.pixels


def _curve(sheet: Sheet, rng: Rng, place: tuple[int, int, int, int], tint: Colour) -> None:
    x, y, width, height = place
    values = np.cumsum(rng.normal(0, 1, 40))
    values = (values - values.min()) / max(np.ptp(values), 1e-6)
    along = np.linspace(x, x + width, 40).tolist()
    points = list(zip(along, (y + height * (1 - values)).tolist(), strict=True))
    sheet.poly([(x, y + height), *points, (x + width, y + height)], mixed(tint, WHITE, 0.75))
    sheet.line(points, tint, 3)


@family("screen")
def _dashboard(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, other = dark(design), colour(design)
    sheet = Sheet(1120, 720, _PALE)
    sheet.box(0, 0, 180, 720, tint)
    sheet.text((24, 24), words.title(design, 1), 24, WHITE, "bold")
    for i in range(8):
        sheet.box(26, 96 + 48 * i, 20, 20, None, WHITE, 2, 5)
        sheet.text((60, 96 + 48 * i), words.title(design, 1), 17, WHITE)
    for i in range(4):
        x = 204 + 226 * i
        sheet.box(x, 24, 208, 110, WHITE, corner=8)
        sheet.text((x + 16, 38), words.title(design, 2), 15, GREY)
        sheet.text((x + 16, 66), f"{whole(own, 100, 99000):,}", 34, INK, "bold")
    sheet.box(204, 154, 580, 300, WHITE, corner=8)
    sheet.text((220, 166), words.title(design, 2), 18, INK, "bold")
    _curve(sheet, own, (230, 206, 530, 220), other)
    sheet.box(804, 154, 286, 300, WHITE, corner=8)
    for i, height in enumerate(own.uniform(20, 220, 7).tolist()):
        sheet.box(828 + 36 * i, 430 - height, 24, height, tint)
    sheet.box(204, 474, 886, 226, WHITE, corner=8)
    for row in range(6):
        cells = (words.person(own), words.city(own), words.date(own), f"{words.amount(own):.2f}")
        for i, cell in enumerate(("Name", "City", "Date", "Amount") if row == 0 else cells):
            sheet.text((224 + 220 * i, 488 + 34 * row), cell, 16, INK, "bold" if row == 0 else "sans")
    return sheet.pixels


@family("screen")
def _slide(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1060, 600)
    sheet.paste(shared_photo(streams, 1060, 90), 0, 0, 0.55)
    sheet.box(0, 90, 1060, 8, tint)
    sheet.text((40, 22), words.title(own, 3), 42, INK, "bold")
    for i in range(5):
        y = 140 + 72 * i
        sheet.poly([(50, y + 4), (70, y + 14), (50, y + 24)], tint)
        sheet.block((90, y), words.sentence(own), 900 if member % 2 else 480, 24, INK, n_lines=1 + (member % 2 == 0))
    if member % 2 == 0:
        sheet.paste(photo(streams, 400, 320), 620, 140)
    sheet.box(0, 546, 1060, 54, tint)
    sheet.paste(logo(design, 44, WHITE, tint), 30, 551)
    sheet.text((90, 560), f"{words.company(design)} - {words.title(design, 3)}", 20, WHITE)
    sheet.text((1030, 560), member + 3, 22, WHITE, "bold", "ra")
    return sheet.pixels


@family("screen")
def _code_page(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    ground, hues = (36, 38, 48), [colour(design, (0.75, 1.0), (0.25, 0.7)) for _ in range(4)]
    sheet = Sheet(980, 720, ground)
    sheet.box(0, 0, 980, 40, (52, 56, 70))
    for i in range(3):
        sheet.text((60 + 200 * i, 10), f"{words.word(own if i == 0 else design)}.py", 16, WHITE, "mono")
    sheet.box(0, 40, 40, 680, (30, 31, 40))
    depth = 0
    for row in range(31):
        y = 52 + 21 * row
        sheet.text((34, y), row + 1, 13, (110, 114, 130), "mono", "ra")
        depth = max(0, min(4, depth + whole(own, -1, 2)))
        x = 56.0 + 34 * depth
        head = pick(own, ("for", "if", "def", "return", "while", "with", "x =", "self."))
        parts = [head, words.word(own), pick(own, ("(", "= [", "in", "+", "==")), words.word(own), words.digits(own, 2)]
        if own.random() < 0.12:
            continue
        for part, hue in zip(parts, (hues[0], WHITE, hues[1], hues[2], hues[3]), strict=True):
            sheet.text((x, y), part, 15, hue, "mono")
            x += 9.1 * len(part) + 9
    return sheet.pixels


@family("screen")
def _shop_page(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1000, 760)
    sheet.box(0, 0, 1000, 64, tint)
    sheet.text((30, 14), words.title(design, 1) + ".shop", 30, WHITE, "bold")
    for i in range(4):
        sheet.text((520 + 120 * i, 22), ("Home", "Offers", "Basket", "Account")[i], 18, WHITE)
    sheet.paste(photo(streams, 440, 440), 40, 100)
    sheet.text((520, 106), words.title(own, 3), 32, INK, "bold")
    for i in range(5):
        sheet.text((520 + 30 * i, 154), "★", 26, (240, 170, 40) if i < whole(own, 2, 6) else (210, 210, 210))
    sheet.text((690, 160), f"{whole(own, 3, 900)} reviews", 16, GREY)
    sheet.text((520, 206), f"{words.amount(own):.2f} EUR", 42, (180, 40, 30), "bold")
    sheet.block((520, 280), words.paragraph(own, 4), 430, 17, INK, n_lines=7)
    sheet.box(520, 460, 220, 56, tint, corner=10)
    sheet.text((630, 488), "Add to basket", 22, WHITE, "bold", "mm")
    sheet.text((40, 570), "Customers also bought", 20, INK, "bold")
    for i in range(5):
        sheet.paste(shared_photo(streams, 160, 130), 40 + 186 * i, 604)
    return sheet.pixels


@family("screen")
def _weather_app(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(460, 900, shared_photo(streams, 460, 900))
    sheet.text((230, 90), words.city(own), 42, WHITE, "sans", "ma")
    sheet.text((230, 150), f"{whole(own, -9, 38)}°", 120, WHITE, "plain", "ma")
    sheet.text((230, 290), pick(own, ("Sunny", "Cloudy", "Rain", "Snow", "Windy")), 26, WHITE, "sans", "ma")
    sheet.box(24, 360, 412, 130, dark(design), corner=18)
    for i in range(6):
        sheet.text((58 + 69 * i, 378), f"{8 + 2 * i}:00", 15, WHITE, "sans", "ma")
        sheet.disc(58 + 69 * i, 422, 13, pick(own, ((250, 210, 80), (200, 206, 214), (120, 170, 230))))
        sheet.text((58 + 69 * i, 450), f"{whole(own, -9, 38)}°", 20, WHITE, "bold", "ma")
    sheet.box(24, 510, 412, 360, dark(design), corner=18)
    for i, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        y, low = 528 + 48 * i, whole(own, -9, 20)
        sheet.text((44, y), day, 20, WHITE)
        sheet.text((180, y), f"{low}°", 20, (190, 200, 220))
        sheet.box(230, y + 8, 120, 8, (120, 130, 150), corner=4)
        sheet.box(230 + whole(own, 0, 60), y + 8, whole(own, 20, 60), 8, (250, 200, 90), corner=4)
        sheet.text((410, y), f"{low + whole(own, 3, 14)}°", 20, WHITE, "sans", "ra")
    return sheet.pixels
