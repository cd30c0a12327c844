"""PDFs for tests, written by ReportLab."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from bof.types import U8

PAGE = 600.0, 800.0
"""Points."""

Draw = Callable[[Canvas], None]

rl_config.useA85 = 0


def write_pdf(path: Path, *pages: Draw, **options: object) -> Path:
    """A document whose pages draw what the functions draw."""
    canvas = Canvas(str(path), pagesize=PAGE, invariant=1, **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def jpeg(picture: U8, **options: object) -> bytes:
    """The file of a picture."""
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=92, **options)
    return written.getvalue()


def placed(
    folder: Path, picture: U8 | bytes, x: float, y: float, width: float, height: float, *, turn: float = 0
) -> Draw:
    """Draws a picture with its lower left corner there, turned by degrees about it; bytes: of a JPEG."""

    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(x, y)
        canvas.rotate(turn)
        if isinstance(picture, bytes):  # only from a file does ReportLab take a JPEG as it is
            path = folder / f"{hash(picture) & 0xFFFFFFFF:08x}.jpg"
            path.write_bytes(picture)
            canvas.drawImage(str(path), 0, 0, width, height)
        else:
            canvas.drawImage(ImageReader(Image.fromarray(np.asarray(picture))), 0, 0, width, height, mask="auto")
        canvas.restoreState()

    return draw


def text(words: str, x: float = 50, y: float = 700) -> Draw:
    """Draws words."""
    return lambda canvas: canvas.drawString(x, y, words)


def both(*draws: Draw) -> Draw:
    """One after another on one page."""

    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def nothing(_canvas: Canvas) -> None:
    """An empty page."""
