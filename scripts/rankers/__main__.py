"""Every ranker over UKBench, DVD covers with distractors and copies: one table of accuracy, time and bytes.

python -m scripts.rankers --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). One index a set, with
all columns, is kept in --cache. The embedding is measured with the network that --model names, and left out without
one. A query's time is the median after decoding and extraction, so leave the machine alone meanwhile. --sheets DIR
draws, for each ranker and set, queries where it is right and bof is wrong, and the reverse.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bof.cli.arguments import add_chosen_columns, add_column_options
from bof.cli.command import run
from bof.cli.progress import progress_bar, stage_bars
from bof.engine import Engine
from bof.evaluation.benchmarks import Benchmark
from bof.evaluation.rankers import EngineRanker
from bof.evaluation.run import QueryResult, Report, evaluate_ranker
from bof.options import COLUMN_OF, FUSIONS, LOCAL, SearchOptions
from bof.store.index import Index
from bof.types import U8
from scripts.ablation.sets import NAMES, load
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.pictures import BLUE, GREEN, RED, blank, encode, rgb, tile
from scripts.common.tables import figure, table

_TILE, _FOUND, _ROWS = 150, 3, 4  # of a sheet: pixels of a tile, hits of a ranker in a row, rows of each kind
FUSED = ("bof+color", "bof+histogram", "bof+ahash", "bof+color+ahash")


def main(argv: list[str] | None = None) -> int:
    """Measure the rankers on the sets and print the table."""
    parser = make_parser(
        __doc__,
        "data cache json",
        sets=(NAMES, "these sets"),
        queries=(0, "an even subset of each set; 0: all"),
        sheets=(None, "a folder: draw there where rankers differ from bof"),
    )
    parser.add_argument("--rankers", nargs="+", metavar="NAME", help="these and no others (bof+color, ...)")
    parser.add_argument("--fusion", choices=FUSIONS, default=FUSIONS[0], help="how fused rankers are fused")
    add_column_options(parser)
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    reports: dict[str, dict[str, Report]] = {}
    with cache_or_temporary(arguments.cache) as cache:
        for name in arguments.sets:
            benchmark = load(name, arguments.data, cache, arguments.queries)
            with Engine.open_or_create(cache / f"rankers-{name}") as engine:
                reports[name] = _measure(engine, benchmark, arguments)
                print("\n".join([f"\n{name}", *lines(reports[name], bytes_an_image(engine))]), flush=True)
            for ranker, report in reports[name].items():
                sheet = draw_differences(report, reports[name].get("bof", report)) if arguments.sheets else None
                if sheet is not None:
                    arguments.sheets.mkdir(parents=True, exist_ok=True)
                    (arguments.sheets / f"{name}-{ranker}.jpg").write_bytes(encode(sheet, ".jpg"))
    write_figures(arguments.json, reports)
    return 0


def _measure(engine: Engine, benchmark: Benchmark, arguments: argparse.Namespace) -> dict[str, Report]:
    add_chosen_columns(engine, arguments, ["hash", "color"])
    with stage_bars() as show:
        engine.add(list(benchmark.database), None, show)
    engine.merge()
    engine.refresh()
    embedding = ["embedding", "bof+embedding"] if arguments.model else []
    plain = [*LOCAL, *(ranker for ranker in COLUMN_OF if ranker != "embedding"), *FUSED]
    reports = {}
    for ranker in arguments.rankers or [*plain, *embedding]:
        with progress_bar(" queries", ranker) as show:
            engine_ranker = EngineRanker(engine, SearchOptions(ranker=ranker, fusion=arguments.fusion))
            reports[ranker] = evaluate_ranker(engine_ranker, benchmark, len(engine), show)
    return reports


def bytes_an_image(engine: Engine) -> Mapping[str, float]:
    """By ranker, what it reads of each image on disk: the features, or its column."""
    n_images, found = max(1, len(engine)), dict.fromkeys([*LOCAL, *COLUMN_OF], 0.0)
    for segment in Index.open(engine.folder).snapshot().segments:
        part = segment.postings
        local = (part.image, part.feature, part.signature, segment.word, segment.xy, segment.scale_angle)
        for ranker in LOCAL:
            found[ranker] += sum(array.nbytes for array in local) / n_images
        for ranker, column in COLUMN_OF.items():
            if column in segment.columns:
                found[ranker] += segment.columns[column].nbytes / n_images
    return found


def lines(reports: Mapping[str, Report], sizes: Mapping[str, float]) -> list[str]:
    """The table of one set."""
    rows = []
    for ranker, report in reports.items():
        accuracy = [figure(value, 3, "") for value in (report.ns, report.map, report.recall_at_1)]
        size = sum(sizes.get(one, 0.0) for one in ranker.split("+"))
        rows.append((ranker, *accuracy, figure(report.query_milliseconds["after_extract"], 1), f"{size:,.0f}"))
    return table(("ranker", "N-S", "mAP", "recall@1", "ms", "bytes an image"), rows)


def draw_differences(report: Report, other: Report) -> U8 | None:
    """RGB u8 (h, w, 3): rows where `report` is better than `other`, then rows where it is worse; None for neither.

    A row: the query framed blue, the first three of report, the first three of other; right framed green, wrong red.
    """
    pairs = list(zip(report.queries, other.queries, strict=True))
    gain = [(mine.average_precision or 0.0) - (theirs.average_precision or 0.0) for mine, theirs in pairs]
    order = np.argsort(gain, kind="stable").tolist()
    better = [row for row in order[::-1][:_ROWS] if gain[row] > 0]
    worse = [row for row in order[:_ROWS] if gain[row] < 0]
    rows = [_row(*pairs[row]) for row in (*better, *worse)]
    return np.concatenate(rows) if rows else None


def _row(mine: QueryResult, theirs: QueryResult) -> U8:
    query = tile(rgb(Path(mine.image), _TILE), _TILE, BLUE)
    return np.concatenate([query, *_found(mine), blank(_TILE, 12), *_found(theirs)], axis=1)


def _found(result: QueryResult) -> list[U8]:
    hits = [hit for hit in result.hits if hit.path != result.image][:_FOUND]
    frames = [GREEN if hit.relevance == "positive" else RED for hit in hits]
    tiles = [tile(rgb(Path(hit.path), _TILE), _TILE, frame) for hit, frame in zip(hits, frames, strict=True)]
    return tiles + [blank(_TILE, _TILE)] * (_FOUND - len(tiles))


if __name__ == "__main__":
    sys.exit(main())
