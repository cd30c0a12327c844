"""A book as a PDF, and photographs of single pictures in it: is the page found, and where on it?

python -m scripts.book PHOTOGRAPHS (a folder). The book is composed of photographs that are drawn from the folder, then
indexed, and searched with a photograph of each picture. Figures: docs/documents.md. Needs pypdfium2 and ReportLab.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.cli.command import run
from bof.engine import Engine
from bof.errors import BofError
from bof.images.address import Address
from bof.images.decode import decode
from bof.images.documents.pdf_library import OpenedPdf
from bof.images.listing import walk_images
from bof.images.regular import open_regular
from bof.options import MAX_PIXELS, IndexOptions
from bof.types import F64, Hit
from bof.vocabulary.vocabulary import default_vocabulary_path
from scripts.book.composing import HEIGHT, WIDTH, Printed, compose, page_pixels
from scripts.book.photographing import photograph
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures
from scripts.common.tables import table

_SCALE = 200 / 72
"""Pixels a point of the printed page that is photographed."""


@dataclass(frozen=True, slots=True)
class BookOutcome:
    """What was found for a photograph: kind of its picture, rank of the first hit on its page (0: none), the verdict
    of the first hit, and how the outline of that hit overlaps what was photographed, on the page (0: wrong page).
    """

    page: int
    kind: str
    rank: int
    verdict: str
    overlap: float


def main(argv: list[str] | None = None) -> int:
    """Compose, index, search, report."""
    parser = make_parser(__doc__, "cache json", pages=(300, "of the book"), pictures=(200, "in it"), seed=(0, "of all"))
    parser.add_argument("photographs", type=Path, metavar="PHOTOGRAPHS", help="a folder of photographs")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth file alone (default 1)")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "pages", "pictures", "every")
    rng = np.random.default_rng(arguments.seed)
    files = list(walk_images(arguments.photographs))[:: arguments.every]
    if len(files) < arguments.pictures:
        raise BofError(path=arguments.photographs, expected=f"{arguments.pictures} photographs", found=len(files))
    chosen = [files[place] for place in rng.choice(len(files), arguments.pictures, replace=False)]
    with cache_or_temporary(arguments.cache) as folder:
        book = folder / "book.pdf"
        printed = compose(book, chosen, arguments.pages, rng)
        engine = Engine.create(folder / "index", default_vocabulary_path())
        start = time.perf_counter()
        report = engine.add([book], IndexOptions())
        seconds = time.perf_counter() - start
        made = f"{book.stat().st_size >> 20} MB, {report.n_added} pictures in {seconds:.0f} s"
        print(f"{made}, {len(report.skipped)} skipped", flush=True)
        outcomes = [_ask(engine, book, one, rng) for one in printed]
    print("\n".join(_report(outcomes)))
    write_figures(arguments.json, {"seconds": seconds, "pictures": report.n_added, "outcomes": outcomes})
    return 0


def _ask(engine: Engine, book: Path, printed: Printed, rng: np.random.Generator) -> BookOutcome:
    page = page_pixels(book, printed.page, _SCALE)
    photo, seen = photograph(page, printed.corners * _SCALE, rng)
    hits = engine.search(photo)
    on_page = [rank for rank, hit in enumerate(hits, 1) if _page_of(hit) == printed.page]
    verdict = hits[0].verdict if hits else "no"
    overlap = _overlap(book, hits[0], seen / _SCALE) if on_page[:1] == [1] else 0.0
    return BookOutcome(printed.page, printed.kind, on_page[0] if on_page else 0, verdict, overlap)


def _page_of(hit: Hit) -> int:
    return int(Address.parse(hit.path).part.removeprefix("page=").partition("&")[0])


def _overlap(book: Path, hit: Hit, seen: F64) -> float:
    """Intersection over union of the hit's outline and what was photographed, on the page, which clips both."""
    if hit.outline is None:
        return 0.0
    left, top, right, bottom = _place_of(book, Address.parse(hit.path).part)
    share = (hit.outline + 0.5) / (hit.width, hit.height)
    found = (np.array([left, top]) + share * (right - left, bottom - top)) * (WIDTH, HEIGHT)
    sheet = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    one, other = (cv2.intersectConvexConvex(quad.astype(np.float32), sheet)[1] for quad in (found, seen))
    if one is None or other is None:
        return 0.0
    both, _ = cv2.intersectConvexConvex(one, other)
    union = cv2.contourArea(one) + cv2.contourArea(other) - both
    return float(both / union) if union > 0 else 0.0


def _place_of(book: Path, part: str) -> tuple[float, float, float, float]:
    """Where a part lies on its page, from 0 to 1."""
    page, _, rest = part.removeprefix("page=").partition("&")
    kind, _, value = rest.partition("=")
    if not kind:
        return 0.0, 0.0, 1.0, 1.0
    with open_regular(book) as stream:
        pdf = OpenedPdf(str(book), stream)
        try:
            with pdf.page(int(page)) as opened:
                if kind == "image":
                    return opened.pictures[int(value) - 1].seen
                left, top, width, height = map(int, value.split(","))
                whole = decode(opened.read(MAX_PIXELS))
                edges = np.array([left, top, left + width, top + height]) / ([whole.width, whole.height] * 2)
                return tuple(edges.tolist())
        finally:
            pdf.close()


def _report(outcomes: Sequence[BookOutcome]) -> Iterator[str]:
    kinds = [*dict.fromkeys(one.kind for one in outcomes), "all"]
    rows = []
    for kind in kinds:
        some = [one for one in outcomes if kind in (one.kind, "all")]
        right = [one for one in some if one.rank == 1]
        overlaps = np.array([one.overlap for one in right]) if right else np.zeros(1)
        rows.append([
            kind, len(some), f"{len(right) / len(some):.3f}",
            f"{sum(one.verdict in ('same', 'part') for one in right) / len(some):.3f}",
            f"{overlaps.mean():.3f}", f"{np.percentile(overlaps, 5):.3f}", f"{(overlaps >= 0.8).mean():.3f}",
        ])  # fmt: skip
    head = ["pictures", "n", "page at rank 1", "and called same or part", "overlap", "5th percentile", "0.8 or more"]
    yield from table(head, [[str(cell) for cell in row] for row in rows])


if __name__ == "__main__":
    sys.exit(main())
