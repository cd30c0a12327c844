"""Text over a film is found where it stands, and only there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.types import U8
from bof.video.subtitles import TextLine, find_text, text_mask
from tests.support.scenes import draw_scene
from tests.video.drawn import write_words

WORDS = "Where have you been"


def scene(seed: int, width: int = 640, height: int = 360) -> U8:
    """Without text, in grey."""
    return cv2.cvtColor(draw_scene(seed, width, height), cv2.COLOR_RGB2GRAY).astype(np.uint8)


def middle_of(words: str, width: int, scale: float, font: int) -> int:
    """Where words begin that stand in the middle."""
    return (width - cv2.getTextSize(words, font, scale, 2)[0][0]) // 2


@pytest.mark.parametrize("font", [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX])
@pytest.mark.parametrize(("width", "height", "scale"), [(640, 360, 0.7), (1024, 576, 1.2), (360, 640, 0.7)])
def test_a_subtitle_is_found_on_any_ground(font: int, width: int, height: int, scale: float) -> None:
    x, y = middle_of(WORDS, width, scale, font), round(0.94 * height)
    for seed in range(4):
        frame = scene(seed, width, height)
        if seed % 2:
            frame = np.asarray(255 - frame // 3, np.uint8)
        write_words(frame, WORDS, x, y, scale, font)
        (line,) = [each for each in find_text(frame) if each.is_subtitle(width, height)]
        (wide, tall), below = cv2.getTextSize(WORDS, font, scale, 2)
        assert abs(line.left - x) <= tall
        assert abs(line.right - (x + wide)) <= tall
        assert y - 1.5 * tall <= line.top <= y - 0.6 * tall
        assert y - 3 <= line.bottom <= y + below + 3


def test_what_has_no_text_has_no_lines() -> None:
    assert [find_text(scene(seed)) for seed in range(40)] == [[]] * 40
    noise = np.random.default_rng(1).integers(0, 256, (360, 640), np.uint8)
    assert find_text(noise) == []
    assert find_text(np.zeros((360, 640), np.uint8)) == []


def test_two_lines_are_two() -> None:
    frame = scene(5)
    for y in (305, 345):
        write_words(frame, WORDS, middle_of(WORDS, 640, 0.8, cv2.FONT_HERSHEY_SIMPLEX), y, 0.8)
    assert sum(line.is_subtitle(640, 360) for line in find_text(frame)) == 2


def test_a_name_to_the_left_is_text_and_no_subtitle_and_a_title_is_neither() -> None:
    frame = scene(6)
    write_words(frame, "Anna Berg", 30, 330, 0.8)
    assert [line.is_subtitle(640, 360) for line in find_text(frame)] == [False]
    title = np.full((360, 640), 20, np.uint8)
    write_words(title, WORDS, middle_of(WORDS, 640, 0.8, cv2.FONT_HERSHEY_SIMPLEX), 180, 0.8)
    assert find_text(title) == []


def test_text_at_the_top_is_found_and_proves_nothing_alone() -> None:
    frame = scene(7)
    write_words(frame, WORDS, middle_of(WORDS, 640, 0.8, cv2.FONT_HERSHEY_SIMPLEX), 50, 0.8)
    assert [line.is_subtitle(640, 360) for line in find_text(frame)] == [False]


def test_lines_are_in_pixels_of_the_frame() -> None:
    frame = scene(8, 1920, 1080)
    x = middle_of(WORDS, 1920, 2.2, cv2.FONT_HERSHEY_SIMPLEX)
    write_words(frame, WORDS, x, 1000, 2.2)
    (line,) = find_text(frame)
    assert abs(line.left - x) < 40
    assert 990 < line.bottom < 1040
    assert line.is_subtitle(1920, 1080)


@pytest.mark.parametrize("shape", [(1, 1), (2, 40), (40, 2), (1, 2000), (2000, 1), (3, 3)])
def test_frames_of_a_few_pixels_have_no_text(shape: tuple[int, int]) -> None:
    assert find_text(np.full(shape, 255, np.uint8)) == []


def test_a_mask_has_the_line_and_its_edge() -> None:
    line = TextLine(100, 300, 540, 330, 12, 20.0, 0.8, 1.0)
    mask = text_mask([line], (360, 640), (180, 320))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (146, 168, 46, 273)
    assert not text_mask([], (360, 640), (180, 320)).any()
