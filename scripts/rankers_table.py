"""Every ranker over UKBench, DVD covers with distractors and copies: one table of accuracy, time and bytes.

python scripts/rankers_table.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). One index a
set, with all columns, is kept in --cache. The embedding is measured with the network that --model names, and left out
without one. A query's time is the median after decoding and extraction, so leave the machine alone meanwhile.
--sheets DIR draws, for each ranker and set, queries where it is right and bof is wrong, and the reverse.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from ablation_sets import load
from rankers_sheet import draw_differences

from bof.cli.command import add_column_options, progress_bar, run, want_columns
from bof.engine import Engine
from bof.evaluation.benchmarks import Benchmark
from bof.evaluation.rankers import EngineRanker
from bof.evaluation.run import Report, evaluate_ranker
from bof.options import COLUMN_OF, LOCAL, SearchOptions
from bof.system.files import write_json

SETS = ("ukbench", "dvd", "copies")
FUSED = ("bof+color", "bof+histogram", "bof+ahash", "bof+color+ahash")


def main(argv: list[str] | None = None) -> int:
    """Measure the rankers on the sets and print the table."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the photographs")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="an even subset of each set; 0: all")
    parser.add_argument("--rankers", nargs="+", metavar="NAME", help="these and no others (bof+color, ...)")
    parser.add_argument("--fusion", default=SearchOptions().fusion, help="how fused rankers are fused")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep indexes and copies here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every report")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="draw where rankers differ from bof")
    add_column_options(parser)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        cache = arguments.cache or Path(stack.enter_context(TemporaryDirectory(prefix="bof-rankers-")))
        cache.mkdir(parents=True, exist_ok=True)
        reports: dict[str, dict[str, Report]] = {}
        for name in arguments.sets:
            benchmark = load(name, arguments.data, cache, arguments.queries)
            with Engine.open_or_create(cache / f"rankers-{name}") as engine:
                reports[name] = _measure(engine, benchmark, arguments)
                print(_table(name, reports[name], bytes_an_image(engine)), flush=True)
            if arguments.sheets:
                _draw(arguments.sheets, name, reports[name])
        if arguments.json:
            found = {
                name: {r: dataclasses.asdict(report) for r, report in rows.items()} for name, rows in reports.items()
            }
            write_json(arguments.json, found)
    return 0


def _as_json(reports: Mapping[str, Report]) -> dict[str, object]:
    return {ranker: dataclasses.asdict(report) for ranker, report in reports.items()}


def _measure(engine: Engine, benchmark: Benchmark, arguments: argparse.Namespace) -> dict[str, Report]:
    want_columns(engine, arguments, ["hash", "color"])
    with progress_bar(" images", "index") as show:
        engine.add(list(benchmark.database), None, show)
    engine.merge()
    engine.refresh()
    reports = {}
    for ranker in arguments.rankers or _all_rankers(arguments.model is not None):
        with progress_bar(" queries", ranker) as show:
            asked = EngineRanker(engine, SearchOptions(ranker=ranker, fusion=arguments.fusion))
            reports[ranker] = evaluate_ranker(asked, benchmark, len(engine), show)
    return reports


def _all_rankers(with_embedding: bool) -> list[str]:
    whole = [ranker for ranker in COLUMN_OF if with_embedding or ranker != "embedding"]
    return [*LOCAL, *whole, *FUSED, *(["bof+embedding"] if with_embedding else [])]


def bytes_an_image(engine: Engine) -> Mapping[str, float]:
    """By ranker, what it reads of each image on disk: the features, or its column."""
    n_images, found = max(1, len(engine)), dict.fromkeys(LOCAL, 0.0)
    for segment in engine.searcher().collection.segments:
        part = segment.postings
        local = (part.image, part.feature, part.signature, segment.word, segment.xy, segment.scale_angle)
        for ranker in LOCAL:
            found[ranker] += sum(array.nbytes for array in local) / n_images
        for ranker, column in COLUMN_OF.items():
            if column in segment.columns:
                found[ranker] = found.get(ranker, 0.0) + segment.columns[column].nbytes / n_images
    return found


def _table(name: str, reports: Mapping[str, Report], sizes: Mapping[str, float]) -> str:
    lines = [f"\n{name}", "| ranker | N-S | mAP | recall@1 | ms | bytes an image |", "| --- " * 6 + "|"]
    for ranker, report in reports.items():
        figures = [_figure(value) for value in (report.ns, report.map, report.recall_at_1)]
        milliseconds = report.query_milliseconds["after_extract"]
        size = sum(sizes.get(one, 0.0) for one in ranker.split("+"))
        lines.append(f"| {ranker} | {' | '.join(figures)} | {milliseconds:.1f} | {size:,.0f} |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _draw(folder: Path, name: str, reports: Mapping[str, Report]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for ranker in _others(list(reports)):
        sheet = draw_differences(reports[ranker], reports["bof"])
        if sheet is not None:
            cv2.imwrite(str(folder / f"{name}-{ranker}.jpg"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def _others(rankers: Sequence[str]) -> list[str]:
    return [ranker for ranker in rankers if ranker != "bof"] if "bof" in rankers else []


if __name__ == "__main__":
    sys.exit(main())
