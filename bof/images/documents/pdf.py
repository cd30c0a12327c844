"""Pictures in a PDF: those that are embedded in its pages, and the pages that hold none, rendered.

PDFium reads it, by pypdfium2 (Apache-2.0 or BSD-3-Clause; PDFium: BSD-3-Clause and Apache-2.0). The wheel's PDFium is
built without V8 and XFA, and no form environment is ever made: scripts in a document cannot run. It opens no other
file but fonts of the system, and no connection.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bof.errors import ImageError, reason_of
from bof.images.documents.base import MAX_PARTS, MIN_SIDE_PX, PDF_EXTRA, PDF_SUFFIX, Document, missing_extra
from bof.images.regular import open_regular
from bof.system.units import counted

if TYPE_CHECKING:
    from bof.images.documents.pdf_library import OpenedPdf, PageFacts

_NUMBER = r"[1-9][0-9]{0,8}"
_BOX = rf"([0-9]{{1,9}}),([0-9]{{1,9}}),({_NUMBER}),({_NUMBER})"
_PART = re.compile(rf"page=(?P<page>{_NUMBER})(?:&image=(?P<image>{_NUMBER})|&xywh={_BOX})?")
_MAGIC = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-")

_MAX_PAGES = 20_000
"""So many pages are looked at: to look at one takes milliseconds."""

_ORNAMENT_PAGES = 3
"""A picture that so many pages show is a logo or a header, and none of them is a page with a picture because of it."""


@dataclass(frozen=True, slots=True)
class PdfKind:
    """PDF."""

    name: str = "PDF"
    is_picture: bool = False
    is_isolated: bool = True

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce this kind?"""
        return _MAGIC.match(head) is not None

    def open(self, file: str) -> Document:
        """Open a PDF. Raises ImageError where it is broken or encrypted, has no pages, or its extra is missing."""
        if missing_extra(PDF_SUFFIX):
            advice = f'pip install "bof-search[{PDF_EXTRA}]"'
            raise ImageError("a PDF, which pypdfium2 reads: it is not installed", path=file, advice=advice)
        from bof.images.documents.pdf_library import OpenedPdf

        with contextlib.ExitStack() as opened:
            with _guarded(file, "PDF"):
                pdf = OpenedPdf(file, opened.enter_context(open_regular(Path(file))))
            return _Pdf(file, pdf, opened.pop_all())


class _Pdf:
    """An opened PDF. Its pages are looked at when somebody wants to know the parts, not to read one."""

    def __init__(self, file: str, pdf: OpenedPdf, opened: contextlib.ExitStack) -> None:
        self._file, self._pdf, self._opened = file, pdf, opened

    @property
    def parts(self) -> Sequence[str]:
        return self._contents[0]

    @property
    def others(self) -> Mapping[str, int]:
        return self._contents[1]

    def read(self, part: str, max_pixels: int) -> bytes:
        found = _PART.fullmatch(part)
        n_pages = self._pdf.n_pages
        if found is None or int(found["page"]) > n_pages:
            expected = f"page=1 to page={n_pages}, a picture of one (page=1&image=2), or a box (page=1&xywh=0,0,99,99)"
            raise ImageError(path=self._file, expected=expected, found=part)
        with _guarded(self._file, f"page {found['page']} of a PDF"), self._pdf.page(int(found["page"])) as page:
            if found[3]:
                return page.read_box((int(found[3]), int(found[4]), int(found[5]), int(found[6])), max_pixels)
            if found["image"] is None:
                return page.read(max_pixels)
            if int(found["image"]) > len(page.pictures):
                raise ImageError(
                    path=self._file, expected=f"one of the page's {counted(len(page.pictures), 'picture')}", found=part
                )
            return page.read_picture(int(found["image"]), max_pixels)

    def close(self) -> None:
        self._pdf.close()
        self._opened.close()

    @cached_property
    def _contents(self) -> tuple[Sequence[str], Mapping[str, int]]:
        with _guarded(self._file, "PDF"):
            return list_parts(self._pdf)


def list_parts(pdf: OpenedPdf) -> tuple[Sequence[str], Mapping[str, int]]:
    """The parts of a PDF, and what else it holds, by kind.

    A picture that is shown again is a part once; a page that shows only pictures of earlier pages, or of many, is one
    that holds none.
    """
    pages, others = _look_at_all(pdf)
    n_shown = Counter(key for _, facts in pages for key in {key for _, key in facts.pictures})
    parts: list[str] = []
    seen: set[bytes] = set()
    for number, facts in pages:
        has_own = any(key not in seen and n_shown[key] < _ORNAMENT_PAGES for _, key in facts.pictures)
        if facts.is_scan or not (has_own or facts.is_blank):
            parts.append(f"page={number}")
        parts += [f"page={number}&xywh={','.join(map(str, box))}" for box in facts.figures]
        for image, key in facts.pictures:
            if key in seen:
                others["picture in a PDF that is shown again"] += 1
            else:
                parts.append(f"page={number}&image={image}")
            seen.add(key)
    others[f"picture of a PDF beyond the first {MAX_PARTS}"] = max(0, len(parts) - MAX_PARTS)
    return parts[:MAX_PARTS], dict(+others)


def _look_at_all(pdf: OpenedPdf) -> tuple[list[tuple[int, PageFacts]], Counter[str]]:
    """The pages that can be read, by number, and what is no picture, by kind."""
    pages: list[tuple[int, PageFacts]] = []
    others: Counter[str] = Counter()
    for number in range(1, min(pdf.n_pages, _MAX_PAGES) + 1):
        facts = pdf.look(number)
        if facts is None:
            others["broken page of a PDF"] += 1
            continue
        pages.append((number, facts))
        others["blank page of a PDF"] += facts.is_blank
        others[f"picture in a PDF of less than {MIN_SIDE_PX} pixels"] += facts.n_small
    others[f"page of a PDF beyond the first {_MAX_PAGES}"] = max(0, pdf.n_pages - _MAX_PAGES)
    return pages, others


@contextlib.contextmanager
def _guarded(file: str, what: str) -> Iterator[None]:
    """Whatever PDFium and ctypes raise of hostile bytes means the same to us."""
    try:
        yield
    except ImageError as error:
        error.path = error.path or file
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError(path=file, expected=f"a whole {what}", found=f"a broken one: {reason_of(error)}") from error


PDF = PdfKind()
