"""Films for tests, made of drawn frames and written by PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from bof.types import U8
from tests.support.scenes import draw_scene

WIDTH, HEIGHT = 320, 240
MS = Fraction(1, 1000)
CODED = 32
"""Pixels of the square that holds one bit of a number, see `numbered`."""


@dataclass(frozen=True, slots=True)
class FilmFormat:
    """How a film is stored.

    codec: of PyAV's encoders (libx264, libx265, mpeg4, mpeg2video, libvpx-vp9, libsvtav1, mjpeg, ffv1, png, ...);
    options: of the encoder; gop: frames from one that is decoded on its own to the next; pixels: pixel format;
    rotation: degrees of the display matrix, anticlockwise, as a phone writes it; mirrored: that matrix mirrors too;
    aspect: of a sample; muxer: by name, where the suffix does not say; muxing: its options; colour: attributes of the
    encoder (color_trc, color_primaries, colorspace, color_range, field_order), which frames get too.
    """

    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=dict)
    gop: int = 12
    pixels: str = "yuv420p"
    rotation: int = 0
    mirrored: bool = False
    aspect: Fraction = Fraction(1)
    muxer: str | None = None
    muxing: Mapping[str, str] = field(default_factory=dict)
    colour: Mapping[str, int] = field(default_factory=dict)


def write_film(
    path: Path, frames: Iterable[U8], *, rate: Fraction | int = 25, times: Sequence[Fraction] | None = None,
    codec: str = "libx264", how: FilmFormat | None = None, sound_s: float = 0, cover: U8 | None = None, **options: Any,
) -> Path:  # fmt: skip
    """A film of frames u8 (h, w, 3) RGB, or of other arrays that PyAV takes in the pixel format `source=`.

    times: of each frame, in seconds, for a variable frame rate (they are stored in milliseconds, of `base=`); sound_s:
    a tone of so long; size: width and height, where the arrays hold planes of other sizes; cover: a picture beside the
    film (MP4); options: fields of FilmFormat.
    """
    base = Fraction(options.pop("base", MS))
    source = options.pop("source", "rgb24")
    size = options.pop("size", None)
    how = how or FilmFormat(codec=codec, **options)
    frames = iter(frames)
    first = next(frames, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    size = size or (first.shape[1], first.shape[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with scheduled_as_before(), av.open(str(path), "w", format=how.muxer, options=dict(how.muxing)) as film:
        stream = _add_pictures(film, size, Fraction(rate), how, base if times is not None else 1 / Fraction(rate))
        tone = film.add_stream("mp2" if path.suffix in (".ts", ".mpg") else "aac", rate=48_000) if sound_s else None
        art = _add_cover(film) if cover is not None else None
        for number, pixels in enumerate(_with_first(first, frames)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=source)
            frame.pts = number if times is None else round(times[number] / base)
            frame.time_base = stream.codec_context.time_base
            for name, value in how.colour.items():
                if name.startswith("color"):
                    setattr(frame, name, value)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        if tone is not None:
            _mux_tone(film, tone, sound_s)
        if art is not None and cover is not None:
            _mux_cover(film, art, cover)
    return path


def write_sound(path: Path, seconds: float = 1.0, *, cover: U8 | None = None) -> Path:
    """A file of sound in MP4; with a cover, a file whose only picture that is."""
    with av.open(str(path), "w", format="mp4") as film:
        tone = film.add_stream("aac", rate=48_000)
        art = _add_cover(film) if cover is not None else None
        _mux_tone(film, tone, seconds)
        if art is not None and cover is not None:
            _mux_cover(film, art, cover)
    return path


@contextmanager
def scheduled_as_before() -> Iterator[None]:
    """SVT-AV1 gives a thread of root that opens it the highest real-time priority, and leaves it there: all that the
    thread starts later, browsers too, then takes the processors from everything else.
    """
    known = hasattr(os, "sched_getscheduler")
    before = (os.sched_getscheduler(0), os.sched_getparam(0)) if known else None
    try:
        yield
    finally:
        if before is not None:
            os.sched_setscheduler(0, *before)


def _with_first(first: U8, others: Iterator[U8]) -> Iterator[U8]:
    yield first
    yield from others


def _add_pictures(film: Any, size: tuple[int, int], rate: Fraction, how: FilmFormat, base: Fraction) -> Any:
    stream = film.add_stream(how.codec, rate=rate, options=dict(how.options))
    stream.width, stream.height = size
    stream.pix_fmt = how.pixels
    stream.gop_size = how.gop
    stream.codec_context.time_base = base
    stream.codec_context.thread_count = 1
    if how.aspect != 1:
        stream.codec_context.sample_aspect_ratio = how.aspect
        stream.sample_aspect_ratio = how.aspect
    if how.rotation or how.mirrored:
        stream.set_display_rotation(how.rotation, hflip=how.mirrored)
    for name, value in how.colour.items():
        setattr(stream.codec_context, name, value)
    return stream


def _add_cover(film: Any) -> Any:
    art = film.add_stream("mjpeg", rate=1)
    art.width, art.height, art.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
    art.disposition = av.stream.Disposition.attached_pic
    return art


def _mux_cover(film: Any, art: Any, cover: U8) -> None:
    written = io.BytesIO()
    Image.fromarray(cover).save(written, "JPEG")
    packet = av.Packet(written.getvalue())
    packet.stream, packet.pts, packet.dts, packet.time_base, packet.is_keyframe = art, 0, 0, Fraction(1, 25), True
    film.mux(packet)


def _mux_tone(film: Any, tone: Any, seconds: float) -> None:
    n_samples, length = 1152 if tone.codec_context.name == "mp2" else 1024, int(seconds * 48_000)
    for start in range(0, length, n_samples):
        wave = np.sin(np.arange(start, start + n_samples) * (2 * np.pi * 440 / 48_000))
        is_float = tone.codec_context.name == "aac"
        samples = (wave * 0.2).astype(np.float32)[None] if is_float else (wave * 6000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp" if is_float else "s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        film.mux(tone.encode(frame))
    film.mux(tone.encode(None))


# -- Frames -----------------------------------------------------------------------------------------------------------


def still(seed: int, n: int, width: int = WIDTH, height: int = HEIGHT) -> list[U8]:
    """A drawn scene that stands still for n frames."""
    return [draw_scene(seed, width, height)] * n


def pan(seed: int, n: int, step_px: int = 4, width: int = WIDTH, height: int = HEIGHT) -> list[U8]:
    """A camera that moves over a wide drawn scene, from left to right."""
    wide = draw_scene(seed, width + step_px * n, height)
    return [np.ascontiguousarray(wide[:, step_px * i : step_px * i + width]) for i in range(n)]


def zoom(seed: int, n: int, most: float = 2.0, width: int = WIDTH, height: int = HEIGHT) -> list[U8]:
    """A camera that comes nearer, to `most` times as near."""
    scene = draw_scene(seed, round(width * most), round(height * most))
    frames = []
    for i in range(n):
        scale = most ** (1 - i / max(1, n - 1))
        w, h = round(width * scale), round(height * scale)
        x, y = (scene.shape[1] - w) // 2, (scene.shape[0] - h) // 2
        frames.append(_resized(scene[y : y + h, x : x + w], width, height))
    return frames


def dissolve(before: U8, after: U8, n: int) -> list[U8]:
    """One picture becomes another in n frames."""
    return [_blend(before, after, (i + 1) / (n + 1)) for i in range(n)]


def black(n: int, width: int = WIDTH, height: int = HEIGHT) -> list[U8]:
    """Nothing to see."""
    return [np.zeros((height, width, 3), np.uint8)] * n


def captioned(frames: Iterable[U8], words: str) -> list[U8]:
    """Frames with words at their lower edge."""
    written = []
    for frame in frames:
        copy = frame.copy()
        where = (20, frame.shape[0] - 18)
        for colour, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(copy, words, where, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, thickness, cv2.LINE_AA)
        written.append(copy)
    return written


def letterboxed(frames: Iterable[U8], bar_px: int = 30) -> list[U8]:
    """Frames made narrower, with black bars above and below."""
    boxed = []
    for frame in frames:
        height, width = frame.shape[:2]
        inner = _resized(frame, width, height - 2 * bar_px)
        boxed.append(cv2.copyMakeBorder(inner, bar_px, bar_px, 0, 0, cv2.BORDER_CONSTANT).astype(np.uint8))
    return boxed


def numbered(n: int, width: int = WIDTH, height: int = HEIGHT, first: int = 0) -> list[U8]:
    """Frames over a slowly moving scene that each show a number, in squares of black and white: see `number_of`."""
    scene = draw_scene(7, width + n, height)
    frames = []
    for i in range(n):
        frame = scene[:, i : i + width].copy()
        for bit in range(8):
            frame[:CODED, bit * CODED : (bit + 1) * CODED] = 235 if ((first + i) >> bit) & 1 else 20
        frames.append(frame)
    return frames


def number_of(pixels: U8) -> int:
    """The number that a frame of `numbered` shows, modulo 256; pixels at full size, grey or RGB."""
    centres = [int(pixels[CODED // 2, bit * CODED + CODED // 2].mean()) for bit in range(8)]
    return sum((level > 127) << bit for bit, level in enumerate(centres))


def _blend(before: U8, after: U8, share: float) -> U8:
    mixed: U8 = cv2.addWeighted(before, 1 - share, after, share, 0).astype(np.uint8)
    return mixed


def _resized(pixels: U8, width: int, height: int) -> U8:
    resized: U8 = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return resized
