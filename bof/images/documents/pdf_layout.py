"""Where the pictures of a PDF's page lie, and what else is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from bof.images.decode import PictureTooLargeError
from bof.images.documents.base import MIN_SIDE_PX
from bof.types import F64

SeenBox = tuple[float, float, float, float]
"""Left, top, right, bottom in the page as it is shown, from 0 to 1."""

_FILLS = 0.85
"""Of a page: a picture that covers so much of it is a scan of it."""

_LEAST_PIECES = 3
_GRID = 64

_MAX_OBJECTS = 200_000
"""A page with more marks is refused: one page of a map has some ten thousand."""

_STRAIGHT, _STRETCHED = 1e-3, 1.02
_INVISIBLE_TEXT = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture on a page: seen, what of it lies on the page; axes f64 (2, 2), its sides across and down, in points, as
    the page is shown (y down); size_px: width and height as it is stored.
    """

    image: pypdfium2.PdfImage
    size_px: tuple[int, int]
    seen: SeenBox
    axes: F64

    @property
    def fills_page(self) -> bool:
        """Is it a scan of the page?"""
        left, top, right, bottom = self.seen
        return (right - left) * (bottom - top) >= _FILLS and self.is_straight

    @property
    def is_straight(self) -> bool:
        """Is it turned by nothing but right angles?"""
        across, down = np.abs(self.axes)
        is_along = max(across[1], down[0]) <= _STRAIGHT * max(across[0], down[1])
        return bool(is_along or max(across[0], down[1]) <= _STRAIGHT * max(across[1], down[0]))

    @property
    def is_as_stored(self) -> bool:
        """Is it neither turned nor mirrored nor stretched?"""
        if not self.is_straight or self.axes[0, 0] <= 0 or self.axes[1, 1] <= 0:
            return False
        across, down = self.axes[0, 0] / self.size_px[0], self.axes[1, 1] / self.size_px[1]
        return bool(max(across, down) <= _STRETCHED * min(across, down))

    @property
    def is_jpeg(self) -> bool:
        """Is it stored as a JPEG?"""
        return bool(self.image.get_filters(skip_simple=True) == ["DCTDecode"])


@dataclass(frozen=True, slots=True)
class PageLayout:
    """pictures: of at least MIN_SIDE_PX, as they are painted; n_small: others; n_marks: all that is to be seen.

    is_sliced: pieces fill the page together; is_lone: one picture fills it, and nothing else is to be seen.
    """

    pictures: tuple[PlacedPicture, ...]
    n_small: int
    n_marks: int
    is_sliced: bool
    largest_px: tuple[int, int]

    @property
    def is_lone(self) -> bool:
        """Is there one picture that fills the page, and nothing else?"""
        return self.n_marks == 1 and len(self.pictures) == 1 and self.pictures[0].fills_page

    def require_pixels(self, max_pixels: int) -> None:
        """Whatever of a page is rendered, its pictures are decoded. Raises PictureTooLargeError."""
        width, height = self.largest_px
        if width * height > max_pixels:
            raise PictureTooLargeError("", width, height, max_pixels)


def look_at(page: pypdfium2.PdfPage) -> PageLayout:
    """What is on a page. Raises ValueError for one of too many marks, PdfiumError for a broken one."""
    to_page = _display_of(page)
    found: list[PlacedPicture] = []
    n_marks = n_unplaced = 0
    largest = 0, 0
    for number, one in enumerate(page.get_objects()):
        if number == _MAX_OBJECTS:
            raise ValueError(f"more than {_MAX_OBJECTS} marks on one page")
        if not _is_mark(one):
            continue
        n_marks += 1
        if isinstance(one, pypdfium2.PdfImage):
            size = one.get_px_size()
            largest = max(largest, size, key=lambda each: each[0] * each[1])
            picture = _place(one, size, to_page, page)
            n_unplaced += picture is None
            found += [picture] if picture else []
    pictures = tuple(one for one in found if min(one.size_px) >= MIN_SIDE_PX)
    n_small = len(found) - len(pictures)
    return PageLayout(pictures, n_small, n_marks - n_unplaced, _is_sliced(found), largest)


def _is_mark(one: pypdfium2.PdfObject) -> bool:
    """Is it something that may be seen? What forms hold comes by itself; the text below a scan is invisible."""
    if one.type == pdfium.FPDF_PAGEOBJ_TEXT:
        return pdfium.FPDFTextObj_GetTextRenderMode(one) not in _INVISIBLE_TEXT
    return bool(one.type != pdfium.FPDF_PAGEOBJ_FORM)


def _place(
    image: pypdfium2.PdfImage, size: tuple[int, int], to_page: F64, page: pypdfium2.PdfPage
) -> PlacedPicture | None:
    """None where nothing of it lies on the page."""
    matrix = to_page @ _user_of(image)
    if not np.isfinite(matrix).all() or min(size) < 1:
        return None
    corners = (matrix @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]], np.float64))[:2].T
    width, height = _size_of(page)
    low, high = np.clip(corners.min(axis=0), 0, [width, height]), np.clip(corners.max(axis=0), 0, [width, height])
    if (high - low).min() <= 0:
        return None
    seen = low[0] / width, low[1] / height, high[0] / width, high[1] / height
    axes = np.stack([matrix[:2, 0], -matrix[:2, 1]])  # a picture's first row lies at 1, and the page's y goes down
    return PlacedPicture(image, size, (float(seen[0]), float(seen[1]), float(seen[2]), float(seen[3])), axes)


def _user_of(image: pypdfium2.PdfObject) -> F64:
    """User space from the unit square in which a picture is drawn, f64 (3, 3), through the forms around it."""
    matrix = _matrix(image)
    around = image.container
    while around is not None:
        matrix, around = _matrix(around) @ matrix, around.container
    return matrix


def _matrix(one: pypdfium2.PdfObject) -> F64:
    a, b, c, d, e, f = one.get_matrix().get()
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]], np.float64)


def _display_of(page: pypdfium2.PdfPage) -> F64:
    """The page as it is shown, in points from its top left, y down, from user space; f64 (3, 3)."""
    left, bottom, right, top = page.get_bbox()
    turned = {
        0: [[1, 0, -left], [0, -1, top]],
        90: [[0, 1, -bottom], [1, 0, -left]],
        180: [[-1, 0, right], [0, 1, -bottom]],
        270: [[0, -1, top], [-1, 0, right]],
    }[page.get_rotation()]
    return np.array([*turned, [0, 0, 1]], np.float64)


def _size_of(page: pypdfium2.PdfPage) -> tuple[float, float]:
    """Width and height of the page as it is shown, in points."""
    left, bottom, right, top = page.get_bbox()
    size = max(right - left, 1e-6), max(top - bottom, 1e-6)
    return size if page.get_rotation() in (0, 180) else size[::-1]


def _is_sliced(pictures: Sequence[PlacedPicture]) -> bool:
    """Do three pictures or more fill the page, while none does alone? Scanners store strips."""
    if len(pictures) < _LEAST_PIECES or any(one.fills_page for one in pictures):
        return False
    covered = np.zeros((_GRID, _GRID), bool)
    for one in pictures:
        left, top, right, bottom = (round(_GRID * edge) for edge in one.seen)
        covered[top:bottom, left:right] = True
    return float(covered.mean()) >= _FILLS
