"""Of value: banknotes, stamps, tickets, coins, medals, lottery tickets, vouchers."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import F32, U8
from scripts.demo.scenes import fractal_noise
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, flower, guilloche, leaf, logo, ring, rosette
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, gradient, photo, shared_photo
from scripts.siblings.streams import Colour, Streams, colour, dark, mixed, pick, whole

_VALUES = (5, 10, 20, 50, 100, 200, 500)


def _engraved(pixels: U8, tint: Colour) -> U8:
    """A picture in one colour, with lines as an engraver makes them."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    lines = 0.5 + 0.5 * np.sin(1.3 * y + 4 * np.sin(x / 40))
    dark_part = np.clip((0.9 - grey) * 1.2 + (lines - 0.5) * 0.5, 0, 1)[:, :, None]
    return np.asarray(255 * (1 - dark_part) + np.array(tint) * dark_part, np.uint8)


@family("value")
def _banknote(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1000, 480, gradient(1000, 480, mixed(tint, WHITE, 0.75), mixed(tint, WHITE, 0.6)))
    for i in range(4):
        guilloche(sheet, design, (0, 60 + 90 * i, 1000, 110), mixed(tint, WHITE, 0.3), 10)
    sheet.box(14, 14, 972, 452, None, tint, 5)
    sheet.text((500, 46), "NATIONAL BANK OF " + words.city(design).upper(), 30, tint, "serif-bold", "mm")
    rosette(sheet, 500, 250, 110, mixed(tint, WHITE, 0.2), 36)
    sheet.paste(_engraved(face(streams.design, 250, 310), tint), 700, 90)
    value = _VALUES[member]
    sheet.text((50, 60), value, 90, tint, "serif-bold")
    sheet.text((950, 405), value, 60, tint, "serif-bold", "rm")
    sheet.text((500, 250), value, 66, WHITE, "serif-bold", "mm")
    sheet.text((60, 180), pick(design, ("Crowns", "Marks", "Pesos", "Francs")), 40, tint, "italic")
    sheet.text((60, 410), words.letters(own, 2) + words.digits(own, 8), 30, (170, 30, 40), "mono")
    return sheet.pixels


@family("value")
def _banknote_portraits(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(own, (0.25, 0.5), (0.5, 0.9))
    sheet = Sheet(1000, 440, mixed(tint, WHITE, 0.8))
    for _ in range(18):
        rosette(sheet, design.uniform(250, 750), design.uniform(60, 380), design.uniform(20, 60),
                mixed(tint, WHITE, 0.55), 16)  # fmt: skip
    sheet.paste(_engraved(face(own, 260, 330), tint), 60, 60)
    sheet.text((600, 70), words.city(design).upper() + " RESERVE", 40, tint, "serif-bold", "mm")
    sheet.text((600, 220), _VALUES[member], 150, tint, "serif-bold", "mm")
    sheet.text((880, 390), _VALUES[member], 60, tint, "bold", "mm")
    for i in range(9):
        leaf(sheet, 900, 60 + 30 * i, 50, 150 + 40 * (i % 2), mixed(tint, WHITE, 0.2))
    sheet.text((400, 390), words.letters(own, 1) + words.digits(own, 9), 28, INK, "mono")
    return sheet.pixels


@family("value")
def _stamp(member: int, streams: Streams) -> U8:
    design = streams.design
    tint = dark(design)
    sheet = Sheet(560, 680, (60, 60, 66))
    sheet.box(30, 30, 500, 620, (250, 248, 240))
    for i in range(21):
        for x, y in ((30 + 25 * i, 30), (30 + 25 * i, 650), (30, 30 + 31 * i), (530, 30 + 31 * i)):
            sheet.disc(x, y, 9, (60, 60, 66))
    sheet.paste(_engraved(shared_photo(streams, 420, 430), tint), 70, 70)
    sheet.box(70, 70, 420, 430, None, tint, 5)
    sheet.text((84, 540), "POST " + words.city(design).upper(), 26, tint, "serif-bold")
    sheet.text((476, 570), _VALUES[member] if member else 1, 76, tint, "bold", "rm")
    sheet.text((84, 590), whole(design, 1920, 1990), 22, tint, "serif")
    return sheet.pixels


@family("value")
def _stamp_flowers(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(600, 440, (240, 240, 236))
    sheet.box(20, 20, 560, 400, WHITE, GREY, 2)
    picture = Sheet(400, 320, gradient(400, 320, (220, 236, 240), (236, 240, 214)))
    for _ in range(16):
        leaf(picture, 200, 320, own.uniform(120, 240), own.uniform(215, 325), (70, 130, 60))
    for _ in range(whole(own, 1, 6)):
        flower(picture, own, own.uniform(80, 320), own.uniform(60, 190), own.uniform(40, 80), colour(own))
    sheet.paste(picture.pixels, 40, 40)
    sheet.slanted((510, 210), words.city(design).upper(), 44, INK, 90, 1)
    sheet.text((450, 50), _VALUES[member // 2], 52, INK, "bold")
    sheet.text((44, 376), words.title(own, 2), 24, INK, "italic")
    return sheet.pixels


@family("value")
def _event_ticket(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1000, 400, shared_photo(streams, 1000, 400))
    sheet.box(0, 0, 760, 400, tint) if design.random() < 0.3 else sheet.box(0, 0, 760, 110, tint)
    sheet.text((40, 26), words.title(design, 2).upper(), 56, WHITE, "bold")
    sheet.box(30, 140, 480, 220, WHITE, corner=12)
    sheet.text((50, 156), words.date(design), 30, INK, "bold")
    sheet.text((50, 200), words.company(design), 22, INK)
    for i, (label, value) in enumerate((("Block", words.letters(own, 1)), ("Row", whole(own, 1, 50)),
                                        ("Seat", whole(own, 1, 99)))):  # fmt: skip
        sheet.text((50 + 150 * i, 250), label, 18, GREY)
        sheet.text((50 + 150 * i, 276), value, 58, INK, "bold")
    sheet.box(770, 0, 230, 400, (250, 248, 240))
    for y in range(0, 400, 18):
        sheet.disc(770, y, 5, GREY)
    sheet.paste(np.rot90(barcode(own, 340, 100)).copy(), 800, 30)
    sheet.slanted((950, 200), words.digits(own, 12), 26, INK, 90, 1)
    return sheet.pixels


@family("value")
def _lottery_ticket(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = colour(design, (0.5, 0.8))
    sheet = Sheet(560, 780, mixed(tint, WHITE, 0.85))
    sheet.box(0, 0, 560, 100, tint)
    sheet.text((280, 50), "LOTTO " + words.city(design).upper(), 46, WHITE, "bold", "mm")
    for field in range(6):
        x, y, crossed = 24 + 180 * (field % 3), 120 + 260 * (field // 3), set(own.permutation(49)[:6].tolist())
        sheet.box(x, y, 166, 240, WHITE, tint, 2)
        for n in range(49):
            cx, cy = x + 14 + 23 * (n % 7), y + 20 + 33 * (n // 7)
            sheet.box(cx - 9, cy - 11, 18, 22, None, mixed(tint, WHITE, 0.4), 1)
            sheet.text((cx, cy), n + 1, 11, tint, "sans", "mm")
            if n in crossed:
                sheet.line([(cx - 8, cy - 10), (cx + 8, cy + 10)], (20, 30, 130), 3)
                sheet.line([(cx + 8, cy - 10), (cx - 8, cy + 10)], (20, 30, 130), 3)
    sheet.text((30, 660), f"Draw {words.date(own)}", 20, INK, "mono")
    sheet.text((30, 690), words.digits(own, 20, 5), 20, INK, "mono")
    sheet.paste(barcode(own, 300, 44), 30, 722)
    return sheet.pixels


def _relief(height: F32, tint: Colour) -> U8:
    """A surface of heights lit from the top left: RGB u8."""
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    light = np.clip(0.62 - 0.5 * (dx + dy), 0.08, 1.25)[:, :, None]
    return np.asarray(np.clip(np.array(tint, np.float32) * light, 0, 255), np.uint8)


@family("value")
def _coin(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = pick(design, ((214, 186, 96), (196, 198, 204), (206, 140, 90)))
    sheet = Sheet(640, 640, BLACK)
    sheet.disc(320, 320, 300, GREY)
    sheet.disc(320, 320, 280, (90, 90, 90))
    for x, y in ring(320, 320, 262, 60):
        sheet.disc(x, y, 5, WHITE)
    for side in (-1, 1):
        for i in range(9):
            leaf(sheet, 320 + side * (150 + 6 * i), 480 - 40 * i, 60, -90 + side * 40, (190, 190, 190))
    sheet.text((320, 300), (1, 2, 5, 10, 20, 25, 50)[member], 200, WHITE, "serif-bold", "mm")
    sheet.text((320, 430), pick(design, ("CENT", "GROAT", "PENNY")), 46, WHITE, "bold", "mm")
    sheet.text((320, 540), 1950 + 7 * member, 40, WHITE, "bold", "mm")
    wear = fractal_noise(own, 640, 640, coarse=12, octaves=5) * 0.5
    height = cv2.GaussianBlur(sheet.pixels[:, :, 0].astype(np.float32) / 90, (0, 0), 1.6)
    art = _relief(np.asarray(height + wear, np.float32), tint)
    y, x = np.mgrid[:640, :640]
    art[np.hypot(x - 320, y - 320) > 302] = (40, 44, 60)
    return art


@family("value")
def _medal(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    stripes = [colour(design) for _ in range(3)]
    sheet = Sheet(560, 840, (232, 230, 224))
    for i in range(9):
        sheet.poly([(180 + 22 * i, 20), (202 + 22 * i, 20), (202 + 22 * i, 330), (180 + 22 * i, 330)], stripes[i % 3])
    gold = ((212, 175, 80), (190, 192, 200), (190, 124, 76))[member % 3]
    sheet.poly(ring(280, 560, 240, 40, 0.92), mixed(gold, BLACK, 0.2))
    sheet.disc(280, 560, 210, gold, mixed(gold, BLACK, 0.5), 6)
    sheet.disc(280, 560, 150, mixed(gold, WHITE, 0.3), mixed(gold, BLACK, 0.5), 4)
    for i in range(20):
        x, y = ring(280, 560, 180, 20)[i]
        leaf(sheet, x, y, 46, 18 * i, mixed(gold, BLACK, 0.45))
    sheet.text((280, 520), words.city(design).upper(), 40, INK, "serif-bold", "mm")
    sheet.text((280, 574), 1970 + whole(own, 0, 50), 56, INK, "serif-bold", "mm")
    sheet.text((280, 630), f"{whole(own, 1, 50)} km", 34, INK, "serif", "mm")
    return sheet.pixels


@family("value")
def _gift_voucher(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(900, 420, mixed(tint, WHITE, 0.9))
    shown = shared_photo(streams, 300, 420), photo(streams, 300, 420)
    sheet.paste(shown[member % 2], 0, 0)
    for i in range(7):
        flower(sheet, design, 330, 40 + 56 * i, 24, tint)
    sheet.text((570, 70), "Gift voucher", 58, tint, "italic", "mm")
    sheet.text((620, 190), f"{_VALUES[member]} EUR", 96, INK, "serif-bold", "mm")
    sheet.text((620, 280), "for " + words.person(own), 28, INK, "italic", "mm")
    sheet.text((400, 360), f"{words.company(design)}", 22, tint, "serif-bold")
    sheet.text((870, 362), f"Code {words.letters(own, 4)}-{words.digits(own, 4)}", 22, INK, "mono", "ra")
    sheet.paste(logo(design, 70, tint, mixed(tint, WHITE, 0.9)), 800, 20)
    return sheet.pixels
