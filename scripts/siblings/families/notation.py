"""Signs in a grid or on lines: chess, crosswords, sheet music, calendars, text, sudoku, dominoes, periodic tables."""

from __future__ import annotations

import calendar

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.registry import family
from scripts.siblings.scenery import photo
from scripts.siblings.streams import Streams, colour, dark, mixed, pale, pick, whole


@family("notation")
def _chess(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    brown, light, side = colour(design, (0.4, 0.7)), pale(design), 84
    sheet = Sheet(740, 760, WHITE)
    for square in range(64):
        row, column = divmod(square, 8)
        sheet.box(34 + side * column, 20 + side * row, side, side, brown if (row + column) % 2 else light)
    for i in range(8):
        sheet.text((34 + side * i + 42, 712), "abcdefgh"[i], 22, INK, "sans", "mm")
        sheet.text((16, 62 + side * i), 8 - i, 22, INK, "sans", "mm")
    pieces = "♔♕♖♖♗♗♘♘♙♙♙♙♙♙♙♙♚♛♜♜♝♝♞♞♟♟♟♟♟♟♟♟"
    retained = own.permutation(32)[: whole(own, 9, 26)].tolist()
    for square, piece in zip(own.permutation(64).tolist(), retained, strict=False):
        row, column = divmod(square, 8)
        sheet.text((76 + side * column, 62 + side * row), pieces[piece], 66, BLACK, "sans", "mm")
    return sheet.pixels


@family("notation")
def _crossword(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    n, side = 13, 44
    blocked = design.random((n, n)) < 0.2
    blocked |= blocked[::-1, ::-1]
    sheet = Sheet(640, 820, WHITE)
    sheet.text((320, 14), f"Crossword No. {whole(own, 100, 999)}", 26, INK, "serif-bold", "ma")
    number = 0
    for row in range(n):
        for column in range(n):
            x, y = 34 + side * column, 56 + side * row
            sheet.box(x, y, side, side, BLACK if blocked[row, column] else WHITE, BLACK, 2)
            starts = not blocked[row, column] and (column == 0 or blocked[row, column - 1])
            if starts:
                number += 1
                sheet.text((x + 4, y + 3), number, 11)
            if not blocked[row, column] and own.random() < 0.6:
                sheet.text((x + 24, y + 25), words.letters(own, 1), 26, (30, 50, 140), "plain", "mm")
    for i in range(8):
        clue = f"{3 * i + 1}. {words.sentence(own)[:34]}"
        sheet.text((34 + 300 * (i % 2), 650 + 38 * (i // 2)), clue, 14, INK, "serif")
    return sheet.pixels


@family("notation")
def _sudoku(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(640, 720, pale(design))
    sheet.text((320, 36), f"SUDOKU {words.title(design, 1).upper()}  {member + 61}", 30, dark(design), "bold", "mm")
    for i in range(10):
        at, thick = 68 * i, 5 if i % 3 == 0 else 2
        sheet.line([(14 + at, 80), (14 + at, 692)], INK, thick)
        sheet.line([(14, 80 + at), (626, 80 + at)], INK, thick)
    rows = (np.arange(9)[:, None] * 3 + np.arange(9)[:, None] // 3 + np.arange(9)) % 9
    names = own.permutation(9) + 1
    for cell in own.permutation(81)[: whole(own, 26, 40)].tolist():
        row, column = divmod(cell, 9)
        sheet.text((48 + 68 * column, 115 + 68 * row), int(names[rows[row, column]]), 40, INK, "sans", "mm")
    return sheet.pixels


@family("notation")
def _sheet_music(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(780, 1040, (253, 251, 244))
    sheet.text((390, 26), f"{words.title(design, 2)}", 36, INK, "serif-bold", "ma")
    sheet.text((740, 80), words.person(design), 18, INK, "italic", "ra")
    sheet.text((390, 1006), member + 2, 18, INK, "serif", "mm")
    for staff in range(8):
        y = 120 + 112 * staff
        for i in range(5):
            sheet.line([(40, y + 11 * i), (740, y + 11 * i)], INK, 1)
        sheet.text((46, y - 20), "&", 64, INK, "italic")
        x, beat = 120.0, 0
        while x < 725:
            step = whole(own, -2, 11)
            head = y + 44 - 5.5 * step
            sheet.oval(x, head, 15, 11, INK if own.random() < 0.75 else GREY)
            up = -1 if step < 5 else 1
            stem = x - 7 * up
            sheet.line([(stem, head), (stem, head + up * 36)], INK, 2)
            if own.random() < 0.35:
                sheet.line([(stem, head + up * 36), (stem + 12, head + up * 22)], INK, 4)
            x, beat = x + own.uniform(26, 46), beat + 1
            if beat % 4 == 0:
                sheet.line([(x - 14, y), (x - 14, y + 44)], INK, 2)
    return sheet.pixels


@family("notation")
def _calendar_month(member: int, streams: Streams) -> U8:
    design = streams.design
    tint, year = dark(design), whole(design, 1990, 2030)
    sheet = Sheet(760, 620)
    sheet.box(0, 0, 760, 100, tint)
    sheet.text((380, 50), f"{words.MONTHS[member + 2]} {year}", 52, WHITE, "bold", "mm")
    for i, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        sheet.text((70 + 104 * i, 126), name, 22, tint, "bold", "mm")
    first, n_days = calendar.monthrange(year, member + 3)
    for day in range(n_days):
        row, column = divmod(first + day, 7)
        sheet.box(20 + 104 * column, 150 + 76 * row, 100, 72, None, mixed(tint, WHITE, 0.6), 2)
        sheet.text((32 + 104 * column, 156 + 76 * row), day + 1, 28, INK if column < 5 else (190, 40, 40), "sans")
    return sheet.pixels


@family("notation")
def _photo_calendar(member: int, streams: Streams) -> U8:
    design = streams.design
    tint, year = dark(design), whole(design, 1990, 2030)
    sheet = Sheet(640, 900, pale(design))
    sheet.paste(photo(streams, 600, 520), 20, 20)
    sheet.text((320, 580), words.MONTHS[member].upper(), 44, tint, "serif", "mm")
    first, n_days = calendar.monthrange(year, member + 1)
    for day in range(n_days):
        row, column = divmod(first + day, 7)
        sheet.text((80 + 80 * column, 640 + 42 * row), day + 1, 24, INK if column < 6 else (190, 40, 40), "serif", "mm")
    sheet.text((320, 882), words.company(design), 16, GREY, "serif", "mm")
    return sheet.pixels


@family("notation")
def _text_page(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(660, 960, (251, 248, 240))
    sheet.text((330, 40), words.title(design, 3).upper(), 15, INK, "serif", "ma")
    sheet.text((590, 40), 2 * member + 41, 16, INK, "serif", "ra")
    y = 90.0
    while y < 860:
        y = sheet.block((72, y), words.paragraph(own, whole(own, 3, 8)), 520, 17, INK, "serif", 1.4,
                        int((886 - y) / 23.8))  # fmt: skip
        y += 6
    return sheet.pixels


@family("notation")
def _dictionary_page(member: int, streams: Streams) -> U8:
    own = streams.own
    sheet = Sheet(740, 1000, WHITE)
    sheet.text((40, 26), words.word(own), 22, INK, "bold")
    sheet.text((700, 26), words.word(own), 22, INK, "bold", "ra")
    sheet.line([(40, 60), (700, 60)], INK, 2)
    for column in range(2):
        x, y = 40 + 340 * column, 76.0
        while y < 930:
            sheet.text((x, y), words.word(own), 16, INK, "bold")
            y = sheet.block((x + 16, y + 20), words.paragraph(own, 2), 300, 13, INK, "serif", n_lines=4) + 6
    sheet.line([(370, 70), (370, 960)], GREY, 1)
    return sheet.pixels


@family("notation")
def _element_tile(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(design, (0.6, 0.9))
    sheet = Sheet(560, 600, mixed(tint, WHITE, 0.5))
    sheet.box(20, 20, 520, 560, None, dark(design), 10)
    sheet.text((50, 44), 11 + 9 * member, 72, INK, "bold")
    sheet.text((280, 280), ("Na", "Ca", "Cu", "Sr", "Ag", "Ba", "Hg")[member], 230, INK, "bold", "mm")
    sheet.text((280, 450), words.title(own, 1) + "ium", 50, INK, "sans", "mm")
    sheet.text((280, 520), f"{own.uniform(20, 240):.3f}", 40, INK, "sans", "mm")
    return sheet.pixels


@family("notation")
def _bingo_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(design, (0.5, 0.85))
    sheet = Sheet(640, 760, mixed(tint, WHITE, 0.85))
    sheet.box(0, 0, 640, 120, tint)
    for i in range(5):
        sheet.text((76 + 122 * i, 60), "BINGO"[i], 84, WHITE, "bold", "mm")
        numbers = own.permutation(15)[:5] + 15 * i + 1
        for j, number in enumerate(numbers.tolist()):
            sheet.box(18 + 122 * i, 134 + 118 * j, 116, 112, WHITE, tint, 4, 8)
            text = "FREE" if i == j == 2 else number
            sheet.text((76 + 122 * i, 190 + 118 * j), text, 34 if text == "FREE" else 56, INK, "bold", "mm")
    sheet.text((320, 742), f"{words.company(design)}   card {whole(own, 100, 9999)}", 16, INK, "sans", "mm")
    return sheet.pixels


@family("notation")
def _dominoes(member: int, streams: Streams) -> U8:
    own = streams.own
    places = {1: (4,), 2: (0, 8), 3: (0, 4, 8), 4: (0, 2, 6, 8), 5: (0, 2, 4, 6, 8), 6: (0, 2, 3, 5, 6, 8), 0: ()}
    sheet = Sheet(900, 600, pick(streams.design, ((30, 92, 60), (90, 30, 40), (34, 50, 90))))
    for i in range(10):
        x, y = 40 + 168 * (i % 5), 40 + 280 * (i // 5)
        sheet.box(x, y, 130, 250, (250, 246, 232), INK, 3, 16)
        sheet.line([(x + 12, y + 125), (x + 118, y + 125)], INK, 4)
        for half in range(2):
            for place in places[whole(own, 0, 7)]:
                sheet.disc(x + 30 + 35 * (place % 3), y + 28 + 125 * half + 35 * (place // 3), 11, INK)
    return sheet.pixels
