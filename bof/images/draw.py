"""The match picture: query and hit side by side, with the inliers and the outline that prove the match.

The captions need the TrueType text of OpenCV 5 (cv2.FontFace): it draws any script, where older ones drew ASCII only.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import cv2
import numpy as np

from bof.errors import BofError
from bof.images.decode import Picture
from bof.types import F32, F64, U8, Box, Hit

Colour = tuple[int, int, int]
Size = tuple[int, int]

FIT_PX = 640
MAX_ENLARGEMENT = 2.0
FRAME_PX = 4
GAP_PX = 12
MIN_WIDTH_PX = 480
MAX_LINES = 80
FONT_PX = 18
LINE_PX = 26

RED: Colour = (214, 40, 40)
GREEN: Colour = (32, 168, 72)
VIOLET: Colour = (150, 66, 224)
GREY: Colour = (150, 150, 150)
PAPER: Colour = (250, 250, 250)
INK: Colour = (30, 30, 30)

# cv2 draws at fractions of a pixel when coordinates are integers scaled by 2^SHIFT.
SHIFT = 4
GOLDEN_RATIO = 0.618034
# A corner beyond this, or one that is not a number, comes from a degenerate transform: its sides are left out.
FARTHEST_PX = 1e9


@dataclass(frozen=True, slots=True)
class _Panel:
    """A picture scaled for display, u8 (h, w, 3), and the size of its original frame in pixels."""

    rgb: U8
    original: Size

    def to_panel(self, xy_px: F32 | F64) -> F64:
        """Points (n, 2) of the original frame in the panel's pixels; the half pixels keep centres on centres."""
        shown = np.array([self.rgb.shape[1], self.rgb.shape[0]], np.float64)
        scaled: F64 = (np.asarray(xy_px, np.float64).reshape(-1, 2) + 0.5) * (shown / self.original) - 0.5
        return scaled

    def inside(self, xy_px: F32) -> F64:
        """The same for points that belong to the picture: held within it, so that rounding cannot push them out."""
        last = np.array([self.rgb.shape[1], self.rgb.shape[0]], np.float64) - 1
        return np.clip(self.to_panel(xy_px), 0, last)


def draw_match(
    query_rgb: U8,
    candidate_rgb: U8,
    *,
    query_size: Size,
    candidate_size: Size,
    query_xy_px: F32,
    candidate_xy_px: F32,
    outline: F64 | None,
    verified: bool,
    caption: str,
    query_box: Box | None = None,
    query_region: F64 | None = None,
) -> U8:
    """Query (red, left) and candidate (right, green if verified, else grey) joined by their inliers, u8 (h, w, 3) RGB.

    With a query_region, what both share, the candidate and the regions in both pictures are framed violet.

    query_rgb, candidate_rgb u8 (h, w, 3): the pictures, full size or shrunk; query_size, candidate_size: (width,
    height) of the original upright pictures. In their pixels are query_xy_px and candidate_xy_px f32 (m, 2), outline
    f64 (n, 2) in the candidate, query_region f64 (k, 2) and query_box (x0, y0, x1, y1) in the query. Lines of the
    caption are split at newlines.
    """
    query = _panel(query_rgb, query_size)
    candidate = _panel(candidate_rgb, candidate_size)
    frame = VIOLET if query_region is not None else GREEN if verified else GREY
    if query_box is not None:
        _draw_polygon(query, _box_corners(query_box), RED)
    if query_region is not None:
        _draw_polygon(query, query_region, VIOLET)
    if outline is not None:
        _draw_polygon(candidate, outline, frame)
    canvas, query_at, candidate_at = _compose(query, candidate, frame)
    start = query.inside(query_xy_px) + query_at
    end = candidate.inside(candidate_xy_px) + candidate_at
    _draw_lines(canvas, start, end)
    strip = caption_strip(caption, canvas.shape[1])
    return np.concatenate([canvas, strip])


def draw_hit(
    query: Picture, candidate: Picture, query_xy_px: F32, candidate_xy_px: F32, hit: Hit, caption: str,
    query_box: Box | None = None,
) -> U8:  # fmt: skip
    """The proof of a hit, u8 (h, w, 3): `draw_match` of two pictures in RGB, with what its verdict lets one claim.

    query_xy_px, candidate_xy_px f32 (m, 2): the inliers in pixels of each original.
    """
    located = hit.verdict in ("same", "part", "maybe")
    shared = hit.agreement if hit.verdict == "part" else None  # then the parts that agree are shown, in both
    return draw_match(
        query.pixels,
        candidate.pixels,
        query_size=(query.width, query.height),
        candidate_size=(candidate.width, candidate.height),
        query_xy_px=query_xy_px if located else query_xy_px[:0],
        candidate_xy_px=candidate_xy_px if located else candidate_xy_px[:0],
        outline=(shared.hit_region if shared else hit.outline) if located else None,
        query_region=shared.query_region if shared else None,
        verified=hit.verdict == "same",
        caption=caption,
        query_box=query_box,
    )


def encode_jpeg(rgb: U8, quality: int = 90) -> bytes:
    """The picture u8 (h, w, 3) as a JPEG file; colours keep full resolution, so that thin lines stay sharp."""
    params = [cv2.IMWRITE_JPEG_QUALITY, quality]
    params += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[:, :, ::-1]), params)
    if not done:
        raise BofError("cannot be encoded as JPEG", expected="a picture", found=f"an array of shape {rgb.shape}")
    return bytes(data.tobytes())


def _panel(rgb: U8, original: Size) -> _Panel:
    """The picture fitted into a square of FIT_PX, enlarged at most MAX_ENLARGEMENT times, at least one pixel."""
    height, width = rgb.shape[:2]
    scale = min(FIT_PX / width, FIT_PX / height, MAX_ENLARGEMENT)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return _Panel(np.array(cv2.resize(rgb, size, interpolation=method), np.uint8), original)


def _compose(query: _Panel, candidate: _Panel, frame: Colour) -> tuple[U8, F64, F64]:
    """Both panels framed on one canvas of a common height, and where the first pixel (x, y) of each lies."""
    left, right = _framed(query.rgb, RED), _framed(candidate.rgb, frame)
    height = max(len(left), len(right)) + 2 * GAP_PX
    width = left.shape[1] + right.shape[1] + 3 * GAP_PX
    margin = max(0, MIN_WIDTH_PX - width) // 2
    canvas: U8 = np.full((height, max(width, MIN_WIDTH_PX), 3), PAPER, np.uint8)
    left_at = _paste(canvas, left, margin + GAP_PX)
    right_at = _paste(canvas, right, margin + 2 * GAP_PX + left.shape[1])
    return canvas, left_at + FRAME_PX, right_at + FRAME_PX


def _framed(rgb: U8, colour: Colour) -> U8:
    width = FRAME_PX
    framed = cv2.copyMakeBorder(rgb, width, width, width, width, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(framed, np.uint8)


def _paste(canvas: U8, rgb: U8, x: int) -> F64:
    """Put rgb into the canvas, in the middle of its height; returns its first pixel (x, y)."""
    y = (len(canvas) - len(rgb)) // 2
    canvas[y : y + rgb.shape[0], x : x + rgb.shape[1]] = rgb
    return np.array([x, y], np.float64)


def _box_corners(box: Box) -> F64:
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)


def _draw_polygon(panel: _Panel, corners: F64, colour: Colour) -> None:
    """Draw the sides of a polygon as far as they lie in the panel, on a thin dark rim that shows on any ground."""
    points = panel.to_panel(corners)
    sides = [_clip(start, end, panel.rgb.shape) for start, end in zip(points, np.roll(points, -1, axis=0), strict=True)]
    for ink, width in ((INK, 5), (colour, 3)):
        for side in sides:
            if side is not None:
                cv2.line(panel.rgb, _fixed(side[0]), _fixed(side[1]), ink, width, cv2.LINE_AA, SHIFT)


def _clip(start: F64, end: F64, shape: tuple[int, ...]) -> tuple[F64, F64] | None:
    """The part of a segment within the picture (Liang and Barsky 1984), or None.

    In float64, since a transform may send a corner beyond what cv2's integers hold.
    """
    if not (np.abs([start, end]) < FARTHEST_PX).all():
        return None
    step, last = end - start, np.array([shape[1], shape[0]], np.float64) - 1
    moving = np.abs(step) > 1e-9
    if (~moving & ((start < 0) | (start > last))).any():
        return None
    ends = np.array([-start[moving], (last - start)[moving]]) / step[moving]
    first = max(0.0, float(ends.min(axis=0).max(initial=0.0)))
    final = min(1.0, float(ends.max(axis=0).min(initial=1.0)))
    if first > final:
        return None
    # Rounding over a very long side is larger than a pixel's fraction: hold the ends within the picture.
    return np.clip(start + first * step, 0, last), np.clip(start + final * step, 0, last)


def _draw_lines(canvas: U8, start: F64, end: F64) -> None:
    """Join the pairs, each in its own hue, with a ring at either end; among many, an even sample from top to bottom."""
    usable = np.flatnonzero(np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1))
    rows = usable[np.lexsort((start[usable, 0], start[usable, 1]))]
    if len(rows) > MAX_LINES:
        rows = rows[np.linspace(0, len(rows) - 1, MAX_LINES).round().astype(np.int64)]
    for row, colour in zip(rows, _hues(len(rows)), strict=True):
        first, final = _fixed(start[row]), _fixed(end[row])
        cv2.line(canvas, first, final, colour, 1, cv2.LINE_AA, SHIFT)
        for centre in (first, final):
            cv2.circle(canvas, centre, 3 << SHIFT, colour, 1, cv2.LINE_AA, SHIFT)


def _hues(n: int) -> list[Colour]:
    """n bright colours; steps by the golden ratio keep neighbours far apart on the colour wheel."""
    hue = (np.arange(n) * GOLDEN_RATIO % 1.0 * 180).astype(np.uint8)
    hsv = np.stack([hue, np.full_like(hue, 200), np.full_like(hue, 245)], axis=1).reshape(1, n, 3)
    if n == 0:
        return []
    return [(int(r), int(g), int(b)) for r, g, b in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0]]


def _fixed(xy: F64) -> tuple[int, int]:
    return round(float(xy[0]) * (1 << SHIFT)), round(float(xy[1]) * (1 << SHIFT))


def caption_strip(caption: str, width: int) -> U8:
    """The caption's lines in dark ink on paper, u8 (h, width, 3); lines too long lose their middle."""
    font = cv2.FontFace("sans")
    lines = [_elided(_printable(line), width - 2 * GAP_PX, font) for line in caption.splitlines()]
    strip: U8 = np.full((len(lines) * LINE_PX + GAP_PX if lines else 0, width, 3), PAPER, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(strip, line, (GAP_PX, number * LINE_PX + FONT_PX), INK, font, FONT_PX)
    return strip


def _printable(text: str) -> str:
    """The text with '?' for what is no character: OpenCV crashes on the lone surrogates of undecodable file names."""
    return "".join("?" if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") else char for char in text)


def _elided(text: str, width_px: int, font: cv2.FontFace) -> str:
    """The text, or as much of its two ends as fits: a path tells most at its start and at its end."""
    low, high = 0, len(text)
    if _text_width(text, font) <= width_px:
        return text
    while high - low > 1:
        n_shown = (low + high) // 2
        low, high = (n_shown, high) if _text_width(_ends(text, n_shown), font) <= width_px else (low, n_shown)
    return _ends(text, low)


def _ends(text: str, n_shown: int) -> str:
    """The text's first and last characters, `n_shown` in all, with an ellipsis between."""
    head = (n_shown + 1) // 2
    return f"{text[:head]}…{text[len(text) - (n_shown - head) :]}"


def _text_width(text: str, font: cv2.FontFace) -> int:
    return int(cv2.getTextSize((0, 0), text, (0, 0), font, FONT_PX)[2])
