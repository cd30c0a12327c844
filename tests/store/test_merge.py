"""Merging: when it pays, and that a merged segment is what one append would have written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof.store import merge
from bof.store.merge import MERGE_AT, MergePart, SegmentSize, choose_all, choose_merge, write_merged
from bof.store.segments import ImageColumns, open_segment, write_segment
from bof.system import files
from tests.support.extracted import rows

N_WORDS = 40


def columns(seed: int, n: int) -> ImageColumns:
    rng = np.random.default_rng(seed)
    return ImageColumns(
        rng.integers(0, N_WORDS, n).astype(np.int32),
        rng.integers(0, 1 << 63, n, dtype=np.uint64),
        rng.integers(0, 65536, (n, 2)).astype(np.uint16),
        rng.integers(0, 65536, (n, 2)).astype(np.uint16),
        rows(seed),
    )


# -- Writing ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=5), min_size=1, max_size=4
    ),
    chunk=st.sampled_from([1, 7, 64, 1 << 19]),
)
def test_a_merged_segment_is_byte_for_byte_what_one_append_writes(
    parts: list[list[tuple[int, bool]]], chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    opened, retained = [], []
    for number, images in enumerate(parts):
        extracted = [columns(100 * number + i, n) for i, (n, _) in enumerate(images)]
        retained += [one for one, (_, keep) in zip(extracted, images, strict=True) if keep]
        (folder / str(number)).mkdir()
        facts = write_segment(folder / str(number), extracted, N_WORDS)
        segment = open_segment(folder / str(number), facts, N_WORDS, 0)
        opened.append(MergePart(segment, np.array([keep for _, keep in images], np.bool_)))
    if not retained:
        return
    (folder / "once").mkdir()
    (folder / "merged").mkdir()
    once = write_segment(folder / "once", retained, N_WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_CHUNK", chunk)
        merged = write_merged(folder / "merged", opened, N_WORDS)
    assert merged == once
    for name in once:
        assert (folder / "merged" / name).read_bytes() == (folder / "once" / name).read_bytes(), name


def test_merging_holds_little_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No piece that is written is larger than a chunk and the largest word."""
    parts = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        facts = write_segment(tmp_path / str(number), [columns(number, 2000)], N_WORDS)
        parts.append(MergePart(open_segment(tmp_path / str(number), facts, N_WORDS, 0), np.ones(1, np.bool_)))
    written: list[int] = []
    write = files.ArrayFile.write
    monkeypatch.setattr(merge, "_CHUNK", 500)

    def count_and_write(file: files.ArrayFile, rows: Any) -> None:
        written.append(len(rows))
        write(file, rows)

    monkeypatch.setattr(files.ArrayFile, "write", count_and_write)
    (tmp_path / "merged").mkdir()
    write_merged(tmp_path / "merged", parts, N_WORDS)
    assert max(written) <= 2000  # an image is one piece in the image-major columns
    assert len(written) > 20


# -- Choosing ---------------------------------------------------------------------------------------------------------


@dataclass
class Policy:
    """Segments whose merging is only counted: number -> features that there are, that live, images that live."""

    segments: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    number: int = 0
    copied: int = 0

    def append(self, n_features: int) -> None:
        self.number += 1
        self.segments[self.number] = (n_features, n_features, 1 + n_features // 100)
        self.settle()

    def remove(self, number: int, n_features: int) -> None:
        """Features die in one segment, and images with them; all of them if there are no more."""
        total, live, images = self.segments[number]
        left = max(0, live - n_features)
        self.segments[number] = (total, left, images if left else 0)
        self.settle()

    def settle(self) -> None:
        """Merge until the policy is content: every step leaves fewer segments, or fewer dead features."""
        while chosen := choose_merge(self.sizes):
            old = [self.segments.pop(number) for number in chosen]
            live = sum(one[1] for one in old)
            assert chosen == sorted(set(chosen))
            assert live <= merge.MAX_FEATURES
            assert len(old) > 1 or old[0][1] < old[0][0] or old[0][2] == 0
            self.copied += live
            images = sum(one[2] for one in old)
            if images:
                self.number += 1
                self.segments[self.number] = (live, live, images)

    @property
    def sizes(self) -> list[SegmentSize]:
        return [SegmentSize(number, *size) for number, size in self.segments.items()]

    @property
    def n_live(self) -> int:
        return sum(size.n_live_features for size in self.sizes)


def n_tiers(n_features: int) -> int:
    return 2 + int(math.log(max(1.0, n_features / merge.SMALLEST_TIER), merge.TIER_RATIO))


@pytest.mark.parametrize("largest", [100, 3_000, 600_000])
def test_segments_stay_few_and_copies_too(largest: int) -> None:
    rng, policy = np.random.default_rng(largest), Policy()
    for step in range(1, 3000):
        policy.append(int(rng.integers(1, largest)))
        assert len(policy.segments) <= (MERGE_AT - 1) * n_tiers(policy.n_live) + 1
        small = step * merge.SMALLEST_TIER / (MERGE_AT - 1)  # what a commit may copy of the smallest tier
        assert policy.copied <= small + 2 * policy.n_live * n_tiers(policy.n_live)


@pytest.mark.parametrize("largest", [3_000, 100_000])
def test_what_dies_is_written_out_and_segments_stay_few(largest: int) -> None:
    rng, policy, added = np.random.default_rng(largest), Policy(), 0
    for _ in range(2000):
        size = int(rng.integers(1, largest))
        policy.append(size)
        added += size
        if policy.segments and rng.random() < 0.8:
            policy.remove(int(rng.choice(list(policy.segments))), int(rng.integers(1, largest)))
        assert len(policy.segments) <= (MERGE_AT - 1) * n_tiers(policy.n_live) + 1
        assert all(size.n_live_images for size in policy.sizes)
        assert sum(size.n_features for size in policy.sizes) <= policy.n_live / (1 - merge.MAX_DEAD) + 1
    assert policy.copied <= 2000 * merge.SMALLEST_TIER + 4 * added * n_tiers(added)


@pytest.mark.parametrize("largest", [20_000, 100_000, 400_000, 900_000])
def test_a_collection_larger_than_a_segment_can_hold_has_as_few_segments_as_any(
    largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MAX_FEATURES", 1 << 20)
    rng, policy, added = np.random.default_rng(largest), Policy(), 0
    for _ in range(300):
        size = int(rng.integers(largest // 2, largest))
        policy.append(size)
        added += size
        needed = 2 * added / merge.MAX_FEATURES  # any two that do not fit together are half full or more
        assert len(policy.segments) <= needed + (MERGE_AT - 1) * (n_tiers(merge.MAX_FEATURES) + 1)
    assert policy.copied <= 300 * merge.SMALLEST_TIER + 4 * added * n_tiers(merge.MAX_FEATURES)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 3)), max_size=12),
    most=st.integers(40, 100),
)
def test_all_can_be_made_few(sizes: list[tuple[int, int, int]], most: int) -> None:
    given = [
        SegmentSize(number, live + dead, live, images + (live > 0)) for number, (live, dead, images) in enumerate(sizes)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "MAX_FEATURES", most)
        groups = choose_all(given)
    chosen = [number for group in groups for number in group]
    assert chosen == sorted(set(chosen))
    live = {size.number: size.n_live_features for size in given}
    left = [[size.number] for size in given if size.number not in chosen]
    assert all(given[number].n_live_features == given[number].n_features for (number,) in left)
    sums = [sum(live[number] for number in group) for group in sorted([*groups, *left])]
    assert all(total <= most for total in sums)
    assert all(one + other > most for one, other in pairwise(sums))


def test_no_merge_grows_beyond_what_offsets_can_hold() -> None:
    huge = merge.MAX_FEATURES // 2
    assert choose_merge([SegmentSize(n, huge + 1, huge + 1, 9) for n in range(6)]) == []
    assert choose_merge([SegmentSize(n, huge, huge, 9) for n in range(6)]) == [0, 1]
    assert choose_all([SegmentSize(n, huge, huge, 9) for n in range(5)]) == [[0, 1], [2, 3]]


def test_what_is_mostly_dead_is_written_anew() -> None:
    assert choose_merge([SegmentSize(1, 100, 80, 8), SegmentSize(2, 100, 70, 7)]) == [2]
    assert choose_merge([SegmentSize(1, 0, 0, 0)]) == [1]
    assert choose_merge([SegmentSize(1, 0, 0, 3)]) == []


def test_a_lone_whole_segment_is_left_alone() -> None:
    assert choose_all([SegmentSize(1, 100, 100, 3)]) == []
    assert choose_all([SegmentSize(1, 100, 99, 3)]) == [[1]]
    assert choose_all([]) == []
