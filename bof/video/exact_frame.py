"""The frame that a still was taken from: what the encoder left of its grain is in no other frame, pixel for pixel.

A crop lies in every frame of a pan or a zoom that shows what it shows, and all of them look alike when they are made
small. In their own size one is the same, but for the JPEG that the still went through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from bof.geometry import transforms
from bof.images.films.film import Film
from bof.images.films.types import FilmFacts
from bof.types import F32, F64, U8, Verification
from bof.video.frame_search import FrameSearch, QueryView

_UNSCALED = 0.15
"""A still that was not resized is as large as the frame and as upright, but for so much, in frames around its own."""

_N_PATCHES, _N_COUNTED, _SIDE_PX = 2, 2, 128
"""Of so many patches with much detail in either half the best count: others may have words over them."""

_REACH_PX = 20
"""A patch lies so near to where the frames before and after say."""

_GRAIN_PX = 1.5
_LEAST_PX, _LEAST_GRAIN = 16, 0.5
"""A smaller patch says too little, and one with less detail, in grey levels: a plain one is like any other."""

_SAME_GRAIN = 0.5
"""The correlation of the finest detail from which it is the same."""

_AS_MUCH = 0.002

_MOVES = 0.01
"""Where it moves by less, as a share of its diagonal, it does not matter which frame it is."""

_REACH_S, _MOST_PX = 12, 1 << 30
"""So far from the best frame that is known it is looked for: every frame is decoded in its own size, so many pixels in
all: 20 s of 1080p, 5 s of 2160p.
"""

_USUAL_RATE = 25


@dataclass(frozen=True, slots=True)
class _LaidFrame:
    """How a still lies in the frame at a time. frame_from_pixels f64 (3, 3): in pixels of both in their own size."""

    time: Fraction
    frame_from_pixels: F64


def find_exact_time(
    film: Film, search: FrameSearch, known: Sequence[tuple[Fraction, Verification]], near: Fraction
) -> Fraction | None:
    """When the frame is shown that a still was taken from; None where none is the same to the grain.

    known: frames by their times that show it, in order, a step of the search apart or less; near: of frames that are as
    much the same the one nearest to this time. Raises ImageError.
    """
    if search.full is None:
        return None
    unscaled, patches = _unscaled(search.full, known), _patches(search.full.pixels)
    if len(patches) < _N_COUNTED or not _moves(unscaled, search.full.pixels):
        return None
    times = np.array([float(each.time) for each in unscaled])
    paths = [_path(unscaled, patch) for patch in patches]
    scores: dict[Fraction, float] = {}
    reach = _reach(film.facts)
    start = max(search.start, unscaled[0].time - search.step, near - reach)
    stop = min(search.stop, unscaled[-1].time + search.step, near + reach)
    for frame in film.frames(start, stop, grey=True):
        places = [_place_at(float(frame.time), times, path) for path in paths]
        found = sorted(_best_correlation(frame.pixels, *pair) for pair in zip(patches, places, strict=True))
        scores[frame.time] = float(np.mean(found[-_N_COUNTED:]))
    most = max(scores.values(), default=0.0)
    same = [time for time, score in scores.items() if score >= max(most - _AS_MUCH, _SAME_GRAIN)]
    return min(same, key=lambda time: abs(time - near), default=None)


def _reach(facts: FilmFacts) -> Fraction:
    """Seconds before and after a time in which frames are looked at."""
    seconds = Fraction(_MOST_PX, 2 * facts.width * facts.height) / (facts.frame_rate or _USUAL_RATE)
    return min(Fraction(_REACH_S), seconds)


def _unscaled(still: QueryView, known: Sequence[tuple[Fraction, Verification]]) -> list[_LaidFrame]:
    """The frames in which the still is about as large and as upright as it is."""
    query_from_pixels = np.linalg.inv(still.pixels_from_query)
    found = [(time, one.database_from_query) for time, one in known]
    laid = [_LaidFrame(time, matrix @ query_from_pixels) for time, matrix in found if matrix is not None]
    return [each for each in laid if _is_unscaled(each.frame_from_pixels)]


def _is_unscaled(frame_from_pixels: F64) -> bool:
    return bool(np.abs(frame_from_pixels[:2, :2] / frame_from_pixels[2, 2] - np.eye(2)).max() <= _UNSCALED)


def _moves(laid: Sequence[_LaidFrame], pixels: U8) -> bool:
    """Does what a still shows move from frame to frame?"""
    height, width = pixels.shape
    corners = transforms.corners((0, 0, width, height))
    outlines = np.array([transforms.apply(each.frame_from_pixels, corners) for each in laid]).reshape(-1, 4, 2)
    return len(laid) > 1 and bool(np.ptp(outlines, axis=0).max() > _MOVES * np.hypot(width, height))


# -- Patches ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Patch:
    """The grain f32 (h, w) of a part of a still; middle f64 (2,): where it is there, in pixels."""

    grain: F32
    middle: F64


def _grain(pixels: U8) -> F32:
    """The finest detail, without light and shapes."""
    values = pixels.astype(np.float32)
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), _GRAIN_PX), np.float32)


def _patches(pixels: U8) -> list[_Patch]:
    """Parts of a still that do not overlap, those with the most detail."""
    grain = _grain(pixels)
    height, width = grain.shape
    tall, wide = min(_SIDE_PX, height // 2), min(_SIDE_PX, width // 2)
    if min(tall, wide) < _LEAST_PX:
        return []
    parts = [
        _Patch(grain[y : y + tall, x : x + wide], np.array([x + (wide - 1) / 2, y + (tall - 1) / 2]))
        for y in range(0, height - tall + 1, tall)
        for x in range(0, width - wide + 1, wide)
    ]
    parts = [part for part in parts if part.grain.std() >= _LEAST_GRAIN]
    parts.sort(key=lambda part: -float(part.grain.std()))
    upper, lower = ([part for part in parts if (part.middle[1] < height / 2) == is_upper] for is_upper in (True, False))
    return upper[:_N_PATCHES] + lower[:_N_PATCHES]


def _path(laid: Sequence[_LaidFrame], patch: _Patch) -> F64:
    """Where a patch lies in each of n frames: f64 (n, 2)."""
    return np.array([transforms.apply(each.frame_from_pixels, patch.middle[None])[0] for each in laid])


def _place_at(time: float, times: F64, path: F64) -> F64:
    """Where it should lie at a time, f64 (2,): between where it lies before and after."""
    return np.array([np.interp(time, times, path[:, axis]) for axis in (0, 1)])


def _best_correlation(frame: U8, patch: _Patch, middle: F64) -> float:
    """Of a patch's grain with a frame's, where it lies best near to a place; 0 where it does not lie in the frame."""
    tall, wide = patch.grain.shape
    x, y = round(float(middle[0]) - (wide - 1) / 2), round(float(middle[1]) - (tall - 1) / 2)
    rows = slice(max(0, y - _REACH_PX), max(0, y + tall + _REACH_PX))
    part = frame[rows, max(0, x - _REACH_PX) : max(0, x + wide + _REACH_PX)]
    if part.shape[0] < tall or part.shape[1] < wide:
        return 0.0
    found = float(cv2.matchTemplate(_grain(part), patch.grain, cv2.TM_CCOEFF_NORMED).max())
    return found if np.isfinite(found) else 0.0
