"""A PDF as PDFium has it: its pages, and what each shows. Needs the extra `pdf`."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from bof.errors import ImageError
from bof.images.decode import crop, decode, to_rgb
from bof.images.documents.figures import PixelBox, find_figures
from bof.images.documents.pdf_layout import PageLayout, PlacedPicture, look_at
from bof.images.documents.pdf_rendering import PageFrame, native_frame, render, to_pnm, whole_page
from bof.types import F32, U8

_ALIKE = 12.0
"""Two small pictures show the same where their grey levels differ by less on average."""

_SMALL_PX, _BLANK_PX = 64, 128
_FEW_MARKS = 32
"""A page with more marks is not blank; to render it only to know may take long."""

_BLANK_LEVELS = 3

_FIGURES_PX = 1_200
"""A page is looked at for figures with a pixel a point, a larger one (over 42 cm) with fewer."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page holds.

    is_scan: one picture fills it, or pieces of one do; figures: where a scan has pictures among its print; pictures:
    the number and the content of each that is a part of its own; n_small: those that are too small; is_blank: nothing
    is to be seen.
    """

    is_scan: bool
    figures: tuple[PixelBox, ...]
    pictures: tuple[tuple[int, bytes], ...]
    n_small: int
    is_blank: bool


class OpenedPdf:
    """An opened PDF. Raises ImageError where it is encrypted, broken, or has no pages."""

    def __init__(self, file: str, stream: io.BufferedReader) -> None:
        try:
            self._pdf = pypdfium2.PdfDocument(stream)
        except pypdfium2.PdfiumError as error:
            raise _refusal(file, error) from error
        self.n_pages = len(self._pdf)
        self._first: dict[bytes, tuple[int, int]] = {}

    @contextlib.contextmanager
    def page(self, number: int) -> Iterator[OpenedPage]:
        """A page, from 1, while it is open. Raises PdfiumError where it is broken."""
        page = self._pdf[number - 1]
        try:
            yield OpenedPage(page)
        finally:
            page.close()

    def look(self, number: int) -> PageFacts | None:
        """What a page holds; None where it is broken."""
        try:
            with self.page(number) as page:
                pictures = tuple((image, self._content(page, number, image)) for image in page.own_pictures)
                return PageFacts(page.is_scan, page.figures, pictures, page.layout.n_small, page.is_blank)
        except (pypdfium2.PdfiumError, ctypes.ArgumentError, ValueError):
            return None

    def close(self) -> None:
        """Give the memory back."""
        self._pdf.close()

    def _content(self, page: OpenedPage, number: int, image: int) -> bytes:
        """What a picture is known by: its stream, and that it looks like the first one with that stream.

        Streams alone do not tell: black letters are cut out of the same black square by different masks.
        """
        key = page.stream_key(image)
        place = self._first.setdefault(key, (number, image))
        if place == (number, image):
            return key
        own = page.small(image)
        if place[0] == number:
            return key if _are_alike(own, page.small(place[1])) else f"{number} {image}".encode()
        with self.page(place[0]) as other:
            return key if _are_alike(own, other.small(place[1])) else f"{number} {image}".encode()


class OpenedPage:
    """An opened page."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._page = page
        self.layout: PageLayout = look_at(page)

    @property
    def pictures(self) -> tuple[PlacedPicture, ...]:
        """Those of at least MIN_SIDE_PX, in the order in which they are painted: the first has the number 1."""
        return self.layout.pictures

    @property
    def is_scan(self) -> bool:
        """Does one picture fill it, or do pieces of one?"""
        return self.layout.is_sliced or any(picture.fills_page for picture in self.pictures)

    @property
    def own_pictures(self) -> list[int]:
        """The numbers of the pictures that are parts of their own."""
        if self.layout.is_sliced:
            return []
        return [number for number, picture in enumerate(self.pictures, 1) if not picture.fills_page]

    @property
    def is_blank(self) -> bool:
        """Is nothing to be seen?"""
        if self.pictures or self.layout.n_marks > _FEW_MARKS:
            return False
        if self.layout.n_marks == 0:
            return True
        pixels = render(self._page, whole_page(self._page, _BLANK_PX))
        return int(pixels.max()) - int(pixels.min()) <= _BLANK_LEVELS

    @property
    def figures(self) -> tuple[PixelBox, ...]:
        """Where a scan has pictures among its print, in pixels of what `read` gives."""
        if not self.is_scan:
            return ()
        small = render(self._page, whole_page(self._page, round(min(_FIGURES_PX, max(self._page.get_size())))))
        frame = native_frame(self._page, self.pictures[0]) if self.layout.is_lone else whole_page(self._page)
        across, down = frame.width / small.shape[1], frame.height / small.shape[0]
        found = find_figures(small)
        return tuple((int(x * across), int(y * down), int(w * across), int(h * down)) for x, y, w, h in found)

    def read(self, max_pixels: int) -> bytes:
        """The page as a picture file; a scan is the picture that fills it. Raises PictureTooLargeError."""
        self.layout.require_pixels(max_pixels)
        if self.layout.is_lone:
            return self.read_picture(1, max_pixels)
        return to_pnm(render(self._page, whole_page(self._page), max_pixels))

    def read_box(self, box: PixelBox, max_pixels: int) -> bytes:
        """A picture file of a box of what `read` gives. Raises ImageError for one outside."""
        left, top, width, height = box
        page = decode(self.read(max_pixels), max_pixels=max_pixels)
        return to_pnm(to_rgb(crop(page, (left, top, left + width, top + height))))

    def read_picture(self, image: int, max_pixels: int) -> bytes:
        """A picture file of one of its pictures: the file that is embedded, where it is shown as it is; else as it is
        shown. Raises PictureTooLargeError.
        """
        self.layout.require_pixels(max_pixels)
        picture = self.pictures[image - 1]
        jpeg = self._jpeg(picture, max_pixels)
        return jpeg or to_pnm(render(self._page, native_frame(self._page, picture), max_pixels))

    def stream_key(self, image: int) -> bytes:
        """A hash of a picture as the file has it."""
        picture = self.pictures[image - 1]
        return hashlib.sha256(b"%d %d\0" % picture.size_px + bytes(picture.image.get_data())).digest()

    def small(self, image: int) -> F32:
        """Grey f32 (64, 64) of a picture as it is shown."""
        return self._small(self.pictures[image - 1], (_SMALL_PX, _SMALL_PX))

    def _small(self, picture: PlacedPicture, size: tuple[int, int]) -> F32:
        return _grey(render(self._page, PageFrame(picture.seen, *size)))

    def _jpeg(self, picture: PlacedPicture, max_pixels: int) -> bytes:
        """The JPEG that is embedded; nothing where it is none, or not what is shown.

        What could differ is much: a mask, colours, a turn in its EXIF, what is painted over it.
        """
        if not picture.is_as_stored or not picture.is_jpeg:
            return b""
        data = bytes(picture.image.get_data(decode_simple=True))
        try:
            small = decode(data, max_side=_SMALL_PX, max_pixels=max_pixels, grey=True)
        except ImageError:
            return b""  # PDFium may be able to read it
        if (small.width, small.height) != picture.size_px:
            return b""
        grey, height, width = small.pixels.astype(np.float32), *small.pixels.shape
        return data if _are_alike(grey, self._small(picture, (width, height))) else b""


def _grey(rgb: U8) -> F32:
    grey: F32 = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return grey


def _are_alike(one: F32, other: F32) -> bool:
    return float(np.abs(one - other).mean()) < _ALIKE


def _refusal(file: str, error: pypdfium2.PdfiumError) -> ImageError:
    if error.err_code == pdfium.FPDF_ERR_PASSWORD:
        advice = "save it without one: open it in a reader and print it to a PDF, or `qpdf --decrypt`"
        return ImageError(path=file, expected="a PDF that opens", found="one with a password", advice=advice)
    if error.err_code == pdfium.FPDF_ERR_SECURITY:
        return ImageError(path=file, expected="a PDF that opens", found="an encryption that PDFium does not know")
    found = "a broken, truncated or empty one: PDFium finds no page"
    return ImageError(path=file, expected="a whole PDF", found=found)
