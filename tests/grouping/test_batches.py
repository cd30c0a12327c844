"""Pictures are compared in batches: each is read once a batch, and one that ends its process ends no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from bof.grouping import reading
from bof.grouping.batches import MOST_PICTURES, in_batches
from bof.grouping.reading import Pairs, Unread, compare_pairs
from bof.options import FeatureOptions
from bof.store.catalog import FileStamp
from bof.system.workers import LostItem


def test_what_names_the_same_pictures_is_in_one_batch_and_nothing_else() -> None:
    items = [["a", "b"], ["x", "y"], ["c", "b"], ["d"], ["y", "z"]]
    assert in_batches(items) == [[0, 2], [1, 4], [3]]
    assert in_batches([]) == []


def test_batches_are_of_all_items_once_and_limited() -> None:
    rng = np.random.default_rng(0)
    items = [[str(name) for name in rng.integers(0, 200, int(rng.integers(1, 12)))] for _ in range(300)]
    items.append(["star", *map(str, range(2 * MOST_PICTURES))])
    found = in_batches(items)
    assert sorted(number for batch in found for number in batch) == list(range(len(items)))
    pictures = [{name for number in batch for name in items[number]} for batch in found]
    assert all(len(p) <= MOST_PICTURES for p, batch in zip(pictures, found, strict=True) if len(batch) > 1)
    assert sum(map(len, pictures)) < sum(len(set(item)) for item in items)


def stamp(name: str) -> FileStamp:
    return FileStamp(f"/{name}", 1, 1)


def test_a_picture_that_ends_its_process_takes_no_other_of_its_batch_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(function: str, shared: object, items: Sequence[Sequence[Pairs]], *_: object) -> Iterator[Any]:
        for batch in items:
            is_hostile = any(source == stamp("hostile") for source, _ in batch)
            yield LostItem("crashed") if is_hostile else [[None] * len(others) for _, others in batch]

    monkeypatch.setattr(reading, "run_in_workers", run)
    pair = (stamp("other"), np.eye(3))
    batches: list[list[Pairs]] = [
        [(stamp("one"), [pair]), (stamp("hostile"), [pair, pair]), (stamp("two"), [pair])],
        [(stamp("three"), [pair])],
        [(stamp("hostile"), [pair])],
    ]
    found = dict(compare_pairs(batches, FeatureOptions(), 1))
    assert [type(one) for one in found[0]] == [list, Unread, list]
    assert found[1] == [[None]]
    assert isinstance(found[2][0], Unread)
