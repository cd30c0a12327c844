"""Small frames of a stretch of a film, and how alike those of two films are where one lies over the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.geometry import transforms
from bof.types import F32, F64, I64, U8, Bool, Box

STRIP_SIDE_PX = 384
"""Long side of the small frames."""

_GRID_SIDE = 40
"""What both films show is compared at so many points along its long side."""

_BLOCKS = 4
"""The grid has so many blocks along its long side: each is brought to one light and contrast of its own."""

_FLAT_LEVELS = 2.0
"""A block whose levels of grey vary less, in standard deviations, shows nothing."""

_SHARE = 2 / 3
"""So many of the blocks must agree: the others may be covered by a caption, a logo or another picture."""

_LEAST_SIDE = 8


@dataclass(frozen=True, slots=True)
class Strip:
    """Frames of a film in the order of time.

    time_s f64 (n,): from when each is shown; stop_s: until when the last one is; pixels u8 (n, h, w): grey and small;
    width, height: of the film's upright picture.
    """

    time_s: F64
    stop_s: float
    pixels: U8
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def small_from_film(self) -> F64:
        """From pixels of the film to pixels of the small frames."""
        height, width = self.pixels.shape[1:]
        return transforms.scaling(width / self.width, height / self.height)

    def at(self, time_s: F64) -> I64:
        """The frames that start nearest to some times, i64 (n,)."""
        between = (self.time_s[1:] + self.time_s[:-1]) / 2
        return np.searchsorted(between, time_s)

    def until(self, rows: I64) -> F64:
        """When the next frame after each of some is shown."""
        return np.append(self.time_s[1:], self.stop_s)[rows]

    def take(self, rows: I64) -> Strip:
        """Some of the frames."""
        return Strip(self.time_s[rows], self.stop_s, self.pixels[rows], self.width, self.height)

    def between(self, start_s: float, stop_s: float) -> Strip:
        """The frames that start in a stretch of time."""
        rows = np.flatnonzero((self.time_s >= start_s) & (self.time_s < stop_s))
        until = float(self.until(rows[-1:])[0]) if len(rows) else stop_s
        return Strip(self.time_s[rows], until, self.pixels[rows], self.width, self.height)


@dataclass(frozen=True, slots=True)
class Looks:
    """Frames made ready to be compared. blocks f32 (b, n, p): each block of each frame, of length 1, 0 where it is
    flat; flat bool (b, n).
    """

    blocks: F32
    flat: Bool

    def take(self, rows: I64) -> Looks:
        """Those of some frames."""
        return Looks(self.blocks[:, rows], self.flat[:, rows])


def shared_box(query: Strip, film: Strip, film_from_query: F64) -> Box | None:
    """The part of the film's frame in its pixels that the query's shows; None where that is next to nothing."""
    outline = transforms.lies_in(film_from_query, (query.width, query.height), (film.width, film.height))
    if outline is None:
        return None
    (x0, y0), (x1, y1) = outline.min(axis=0) + 0.5, outline.max(axis=0) + 0.5
    scale = film.pixels.shape[2] / film.width
    if min(x1 - x0, y1 - y0) * scale < _LEAST_SIDE:
        return None
    return float(x0), float(y0), float(x1), float(y1)


def looks_of(strip: Strip, box: Box, film_from_strip: F64 | None = None) -> Looks:
    """Frames within a box of the film's frame. film_from_strip f64 (3, 3): where the frames lie in the film's, in
    pixels of both films; None: they are the film's own.
    """
    columns, rows = _grid(box)
    across, down = 2 * columns, 2 * rows
    x0, y0, x1, y1 = box
    grid_from_film = transforms.scaling(across / (x1 - x0), down / (y1 - y0)) @ transforms.translation(-x0, -y0)
    film_from_small = np.linalg.inv(strip.small_from_film)
    if film_from_strip is not None:
        film_from_small = film_from_strip @ film_from_small
    grid_from_small = grid_from_film @ film_from_small
    smooth = max(1.0, 1.0 / transforms.zoom(grid_from_small / grid_from_small[2, 2]))
    is_affine = bool(np.allclose(grid_from_small[2], (0, 0, 1), atol=1e-9))
    frames = np.empty((len(strip), rows, columns), np.uint8)
    for number, pixels in enumerate(strip.pixels):
        frames[number] = _seen(pixels, grid_from_small, smooth, (across, down), (columns, rows), is_affine)
    return _in_blocks(frames)


def _grid(box: Box) -> tuple[int, int]:
    width, height = box[2] - box[0], box[3] - box[1]
    long_side = max(width, height)
    sides = (max(_LEAST_SIDE, round(_GRID_SIDE * side / long_side)) for side in (width, height))
    columns, rows = sides
    return columns, rows


def _seen(
    pixels: U8, transform: F64, smooth: float, large: tuple[int, int], small: tuple[int, int], is_affine: bool
) -> U8:
    """A frame seen through a transform, without the detail that its small version has no room for."""
    if smooth > 1.2:
        pixels = cv2.blur(pixels, (round(smooth), round(smooth))).astype(np.uint8)
    if is_affine:
        warped = cv2.warpAffine(pixels, transform[:2], large, flags=cv2.INTER_LINEAR)
    else:
        warped = cv2.warpPerspective(pixels, transform, large, flags=cv2.INTER_LINEAR)
    return cv2.resize(warped, small, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _in_blocks(frames: U8) -> Looks:
    n, rows, columns = frames.shape
    size = max(2, round(max(rows, columns) / _BLOCKS))
    blocks, flat = [], []
    for y in _starts(rows, size):
        for x in _starts(columns, size):
            block = frames[:, y : y + size, x : x + size].reshape(n, -1).astype(np.float32)
            block -= block.mean(axis=1, keepdims=True)
            length = np.linalg.norm(block, axis=1, keepdims=True)
            is_flat = length[:, 0] < _FLAT_LEVELS * np.sqrt(block.shape[1])
            blocks.append(np.where(is_flat[:, None], np.float32(0), block / np.maximum(length, np.float32(1e-6))))
            flat.append(is_flat)
    return Looks(np.stack(blocks).astype(np.float32), np.stack(flat))


def _starts(length: int, size: int) -> list[int]:
    """Where blocks of a size start along a side, spread over all of it."""
    n = max(1, round(length / size))
    return [round(start) for start in np.linspace(0, max(length - size, 0), n)]


def likeness(query: Looks, film: Looks) -> F32:
    """How alike every frame of the query and every frame of the film are, f32 (n, m), from -1 to 1; NaN where neither
    shows anything.
    """
    correlation = query.blocks @ film.blocks.transpose(0, 2, 1)
    return _agreed(correlation, query.flat[:, :, None] & film.flat[:, None, :])


def likeness_of_pairs(query: Looks, film: Looks) -> F32:
    """How alike frame i of the query and frame i of the film are, f32 (n,); NaN where neither shows anything."""
    correlation = np.einsum("bnp,bnp->bn", query.blocks, film.blocks, optimize=True)
    return _agreed(correlation, query.flat & film.flat)


def _agreed(correlation: F32, silent: Bool) -> F32:
    """The mean of the blocks that agree best. Blocks that are flat in both say nothing; one that is flat in one of them
    does not agree.
    """
    speaking = (~silent).sum(axis=0)
    ordered = -np.sort(-np.where(silent, np.float32(-2), correlation), axis=0)
    n_best = np.ceil(speaking * _SHARE)
    counted = np.arange(len(ordered)).reshape(-1, *[1] * (ordered.ndim - 1)) < n_best
    with np.errstate(invalid="ignore"):
        return np.asarray((ordered * counted).sum(axis=0) / np.where(n_best > 0, n_best, np.nan), np.float32)
