"""Hostile files with several pictures: PDF, ZIP, TIFF of pages, animations; damaged like any file, and on purpose."""

from __future__ import annotations

import functools
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from scripts.torture.mutants import DAMAGES, png, saved

Rng = np.random.Generator
Mutation = Callable[[Rng, bytes], bytes]

_SIZE = 160, 120
_PAGE = 200, 260
_BOMB_BYTES = 1 << 30

OUTSIDE = "bof-was-here.png"
"""What a name that leaves its folder would write."""


def make_hostile(number: int, seed: int, sound: Sequence[tuple[str, bytes]]) -> tuple[str, str, bytes]:
    """The kind, the suffix and the bytes of the document of a number; sound: suffix and bytes of those it is made of."""
    rng = np.random.default_rng([seed, number])
    suffix, data = sound[number % len(sound)]
    special = [*_SPECIAL.get(suffix, {}).items()]
    general = [(name, change) for name, change in DAMAGES.items() if name not in ("wrong suffix", "another size")]
    some = special if special and rng.random() < 0.5 else general
    name, change = some[int(rng.integers(len(some)))]
    return f"{suffix[1:]} {name}", suffix, change(rng, data)


# -- Sound documents --------------------------------------------------------------------------------------------------


def sound_documents(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Suffix and bytes of documents of three photographs. PDF and ZIP come twice, as they come most."""
    pictures = [Image.open(path).convert("RGB").resize(_SIZE) for path in paths[:3]]
    first, *rest = pictures
    animations = {".tif": "TIFF", ".gif": "GIF", ".webp": "WEBP", ".avif": "AVIF"}
    several = [(suffix, saved(first, kind, save_all=True, append_images=rest)) for suffix, kind in animations.items()]
    pdfs = [(".pdf", _pdf(pictures, compressed)) for compressed in (0, 1)]
    zips = [(".zip", _zip(pictures, zipfile.ZIP_STORED)), (".cbz", _zip(pictures, zipfile.ZIP_DEFLATED))]
    return [*pdfs, *zips, *several, *pdfs, *zips]


def _pdf(pictures: Sequence[Image.Image], compressed: int) -> bytes:
    """A JPEG with text, a picture with a mask in a form, a scan, words alone."""
    rl_config.useA85 = 0
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=_PAGE, invariant=1, pageCompression=compressed)
    canvas.drawImage(ImageReader(io.BytesIO(saved(pictures[0], "JPEG"))), 20, 100, 160, 120)
    canvas.drawString(20, 60, "Figure 1")
    canvas.showPage()
    canvas.beginForm("around")
    masked = pictures[1].copy()
    masked.putalpha(pictures[2].convert("L"))
    canvas.drawImage(ImageReader(masked), 20, 20, 160, 120, mask="auto")
    canvas.endForm()
    canvas.doForm("around")
    canvas.showPage()
    canvas.drawImage(ImageReader(pictures[2]), 0, 0, *_PAGE)
    canvas.showPage()
    canvas.drawString(20, 200, "words alone")
    canvas.showPage()
    canvas.save()
    return written.getvalue()


def _zip(pictures: Sequence[Image.Image], method: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for number, (picture, kind) in enumerate(zip(pictures, ("PNG", "JPEG", "WEBP"), strict=True)):
            archive.writestr(f"in/{number}.{kind.lower()}", saved(picture, kind))
        archive.writestr("read.me", b"words")
    return written.getvalue()


# -- PDF --------------------------------------------------------------------------------------------------------------

_NUMBERS = [b"0", b"1", b"-1", b"2", b"7", b"65536", b"2147483647", b"2147483648", b"1e30", b"4294967296", b"0.00001"]


def _other_number(rng: Rng, data: bytes) -> bytes:
    """A number or a reference becomes another, outside of the streams' own bytes most of the time."""
    places = list(re.finditer(rb"(?<=[ \[/])-?[0-9.]+(?=[ \]/>\r\n])", data))
    for _ in range(int(rng.integers(1, 4))):
        place = places[int(rng.integers(len(places)))]
        data = data[: place.start()] + _NUMBERS[int(rng.integers(len(_NUMBERS)))] + data[place.end() :]
        places = list(re.finditer(rb"(?<=[ \[/])-?[0-9.]+(?=[ \]/>\r\n])", data))
    return data


def _other_name(rng: Rng, data: bytes) -> bytes:
    """A name becomes another of the file."""
    names = list(re.finditer(rb"/[A-Za-z][A-Za-z0-9]*", data))
    one, other = (names[int(place)] for place in rng.integers(0, len(names), 2))
    return data[: one.start()] + other[0] + data[one.end() :]


def _assembled(*objects: bytes) -> bytes:
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj%s endobj\n" % (n, one) for n, one in enumerate(objects, 1))
    return body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def _one_page(content: bytes, resources: bytes, *more: bytes, catalog: bytes = b"", page: bytes = b"") -> bytes:
    """A document of one page; more: its objects from 5 on."""
    return _assembled(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 260]/Contents 4 0 R/Resources<<%s>>%s>>" % (resources, page),
        _stream(b"", content),
        *more,
    )


def _image(width: int, height: int, data: bytes, more: bytes = b"") -> bytes:
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray" % (width, height)
    return _stream(head + b"/Filter/FlateDecode" + more, data)


def _pages_in_a_loop(rng: Rng, _data: bytes) -> bytes:
    count = int(rng.choice([1, 3, 100_000, 2**31 - 1]))
    kids = [b"2 0 R 3 0 R", b"3 0 R " * 20_000, b"1 0 R"][int(rng.integers(3))]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    return _assembled(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), page)


def _forms_in_a_loop(rng: Rng, _data: bytes) -> bytes:
    """A form that draws itself, or ten others that each draw ten."""
    if rng.random() < 0.5:
        form = _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>", b"/F Do " * 9)
        return _one_page(b"/F Do", b"/XObject<</F 5 0 R>>", form)
    depth = int(rng.integers(3, 9))
    forms = [
        _stream(
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (6 + n), b"/F Do " * 10
        )
        for n in range(depth)
    ]
    return _one_page(
        b"/F Do", b"/XObject<</F 5 0 R>>", *forms, _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"f")
    )


@functools.cache
def _packed_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def _huge_picture(rng: Rng, _data: bytes) -> bytes:
    """A picture that says it is very large, or whose stream unpacks to very much."""
    side = int(rng.choice([0, 1, 100, 12_000, 46_341, 65_535, 2**31 - 1]))
    other = int(rng.choice([1, 100, 12_000, 65_535]))
    data = _packed_zeros(int(rng.choice([1, 64, 512])))
    mask = b"/SMask 5 0 R" if rng.random() < 0.3 else b""
    image = _image(side, other, data, mask)
    return _one_page(b"q 190 0 0 190 5 5 cm /P Do Q", b"/XObject<</P 5 0 R>>", image)


def _many_marks(rng: Rng, _data: bytes) -> bytes:
    """A small stream that unpacks to very many marks, or to very deep nesting."""
    mark = [b"0 0 1 1 re f\n", b"q ", b"[", b"BT (x) Tj ET\n", b"<<", b"BI /W 1 /H 1 /BPC 8 /CS /G ID x EI\n"]
    content = mark[int(rng.integers(len(mark)))] * int(rng.choice([1_000, 100_000, 1_000_000]))
    return _assembled(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 260]/Contents 4 0 R>>",
        _stream(b"/Filter/FlateDecode", zlib.compress(content, 9)),
    )


def _scripts_and_links(rng: Rng, _data: bytes) -> bytes:
    """What a reader would run, start, send or open: scripts, programs, forms, other files."""
    script = f"app.launchURL('http://127.0.0.1:9/'); this.saveAs('/tmp/{OUTSIDE}');"
    actions = [
        b"<</S/JavaScript/JS(%s)>>" % script.encode(),
        b"<</S/Launch/F(/bin/sh)/Win<</F(cmd.exe)/P(/c echo)>>>>",
        b"<</S/URI/URI(http://127.0.0.1:9/)>>",
        b"<</S/SubmitForm/F(http://127.0.0.1:9/)>>",
        b"<</S/GoToR/F(/etc/passwd)/D[0/Fit]>>",
    ]
    action = actions[int(rng.integers(len(actions)))]
    outside = b"/F<</Type/Filespec/F(/etc/passwd)>>/FFilter/FlateDecode"
    image = _image(120, 120, zlib.compress(rng.bytes(14_400)), outside if rng.random() < 0.5 else b"")
    catalog = b"/OpenAction %s/AA<</WC %s>>/Names<</JavaScript<</Names[(a) %s]>>>>" % (action, action, action)
    content = b"q 190 0 0 190 5 5 cm /P Do Q"
    return _one_page(content, b"/XObject<</P 5 0 R>>", image, catalog=catalog, page=b"/AA<</O %s>>" % action)


def _huge_page(rng: Rng, data: bytes) -> bytes:
    sides = [b"0 0 1e9 1e9", b"0 0 0 0", b"0 0 1e38 -1e38", b"-9e9 0 9e9 1", b"nan nan inf inf", b"0 0 1e-9 1e-9"]
    box = sides[int(rng.integers(len(sides)))]
    return re.sub(rb"(?<=/MediaBox \[)[^]]*", lambda found: b" %s " % box, data)


# -- ZIP --------------------------------------------------------------------------------------------------------------

_SLIPS = [
    f"../../{OUTSIDE}",
    f"/tmp/{OUTSIDE}",
    f"..\\..\\{OUTSIDE}",
    f"C:\\{OUTSIDE}",
    "a\0b.png",
    "/",
    "..",
    "\u202egnp.png",
]


def _slip_names(rng: Rng, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        picture = archive.read(archive.namelist()[0])
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in _SLIPS:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.external_attr = int(rng.choice([0, 0o120777 << 16]))  # a symbolic link
            archive.writestr(info, picture if rng.random() < 0.5 else b"/etc/passwd")
    return written.getvalue()


def _zip_bomb(rng: Rng, _data: bytes) -> bytes:
    """Pictures that unpack to a gigabyte, by themselves or in their chunks."""
    return _bomb(int(rng.choice([64, _BOMB_BYTES >> 20])))


@functools.cache
def _bomb(megabytes: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("a.png", "w", force_zip64=True) as member:
            member.write(b"\x89PNG\r\n\x1a\n")
            for _ in range(megabytes):
                member.write(bytes(1 << 20))
        archive.writestr("b.png", png(30_000, 30_000))
        archive.writestr("c.zip", b"PK\3\4" + bytes(100))
    return written.getvalue()


def _overlapping(rng: Rng, data: bytes) -> bytes:
    """Many entries of the directory lead to one file in the archive; sizes and places are other than they say."""
    start = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    entries = re.split(rb"(?=PK\x01\x02)", data[start:end])[1:]
    entry = entries[int(rng.integers(len(entries)))]
    n = int(rng.choice([2, 1_000, 60_000]))
    many = b"".join(entry[:16] + struct.pack("<I", number) + entry[20:] for number in range(n))
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n & 0xFFFF, n & 0xFFFF, len(many), start, 0)
    return data[:start] + many + tail


def _other_sizes(rng: Rng, data: bytes) -> bytes:
    """A number of the directory becomes another: sizes, places, methods, flags."""
    changed = bytearray(data)
    starts = [found.start() for found in re.finditer(rb"PK\x01\x02", data)]
    for _ in range(int(rng.integers(1, 4))):
        at = starts[int(rng.integers(len(starts)))] + int(rng.choice([8, 10, 16, 20, 24, 28, 30, 32, 42]))
        value = int(rng.choice([0, 1, 0x7FFF, 0xFFFF, 8, 12, 14, 95, 99]))
        changed[at : at + 2] = struct.pack("<H", value)
        if rng.random() < 0.3:
            changed[at + 2 : at + 4] = b"\xff\xff"
    return bytes(changed)


# -- Pages and frames -------------------------------------------------------------------------------------------------


def _directories_in_a_loop(rng: Rng, data: bytes) -> bytes:
    """The next directory of a TIFF is itself, an earlier one, or one outside."""
    changed, places = bytearray(data), []
    (at,) = struct.unpack_from("<I", data, 4)
    while at and len(places) < 9:
        (n_tags,) = struct.unpack_from("<H", data, at)
        places.append((at, at + 2 + 12 * n_tags))
        (at,) = struct.unpack_from("<I", data, places[-1][1])
    target = int(rng.choice([places[0][0], places[-1][0], len(data) - 2, 2**32 - 1, 0]))
    struct.pack_into("<I", changed, places[int(rng.integers(len(places)))][1], target)
    return bytes(changed)


def _other_tag(rng: Rng, data: bytes) -> bytes:
    """Number, type, count or value of a tag becomes another."""
    changed = bytearray(data)
    (at,) = struct.unpack_from("<I", data, 4)
    (n_tags,) = struct.unpack_from("<H", data, at)
    for _ in range(int(rng.integers(1, 4))):
        place = at + 2 + 12 * int(rng.integers(n_tags)) + int(rng.choice([0, 2, 4, 8]))
        value = int(rng.choice([0, 1, 3, 254, 0xFFFF, 2**31, 2**32 - 1])) & (0xFFFFFFFF if place % 4 else 0xFFFF)
        struct.pack_into("<I" if value > 0xFFFF else "<H", changed, place, value)
    return bytes(changed)


def _very_many_frames(rng: Rng, _data: bytes) -> bytes:
    """All alike, or each another one."""
    return _frames(int(rng.choice([1, 8])))


@functools.cache
def _frames(n_different: int) -> bytes:
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)) for _ in range(n_different)]
    frames = [frames[n % n_different].rotate(n) for n in range(1_000)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


_ZIP: dict[str, Mutation] = {
    "names that leave the folder": _slip_names, "bomb": _zip_bomb, "overlapping entries": _overlapping,
    "other sizes": _other_sizes,
}  # fmt: skip
_SPECIAL: dict[str, dict[str, Mutation]] = {
    ".pdf": {
        "other numbers": _other_number, "other names": _other_name, "pages in a loop": _pages_in_a_loop,
        "forms in a loop": _forms_in_a_loop, "huge picture": _huge_picture, "many marks": _many_marks,
        "scripts and links": _scripts_and_links, "huge page": _huge_page,
    },
    ".zip": _ZIP,
    ".cbz": _ZIP,
    ".tif": {"directories in a loop": _directories_in_a_loop, "other tags": _other_tag},
    ".gif": {"very many frames": _very_many_frames},
}  # fmt: skip
