"""bof.metrics: average precision as the original program prints it, recall and the UKBench score by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.metrics import average_precision, recall_at, ukbench_score

PRINTED = 5e-6
"""The original program prints six digits."""


def listed(folder: Path, query: str, *kinds: str) -> set[str]:
    return {name for kind in kinds for name in (folder / f"{query}_{kind}.txt").read_text().split()}


def test_average_precision_is_that_of_the_oxford_program(shared: Path) -> None:
    truth, cases = shared / "oxford5k_gt", json.loads((shared / "oracles" / "oxford_ap.json").read_text())["cases"]
    assert len(cases) == 55
    differences = {}
    for case in cases:
        query = case["query"]
        positives = set(case.get("positives") or listed(truth, query, "good", "ok"))
        junk = set(case.get("junk") or listed(truth, query, "junk"))
        differences[query] = abs(average_precision(case["ranking"], positives, junk) - case["ap"])
    assert max(differences.values()) <= PRINTED, differences


BY_HAND = [
    ("ab", "ab", 1),
    ("xa", "a", (0 + 1 / 2) / 2),
    ("axb", "ab", (1 + 1) / 2 / 2 + (1 / 2 + 2 / 3) / 2 / 2),
    ("xxab", "ab", (0 + 1 / 3) / 2 / 2 + (1 / 3 + 2 / 4) / 2 / 2),
    ("ax", "ab", 1 / 2),
    ("xyz", "a", 0),
    ("", "a", 0),
]


@pytest.mark.parametrize(("ranking", "positives", "expected"), BY_HAND)
def test_average_precision_by_hand(ranking: str, positives: str, expected: float) -> None:
    assert average_precision(list(ranking), set(positives)) == pytest.approx(expected, abs=1e-12)


names = st.permutations("abcdefghij")


@given(names, st.sets(st.sampled_from("abcde"), min_size=1), st.sets(st.sampled_from("fghij")))
def test_junk_is_passed_over(ranking: list[str], positives: set[str], junk: set[str]) -> None:
    without = [name for name in ranking if name not in junk]
    assert average_precision(ranking, positives, junk) == average_precision(without, positives)
    for k in (1, 3, 10):
        assert recall_at(k, ranking, positives, junk) == recall_at(k, without, positives)


@given(names, st.sets(st.sampled_from("abcde"), min_size=1))
def test_average_precision_is_one_only_when_positives_lead(ranking: list[str], positives: set[str]) -> None:
    score = average_precision(ranking, positives)
    assert 0 <= score <= 1 + 1e-12
    assert (score == pytest.approx(1)) == (set(ranking[: len(positives)]) == positives)


def test_a_positive_that_is_also_junk_counts() -> None:
    assert average_precision(["a", "b"], {"a", "b"}, {"a"}) == 1
    assert recall_at(1, ["a"], {"a"}, {"a"}) == 1


def test_average_precision_without_positives_raises() -> None:
    with pytest.raises(ValueError, match="at least one positive"):
        average_precision(["a"], set())


RECALLS = [
    (1, "abc", "a", "", 1),
    (1, "abc", "b", "", 0),
    (2, "abc", "b", "", 1),
    (1, "xabc", "a", "x", 1),
    (2, "xyzab", "b", "xyz", 1),
    (1, "xyzab", "b", "xyz", 0),
    (10, "abc", "z", "", 0),
    (10, "", "z", "", 0),
]


@pytest.mark.parametrize(("k", "ranking", "positives", "junk", "expected"), RECALLS)
def test_recall_at_k(k: int, ranking: str, positives: str, junk: str, expected: float) -> None:
    assert recall_at(k, list(ranking), set(positives), set(junk)) == expected


@pytest.mark.parametrize(
    ("ranking", "score"), [("abcd", 4), ("dcbaxy", 4), ("axby", 2), ("wxyzabcd", 0), ("ab", 2), ("", 0)]
)
def test_ukbench_score_counts_the_first_four(ranking: str, score: int) -> None:
    assert ukbench_score(list(ranking), set("abcd")) == score
