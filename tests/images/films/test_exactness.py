"""A frame of a film is the same wherever reading begins: a relation over all frames, of many codecs and containers."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.errors import ImageError
from bof.images.films.film import Film
from bof.types import U8
from tests.support.films import number_of, numbered, write_film

N = 48
OPEN_X264 = {"x264-params": "bframes=3:keyint=12:min-keyint=12:scenecut=0:open-gop=1"}
OPEN_X265 = {"x265-params": "log-level=none:pools=1:keyint=12:min-keyint=12:open-gop=1:bframes=4"}
FAST_VPX = {"cpu-used": "8", "deadline": "realtime"}
B_FRAMES = {"bf": "2"}
VARIED = [Fraction(i * i, 500) + Fraction(i, 100) for i in range(N)]

FILMS: dict[str, tuple[str, dict[str, Any]]] = {
    "H.264 in MP4": ("a.mp4", {}),
    "H.264 in MP4, open groups": ("a.mp4", {"options": OPEN_X264}),
    "H.264 in fragments of MP4": ("a.mp4", {"muxing": {"movflags": "frag_keyframe+empty_moov"}}),
    "H.264 in one group": ("a.mp4", {"gop": 1000}),
    "H.264 refreshed bit by bit": ("a.mp4", {"options": {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}}),
    "H.264 in Matroska with sound": ("a.mkv", {"sound_s": 2}),
    "H.264 in Matroska without an index": ("a.mkv", {"muxing": {"live": "1"}}),
    "H.264 in MPEG-TS, open groups": ("a.ts", {"options": OPEN_X264, "sound_s": 2}),
    "H.264 in AVI": ("a.avi", {"options": OPEN_X264}),
    "H.264 in FLV": ("a.flv", {}),
    "HEVC in MP4, open groups": ("a.mp4", {"codec": "libx265", "options": OPEN_X265}),
    "HEVC in MPEG-TS, open groups": ("a.ts", {"codec": "libx265", "options": OPEN_X265}),
    "VP9 in WebM": ("a.webm", {"codec": "libvpx-vp9", "options": FAST_VPX}),
    "AV1 in WebM": ("a.webm", {"codec": "libsvtav1", "options": {"preset": "12"}}),
    "MPEG-2 in MPEG-TS": ("a.ts", {"codec": "mpeg2video", "options": B_FRAMES}),
    "MPEG-2 in MPEG-PS": ("a.mpg", {"codec": "mpeg2video", "options": B_FRAMES}),
    "MPEG-4 in AVI": ("a.avi", {"codec": "mpeg4", "options": B_FRAMES}),
    "Motion JPEG in QuickTime": ("a.mov", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    "WMV": ("a.wmv", {"codec": "wmv2"}),
    "variable rate in MP4": ("a.mp4", {"times": VARIED}),
    "variable rate in Matroska": ("a.mkv", {"times": VARIED}),
    "variable rate in MPEG-TS": ("a.ts", {"times": VARIED}),
    "pictures that begin late in MP4": ("a.mp4", {"times": [5 + Fraction(i, 25) for i in range(N)], "sound_s": 7}),
    "pictures that begin late in MPEG-TS": ("a.ts", {"times": [5 + Fraction(i, 25) for i in range(N)], "sound_s": 7}),
}


@pytest.fixture(params=FILMS, scope="module")
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Fraction]]:
    """A film whose frames are numbered, and their times."""
    name, options = FILMS[request.param]
    times = options.get("times") or [Fraction(i, 25) for i in range(N)]
    return write_film(tmp_path_factory.mktemp("film") / name, numbered(N), **options), [t - times[0] for t in times]


def test_every_frame_is_found_at_its_time(film: tuple[Path, list[Fraction]]) -> None:
    path, expected = film
    with Film(str(path)) as opened:
        whole = {found.time: found.grey() for found in opened.decoded()}
        times = list(whole)
        assert [number_of(pixels) for pixels in whole.values()] == list(range(N))
        assert times[0] == 0
        # Matroska, FLV and WMV count in milliseconds, AVI of a steady rate in frames
        assert max(abs(a - b) for a, b in zip(times, expected, strict=True)) <= Fraction(1, 1000)
        assert times[-1] < opened.facts.duration <= times[-1] + 1  # nobody knows how long the last of varied ones lasts
        order = list(range(N))
        random.Random(5).shuffle(order)
        for i in order:
            between = times[i] + (times[i + 1] - times[i]) / 2 if i + 1 < N else times[i]
            for time in (times[i], between):
                found = opened.frame_at(time, grey=True)
                assert found.time == times[i]
                np.testing.assert_array_equal(found.pixels, whole[times[i]])
        assert not opened.flaws


def test_a_reading_begins_with_the_frame_that_is_shown_and_ends_before_stop(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", numbered(N))
    with Film(str(path)) as opened:
        found = [frame.time for frame in opened.frames(Fraction("0.5"), Fraction("0.8"))]
        assert found == [Fraction(i, 25) for i in range(12, 20)]
        assert [number_of(frame.pixels) for frame in opened.frames(Fraction("0.5"), Fraction("0.8"))] == list(
            range(12, 20)
        )
        assert not list(opened.frames(Fraction(10)))


def test_pixels_come_in_the_sizes_that_are_asked_for(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", numbered(3))
    with Film(str(path)) as opened:
        frame = next(opened.decoded())
        assert frame.grey(64).shape == (48, 64)
        assert frame.rgb(160).shape == (120, 160, 3)
        assert frame.grey().shape == (240, 320)
        small: U8 = frame.grey(64)
        np.testing.assert_allclose(small.mean(), frame.grey().mean(), atol=1)


def test_a_reading_is_ended_by_the_next(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", numbered(N))
    with Film(str(path)) as opened:
        first = opened.frames()
        next(first)
        opened.frame_at(Fraction(1))
        with pytest.raises(RuntimeError, match="another reading"):
            list(first)


def test_threads_change_nothing(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", numbered(N))
    with Film(str(path)) as one, Film(str(path), n_threads=0) as many:
        for a, b in zip(one.frames(), many.frames(), strict=True):
            assert a.time == b.time
            np.testing.assert_array_equal(a.pixels, b.pixels)


def test_a_time_beyond_the_end_says_how_long_the_film_is(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", numbered(N))
    with Film(str(path)) as opened:
        assert number_of(opened.frame_at(Fraction("1.919")).pixels) == N - 1
        with pytest.raises(
            ImageError, match=r"expected a time before 1\.920 s, the length of the film, found 1\.920 s"
        ):
            opened.frame_at(Fraction("1.92"))
