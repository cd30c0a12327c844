"""The command `python -m bof.evaluate {ukbench,dvd,FILE.json} --root DIR`: how accurate and how fast is it?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from bof.benchmarks import Benchmark, load_benchmark
from bof.command import add_search_options, human_bytes, peak_memory, progress_bar, run, search_options
from bof.engine import AddReport, Engine
from bof.errors import BenchmarkError, BofError
from bof.evaluation import Report, evaluate_ranker
from bof.images import display_name, read_bytes, walk_images
from bof.options import FeatureOptions, IndexOptions, add_options, chosen, options_from
from bof.rankers import EngineRanker
from bof.sampling import content_key


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bof.evaluate", description="Measure accuracy and speed on a benchmark."
    )
    parser.add_argument("benchmark", help="ukbench, dvd, or a JSON file (its form: data/README.md)")
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="where its photographs lie")
    parser.add_argument(
        "--distractors", type=Path, nargs="+", default=[], metavar="DIR", help="pictures to add to the database"
    )
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help="vocabulary to use (default: bof's own)")
    parser.add_argument(
        "--index", type=Path, metavar="DIR", help="keep the index here and use it again (default: a temporary one)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report here")
    add_search_options(parser)
    add_options(parser, IndexOptions)
    add_options(parser, FeatureOptions, only_if_given=True)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if arguments.json and (arguments.json.is_dir() or not os.access(arguments.json.absolute().parent, os.W_OK)):
        raise BenchmarkError(f"{display_name(arguments.json)}: cannot be written; name another --json")
    benchmark = load_benchmark(arguments.benchmark, arguments.root)
    distractors = _distractors(arguments.distractors, benchmark)
    with ExitStack() as stack:
        folder = (
            arguments.index or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bof-evaluate-"))) / "index"
        )
        wanted = chosen(arguments, FeatureOptions)
        engine = stack.enter_context(Engine.open_or_create(folder, arguments.vocabulary, **wanted))
        with progress_bar(" images", "index") as show:
            added = engine.add([*benchmark.database, *distractors], options_from(arguments, IndexOptions), show)
        _require_collection(engine, benchmark, distractors, added)
        with progress_bar(" queries", "search") as show:
            ranker = EngineRanker(engine, search_options(arguments))
            report = evaluate_ranker(ranker, benchmark, len(engine), show)
        whole = {**dataclasses.asdict(report), **_surroundings(engine, benchmark, distractors, added)}
    _print_report(report, whole)
    if arguments.json:
        _write_json(arguments.json, whole)
    return 0


def _distractors(folders: Iterable[Path], benchmark: Benchmark) -> list[Path]:
    """Pictures under the folders; what the benchmark itself names is no distractor."""
    named = {*benchmark.database, *(query.image for query in benchmark.queries)}
    return [path for folder in folders for path in walk_images(Path(os.path.abspath(folder))) if path not in named]


def _require_collection(engine: Engine, benchmark: Benchmark, distractors: list[Path], added: AddReport) -> None:
    """Figures over another collection than the one that was named would be wrong without anyone noticing."""
    expected = {str(path) for path in (*benchmark.database, *distractors)} - {item.path for item in added.skipped}
    found = {row.path for row in engine.snapshot.rows if not row.deleted}
    if strangers := sorted(found - expected):
        raise BenchmarkError(
            f"{engine.index.folder}: expected the benchmark's {len(expected)} pictures, found {len(strangers)} others, "
            f"the first is {display_name(strangers[0])}; name another --index"
        )


def _surroundings(engine: Engine, benchmark: Benchmark, distractors: list[Path], added: AddReport) -> dict[str, Any]:
    """What a report says besides the figures of merit."""
    evaluated = {*benchmark.database, *(query.image for query in benchmark.queries)}
    return {
        "n_distractors": len(distractors),
        "n_features": int(sum(segment.feature_indptr[-1] for segment in engine.snapshot.segments)),
        "skipped": [dataclasses.asdict(item) for item in added.skipped],
        "index_seconds_per_image": added.seconds / added.n_added if added.n_added else None,
        "index_bytes": engine.index.n_bytes(),
        "peak_memory_bytes": peak_memory(),
        "evaluated_images_trained_on": _n_trained_on(evaluated, engine),
        "n_evaluated_images": len(evaluated),
    }


def _n_trained_on(paths: Iterable[Path], engine: Engine) -> int:
    """How many of the evaluated pictures the vocabulary has seen: it should be none."""
    readable = []
    for path in paths:
        try:
            readable.append(content_key(read_bytes(path)))
        except BofError:
            continue
    return int(np.isin(np.array(readable, np.uint64), engine.vocabulary.image_keys).sum())


def _print_report(report: Report, whole: dict[str, Any]) -> None:
    trained_on = whole["options"]["vocabulary"]["trained_on"]
    rows = [
        ("benchmark", f"{report.benchmark}, {report.n_database} pictures, {report.n_queries} queries"),
        ("ranker", f"{report.ranker} {whole['options']['vote']} {whole['options']['verify']}"),
        ("vocabulary", f"{whole['options']['vocabulary']['n_words']} words, trained on {trained_on['source']}"),
        (
            "  seen in training",
            f"{whole['evaluated_images_trained_on']} of {whole['n_evaluated_images']} evaluated pictures",
        ),
        ("N-S (of 4)", _figure(report.ns)),
        ("mAP", _figure(report.map)),
        ("recall@1", _figure(report.recall_at_1)),
        *((f"  {group}", _figure(value)) for group, value in report.recall_at_1_by_group.items()),
        ("recall@10", _figure(report.recall_at_10)),
        ("false accepts", _figure(report.false_accept_rate)),
        ("query ms (median)", ", ".join(f"{stage} {ms:.1f}" for stage, ms in report.query_milliseconds.items())),
        ("index s an image", _figure(whole["index_seconds_per_image"])),
        ("index size", f"{human_bytes(whole['index_bytes'])}, {whole['n_features']} features"),
        ("peak memory", human_bytes(whole["peak_memory_bytes"])),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<19} {value}")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _write_json(path: Path, whole: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(
            f"{display_name(path)}: cannot be written: {error.strerror}; name another --json"
        ) from error


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
