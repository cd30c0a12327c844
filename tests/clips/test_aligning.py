"""Rough lines become exact: planted edits of drawn films come back to the frame, without any file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bof.clips.aligning import Aligned, Aligner
from bof.clips.frame_pairs import frame_features, match_frames
from bof.clips.lines import Line
from bof.clips.strips import Strip
from bof.options import FeatureOptions
from bof.types import F64, U8
from tests.support import clips
from tests.support.films import black, captioned, letterboxed
from tests.support.scenes import draw_scene

FILM = clips.drawn_film([1, 2, 3, 4])
OPTIONS = FeatureOptions()
FRAME_S = 1 / clips.RATE


def aligned(query: list[U8], film: list[U8], reach: tuple[float, float], seen: list[F64], **line: Any) -> list[Aligned]:
    one, other = clips.strip_of(query), clips.strip_of(film)
    offsets = line.pop("offsets", reach)
    rough = Line(0, line.pop("mirrored", False), line.pop("speed", 1.0), offsets, np.arange(3), 3.0)
    span = line.pop("span", (0.3, one.stop_s - 0.3))
    return sorted(Aligner(one, other, rough, span, reach, OPTIONS, 0.4).align(seen), key=lambda found: found.query_s)


def seen_at(query: list[U8], film: list[U8], row: int, other: int, *, mirrored: bool = False) -> F64:
    strips = clips.strip_of([query[row]]), clips.strip_of([film[other]])
    found = match_frames(*(frame_features(strip, 0, OPTIONS) for strip in strips), mirrored=mirrored)
    assert found.database_from_query is not None
    return found.database_from_query


EDITS: dict[str, Callable[[list[U8]], list[U8]]] = {
    "nothing": list,
    "mirrored": clips.mirrored,
    "cropped": clips.cropped,
    "letterboxed": letterboxed,
    "inset": lambda frames: clips.inset(frames, draw_scene(77)),
    "brighter": clips.brighter,
    "noisy": clips.noisy,
    "captioned": lambda frames: captioned(frames, "what is said"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_copied_piece_is_found_to_the_frame(edit: str) -> None:
    query = EDITS[edit](FILM[30:130])
    is_mirrored = edit == "mirrored"
    seen = seen_at(query, FILM, 45, 75, mirrored=is_mirrored)
    [found] = aligned(query, FILM, (0.2, 2.2), [seen], mirrored=is_mirrored, offsets=(1.0, 1.4))
    assert found.query_s == pytest.approx((0.0, 4.0))
    assert found.film_s == pytest.approx((1.2, 5.2), abs=FRAME_S / 2)
    assert found.speed == pytest.approx(1.0, abs=0.002)
    assert found.mirrored == is_mirrored
    assert found.proof[2] >= 20
    assert not found.still


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_another_speed_is_found(speed: float) -> None:
    query = clips.faster(FILM[20:170], speed)
    [found] = aligned(query, FILM, (0.0, 2.0), [], speed=1.0)
    assert found.speed == pytest.approx(speed, abs=0.004)
    assert found.film_s == pytest.approx((0.8, 6.8), abs=2 * FRAME_S)


def test_pieces_of_one_shot_in_another_order_are_two_segments() -> None:
    query = [*FILM[75:100], *FILM[50:75]]
    first, second = aligned(query, FILM, (0.0, 4.0), [seen_at(query, FILM, 10, 85)])
    assert (first.query_s, second.query_s) == (pytest.approx((0, 1)), pytest.approx((1, 2)))
    assert (first.film_s, second.film_s) == (pytest.approx((3, 4)), pytest.approx((2, 3)))


def test_what_was_put_before_and_behind_is_left_out() -> None:
    query = [*clips.drawn_film([50], 20), *FILM[30:90], *clips.drawn_film([51], 30)]
    [found] = aligned(query, FILM, (0.0, 1.0), [], span=(1.0, 2.9))
    assert found.query_s == pytest.approx((0.8, 3.2))
    assert found.film_s == pytest.approx((1.2, 3.6))


def test_of_a_still_picture_all_its_time_may_be_meant() -> None:
    film = clips.still_film([1, 2, 3])
    [found] = aligned(film[60:80], film, (1.4, 3.8), [])
    assert found.still
    assert found.film_s == pytest.approx((2.0, 4.0), abs=0.1)


def test_a_cut_says_when_a_still_picture_was_taken() -> None:
    film = clips.still_film([1, 2, 3])
    [found] = aligned(film[40:80], film, (1.2, 2.2), [])
    assert not found.still
    assert found.film_s == pytest.approx((1.6, 3.2))


def test_another_film_gives_no_segment() -> None:
    assert aligned(clips.drawn_film([60, 61]), FILM, (0.0, 4.0), [np.eye(3)]) == []


def test_black_frames_alone_are_no_segment() -> None:
    assert aligned(black(60), [*black(100), *FILM[:20]], (0.0, 2.0), [np.eye(3)]) == []


def test_black_between_shots_does_not_end_a_segment() -> None:
    film = [*FILM[:50], *black(30), *FILM[50:100]]
    [found] = aligned(film[20:110], film, (0.4, 1.2), [])
    assert found.query_s == pytest.approx((0.0, 3.6))
    assert found.film_s == pytest.approx((0.8, 4.4))


def test_a_strip_knows_its_frames_by_time() -> None:
    strip: Strip = clips.strip_of(FILM[:10])
    assert strip.at(np.array([-1.0, 0.0, 0.05, 0.07, 9.0])).tolist() == [0, 0, 1, 2, 9]
    assert strip.between(0.1, 0.2).time_s == pytest.approx([0.12, 0.16])
    assert strip.until(np.array([9])) == pytest.approx([0.4])
