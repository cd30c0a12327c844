"""Broken files of the formats that other libraries read (HEIC, RAW, SVG) or that are rare (JPEG 2000, ICO, TGA, AVIF).

As `mutants`, whose damage is done to them; of a drawing, its text is changed too. Every tenth file is searched with.
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.common.camera_raw import make_dng
from scripts.torture.index import Finding
from scripts.torture.mutants import DAMAGES, Rng, saved, torture

_FIXTURES = Path(__file__).parents[2] / "tests" / "images" / "fixtures"
_WORDS = (
    b'<image href="/etc/passwd" width="9" height="9"/>', b"<g>" * 250, b'<use href="#a"/>', b'width="1e30" ',
    b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>', b"&a;", b"<script>while(1);</script>", b"-", b"99999",
    b'<filter id="f"><feGaussianBlur stdDeviation="1e9"/></filter>', b' filter="url(#f)" ', b' id="a" ',
    b'<pattern id="a" width="0.001" height="0.001"><use href="#a"/></pattern>', b"NaN", b"%", b"\xff\xfe",
    b'<image href="data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="/>',
)  # fmt: skip


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Index them all, then search with some."""
    seeds = [seed for path in pictures[:2] for seed in encodings(path)]
    return torture(pictures, scratch, arguments, seeds, {**DAMAGES, "changed text": _change_text}, every=10)


def encodings(path: Path) -> list[tuple[str, bytes]]:
    """Suffix and file of the picture in each of these formats, small; the HEIC files show a drawing."""
    picture = Image.open(path).convert("RGB").resize((160, 120))
    pixels, jpeg, png = np.asarray(picture), saved(picture, "JPEG"), saved(picture, "PNG")
    heic = [(".heic", (_FIXTURES / name).read_bytes()) for name in ("drawn.heic", "turned.heic")]
    pillow = {"JPEG2000": ".jp2", "ICO": ".ico", "TGA": ".tga", "AVIF": ".avif"}
    rare = [(suffix, saved(picture, kind)) for kind, suffix in pillow.items()]
    raw = [(".dng", make_dng(pixels)), (".nef", make_dng(pixels, jpeg)), (".dng", make_dng(pixels, jpeg, 6))]
    return [*heic, *raw, (".svg", _drawing(png)), (".svg", _drawing(b"")), *rare]


def _drawing(png: bytes) -> bytes:
    """A drawing with a picture, or with shapes, a filter, a pattern and text."""
    link = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    shapes = (
        '<defs><filter id="f"><feGaussianBlur stdDeviation="2"/></filter><pattern id="p" width="9" height="9" '
        'patternUnits="userSpaceOnUse"><circle r="4" cx="4" cy="4"/></pattern></defs><rect width="90" height="70" '
        'fill="url(#p)" filter="url(#f)"/><path d="M5 5 L90 100 C 20 30 40 50 100 9 Z"/><text y="50">words</text>'
    )
    inside = f'<image xlink:href="{link}" width="160" height="120"/>' if png else shapes
    start = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    return f'<?xml version="1.0"?>{start}width="160" height="120">{inside}</svg>'.encode()


def _change_text(rng: Rng, data: bytes) -> bytes:
    """Something that drawings can hold, put somewhere near the beginning, once or twice."""
    for _ in range(int(rng.integers(1, 3))):
        at = int(rng.integers(0, min(len(data), 700)))
        data = data[:at] + _WORDS[int(rng.integers(len(_WORDS)))] + data[at:]
    return data
