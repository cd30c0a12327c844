"""The match picture: frames, outline and lines lie where they belong, and nothing that geometry yields breaks it."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest

from bof.images import draw
from bof.types import F32, F64, U8, Box

GRAY = 128
ORIGIN = draw.GAP_PX + draw.FRAME_PX


def _picture(width: int, height: int) -> U8:
    return np.full((height, width, 3), GRAY, np.uint8)


def _points(*xy: tuple[float, float]) -> F32:
    return np.array(xy, np.float32).reshape(-1, 2)


def _draw(
    query: U8,
    candidate: U8,
    *,
    pairs: tuple[F32, F32] | None = None,
    outline: F64 | None = None,
    verified: bool = True,
    caption: str = "",
    box: Box | None = None,
    query_size: tuple[int, int] | None = None,
    query_region: F64 | None = None,
) -> U8:
    start, end = pairs or (_points(), _points())
    return draw.draw_match(
        query,
        candidate,
        query_size=query_size or (query.shape[1], query.shape[0]),
        candidate_size=(candidate.shape[1], candidate.shape[0]),
        query_xy_px=start,
        candidate_xy_px=end,
        outline=outline,
        verified=verified,
        caption=caption,
        query_box=box,
        query_region=query_region,
    )


def _colour(picture: U8, x: int, y: int) -> tuple[int, ...]:
    return tuple(picture[y, x].tolist())


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    y, x = np.nonzero(mask)
    return int(x.min()), int(y.min()), int(x.max()), int(y.max())


def _is(picture: U8, colour: tuple[int, int, int]) -> np.ndarray:
    return np.asarray((picture == np.array(colour, np.uint8)).all(axis=2))


# 640x480 pictures are shown at their own size: the panel's first pixel lies at (ORIGIN, ORIGIN).
CANDIDATE_X = ORIGIN + 640 + 2 * draw.FRAME_PX + draw.GAP_PX


def test_what_both_share_is_outlined_in_both_and_framed_violet() -> None:
    in_query, in_candidate = (np.array([[100, y], [300, y], [300, 400], [100, 400]], np.float64) for y in (100, 200))
    picture = _draw(_picture(640, 480), _picture(640, 480), verified=False, outline=in_candidate, query_region=in_query)
    middle = picture.shape[0] // 2
    assert _colour(picture, draw.GAP_PX, middle) == draw.RED
    assert _colour(picture, CANDIDATE_X - 1, middle) == draw.VIOLET
    panels = (picture[ORIGIN : ORIGIN + 480, x : x + 640] for x in (ORIGIN, CANDIDATE_X))
    bounds = [_bounds(_is(panel, draw.VIOLET)) for panel in panels]
    np.testing.assert_allclose(bounds, [(100, 100, 300, 400), (100, 200, 300, 400)], atol=2)


@pytest.mark.parametrize(("verified", "colour"), [(True, draw.GREEN), (False, draw.GREY)])
def test_frames_are_red_and_green_or_grey(verified: bool, colour: tuple[int, int, int]) -> None:
    picture = _draw(_picture(640, 480), _picture(640, 480), verified=verified)
    middle = picture.shape[0] // 2
    assert _colour(picture, draw.GAP_PX, middle) == draw.RED
    assert _colour(picture, ORIGIN - 1, middle) == draw.RED
    assert _colour(picture, ORIGIN, middle) == (GRAY,) * 3
    assert _colour(picture, CANDIDATE_X - 1, middle) == colour
    assert _colour(picture, CANDIDATE_X, middle) == (GRAY,) * 3
    assert _colour(picture, CANDIDATE_X + 640, middle) == colour


def test_outline_lands_on_its_pixels() -> None:
    corners = np.array([(100, 80), (500, 80), (500, 400), (100, 400)], np.float64)
    picture = _draw(_picture(640, 480), _picture(640, 480), outline=corners)
    assert _colour(picture, CANDIDATE_X + 100, ORIGIN + 240) == draw.GREEN
    assert _colour(picture, CANDIDATE_X + 300, ORIGIN + 400) == draw.GREEN
    assert _colour(picture, CANDIDATE_X + 300, ORIGIN + 240) == (GRAY,) * 3
    assert _colour(picture, ORIGIN + 100, ORIGIN + 240) == (GRAY,) * 3


def test_query_box_is_red_in_the_query() -> None:
    picture = _draw(_picture(640, 480), _picture(640, 480), box=(50, 60, 300, 200))
    assert _colour(picture, ORIGIN + 50, ORIGIN + 130) == draw.RED
    assert _colour(picture, ORIGIN + 200, ORIGIN + 200) == draw.RED
    assert _colour(picture, CANDIDATE_X + 50, ORIGIN + 130) == (GRAY,) * 3


@pytest.mark.parametrize("shrink", [1, 2, 4])
def test_points_are_in_the_original_frame_whatever_was_decoded(shrink: int) -> None:
    """The centre of the picture stays its centre, to the half pixel, however much the decoder shrank it."""
    decoded = _picture(2560 // shrink, 1920 // shrink)
    pairs = (_points((1279.5, 959.5)), _points((319.5, 239.5)))
    picture = _draw(decoded, _picture(640, 480), pairs=pairs, query_size=(2560, 1920))
    panel = picture[ORIGIN : ORIGIN + 480, ORIGIN : ORIGIN + 640]
    x0, y0, _, y1 = _bounds((panel != GRAY).any(axis=2))
    assert x0 == pytest.approx(319.5 - 3, abs=1)
    assert (y0 + y1) / 2 == pytest.approx(239.5, abs=0.5)


def test_enlarged_points_keep_half_pixels() -> None:
    panel = draw._panel(_picture(100, 50), (100, 50))
    assert panel.rgb.shape == (100, 200, 3)
    np.testing.assert_allclose(panel.to_panel(_points((0, 0), (99, 49))), [(0.5, 0.5), (198.5, 98.5)])


def test_lines_join_the_two_points_of_each_pair() -> None:
    picture = _draw(_picture(640, 480), _picture(640, 480), pairs=(_points((100, 200)), _points((300, 200))))
    assert _colour(picture, ORIGIN + 110, ORIGIN + 200) == _colour(picture, CANDIDATE_X + 290, ORIGIN + 200)
    assert _colour(picture, ORIGIN + 90, ORIGIN + 200) == (GRAY,) * 3
    assert _colour(picture, CANDIDATE_X + 310, ORIGIN + 200) == (GRAY,) * 3


def test_many_inliers_are_thinned_evenly() -> None:
    y = np.linspace(0, 479, 2000, dtype=np.float32)
    points = np.stack([np.full_like(y, 320), y], axis=1)
    picture = _draw(_picture(640, 480), _picture(640, 480), pairs=(points, points))
    column = picture[ORIGIN : ORIGIN + 480, ORIGIN + 500]
    lines = (column != GRAY).any(axis=1)
    assert 60 <= np.count_nonzero(np.diff(lines.astype(int)) == 1) + 1 <= draw.MAX_LINES + 1
    assert lines[:4].any()
    assert lines[-4:].any()


def test_colours_of_neighbours_differ() -> None:
    colours = np.array(draw._hues(80), int)
    assert len(np.unique(colours, axis=0)) >= 70
    assert (np.abs(np.diff(colours, axis=0)).sum(axis=1) > 100).all()


@pytest.mark.parametrize("scale", [1e3, 1e7, 1e12, 1e300, np.inf, np.nan])
def test_extreme_outlines_are_drawn_as_far_as_they_reach(scale: float) -> None:
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = _draw(_picture(640, 480), _picture(640, 480), outline=corners)
    assert _colour(picture, CANDIDATE_X + 320, ORIGIN + 240) == (GRAY,) * 3


def test_far_corner_keeps_the_visible_part_of_the_side() -> None:
    corners = np.array([(-1e8, 240), (1e8, 240), (1e8, 1e8), (-1e8, 1e8)], np.float64)
    picture = _draw(_picture(640, 480), _picture(640, 480), outline=corners)
    assert {_colour(picture, CANDIDATE_X + x, ORIGIN + 240) for x in (0, 300, 639)} == {draw.GREEN}
    assert _colour(picture, CANDIDATE_X + 640 + draw.FRAME_PX, ORIGIN + 240) == draw.PAPER


@pytest.mark.parametrize("seed", range(5))
def test_clip_agrees_with_dense_sampling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for start, end in rng.uniform(-150, 250, (200, 2, 2)):
        along = start + np.linspace(0, 1, 4001)[:, None] * (end - start)
        inside = along[((along >= 0) & (along <= (99, 79))).all(axis=1)]
        clipped = draw._clip(start, end, (80, 100, 3))
        if len(inside):
            assert clipped is not None
            np.testing.assert_allclose(clipped, inside[[0, -1]], atol=0.3)
        else:
            assert clipped is None or np.hypot(*(clipped[1] - clipped[0])) < 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (10000, 3), (3, 4000), (2000, 2000)])
@pytest.mark.parametrize("other", [(1, 1), (640, 480)])
def test_any_size_is_drawn(size: tuple[int, int], other: tuple[int, int]) -> None:
    pairs = (_points((0, 0), (size[0] - 1, size[1] - 1)), _points((0, 0), (other[0] - 1, other[1] - 1)))
    corners = np.array([(0, 0), (5, 0), (5, 5), (0, 5)], np.float64)
    picture = _draw(_picture(*size), _picture(*other), pairs=pairs, outline=corners, caption="x", box=(0, 0, 1, 1))
    assert picture.dtype == np.uint8
    assert draw.MIN_WIDTH_PX <= picture.shape[1] <= 2 * 640 + 100
    assert picture.shape[0] <= 640 + 100


def test_points_that_are_no_numbers_are_left_out() -> None:
    bad = _points((np.nan, 1), (np.inf, 1), (5, 5))
    picture = _draw(_picture(640, 480), _picture(640, 480), pairs=(bad, bad))
    assert (picture[ORIGIN + 5, ORIGIN + 300] != GRAY).any()


def test_inputs_stay_as_they_were() -> None:
    query, candidate = _picture(640, 480), _picture(640, 480)
    corners = np.array([(10, 10), (500, 20), (400, 400), (30, 300)], np.float64)
    _draw(query, candidate, outline=corners, box=(1, 2, 300, 200))
    assert (query == GRAY).all()
    assert (candidate == GRAY).all()


@pytest.mark.parametrize(
    "caption", ["", "score 0.91", "照片 01.jpg\nsame, 41 inliers", "a\udcffb\0\x07\uffff", "w/" * 999]
)
def test_captions_of_any_text(caption: str) -> None:
    plain = _draw(_picture(640, 480), _picture(640, 480))
    picture = _draw(_picture(640, 480), _picture(640, 480), caption=caption)
    strip = picture[len(plain) :]
    assert len(strip) == (draw.LINE_PX * len(caption.splitlines()) + draw.GAP_PX if caption else 0)
    assert (picture[: len(plain)] == plain).all()
    if caption:
        assert (strip.min(axis=(0, 2)) < 100).any()
        assert (strip[:, -draw.GAP_PX :] == draw.PAPER).all()


def test_other_scripts_are_drawn_as_themselves() -> None:
    """The reason to use OpenCV 5's text: two names that an ASCII font would both draw as '??'."""
    first, second = (draw.caption_strip(text, 200) for text in ("海报", "照片"))
    assert (first != second).any()


def test_long_captions_keep_both_ends() -> None:
    font = cv2.FontFace("sans")
    short = draw._elided("holiday/" + "x" * 500 + "/IMG_0042.jpg", 300, font)
    assert short.startswith("holiday/")
    assert short.endswith("IMG_0042.jpg")
    assert draw._text_width(short, font) <= 300


def test_jpeg_keeps_the_picture() -> None:
    picture = _draw(_picture(640, 480), _picture(640, 480))
    data = draw.encode_jpeg(picture)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert data[:2] == b"\xff\xd8"
    assert np.abs(back[:, :, ::-1].astype(int) - picture).mean() < 2
