"""Frames are shown upright, with square pixels, whole and in the colours of a screen."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bof.images.films.film import Film
from bof.images.films.hdr import BT_2020, HLG, PQ, to_sdr
from bof.images.films.types import Frame
from bof.types import U8
from tests.support.films import HEIGHT, WIDTH, numbered, pan, still, write_film
from tests.support.scenes import draw_scene

SCENE = draw_scene(3, WIDTH, HEIGHT)
FINE = {"options": {"crf": "5"}, "pixels": "yuv444p"}
ZERO = Fraction(0)


def first_frame(path: Path, **options: Any) -> Frame:
    with Film(str(path)) as film:
        return film.frame_at(ZERO, **options)


def differ(a: U8, b: U8) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b).mean())


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_films_are_turned_and_mirrored_upright(tmp_path: Path, degrees: int, is_mirrored: bool) -> None:
    path = write_film(tmp_path / "a.mp4", [SCENE] * 2, rotation=degrees, mirrored=is_mirrored, **FINE)
    expected = np.rot90(SCENE, degrees // 90)  # anticlockwise, as FFmpeg's option display_rotation
    expected = expected[:, ::-1] if is_mirrored else expected
    found = first_frame(path)
    assert differ(found.pixels, expected) < 3
    assert differ(first_frame(path, max_side=80).pixels, first_frame(path, max_side=80).pixels) == 0
    with Film(str(path)) as film:
        assert (film.facts.width, film.facts.height) == expected.shape[1::-1]


@pytest.mark.parametrize(("aspect", "size"), [("4/3", (427, 240)), ("3/4", (320, 320)), ("1281/1280", (320, 240))])
def test_pixels_become_square(tmp_path: Path, aspect: str, size: tuple[int, int]) -> None:
    path = write_film(tmp_path / "a.mp4", [SCENE] * 2, aspect=Fraction(aspect))
    assert first_frame(path).pixels.shape[1::-1] == size
    with Film(str(path)) as film:
        assert (film.facts.width, film.facts.height) == size


def test_a_turned_film_with_wide_pixels_is_wide_where_it_was_high(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", [SCENE] * 2, aspect=Fraction(2), rotation=90)
    assert first_frame(path).pixels.shape == (640, 240, 3)


@pytest.mark.parametrize(
    "marks", [{}, {"color_range": 1}, {"color_range": 2}, {"colorspace": 1}, {"colorspace": 5}, {"colorspace": 9}]
)
def test_colours_do_not_depend_on_how_they_are_stored(tmp_path: Path, marks: dict[str, int]) -> None:
    path = write_film(tmp_path / "a.mkv", [SCENE] * 2, codec="ffv1", pixels="yuv444p", colour=marks)
    assert differ(first_frame(path).pixels, SCENE) < 1.5
    grey = np.dot(SCENE.astype(float), [0.299, 0.587, 0.114])
    is_709_or_2020 = marks.get("colorspace") in (1, 9)  # luma of other primaries is another grey
    assert differ(first_frame(path, grey=True).pixels, np.rint(grey).astype(np.uint8)) < (9 if is_709_or_2020 else 1.5)


@pytest.mark.parametrize(("codec", "pixels"), [("png", "rgba"), ("prores_ks", "yuva444p10le"), ("qtrle", "argb")])
def test_what_has_alpha_is_shown_on_white(tmp_path: Path, codec: str, pixels: str) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[: HEIGHT // 2] = 255
    path = write_film(
        tmp_path / "a.mov", [np.dstack([SCENE, alpha])] * 2, codec=codec, pixels=pixels, source="rgba"
    )  # fmt: skip
    found = first_frame(path).pixels
    assert differ(found[: HEIGHT // 2 - 2], SCENE[: HEIGHT // 2 - 2]) < 2
    assert found[HEIGHT // 2 + 2 :].min() == 255
    assert first_frame(path, grey=True).pixels[HEIGHT // 2 + 2 :].min() == 255


def combed(frames: list[U8]) -> list[U8]:
    """Two frames in one, a field of each, as a camera of television takes them."""
    whole = []
    for first, second in zip(frames[::2], frames[1::2], strict=True):
        frame = first.copy()
        frame[1::2] = second[1::2]
        whole.append(frame)
    return whole


def comb(pixels: U8) -> float:
    """How much more a line differs from its neighbour than from the next but one."""
    lines = pixels.astype(float)
    return float(np.abs(lines[1:-1] - lines[2:]).mean() - np.abs(lines[:-2] - lines[2:]).mean())


def test_interlaced_frames_are_made_whole(tmp_path: Path) -> None:
    fields = combed(pan(5, 48, step_px=4))
    marked = {"options": {"x264-params": "tff=1:keyint=6:crf=10"}}
    path = write_film(tmp_path / "a.mp4", fields, **marked)
    plain = write_film(tmp_path / "plain.mp4", fields, options={"crf": "10"})
    with Film(str(path)) as film:
        whole = {frame.time: frame.grey() for frame in film.decoded()}
        assert len(whole) == len(fields)
        for time in reversed(list(whole)):
            np.testing.assert_array_equal(film.frame_at(time, grey=True).pixels, whole[time])
    assert comb(whole[Fraction(2, 5)]) < 0
    assert comb(first_frame(plain, grey=True).pixels) > 3  # nothing says that these are interlaced


def test_what_is_not_interlaced_passes_as_it_is(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", numbered(6), codec="ffv1", pixels="gray", source="rgb24")
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray() for frame in container.decode(video=0)]
    with Film(str(path)) as film:
        for frame, raw in zip(film.frames(grey=True), expected, strict=True):
            np.testing.assert_array_equal(frame.pixels, raw)


def test_light_of_high_dynamic_range_becomes_that_of_a_screen() -> None:
    codes = np.array([0, 0.3, 0.5806, 0.7518, 1.0])  # of PQ: black, 10, 203, 1,000 and 10,000 cd/m2
    grey = np.repeat((codes * 65535).astype(np.uint16)[None, :, None], 3, axis=2)
    shown = to_sdr(grey, PQ, BT_2020)[0, :, 0]
    assert shown[0] == 0
    assert 58 < shown[1] < 68  # sRGB of 10 / 203
    assert 230 < shown[2] < 242  # reference white, with room for what is brighter
    assert shown[2] < shown[3] <= shown[4] == 255
    hlg = np.repeat(np.array([[0.0, 0.5, 0.75, 1.0]])[:, :, None] * 65535, 3, axis=2).astype(np.uint16)
    shown = to_sdr(hlg, HLG, BT_2020)[0, :, 0]
    assert 225 < shown[2] < 245  # 75 % is reference white: ITU-R BT.2408
    assert np.all(np.diff(shown.astype(int)) > 0)


def test_wide_colours_become_those_of_a_screen() -> None:
    """Red of BT.709 in BT.2020 is (0.6274, 0.0691, 0.0164): ITU-R BT.2087."""
    light = np.array([[[0.6274, 0.0691, 0.0164]]])
    shown = to_sdr((light ** (1 / 2.4) * 65535).astype(np.uint16), 1, BT_2020)
    np.testing.assert_allclose(shown[0, 0], [255, 0, 0], atol=6)


def test_a_film_of_high_dynamic_range_is_read_as_one(tmp_path: Path) -> None:
    marks = {"color_trc": PQ, "color_primaries": BT_2020, "colorspace": 9, "color_range": 1}
    stored = np.full((HEIGHT * 3 // 2, WIDTH), 512, np.uint16)  # luma, then both colours at half the size
    stored[:HEIGHT] = round(64 + 0.5806 * 876)
    path = write_film(
        tmp_path / "a.mkv", [stored] * 2, codec="ffv1", pixels="yuv420p10le", source="yuv420p10le",
        size=(WIDTH, HEIGHT), colour=marks,
    )  # fmt: skip
    pixels = first_frame(path).pixels
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert 230 < pixels.min() <= pixels.max() < 242
    assert 230 < first_frame(path, grey=True, max_side=64).pixels.mean() < 242


def test_covers_sound_and_other_streams_are_counted(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", still(4, 10), cover=draw_scene(9), sound_s=1)
    with Film(str(path)) as film:
        assert film.facts.others == {"sound": 1, "cover": 1}
        assert differ(film.frame_at(ZERO).pixels, still(4, 1)[0]) < 6
        facts = film.facts
    assert (facts.codec, facts.frame_rate, facts.duration) == ("h264", 25, Fraction(2, 5))
