"""What is on things: packages of one brand, wine labels, parcel labels, price tags, cans, medicine, seeds."""

from __future__ import annotations

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, flower, leaf, logo, qr, ring
from scripts.siblings.registry import family
from scripts.siblings.scenery import gradient, photo, pile
from scripts.siblings.streams import Streams, colour, dark, mixed, pale, pick, some, whole

_FLAVOURS = (
    "Strawberry", "Vanilla", "Peach", "Lemon", "Blueberry", "Coconut", "Cherry", "Mango", "Hazelnut", "Apple", "Mint",
    "Caramel",
)  # fmt: skip
_PLACES = ("Chateau", "Domaine", "Weingut", "Tenuta", "Quinta", "Bodega")


@family("product")
def _juice_carton(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, flavour = dark(design), colour(own, (0.7, 0.95), (0.6, 0.95))
    art = gradient(520, 860, WHITE, mixed(flavour, WHITE, 0.45))
    pile(own, art, flavour, whole(own, 5, 12), (110, 190), (90, 520, 430, 720))
    sheet = Sheet(520, 860, art)
    sheet.box(0, 0, 520, 60, tint)
    sheet.poly([(0, 60), (520, 60), (520, 240), (260, 300), (0, 240)], tint)
    sheet.paste(logo(design, 90, WHITE, tint), 215, 66)
    sheet.text((260, 210), words.title(design, 1), 64, WHITE, "serif-bold", "mm")
    sheet.text((260, 360), ("Strawberry", *_FLAVOURS[5:])[member], 54, mixed(flavour, BLACK, 0.3), "bold", "mm")
    sheet.text((260, 414), f"{whole(own, 30, 101)} % fruit", 26, INK, "sans", "mm")
    sheet.box(0, 770, 520, 90, tint)
    sheet.text((30, 790), "1 LITRE", 34, WHITE, "bold")
    sheet.block((220, 786), words.paragraph(design, 1), 280, 15, WHITE, n_lines=3)
    return sheet.pixels


@family("product")
def _biscuit_box(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, band = colour(design, (0.6, 0.9)), colour(own, (0.4, 0.8))
    sheet = Sheet(900, 520, gradient(900, 520, mixed(tint, WHITE, 0.2), tint))
    sheet.poly([(0, 330), (900, 250), (900, 340), (0, 430)], band)
    for _ in range(5):
        x, y, radius = design.uniform(560, 860), design.uniform(260, 480), design.uniform(50, 84)
        sheet.disc(x + 6, y + 8, radius, mixed(tint, BLACK, 0.4))
        sheet.disc(x, y, radius, (206, 156, 90), (150, 100, 50), 4)
        for _ in range(16):
            chip_x, chip_y = design.normal((x, y), radius / 3).tolist()
            sheet.disc(chip_x, chip_y, 5, (150, 100, 50))
    sheet.oval(330, 150, 560, 210, WHITE)
    sheet.oval(330, 150, 530, 184, (190, 30, 40))
    sheet.text((330, 150), words.title(design, 1).upper(), 74, WHITE, "serif-bold", "mm")
    sheet.slanted((310, 360), _FLAVOURS[member], 50, WHITE, 5, 1)
    sheet.text((40, 458), f"{whole(design, 10, 50) * 10} g", 32, WHITE, "bold")
    sheet.paste(barcode(own, 130, 60), 190, 446)
    return sheet.pixels


@family("product")
def _yoghurt_lid(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, flavour = dark(design), colour(own, (0.6, 0.95), (0.6, 0.95))
    art = gradient(700, 700, (226, 234, 240), (198, 208, 216))
    sheet = Sheet(700, 700, art)
    sheet.disc(350, 350, 330, mixed(tint, WHITE, 0.8), tint, 14)
    sheet.disc(350, 350, 236, WHITE, mixed(tint, WHITE, 0.5), 4)
    fruit = gradient(260, 190, WHITE, WHITE)
    pile(own, fruit, flavour, 7, (60, 100), (50, 60, 210, 150))
    sheet.paste(fruit, 220, 350)
    sheet.text((350, 210), words.title(design, 1), 58, tint, "serif-bold", "mm")
    sheet.text((350, 270), "natural yoghurt", 26, tint, "italic", "mm")
    sheet.text((350, 318), _FLAVOURS[member + 3], 40, mixed(flavour, BLACK, 0.3), "bold", "mm")
    for i in range(28):
        x, y = ring(350, 350, 284, 28)[i]
        flower(sheet, design, x, y, 24, mixed(tint, WHITE, 0.3))
    sheet.text((350, 566), f"best before {words.date(own)}", 17, INK, "mono", "mm")
    return sheet.pixels


@family("product")
def _wine_label(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    gold, house = (168, 130, 50), f"{pick(design, _PLACES)} {words.city(design)}"
    sheet = Sheet(620, 800, (246, 240, 224))
    for inset, thick in ((14, 5), (26, 2)):
        sheet.box(inset, inset, 620 - 2 * inset, 800 - 2 * inset, None, gold, thick)
    ground, x = Sheet(480, 240, (246, 240, 224)), 0
    while x < 480:
        step, tall = whole(design, 24, 70), whole(design, 50, 190)
        ground.box(x, 230 - tall, step - 4, tall, None, INK, 2)
        ground.poly([(x, 230 - tall), (x + step / 2, 200 - tall), (x + step - 4, 230 - tall)], None, INK, 2)
        for wy in range(238 - tall, 220, 22):
            ground.box(x + 8, wy, 8, 12, INK)
        x += step
    ground.line([(0, 231), (480, 231)], INK, 3)
    sheet.paste(ground.pixels, 70, 70)
    sheet.text((310, 370), house, 50, INK, "serif-bold", "mm")
    sheet.text((310, 440), pick(own, ("Merlot", "Riesling", "Syrah", "Malbec", "Chardonnay")), 42, (130, 26, 44),
               "italic", "mm")  # fmt: skip
    sheet.text((310, 530), 2004 + 2 * member, 84, gold, "serif-bold", "mm")
    sheet.text((310, 606), "Appellation " + words.city(design) + " controlled", 22, INK, "serif", "mm")
    sheet.block((70, 650), words.paragraph(design, 2), 480, 14, INK, "italic", n_lines=3)
    sheet.text((70, 736), "75 cl", 24, INK, "serif")
    sheet.text((550, 736), f"{whole(own, 110, 150) / 10} % vol", 24, INK, "serif", "ra")
    return sheet.pixels


@family("product")
def _parcel_label(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(600, 860, WHITE)
    sheet.box(4, 4, 592, 852, None, BLACK, 4)
    sheet.text((30, 22), words.title(design, 1).upper() + " EXPRESS", 38, BLACK, "bold")
    sheet.paste(logo(design, 70, BLACK), 500, 16)
    sheet.line([(4, 96), (596, 96)], BLACK, 4)
    sheet.text((30, 108), "FROM", 16, BLACK, "bold")
    sender = (words.company(design), words.street(design), words.city(design))
    for i, line in enumerate(sender):
        sheet.text((120, 108 + 26 * i), line, 20, BLACK)
    sheet.line([(4, 200), (596, 200)], BLACK, 4)
    sheet.text((30, 214), "TO", 16, BLACK, "bold")
    for i, line in enumerate((words.person(own), words.street(own), f"{words.digits(own, 5)} {words.city(own)}")):
        sheet.text((120, 212 + 38 * i), line, 30, BLACK, "bold")
    sheet.line([(4, 344), (596, 344)], BLACK, 4)
    sheet.text((30, 362), f"{words.letters(own, 2)}-{words.digits(own, 3)}", 78, BLACK, "bold")
    sheet.paste(qr(words.digits(own, 30), 150), 420, 356)
    sheet.line([(4, 514), (596, 514)], BLACK, 4)
    sheet.paste(barcode(own, 500, 180), 50, 540)
    sheet.text((300, 736), words.digits(own, 20, 4), 26, BLACK, "mono", "mm")
    sheet.line([(4, 776), (596, 776)], BLACK, 4)
    sheet.text((30, 794), f"Weight {whole(own, 2, 300) / 10} kg", 24, BLACK)
    sheet.text((570, 794), f"Parcel 1/{whole(own, 1, 4)}", 24, BLACK, "sans", "ra")
    return sheet.pixels


@family("product")
def _shelf_tag(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(700, 380, (252, 214, 50))
    sheet.box(10, 10, 680, 360, None, (190, 30, 30), 8, 18)
    sheet.box(10, 10, 680, 76, (190, 30, 30), corner=18)
    sheet.text((350, 48), words.title(design, 1).upper() + " OFFER OF THE WEEK", 32, WHITE, "bold", "mm")
    sheet.text((36, 104), some(own, words.GOODS, 1)[0], 34, INK, "bold")
    sheet.text((36, 150), words.title(own, 2), 22, INK)
    price = f"{words.amount(own, 0.5, 40):.2f}"
    sheet.text((664, 190), price, 96, (190, 30, 30), "bold", "ra")
    sheet.paste(barcode(own, 240, 86), 36, 220)
    sheet.text((36, 318), words.digits(own, 13), 20, INK, "mono")
    sheet.text((660, 322), f"valid to {words.date(own)}", 18, INK, "sans", "ra")
    return sheet.pixels


@family("product")
def _medicine_box(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, other = dark(design), colour(design)
    sheet = Sheet(860, 440, WHITE)
    sheet.poly([(0, 440), (0, 300), (420, 380), (860, 250), (860, 440)], tint)
    sheet.poly([(0, 300), (420, 380), (860, 250), (860, 220), (420, 350), (0, 270)], other)
    sheet.text((40, 40), words.title(design, 1) + "ol", 76, tint, "bold")
    sheet.text((40, 140), f"{(50, 100, 200, 400, 500, 800, 1000)[member]} mg", 64, other, "bold")
    sheet.text((40, 224), f"{whole(own, 1, 10) * 10} film-coated tablets", 26, INK)
    sheet.block((520, 60), words.paragraph(design, 3), 300, 16, INK, n_lines=6)
    sheet.text((40, 392), words.company(design), 24, WHITE, "bold")
    sheet.text((820, 396), f"LOT {words.digits(own, 6)}  EXP {whole(own, 1, 13):02d}/{whole(own, 26, 32)}", 18, WHITE,
               "mono", "ra")  # fmt: skip
    return sheet.pixels


@family("product")
def _seed_packet(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, bloom = dark(design), colour(own, (0.6, 1.0))
    sheet = Sheet(520, 760, pale(design))
    sheet.box(0, 0, 520, 110, tint)
    sheet.text((260, 56), words.title(design, 1) + " Seeds", 48, WHITE, "serif-bold", "mm")
    sheet.box(40, 150, 440, 430, WHITE, tint, 5)
    if member == 4:
        sheet.paste(photo(streams, 430, 420), 45, 155)
    else:
        for _ in range(26):
            x, y, turn = own.uniform(90, 430), own.uniform(380, 560), own.uniform(200, 340)
            leaf(sheet, x, y, own.uniform(40, 100), turn, mixed((50, 120, 50), (150, 190, 70), own.random()))
        for _ in range(11):
            flower(sheet, own, own.uniform(100, 420), own.uniform(210, 470), own.uniform(30, 60), bloom)
    sheet.text((260, 620), words.title(own, 1), 46, tint, "serif-bold", "mm")
    months = some(own, words.MONTHS, 2)
    sheet.text((260, 672), f"Sow {months[0]}, harvest {months[1]}", 20, INK, "serif", "mm")
    sheet.text((260, 716), f"Height {whole(own, 2, 20) * 10} cm", 18, GREY, "serif", "mm")
    return sheet.pixels


@family("product")
def _soup_can(member: int, streams: Streams) -> U8:
    design = streams.design
    red = dark(design)
    sheet = Sheet(560, 740, WHITE)
    sheet.box(0, 0, 560, 360, red)
    sheet.text((280, 120), words.title(design, 1) + "'s", 92, WHITE, "italic", "mm")
    sheet.text((280, 220), "CONDENSED", 30, WHITE, "bold", "mm")
    sheet.disc(280, 360, 74, (210, 170, 70), WHITE, 5)
    sheet.poly(ring(280, 360, 54, 16, 0.6), red)
    sheet.text((280, 490), _FLAVOURS[-1 - member].upper(), 60, red, "serif-bold", "mm")
    sheet.text((280, 570), "SOUP", 74, red, "serif-bold", "mm")
    for i in range(14):
        leaf(sheet, 20 + 40 * i, 660, 36, -90, (200, 165, 70))
    sheet.text((280, 700), "net weight 305 g", 22, INK, "sans", "mm")
    round_ = np.sqrt(np.clip(1 - np.linspace(-0.97, 0.97, 560) ** 2, 0, 1)) * 0.75 + 0.25
    return np.clip(sheet.pixels * round_[None, :, None], 0, 255).astype(np.uint8)
