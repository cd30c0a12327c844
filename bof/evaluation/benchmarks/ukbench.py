"""UKBench (Nister and Stewenius 2006): four pictures of each object, ukbenchNNNNN.jpg, object = number // 4."""

from __future__ import annotations

import re
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery

_NAME = re.compile(r"ukbench(\d{5})\.jpg", re.IGNORECASE)


def load(root: Path) -> Benchmark:
    """Every picture is a query; its object's other pictures are positives, itself junk (for average precision)."""
    numbered = {int(m[1]): path for path in sorted(root.iterdir()) if (m := _NAME.fullmatch(path.name))}
    objects: dict[int, set[Path]] = {}
    for number, path in numbered.items():
        objects.setdefault(number // 4, set()).add(path)
    broken = sorted(4 * i for i, pictures in objects.items() if len(pictures) != 4)
    if broken or not objects:
        found = f"an incomplete object at ukbench{broken[0]:05d}.jpg" if broken else "no ukbenchNNNNN.jpg"
        raise BenchmarkError(path=root, expected="four pictures of each object", found=found, advice=README)
    queries = [
        BenchmarkQuery(path, frozenset(objects[number // 4] - {path}), frozenset({path}))
        for number, path in numbered.items()
    ]
    return Benchmark(f"ukbench-{len(numbered)}", list(numbered.values()), queries, counts_top_four=True)
