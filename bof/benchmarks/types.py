"""What a benchmark is: pictures to index, and queries with what they should find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.types import Box


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """One query: its image, perhaps a box, what it should find, what does not count, and a group to report by."""

    image: Path
    positives: frozenset[Path]
    junk: frozenset[Path] = frozenset()
    box: Box | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named data set. All paths are absolute. counts_top_four: report the UKBench score too."""

    name: str
    database: Sequence[Path]
    queries: Sequence[BenchmarkQuery]
    counts_top_four: bool = False
