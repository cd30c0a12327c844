"""SIFT of bof's own, in C: the features that OpenCV finds, the strongest alone oriented and described.

Where threads are free they share one picture: bands of rows of its large octaves, then its key points. The bits are the
same with any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bof import native
from bof.native.table import MOST_ANGLES, MOST_BANDS, POINT
from bof.system.threads import even_shares, in_threads, n_threads
from bof.types import F32, I32, I64, U8

_SPARE = 512
"""Points beyond the number of features, so that the weakest is looked for seldom."""

_WORTH = 64
"""Points from which threads share them."""


class _Room(threading.local):
    """Each thread's space to work in: as large as its largest picture so far needed."""

    space: U8 = np.empty(0, np.uint8)

    def of(self, n_bytes: int) -> U8:
        """At least so many bytes."""
        if len(self.space) < n_bytes:
            self.space = np.empty(n_bytes, np.uint8)
        return self.space


_ROOM = _Room()


def native_sift(pixels: U8, contrast_threshold: float, max_features: int) -> tuple[F32, U8]:
    """Key points f32 (n, 4) of pixels u8 (h, w): x, y, size and angle as OpenCV has them; RootSIFT u8 (n, 128).

    Strongest first, ties by y, x, size and angle.
    """
    if not pixels.size:
        return np.empty((0, 4), np.float32), np.empty((0, 128), np.uint8)
    extraction = _Extraction.of(np.ascontiguousarray(pixels), contrast_threshold, max_features)
    return extraction.described(extraction.strongest())


@dataclass(frozen=True, slots=True)
class _Extraction:
    """One picture that is worked on in `room`, by n_bands threads at most."""

    pixels: U8
    contrast: float
    most: int
    n_bands: int
    room: U8

    @classmethod
    def of(cls, pixels: U8, contrast: float, most: int) -> _Extraction:
        """With a thread for each core that is free."""
        height, width = pixels.shape
        n_bands = min(n_threads(), MOST_BANDS)
        return cls(pixels, contrast, most, n_bands, _ROOM.of(native.sift_room(width, height, n_bands)))

    @property
    def swept(self) -> native.Swept:
        """What the room was divided for."""
        height, width = self.pixels.shape
        return width, height, self.n_bands

    def strongest(self) -> native.Points:
        """The strongest key points POINT (n,), strongest first."""
        most = self.most + _SPARE
        found, octave = np.empty(0, POINT), 0
        while n_bands := native.sift_bands(*self.swept, octave):
            octaves = range(octave, octave + 1 if n_bands > 1 else 1 << 30)
            weakest = float(found["response"][-1]) if len(found) == most else 0.0
            new = in_threads(partial(self._points, octaves, weakest), range(n_bands))
            found = np.concatenate([found, *new])
            found = found[: native.sift_strongest(found, most)]
            octave = octaves.stop
        return found

    def _points(self, octaves: range, weakest: float, band: int) -> native.Points:
        """The strongest points in one band of some octaves."""
        points = np.empty(2 * (self.most + _SPARE), POINT)
        limits = np.array([self.contrast, weakest], np.float32)
        return points[: native.sift_points(self.pixels, limits, self.room, points, octaves, band, self.n_bands)]

    def described(self, points: native.Points) -> tuple[F32, U8]:
        """The features of the strongest points, `most` at most."""
        order = np.lexsort([points[name] for name in ("column", "row", "layer", "octave")])
        placed = points[order]  # next to each other they are read from the same lines of the cache
        angles, n_angles = self._directions(placed)
        start, n = _starts(n_angles, order), min(int(n_angles.sum()), self.most)
        features = np.empty((n, 4), np.float32), np.empty((n, 128), np.uint8)
        directions = angles, n_angles, start

        def describe(some: range) -> None:
            native.sift_describe(self.room, placed, some, directions, features, self.swept)

        _share(describe, len(placed))
        return features

    def _directions(self, placed: native.Points) -> tuple[F32, I32]:
        """Angles f32 (n, 18) of points, and how many of them count i32 (n,)."""
        angles, n_angles = np.empty((len(placed), MOST_ANGLES), np.float32), np.empty(len(placed), np.int32)

        def orient(some: range) -> None:
            native.sift_orient(self.room, placed, some, angles, n_angles, self.swept)

        _share(orient, len(placed))
        return angles, n_angles


def _starts(n_angles: I32, order: I64) -> I32:
    """Where the features of points i32 (n,) stand, if those of the strongest stand first; order: their ranks."""
    by_rank = np.empty_like(n_angles)
    by_rank[order] = n_angles
    return (np.cumsum(by_rank, dtype=np.int32) - by_rank)[order]


def _share(work: Callable[[range], None], n: int) -> None:
    """work on n points, in threads where these are worth it."""
    in_threads(work, even_shares(n, _WORTH))
