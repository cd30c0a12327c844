"""A canvas cut into square cells, over which values are averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bof.native import sum_cells
from bof.types import F32, F64, Bool

_CELLS_A_SIDE = 30
_CELL_PX = (8, 20)
_COVERED = 0.6
"""Share of a cell that both pictures must cover."""


@dataclass(frozen=True, slots=True)
class Grid:
    """mask bool (h, w): where both pictures are; area f64 (rows, columns): its share of each cell of side x side."""

    mask: Bool
    side: int
    area: F64

    @classmethod
    def of(cls, mask: Bool) -> Grid:
        """A cell has a thirtieth of the long side, within limits."""
        side = int(np.clip(round(max(mask.shape) / _CELLS_A_SIDE), *_CELL_PX))
        return cls(mask, side, _means(mask.astype(np.float32), side))

    @property
    def covered(self) -> Bool:
        """Cells that both pictures cover, bool (rows, columns)."""
        return np.asarray(self.area >= _COVERED, np.bool_)

    def mean(self, values: F32) -> F64:
        """The mean over what is covered of each cell, f64 (rows, columns), of values f32 (h, w)."""
        return _means(values, self.side, self.mask) / np.maximum(self.area, 1e-6)

    def moments(self, values: F32) -> tuple[F64, F64]:
        """The mean and the standard deviation of each cell f64 (rows, columns), of values f32 (h, w)."""
        mean = self.mean(values)
        return mean, np.asarray(np.sqrt(np.maximum(self.mean(values * values) - mean**2, 0.0)), np.float64)

    def places(self) -> F64:
        """The middle (x, y) of each cell f64 (n, 2), row by row, in pixels."""
        rows, columns = np.mgrid[: self.area.shape[0], : self.area.shape[1]]
        return (np.column_stack([columns.ravel(), rows.ravel()]) + 0.5) * self.side - 0.5


def sums_of_cells(values: F32, side: int, mask: Bool | None = None) -> F64:
    """Sums over cells of side x side pixels f64 (rows, columns), of values f32 (h, w) where the mask is.

    What is left at the right and the bottom is not looked at.
    """
    found = np.zeros((values.shape[0] // side, values.shape[1] // side))
    mask = np.ones(values.shape, np.bool_) if mask is None else mask
    sum_cells(np.ascontiguousarray(values, np.float32), mask, side, found)
    return found


def _means(values: F32, side: int, mask: Bool | None = None) -> F64:
    return sums_of_cells(values, side, mask) / (side * side)
