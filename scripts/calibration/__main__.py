"""Fits the probability of bof.retrieval.evidence to pairs of photographs, and checks what `same` is worth.

python -m scripts.calibration --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). All photographs
are indexed; every UKBench picture and every photograph of a cover is asked, and each pair that the engine verifies is
held against the truth. Pairs that share something although the truth says no are left out; truth.py names them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bof.cli.command import run
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.errors import display_name
from bof.options import VerifyOptions
from bof.types import F64
from scripts.calibration.exhaustive import LEVELS, Level, level, true_pairs
from scripts.calibration.fit import THRESHOLDS, Model, Operation, engine_model, fit, held_out, operate, reliability
from scripts.calibration.pairs import Gathered, Pairs, gather
from scripts.calibration.truth import INDEXED, Subject, choose_queries, count_matches, subject_of
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.data import DVD, UKBENCH
from scripts.common.features import extract_all
from scripts.common.tables import figure, share, table
from scripts.peers.exhaustive import compare

N_SUREST = 10

FOLDERS = {"UKBench": UKBENCH, "DVD": DVD}


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that was asked and measured. paths: by number in the index; shown: what each live picture shows."""

    engine: Engine
    paths: Sequence[Path]
    shown: Mapping[Path, Subject]
    queries: Sequence[Path]
    subjects: Sequence[Subject]
    gathered: Gathered

    def in_folder(self, folder: str) -> list[Subject]:
        """What the queries of one set show."""
        return [subject for subject in self.subjects if subject.folder == folder]

    def path_pairs(self, pairs: Pairs) -> list[tuple[Path, Path]]:
        """Query and picture of each pair."""
        rows = zip(pairs.query.tolist(), pairs.picture.tolist(), strict=True)
        return [(self.queries[query], self.paths[picture]) for query, picture in rows]


def main(argv: list[str] | None = None) -> int:
    """Index, ask, fit, print."""
    parser = make_parser(
        __doc__,
        "data json",
        index=(None, "keep the index here, and use it again (default: a folder that is deleted)"),
        queries=(0, "an even subset of each set; 0: all"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.index) as folder:
        study = _study(folder, arguments)
        figures: dict[str, object] = {}
        for line in _report(study, figures):
            print(line, flush=True)
    write_figures(arguments.json, figures)
    return 0


def _study(index: Path, arguments: argparse.Namespace) -> Study:
    queries = choose_queries(arguments.data, arguments.queries)
    engine = Engine.open_or_create(index)
    with stage_bars() as show:  # only what is new or changed is added to an existing index
        engine.add([arguments.data / name for name in INDEXED], progress=show)
    gathered = gather(index, arguments.data, queries)
    rows = [(Path(row.path), row.deleted) for row in engine.images]
    shown = {path: subject_of(path, arguments.data) for path, is_deleted in rows if not is_deleted}
    subjects = [subject_of(path, arguments.data) for path in queries]
    return Study(engine, [path for path, _ in rows], shown, queries, subjects, gathered)


def _report(study: Study, figures: dict[str, object]) -> Iterator[str]:
    """The lines to print; the same figures go into `figures`."""
    gathered, shown = study.gathered, list(study.shown.values())
    n_queries = {name: len(study.in_folder(folder)) for name, folder in FOLDERS.items()}
    n_true = {name: count_matches(study.in_folder(folder), shown) for name, folder in FOLDERS.items()}
    yield from counts_of(gathered, n_queries, len(study.shown))
    fitted, current = fit(gathered.pairs), engine_model()
    weights = [(n, figure(getattr(fitted, n), 2), figure(getattr(current, n), 2)) for n in Model.__dataclass_fields__]
    yield from ("", *table(("coefficient", "fitted", "bof.retrieval.evidence"), weights))
    odd = np.array([int(subject.thing) % 2 == 1 for subject in study.subjects], np.bool_)
    ways = {
        "bof.retrieval.evidence as it is": gathered.pairs.probability,
        "fitted to the other half of the objects": held_out(gathered.pairs, odd[gathered.pairs.query]),
    }
    judged = {name: _judge(study, probability) for name, probability in ways.items()}
    for name, found in judged.items():
        bins = [(f"{b.low:g} to {b.high:g}", b.n, b.predicted, b.matching) for b in found["reliability"]]
        rows = [(*edges, figure(predicted, 4), figure(matching, 4)) for *edges, predicted, matching in bins]
        yield from ("", f"{name}:", "", *table(("probability", "pairs", "predicted", "matching"), rows))
        yield from ("", *threshold_table(found["operations"], n_true))
    yield from ("", *_surest_wrong(study))
    n_compared, levels = _exhaustive(study)
    yield from ("", *exhaustive_table(levels, *n_compared))
    counts = {name: getattr(gathered, name) for name in ("n_matching", "n_wrong", "n_left_out")}
    figures |= {"n_queries": n_queries, "n_true": n_true, **counts, "n_with_transform": len(gathered.pairs)}
    figures |= {"fitted": fitted, "current": current, "ways": judged, "exhaustive": levels}


def _judge(study: Study, probability: F64) -> dict[str, Any]:
    """How reliable a probability is, and what thresholds do on each set."""
    pairs = study.gathered.pairs
    folders = np.array([subject.folder for subject in study.subjects], np.str_)[pairs.query]
    rows = {name: folders == folder for name, folder in FOLDERS.items()}
    operations = {
        name: [operate(t, pairs.query[mine], probability[mine], pairs.matches[mine]) for t in THRESHOLDS]
        for name, mine in rows.items()
    }
    return {"reliability": reliability(probability, pairs.matches), "operations": operations}


def _surest_wrong(study: Study) -> Iterator[str]:
    """The wrong pairs that the engine believes most: for a person to look at, do they share something after all?"""
    pairs = study.gathered.pairs.take(~study.gathered.pairs.matches)
    surest = pairs.take(np.argsort(-pairs.probability, kind="stable")[:N_SUREST])
    yield "the surest wrong pairs:"
    for probability, (query, picture) in zip(surest.probability.tolist(), study.path_pairs(surest), strict=True):
        yield f"{probability:8.4f}  {display_name(query)}  {display_name(picture)}"


def _exhaustive(study: Study) -> tuple[tuple[int, int], list[Level]]:
    """How many matching and wrong pairs of UKBench were compared, and the counts at each level."""
    ukbench = np.array([subject.folder == UKBENCH for subject in study.subjects], np.bool_)
    pairs = study.gathered.pairs.take(ukbench[study.gathered.pairs.query])
    same = pairs.take(pairs.matches & (pairs.probability >= VerifyOptions().same))
    true, wrong = true_pairs(study.queries, study.shown), study.path_pairs(pairs.take(~pairs.matches))
    paths = sorted({path for pair in (*true, *wrong) for path in pair})
    with cache_or_temporary(None) as scratch:
        features = extract_all(paths, study.engine.features, scratch, "exhaustive: features")
    found = compare([(features[query], features[picture]) for query, picture in (*true, *wrong)])[:, 0].tolist()
    inliers = dict(zip(true, found, strict=False)), dict(zip(wrong, found[len(true) :], strict=True))
    called_same = set(study.path_pairs(same))
    return (len(true), len(wrong)), [level(n, *inliers, called_same) for n in LEVELS]


def counts_of(gathered: Gathered, n_queries: Mapping[str, int], n_pictures: int) -> Iterator[str]:
    """How much was asked and measured."""
    counts = " and ".join(f"{n} of {name}" for name, n in n_queries.items())
    yield f"{n_pictures} pictures; queries: {counts}"
    n_pairs, left_out = gathered.n_matching + gathered.n_wrong, gathered.n_left_out
    yield f"{n_pairs} pairs verified, {gathered.n_matching} of them matching; {left_out} more left out"
    n_matching = int(gathered.pairs.matches.sum())
    yield f"{len(gathered.pairs)} of the pairs have a transform, {n_matching} of them matching"


def threshold_table(operations: Mapping[str, Sequence[Operation]], n_true: Mapping[str, int]) -> list[str]:
    """For each threshold and each set: queries with a wrong `same`, and the share of all matching pairs kept."""
    head = ["same from", *(head for name in operations for head in (f"{name} wrong", "kept"))]
    rows = []
    for row in zip(*operations.values(), strict=True):
        cells = [(o.queries_misled, share(o.n_kept, n_true[name])) for name, o in zip(operations, row, strict=True)]
        rows.append([f"{row[0].threshold:g}", *(cell for pair in cells for cell in pair)])
    return table(head, rows)


def exhaustive_table(levels: Sequence[Level], n_true: int, n_wrong: int) -> Iterator[str]:
    """What exhaustive matching verifies, and what the engine makes of it."""
    yield f"{n_true} matching pairs of UKBench, and its {n_wrong} wrong pairs that the engine found a transform for"
    head = ("inliers", "verified", "same of these", "wrong", "wrong queries")
    same = [share(o.n_called_same, o.n_matching) for o in levels]
    counts = zip(levels, same, strict=True)
    yield from table(head, [(o.n_inliers, o.n_matching, s, o.n_wrong, o.n_queries_wrong) for o, s in counts])


if __name__ == "__main__":
    sys.exit(main())
