"""The frames of a planned film, one after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from bof.types import F64, U8
from scripts.common.pictures import rgb
from scripts.films import overlays
from scripts.films.camera import Size, View, frame_from_source
from scripts.films.plan import FilmPlan, Take
from scripts.films.reading import frames_between
from scripts.siblings.camera import photographed
from scripts.siblings.streams import Streams

_COVERS = "Reference"


def frames(plan: FilmPlan) -> Iterator[U8]:
    """Every frame RGB u8 (h, w, 3), in order."""
    caption_starts = [caption.first for caption in plan.captions]
    current = 0
    for n in range(len(plan.times) - 1):
        while n >= plan.shots[current].stop:
            current += 1
        frame = _content(plan, current, n)
        at = bisect_right(caption_starts, n) - 1
        if plan.style.grain:
            frame = overlays.add_grain(frame, plan.style.grain, n)
        if at >= 0 and n < plan.captions[at].stop:
            overlays.lay_caption(frame, plan.style.captions, plan.captions[at].text)
        if plan.style.logo:
            overlays.lay_logo(frame, plan.style.logo)
        yield frame


def _content(plan: FilmPlan, current: int, n: int) -> U8:
    """The pictures between the bars, blended where one shot becomes another."""
    shot, frame = plan.shots[current], np.zeros((plan.style.height, plan.style.width, 3), np.uint8)
    x, y, width, height = overlays.content_box(plan.style)
    window = frame[y : y + height, x : x + width]
    after = plan.shots[current + 1] if current + 1 < len(plan.shots) else None
    light = 1.0
    if shot.begins == "fade" and n < shot.first + shot.lead:
        light = (n - shot.first) / shot.lead
    if after is not None and after.begins == "fade" and n >= shot.stop - after.lead:
        light = min(light, (shot.stop - n) / after.lead)
    pixels = _shot_pixels(plan, current, n, (width, height))
    if shot.begins == "dissolve" and n < shot.first + shot.lead:
        share = (n - shot.first + 0.5) / shot.lead
        before = _shot_pixels(plan, current - 1, n, (width, height))
        pixels = np.asarray(cv2.addWeighted(pixels, share, before, 1 - share, 0), np.uint8)
    window[:] = pixels if light == 1 else cv2.convertScaleAbs(pixels, alpha=light)
    return frame


def _shot_pixels(plan: FilmPlan, number: int, n: int, size: Size) -> U8:
    shot = plan.shots[number]
    if shot.take.kind == "black":
        return np.zeros((size[1], size[0], 3), np.uint8)
    if shot.take.kind == "clip":
        return _clip_pixels(shot.take, float(plan.times[n] - plan.times[shot.first]), size)
    return _seen(shot.take, shot.camera.most_zoom, view_at(plan, number, n), size)


@lru_cache(maxsize=2)
def _seen(take: Take, most_zoom: float, view: View, size: Size) -> U8:
    """What the camera sees; of a camera that stands still it is made once."""
    source = _source_pixels(take, most_zoom, size)
    matrix = frame_from_source(view, (source.shape[1], source.shape[0]), size)
    warped = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def view_at(plan: FilmPlan, number: int, n: int) -> View:
    """Where the camera of a shot looks in frame n of the film, which may lie in the blend with the next shot."""
    shot = plan.shots[number]
    progress = (n - shot.first) / max(1, shown_until(plan, number) - 1 - shot.first)
    return shot.camera.at(min(1.0, progress), float(plan.times[n] - plan.times[shot.first]))


def shown_until(plan: FilmPlan, number: int) -> int:
    """The first frame that shows nothing of a shot: a dissolve goes on into the next."""
    after = plan.shots[number + 1] if number + 1 < len(plan.shots) else None
    return plan.shots[number].stop + (after.lead if after is not None and after.begins == "dissolve" else 0)


def matrix_at(plan: FilmPlan, number: int, n: int) -> F64:
    """What takes a picture of 1 x 1, its sides' shares, to pixels between the bars in frame n: f64 (2, 3)."""
    _, _, width, height = overlays.content_box(plan.style)
    shot = plan.shots[number]
    source = source_size(shot.take)
    matrix = frame_from_source(view_at(plan, number, n), source, (width, height))
    return np.asarray(matrix * np.array([[source[0], source[1], 1.0]]), np.float64)


@lru_cache(maxsize=4)
def _original(take: Take) -> U8:
    """The photograph; a cover as it lies somewhere, photographed."""
    assert take.source is not None
    pixels = rgb(take.source)
    if take.kind == "object" and take.source.parent.name == _COVERS:
        return photographed(Streams.of(take.source.name, 0, 5), pixels)
    return pixels


def source_size(take: Take) -> Size:
    """Of the picture that the camera moves over."""
    pixels = _original(take)
    return pixels.shape[1], pixels.shape[0]


@lru_cache(maxsize=3)
def _source_pixels(take: Take, most_zoom: float, size: Size) -> U8:
    """The picture at the size in which its closest view has the frame's pixels, once a shot."""
    pixels = _original(take)
    scale = most_zoom * max(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way), np.uint8)


@lru_cache(maxsize=2)
def _clip_frames(source: Path, begins: float, seconds: float) -> tuple[list[float], list[U8]]:
    shown = list(frames_between(source, begins, begins + seconds))
    return [float(frame.time) - begins for frame in shown], [frame.pixels for frame in shown]


def _clip_pixels(take: Take, seconds: float, size: Size) -> U8:
    """The clip's frame at a time after the shot's start, cut to fill the window; the last one stays."""
    assert take.source is not None
    assert take.seconds is not None
    times, pixels = _clip_frames(take.source, take.begins, take.seconds)
    frame = pixels[max(0, bisect_right(times, seconds + 1e-6) - 1)]
    return filling(frame, size)


def filling(pixels: U8, size: Size) -> U8:
    """A picture in a size, its middle, as close as it must be to fill it."""
    matrix = frame_from_source(View(), (pixels.shape[1], pixels.shape[0]), size)
    way = cv2.INTER_AREA if matrix[0, 0] < 1 else cv2.INTER_CUBIC
    large = cv2.resize(pixels, None, fx=matrix[0, 0], fy=matrix[0, 0], interpolation=way)
    x, y = max(0, large.shape[1] - size[0]) // 2, max(0, large.shape[0] - size[1]) // 2
    return np.asarray(cv2.resize(large[y : y + size[1], x : x + size[0]], size), np.uint8)
