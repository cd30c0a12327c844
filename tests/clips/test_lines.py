"""Lines of time come back from planted matches: speed, offset, pieces in another order, repeats, false matches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bof.clips.lines import Matches, find_lines

SHOTS = [(0.0, 3.0), (3.0, 7.5), (7.5, 9.0), (9.0, 14.0), (14.0, 16.5), (16.5, 22.0), (22.0, 30.0)]


def shot_at(time: float) -> tuple[float, float]:
    return next(shot for shot in SHOTS if shot[0] <= time < shot[1])


def matches_of(rows: list[tuple[float, tuple[float, float], int, bool, float]]) -> Matches:
    """Rows of query time, shot, film, mirrored, weight."""
    query_s = np.array([row[0] for row in rows])
    return Matches(
        np.unique(query_s, return_inverse=True)[1].astype(np.int32),
        query_s,
        np.array([row[2] for row in rows], np.int32),
        np.array([row[1][0] for row in rows]),
        np.array([row[1][1] for row in rows]),
        np.array([row[3] for row in rows], np.bool_),
        np.array([row[4] for row in rows]),
    )


def copied(start: float, stop: float, speed: float, offset: float, film: int = 0, mirrored: bool = False) -> list[Any]:
    """A sample a second of a copied piece, each with the shot that it shows."""
    times = np.arange(start + 0.3, stop, 1.0).tolist()
    return [(time, shot_at(speed * time + offset), film, mirrored, 1.0) for time in times]


@pytest.mark.parametrize("speed", [0.9, 0.95, 1.0, 1.05, 1.1])
def test_speed_and_offset_come_back_as_far_as_shots_tell(speed: float) -> None:
    [line] = find_lines(matches_of(copied(0, 20, speed, 4.2)), 2.0)
    assert len(line.rows) == 20
    for time in (1.0, 10.0, 19.0):
        assert abs(line.speed * time + line.offset - (speed * time + 4.2)) < 1.5


def test_pieces_in_another_order_are_lines_of_their_own() -> None:
    rows = copied(0, 8, 1.0, 14.0) + copied(8, 16, 1.0, -8.0)
    first, second = sorted(find_lines(matches_of(rows), 2.0), key=lambda line: line.rows.min())
    assert first.rows.tolist() == list(range(8))
    assert second.rows.tolist() == list(range(8, 16))
    assert first.offsets[0] - 0.01 <= 14.0 <= first.offsets[1] + 0.01
    assert second.offsets[0] - 0.01 <= -8.0 <= second.offsets[1] + 0.01


def test_a_piece_that_a_film_shows_twice_has_two_lines() -> None:
    rows = copied(0, 9, 1.0, 0.0) + copied(0, 9, 1.0, 13.0)
    lines = find_lines(matches_of(rows), 2.0)
    assert sorted(len(line.rows) for line in lines[:2]) == [9, 9]
    assert {round(line.offset) for line in lines[:2]} == {0, 13}


def test_films_and_mirror_images_do_not_mix() -> None:
    rows = copied(0, 6, 1.0, 2.0) + copied(0, 6, 1.0, 2.0, film=1) + copied(6, 12, 1.0, 2.0, mirrored=True)
    found = {(line.film, line.mirrored): len(line.rows) for line in find_lines(matches_of(rows), 2.0)}
    assert found == {(0, False): 6, (0, True): 6, (1, False): 6}


def test_false_matches_are_left_out() -> None:
    rng = np.random.default_rng(3)
    noise = [(float(t), SHOTS[int(rng.integers(len(SHOTS)))], 0, False, 0.4) for t in rng.uniform(0, 20, 20)]
    rows = copied(0, 20, 1.0, 5.0) + noise
    line = find_lines(matches_of(rows), 5.0)[0]
    assert set(range(20)) <= set(line.rows.tolist())
    assert line.speed == 1.0
    assert abs(line.offset - 5.0) < 0.5


def test_a_long_still_shot_leaves_its_offset_open() -> None:
    rows = [(time, (22.0, 30.0), 0, False, 1.0) for time in (0.3, 1.3, 2.3)]
    [line] = find_lines(matches_of(rows), 2.0)
    assert line.offsets == pytest.approx((22.0 - 0.3, 30.0 - 2.3))


def test_a_long_pause_ends_a_line() -> None:
    rows = copied(0, 5, 1.0, 2.0) + copied(14, 19, 1.0, 2.0)
    assert [len(line.rows) for line in find_lines(matches_of(rows), 2.0)] == [5, 5]


def test_weak_matches_make_no_line() -> None:
    assert find_lines(matches_of(copied(0, 1, 1.0, 2.0)), 2.0) == []
    assert find_lines(matches_of([]), 2.0) == []


def test_the_order_of_matches_does_not_matter() -> None:
    rows = copied(0, 8, 1.0, 14.0) + copied(8, 16, 1.0, -8.0)
    matches = matches_of(rows)
    order = np.random.default_rng(1).permutation(len(matches))
    one, other = find_lines(matches, 2.0), find_lines(matches.take(order), 2.0)
    assert [(line.speed, line.offsets) for line in one] == [(line.speed, line.offsets) for line in other]
