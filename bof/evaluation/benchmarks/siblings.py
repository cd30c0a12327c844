"""Look-alikes: pictures of one template that show other things, and photographs of packages that share artwork."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import folders
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery


def load_siblings(root: Path) -> Benchmark:
    """root/siblings.json: queries with their siblings, as scripts/siblings writes them."""
    return folders.load(_file(root, "siblings.json"), root)


def load_packages(root: Path) -> Benchmark:
    """root/packages.json, whose photographs lie in a folder each product, BRAND-NAME; another product is a sibling."""
    benchmark = folders.load(_file(root, "packages.json"), root)
    queries = [_among_siblings(query, frozenset(benchmark.database)) for query in benchmark.queries]
    return dataclasses.replace(benchmark, queries=queries)


def _file(root: Path, name: str) -> Path:
    file = root / name
    if not file.is_file():
        raise BenchmarkError(path=file, expected="the benchmark's file", found="no such file", advice=README)
    return file


def _among_siblings(query: BenchmarkQuery, database: frozenset[Path]) -> BenchmarkQuery:
    product = query.image.parent.name
    labels = {"kind": product.partition("-")[0], "family": product}
    return dataclasses.replace(query, siblings=database - query.positives - query.junk, labels=labels)
