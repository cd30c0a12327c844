"""Text that is laid over a film: bright letters that stand on one line in the lower or upper part of a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bof.images.decode import shrink
from bof.types import F64, I64, U8, Bool

_BELOW, _ABOVE = 0.62, 0.25
"""It stands below, or above, these shares of the frame's height."""

_SIDE_PX = 640
"""Text is looked for in frames of this size: letters that can be read there can be found."""

_BRIGHT, _CONTRAST = 170, 80
_STROKE = 0.012
"""Strokes are at most so wide, as a share of the frame's long side."""

_LEAST_HEIGHT, _MOST_HEIGHT, _MOST_WIDTH = 0.012, 0.1, 0.3
"""Of a letter, or of some that touch, as shares of the frame's short side."""

_BETWEEN = 0.014
"""Strokes one above the other are tried as one letter too, where so little lies between them: Korean, Chinese."""

_LEAST_HEIGHT_PX, _LEAST_AREA_PX = 4, 6
_OFF_LINE, _SMALLER, _LARGER = 0.12, 0.55, 1.9
"""A letter ends so far from its line, as a share of its height, which is so many times the median of the line's."""

_WIDEST_SPACE = 3.0
"""Between two letters of a line, in heights of a letter."""

_MOST_LINES = 12
"""So many rows of a frame are looked at: two or three have text."""

_N_LETTERS, _FILLED, _ALONE = 5, 0.4, 0.5
_SURELY_FILLED, _SURELY_ALONE = 0.5, 0.6
"""Of a line that nothing but its look proves."""

_OFF_CENTRE, _LEAST_LENGTH = 0.1, 0.12
"""Of such a line, as shares of the frame's width."""

_LOW = 0.75
"""A subtitle is below this share of the frame's height. Titles stand higher, and signs."""

_MARGIN = 0.4
"""What is drawn round letters, in heights of a letter."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """Letters that stand on one line.

    left, top, right, bottom: where, in pixels; letter_height: the median; filled: the share of its length that letters
    take; alone: of all that looks like letters there, the share that stands on the line.
    """

    left: float
    top: float
    right: float
    bottom: float
    n_letters: int
    letter_height: float
    filled: float
    alone: float

    def enlarged(self, across: float, down: float) -> TextLine:
        """The same in a frame so many times as wide and as high."""
        sides = self.left * across, self.top * down, self.right * across, self.bottom * down
        return TextLine(*sides, self.n_letters, self.letter_height * down, self.filled, self.alone)

    @property
    def is_text(self) -> bool:
        """Is it more than a few bright spots in a row?"""
        return self.n_letters >= _N_LETTERS and self.filled >= _FILLED and self.alone >= _ALONE

    def is_subtitle(self, width: int, height: int) -> bool:
        """Is it text as subtitles are, low in the middle of a frame of that width and height in pixels?"""
        is_sure = self.is_text and self.filled >= _SURELY_FILLED and self.alone >= _SURELY_ALONE
        is_placed = self.top >= _LOW * height and abs(self.left + self.right - width) / 2 <= _OFF_CENTRE * width
        return is_sure and is_placed and self.right - self.left >= _LEAST_LENGTH * width


def find_text(pixels: U8) -> list[TextLine]:
    """The lines of text in the lower and the upper part of a frame u8 (h, w), grey, in its pixels."""
    small = shrink(pixels, _SIDE_PX)
    height, width = small.shape
    parts = (int(_BELOW * height), height), (0, math.ceil(_ABOVE * height))  # one row at least
    found = [line for top, bottom in parts for line in _text_in(small[top:bottom], small.shape, top)]
    return [line.enlarged(pixels.shape[1] / width, pixels.shape[0] / height) for line in found]


def _text_in(part: U8, frame: tuple[int, ...], top: int) -> list[TextLine]:
    """The lines in some rows of a frame, the first of them at `top`."""
    height, width = frame
    strokes = _bright_strokes(part, max(3, round(_STROKE * max(height, width))))
    between = max(3, round(_BETWEEN * min(height, width)))
    whole = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, np.ones((between, 1), np.uint8))
    found: list[TextLine] = []
    for each in (strokes, np.asarray(whole, np.uint8)):
        boxes = _letters(each, min(height, width)) + np.array([0, top, 0, top])
        lines = [line for letters in _rows(boxes, height) for line in _lines(letters, boxes) if line.is_text]
        found += [line for line in lines if not any(_meet(line, other) for other in found)]
    return found


def _meet(one: TextLine, other: TextLine) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def text_mask(lines: Sequence[TextLine], frame: tuple[int, int], shape: tuple[int, ...]) -> Bool:
    """Where lines lie in a frame of that height and width, as a mask of another size: bool `shape`."""
    mask = np.zeros(shape, np.bool_)
    down, across = shape[0] / frame[0], shape[1] / frame[1]
    for line in lines:
        margin = _MARGIN * line.letter_height
        top, bottom = int((line.top - margin) * down), int(np.ceil((line.bottom + margin) * down))
        left, right = int((line.left - margin) * across), int(np.ceil((line.right + margin) * across))
        mask[max(top, 0) : bottom, max(left, 0) : right] = True
    return mask


def _bright_strokes(pixels: U8, width: int) -> U8:
    """1 for bright pixels with much darker ones at two sides, not further than a stroke is wide."""
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    return ((pixels > _BRIGHT) & (cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, kernel) > _CONTRAST)).astype(np.uint8)


def _letters(strokes: U8, short_side: int) -> I64:
    """The boxes of strokes that are as large as letters: i64 (n, 4), left, top, right, bottom."""
    stats = cv2.connectedComponentsWithStats(strokes, connectivity=8)[2][1:].astype(np.int64)
    left, top, width, height, area = stats.T
    is_high = (height >= max(_LEAST_HEIGHT_PX, _LEAST_HEIGHT * short_side)) & (height <= _MOST_HEIGHT * short_side)
    fits = is_high & (width <= _MOST_WIDTH * short_side) & (area >= _LEAST_AREA_PX)
    return np.asarray(np.stack([left, top, left + width, top + height], axis=1)[fits], np.int64)


def _rows(boxes: I64, frame_height: int) -> Iterator[I64]:
    """The letters that end in one row, the rows with the most of them first."""
    for _ in range(_MOST_LINES):
        near = np.maximum(1, np.rint(_OFF_LINE * (boxes[:, 3] - boxes[:, 1]))).astype(np.int64)
        starts = np.bincount(np.maximum(boxes[:, 3] - near, 0), minlength=frame_height + 2)
        stops = np.bincount(np.minimum(boxes[:, 3] + near + 1, frame_height + 1), minlength=frame_height + 2)
        n_ending = np.cumsum(starts - stops)
        if n_ending.max() < _N_LETTERS:
            return
        ends_here = np.abs(boxes[:, 3] - int(np.argmax(n_ending))) <= near
        yield boxes[ends_here]
        boxes = boxes[~ends_here]


def _lines(letters: I64, boxes: I64) -> Iterator[TextLine]:
    """The lines of a row: letters of about one height, without wide spaces. boxes: of everything like letters."""
    height = np.asarray(letters[:, 3] - letters[:, 1], np.float64)
    usual = float(np.median(height))
    letters = letters[(height >= _SMALLER * usual) & (height <= _LARGER * usual)]
    letters = letters[np.argsort(letters[:, 0], kind="stable")]
    spaces = letters[1:, 0] - np.maximum.accumulate(letters[:, 2])[:-1]
    for line in np.split(letters, np.flatnonzero(spaces > _WIDEST_SPACE * usual) + 1):
        if len(line) >= _N_LETTERS:
            yield _line(line, boxes, usual)


def _line(letters: I64, boxes: I64, usual: float) -> TextLine:
    """usual: the height of a letter. What hangs below the line, or ends above it, is part of it too."""
    inside = boxes[_touching(boxes, letters, 0.0)]
    taken, extent = _total_width(letters), int(letters[:, 2].max() - letters[:, 0].min())
    whole = boxes[_touching(boxes, letters, usual) & (boxes[:, 3] - boxes[:, 1] <= _LARGER * usual)]
    left, top = (int(side) for side in whole[:, :2].min(axis=0))
    right, bottom = (int(side) for side in whole[:, 2:].max(axis=0))
    filled, alone = taken / max(extent, 1), taken / max(_total_width(inside), 1)
    return TextLine(left, top, right, bottom, len(letters), usual, filled, alone)


def _touching(boxes: I64, letters: I64, beside: float) -> Bool:
    """Which boxes lie in the one round some letters, or so few pixels to the left or right of it."""
    left, top = letters[:, :2].min(axis=0)
    right, bottom = letters[:, 2:].max(axis=0)
    is_beside = (boxes[:, 0] < right + beside) & (boxes[:, 2] > left - beside)
    return np.asarray(is_beside & (boxes[:, 1] < bottom) & (boxes[:, 3] > top), np.bool_)


def _total_width(boxes: I64) -> float:
    widths: F64 = (boxes[:, 2] - boxes[:, 0]).astype(np.float64)
    return float(widths.sum())
