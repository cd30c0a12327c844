"""Films and clips of drawn shots, and what was copied where."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bof.clips.strips import STRIP_SIDE_PX, Strip
from bof.images.decode import shrink, to_grey
from bof.types import U8
from tests.support.films import pan, still, zoom

RATE = 25
SHOT_FRAMES = 50


def drawn_film(seeds: Sequence[int], frames: int = SHOT_FRAMES) -> list[U8]:
    """Shots of two seconds, cut after cut: pans and zooms in turn."""
    shots = (pan(seed, frames, 2) if number % 2 else zoom(seed, frames, 1.5) for number, seed in enumerate(seeds))
    return [frame for shot in shots for frame in shot]


def still_film(seeds: Sequence[int], frames: int = SHOT_FRAMES) -> list[U8]:
    """Shots in which nothing moves."""
    return [frame for seed in seeds for frame in still(seed, frames)]


def strip_of(frames: Sequence[U8], rate: float = RATE) -> Strip:
    """The small frames of a film."""
    small = np.stack([shrink(to_grey(frame), STRIP_SIDE_PX) for frame in frames])
    height, width = frames[0].shape[:2]
    return Strip(np.arange(len(frames)) / rate, len(frames) / rate, small, width, height)


def mirrored(frames: Sequence[U8]) -> list[U8]:
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def cropped(frames: Sequence[U8], share: float = 0.7) -> list[U8]:
    height, width = frames[0].shape[:2]
    h, w = round(height * share) // 2 * 2, round(width * share) // 2 * 2
    return [np.ascontiguousarray(frame[20 : 20 + h, 30 : 30 + w]) for frame in frames]


def inset(frames: Sequence[U8], background: U8, share: float = 0.6) -> list[U8]:
    """Each frame as a picture in a picture."""
    height, width = frames[0].shape[:2]
    h, w = round(height * share), round(width * share)
    shown = []
    for frame in frames:
        whole = background.copy()
        whole[30 : 30 + h, 50 : 50 + w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA)
        shown.append(whole)
    return shown


def brighter(frames: Sequence[U8]) -> list[U8]:
    return [cv2.convertScaleAbs(frame, alpha=0.8, beta=40).astype(np.uint8) for frame in frames]


def noisy(frames: Sequence[U8], level: float = 8.0) -> list[U8]:
    rng = np.random.default_rng(5)
    return [np.clip(frame + rng.normal(0, level, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def faster(frames: Sequence[U8], speed: float) -> list[U8]:
    """At the same rate, in less time."""
    rows = np.clip(np.rint(np.arange(round(len(frames) / speed)) * speed), 0, len(frames) - 1).astype(int)
    return [frames[row] for row in rows]
