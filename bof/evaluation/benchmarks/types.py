"""What a benchmark is: pictures to index, and queries with what they should find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bof.types import Box

README = "see data/README.md"
"""What to do where a data set is not as it should be."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What counts for a query in one setting: positives to be found, junk that is passed over in the ranking."""

    positives: frozenset[Path]
    junk: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """One query: its image, perhaps a box, what it should find, what does not count, and a group to report by.

    positives and junk make the headline figures; settings: further judgements by name, such as easy, medium, hard.
    siblings: pictures that share much with the query and show another thing; labels: further names to report by.
    """

    image: Path
    positives: frozenset[Path]
    junk: frozenset[Path] = frozenset()
    box: Box | None = None
    group: str = ""
    settings: Mapping[str, Judgement] = field(default_factory=dict)
    siblings: frozenset[Path] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named data set. All paths are absolute.

    counts_top_four: report the UKBench score too. pooled: report the figures of copy detection, over the results of all
    queries in one pool. notes: what a reader of the report must know. may_be_unreadable: the published set itself has
    broken photographs, which are left out and named instead of refused.
    """

    name: str
    database: Sequence[Path]
    queries: Sequence[BenchmarkQuery]
    counts_top_four: bool = False
    pooled: bool = False
    notes: Sequence[str] = ()
    may_be_unreadable: bool = False
