"""Frames of drawn films: pans over scenes, and what comes between them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from bof.images.films.film import Film
from bof.options import FeatureOptions, VideoOptions
from bof.types import U8
from bof.video.extraction import extract_shots
from bof.video.types import Shot
from tests.support.films import write_film
from tests.support.scenes import draw_scene

RATE = 25
WIDTH, HEIGHT = 320, 180
_MARGIN = 200


@cache
def scene(seed: int) -> U8:
    return draw_scene(seed, WIDTH + _MARGIN, HEIGHT + 40)


def pan(seed: int, n_frames: int, speed: float = 1.0, start: float = 0.0) -> list[U8]:
    """A camera that moves over a scene, in pixels a frame to the right."""
    return [shifted(scene(seed), start + speed * i) for i in range(n_frames)]


def shifted(picture: U8, x: float) -> U8:
    matrix = np.array([[1, 0, -x], [0, 1, -20]], np.float64)
    return np.asarray(cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def write_words(frame: U8, words: str, x: int, y: int, scale: float, font: int = cv2.FONT_HERSHEY_SIMPLEX) -> None:
    """White letters with a black edge on a frame, in grey or RGB; they stand on y."""
    letters = np.zeros_like(frame)
    cv2.putText(letters, words, (x, y), font, scale, (255,) * 3, 2, cv2.LINE_AA)
    frame[cv2.dilate(letters, np.ones((5, 5), np.uint8)) > 128] = 0
    np.maximum(frame, letters, out=frame)


def mixed(one: Iterable[U8], other: Iterable[U8]) -> list[U8]:
    """A dissolve as long as both."""
    pairs = list(zip(one, other, strict=True))
    return [
        cv2.addWeighted(a, 1 - (i + 1) / (len(pairs) + 1), b, (i + 1) / (len(pairs) + 1), 0).astype(np.uint8)
        for i, (a, b) in enumerate(pairs)
    ]


def shots_of(
    path: Path,
    frames: Iterable[U8],
    *,
    rate: int = RATE,
    edges: tuple[Fraction, ...] = (),
    features: FeatureOptions | None = None,
    **options: float,
) -> list[Shot]:
    """The shots of a film of these frames, read in chunks that meet at some times."""
    if not path.exists():
        write_film(path, frames, rate=rate, options={"crf": "16", "preset": "veryfast"})
    video = VideoOptions(**options)
    starts = [Fraction(0), *edges]
    with Film(str(path)) as film:
        return [
            shot
            for start, stop in zip(starts, [*edges, None], strict=True)
            for shot in extract_shots(film, start, stop, video, features or FeatureOptions())
        ]


def starts_of(shots: list[Shot]) -> list[float]:
    return [round(float(shot.start), 2) for shot in shots]
