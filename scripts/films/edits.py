"""What is done to copied clips: to their frames, and to how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np

from bof.types import U8
from scripts.films import overlays
from scripts.films.painting import filling
from scripts.siblings import words
from scripts.siblings.streams import Rng, pick

Change = Callable[[U8, int], U8]
"""A frame RGB u8 (h, w, 3) and its number, to the changed frame; all frames of a clip have one size."""

_OTHER_CHANNEL = 9
"""A logo that no composed film has."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a clip is written. rate: None keeps the film's; shrink: of its sides; speed: of the film's seconds in one of
    the clip's; reorder: the cuts come in reversed order.
    """

    rate: Fraction | None = None
    shrink: float = 1.0
    options: Mapping[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "26"})
    speed: float = 1.0
    reorder: bool = False


def _crop(rng: Rng, background: U8) -> Change:
    area, x, y = rng.uniform(0.5, 0.8), rng.random(), rng.random()

    def change(frame: U8, number: int) -> U8:
        height, width = (round(side * np.sqrt(area)) for side in frame.shape[:2])
        left, top = round(x * (frame.shape[1] - width)), round(y * (frame.shape[0] - height))
        return np.ascontiguousarray(frame[top : top + height, left : left + width])

    return change


def _mirror(rng: Rng, background: U8) -> Change:
    return lambda frame, number: np.ascontiguousarray(frame[:, ::-1])


def _logo(rng: Rng, background: U8) -> Change:
    def change(frame: U8, number: int) -> U8:
        frame = np.array(frame)
        overlays.lay_logo(frame, _OTHER_CHANNEL)
        return frame

    return change


def _text(rng: Rng, background: U8) -> Change:
    """Large letters across the picture, all along."""
    text, at = words.title(rng, 3), rng.uniform(0.1, 0.7)

    def change(frame: U8, number: int) -> U8:
        frame = np.array(frame)
        layer = overlays.subtitle(text, frame.shape[1], 2 * frame.shape[0])
        overlays.lay(frame, layer, 0, round(at * frame.shape[0]))
        return frame

    return change


def _subtitles(rng: Rng, background: U8) -> Change:
    """Another line every two seconds or so."""
    lines, length = [words.sentence(rng) for _ in range(16)], int(rng.integers(40, 75))

    def change(frame: U8, number: int) -> U8:
        frame = np.array(frame)
        overlays.lay_caption(frame, "subtitles", lines[number // length % len(lines)])
        return frame

    return change


def _letterbox(rng: Rng, background: U8) -> Change:
    share, upright = rng.uniform(0.08, 0.2), rng.random() < 0.3

    def change(frame: U8, number: int) -> U8:
        bar = round(share * frame.shape[1 if upright else 0])
        edges = (0, bar) if upright else (bar, 0)
        return np.pad(frame, [(edges[0], edges[0]), (edges[1], edges[1]), (0, 0)])

    return change


def _inset(rng: Rng, background: U8) -> Change:
    """Picture in picture: the clip within another picture, at 45 to 70 % of its sides."""
    share, x, y = rng.uniform(0.45, 0.7), rng.random(), rng.random()

    def change(frame: U8, number: int) -> U8:
        height, width = frame.shape[:2]
        out = filling(background, (width, height)).copy()
        small = cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        left, top = round(x * (width - small.shape[1])), round(y * (height - small.shape[0]))
        out[top : top + small.shape[0], left : left + small.shape[1]] = small
        return out

    return change


def _light(rng: Rng, background: U8) -> Change:
    """Brightness and contrast, and a little of the colours' balance."""
    gains, lift = rng.uniform(0.7, 1.35) * rng.uniform(0.93, 1.07, 3), rng.uniform(-25, 25)
    table = np.clip(np.arange(256)[:, None] * gains + lift, 0, 255).astype(np.uint8)[None]
    return lambda frame, number: np.asarray(cv2.LUT(frame, np.ascontiguousarray(table)), np.uint8)


def _noise(rng: Rng, background: U8) -> Change:
    level = round(float(rng.uniform(8, 16)), 1)
    return lambda frame, number: overlays.add_grain(frame, level, number)


CHANGES: Mapping[str, Callable[[Rng, U8], Change]] = {
    "crop": _crop,
    "mirror": _mirror,
    "light": _light,
    "noise": _noise,
    "logo": _logo,
    "text": _text,
    "subtitles": _subtitles,
    "letterbox": _letterbox,
    "picture in picture": _inset,
}
"""Of frames, by name, in the order in which they are done."""

REENCODED, RATE, SPEED, REORDERED = "re-encoded", "frame rate", "speed", "reordered"
EDITS = (*CHANGES, REENCODED, RATE, SPEED, REORDERED)
"""All edits by name."""


def writing_of(rng: Rng, edits: tuple[str, ...]) -> Writing:
    """How a clip with these edits is written."""
    low = REENCODED in edits
    options = {"preset": "ultrafast", "crf": str(int(rng.integers(35, 41)) if low else 26)}
    rates = (Fraction(15), Fraction(20), Fraction(30), Fraction(50))
    speeds = (rng.uniform(0.9, 0.96), rng.uniform(1.04, 1.1))
    return Writing(
        pick(rng, rates) if RATE in edits else None,
        float(rng.uniform(0.4, 0.6)) if low else 1.0,
        options,
        float(pick(rng, speeds)) if SPEED in edits else 1.0,
        REORDERED in edits,
    )
