"""Cards: identity, playing, business, members', bank and trading cards, badges."""

from __future__ import annotations

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, flower, guilloche, logo, ring, rosette, scribble
from scripts.siblings.registry import family
from scripts.siblings.scenery import face, gradient, photo
from scripts.siblings.streams import Colour, Streams, colour, dark, mixed, pale, pick, whole


@family("card")
def _identity_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(860, 540, gradient(860, 540, pale(design), mixed(tint, WHITE, 0.7)))
    for i in range(3):
        guilloche(sheet, design, (0, 90 + 140 * i, 860, 150), mixed(tint, WHITE, 0.4))
    sheet.box(0, 0, 860, 76, tint)
    sheet.text((30, 18), "REPUBLIC OF " + words.city(design).upper(), 32, WHITE, "bold")
    sheet.text((830, 26), "IDENTITY CARD", 22, WHITE, "sans", "ra")
    sheet.paste(face(own, 230, 290), 40, 110)
    first, last = words.person(own).split()
    number = words.letters(own, 2) + words.digits(own, 7)
    cells = (("Surname", last.upper()), ("Given names", first), ("Date of birth", words.date(own)),
             ("Place of birth", words.city(own)), ("Expires", words.date(own)), ("Number", number))  # fmt: skip
    for i, (label, value) in enumerate(cells):
        sheet.text((310, 104 + 52 * i), label, 13, tint)
        sheet.text((310, 120 + 52 * i), value, 23, BLACK, "bold")
    rosette(sheet, 740, 200, 66, mixed(tint, WHITE, 0.3), 24)
    scribble(sheet, own, 560, 390, 220, 50)
    line = f"IDXYZ{number}<<<<{words.digits(own, 7)}<{last.upper()}<<{first.upper()}<<<<<<<<<<<<<<<"
    for i in range(2):
        sheet.text((30, 446 + 38 * i), line[i * 22 : i * 22 + 34].ljust(36, "<"), 30, BLACK, "mono")
    return sheet.pixels


_SUITS: tuple[tuple[str, Colour], ...] = (("♠", BLACK), ("♥", (196, 24, 36)), ("♦", (196, 24, 36)), ("♣", BLACK))
_PLACES = {
    2: ((1, 0), (1, 4)), 3: ((1, 0), (1, 2), (1, 4)), 4: ((0, 0), (2, 0), (0, 4), (2, 4)),
    5: ((0, 0), (2, 0), (1, 2), (0, 4), (2, 4)), 6: ((0, 0), (2, 0), (0, 2), (2, 2), (0, 4), (2, 4)),
    7: ((0, 0), (2, 0), (1, 1), (0, 2), (2, 2), (0, 4), (2, 4)),
    8: ((0, 0), (2, 0), (1, 1), (0, 2), (2, 2), (1, 3), (0, 4), (2, 4)),
}  # fmt: skip


@family("card")
def _playing_card(member: int, streams: Streams) -> U8:
    sheet = Sheet(500, 720, (252, 251, 246))
    sheet.box(6, 6, 488, 708, None, GREY, 3, 26)
    mark, tint = pick(streams.design, _SUITS)
    value = 2 + member
    for x, y in ((48, 52), (452, 610)):
        sheet.text((x, y), value, 62, tint, "serif-bold", "mm")
        sheet.text((x, y + 56), mark, 50, tint, "sans", "mm")
    for column, row in _PLACES[value]:
        sheet.text((150 + 100 * column, 130 + 115 * row), mark, 110, tint, "sans", "mm")
    return sheet.pixels


@family("card")
def _tarot_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    gold, ground = (196, 160, 74), dark(design)
    sheet = Sheet(520, 880, ground)
    for inset in (16, 26, 48):
        sheet.box(inset, inset, 520 - 2 * inset, 880 - 2 * inset, None, gold, 3, 18)
    for i in range(9):
        flower(sheet, design, 60 + 50 * i, 78, 20, gold)
        flower(sheet, design, 60 + 50 * i, 758, 20, gold)
    picture = Sheet(390, 620, gradient(390, 620, colour(own, (0.2, 0.6)), colour(own, (0.7, 1.0))))
    picture.poly(ring(195, 170, 120, 2 * whole(own, 6, 14), 0.55), gold)
    picture.disc(195, 170, 62, mixed(gold, WHITE, 0.5), INK, 3)
    for _ in range(9):
        flower(picture, own, own.uniform(20, 370), own.uniform(330, 600), own.uniform(28, 70), colour(own))
    sheet.paste(picture.pixels, 65, 110)
    sheet.text((260, 812), f"{('I', 'II', 'III', 'IV', 'V', 'VI', 'VII')[member]} - THE {words.word(own).upper()}", 26,
               gold, "serif-bold", "mm")  # fmt: skip
    return sheet.pixels


@family("card")
def _business_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(840, 480, WHITE)
    sheet.poly([(0, 0), (300, 0), (210, 480), (0, 480)], tint)
    sheet.poly([(300, 0), (330, 0), (240, 480), (210, 480)], colour(design))
    sheet.paste(logo(design, 140, WHITE, tint), 56, 90)
    name = words.company(design)
    sheet.block((40, 260), name, 180, 26, WHITE, "bold")
    person = words.person(own)
    sheet.text((370, 110), person, 40, INK, "serif-bold")
    sheet.text((370, 164), words.title(own, 1) + " " + pick(own, ("manager", "engineer", "director")), 22, tint)
    mail = f"{person.split()[0].lower()}@{name.split()[0].lower()}.example"
    lines = (words.digits(own, 10, 3), mail, words.street(design), words.city(design))
    for i, line in enumerate(lines):
        sheet.disc(380, 256 + 44 * i, 9, tint)
        sheet.text((404, 243 + 44 * i), line, 22)
    return sheet.pixels


@family("card")
def _bank_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    one, other = dark(design), colour(design, (0.5, 0.8))
    sheet = Sheet(860, 540, gradient(860, 540, one, other))
    for i in range(5):
        guilloche(sheet, design, (0, 80 * i, 860, 200), mixed(other, WHITE, 0.2), 6)
    sheet.text((50, 46), words.title(design, 1).upper() + " BANK", 40, WHITE, "bold")
    sheet.box(60, 180, 110, 84, (212, 180, 90), INK, 2, 12)
    for y in (206, 236):
        sheet.line([(60, y), (170, y)], INK, 2)
    sheet.text((60, 312), words.digits(own, 16, 4), 54, WHITE, "mono")
    sheet.text((60, 400), f"VALID {whole(own, 1, 13):02d}/{whole(own, 26, 34)}", 24, WHITE, "mono")
    sheet.text((60, 452), words.person(own).upper(), 32, WHITE, "mono")
    sheet.disc(700, 440, 60, (220, 60, 50))
    sheet.disc(764, 440, 60, (240, 170, 50))
    return sheet.pixels


@family("card")
def _trading_card(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    frame = colour(design, (0.5, 0.8))
    sheet = Sheet(600, 840, frame)
    sheet.box(18, 18, 564, 804, mixed(frame, WHITE, 0.75), INK, 3, 16)
    sheet.text((40, 34), words.title(own, 2), 32, INK, "bold")
    sheet.text((560, 40), f"HP {whole(own, 3, 20) * 10}", 26, (180, 30, 30), "bold", "ra")
    sheet.paste(photo(streams, 520, 350), 40, 86)
    sheet.box(40, 86, 520, 350, None, INK, 4)
    y = 460
    for _ in range(2):
        rosette(sheet, 70, y + 24, 24, frame, 9)
        sheet.text((110, y), words.title(own, 1), 24, INK, "bold")
        sheet.text((556, y), whole(own, 1, 12) * 10, 28, INK, "bold", "ra")
        y = int(sheet.block((110, y + 34), words.sentence(own), 390, 16, INK)) + 30
    sheet.box(40, 752, 520, 46, mixed(frame, BLACK, 0.25), corner=10)
    sheet.text((300, 775), f"{words.title(design, 2)} series   {member + 11}/102", 18, WHITE, "sans", "mm")
    return sheet.pixels


@family("card")
def _conference_badge(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(560, 760)
    sheet.paste(gradient(560, 250, tint, colour(design)), 0, 0)
    for _ in range(26):
        x, y, radius = design.uniform(0, 560), design.uniform(0, 240), design.uniform(8, 60)
        sheet.disc(x, y, radius, None, mixed(tint, WHITE, 0.5), 3)
    sheet.text((280, 80), words.title(design, 1).upper() + "CONF", 58, WHITE, "bold", "mm")
    sheet.text((280, 140), f"{words.city(design)} {whole(design, 2012, 2026)}", 28, WHITE, "sans", "mm")
    first, last = words.person(own).split()
    sheet.text((280, 340), first, 74, INK, "bold", "mm")
    sheet.text((280, 420), last, 44, INK, "sans", "mm")
    sheet.text((280, 480), words.company(own), 26, GREY, "sans", "mm")
    sheet.paste(barcode(own, 300, 90), 130, 540)
    sheet.box(0, 680, 560, 80, tint)
    sheet.text((280, 720), "SPEAKER" if member == 2 else "ATTENDEE", 36, WHITE, "bold", "mm")
    return sheet.pixels
