"""Paper: invoices, receipts, forms, certificates, statements, letters, tickets for a flight."""

from __future__ import annotations

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, FACES, GREY, INK, WHITE, Sheet
from scripts.siblings.marks import barcode, logo, rosette, scribble
from scripts.siblings.registry import family
from scripts.siblings.streams import Streams, dark, mixed, pale, pick, some, whole


@family("document")
def _invoice(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, face = dark(design), pick(design, FACES)
    sheet = Sheet(720, 1010)
    sheet.box(0, 0, 720, 14, tint)
    sheet.paste(logo(design, 84, tint), 52, 46)
    sheet.text((150, 58), words.company(design), 30, tint, "bold")
    sheet.text((150, 98), f"{words.street(design)}, {words.city(design)}", 15, GREY, face)
    sheet.text((668, 60), "INVOICE", 36, INK, "bold", "ra")
    sheet.text((668, 108), f"No. {words.digits(own, 6)}", 17, INK, face, "ra")
    sheet.text((668, 132), words.date(own), 15, INK, face, "ra")
    sheet.text((52, 172), "Bill to", 14, GREY, face)
    sheet.text((52, 194), words.person(own), 18, INK, face)
    sheet.text((52, 218), f"{words.street(own)}, {words.city(own)}", 16, INK, face)
    sheet.box(52, 270, 616, 34, tint)
    for x, head in ((64, "Description"), (400, "Quantity"), (510, "Price"), (600, "Amount")):
        sheet.text((x, 278), head, 15, WHITE, "bold")
    total = 0.0
    for row, name in enumerate(some(own, words.GOODS, whole(own, 5, 10))):
        y, n, price = 318 + 36 * row, whole(own, 1, 20), words.amount(own, 2, 90)
        total += n * price
        for (x, anchor), cell in zip(((64, "la"), (440, "ra"), (560, "ra"), (660, "ra")),
                                     (name, n, f"{price:.2f}", f"{n * price:.2f}"), strict=True):  # fmt: skip
            sheet.text((x, y), cell, 15, INK, face, anchor)
        sheet.line([(52, y + 28), (668, y + 28)], (222, 222, 226))
    for i, (label, value) in enumerate((("Subtotal", total), ("VAT 19 %", total * 0.19), ("Total", total * 1.19))):
        sheet.text((480, 720 + 28 * i), label, 17, INK, face)
        sheet.text((660, 720 + 28 * i), f"{value:.2f}", 17, INK, "bold" if i == 2 else face, "ra")
    sheet.block((52, 850), words.paragraph(design, 3), 616, 13, GREY, face)
    sheet.text((52, 960), f"Account {words.digits(design, 16, 4)}   BIC {words.letters(design, 8)}", 14, tint, face)
    return sheet.pixels


@family("document")
def _receipt(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    sheet = Sheet(400, 880, (250, 249, 244))
    shop = words.title(design, 1).upper() + " MARKET"
    sheet.text((200, 34), shop, 32, INK, "bold", "ma")
    for i, line in enumerate((words.street(design), words.city(design), f"Tel. {words.digits(design, 9, 3)}")):
        sheet.text((200, 84 + 22 * i), line, 16, INK, "mono", "ma")
    sheet.text((30, 168), f"{words.date(own)}  {words.clock(own)}", 15, INK, "mono")
    sheet.text((370, 190), f"#{words.digits(own, 5)}", 15, INK, "mono", "ra")
    total, y = 0.0, 226
    for name in some(own, words.GOODS[18:], whole(own, 6, 12)):
        price = words.amount(own, 0.5, 12)
        total += price
        sheet.text((30, y), name, 16, INK, "mono")
        sheet.text((370, y), f"{price:.2f}", 16, INK, "mono", "ra")
        y += 26
    sheet.line([(30, 546), (370, 546)], INK, 2)
    sheet.text((30, 556), "TOTAL", 26, INK, "bold")
    sheet.text((370, 556), f"{total:.2f}", 26, INK, "bold", "ra")
    for i, line in enumerate(("CARD PAYMENT", f"**** **** **** {words.digits(own, 4)}", "APPROVED")):
        sheet.text((30, 606 + 24 * i), line, 15, INK, "mono")
    sheet.paste(barcode(own, 280, 70), 60, 700)
    sheet.text((200, 790), "THANK YOU FOR SHOPPING WITH US", 15, INK, "mono", "ma")
    sheet.text((200, 816), "Goods may be returned in 14 days", 13, INK, "mono", "ma")
    return sheet.pixels


@family("document")
def _filled_form(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(740, 1000, pale(design))
    sheet.text((50, 40), f"Form {words.letters(design, 2)}-{words.digits(design, 3)}", 15, tint, "mono")
    sheet.text((50, 64), "Application for " + words.title(design, 2), 28, tint, "bold")
    y = sheet.block((50, 108), words.paragraph(design, 3), 640, 13, tint)
    labels = ("Last name", "First name", "Date of birth", "Street", "City", "Telephone", "Employer", "Account number")
    first, last = words.person(own).split()
    values = (last, first, words.date(own), words.street(own), words.city(own), words.digits(own, 9, 3),
              words.company(own), words.digits(own, 14, 4))  # fmt: skip
    for i, (label, value) in enumerate(zip(labels, values, strict=True)):
        x, top = 50 + 330 * (i % 2), y + 20 + 78 * (i // 2)
        sheet.text((x, top), label, 13, tint)
        sheet.box(x, top + 20, 300, 38, WHITE, tint, 2)
        sheet.text((x + 10, top + 27), value, 20, (24, 40, 140), "italic")
    for i in range(8):
        x, top = 50 + 330 * (i % 2), y + 360 + 36 * (i // 2)
        sheet.box(x, top, 22, 22, WHITE, tint, 2)
        sheet.text((x + 34, top + 2), words.title(design, 2), 15, tint)
        if own.random() < 0.4:
            sheet.line([(x + 3, top + 4), (x + 19, top + 20)], (24, 40, 140), 3)
            sheet.line([(x + 19, top + 3), (x + 3, top + 19)], (24, 40, 140), 3)
    y = sheet.block((50, y + 530), words.paragraph(design, 5), 640, 13, tint)
    sheet.line([(400, 930), (690, 930)], tint, 2)
    sheet.text((400, 936), "Signature", 13, tint)
    scribble(sheet, own, 410, 915, 240, 40)
    sheet.text((50, 905), f"{words.city(own)}, {words.date(own)}", 18, (24, 40, 140), "italic")
    return sheet.pixels


@family("document")
def _certificate(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(1000, 720, (252, 247, 232))
    for inset, thick in ((18, 8), (34, 2), (44, 2)):
        sheet.box(inset, inset, 1000 - 2 * inset, 720 - 2 * inset, None, tint, thick)
    for x, y in ((70, 70), (930, 70), (70, 650), (930, 650)):
        rosette(sheet, x, y, 40, tint, 12)
    sheet.text((500, 90), words.company(design).upper(), 24, tint, "serif", "ma")
    sheet.text((500, 150), "CERTIFICATE", 72, tint, "serif-bold", "ma")
    sheet.text((500, 250), "This is to certify that", 24, INK, "italic", "ma")
    sheet.text((500, 300), words.person(own), 54, INK, "italic", "ma")
    sheet.line([(220, 376), (780, 376)], tint, 2)
    sheet.text((500, 396), "has completed the course", 22, INK, "serif", "ma")
    sheet.text((500, 436), words.title(design, 3), 32, INK, "serif-bold", "ma")
    sheet.text((500, 490), f"with {whole(own, 71, 100)} of 100 points on {words.date(own)}", 20, INK, "serif", "ma")
    rosette(sheet, 500, 600, 62, (190, 150, 50), 28)
    scribble(sheet, design, 140, 610, 200, 40)
    sheet.text((240, 626), words.person(design), 16, INK, "serif", "ma")
    sheet.text((760, 626), f"No. {words.digits(own, 8)}", 16, INK, "serif", "ma")
    return sheet.pixels


@family("document")
def _bank_statement(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint, face = dark(design), pick(design, FACES)
    sheet = Sheet(760, 1040)
    sheet.box(0, 0, 760, 96, tint)
    sheet.text((40, 28), words.title(design, 1).upper() + " BANK", 36, WHITE, "bold")
    sheet.text((720, 40), "Statement of account", 20, WHITE, face, "ra")
    sheet.text((40, 120), words.person(own), 18, INK, face)
    sheet.text((40, 144), f"{words.street(own)}, {words.city(own)}", 16, INK, face)
    sheet.text((720, 120), f"IBAN XX{words.digits(own, 18, 4)}", 15, INK, "mono", "ra")
    sheet.text((720, 144), f"{pick(own, words.MONTHS)} {whole(own, 2010, 2026)}", 16, INK, face, "ra")
    balance = words.amount(own, 400, 9000)
    for row in range(22):
        y, change = 230 + 32 * row, words.amount(own, -400, 420)
        balance += change
        if row % 2:
            sheet.box(40, y - 6, 680, 32, mixed(tint, WHITE, 0.92))
        sheet.text((48, y), f"{1 + row:02d}.{whole(own, 1, 13):02d}.", 14, INK, face)
        sheet.text((130, y), pick(own, ("Transfer ", "Card ", "Direct debit ")) + words.company(own), 14, INK, face)
        sheet.text((590, y), f"{change:+.2f}", 14, INK, face, "ra")
        sheet.text((712, y), f"{balance:.2f}", 14, INK, "bold", "ra")
    for x, head in ((48, "Date"), (130, "Details"), (540, "Amount"), (650, "Balance")):
        sheet.text((x, 196), head, 15, tint, "bold")
    sheet.block((40, 960), words.paragraph(design, 3), 680, 12, GREY, face)
    return sheet.pixels


@family("document")
def _letter(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(720, 1000)
    sheet.paste(logo(design, 100, tint), 570, 40)
    sheet.text((60, 60), words.company(design), 26, tint, "serif-bold")
    sheet.text((60, 98), f"{words.street(design)} - {words.city(design)}", 14, GREY, "serif")
    sheet.text((60, 180), words.person(own), 17, INK, "serif")
    sheet.text((60, 204), words.street(own), 17, INK, "serif")
    sheet.text((660, 260), words.date(own), 16, INK, "serif", "ra")
    sheet.text((60, 310), f"Dear {words.person(own)},", 17, INK, "serif")
    y = 350.0
    for n in (3, 6, 5):
        y = sheet.block((60, y), words.paragraph(own, n), 600, 16, INK, "serif") + 14
    sheet.text((60, y + 10), "Yours sincerely,", 17, INK, "serif")
    scribble(sheet, design, 70, y + 70, 180, 44)
    sheet.text((60, y + 100), words.person(design), 17, INK, "serif")
    sheet.line([(60, 940), (660, 940)], tint, 2)
    sheet.text((360, 950), f"www.{words.word(design)}.example   {words.digits(design, 10, 3)}", 13, tint, "serif", "ma")
    return sheet.pixels


@family("document")
def _boarding_pass(member: int, streams: Streams) -> U8:
    design, own = streams.design, streams.own
    tint = dark(design)
    sheet = Sheet(960, 400, (248, 248, 250))
    sheet.box(0, 0, 960, 84, tint)
    sheet.text((36, 22), "AIR " + words.city(design).upper(), 34, WHITE, "bold")
    sheet.text((924, 28), "BOARDING PASS", 24, WHITE, "sans", "ra")
    start, end = words.cities(own, 2)
    cells = (("Name", words.person(own)), ("From", start), ("To", end), ("Flight", f"AX {words.digits(own, 3)}"),
             ("Date", words.date(own)), ("Gate", f"{words.letters(own, 1)}{whole(own, 1, 60)}"),
             ("Seat", f"{whole(own, 1, 40)}{pick(own, 'ABCDEF')}"), ("Boarding", words.clock(own)))  # fmt: skip
    for i, (label, value) in enumerate(cells):
        x, y = 36 + 218 * (i % 3), 106 + 92 * (i // 3)
        sheet.text((x, y), label, 15, GREY)
        sheet.text((x, y + 22), value, 19, BLACK, "bold")
    for y in range(90, 400, 14):
        sheet.line([(690, y), (690, y + 7)], GREY, 2)
    sheet.text((720, 106), end, 26, BLACK, "bold")
    sheet.text((720, 150), cells[0][1], 18, INK)
    sheet.paste(barcode(own, 200, 120), 720, 200)
    sheet.text((720, 340), f"SEQ {words.digits(own, 4)}", 18, INK, "mono")
    return sheet.pixels
