"""A contact sheet: many small pictures on one, each with a line of text below it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bof.images.draw import GAP_PX, PAPER, caption_strip
from bof.types import U8


def draw_contact_sheet(pictures: Sequence[U8], captions: Sequence[str], n_columns: int) -> U8:
    """Pictures u8 (h, w, 3) in rows of so many, from left to right, as one u8 (H, W, 3) in RGB.

    Each stands in a cell as large as the largest of them.
    """
    cells = [np.concatenate([picture, caption_strip(caption, picture.shape[1])])
             for picture, caption in zip(pictures, captions, strict=True)]  # fmt: skip
    height, width = (max(cell.shape[axis] for cell in cells) + GAP_PX for axis in (0, 1))
    n_columns = min(n_columns, len(cells))
    n_rows = -(-len(cells) // n_columns)
    sheet: U8 = np.full((n_rows * height + GAP_PX, n_columns * width + GAP_PX, 3), PAPER, np.uint8)
    for number, cell in enumerate(cells):
        row, column = divmod(number, n_columns)
        top, left = GAP_PX + row * height, GAP_PX + column * width
        sheet[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return sheet
