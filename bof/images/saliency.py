"""The main object of a picture, found by what stands out from the ground at its border: `--box auto`."""

from __future__ import annotations

import cv2
import numpy as np

from bof.images.decode import shrink
from bof.types import F32, U8, Box

WORKING_SIDE = 64
"""Long side in pixels at which the subject is looked for: OpenCV's spectral residual works at 64 x 64 too."""

MIN_CELLS = 8
"""A picture with fewer working pixels across has no room for a ground on both sides of an object."""

MIN_CONTRAST = 6.0
"""The box must stand out from what is around it by this much: the sum of three Lab channels of 0 to 255."""

MAX_SHARE = 0.9
"""A box with more of the picture's area than this is the whole picture: no subject."""

_RESIDUAL_WEIGHT = 0.25
_RESIDUAL_BLUR = 2.0
_MARGIN = 0.05
_SWEEPS = 2
_LEVEL = 0.85
"""Saliency above this share of its mean speaks for a place, below against it: smaller shares make larger boxes."""

_PEAK_SHARE = 0.15
"""On an empty ground the mean is next to nothing, and what speaks for a place is more than this share of the peak."""


def find_subject(pixels: U8) -> Box | None:
    """The box (x0, y0, x1, y1) around the main object of a picture, None where none stands out.

    pixels: RGB u8 (h, w, 3) or grey u8 (h, w), of any size. The box is in pixels of that array, pixel i spanning i to
    i + 1, and lies within it. None: the picture is flat, or so narrow that nothing can be around an object (8 to 1), or
    the object is all there is. Two kinds of saliency are added: the barrier distance to the border (Zhang et al. 2015,
    Minimum Barrier Salient Object Detection at 80 FPS) and the spectral residual (Hou and Zhang 2007). The box is the
    rectangle that holds the most saliency in excess of 0.85 of its mean: clutter gives an even saliency and so a large
    box. The same pixels give the same box.
    """
    lab = _small_lab(pixels)
    height, width = lab.shape[:2]
    if min(height, width) < MIN_CELLS:
        return None
    barrier = barrier_distance(lab)
    if barrier.max() < MIN_CONTRAST:
        return None
    saliency = _of_mean_one(barrier) + np.float32(_RESIDUAL_WEIGHT) * _of_mean_one(spectral_residual(lab))
    level = max(_LEVEL * float(saliency.mean()), _PEAK_SHARE * float(saliency.max()))
    cells = best_rectangle(saliency - np.float32(level))
    if _contrast(barrier, cells) < MIN_CONTRAST:
        return None
    x0, y0, x1, y1 = _with_margin(cells, width, height)
    if (x1 - x0) * (y1 - y0) > MAX_SHARE * width * height:
        return None
    right, bottom = float(pixels.shape[1]), float(pixels.shape[0])
    zoom_x, zoom_y = right / width, bottom / height
    return x0 * zoom_x, y0 * zoom_y, min(right, x1 * zoom_x), min(bottom, y1 * zoom_y)  # rounding must not leave it


def barrier_distance(lab: U8) -> F32:
    """How far the colours of each pixel are from the border's, along the best path: f32 (h, w) of u8 (h, w, 3).

    The cost of a path is, in each channel, its highest value minus its lowest (minimum barrier distance); channels are
    added. Approximate, by sweeps down, up, right and left, as in Zhang et al. 2015, section 3.1, a whole line at once.
    """
    values = np.ascontiguousarray(lab.astype(np.float32).transpose(0, 2, 1))  # (h, 3, w): a line is (3, w)
    highest, lowest, distance = values.copy(), values.copy(), np.full_like(values, np.inf)
    distance[[0, -1]] = 0
    distance[:, :, [0, -1]] = 0
    state = (values, highest, lowest, distance)
    turned = (values.T, highest.T, lowest.T, distance.T)
    for _ in range(_SWEEPS):
        for arrays in (state, turned):
            _sweep(*arrays, 1)
            _sweep(*arrays, -1)
    return np.asarray(distance.sum(axis=1), np.float32)


def _sweep(values: F32, highest: F32, lowest: F32, distance: F32, step: int) -> None:
    """Carry the best paths on from each line to the next, in place: first to last for step 1, else last to first."""
    lines = range(1, len(values)) if step == 1 else range(len(values) - 2, -1, -1)
    for line in lines:
        high = np.maximum(highest[line - step], values[line])
        low = np.minimum(lowest[line - step], values[line])
        better = high - low < distance[line]
        np.copyto(highest[line], high, where=better)
        np.copyto(lowest[line], low, where=better)
        np.copyto(distance[line], high - low, where=better)


def spectral_residual(lab: U8) -> F32:
    """What the spectra of the channels do not foretell, blurred: f32 (h, w) of u8 (h, w, 3), from OpenCV's module.

    OpenCV scales each channel's map to at most 1, a flat channel's as well; so channels count by their deviation.
    """
    detector = cv2.saliency.StaticSaliencySpectralResidual.create()
    total = np.zeros(lab.shape[:2], np.float32)
    for channel in cv2.split(lab):
        deviation = float(channel.std())
        if deviation > 0:
            total += deviation * detector.computeSaliency(channel)[1]
    return np.asarray(cv2.GaussianBlur(total, (0, 0), _RESIDUAL_BLUR), np.float32)


def best_rectangle(gain: F32) -> tuple[int, int, int, int]:
    """The rectangle (x0, y0, x1, y1) of cells with the largest sum of f32 (h, w); the first of equals.

    All pairs of rows at once; within a pair the best run of columns is the largest rise of the running sum.
    """
    height, width = gain.shape
    rows = np.zeros((height + 1, width), np.float64)
    np.cumsum(gain, axis=0, out=rows[1:])
    top, bottom = np.triu_indices(height + 1, 1)
    running = np.zeros((len(top), width + 1), np.float64)
    np.cumsum(rows[bottom] - rows[top], axis=1, out=running[:, 1:])
    rise = running[:, 1:] - np.minimum.accumulate(running, axis=1)[:, :-1]
    pair, last = divmod(int(rise.argmax()), width)
    first = int(running[pair, : last + 1].argmin())
    return first, int(top[pair]), last + 1, int(bottom[pair])


def _small_lab(pixels: U8) -> U8:
    """The picture in Lab u8 (h, w, 3), at most WORKING_SIDE on the long side."""
    pixels = shrink(pixels, WORKING_SIDE)
    rgb = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)


def _of_mean_one(values: F32) -> F32:
    return np.asarray(values / np.float32(max(float(values.mean()), 1e-6)), np.float32)


def _with_margin(cells: tuple[int, int, int, int], width: int, height: int) -> Box:
    x0, y0, x1, y1 = cells
    dx, dy = _MARGIN * (x1 - x0), _MARGIN * (y1 - y0)
    return max(0.0, x0 - dx), max(0.0, y0 - dy), min(float(width), x1 + dx), min(float(height), y1 + dy)


def _contrast(barrier: F32, cells: tuple[int, int, int, int]) -> float:
    """The mean barrier distance inside a rectangle less that outside, which is 0 where nothing is outside."""
    x0, y0, x1, y1 = cells
    inside = barrier[y0:y1, x0:x1]
    n_outside = barrier.size - inside.size
    outside = float(barrier.sum(dtype=np.float64) - inside.sum(dtype=np.float64)) / max(1, n_outside)
    return float(inside.mean()) - outside
