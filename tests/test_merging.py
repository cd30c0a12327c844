"""Merging: when it pays, and that a merged segment is what one append would have written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof import merging
from bof.merging import MERGE_AT, Part, SegmentSize, choose_all, choose_merge, write_merged
from bof.segments import ImageColumns, open_segment, write_segment

N_WORDS = 40


def columns(seed: int, n: int) -> ImageColumns:
    rng = np.random.default_rng(seed)
    return ImageColumns(
        rng.integers(0, N_WORDS, n).astype(np.int32),
        rng.integers(0, 1 << 63, n, dtype=np.uint64),
        rng.integers(0, 65536, (n, 2)).astype(np.uint16),
        rng.integers(0, 65536, (n, 2)).astype(np.uint16),
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
    opened, kept = [], []
    for number, images in enumerate(parts):
        described = [columns(100 * number + i, n) for i, (n, _) in enumerate(images)]
        kept += [one for one, (_, keep) in zip(described, images, strict=True) if keep]
        (folder / str(number)).mkdir()
        facts = write_segment(folder / str(number), described, N_WORDS)
        segment = open_segment(folder / str(number), facts, N_WORDS, 0)
        opened.append(Part(segment, np.array([keep for _, keep in images], np.bool_)))
    if not kept:
        return
    (folder / "once").mkdir()
    (folder / "merged").mkdir()
    once = write_segment(folder / "once", kept, N_WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_CHUNK", chunk)
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
        parts.append(Part(open_segment(tmp_path / str(number), facts, N_WORDS, 0), np.ones(1, np.bool_)))
    written: list[int] = []
    write = merging._ArrayFile.write
    monkeypatch.setattr(merging, "_CHUNK", 500)
    monkeypatch.setattr(
        merging._ArrayFile, "write", lambda file, rows: (written.append(len(rows)), write(file, rows))[1]
    )
    (tmp_path / "merged").mkdir()
    write_merged(tmp_path / "merged", parts, N_WORDS)
    assert max(written) <= 2000  # an image is one piece in the image-major columns
    assert len(written) > 20


# -- Choosing ---------------------------------------------------------------------------------------------------------


def run_policy(sizes: dict[int, int], number: int) -> tuple[int, int]:
    """Merge until the policy is content; returns the next number and how many features were copied."""
    copied = 0
    while chosen := choose_merge([SegmentSize(n, size, size, 1) for n, size in sizes.items()]):
        total = sum(sizes.pop(n) for n in chosen)
        assert total <= merging.MAX_FEATURES
        sizes[number] = total
        copied += total
        number += 1
    return number, copied


@pytest.mark.parametrize("largest", [100, 3_000, 600_000])
def test_segments_stay_few_and_copies_too(largest: int) -> None:
    rng = np.random.default_rng(largest)
    sizes: dict[int, int] = {}
    number = total = copied = 0
    for _ in range(3000):
        size = int(rng.integers(1, largest))
        sizes[number] = size
        total += size
        number, more = run_policy(sizes, number + 1)
        copied += more
        tiers = 2 + math.log(max(1.0, total / merging.SMALLEST_TIER), merging.TIER_RATIO)
        assert len(sizes) <= (MERGE_AT - 1) * (tiers + 1)
    assert sum(sizes.values()) == total
    assert copied <= total * 2.5 * tiers + 3000 * merging.SMALLEST_TIER


def test_no_merge_grows_beyond_what_offsets_can_hold() -> None:
    huge = merging.MAX_FEATURES // 2
    assert choose_merge([SegmentSize(n, huge, huge, 9) for n in range(6)]) == []
    assert choose_all([SegmentSize(n, huge, huge, 9) for n in range(5)]) == [[0, 1], [2, 3]]


def test_what_is_mostly_dead_is_written_anew() -> None:
    assert choose_merge([SegmentSize(1, 100, 80, 8), SegmentSize(2, 100, 70, 7)]) == [2]
    assert choose_merge([SegmentSize(1, 0, 0, 0)]) == [1]
    assert choose_merge([SegmentSize(1, 0, 0, 3)]) == []


def test_a_lone_whole_segment_is_left_alone() -> None:
    assert choose_all([SegmentSize(1, 100, 100, 3)]) == []
    assert choose_all([SegmentSize(1, 100, 99, 3)]) == [[1]]
    assert choose_all([]) == []
