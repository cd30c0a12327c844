"""The copies benchmark: attacked photographs are searched for among the originals, by bof and by perceptual hashes.

python scripts/copies.py --data DIR (the folder that holds ukbench1000/ and train/). The hashes need the extra
bof[peers] (imagehash) and `pip install imagededup`, which brings PyTorch; a method that is not installed is named and
left out. Recall is measured at zero false accepts; the queries and their truth are left in --out, where
`python -m bof.evaluate OUT/copies.json --root OUT` finds them.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import copy_report
import cv2
from copy_build import build
from copy_methods import FAMILIES, SLOW_FAMILIES, build_methods, run
from copy_scores import MethodReport
from tqdm import tqdm

from bof.errors import BofError
from bof.evaluation.benchmarks.types import Benchmark
from bof.system.files import write_json


def main(argv: list[str] | None = None) -> int:
    """Build the benchmark, run the methods, print the table."""
    arguments = _parser().parse_args(argv)
    try:
        with contextlib.ExitStack() as stack:
            out = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bof-copies-")))
            _run(arguments, out)
    except BofError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ukbench1000/ and train/")
    parser.add_argument("--out", type=Path, help="where the copies go and stay (default: a folder that is deleted)")
    parser.add_argument("--only", nargs="+", choices=(*FAMILIES, *SLOW_FAMILIES), default=list(FAMILIES))
    parser.add_argument("--queries", type=int, default=60, help="copies of each attack (default 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure and every outcome")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw one example of each attack")
    return parser


def _run(arguments: argparse.Namespace, out: Path) -> None:
    start = time.perf_counter()
    benchmark = build(arguments.data, out, arguments.queries, arguments.seed)
    seconds = time.perf_counter() - start
    n_copies = sum(bool(query.positives) for query in benchmark.queries)
    n_strangers = len(benchmark.queries) - n_copies
    print(f"{n_copies} copies and {n_strangers} queries without a source, made in {seconds:.0f} s")
    print(f"{len(benchmark.database)} references\n", flush=True)
    if arguments.sheet:
        cv2.imwrite(str(arguments.sheet), cv2.cvtColor(copy_report.draw_sheet(benchmark), cv2.COLOR_RGB2BGR))
    reports = [report for family in arguments.only for report in _run_family(family, benchmark)]
    if not reports:
        return
    print(copy_report.table(reports))
    for report in reports:
        print("\n" + copy_report.false_accepts(report))
    if arguments.json:
        write_json(arguments.json, copy_report.as_json(benchmark, reports))


def _run_family(family: str, benchmark: Benchmark) -> list[MethodReport]:
    with tempfile.TemporaryDirectory(prefix="bof-copies-index-") as scratch:
        try:
            methods = build_methods(family, benchmark.database, Path(scratch) / "index")
        except ImportError as error:
            print(f"{family}: not installed ({error}); left out")
            return []
        reports = []
        for method in methods:
            with tqdm(total=len(benchmark.queries), desc=method.name, disable=None) as bar:
                reports.append(run(method, benchmark, lambda done, total: bar.update(1) and None))
        return reports


if __name__ == "__main__":
    sys.exit(main())
