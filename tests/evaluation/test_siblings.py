"""Figures of look-alikes, by hand, and the loaders of their benchmarks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.cli.sibling_table import sibling_lines
from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import BenchmarkQuery, load_benchmark
from bof.evaluation.siblings import SiblingCounts, count, figures, report_siblings
from bof.types import Ranking

RIGHT, SISTER, BROTHER, OTHER = (Path(f"/db/{name}") for name in ("right", "sister", "brother", "other"))
LABELS = {"half": "fit", "kind": "card", "family": "badge", "query_kind": "photo"}


def query(*positives: Path, junk: Sequence[Path] = ()) -> BenchmarkQuery:
    siblings = frozenset({SISTER, BROTHER, RIGHT}) - set(positives)
    image = Path("/query")
    return BenchmarkQuery(image, frozenset(positives), frozenset(junk), siblings=siblings, labels=LABELS)


def ranking(*hits: tuple[Path, Any]) -> Ranking:
    return Ranking([path for path, _ in hits], np.arange(len(hits), 0, -1.0), [verdict for _, verdict in hits], {})


def test_counts_of_one_query() -> None:
    reported = ranking((SISTER, "same"), (RIGHT, "same"), (BROTHER, "part"), (OTHER, "same"))
    counts = count(reported, query(RIGHT))
    assert (counts.n_siblings, counts.siblings_same, counts.siblings_part) == (2, 1, 1)
    assert (counts.n_right, counts.right_same, counts.right_part, counts.others_same) == (1, 1, 0, 1)
    assert (counts.first_right, counts.first_same) == (False, False)


def test_unknown_verdicts_and_pictures_left_out_claim_nothing() -> None:
    counts = count(ranking((RIGHT, "resembles"), (SISTER, "unverified")), query(RIGHT))
    assert (counts.siblings_same, counts.siblings_part, counts.right_same, counts.right_part) == (0, 0, 0, 0)
    assert (counts.first_right, counts.first_same) == (True, False)


def test_nothing_is_first_where_nothing_is_to_be_found_or_was_found() -> None:
    absent = count(ranking((SISTER, "same")), query())
    assert (absent.n_siblings, absent.siblings_same, absent.first_right, absent.first_same) == (3, 1, None, None)
    unfound = count(ranking(), query(RIGHT))
    assert (unfound.first_right, unfound.first_same) == (False, False)


def test_junk_is_passed_over() -> None:
    counts = count(ranking((OTHER, "same"), (RIGHT, "same")), query(RIGHT, junk=[OTHER]))
    assert (counts.others_same, counts.first_right, counts.first_same) == (0, True, True)


def reported(family: str, half: str, *, wrong: int, right: str, first: bool | None) -> SiblingCounts:
    labels = {**LABELS, "family": family, "half": half}
    n_right = 0 if first is None else 1
    same, part = int(right == "same"), int(right == "part")
    return SiblingCounts(labels, 5, wrong, 5 - wrong, n_right, same, part, 0, first, first and right == "same")


def test_figures_are_sums_and_shares() -> None:
    some = [
        reported("badge", "fit", wrong=3, right="same", first=True),
        reported("badge", "fit", wrong=0, right="part", first=True),
        reported("stamp", "fit", wrong=1, right="", first=False),
        reported("stamp", "fit", wrong=0, right="", first=None),
    ]
    found = figures(some)
    assert (found.n_queries, found.n_pairs, found.wrong_same, found.wrong_part) == (4, 20, 4 / 20, 16 / 20)
    assert (found.n_same, found.wrong_of_same, found.misled) == (5, 4 / 5, 2 / 4)
    assert (found.n_right, found.right_same, found.right_part) == (3, 1 / 3, 1 / 3)
    assert (found.first, found.first_and_same) == (2 / 3, 1 / 3)
    assert (found.n_families, found.families_missed) == (2, 1)


def test_figures_of_nothing_are_unknown() -> None:
    found = figures([])
    assert (found.n_queries, found.wrong_same, found.wrong_of_same, found.right_same, found.first) == (0, *[None] * 4)
    assert report_siblings([]) == {}


def test_reports_are_made_of_all_and_of_each_half() -> None:
    some = [
        reported("badge", "fit", wrong=0, right="same", first=True),
        reported("stamp", "judge", wrong=5, right="same", first=False),
    ]
    reports = report_siblings(some)
    assert list(reports) == ["all", "fit", "judge"]
    assert [report.all.wrong_same for report in reports.values()] == [0.5, 0.0, 1.0]
    assert reports["judge"].by == {name: {LABELS[name]: reports["judge"].all} for name in ("kind", "query_kind")}
    lines = list(sibling_lines(reports))
    assert len(lines) == 1 + 3 * 3
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split()[0] == "siblings"
    assert list(sibling_lines({})) == []


# -- Loaders ----------------------------------------------------------------------------------------------------------


def write(root: Path, name: str, database: Sequence[str], *queries: dict[str, object]) -> None:
    for path in (*database, *(each["image"] for each in queries)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    content = {"name": name, "database": database, "queries": queries}
    (root / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_siblings_are_read_with_their_labels(tmp_path: Path) -> None:
    entry = {"image": "q.jpg", "positives": ["a.png"], "siblings": ["b.png"], **LABELS, "member": 3}
    write(tmp_path, "siblings", ["a.png", "b.png"], entry)
    (only,) = load_benchmark("siblings", tmp_path).queries
    assert (only.positives, only.siblings, only.labels) == ({tmp_path / "a.png"}, {tmp_path / "b.png"}, LABELS)


def test_a_sibling_outside_the_database_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "siblings", ["a.png"], {"image": "q.jpg", "positives": ["a.png"], "siblings": ["b.png"]})
    with pytest.raises(BenchmarkError, match=r"sibling .*b\.png of q\.jpg is not in the database"):
        load_benchmark("siblings", tmp_path)


def test_all_other_products_are_siblings(tmp_path: Path) -> None:
    database = ["db/Oat-Milk/1.jpg", "db/Oat-Drink/1.jpg", "db/Rye-Bread/1.jpg"]
    write(tmp_path, "packages", database, {"image": "queries/Oat-Milk/1.jpg", "positives": database[:1]})
    (only,) = load_benchmark("packages", tmp_path).queries
    assert only.siblings == {tmp_path / name for name in database[1:]}
    assert only.labels == {"kind": "Oat", "family": "Oat-Milk"}


@pytest.mark.parametrize("kind", ["siblings", "packages"])
def test_a_missing_file_is_named(kind: str, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=rf"{kind}\.json: expected the benchmark's file"):
        load_benchmark(kind, tmp_path)
