"""Covers: books and records of one series, magazines, newspapers, comic pages, posters, films."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, flower, logo, ring
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, gradient, photo, shared_photo
from scripts.siblings.streams import Streams, colour, dark, mixed, pale, whole


@family("cover")
def _book_series(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(520, 800, tint)
    sheet.box(24, 24, 472, 752, None, mixed(tint, WHITE, 0.6), 3)
    sheet.paste(photo(streams, 440, 400), 40, 40)
    sheet.box(40, 460, 440, 210, (246, 240, 222))
    sheet.text((260, 490), words.person(own), 26, INK, "serif", "ma")
    sheet.block((70, 536), words.title(own, 3), 390, 42, tint, "serif-bold", n_lines=2)
    sheet.text((260, 700), words.title(design, 2).upper() + " CLASSICS", 26, (246, 240, 222), "serif", "ma")
    sheet.text((260, 740), f"volume {member + 4}", 18, (246, 240, 222), "italic", "ma")
    return sheet.pixels


@family("cover")
def _yellow_guide(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(540, 760, colour(design, (0.85, 1.0), (0.6, 0.9)))
    sheet.box(0, 60, 540, 150, BLACK)
    sheet.text((30, 74), words.title(own, 1), 66, WHITE, "bold")
    sheet.text((32, 156), "for absolute beginners", 34, WHITE, "italic")
    sheet.disc(400, 470, 150, WHITE, BLACK, 6)
    for dx in (-50, 50):
        sheet.oval(400 + dx, 440, 46, 70, BLACK)
    sheet.arc((310, 400, 490, 570), 20, 160, BLACK, 10)
    sheet.poly([(300, 330), (520, 300), (440, 220)], BLACK)
    for i in range(4):
        sheet.disc(46, 290 + 60 * i, 9, BLACK)
        sheet.block((70, 274 + 60 * i), words.title(own, 4), 170, 19, BLACK, "bold", n_lines=2)
    sheet.text((30, 690), words.person(own), 30, BLACK, "bold")
    sheet.paste(logo(design, 70, BLACK), 440, 670)
    return sheet.pixels


@family("cover")
def _record_sleeve(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(design)
    sheet = Sheet(700, 700, mixed(tint, BLACK, 0.55))
    for i in range(12):
        sheet.poly(ring(350, 380, 330 - 24 * i, 8, 1.0, 8 * i), (tint, mixed(tint, WHITE, 0.6))[i % 2])
    sheet.disc(350, 380, 80, colour(own))
    sheet.box(0, 0, 700, 110, (240, 236, 226))
    sheet.text((30, 22), words.title(design, 2).upper(), 38, INK, "bold")
    sheet.text((30, 70), "JAZZ SERIES", 22, INK)
    sheet.text((670, 22), words.person(own), 28, (180, 40, 30), "serif-bold", "ra")
    sheet.text((670, 66), words.title(own, 2), 24, INK, "italic", "ra")
    sheet.text((680, 670), f"LP {words.digits(own, 4)}", 18, WHITE, "mono", "ra")
    return sheet.pixels


@family("cover")
def _classical_disc(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(680, 680, shared_photo(streams, 680, 680))
    sheet.box(60, 40, 560, 190, (250, 222, 60), INK, 3)
    for i in range(18):
        flower(sheet, design, 84 + 30 * i, 62, 13, INK)
    sheet.text((340, 116), words.person(own).split()[1].upper(), 46, INK, "serif-bold", "mm")
    sheet.text((340, 166), f"Symphony No. {member + 1}", 32, INK, "serif", "mm")
    sheet.text((340, 206), words.person(own), 20, INK, "italic", "mm")
    sheet.text((656, 650), f"{words.digits(own, 3)} {words.digits(own, 3)}-2", 16, WHITE, "mono", "ra")
    return sheet.pixels


@family("cover")
def _magazine(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(design, (0.6, 0.95))
    sheet = Sheet(600, 800, photo(streams, 600, 800))
    if member % 2:
        sheet.paste(face(own, 420, 540), 100, 200)
    sheet.box(0, 0, 600, 128, tint)
    sheet.text((300, 66), words.title(design, 1).upper(), 92, WHITE, "serif-bold", "mm")
    sheet.text((588, 132), f"{words.MONTHS[member]} {whole(design, 1990, 2026)}   {words.amount(design, 3, 9)}", 17,
               WHITE, "bold", "ra")  # fmt: skip
    for i in range(4):
        y = sheet.block((24, 190 + 130 * i), words.title(own, 3), 230, 28, WHITE, "bold", n_lines=2)
        sheet.block((24, y), words.sentence(own), 210, 15, WHITE, n_lines=2)
    sheet.disc(500, 690, 72, tint, WHITE, 4)
    sheet.text((500, 676), whole(own, 10, 120), 52, WHITE, "bold", "mm")
    sheet.text((500, 716), "best ideas", 19, WHITE, "sans", "mm")
    sheet.paste(barcode(own, 130, 60), 24, 726)
    return sheet.pixels


@family("cover")
def _newspaper(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(820, 1080, (244, 240, 228))
    sheet.text((410, 70), f"The {words.city(design)} {words.title(design, 1)}", 74, INK, "serif-bold", "mm")
    sheet.line([(30, 122), (790, 122)], INK, 4)
    sheet.text((40, 130), words.date(own), 17, INK, "serif")
    sheet.text((410, 130), "Founded in " + words.digits(design, 1) + "873", 17, INK, "serif", "ma")
    sheet.text((780, 130), f"No. {words.digits(own, 5)}", 17, INK, "serif", "ra")
    sheet.line([(30, 158), (790, 158)], INK, 2)
    sheet.block((40, 170), words.title(own, 6), 750, 52, INK, "serif-bold", n_lines=2)
    grey = cv2.cvtColor(cv2.cvtColor(photo(streams, 490, 320), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    sheet.paste(np.asarray(grey, np.uint8), 40, 320)
    sheet.text((40, 646), words.sentence(own)[:64], 14, GREY, "italic")
    for column in range(3):
        x = 40 + 255 * column
        sheet.block((x, 676 if column < 2 else 320), words.paragraph(own, 26), 235, 13, INK, "serif",
                    n_lines=21 if column < 2 else 41)  # fmt: skip
        sheet.line([(x + 245, 676), (x + 245, 1040)], GREY, 1)
    return sheet.pixels


@family("cover")
def _comic_page(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(700, 980, WHITE)
    rows = [int(h) for h in np.linspace(40, 920, 4)]
    splits = [design.uniform(0.3, 0.7) for _ in range(3)]
    number = 0
    for top, low, split in zip(rows, rows[1:], splits, strict=False):
        for x, width in ((30, int(640 * split) - 10), (30 + int(640 * split), 640 - int(640 * split))):
            number += 1
            picture = photo(streams, width, low - top - 14)
            flat = cv2.bilateralFilter(picture, 9, 90, 9) // 48 * 48 + 24
            sheet.paste(flat.astype(np.uint8), x, top)
            sheet.box(x, top, width, low - top - 14, None, BLACK, 4)
            sheet.box(x + 12, top + 12, width - 40, 58, WHITE, BLACK, 2, 20)
            sheet.block((x + 24, top + 20), words.sentence(own), width - 64, 15, BLACK, "bold", n_lines=2)
    sheet.text((350, 950), member + 17, 20, BLACK, "sans", "mm")
    return sheet.pixels


@family("cover")
def _concert_poster(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, other = colour(design, (0.7, 0.95)), dark(design)
    sheet = Sheet(620, 880, gradient(620, 880, tint, pale(design)))
    for i in range(24):
        corners = ring(310, 340, 620, 48, 1.0)
        sheet.poly([(310, 340), corners[2 * i], corners[2 * i + 1]], mixed(tint, WHITE, 0.35))
    sheet.disc(310, 340, 190, other)
    sheet.disc(310, 340, 60, tint)
    for i in range(6):
        sheet.disc(310, 340, 80 + 18 * i, None, mixed(other, WHITE, 0.3), 1)
    sheet.text((310, 70), words.title(design, 2).upper(), 58, other, "bold", "mm")
    sheet.text((310, 600), words.person(own), 52, other, "serif-bold", "mm")
    sheet.text((310, 656), "and the " + words.title(own, 1) + " Quartet", 28, other, "italic", "mm")
    sheet.box(60, 710, 500, 80, other)
    sheet.text((310, 750), f"{words.date(own)}  {words.clock(own)}", 30, WHITE, "bold", "mm")
    sheet.text((310, 830), f"{words.company(design)}, {words.city(design)}", 20, INK, "sans", "mm")
    return sheet.pixels
