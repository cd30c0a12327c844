"""Pictures of where two rankers differ: a query a row, what one found first and what the other did."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bof.evaluation.run import QueryResult, Report
from bof.images.decode import read_image, shrink
from bof.types import U8

_TILE = 150
_FOUND = 3
_ROWS = 4
_GREEN, _RED, _BLUE = (40, 160, 60), (200, 50, 50), (60, 90, 200)


def draw_differences(report: Report, other: Report) -> U8 | None:
    """RGB u8 (h, w, 3): rows where `report` is better than `other`, then rows where it is worse; None for neither.

    A row: the query framed blue, the first three of report, the first three of other; right framed green, wrong red.
    """
    pairs = list(zip(report.queries, other.queries, strict=True))
    gain = [(mine.average_precision or 0.0) - (theirs.average_precision or 0.0) for mine, theirs in pairs]
    order = np.argsort(gain, kind="stable").tolist()
    better = [row for row in order[::-1][:_ROWS] if gain[row] > 0]
    worse = [row for row in order[:_ROWS] if gain[row] < 0]
    rows = [_row(*pairs[row]) for row in (*better, *worse)]
    return np.concatenate(rows) if rows else None


def _row(mine: QueryResult, theirs: QueryResult) -> U8:
    tiles = [_tile(Path(mine.image), _BLUE), *_found(mine), np.full((_TILE, 12, 3), 255, np.uint8), *_found(theirs)]
    return np.concatenate(tiles, axis=1)


def _found(result: QueryResult) -> list[U8]:
    hits = [hit for hit in result.hits if hit.path != result.image][:_FOUND]
    tiles = [_tile(Path(hit.path), _GREEN if hit.relevance == "positive" else _RED) for hit in hits]
    return tiles + [np.full((_TILE, _TILE, 3), 255, np.uint8)] * (_FOUND - len(tiles))


def _tile(path: Path, colour: tuple[int, int, int]) -> U8:
    pixels = shrink(np.ascontiguousarray(read_image(path, max_side=_TILE).pixels), _TILE - 12)
    framed = cv2.copyMakeBorder(pixels, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=colour)
    tile = np.full((_TILE, _TILE, 3), 255, np.uint8)
    tile[2 : 2 + framed.shape[0], 2 : 2 + framed.shape[1]] = framed
    return tile
