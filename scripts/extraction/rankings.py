"""Rankings with the features of each extractor, and with one's queries on the other's index.

python -m scripts.extraction.rankings ukbench DATA/ukbench1000 (or another benchmark of `bof evaluate`, with
--distractors). Each row is an index and its queries; the vocabulary is the one that comes with bof. How much of a
difference is chance is seen by asking with the same extractor about the same pictures seen otherwise: all of them
mirrored (--view mirrored), or without their first row and column of pixels (--view cropped), where all positions lie
otherwise on the pyramid's grids. Besides each row: how many queries gain and lose by N-S, or else by average
precision, against the first.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.cli.command import run
from bof.evaluation.benchmarks import Benchmark, load_benchmark
from bof.evaluation.run import Report, evaluate_ranker
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import EXTRACTORS, FeatureOptions, SearchOptions
from bof.types import U8, Box, Features
from bof.vocabulary.vocabulary import default_vocabulary_path
from scripts.common.arguments import cache_or_temporary, make_parser, n_cores, write_figures
from scripts.common.data import with_distractors
from scripts.common.features import Collection, load_features, save_features
from scripts.common.tables import table
from scripts.peers.engine import fill, peer_of

VIEWS = ("whole", "mirrored", "cropped")
HEAD = ["view", "index", "queries", "N-S", "mAP", "recall@1", "features a picture", "queries better", "worse"]


@dataclasses.dataclass(frozen=True, slots=True)
class Both(Collection):
    """A collection whose queries have features of their own."""

    of_queries: Mapping[Path, Features]

    def of(self, path: Path, box: Box | None) -> Features:
        """The features of a query."""
        return Collection(self.database, self.queries, self.of_queries).of(path, box)


def seen(pixels: U8, view: str) -> U8:
    """The pixels of a picture in a view."""
    pixels = {"whole": pixels, "mirrored": pixels[:, ::-1], "cropped": pixels[1:, 1:]}[view]
    return np.ascontiguousarray(pixels)


def extract(path: Path, extractor: str, view: str) -> Features:
    """Features of a view, as the engine extracts them."""
    cv2.setNumThreads(1)
    options = FeatureOptions(extractor=extractor)
    picture = read_image(path, grey=True, max_side=options.max_side)
    return extract_features(dataclasses.replace(picture, pixels=seen(picture.pixels, view)), options)


def features_of(paths: Sequence[Path], extractor: str, view: str, cache: Path) -> dict[Path, Features]:
    """Features of all pictures, kept in the cache for this run."""
    file = cache / f"rankings-{extractor}-{view}.npz"
    if not file.exists():
        save_features(
            file, Parallel(n_jobs=n_cores(), batch_size=8)(delayed(extract)(p, extractor, view) for p in paths)
        )
    return dict(zip(paths, load_features(file), strict=True))


Found = Mapping[Path, Features]


def ask(benchmark: Benchmark, database: Found, queries: Found, scratch: Path) -> Report:
    """Every query of the benchmark."""
    collection = Both(benchmark.database, benchmark.queries, database, queries)
    engine, _ = fill(scratch, default_vocabulary_path(), collection)
    return evaluate_ranker(peer_of("bof", engine, collection, SearchOptions()), benchmark, len(engine))


def gains(first: Report, other: Report) -> tuple[int, int]:
    """How many queries are better, and how many worse."""

    def value(report: Report) -> np.ndarray:
        return np.array([q.top_four if q.top_four is not None else q.average_precision or 0 for q in report.queries])

    difference = value(other) - value(first)
    return int((difference > 1e-9).sum()), int((difference < -1e-9).sum())


def main(argv: list[str] | None = None) -> int:
    """Print a row for every pair of extractors and view."""
    parser = make_parser(__doc__, "json", view=(list(VIEWS), "these views"))
    parser.add_argument("benchmark")
    parser.add_argument("root", type=Path)
    parser.add_argument("--distractors", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--crossed", action="store_true", help="queries by the other extractor too")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    benchmark = with_distractors(load_benchmark(arguments.benchmark, arguments.root), arguments.distractors)
    paths = list(dict.fromkeys([*benchmark.database, *(query.image for query in benchmark.queries)]))
    rows: list[list[str]] = []
    first: Report | None = None
    for view in arguments.view:
        with cache_or_temporary(None) as cache:
            found = {extractor: features_of(paths, extractor, view, cache) for extractor in EXTRACTORS}
            for index, queries in [(a, b) for a in EXTRACTORS for b in EXTRACTORS if a == b or arguments.crossed]:
                report = ask(benchmark, found[index], found[queries], cache / f"{index}-{queries}")
                first = first or report
                mean = np.mean([len(features) for features in found[index].values()])
                rows.append([view, index, queries, *_figures(report), f"{mean:.1f}", *map(str, gains(first, report))])
    print("\n".join(table(HEAD, rows)))
    write_figures(arguments.json, [HEAD, *rows])
    return 0


def _figures(report: Report) -> list[str]:
    return ["" if figure is None else f"{figure:.4f}" for figure in (report.ns, report.map, report.recall_at_1)]


if __name__ == "__main__":
    sys.exit(main())
