"""Scenes of composed films: pans and zooms over photographs and loops of clips, and what may disturb them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from bof.types import F64, U8

Scene = Callable[[float], U8]
"""Time in seconds since a scene began -> its frame u8 (h, w, 3) RGB."""

Size = tuple[int, int]
"""Width and height of the film in pixels."""


def read_clip(path: Path, size: Size, most: int) -> list[U8]:
    """The first frames of a clip, cut to the shape of the film."""
    frames = []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            frames.append(cover(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), size))
            if len(frames) == most:
                break
    return frames


def cover(picture: U8, size: Size, margin: float = 1.0) -> U8:
    """The middle of a picture, resized so that it fills a frame `margin` times as wide and high as the film's."""
    width, height = size[0] * margin, size[1] * margin
    zoom = max(width / picture.shape[1], height / picture.shape[0])
    resized = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
    y, x = (resized.shape[0] - round(height)) // 2, (resized.shape[1] - round(width)) // 2
    return np.asarray(resized[max(0, y) : max(0, y) + round(height), max(0, x) : max(0, x) + round(width)], np.uint8)


def loop(frames: Sequence[U8], start: int, rate: float = 25) -> Scene:
    """A clip to and fro, so that it has no boundary of its own."""

    def at(t: float) -> U8:
        i = (start + int(t * rate)) % (2 * len(frames) - 1)
        return frames[min(i, 2 * len(frames) - 2 - i)]

    return at


def pan(photograph: U8, size: Size, rng: np.random.Generator, speed: float) -> Scene:
    """A pan and zoom over a photograph; speed: widths of the frame that the camera moves in ten seconds."""
    picture = cover(photograph, size, 1.8)
    low, high = (np.array(size) * f for f in (0.15, 0.65))
    centre = rng.uniform(low, high) + np.array(size) * 0.4
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), np.sin(angle) * 0.5]) * size[0] * speed / 10
    zoom, growth = rng.uniform(0.8, 1.3), rng.uniform(-0.04, 0.04) * min(1.0, speed * 3)

    def at(t: float) -> U8:
        reach = np.array(size) * 0.35
        middle = np.array(picture.shape[1::-1]) / 2
        place = middle + np.clip(centre - middle + way * t, -reach, reach)
        return _window(picture, place, zoom * (1 + growth * t), size)

    return at


def _window(picture: U8, place: F64, zoom: float, size: Size) -> U8:
    matrix = np.array([[zoom, 0, size[0] / 2 - zoom * place[0]], [0, zoom, size[1] / 2 - zoom * place[1]]])
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT), np.uint8)


def card(size: Size, rng: np.random.Generator, words: str) -> Scene:
    """A title card: words on one colour, nothing moves."""
    shade = int(rng.choice([8, 30, 225]))
    frame = np.full((size[1], size[0], 3), shade, np.uint8)
    height = size[1] / 360
    for i, word in enumerate(words.split()):
        place = (int(size[0] * 0.15), int(size[1] * 0.35 + 60 * height * i))
        cv2.putText(frame, word, place, cv2.FONT_HERSHEY_DUPLEX, 1.8 * height, (255 - shade,) * 3, 3, cv2.LINE_AA)
    return lambda t: frame


# -- What disturbs a scene and is no boundary -------------------------------------------------------------------------


def flash(scene: Scene, when: float, rng: np.random.Generator) -> Scene:
    """A photographer's flash: one to four frames are nearly white."""
    length, strength = rng.integers(1, 5) / 25, rng.uniform(0.5, 1.0)

    def at(t: float) -> U8:
        frame = scene(t)
        if not when <= t < when + length:
            return frame
        return cv2.addWeighted(frame, 1 - strength, np.full_like(frame, 255), strength, 0).astype(np.uint8)

    return at


def explosion(scene: Scene, when: float, rng: np.random.Generator) -> Scene:
    """A ball of fire that covers most of the frame within a third of a second, and goes slowly."""
    x, y = rng.uniform(0.2, 0.8, 2)

    def at(t: float) -> U8:
        frame, since = scene(t), t - when
        if not 0 <= since < 1.5:
            return frame
        height, width = frame.shape[:2]
        mask = np.zeros((height, width), np.float32)
        radius = max(1, int(width * 0.6 * min(1.0, since / 0.3)))
        cv2.circle(mask, (int(x * width), int(y * height)), radius, 1.0, -1)
        soft = cv2.resize(cv2.GaussianBlur(cv2.resize(mask, (80, 45)), (0, 0), 4), (width, height))
        share = soft[..., None] * max(0.0, 1 - max(0.0, since - 0.3) / 1.2)
        fire = np.array([255, 190, 90], np.float32)
        return (frame * (1 - share) + fire * share).astype(np.uint8)

    return at


def passer_by(scene: Scene, when: float, thing: U8, rng: np.random.Generator) -> Scene:
    """Something large crosses the frame before the camera."""
    seconds, share = rng.uniform(0.5, 1.6), rng.uniform(0.35, 0.75)
    is_leftward = rng.random() < 0.5

    def at(t: float) -> U8:
        frame, progress = scene(t), (t - when) / seconds
        if not 0 <= progress <= 1:
            return frame
        height, width = frame.shape[:2]
        piece = cv2.resize(thing, (int(width * share), height))
        x = int((1 - progress if is_leftward else progress) * (width + piece.shape[1])) - piece.shape[1]
        frame = frame.copy()
        x0, x1 = max(0, x), min(width, x + piece.shape[1])
        if x1 > x0:
            frame[:, x0:x1] = piece[:, x0 - x : x1 - x]
        return frame

    return at


def shaken(scene: Scene, rng: np.random.Generator, strength: float) -> Scene:
    """A hand-held camera; strength: of a step, as a fraction of the width."""
    steps = rng.normal(0, strength, (1000, 2))
    steps[1:] = 0.6 * steps[1:] + 0.4 * steps[:-1]

    def at(t: float) -> U8:
        frame = scene(t)
        height, width = frame.shape[:2]
        dx, dy = steps[int(t * 25) % len(steps)] * width
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
        return np.asarray(cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)

    return at


def whip(scene: Scene, when: float, photograph: U8, size: Size, rng: np.random.Generator) -> Scene:
    """The camera turns to another side of the room within a third of a second, which blurs; the scene goes on there."""
    left, right = cover(photograph, size), cover(np.ascontiguousarray(photograph[:, ::-1]), size)
    seconds = rng.uniform(0.2, 0.4)

    def at(t: float) -> U8:
        if t < when:
            return scene(t)
        wide = np.hstack([scene(when), left, right])
        progress = min(1.0, (t - when) / seconds)
        x = int(progress * 2 * size[0])
        frame = wide[:, x : x + size[0]]
        return np.asarray(cv2.blur(frame, (size[0] // 12, 1)) if progress < 1 else frame, np.uint8)

    return at


def captioned(scene: Scene, words: str, when: float, seconds: float) -> Scene:
    """A subtitle comes and goes."""

    def at(t: float) -> U8:
        frame = scene(t)
        if not when <= t < when + seconds:
            return frame
        frame = frame.copy()
        height, width = frame.shape[:2]
        place, size = (int(width * 0.2), int(height * 0.92)), height / 360
        for shade, thickness in ((0, 5), (255, 2)):
            cv2.putText(frame, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * size, (shade,) * 3,
                        max(1, round(thickness * size)), cv2.LINE_AA)  # fmt: skip
        return frame

    return at


def lit(scene: Scene, when: float, gain: float) -> Scene:
    """The light is switched: everything is darker or brighter from then on."""
    return lambda t: scene(t) if t < when else np.clip(scene(t).astype(np.float32) * gain, 0, 255).astype(np.uint8)
