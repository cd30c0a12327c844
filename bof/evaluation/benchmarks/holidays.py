"""Holidays (Jegou et al. 2008): photographs NNNNNN.jpg in groups of 100 numbers, the first of each is the query."""

from __future__ import annotations

import re
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.layouts import photographs
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery

_NAME = re.compile(r"\d{6}")
_GROUP = 100

UPRIGHT = "photographs are turned upright where their EXIF says how, as bof does with every picture, and none by hand"


def load(root: Path) -> Benchmark:
    """A group's first photograph should find the others; itself it is junk."""
    numbered = {int(name): path for name, path in photographs(root).items() if _NAME.fullmatch(name)}
    groups: dict[int, list[int]] = {}
    for number in sorted(numbered):
        groups.setdefault(number // _GROUP, []).append(number)
    _refuse_broken(root, groups)
    queries = [
        BenchmarkQuery(numbered[query], frozenset(numbered[n] for n in others), frozenset({numbered[query]}))
        for query, *others in groups.values()
    ]
    return Benchmark(f"holidays-{len(numbered)}", list(numbered.values()), queries, notes=[UPRIGHT])


def _refuse_broken(root: Path, groups: dict[int, list[int]]) -> None:
    """A group without its query, or a query without others, is an incomplete copy."""
    broken = [group for group, numbers in groups.items() if numbers[0] % _GROUP or len(numbers) < 2]
    if broken or not groups:
        found = f"an incomplete group at {broken[0] * _GROUP:06d}" if broken else "no NNNNNN.jpg"
        expected = "groups of a query NNNN00.jpg and others NNNN01.jpg and so on"
        raise BenchmarkError(path=root, expected=expected, found=found, advice=README)
