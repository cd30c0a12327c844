"""The command `bof evaluate {KIND,FILE.json} --root DIR`: how accurate and how fast is it?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bof.cli.arguments import (
    add_chosen_columns,
    add_column_options,
    add_feature_options,
    add_option,
    add_options,
    add_search_options,
    chosen_features,
    options_from,
    search_options,
)
from bof.cli.command import run
from bof.cli.film_evaluation import FILM_LOADERS, evaluate_films, film_lines
from bof.cli.on_dask import add_search_workers, search_workers
from bof.cli.parser import CommandParser
from bof.cli.progress import progress_bar, stage_bars
from bof.cli.sibling_table import sibling_lines
from bof.engine import AddReport, Engine
from bof.errors import BenchmarkError, BofError, display_name, reason_of
from bof.evaluation.benchmarks import LOADERS, Benchmark, load_benchmark
from bof.evaluation.rankers import EngineRanker
from bof.evaluation.report import require_report, write_report
from bof.evaluation.run import CUTOFFS, MAIN, Report, evaluate_ranker, without_images
from bof.images.decode import read_bytes
from bof.images.listing import walk_images
from bof.images.written import require_no_photograph
from bof.options import AUTO, BOX, IndexOptions, VideoOptions
from bof.options.published import CacheOptions
from bof.store.published.buckets import publication_place, shown_place
from bof.store.published.copies import is_published, local_folder
from bof.system.files import write_file
from bof.system.memory import peak_memory
from bof.system.units import human_bytes
from bof.vocabulary.sampling import content_key

_N_NAMED = 25
"""So many unreadable pictures are named in the table: all that Paris6k has."""


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("evaluate", "BENCHMARK --root DIR [options]", "Measure accuracy and speed on a benchmark.")
    kinds = ", ".join([*LOADERS, *FILM_LOADERS])
    parser.add_argument("benchmark", help=f"{kinds}, or a JSON file (layouts and form: data/README.md)")
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="where its photographs lie")
    parser.add_argument(
        "--distractors", type=Path, nargs="+", default=[], metavar="DIR", help="pictures to add to the database"
    )
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help="vocabulary to use (default: bof's own)")
    parser.add_argument(
        "--index", type=publication_place, metavar="DIR",
        help="keep the index here and use it again (default: a temporary one); or where one was published",
    )  # fmt: skip
    add_options(parser, CacheOptions)
    parser.add_argument(
        "--crop", action="store_true", help="cut a query's box out before extraction (default: keep key points inside)"
    )
    subject = "search with the subject of queries without a box (default: all of the picture)"
    add_option(parser, dataclasses.replace(BOX, meaning=subject, choices=(AUTO,)))
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON instead of a table")
    parser.add_argument("--json-file", type=Path, metavar="FILE", help="write the whole report here")
    page = "write a page with figures and failed queries here (bof-search[report])"
    parser.add_argument("--report", type=Path, metavar="DIR", help=page)
    add_search_options(parser, without=("where", "text"))
    add_column_options(parser)
    add_options(parser, IndexOptions)
    add_options(parser, VideoOptions)
    add_feature_options(parser)
    add_search_workers(parser)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    file = arguments.json_file
    if file and (file.is_dir() or not os.access(file.absolute().parent, os.W_OK)):
        raise BenchmarkError("cannot be written", path=file, advice="name another {json_file}")
    if file:
        require_no_photograph(file, "json_file")
    if arguments.report:
        require_report(arguments.report)
    if arguments.benchmark in FILM_LOADERS:
        return _evaluate_films(arguments)
    benchmark = load_benchmark(arguments.benchmark, arguments.root)
    distractors = _distractors(arguments.distractors, benchmark)
    with ExitStack() as stack:
        engine, added = _indexed(stack, arguments, [*benchmark.database, *distractors])
        _require_collection(engine, benchmark, distractors, added)
        benchmark = _annotated(_readable(benchmark, added), arguments.crop)
        with progress_bar(" queries", "search") as show:
            ranker = EngineRanker(engine, search_options(arguments), arguments.crop, arguments.box == AUTO)
            report = evaluate_ranker(ranker, benchmark, len(engine), show)
        whole = {**dataclasses.asdict(report), **_surroundings(engine, benchmark, distractors, added)}
    if arguments.json:
        print(json.dumps(whole, indent=2, default=os.fspath))
    else:
        _print_report(report, whole)
    if file:
        _write_json(file, whole)
    if arguments.report:
        write_report(arguments.report, report, whole, benchmark=benchmark)
    return 0


def _indexed(stack: ExitStack, arguments: argparse.Namespace, files: list[Path]) -> tuple[Engine, AddReport]:
    """An index that has these files, until the stack is closed, and what was added."""
    if arguments.index and is_published(arguments.index):
        return _published(stack, arguments, files)
    folder = arguments.index or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bof-evaluate-"))) / "index"
    engine = stack.enter_context(Engine.open_or_create(folder, arguments.vocabulary, **chosen_features(arguments)))
    engine.workers = stack.enter_context(search_workers(arguments, folder))
    add_chosen_columns(engine, arguments, search_options(arguments).groups)
    options = replace(options_from(arguments, IndexOptions), video=options_from(arguments, VideoOptions))
    with stage_bars() as show:
        cluster = engine.workers.cluster if engine.workers else None
        return engine, engine.add(files, options, show, cluster=cluster)


def _published(stack: ExitStack, arguments: argparse.Namespace, files: list[Path]) -> tuple[Engine, AddReport]:
    """A published index that has these files already. Raises BenchmarkError where it has not."""
    folder = local_folder(arguments.index, options_from(arguments, CacheOptions))
    workers = stack.enter_context(search_workers(arguments, folder))
    engine = stack.enter_context(Engine.open(folder, arguments.vocabulary, workers=workers))
    engine.require_columns(search_options(arguments).groups)
    plan = engine.plan(files)
    if lacking := plan.to_read:
        found = f"{len(lacking)} that are new or changed, the first is {display_name(lacking[0][0])}"
        raise BenchmarkError(
            path=shown_place(arguments.index), expected="a published index of these pictures", found=found
        )
    return engine, AddReport(0, 0, 0, 0, 0, 0, plan.n_unchanged, (), 0, 0.0)


def _evaluate_films(arguments: argparse.Namespace) -> int:
    """Pictures or clips searched in films."""
    benchmark = FILM_LOADERS[arguments.benchmark](arguments.root)
    distractors = [path for folder in arguments.distractors for path in walk_images(Path(os.path.abspath(folder)))]
    with ExitStack() as stack:
        engine, added = _indexed(stack, arguments, [*benchmark.database, *distractors])
        step = options_from(arguments, VideoOptions).sampling_step
        with progress_bar(" queries", "search") as show:
            report = evaluate_films(engine, benchmark, search_options(arguments), step, show)
        skipped, n_bytes = [dataclasses.asdict(item) for item in added.skipped], engine.n_bytes()
    whole = {**dataclasses.asdict(report), "skipped": skipped, "index_s": added.seconds, "index_bytes": n_bytes}
    print(json.dumps(whole, indent=2, default=os.fspath) if arguments.json else "\n".join(film_lines(report)))
    if not arguments.json:
        print(f"{'index':<19} {human_bytes(n_bytes)}, {added.seconds:.0f} s, {len(skipped)} skipped")
    if arguments.json_file:
        _write_json(arguments.json_file, whole)
    return 0


def _distractors(folders: Iterable[Path], benchmark: Benchmark) -> list[Path]:
    """Pictures under the folders; what the benchmark itself names is no distractor."""
    named = {*benchmark.database, *(query.image for query in benchmark.queries)}
    return [path for folder in folders for path in walk_images(Path(os.path.abspath(folder))) if path not in named]


def _require_collection(engine: Engine, benchmark: Benchmark, distractors: list[Path], added: AddReport) -> None:
    """Figures over another collection than the one that was named would be wrong without anyone noticing."""
    expected = {str(path) for path in (*benchmark.database, *distractors)} - {item.path for item in added.skipped}
    found = {row.path for row in engine.images if not row.deleted}
    if unknown := sorted(found - expected):
        raise BenchmarkError(
            path=engine.folder,
            expected=f"the benchmark's {len(expected)} pictures",
            found=f"{len(unknown)} others, the first is {display_name(unknown[0])}",
            advice="name another --index",
        )


def _readable(benchmark: Benchmark, added: AddReport) -> Benchmark:
    """Where the published set has broken photographs, they count neither way; elsewhere they are never found."""
    broken = sorted({Path(item.path) for item in added.skipped} & set(benchmark.database))
    if not benchmark.may_be_unreadable or not broken:
        return benchmark
    names = ", ".join(display_name(path.name) for path in broken)
    note = f"{len(broken)} photographs cannot be decoded and count neither way: {names}"
    return dataclasses.replace(without_images(benchmark, broken), notes=[*benchmark.notes, note])


def _annotated(benchmark: Benchmark, crop: bool) -> Benchmark:
    """With a note on how boxes are taken, where queries have any."""
    if not any(query.box for query in benchmark.queries):
        return benchmark
    how = "features extracted from the cropped picture" if crop else "key points whose centre lies inside are kept"
    return dataclasses.replace(benchmark, notes=[*benchmark.notes, f"query boxes: {how}"])


def _surroundings(engine: Engine, benchmark: Benchmark, distractors: list[Path], added: AddReport) -> dict[str, Any]:
    """What a report says besides the figures of merit."""
    evaluated = {*benchmark.database, *(query.image for query in benchmark.queries)}
    return {
        "n_distractors": len(distractors),
        "n_features": engine.n_features,
        "skipped": [dataclasses.asdict(item) for item in added.skipped],
        "index_seconds_per_image": added.seconds / added.n_added if added.n_added else None,
        "index_bytes": engine.n_bytes(),
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
    for name, value in [*_setup_rows(report, whole), *_accuracy_rows(report), *_cost_rows(report, whole)]:
        if value:
            print(f"{name:<19} {value}")
    for line in sibling_lines(report.siblings):
        print(line)


def _setup_rows(report: Report, whole: dict[str, Any]) -> list[tuple[str, str]]:
    vocabulary = whole["options"]["vocabulary"]
    seen = f"{whole['evaluated_images_trained_on']} of {whole['n_evaluated_images']} evaluated pictures"
    return [
        ("benchmark", f"{report.benchmark}, {report.n_database} pictures, {report.n_queries} queries"),
        *(("  note", display_name(note)) for note in report.notes),
        ("  skipped", _first_names([item["path"] for item in whole["skipped"]])),
        ("ranker", f"{report.ranker} {whole['options']['vote']} {whole['options']['verify']}"),
        ("vocabulary", f"{vocabulary['n_words']} words, trained on {vocabulary['trained_on']['source']}"),
        ("  seen in training", seen),
    ]


def _accuracy_rows(report: Report) -> list[tuple[str, str]]:
    return [
        ("N-S (of 4)", _figure(report.ns)),
        *_mean_rows(report),
        ("recall@1", _figure(report.recall_at_1)),
        *((f"  {group}", _figure(value)) for group, value in report.recall_at_1_by_group.items()),
        ("recall@10", _figure(report.recall_at_10)),
        ("micro-AP", _figure(report.micro_ap)),
        ("recall at prec. 0.9", _figure(report.recall_at_precision_90)),
        ("false accepts", _figure(report.false_accept_rate)),
    ]


def _mean_rows(report: Report) -> list[tuple[str, str]]:
    """mAP; where a benchmark names settings, mAP and mP@k of each."""
    if set(report.settings) <= {MAIN}:
        return [("mAP", _figure(report.map))]
    maps = {name: setting.map for name, setting in report.settings.items()}
    means = {f"mP@{k}": {name: s.precision_at[k] for name, s in report.settings.items()} for k in CUTOFFS}
    figures = {"mAP": maps, **means}
    return [(name, ", ".join(f"{s} {_figure(v)}" for s, v in values.items())) for name, values in figures.items()]


def _cost_rows(report: Report, whole: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("query ms (median)", ", ".join(f"{stage} {ms:.1f}" for stage, ms in report.query_milliseconds.items())),
        ("index s an image", _figure(whole["index_seconds_per_image"])),
        ("index size", f"{human_bytes(whole['index_bytes'])}, {whole['n_features']} features"),
        ("peak memory", human_bytes(whole["peak_memory_bytes"])),
    ]


def _first_names(paths: list[str]) -> str:
    """How many pictures cannot be read and the first of them; --json names all, with the reasons."""
    shown = ", ".join(display_name(Path(path).name) for path in paths[:_N_NAMED])
    more = ", ..." if len(paths) > _N_NAMED else ""
    return f"{len(paths)} pictures cannot be read: {shown}{more}" if paths else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _write_json(path: Path, whole: dict[str, Any]) -> None:
    try:
        write_file(path, (json.dumps(whole, indent=2, default=os.fspath) + "\n").encode())
    except OSError as error:
        problem = f"cannot be written: {reason_of(error)}"
        raise BenchmarkError(problem, path=path, advice="name another {json_file}") from error


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
