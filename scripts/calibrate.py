"""Fits the probability of bof.retrieval.evidence to pairs of photographs, and checks what `same` is worth.

python scripts/calibrate.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). All photographs are
indexed; every UKBench picture and every photograph of a cover is asked, and each pair that the engine verifies is
held against the truth. Pairs that share something although the truth says no are left out; calibration_truth.py
names them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import calibration_report
import numpy as np
from calibration_exhaustive import LEVELS, Level, count_inliers, level, true_pairs
from calibration_fit import THRESHOLDS, Bin, Model, Operation, engine_model, fit, held_out, operate, reliability
from calibration_pairs import Gathered, Pairs, build_index, default_workers, gather
from calibration_truth import DVD, UKBENCH, Subject, choose_queries, count_matches, subject_of

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.engine import Engine
from bof.images.decode import display_name
from bof.options import VerifyOptions
from bof.system.files import write_json
from bof.types import F64

N_SUREST = 10

SETS = {"UKBench": UKBENCH, "DVD": DVD}


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that was asked and measured. paths: by number in the index; shown: what each live picture shows."""

    engine: Engine
    paths: Sequence[Path]
    shown: Mapping[Path, Subject]
    queries: Sequence[Path]
    asked: Sequence[Subject]
    gathered: Gathered

    def in_set(self, folder: str) -> list[Subject]:
        """What the queries of one set show."""
        return [subject for subject in self.asked if subject.folder == folder]


@dataclass(frozen=True, slots=True)
class Judged:
    """One way to a probability: how reliable it is, and what thresholds do on each set."""

    reliability: Sequence[Bin]
    operations: dict[str, list[Operation]]


def main(argv: list[str] | None = None) -> int:
    """Index, ask, fit, print."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the photographs")
    parser.add_argument("--index", type=Path, metavar="DIR", help="keep the index here, and use it again")
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="an even subset of each set; 0: all")
    parser.add_argument("--workers", type=int, default=default_workers(), metavar="N", help="processes that ask")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        index = arguments.index or Path(stack.enter_context(TemporaryDirectory(prefix="bof-calibrate-"))) / "index"
        study = _study(index, arguments)
        figures: dict[str, object] = {}
        for line in _report(study, arguments.workers, figures):
            print(line, flush=True)
    if arguments.json:
        write_json(arguments.json, figures)
    return 0


def _study(index: Path, arguments: argparse.Namespace) -> Study:
    queries = choose_queries(arguments.data, arguments.queries)
    with progress_bar(" images", "index") as show:
        engine = build_index(index, arguments.data, show)
    with progress_bar(" queries") as show:
        gathered = gather(index, arguments.data, queries, arguments.workers, show)
    paths = [Path(row.path) for row in engine.snapshot.rows]
    asked = [subject_of(path, arguments.data) for path in queries]
    shown = {
        Path(row.path): subject_of(Path(row.path), arguments.data) for row in engine.snapshot.rows if not row.deleted
    }
    return Study(engine, paths, shown, queries, asked, gathered)


def _report(study: Study, workers: int, figures: dict[str, object]) -> Iterator[str]:
    """The lines to print; the same figures go into `figures`."""
    n_queries = {name: len(study.in_set(folder)) for name, folder in SETS.items()}
    n_true = {name: count_matches(study.in_set(folder), list(study.shown.values())) for name, folder in SETS.items()}
    yield from calibration_report.counts(study.gathered, n_queries, len(study.shown))
    fitted, current = fit(study.gathered.pairs), engine_model()
    yield from ("", *calibration_report.coefficients(fitted, current))
    ways = _ways(study)
    for name, judged in ways.items():
        yield from ("", f"{name}:", *calibration_report.reliability_table(judged.reliability))
        yield from ("", *calibration_report.threshold_table(judged.operations, n_true))
    yield from ("", *_surest_wrong(study))
    n, levels = _exhaustive(study, workers)
    yield from ("", *calibration_report.exhaustive_table(levels, *n))
    figures |= _plain(study.gathered, n_queries, n_true, fitted, current, ways, levels)


def _ways(study: Study) -> dict[str, Judged]:
    """The engine's probability, and the fitted one, each half of the objects by the fit to the other half."""
    pairs = study.gathered.pairs
    odd = np.array([int(subject.thing) % 2 == 1 for subject in study.asked], np.bool_)
    return {
        "bof.retrieval.evidence as it is": _judge(study, pairs.probability),
        "fitted to the other half of the objects": _judge(study, held_out(pairs, odd[pairs.query])),
    }


def _judge(study: Study, probability: F64) -> Judged:
    pairs = study.gathered.pairs
    folders = np.array([subject.folder for subject in study.asked], np.str_)[pairs.query]
    rows = {name: folders == folder for name, folder in SETS.items()}
    operations = {
        name: [operate(t, pairs.query[mine], probability[mine], pairs.matches[mine]) for t in THRESHOLDS]
        for name, mine in rows.items()
    }
    return Judged(reliability(probability, pairs.matches), operations)


def _surest_wrong(study: Study) -> Iterator[str]:
    """The wrong pairs that the engine believes most: for a person to look at, do they share something after all?"""
    pairs = study.gathered.pairs.take(~study.gathered.pairs.matches)
    surest = pairs.take(np.argsort(-pairs.probability, kind="stable")[:N_SUREST])
    yield "the surest wrong pairs:"
    for probability, (query, picture) in zip(surest.probability.tolist(), _path_pairs(study, surest), strict=True):
        yield f"{probability:8.4f}  {display_name(query)}  {display_name(picture)}"


def _exhaustive(study: Study, workers: int) -> tuple[tuple[int, int], list[Level]]:
    """How many matching and wrong pairs of UKBench were compared, and the counts at each level."""
    ukbench = np.array([subject.folder == UKBENCH for subject in study.asked], np.bool_)
    pairs = study.gathered.pairs.take(ukbench[study.gathered.pairs.query])
    same = pairs.take(pairs.matches & (pairs.probability >= VerifyOptions().same))
    true = true_pairs(study.queries, study.shown)
    wrong = _path_pairs(study, pairs.take(~pairs.matches))
    with progress_bar(" images", "exhaustive: features") as show:
        found = count_inliers([*true, *wrong], study.engine.index.features, workers, show).tolist()
    inliers = dict(zip(true, found, strict=False)), dict(zip(wrong, found[len(true) :], strict=True))
    called_same = set(_path_pairs(study, same))
    return (len(true), len(wrong)), [level(n, *inliers, called_same) for n in LEVELS]


def _path_pairs(study: Study, pairs: Pairs) -> list[tuple[Path, Path]]:
    rows = zip(pairs.query.tolist(), pairs.picture.tolist(), strict=True)
    return [(study.queries[query], study.paths[picture]) for query, picture in rows]


def _plain(
    gathered: Gathered,
    n_queries: dict[str, int],
    n_true: dict[str, int],
    fitted: Model,
    current: Model,
    ways: dict[str, Judged],
    levels: Sequence[Level],
) -> dict[str, object]:
    """For JSON."""
    return {
        "n_queries": n_queries,
        "n_true": n_true,
        "n_matching": gathered.n_matching,
        "n_wrong": gathered.n_wrong,
        "n_left_out": gathered.n_left_out,
        "n_with_transform": len(gathered.pairs),
        "fitted": asdict(fitted),
        "current": asdict(current),
        "ways": {name: asdict(judged) for name, judged in ways.items()},
        "exhaustive": [asdict(one) for one in levels],
    }


if __name__ == "__main__":
    sys.exit(main())
