"""The margin of the first product over the others, where it is right and where not: what a shop may take on trust.

python -m scripts.siblings.margins siblings FOLDER (that `python -m scripts.siblings FOLDER` has drawn), or
python -m scripts.siblings.margins packages FOLDER (photographs of packages, a folder each product).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from bof.cli.command import run
from bof.engine import Engine
from bof.evaluation.benchmarks import BenchmarkQuery, load_benchmark
from bof.options import IndexOptions, SearchOptions
from scripts.common.arguments import cache_or_temporary

_LEAST = (0.0, 1.0, 2.0, 5.0)

PRODUCTS: Mapping[str, Callable[[Path], str]] = MappingProxyType(
    {"siblings": lambda picture: picture.stem, "packages": lambda picture: picture.parent.name}
)
"""Which product a picture of a benchmark shows."""


@dataclass(frozen=True, slots=True)
class First:
    """The first product of an answer: its margin, whether it is proved, and whether it is right."""

    margin: float
    is_same: bool
    is_right: bool


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark", choices=("siblings", "packages"))
    parser.add_argument("folder", type=Path, help="where it lies")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the index here (default: it is deleted)")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    benchmark = load_benchmark(arguments.benchmark, arguments.folder)
    with cache_or_temporary(arguments.cache) as cache:
        product_of = PRODUCTS[arguments.benchmark]
        engine = _index(cache / f"margins-{arguments.benchmark}", benchmark.database, product_of)
        firsts = [first for query in benchmark.queries if (first := first_product(engine, query, product_of))]
    print("\n".join(lines_of(firsts)))
    return 0


def _index(folder: Path, pictures: Sequence[Path], product_of: Callable[[Path], str]) -> Engine:
    engine = Engine.open_or_create(folder)
    engine.add(pictures, IndexOptions())
    for record in engine.records():
        engine.annotate(record.name, {"product": [product_of(Path(record.path))]})
    engine.refresh()
    return engine


def first_product(engine: Engine, query: BenchmarkQuery, product_of: Callable[[Path], str]) -> First | None:
    """What an answer begins with; None where there is no other product."""
    hits = engine.search(query.image, SearchOptions(group_by="product"), top=1)
    group = hits[0].group if hits else None
    if group is None or group.margin is None:
        return None
    return First(group.margin, hits[0].verdict == "same", group.value in set(map(product_of, query.positives)))


def lines_of(firsts: Sequence[First]) -> Iterator[str]:
    """A table: margins of right and wrong first products, and what is left from a margin on."""
    for name, is_right in (("right", True), ("wrong", False)):
        margins = [first.margin for first in firsts if first.is_right == is_right]
        shown = " ".join(f"{value:6.2f}" for value in np.percentile(margins, [10, 50, 90])) if margins else "none"
        yield f"{name:<6} {len(margins):4} first products; margin at 10, 50, 90 %: {shown}"
    for least in _LEAST:
        taken = [first for first in firsts if first.is_same and first.margin >= least]
        n_wrong = sum(not first.is_right for first in taken)
        yield f"proved, margin {least:g} or more: {len(taken)} of {len(firsts)} queries, {n_wrong} of them wrong"


if __name__ == "__main__":
    sys.exit(main())
