"""Boundaries of films whose boundaries are known, and what is none."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.types import U8
from bof.video.boundary_stream import BoundaryStream
from bof.video.types import Shot
from tests.support.films import captioned, letterboxed
from tests.video.drawn import HEIGHT, RATE, WIDTH, mixed, pan, scene, shifted, shots_of, starts_of


def boundaries_of(frames: list[U8]) -> list[float]:
    stream = BoundaryStream(Fraction(0))
    found = []
    for i, frame in enumerate(frames):
        found += stream.take(Fraction(i, RATE), cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8))
    return [float(each) for each in [*found, *stream.finish()]]


def plain(shade: int, n: int) -> list[U8]:
    return [np.full((HEIGHT, WIDTH, 3), shade, np.uint8)] * n


def faded(frames: list[U8], shade: int, *, out: bool) -> list[U8]:
    shares = np.linspace(0, 1, len(frames))
    return [
        cv2.addWeighted(frame, 1 - share, plain(shade, 1)[0], share, 0).astype(np.uint8)
        for frame, share in zip(frames, shares if out else shares[::-1], strict=True)
    ]


def test_hard_cuts_are_found_at_their_frames() -> None:
    frames = [frame for seed, n in ((1, 50), (2, 30), (3, 40), (4, 35)) for frame in pan(seed, n, speed=2)]
    assert boundaries_of(frames) == [2.0, 3.2, 4.8]


@pytest.mark.parametrize("length", [8, 12, 25, 40])
def test_a_dissolve_is_one_boundary_in_its_middle(length: int) -> None:
    one, other = (pan(seed, 60 + length, speed=8 / length) for seed in (1, 2))
    frames = one[:60] + mixed(one[60:], other[:length]) + other[length:]
    (found,) = boundaries_of(frames)
    assert 2.4 <= found <= 2.4 + length / RATE


@pytest.mark.parametrize("length", [10, 20, 35])
def test_a_wipe_is_one_boundary(length: int) -> None:
    one, other = pan(3, 60 + length), pan(4, 60 + length)
    between = [
        np.where(np.arange(WIDTH)[None, :, None] < WIDTH * (i + 1) / (length + 1), b, a)
        for i, (a, b) in enumerate(zip(one[60:], other, strict=False))
    ]
    (found,) = boundaries_of(one[:60] + between + other[length:])
    assert 2.4 <= found <= 2.4 + length / RATE


@pytest.mark.parametrize("shade", [0, 255])
def test_a_fade_is_one_boundary_and_a_long_stretch_of_one_colour_is_between_two(shade: int) -> None:
    one, other = pan(5, 60), pan(6, 60)
    ends = one[:45] + faded(one[45:], shade, out=True), faded(other[:15], shade, out=False) + other[15:]
    (found,) = boundaries_of(ends[0] + plain(shade, 5) + ends[1])
    assert 45 / RATE <= found <= 80 / RATE
    assert len(boundaries_of(ends[0] + plain(shade, 50) + ends[1])) == 2


def flash() -> list[U8]:
    frames = pan(1, 80)
    return frames[:40] + plain(255, 3) + frames[43:]


def shake() -> list[U8]:
    steps = np.random.default_rng(0).normal(0, 9, 100)
    return [shifted(scene(2), 60 + step) for step in steps]


def passer_by() -> list[U8]:
    thing = np.ascontiguousarray(scene(9)[:HEIGHT, :200])
    frames = []
    for i, frame in enumerate(pan(3, 100, speed=0.3)):
        x = (i - 30) * 25 - 200
        canvas = np.hstack([np.zeros((HEIGHT, 600, 3), np.uint8), frame, np.zeros((HEIGHT, 600, 3), np.uint8)])
        if -200 < x < WIDTH:
            canvas[:, 600 + x : 800 + x] = thing
        frames.append(np.ascontiguousarray(canvas[:, 600 : 600 + WIDTH]))
    return frames


def light() -> list[U8]:
    frames = pan(4, 80)
    return frames[:40] + [(frame * 0.4).astype(np.uint8) for frame in frames[40:]]


def grain() -> list[U8]:
    rng = np.random.default_rng(0)
    return [np.clip(f + rng.normal(0, 20, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8) for f in pan(5, 80)]


@pytest.mark.parametrize("film", [flash, shake, passer_by, light, grain, lambda: pan(7, 40, speed=4)])
def test_what_happens_within_a_shot_is_no_boundary(film: object) -> None:
    assert boundaries_of(film()) == []


def film_of_many_shots() -> list[U8]:
    frames: list[U8] = []
    for seed, n in enumerate((60, 110, 45, 200, 75, 90), start=20):
        frames += pan(seed, n, speed=0.7)
    one, other = pan(40, 80), pan(41, 100)
    return frames + one[:60] + mixed(one[60:], other[:20]) + other[20:]


def is_same(one: Shot, other: Shot) -> bool:
    frames = list(zip(one.keyframes, other.keyframes, strict=True))
    return (one.start, one.stop) == (other.start, other.stop) and all(
        a.time == b.time
        and np.array_equal(a.features.descriptors, b.features.descriptors)
        and np.array_equal(a.features.geometry.xy_px, b.features.geometry.xy_px)
        for a, b in frames
    )


def test_shots_are_the_same_whatever_the_chunks(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    whole = shots_of(path, film_of_many_shots())
    assert len(whole) == 8
    for edges in ((Fraction(8),), (Fraction(3), Fraction(6), Fraction(17)), (Fraction("2.4"), Fraction("20.1"))):
        parts = shots_of(path, [], edges=edges)
        assert starts_of(parts) == starts_of(whole)
        assert all(is_same(a, b) for a, b in zip(whole, parts, strict=True))
    assert all(one.stop == other.start for one, other in pairwise(whole))
    assert all(shot.start <= key.time < shot.stop for shot in whole for key in shot.keyframes)
    assert all(shot.keyframes for shot in whole)


def test_chunks_meet_at_the_edge_where_no_boundary_comes(tmp_path: Path) -> None:
    path, rate = tmp_path / "film.mp4", 4
    frames = pan(1, 50 * rate, speed=0.2)
    assert starts_of(shots_of(path, frames, rate=rate, edges=(Fraction(10),))) == [0.0, 10.0]
    assert starts_of(shots_of(path, frames, rate=rate, edges=(Fraction(30),))) == [0.0]


@pytest.mark.parametrize("bar_px", [16, 24, 40])
def test_bars_hide_no_cut(bar_px: int) -> None:
    frames = [frame for seed, n in ((1, 50), (2, 30), (3, 40)) for frame in pan(seed, n, speed=2)]
    assert boundaries_of(letterboxed(frames, bar_px)) == [2.0, 3.2]
    turned = [np.ascontiguousarray(frame.transpose(1, 0, 2)) for frame in letterboxed(frames, bar_px)]
    assert boundaries_of(turned) == [2.0, 3.2]


def test_a_subtitle_that_stands_on_hides_no_cut() -> None:
    frames = [frame for seed, n in ((1, 50), (2, 60)) for frame in pan(seed, n, speed=2)]
    for frames_of_film in (frames, letterboxed(frames, 24)):
        captioned_film = captioned(frames_of_film, "Signal thing as thing the office into guy")
        assert boundaries_of(captioned_film) == [2.0]
