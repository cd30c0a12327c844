"""A PDF like a book: scanned pages, figures with text, several pictures on a page, pages of text; written by ReportLab.

Half of the pictures are JPEG, half Flate; one in twenty of those that are embedded is turned.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from bof.types import F64, U8
from scripts.siblings.streams import Rng

WIDTH, HEIGHT = 420.0, 595.0
"""Of a page, in points: A5."""

SCAN_DPI = 150
_MARGIN = 36.0
_LINE = 12.0
_PROSE = (
    "the of and picture stone river winter light hand printed plate evening water house letter road mountain glass "
    "garden paper early little between morning behind found under white city bridge other great made first which where"
)
_WORDS = _PROSE.split()


@dataclass(frozen=True, slots=True)
class Printed:
    """A picture in the book: its page, from 1, and its corners f64 (4, 2) on it, from its own top left clockwise, in
    points from the page's top left; kind: how it is printed.
    """

    page: int
    corners: F64
    kind: str


def compose(file: Path, photographs: Sequence[Path], n_pages: int, rng: Rng) -> list[Printed]:
    """Write a book with all photographs in it, at most three a page. Raises ValueError where the pages are too few."""
    plan = _plan(len(photographs), n_pages, rng)
    rl_config.useA85 = 0
    canvas = Canvas(str(file), pagesize=(WIDTH, HEIGHT), invariant=1)
    printed: list[Printed] = []
    left = list(photographs)
    for number, kind in enumerate(plan, 1):
        some = [left.pop() for _ in range(_N_PICTURES[kind])]
        printed += _DRAW[kind](canvas, number, [Image.open(path).convert("RGB") for path in some], rng)
        canvas.showPage()
    canvas.save()
    return printed


_N_PICTURES = {"scan": 1, "figure": 1, "several": 3, "text": 0}


def _plan(n_pictures: int, n_pages: int, rng: Rng) -> list[str]:
    """The kind of each page: three tenths of the pictures are on scans, as many with others, the rest are figures."""
    n_several = n_pictures // 10
    n_scans = 3 * n_pictures // 10
    n_figures = n_pictures - 3 * n_several - n_scans
    n_text = n_pages - n_several - n_scans - n_figures
    if n_text < 0:
        raise ValueError(f"{n_pictures} pictures need {n_pages - n_text} pages")
    kinds = ["several"] * n_several + ["scan"] * n_scans + ["figure"] * n_figures + ["text"] * n_text
    return [kinds[place] for place in rng.permutation(n_pages)]


# -- Pages ------------------------------------------------------------------------------------------------------------


def _scan(canvas: Canvas, page: int, pictures: Sequence[Image.Image], rng: Rng) -> list[Printed]:
    """One raster of a page: paper, words and a picture, a little turned as pages lie on scanners."""
    scale = SCAN_DPI / 72
    paper = Image.new("RGB", (round(WIDTH * scale), round(HEIGHT * scale)), (246, 243, 232))
    (picture,) = pictures
    box = _fitted(picture, WIDTH - 2 * _MARGIN, rng.uniform(0.35, 0.8) * HEIGHT)
    left, top = (WIDTH - box[0]) / 2, rng.uniform(_MARGIN, HEIGHT - _MARGIN - box[1])
    size = round(box[0] * scale), round(box[1] * scale)
    paper.paste(picture.resize(size, Image.Resampling.LANCZOS), (round(left * scale), round(top * scale)))
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(_LINE * scale * 0.8)
    for y in np.arange(_MARGIN, HEIGHT - _MARGIN, _LINE):
        if not top - _LINE < y < top + box[1]:
            draw.text((_MARGIN * scale, y * scale), _words(rng, 9), (40, 36, 30), font=font)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(rng.uniform(-1.5, 1.5)), 1.0)
    in_px = turn.copy()
    in_px[:, 2] = turn[:, 2] * scale
    pixels = cv2.warpAffine(np.asarray(paper), in_px, paper.size, borderValue=(246, 243, 232))
    noisy = np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)
    _place(canvas, Image.fromarray(noisy), (0, 0, WIDTH, HEIGHT), page, is_jpeg=bool(page % 2))
    corners = _corners(left, top, *box) @ turn[:, :2].T + turn[:, 2]
    return [Printed(page, np.asarray(corners, np.float64), "scan")]


def _figure(canvas: Canvas, page: int, pictures: Sequence[Image.Image], rng: Rng) -> list[Printed]:
    """A picture over half of a page, text below and above."""
    (picture,) = pictures
    box = _fitted(picture, WIDTH - 2 * _MARGIN, HEIGHT / 2)
    left, top = (WIDTH - box[0]) / 2, rng.uniform(_MARGIN, HEIGHT - _MARGIN - box[1])
    _text(canvas, rng, [(_MARGIN, top - _LINE), (top + box[1] + 1.5 * _LINE, HEIGHT - _MARGIN)])
    turn = float(rng.choice([90.0, 180.0, -4.0, 7.0])) if rng.random() < 0.05 else 0.0
    corners = _place(canvas, picture, (left, top, *box), page, is_jpeg=bool(page % 2), turn=turn)
    return [Printed(page, corners, "turned" if turn else "figure")]


def _several(canvas: Canvas, page: int, pictures: Sequence[Image.Image], rng: Rng) -> list[Printed]:
    """One picture below the other, words beside them."""
    row = (HEIGHT - 2 * _MARGIN) / len(pictures)
    printed = []
    for number, picture in enumerate(pictures):
        box = _fitted(picture, 0.55 * WIDTH, row - _LINE)
        left = _MARGIN if number % 2 else WIDTH - _MARGIN - box[0]
        top = _MARGIN + number * row
        corners = _place(canvas, picture, (left, top, *box), page, is_jpeg=bool((page + number) % 2))
        printed.append(Printed(page, corners, "several"))
        beside = _MARGIN + box[0] + _LINE if number % 2 else _MARGIN
        for y in np.arange(top + _LINE, top + box[1], _LINE):
            canvas.drawString(beside, HEIGHT - float(y), _words(rng, 3))
    return printed


def _page_of_text(canvas: Canvas, _page: int, _pictures: Sequence[Image.Image], rng: Rng) -> list[Printed]:
    _text(canvas, rng, [(_MARGIN, HEIGHT - _MARGIN)])
    return []


_DRAW = {"scan": _scan, "figure": _figure, "several": _several, "text": _page_of_text}


def _place(
    canvas: Canvas, picture: Image.Image, box: tuple[float, float, float, float], page: int, *, is_jpeg: bool,
    turn: float = 0.0,
) -> F64:  # fmt: skip
    """Embed a picture in a box (left, top, width, height), turned clockwise about its centre; its corners."""
    left, top, width, height = box
    if turn % 180:  # what lies across must fit the page
        shrunk = min(1.0, (WIDTH - 2 * _MARGIN) / max(width, height))
        left, top = left + width * (1 - shrunk) / 2, top + height * (1 - shrunk) / 2
        width, height = width * shrunk, height * shrunk
    centre = np.array([left + width / 2, top + height / 2])
    canvas.saveState()
    canvas.translate(centre[0], HEIGHT - centre[1])
    canvas.rotate(-turn)
    canvas.drawImage(_source(picture, is_jpeg), -width / 2, -height / 2, width, height)
    canvas.restoreState()
    angle = np.deg2rad(turn)
    around = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners: F64 = (_corners(left, top, width, height) - centre) @ around + centre
    return corners


def _source(picture: Image.Image, is_jpeg: bool) -> ImageReader:
    """What ReportLab embeds as Flate, or as the JPEG that it is."""
    if not is_jpeg:
        return ImageReader(picture)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=88)
    written.seek(0)
    return ImageReader(written)


def _corners(left: float, top: float, width: float, height: float) -> F64:
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])


def _fitted(picture: Image.Image, width: float, height: float) -> tuple[float, float]:
    """The largest size of this shape."""
    scale = min(width / picture.width, height / picture.height)
    return picture.width * scale, picture.height * scale


def _text(canvas: Canvas, rng: Rng, spans: Sequence[tuple[float, float]]) -> None:
    """Lines between heights."""
    canvas.setFont("Times-Roman", 10)
    for top, bottom in spans:
        for y in np.arange(top, bottom, _LINE):
            canvas.drawString(_MARGIN, HEIGHT - float(y), _words(rng, 11))


def _words(rng: Rng, n: int) -> str:
    return " ".join(_WORDS[place] for place in rng.integers(0, len(_WORDS), n))


def page_pixels(file: Path, page: int, scale: float) -> U8:
    """A page as it is printed, RGB u8, with so many pixels a point."""
    import pypdfium2

    with pypdfium2.PdfDocument(file) as pdf:
        return np.asarray(pdf[page - 1].render(scale=scale).to_pil().convert("RGB"))
