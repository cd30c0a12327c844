"""metrics: what the original programs of Oxford and its revision compute, scikit-learn, values by hand."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from bof.evaluation.benchmarks.revisited import SETTINGS
from bof.evaluation.metrics import (
    average_precision,
    average_precision_of_ranks,
    micro_average_precision,
    positive_ranks,
    precision_at,
    precision_recall,
    recall_at,
    recall_at_precision,
    ukbench_score,
)

PRINTED = 5e-6
"""The original program prints six digits."""

EXACT = 1e-9
"""The oracle of the Revisited program holds all digits."""


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


@pytest.mark.parametrize("setting", SETTINGS)
def test_figures_are_those_of_the_revisited_program(shared: Path, setting: str) -> None:
    oracle = json.loads((shared / "oracles" / "revisited_map.json").read_text())
    positive_labels, junk_labels = SETTINGS[setting]
    for case in oracle["cases"]:
        judged = []
        for truth, ranking in zip(case["gnd"], case["ranks"], strict=True):
            positives, junk = (
                {i for label in labels for i in truth[label]} for labels in (positive_labels, junk_labels)
            )
            judged.append((positive_ranks(ranking, positives, junk), len(positives)))
        expected, counted = case["expected"][setting], [one for one in judged if one[1]]
        averages = [average_precision_of_ranks(*one) if one[1] else None for one in judged]
        assert averages == [None if ap is None else pytest.approx(ap, abs=EXACT) for ap in expected["aps"]]
        assert np.mean([ap for ap in averages if ap is not None]) == pytest.approx(expected["map"], abs=EXACT)
        for k in oracle["kappas"]:
            mean = np.mean([precision_at(k, *one) for one in counted])
            assert mean == pytest.approx(expected["mpk"][str(k)], abs=EXACT)


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


RANKS = [
    ("abc", "b", "", [2]),
    ("xaxb", "ab", "x", [1, 2]),
    ("xayb", "abc", "x", [1, 3]),
    ("ab", "a", "ab", [1]),
    ("xy", "a", "", []),
    ("", "a", "b", []),
]


@pytest.mark.parametrize(("ranking", "positives", "junk", "expected"), RANKS)
def test_ranks_pass_over_junk(ranking: str, positives: str, junk: str, expected: list[int]) -> None:
    assert positive_ranks(list(ranking), set(positives), set(junk)) == expected


PRECISIONS = [
    (1, [1], 1, 1),
    (1, [2], 1, 0),
    (10, [2], 1, 1 / 2),  # k' = 2, the rank of the last positive
    (10, [1, 4], 2, 2 / 4),
    (5, [1, 4, 20], 3, 2 / 5),
    (10, [1], 2, 1 / 10),  # the second was not ranked: it comes after everything
    (5, [], 3, 0),
]


@pytest.mark.parametrize(("k", "ranks", "n_positives", "expected"), PRECISIONS)
def test_precision_at_k(k: int, ranks: list[int], n_positives: int, expected: float) -> None:
    assert precision_at(k, ranks, n_positives) == pytest.approx(expected)


@given(names, st.sets(st.sampled_from("abcde"), min_size=1), st.integers(0, 9))
def test_a_ranking_that_breaks_off_gains_nothing(ranking: list[str], positives: set[str], length: int) -> None:
    whole, part = (positive_ranks(order, positives) for order in (ranking, ranking[:length]))
    n = len(positives)
    assert average_precision_of_ranks(part, n) <= average_precision_of_ranks(whole, n) + 1e-12
    for k in (1, 5, 10):
        assert precision_at(k, part, n) <= precision_at(k, whole, n)


def test_the_curve_has_a_point_for_each_positive() -> None:
    precision, recall = precision_recall([1, 3, 4], 5)
    assert precision.tolist() == pytest.approx([1, 2 / 3, 3 / 4])
    assert recall.tolist() == pytest.approx([1 / 5, 2 / 5, 3 / 5])
    precision, recall = precision_recall([], 2)
    assert (len(precision), len(recall)) == (0, 0)


# -- Pooled -----------------------------------------------------------------------------------------------------------

POOLS = [
    # scores, true pairs, all positives, micro-AP, recall at precision 0.9
    ([3, 2, 1], [1, 1, 0], 2, 1, 1),
    ([3, 2, 1], [0, 1, 1], 2, (1 / 2 + 2 / 3) / 2, 0),
    ([3, 2, 1], [1, 0, 1], 4, (1 + 2 / 3) / 4, 1 / 4),  # two true pairs were never returned
    ([2, 2, 1], [1, 0, 1], 2, (1 / 2 + 2 / 3) / 2, 0),  # a tie counts worst first
    ([1, 1, 1], [1, 1, 0], 2, (1 / 2 + 2 / 3) / 2, 0),
    (list(range(11, 0, -1)), [1, 0] + [1] * 9, 10, (1 + sum(i / (i + 1) for i in range(2, 11))) / 10, 1),  # 10 of 11
    ([1.0], [0], 1, 0, 0),
    ([], [], 3, 0, 0),
]


@pytest.mark.parametrize(("scores", "hits", "n_positives", "micro_ap", "recall"), POOLS)
def test_pools_by_hand(scores: list[float], hits: list[int], n_positives: int, micro_ap: float, recall: float) -> None:
    pool = np.array(scores, np.float64), np.array(hits, np.bool_), n_positives
    assert micro_average_precision(*pool) == pytest.approx(micro_ap)
    assert recall_at_precision(0.9, *pool) == pytest.approx(recall)


pools = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30)


@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(any), st.randoms())
def test_without_ties_micro_ap_is_that_of_scikit_learn(hits: list[bool], random: Random) -> None:
    scores = np.array(random.sample(range(100), len(hits)), np.float64)
    found = micro_average_precision(scores, np.array(hits), sum(hits))
    assert found == pytest.approx(average_precision_score(hits, scores))


@given(pools, st.integers(1, 5), st.randoms())
def test_the_order_of_a_pool_does_not_matter(pool: list[tuple[int, bool]], n_missed: int, random: Random) -> None:
    figures = set()
    for _ in range(3):
        scores, hits = np.array([p[0] for p in pool], np.float64), np.array([p[1] for p in pool])
        n_positives = int(hits.sum()) + n_missed
        micro_ap = micro_average_precision(scores, hits, n_positives)
        figures.add((round(micro_ap, 12), recall_at_precision(0.9, scores, hits, n_positives)))
        random.shuffle(pool)
    assert len(figures) == 1
    assert 0 <= micro_ap < 1


@given(pools, st.floats(0.05, 1))
def test_recall_at_precision_is_that_of_the_best_threshold(pool: list[tuple[int, bool]], least: float) -> None:
    n_positives = sum(hit for _, hit in pool) + 1
    retained = [[hit for score, hit in pool if score >= threshold] for threshold in range(8)]
    best = max((sum(k) for k in retained if k and sum(k) / len(k) >= least), default=0) / n_positives
    scores, hits = np.array([p[0] for p in pool], np.float64), np.array([p[1] for p in pool])
    assert recall_at_precision(least, scores, hits, n_positives) == best


def test_a_pool_without_positives_raises() -> None:
    for figure in (micro_average_precision, lambda *pool: recall_at_precision(0.9, *pool)):
        with pytest.raises(ValueError, match="at least one positive"):
            figure(np.ones(1), np.zeros(1, np.bool_), 0)
