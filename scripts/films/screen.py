"""What happens to a still before somebody searches with it: photographed off a screen, cropped, mirrored, subtitled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from bof.types import F64, U8
from scripts.demo.scenes import WALLS
from scripts.films import overlays
from scripts.siblings import words
from scripts.siblings.camera import view_from_picture
from scripts.siblings.scenery import cropped
from scripts.siblings.streams import Rng, pick

CROPPED_AREA = 0.3
_MILD_CROP = 0.55
_TRIES = 4
_SCREEN_SIDE = 1500
_PHOTO = (1280, 960)


def off_screen(rng: Rng, frame: U8) -> U8:
    """A photograph of a screen that shows the frame: sub-pixels that beat with the camera's (moire), tilt, a bezel,
    glare, another white balance, blur and noise.
    """
    screen = _bezelled(_striped(rng, frame))
    size = _PHOTO if frame.shape[1] > frame.shape[0] else _PHOTO[::-1]
    view = cropped(rng, pick(rng, WALLS)(rng), *size)
    transform = view_from_picture(rng, screen.shape[1], screen.shape[0], size)
    cv2.warpPerspective(screen, transform, size, dst=view, borderMode=cv2.BORDER_TRANSPARENT)
    return _taken(rng, view)


def _striped(rng: Rng, frame: U8) -> U8:
    """The frame enlarged, each column of light red, green or blue, rows a little darker between."""
    scale = _SCREEN_SIDE / max(frame.shape[:2])
    large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    depth = rng.uniform(0.15, 0.45)
    columns = np.full((3, 3), 1 - depth) + depth * np.eye(3)
    light = columns[np.arange(large.shape[1]) % 3][None] * np.ones((large.shape[0], 1, 1))
    light[::3] *= 1 - depth / 2
    return np.asarray(np.clip(large * light * (1 / light.mean()), 0, 255), np.uint8)


def _bezelled(screen: U8) -> U8:
    edge = screen.shape[1] // 28
    return np.asarray(
        cv2.copyMakeBorder(screen, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(18, 18, 20)), np.uint8
    )


def _taken(rng: Rng, view: U8) -> U8:
    height, width = view.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light: F64 = 0.95 + rng.uniform(-0.12, 0.12) * x + rng.uniform(-0.12, 0.12) * y - 0.1 * (x * x + y * y)
    lit: F64 = view * light[:, :, None] * rng.uniform(0.88, 1.1, 3)
    if rng.random() < 0.5:
        centre, spread = rng.uniform(-0.6, 0.6, 2), rng.uniform(0.01, 0.05)
        lit = lit + 110 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / spread)[:, :, None]
    lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.0)), np.float64)
    return np.asarray(np.clip(lit + rng.normal(0, rng.uniform(1, 4), lit.shape), 0, 255), np.uint8)


def crop(rng: Rng, frame: U8, area: float = CROPPED_AREA) -> U8:
    """A part with so much of the area and about the frame's form; of some the one with the most detail."""
    height, width = frame.shape[:2]
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    best, most = frame, -1.0
    for _ in range(_TRIES):
        wide = min(width, round(width * np.sqrt(area) * rng.uniform(0.85, 1.15)))
        tall = min(height, round(area * width * height / wide))
        x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - tall + 1))
        if (found := float(detail[y : y + tall, x : x + wide].sum())) > most:
            best, most = frame[y : y + tall, x : x + wide], found
    return np.ascontiguousarray(best)


def _crop(rng: Rng, frame: U8) -> U8:
    return crop(rng, frame)


def _mirror(rng: Rng, frame: U8) -> U8:
    return np.ascontiguousarray(frame[:, ::-1])


def _subtitles(rng: Rng, frame: U8) -> U8:
    """Two lines over the frame, or one and a channel's bar."""
    out = frame.copy()
    if rng.random() < 0.4:
        overlays.lay_caption(out, "names", words.person(rng))
    overlays.lay_caption(out, "subtitles", words.sentence(rng))
    return out


def _several(rng: Rng, frame: U8) -> U8:
    """Two or three of the others together."""
    steps: list[Callable[[Rng, U8], U8]] = [_subtitles, _mirror, lambda r, f: crop(r, f, _MILD_CROP), off_screen]
    chosen = sorted(rng.permutation(len(steps))[: int(rng.integers(2, 4))].tolist())
    for number in chosen:
        frame = steps[number](rng, frame)
    return frame


TREATMENTS: Mapping[str, Callable[[Rng, U8], U8]] = {
    "screen": off_screen,
    "crop": _crop,
    "mirror": _mirror,
    "subtitles": _subtitles,
    "several": _several,
}
"""By name."""
