"""Hostile films: small ones in every common container, damaged like any file, and in the fields of their boxes."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from bof.types import U8
from scripts.torture.mutants import DAMAGES

Rng = np.random.Generator
Mutation = Callable[[Rng, bytes], bytes]

_WIDTH, _HEIGHT, _N_FRAMES, _RATE = 160, 120, 30, 25

_QUIET_X265 = {"x265-params": "log-level=none:pools=1:keyint=10"}
_KINDS: tuple[tuple[str, str, str, str, Mapping[str, str], Mapping[str, str]], ...] = (
    ("mp4", "mp4", "libx264", "yuv420p", {}, {}),
    ("fragments.mp4", "mp4", "libx264", "yuv420p", {}, {"movflags": "frag_keyframe+empty_moov"}),
    ("mkv", "matroska", "libx264", "yuv420p", {}, {}),
    ("ts", "mpegts", "libx264", "yuv420p", {}, {}),
    ("flv", "flv", "libx264", "yuv420p", {}, {}),
    ("hevc.mp4", "mp4", "libx265", "yuv420p", _QUIET_X265, {}),
    ("webm", "webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8", "deadline": "realtime"}, {}),
    ("avi", "avi", "mpeg4", "yuv420p", {"bf": "2"}, {}),
    ("mpeg2.ts", "mpegts", "mpeg2video", "yuv420p", {"bf": "2"}, {}),
    ("mpg", "mpeg", "mpeg2video", "yuv420p", {"bf": "2"}, {}),
    ("wmv", "asf", "wmv2", "yuv420p", {}, {}),
    ("mov", "mov", "mjpeg", "yuvj420p", {}, {}),
    ("ffv1.mkv", "matroska", "ffv1", "yuv444p10le", {}, {}),
    ("prores.mov", "mov", "prores_ks", "yuva444p10le", {}, {}),
)
"""Name, muxer, codec, pixels, and options of both."""


def sound_films(picture: Path) -> list[tuple[str, bytes]]:
    """Suffix and bytes of films that move over a photograph, a cut in their middle."""
    wide = np.asarray(Image.open(picture).convert("RGB").resize((_WIDTH + 4 * _N_FRAMES, _HEIGHT)))
    frames = [np.ascontiguousarray(wide[:, 4 * i : 4 * i + _WIDTH]) for i in range(_N_FRAMES)]
    frames[_N_FRAMES // 2 :] = [frame[::-1].copy() for frame in frames[_N_FRAMES // 2 :]]
    return [(f".{kind[0]}", _film(frames, *kind[1:])) for kind in _KINDS]


def _film(
    frames: Sequence[U8], muxer: str, codec: str, pixels: str, options: Mapping[str, str], muxing: Mapping[str, str]
) -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format=muxer, options=dict(muxing)) as film:
        stream: Any = film.add_stream(codec, rate=_RATE, options=dict(options))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = _WIDTH, _HEIGHT, pixels, 10
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return written.getvalue()


def make_hostile(number: int, seed: int, sound: Sequence[tuple[str, bytes]]) -> tuple[str, str, bytes]:
    """The kind, the suffix and the bytes of the film of a number; sound: suffix and bytes of those it is made of."""
    rng = np.random.default_rng([seed, number])
    suffix, data = sound[number % len(sound)]
    other = sound[int(rng.integers(len(sound)))][1]
    damages = {**_GENERAL, **(_BOXES if re.search(rb"moov|\x1aE\xdf\xa3|RIFF", data[:4096] + data[-9000:]) else {})}
    name = list(damages)[int(rng.integers(len(damages)))]
    return f"{suffix[1:]} {name}", suffix, damages[name](rng, data if name != "two in one" else data + b"\0\1" + other)


_BOX = re.compile(
    rb"moov|trak|mdia|minf|stbl|stsd|stts|ctts|stsc|stsz|stco|stss|mdhd|mvhd|tkhd|elst|avcC|hvcC|moof|traf|trun|tfhd"
    rb"|\x16\x54\xae\x6b|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x2a\xd7\xb1|strh|strf|idx1|movi|LIST"
)


def _other_field(rng: Rng, data: bytes) -> bytes:
    """Sizes, counts and offsets of boxes become others."""
    places = [found.start() for found in _BOX.finditer(data)]
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = places[int(rng.integers(len(places)))] + int(rng.choice([-4, 4, 8, 12, 16, 20, 28, 36]))
        if 0 <= at <= len(data) - 4:
            struct.pack_into(">I", changed, at, _number(rng, data, at))
    return bytes(changed)


def _number(rng: Rng, data: bytes, at: int) -> int:
    (old,) = struct.unpack_from(">I", data, at)
    numbers = (0, 1, 7, 8, 0xFFFF, 60_000, 2**31 - 1, 2**31, 2**32 - 1, old + 1, old - 1, old * 2, old // 2, len(data))
    return int(numbers[int(rng.integers(len(numbers)))]) & 0xFFFFFFFF


def _swap_boxes(rng: Rng, data: bytes) -> bytes:
    """Two names of boxes change places, or one becomes the other."""
    found = list(_BOX.finditer(data))
    one, other = (found[int(place)] for place in rng.integers(0, len(found), 2))
    changed = bytearray(data)
    changed[one.start() : one.start() + len(other[0])] = other[0]
    if rng.random() < 0.5:
        changed[other.start() : other.start() + len(one[0])] = one[0]
    return bytes(changed)


def _swap_blocks(rng: Rng, data: bytes) -> bytes:
    length = int(rng.integers(16, max(17, len(data) // 4)))
    first, second = sorted(int(place) for place in rng.integers(0, max(1, len(data) - 2 * length), 2))
    second = max(second, first + length)
    block, later = data[first : first + length], data[second : second + length]
    return data[:first] + later + data[first + length : second] + block + data[second + length :]


def _noise(rng: Rng, data: bytes) -> bytes:
    """A hundredth to half of all bytes behind the header become others."""
    changed = np.frombuffer(data, np.uint8).copy()
    n_changed = int(len(data) * float(rng.choice([0.01, 0.05, 0.5])))
    places = rng.integers(min(200, len(data) - 1), len(data), n_changed)
    changed[places] = rng.integers(0, 256, n_changed)
    return changed.tobytes()


_GENERAL: dict[str, Mutation] = {
    **{name: change for name, change in DAMAGES.items() if name not in ("wrong suffix", "another size")},
    "swapped blocks": _swap_blocks,
    "noise": _noise,
    "two in one": lambda rng, data: data,
}
_BOXES: dict[str, Mutation] = {
    "other field": _other_field, "other fields": _other_field, "swapped boxes": _swap_boxes,
}  # fmt: skip
