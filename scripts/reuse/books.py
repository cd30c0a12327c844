"""Books made by program: pages in one template with text and woodblock prints, some of them used again in other books.

What is known of every page is what was put on it, so that every reuse that should be found is known too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from bof.types import U8
from scripts.reuse.drawing import BLOCK_PX, draw_block, worn

PAGE_PX = (900, 1240)
_MARGIN = 90
_LETTERS = "eeeeettttaaaooinnshrrdlucmfwypvbgkq"

USES = ("worn", "smaller", "larger", "cropped", "mirrored")
"""What happens to a block when it is used again; worn, in another book, happens to all."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a book: the block printed on it, None: text alone, and how it is used; "first" is new."""

    name: str
    book: int
    year: int
    block: int | None
    use: str


def compose(folder: Path, n_blocks: int, n_books: int = 6, seed: int = 0) -> list[Page]:
    """Write the pages of n_books books, each block in a first print and every use, and as many pages of text alone.

    All pages have one frame, running head and ornaments. Returns the pages in the order of their names.
    """
    rng = np.random.default_rng(seed)
    blocks = [draw_block(np.random.default_rng([seed, 1, number])) for number in range(n_blocks)]
    pages = list(_pages(n_blocks, n_books, rng))
    for number, page in enumerate(pages):
        path = folder / page.name
        path.parent.mkdir(parents=True, exist_ok=True)
        block = None if page.block is None else blocks[page.block]
        _write(path, _draw(page, block, np.random.default_rng([seed, 2, number])))
    return sorted(pages, key=lambda page: page.name)


def _pages(n_blocks: int, n_books: int, rng: Generator) -> Iterator[Page]:
    counts = [0] * n_books
    for block in range(n_blocks):
        first = int(rng.integers(n_books))
        for step, use in enumerate(("first", *USES)):
            yield _page((first + step) % n_books, counts, block, use)
        yield _page(int(rng.integers(n_books)), counts, None, "text")


def _page(book: int, counts: list[int], block: int | None, use: str) -> Page:
    counts[book] += 1
    return Page(f"book-{book}/page-{counts[book]:03d}.jpg", book, 1490 + 7 * book, block, use)


def reuses(pages: list[Page]) -> dict[frozenset[str], str]:
    """Every pair of pages that show one block, and the harder use of the two."""
    order = ("first", *USES)
    pairs = combinations([page for page in pages if page.block is not None], 2)
    return {
        frozenset({one.name, other.name}): max(one.use, other.use, key=order.index)
        for one, other in pairs
        if one.block == other.block
    }


# -- Drawing ----------------------------------------------------------------------------------------------------------


def _draw(page: Page, block: U8 | None, rng: Generator) -> U8:
    width, height = PAGE_PX
    paper = np.full((height, width), 255, np.uint8)
    _template(paper, page)
    if block is None:
        _text(paper, (_MARGIN, 150, width - _MARGIN, height - 130), rng)
    else:
        _set_block(paper, _used(block, page.use, rng), rng)
    return _scanned(paper, rng)


def _used(block: U8, use: str, rng: Generator) -> U8:
    """The print of a block as it is used."""
    if use == "first":
        return worn(block, 0.1, rng)
    print_ = worn(block, rng.uniform(0.3, 1.0), rng)
    if use == "cropped":
        share = rng.uniform(0.55, 0.75)
        x, y = (int(rng.uniform(0, 1 - share) * side) for side in BLOCK_PX)
        print_ = print_[y : y + round(share * BLOCK_PX[1]), x : x + round(share * BLOCK_PX[0])]
    if use == "mirrored":
        print_ = print_[:, ::-1]
    scale = {"smaller": rng.uniform(0.55, 0.75), "larger": rng.uniform(1.25, 1.6)}.get(use, 1.0)
    size = round(print_.shape[1] * scale), round(print_.shape[0] * scale)
    return np.asarray(cv2.resize(print_, size, interpolation=cv2.INTER_AREA), np.uint8)


def _set_block(paper: U8, print_: U8, rng: Generator) -> None:
    """The print somewhere between two stretches of text."""
    height, width = print_.shape
    left = int(rng.integers(_MARGIN, PAGE_PX[0] - _MARGIN - width + 1))
    top = int(rng.integers(170, PAGE_PX[1] - 160 - height))
    paper[top : top + height, left : left + width] = print_
    _text(paper, (_MARGIN, 150, PAGE_PX[0] - _MARGIN, top - 10), rng)
    _text(paper, (_MARGIN, top + height + 14, PAGE_PX[0] - _MARGIN, PAGE_PX[1] - 130), rng)


def _text(paper: U8, box: tuple[int, int, int, int], rng: Generator) -> None:
    """Lines of words that mean nothing."""
    for y in range(box[1] + 22, box[3], 30):
        line = ""
        while len(line) < 58:
            line += "".join(rng.choice(list(_LETTERS), int(rng.integers(2, 10)))) + " "
        cv2.putText(paper, line[:60], (box[0], y), cv2.FONT_HERSHEY_COMPLEX, 0.6, 40, 1, cv2.LINE_AA)


def _template(paper: U8, page: Page) -> None:
    """What all pages have: a double frame, corner ornaments, a running head; and the number of the page."""
    width, height = PAGE_PX
    for inset, thickness in ((40, 5), (52, 2)):
        cv2.rectangle(paper, (inset, inset), (width - inset, height - inset), 0, thickness)
    for x in (64, width - 64):
        for y in (64, height - 64):
            for radius in (8, 16, 24):
                cv2.circle(paper, (x, y), radius, 0, 2, cv2.LINE_AA)
            cv2.line(paper, (x - 20, y - 20), (x + 20, y + 20), 0, 2, cv2.LINE_AA)
    cv2.putText(paper, "HISTORIA NATURALIS", (260, 110), cv2.FONT_HERSHEY_TRIPLEX, 1.1, 20, 2, cv2.LINE_AA)
    cv2.line(paper, (150, 128), (width - 150, 128), 0, 2)
    cv2.putText(paper, page.name[-7:-4], (430, height - 66), cv2.FONT_HERSHEY_COMPLEX, 0.8, 20, 1, cv2.LINE_AA)


def _scanned(paper: U8, rng: Generator) -> U8:
    """The page as a scanner has it: a little turned and moved, paper with a tone and grain, RGB."""
    width, height = PAGE_PX
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-1.2, 1.2), rng.uniform(0.97, 1.02))
    turn = np.asarray(turn, np.float64) + np.column_stack([np.zeros((2, 2)), rng.uniform(-12, 12, 2)])
    page = cv2.warpAffine(paper, turn, PAGE_PX, flags=cv2.INTER_AREA, borderValue=255).astype(np.float64)
    stains = cv2.resize(rng.normal(0, 6, (9, 7)), PAGE_PX, interpolation=cv2.INTER_CUBIC)
    tone = np.array([rng.uniform(225, 245), rng.uniform(215, 235), rng.uniform(185, 215)])
    grain = rng.normal(0, 5, page.shape)
    shade = np.asarray(stains + grain, np.float64)[:, :, None]
    rgb: U8 = np.clip(page[:, :, None] / 255 * tone + shade, 0, 255).astype(np.uint8)
    return rgb


def _write(path: Path, rgb: U8) -> None:
    done, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise ValueError(f"{path}: cannot be encoded")
    path.write_bytes(data.tobytes())
