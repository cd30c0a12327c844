"""Ground truth of data sets in one form: `load_benchmark(kind, root)` -> Benchmark."""

from __future__ import annotations

import os
from pathlib import Path

from bof.errors import BenchmarkError, display_name
from bof.evaluation.benchmarks import copies, dvd, folders, holidays, oxford, revisited, siblings, ukbench
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery, Judgement

LOADERS = {
    "ukbench": ukbench.load,
    "dvd": dvd.load,
    "oxford5k": oxford.load_oxford5k,
    "paris6k": oxford.load_paris6k,
    "roxford5k": revisited.load_roxford5k,
    "rparis6k": revisited.load_rparis6k,
    "holidays": holidays.load,
    "copies": copies.load,
    "siblings": siblings.load_siblings,
    "packages": siblings.load_packages,
}
"""Data sets that need only the folder where their photographs lie."""


def load_benchmark(kind: str | os.PathLike[str], root: str | os.PathLike[str]) -> Benchmark:
    """The benchmark of a known kind, or of a JSON file, with photographs under `root`.

    Raises BenchmarkError where the ground truth or a photograph that it names is missing or malformed.
    """
    kind, root = os.fspath(kind), Path(root)
    if not root.is_dir():
        expected, found = "the folder of photographs", "no such folder"
        raise BenchmarkError(path=root, expected=expected, found=found, advice=README)
    root = Path(os.path.abspath(root))
    if kind not in LOADERS and not Path(kind).is_file():
        expected = f"{', '.join(LOADERS)} or a JSON file"
        raise BenchmarkError(path=kind, expected=expected, found="no such file", advice=README)
    benchmark = LOADERS[kind](root) if kind in LOADERS else folders.load(Path(kind), root)
    _refuse_missing(benchmark)
    return benchmark


def _refuse_missing(benchmark: Benchmark) -> None:
    """A photograph that is not there would silently lower or raise the figures."""
    named = {*benchmark.database, *(query.image for query in benchmark.queries)}
    missing = sorted(str(path) for path in named if not path.is_file())
    if missing:
        problem = f"{len(missing)} of {len(named)} photographs are missing, the first is {display_name(missing[0])}"
        raise BenchmarkError(problem, path=benchmark.name, advice=f"{README} for the layout")


__all__ = ["LOADERS", "Benchmark", "BenchmarkQuery", "Judgement", "load_benchmark"]
