"""VCSL's segment precision and recall against figures worked out by hand."""

from __future__ import annotations

import pytest

from bof.evaluation.segments import CopiedSegment, figures, measure_pair

TRUE = CopiedSegment((0, 10), (100, 110))


def measured(predicted: list[CopiedSegment], truth: list[CopiedSegment]) -> tuple[float | None, float | None, int]:
    pair = measure_pair(predicted, truth)
    return pair.precision, pair.recall, pair.n_false


def test_the_truth_itself_has_precision_and_recall_1() -> None:
    assert measured([TRUE], [TRUE]) == (1, 1, 0)


def test_a_segment_cut_in_two_costs_nothing() -> None:
    halves = [CopiedSegment((0, 4), (100, 104)), CopiedSegment((4, 10), (104, 110))]
    assert measured(halves, [TRUE]) == (pytest.approx(1), pytest.approx(1), 0)


def test_both_axes_are_measured_and_multiplied() -> None:
    """Half of the query's range and all of the film's: precision 1 * 1, recall 0.5 * 1."""
    assert measured([CopiedSegment((0, 5), (100, 110))], [TRUE]) == (1, pytest.approx(0.5), 0)
    assert measured([CopiedSegment((0, 5), (100, 105))], [TRUE]) == (1, pytest.approx(0.25), 0)
    assert measured([CopiedSegment((0, 20), (100, 140))], [TRUE]) == (pytest.approx(0.5 * 0.25), 1, 0)


def test_what_is_predicted_twice_counts_twice_in_precision_and_once_in_recall() -> None:
    """Each prediction lies wholly in the truth; the truth is covered from 0 to 8 s only, not 6 + 6 s."""
    twice = [CopiedSegment((0, 6), (100, 106)), CopiedSegment((2, 8), (102, 108))]
    assert measured(twice, [TRUE]) == (1, pytest.approx(0.8 * 0.8), 0)


def test_a_segment_at_another_time_of_the_film_is_false() -> None:
    """It meets the truth in the query alone: no moment is shared."""
    assert measured([CopiedSegment((0, 10), (300, 310))], [TRUE]) == (0, 0, 1)


def test_several_segments_sum_up() -> None:
    """Truths of 10 and 30 s; the second is found, and a false one of 10 s: 30 of 40 s on both axes, both ways."""
    other = CopiedSegment((20, 50), (0, 30))
    false = CopiedSegment((60, 70), (500, 510))
    assert measured([other, false], [TRUE, other]) == (pytest.approx(0.75**2), pytest.approx(0.75**2), 1)


def test_a_truth_of_speed_is_measured_on_both_axes() -> None:
    """10 s of the clip are 11 s of the film; found are the first 5 and 5.5."""
    fast = CopiedSegment((0, 10), (0, 11))
    assert measured([CopiedSegment((0, 5), (0, 5.5))], [fast]) == (1, pytest.approx(0.25), 0)


def test_nothing_predicted_and_nothing_to_find() -> None:
    assert measured([], [TRUE]) == (None, 0, 0)
    assert measured([TRUE], []) == (0, None, 1)
    assert measured([], []) == (None, None, 0)


def test_figures_over_pairs() -> None:
    """Three queries, four films. One is found, one missed, one has nothing to find and a false segment.

    Precision: mean of 1 and 0. Recall: mean of 1 and 0. By query: precisions 1, 1 (none predicted), 0; recalls 1, 0, 1.
    """
    queries = [
        {"a": measure_pair([TRUE], [TRUE])},
        {"b": measure_pair([], [TRUE])},
        {"c": measure_pair([TRUE], [])},
    ]
    found = figures(queries, 4)
    assert (found.n_queries, found.n_pairs, found.n_false_segments) == (3, 12, 1)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.macro_f1 == pytest.approx(2 / 3)
    assert found.missed == 0.5
    assert found.false_alarms == pytest.approx(1 / 10)


def test_figures_of_nothing_are_unknown() -> None:
    found = figures([{}], 2)
    assert (found.precision, found.recall, found.f1, found.macro_f1, found.missed) == (None,) * 5
    assert found.false_alarms == 0


def test_nothing_predicted_where_there_is_something_to_find_has_an_f1_of_0() -> None:
    found = figures([{"a": measure_pair([], [TRUE])}], 2)
    assert (found.precision, found.recall, found.f1) == (None, 0, 0)
