"""What becomes of a picture: photographed, saved again, cropped, set small into a page or another photograph."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bof.types import F64, U8
from scripts.demo.scenes import WALLS, fractal_noise
from scripts.siblings import words
from scripts.siblings.canvas import INK, Sheet
from scripts.siblings.scenery import cropped, photo
from scripts.siblings.streams import Rng, Streams, pale, pick

LONG_SIDE, SHORT_SIDE = 800, 600
MOST_TILT = 35.0
INSIDE_SHARE = 0.35
CROPPED_AREA = (0.55, 0.8)

_TRIES = 12
_OVERSAMPLED = 2


def photographed(streams: Streams, pixels: U8) -> U8:
    """A photograph of a picture that lies on something: tilted, unevenly lit, a little blurred and noisy."""
    rng = streams.own
    size = (LONG_SIDE, SHORT_SIDE) if pixels.shape[1] > pixels.shape[0] else (SHORT_SIDE, LONG_SIDE)
    large = (size[0] * _OVERSAMPLED, size[1] * _OVERSAMPLED)
    ground = cropped(rng, pick(rng, WALLS)(rng), *large) if rng.random() < 0.7 else photo(streams, *large)
    transform = view_from_picture(rng, pixels.shape[1], pixels.shape[0], large)
    shade = np.full(pixels.shape[:2], 255, np.uint8)
    shift = np.array([[1.0, 0, 14], [0, 1, 18], [0, 0, 1]])
    shadow = cv2.GaussianBlur(cv2.warpPerspective(shade, shift @ transform, large), (0, 0), 12)
    view = (ground * (1 - 0.6 * (shadow[:, :, None] / 255.0))).astype(np.uint8)
    cv2.warpPerspective(pixels, transform, large, dst=view, borderMode=cv2.BORDER_TRANSPARENT)
    return _developed(rng, np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8))


def view_from_picture(rng: Rng, width: int, height: int, size: tuple[int, int]) -> F64:
    """The homography f64 (3, 3) of a camera tilted by at most MOST_TILT degrees, the whole picture in its view."""
    tilt, towards, roll = np.deg2rad(rng.uniform((8, 0, -20), (MOST_TILT, 360, 20)))
    turn = cv2.Rodrigues(np.array([np.cos(towards), np.sin(towards), 0]) * tilt)[0]
    turn = cv2.Rodrigues(np.array([0, 0, roll]))[0] @ turn
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    space = np.column_stack([corners - (width / 2, height / 2), np.zeros(4)]) @ turn.T
    distance = 1.7 * np.hypot(width, height)
    flat = space[:, :2] * distance / (space[:, 2:] + distance)
    low, spread = flat.min(0), np.ptp(flat, 0)
    scale = rng.uniform(0.68, 0.93) * min(np.array(size) / spread)
    free = np.array(size) - scale * spread
    placed = (flat - low) * scale + free * rng.uniform(0.2, 0.8, 2)
    return np.asarray(cv2.getPerspectiveTransform(corners, placed.astype(np.float32)), np.float64)


def _developed(rng: Rng, view: U8) -> U8:
    """With uneven light, a glare now and then, blur by focus or motion, another white balance, noise."""
    height, width = view.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = rng.uniform(-0.25, 0.25, 2)
    light = 0.85 + slope[0] * x + slope[1] * y + (fractal_noise(rng, height, width, coarse=2, octaves=2) - 0.5) * 0.3
    lit = view * light[:, :, None]
    if rng.random() < 0.3:
        centre = rng.uniform(-0.7, 0.7, 2)
        lit = lit + 90 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 0.06)[:, :, None]
    lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.3:
        length = int(rng.integers(3, 6))
        lit = cv2.filter2D(lit, -1, np.eye(length) / length)
    noisy = lit * rng.uniform(0.9, 1.08, 3) + rng.normal(0, rng.uniform(2, 6), lit.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def shrunk(pixels: U8, factor: float) -> U8:
    """The picture with its sides times a factor below 1."""
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def telling_crop(rng: Rng, pixels: U8, siblings: Sequence[U8]) -> U8:
    """Of some crops that keep CROPPED_AREA the one that differs most from each sibling there: it holds what is own."""
    height, width = pixels.shape[:2]
    differences = [cv2.absdiff(pixels, other).max(axis=2) for other in siblings]
    best, most = pixels, -1.0
    for _ in range(_TRIES):
        area, stretch = rng.uniform(*CROPPED_AREA), rng.uniform(0.9, 1.1)
        wide = round(width * min(0.97, np.sqrt(area) * stretch))
        tall = min(height, round(area * width * height / wide))
        x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - tall + 1))
        place = np.s_[y : y + tall, x : x + wide]
        least = min((float(each[place].sum()) for each in differences), default=0.0)
        if least > most:
            best, most = pixels[place], least
    return np.ascontiguousarray(best)


def set_inside(streams: Streams, pixels: U8) -> U8:
    """The picture on INSIDE_SHARE of a page of text or of another photograph."""
    rng, wide = streams.own, pixels.shape[1] > pixels.shape[0]
    width, height = (1000, 760) if wide else (760, 1000)
    if rng.random() < 0.5:
        sheet = Sheet(width, height, photo(streams, width, height))
    else:
        sheet = Sheet(width, height, pale(rng))
        sheet.block((36, 30), words.paragraph(rng, 60), width - 72, 17, INK, "serif")
    scale = np.sqrt(INSIDE_SHARE * width * height / (pixels.shape[0] * pixels.shape[1]))
    scale = min(scale, 0.96 * width / pixels.shape[1], 0.96 * height / pixels.shape[0])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way)
    free = np.array((width - small.shape[1], height - small.shape[0]))
    x, y = (free * rng.uniform(0.05, 0.95, 2)).tolist()
    sheet.paste(np.asarray(small, np.uint8), x, y)
    return sheet.pixels
