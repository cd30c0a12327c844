"""One thing laid over photographs: watermarks, television, memes, security cameras, viewfinders, postcards, adverts."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import logo, rosette
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, gradient, photo, shared_photo
from scripts.siblings.streams import Streams, colour, dark, mixed, whole


@family("overlay")
def _watermark(member: int, streams: Streams) -> U8:
    sheet = Sheet(900, 640, photo(streams, 900, 640))
    name = words.title(streams.design, 1).lower() + "stock"
    for i in range(4):
        for j in range(3):
            sheet.slanted((130 + 230 * i, 110 + 210 * j), name, 38, WHITE, 30, 0.4)
    return sheet.pixels


@family("overlay")
def _big_watermark(member: int, streams: Streams) -> U8:
    sheet = Sheet(820, 820, photo(streams, 820, 820))
    sheet.slanted((410, 410), words.title(streams.design, 1).upper() + " PHOTO", 88, WHITE, 34, 0.55)
    sheet.box(0, 770, 820, 50, BLACK)
    sheet.text((20, 780), f"www.{words.word(streams.design)}.example", 24, WHITE)
    sheet.text((800, 782), f"Image ID {words.digits(streams.own, 8)}", 22, WHITE, "mono", "ra")
    return sheet.pixels


@family("overlay")
def _news_frame(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1024, 576, photo(streams, 1024, 576))
    sheet.paste(logo(design, 70, tint), 930, 22)
    sheet.box(20, 22, 76, 34, (210, 20, 30))
    sheet.text((58, 39), "LIVE", 24, WHITE, "bold", "mm")
    sheet.box(60, 430, 904, 56, tint)
    sheet.block((76, 440), words.sentence(own), 870, 30, WHITE, "bold", n_lines=1)
    sheet.box(60, 486, 904, 34, WHITE)
    sheet.text((76, 491), words.person(own) + ", " + words.city(own), 21, INK)
    sheet.box(0, 536, 1024, 40, (20, 20, 30))
    sheet.box(0, 536, 150, 40, (210, 20, 30))
    sheet.text((75, 556), words.title(design, 1).upper() + " 24", 20, WHITE, "bold", "mm")
    sheet.block((170, 545), words.paragraph(design, 2), 840, 19, WHITE, n_lines=1)
    return sheet.pixels


@family("overlay")
def _studio(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1024, 576, shared_photo(streams, 1024, 576))
    sheet.paste(gradient(560, 400, mixed(tint, WHITE, 0.3), tint), 420, 40, 0.85)
    sheet.paste(photo(streams, 520, 330), 440, 60)
    sheet.paste(face(design, 300, 380), 80, 90)
    sheet.box(0, 470, 1024, 106, tint)
    sheet.text((40, 484), words.title(own, 4), 40, WHITE, "bold")
    sheet.text((40, 536), words.title(design, 2), 24, WHITE)
    return sheet.pixels


@family("overlay")
def _security_camera(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    room = shared_photo(streams, 960, 640)
    grey = cv2.cvtColor(cv2.cvtColor(room, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    sheet = Sheet(960, 640, np.asarray(grey, np.uint8))
    for _ in range(whole(own, 0, 4)):
        x, y, tall = own.uniform(80, 880), own.uniform(300, 420), own.uniform(120, 220)
        sheet.oval(x, y, tall * 0.22, tall * 0.26, (170, 170, 170))
        sheet.box(x - tall * 0.2, y + tall * 0.13, tall * 0.4, tall * 0.5, (60, 60, 64), corner=14)
        sheet.box(x - tall * 0.15, y + tall * 0.6, tall * 0.3, tall * 0.5, (30, 30, 34), corner=8)
    sheet.text((20, 16), f"CAM {whole(design, 1, 20):02d}  {words.title(design, 1).upper()}", 28, WHITE, "mono")
    sheet.text((940, 16), f"{words.date(own)} {words.clock(own)}:{whole(own, 0, 60):02d}", 28, WHITE, "mono", "ra")
    sheet.text((20, 596), "REC", 28, WHITE, "mono")
    noisy = sheet.pixels.astype(np.float32) + own.normal(0, 6, (640, 960, 1))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@family("overlay")
def _meme(member: int, streams: Streams) -> U8:
    own = streams.own
    sheet = Sheet(700, 700, shared_photo(streams, 700, 700))
    for y, text in ((60, words.title(own, 3)), (640, words.title(own, 3))):
        for dx, dy in ((-3, 0), (3, 0), (0, -3), (0, 3)):
            sheet.text((350 + dx, y + dy), text.upper(), 38, BLACK, "bold", "mm")
        sheet.text((350, y), text.upper(), 38, WHITE, "bold", "mm")
    return sheet.pixels


@family("overlay")
def _postcard(member: int, streams: Streams) -> U8:
    design = streams.design
    sheet = Sheet(960, 660, WHITE)
    for i in range(4):
        sheet.paste(photo(streams, 452, 302), 24 + 460 * (i % 2), 24 + 310 * (i // 2))
    sheet.disc(480, 330, 130, WHITE, dark(design), 6)
    sheet.text((480, 300), "Greetings from", 24, INK, "italic", "mm")
    sheet.text((480, 350), words.city(design), 46, dark(design), "serif-bold", "mm")
    return sheet.pixels


@family("overlay")
def _polaroid(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(640, 780, shared_photo(streams, 640, 780))
    sheet.box(40, 40, 560, 690, (246, 244, 238), GREY, 2)
    sheet.paste(photo(streams, 500, 500), 70, 70)
    sheet.text((320, 650), words.title(own, 2), 44, (40, 50, 110), "italic", "mm")
    rosette(sheet, 570, 60, 34, colour(design), 10)
    return sheet.pixels


@family("overlay")
def _house_advert(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(760, 900, tint)
    sheet.paste(photo(streams, 720, 460), 20, 20)
    sheet.box(500, 20, 240, 74, (220, 40, 40))
    sheet.text((620, 57), "FOR SALE", 40, WHITE, "bold", "mm")
    sheet.text((40, 510), f"{whole(own, 90, 900)},000", 66, WHITE, "bold")
    for i in range(4):
        sheet.text((40, 610 + 44 * i), f"{('Rooms', 'Area', 'Garden', 'Built')[i]}", 28, mixed(tint, WHITE, 0.7))
        sheet.text((240, 610 + 44 * i), (whole(own, 2, 9), f"{whole(own, 40, 300)} m²", f"{whole(own, 0, 900)} m²",
                                         whole(own, 1900, 2024))[i], 28, WHITE, "bold")  # fmt: skip
    sheet.box(0, 800, 760, 100, WHITE)
    sheet.paste(logo(design, 76, tint), 24, 812)
    sheet.text((120, 820), words.company(design) + " Estates", 36, tint, "bold")
    sheet.text((120, 864), words.digits(design, 10, 3), 22, INK)
    return sheet.pixels


@family("overlay")
def _video_player(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(1000, 680, (24, 24, 26))
    sheet.paste(photo(streams, 960, 540), 20, 20)
    sheet.box(20, 520, 960, 40, BLACK)
    done = own.uniform(80, 860)
    sheet.line([(40, 522), (960, 522)], GREY, 5)
    sheet.line([(40, 522), (40 + done, 522)], (220, 30, 30), 5)
    sheet.disc(40 + done, 522, 9, (220, 30, 30))
    sheet.poly([(40, 532), (58, 541), (40, 550)], WHITE)
    sheet.text((80, 531), f"{words.clock(own)} / {words.clock(design)}", 18, WHITE)
    sheet.text((20, 576), words.title(own, 4), 28, WHITE, "bold")
    sheet.disc(46, 640, 24, colour(design))
    sheet.text((84, 622), words.title(design, 2), 20, WHITE, "bold")
    sheet.text((84, 648), f"{whole(own, 1, 900)}K views", 16, GREY)
    sheet.box(820, 622, 150, 40, (220, 30, 30), corner=6)
    sheet.text((895, 642), "SUBSCRIBE", 19, WHITE, "bold", "mm")
    return sheet.pixels
