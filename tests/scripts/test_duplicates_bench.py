"""The arithmetic of the duplicates benchmark: what makes a group wrong, and which hashes are near."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from scripts.duplicates.cost import cost_of, judge_file
from scripts.duplicates.groups import Truth, components, judge_groups, near_pairs


def test_a_group_is_wrong_if_one_link_is_between_strangers() -> None:
    made = {"a": "p", "a2": "p", "b": "q", "b2": "q", "s": "p'"}
    truth = Truth(
        pictures=list(made),
        sources={picture: frozenset({source}) for picture, source in made.items()},
        things={picture: frozenset({source[0]}) for picture, source in made.items()},
        attack={"a": "reference", "b": "reference", "a2": "crop", "b2": "crop", "s": "reference"},
        source_of={"a2": "a", "b2": "b"},
    )
    right, sibling, wrong = ("a2", "a"), ("s", "a"), ("b", "a")
    found = judge_groups("all", truth, [[right, sibling, wrong]], 1.0)
    assert (found.n_groups, found.n_wrong_groups) == (1, 1)
    assert found.links == {"right": 1, "neither": 1, "wrong": 1}
    assert (found.precision, found.recall) == (0.5, 0.5)
    assert found.missed == ["b2"]
    assert judge_groups("most", truth, [[right, sibling], [("b2", "b")]], 1.0).n_wrong_groups == 0
    assert sorted(map(len, components([right, sibling, ("b2", "b")]))) == [1, 2]
    assert len(components([right, ("b2", "b"), wrong])) == 1


def test_near_hashes_are_those_that_brute_force_finds() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 10, 60).astype(np.uint64)
    numbers = hashes.tolist()
    expected = [
        (i, j, (numbers[i] ^ numbers[j]).bit_count())
        for i in range(60)
        for j in range(i + 1, 60)
        if (numbers[i] ^ numbers[j]).bit_count() <= 2
    ]
    assert near_pairs(hashes, 2) == expected
    assert expected


def test_groups_of_the_command_are_judged_by_its_file(tmp_path: Path) -> None:
    members = [("a2", False), ("a", True), ("unknown", False)]
    group = {"members": [{"path": path, "is_head": is_head} for path, is_head in members]}
    alone = {"members": [{"path": "unknown", "is_head": True}, {"path": "other", "is_head": False}]}
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"groups": [group, alone]}), encoding="utf-8")
    one = {"a": frozenset("a"), "a2": frozenset("a")}
    truth = Truth(list(one), one, one, {"a": "reference", "a2": "crop"}, {"a2": "a"})
    found = judge_file(truth, file, 1.0)
    assert (found.n_groups, found.n_wrong_groups, found.recall) == (1, 0, 1.0)


def test_a_command_costs_what_its_children_take() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    assert cost_of([sys.executable, "-c", nested], os.environ).cpu_seconds > 0.3
