"""A frame of a PDF's page becomes pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from bof.images.decode import PictureTooLargeError
from bof.images.documents.pdf_layout import PlacedPicture, SeenBox
from bof.options import MAX_PIXELS
from bof.types import U8

DPI, POINTS_AN_INCH = 150, 72

_LONGEST_PX = 4_000
"""A page whose long side would have more is rendered with fewer dots: PDFs may be kilometres wide."""

_FARTHEST_PX = 1 << 24
"""What a whole page measures while a frame of it is rendered: f32, in which PDFium reckons, has 24 bits."""


@dataclass(frozen=True, slots=True)
class PageFrame:
    """A part of a page as it is shown, and the pixels that it becomes."""

    box: SeenBox
    width: int
    height: int


def whole_page(page: pypdfium2.PdfPage, long_side: int | None = None) -> PageFrame:
    """A page at 150 dots an inch, or with so long a side in pixels."""
    width, height = (max(side, 1e-6) for side in page.get_size())
    scale = min(DPI / POINTS_AN_INCH, (long_side or _LONGEST_PX) / max(width, height))
    if long_side:
        scale = long_side / max(width, height)
    return PageFrame((0, 0, 1, 1), max(1, math.ceil(width * scale - 1e-3)), max(1, math.ceil(height * scale - 1e-3)))


def native_frame(page: pypdfium2.PdfPage, picture: PlacedPicture) -> PageFrame:
    """What is seen of a picture, as large as it is stored. One that is stretched on the page is stretched here."""
    sides = [max(float(np.hypot(*axis)), 1e-9) for axis in picture.axes]
    left, top, right, bottom = picture.seen
    page_width, page_height = page.get_size()
    width, height = (right - left) * page_width, (bottom - top) * page_height
    scale = max(n / side for n, side in zip(picture.size_px, sides, strict=True))
    scale = min(scale, 2 * max(picture.size_px) / max(width, height))
    return PageFrame(picture.seen, max(1, round(width * scale)), max(1, round(height * scale)))


def render(page: pypdfium2.PdfPage, frame: PageFrame, max_pixels: int = MAX_PIXELS) -> U8:
    """RGB u8 (h, w, 3) of a frame on white. Raises PictureTooLargeError before more pixels are rendered.

    Comments and form fields are no part of a page here.
    """
    if frame.width * frame.height > max_pixels:
        raise PictureTooLargeError("", frame.width, frame.height, max_pixels)
    left, top, right, bottom = frame.box
    whole_width = min(_FARTHEST_PX, max(1, round(frame.width / (right - left))))
    whole_height = min(_FARTHEST_PX, max(1, round(frame.height / (bottom - top))))
    bitmap = pypdfium2.PdfBitmap.new_native(frame.width, frame.height, pdfium.FPDFBitmap_BGR)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, frame.width, frame.height)
        place = -round(left * whole_width), -round(top * whole_height), whole_width, whole_height
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *place, 0, 0)
        return np.ascontiguousarray(bitmap.to_numpy()[:, :, ::-1])
    finally:
        bitmap.close()


def to_pnm(rgb: U8) -> bytes:
    """A picture file of RGB u8 (h, w, 3) that loses nothing; a grey one where there are no colours."""
    height, width = rgb.shape[:2]
    is_grey = bool((rgb[:, :, 0] == rgb[:, :, 1]).all() and (rgb[:, :, 0] == rgb[:, :, 2]).all())
    pixels = rgb[:, :, 0] if is_grey else rgb
    return b"P%d %d %d 255\n" % (5 if is_grey else 6, width, height) + np.ascontiguousarray(pixels).tobytes()
