"""A flat drawing that few points have laid roughly is brought to a fraction of a pixel by what it shows on its ground.

Its even colours have no slope to follow, and what lies beside them is the ground, which is another in each picture. So
the plane is searched for, by the simplex of Nelder and Mead (1965), on which the colours of both correlate most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import minimize

from bof.alignment.canvas import Laid, lay_over
from bof.alignment.drawn import DrawnMask
from bof.images.decode import Picture, correlation
from bof.types import F32, F64

_APART_PX, _LEAST_DRAWN_PX2, _MOST_LOOKED_AT = 3, 60, 1000
"""Pixels so near to the ground are left out; fewer than the second say nothing, and of more than the third some do."""

_MOST_TRIED, _NEAR_ENOUGH_PX, _ALIKE_ENOUGH = 250, 0.02, 1e-5
_HOPELESS = 0.25
"""A drawing that differs so much after a round lies elsewhere; the right one differs by 0.06 at most."""


@dataclass(frozen=True, slots=True)
class _Round:
    """At which long side the drawing is laid out, how much both are blurred, in pixels of that, how many of the eight
    numbers of a plane are searched for, and how far the first steps go."""

    side_px: int
    blur_px: float
    n_free: int
    step_px: float


_ROUNDS = (_Round(64, 2.0, 6, 2.0), _Round(128, 1.5, 8, 1.0), _Round(256, 1.0, 8, 1.0))
"""First turned and stretched, then seen from aside too, then to the pixel: a letter of a sibling takes no more."""


def search_drawing(one: Picture, drawing: Picture, one_from_drawing: F64) -> Iterator[F64]:
    """Nearer and nearer, where a drawing lies in a picture, both in RGB: transforms f64 (3, 3), in pixels of the
    originals; none where nothing is drawn."""
    for each in _ROUNDS:
        laid = lay_over(one, drawing, one_from_drawing, each.side_px)
        view = None if laid is None else _View.of(laid, each.blur_px)
        if laid is None or view is None:
            return
        start = np.zeros(each.n_free)
        simplex = np.vstack([start, each.step_px * np.eye(each.n_free)])
        limits = {"maxfev": _MOST_TRIED, "xatol": _NEAR_ENOUGH_PX, "fatol": _ALIKE_ENOUGH, "initial_simplex": simplex}
        found = minimize(view.difference, start, method="Nelder-Mead", options=limits)
        if found.fun > _HOPELESS:
            return
        one_from_drawing = laid.moved(view.plane(found.x), one_from_drawing)
        yield one_from_drawing


@dataclass(frozen=True, slots=True)
class _View:
    """The blurred picture f32 (h, w, 3), and of n drawn pixels of the drawing the places f64 (3, n) and the colours
    f64 (n, 3). middle f64 (3, 3): moves the drawing's middle to the origin, half its side to 1."""

    picture: F32
    places: F64
    colours: F64
    middle: F64

    @classmethod
    def of(cls, laid: Laid, blur_px: float) -> _View | None:
        """What is laid out; None where hardly anything is drawn."""
        rows, columns = np.nonzero(DrawnMask.of(laid.other, laid.mask).drawn(_APART_PX))
        if len(rows) < _LEAST_DRAWN_PX2:
            return None
        some = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_LOOKED_AT)).astype(np.int64)
        rows, columns = rows[some], columns[some]
        picture, drawing = (
            np.asarray(cv2.GaussianBlur(pixels, (0, 0), blur_px), np.float32) for pixels in (laid.one, laid.other)
        )
        height, width = laid.mask.shape
        half = max(height, width) / 2
        middle = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, half]]) / half
        places = np.stack([columns, rows, np.ones(len(rows))]).astype(np.float64)
        return cls(picture, places, drawing[rows, columns].astype(np.float64), middle)

    def plane(self, steps: F64) -> F64:
        """The plane f64 (3, 3) of 6 or 8 numbers, each of which moves the drawing's edge by about so many pixels."""
        half = 1 / self.middle[0, 0]
        moved = np.concatenate([steps, np.zeros(9 - len(steps))])[[0, 1, 4, 2, 3, 5, 6, 7, 8]].reshape(3, 3) / half
        return np.asarray(np.linalg.solve(self.middle, (np.eye(3) + moved) @ self.middle), np.float64)

    def difference(self, steps: F64) -> float:
        """1 less the correlation of the colours, all channels together."""
        x, y, depth = self.plane(steps) @ self.places
        x, y = (np.asarray(side / np.maximum(depth, 1e-3), np.float32)[:, None] for side in (x, y))
        seen = cv2.remap(self.picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        return 1 - correlation(np.asarray(seen, np.float64), self.colours)
