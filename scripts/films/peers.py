"""Clips searched by bof, provena-audit and perception's TMK, in one run over the same films and clips.

python -m scripts.films.peers --root DIR --provena PYTHON --tmk PYTHON: DIR holds clips.json (scripts.films.clips);
PYTHON is the interpreter of an environment with `pip install provena-audit==0.2.0`, and `perception==0.9.3`: they pin
other versions than bof. Printed are, by edit: clips found, which for all three is the right film first, at a score that
no clip without a copy reaches; and the segment F1 of those that give times, with all that they give.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.cli.command import run
from bof.clips.finding import find_segments
from bof.engine import Engine
from bof.errors import BofError
from bof.evaluation.benchmarks.films import ClipBenchmark, ClipQuery, load_clips
from bof.evaluation.film_clips import ClipResult, clip_figures, measure_clip
from bof.evaluation.segments import CopiedSegment
from scripts.common.arguments import write_figures
from scripts.common.tables import figure, table
from scripts.films.clip_plan import no_copy_group

COPY, SHARED_INTRO = "copy", no_copy_group("intro")


@dataclass(frozen=True, slots=True)
class Found:
    """A film that a method names for a clip. segments: empty where it gives no times."""

    film: Path
    score: float
    segments: Sequence[CopiedSegment]


@dataclass(frozen=True, slots=True)
class Method:
    """What a method answered to every clip, the best film first."""

    name: str
    gives_times: bool
    answers: Mapping[Path, Sequence[Found]]
    seconds: float


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder of clips.json")
    parser.add_argument("--index", type=Path, metavar="DIR", help="bof's index of the films (default: a temporary one)")
    report = "bof's answers from `bof evaluate clips --json-file FILE` over the same clips, which takes long"
    parser.add_argument("--report", type=Path, metavar="FILE", help=report)
    parser.add_argument("--provena", type=Path, metavar="PYTHON", help="interpreter that has provena-audit")
    parser.add_argument("--tmk", type=Path, metavar="PYTHON", help="interpreter that has perception")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    benchmark = load_clips(arguments.root)
    with tempfile.TemporaryDirectory(prefix="bof-films-") as scratch:
        if arguments.report:
            methods = [read_bof(benchmark, arguments.report)]
        else:
            methods = [ask_bof(benchmark, arguments.index or Path(scratch) / "index")]
        if arguments.provena:
            methods.append(ask_peer("provena-audit", "peer_provena.py", arguments.provena, benchmark, Path(scratch)))
        if arguments.tmk:
            methods.append(ask_peer("perception TMK", "peer_tmk.py", arguments.tmk, benchmark, Path(scratch)))
    print("\n".join(lines(benchmark, methods)))
    write_figures(arguments.json, methods)
    return 0


def ask_bof(benchmark: ClipBenchmark, index: Path) -> Method:
    """bof's segments; what it calls an intro is no copy."""
    start, answers = time.perf_counter(), {}
    with Engine.open_or_create(index) as engine:
        engine.add(list(benchmark.database))
        for query in benchmark.queries:
            by_film: dict[Path, Found] = {}
            for each in find_segments(engine, query.clip).segments:
                if each.kind == COPY:
                    before = by_film.get(each.path, Found(each.path, 0.0, []))
                    ranges = ((float(span.start), float(span.stop)) for span in (each.query, each.film))
                    score = max(before.score, each.score)
                    by_film[each.path] = Found(each.path, score, [*before.segments, CopiedSegment(*ranges)])
            answers[query.clip] = sorted(by_film.values(), key=lambda found: -found.score)
    return Method("bof", True, answers, time.perf_counter() - start)


def read_bof(benchmark: ClipBenchmark, report: Path) -> Method:
    """bof's segments as a report has them; the score of a film is how many seconds of the clip it explains."""
    content = json.loads(report.read_text(encoding="utf-8"))
    answers: dict[Path, Sequence[Found]] = {}
    for entry in content["queries"]:
        found = []
        for film, predicted in entry["predicted"].items():
            segments = [CopiedSegment(tuple(one["query"]), tuple(one["film"])) for one in predicted]
            found.append(Found(Path(film), sum(one.query[1] - one.query[0] for one in segments), segments))
        answers[Path(entry["clip"])] = sorted(found, key=lambda one: -one.score)
    if missing := sum(query.clip not in answers for query in benchmark.queries):
        raise BofError(f"{report}: {missing} of {len(benchmark.queries)} clips are missing; it is of other clips")
    seconds = content["index_s"] + sum(entry["seconds"] for entry in content["queries"])
    return Method("bof", True, answers, seconds)


def ask_peer(name: str, script: str, python: Path, benchmark: ClipBenchmark, scratch: Path) -> Method:
    """What a peer answers in a process of its own environment. Raises BofError where it fails."""
    start = time.perf_counter()
    question = {
        "films": [str(film) for film in benchmark.database],
        "clips": [str(query.clip) for query in benchmark.queries],
        "scratch": str(scratch),
    }
    command = [str(python), str(Path(__file__).with_name(script))]
    done = subprocess.run(command, input=json.dumps(question), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise BofError(f"{name}: {' '.join(command)}: exit status {done.returncode}")
    answers = {Path(clip): [_found(each) for each in found] for clip, found in json.loads(done.stdout).items()}
    times = any(each.segments for found in answers.values() for each in found)
    return Method(name, times, answers, time.perf_counter() - start)


def _found(entry: Mapping[str, object]) -> Found:
    segments: list[list[float]] = entry["segments"]  # type: ignore[assignment]
    made = [CopiedSegment((one[0], one[1]), (one[2], one[3])) for one in segments]
    return Found(Path(str(entry["film"])), float(str(entry["score"])), made)


# -- Figures ----------------------------------------------------------------------------------------------------------


def found_clips(benchmark: ClipBenchmark, method: Method) -> dict[Path, bool]:
    """Of every clip that copies something: is its film first, at a score that no clip without a copy reaches?

    Clips that share an intro do share something, and set no limit; segments found in them count as false below.
    """
    others = [method.answers[q.clip] for q in benchmark.queries if not q.copied and SHARED_INTRO not in q.groups]
    highest = max((found[0].score for found in others if found), default=float("-inf"))
    return {
        query.clip: _is_first(method.answers[query.clip], query, highest) for query in benchmark.queries if query.copied
    }


def _is_first(found: Sequence[Found], query: ClipQuery, highest: float) -> bool:
    return bool(found) and found[0].film in query.copied and found[0].score > highest


def lines(benchmark: ClipBenchmark, methods: Sequence[Method]) -> list[str]:
    """By edit, then over all clips; last the false segments and the seconds of each method."""
    results = {method.name: _results(benchmark, method) for method in methods if method.gives_times}
    groups = sorted({group for query in benchmark.queries if query.copied for group in query.groups})
    head = ["clips", "n", *(f"{m.name} found" for m in methods), *(f"{name} F1" for name in results)]
    rows = [_row(benchmark, methods, results, group) for group in [*groups, ""]]
    false = {name: clip_figures(each, len(benchmark.database)).n_false_segments for name, each in results.items()}
    return [
        *table(head, rows),
        "false segments: " + ", ".join(f"{name} {n}" for name, n in false.items()),
        "seconds: " + ", ".join(f"{method.name} {method.seconds:.0f}" for method in methods),
    ]


def _results(benchmark: ClipBenchmark, method: Method) -> list[ClipResult]:
    return [
        measure_clip(query, {found.film: found.segments for found in method.answers[query.clip]})
        for query in benchmark.queries
    ]


def _row(
    benchmark: ClipBenchmark, methods: Sequence[Method], results: Mapping[str, Sequence[ClipResult]], group: str
) -> list[object]:
    """The figures of a group; of all clips where it is empty. F1 is of the group's clips alone."""
    chosen = [q for q in benchmark.queries if q.copied and (not group or group in q.groups)]
    clips, n_films = {str(query.clip) for query in chosen}, len(benchmark.database)
    shares = []
    for method in methods:
        found = found_clips(benchmark, method)
        shares.append(figure(sum(found[query.clip] for query in chosen) / len(chosen), 3))
    f1 = [figure(clip_figures([r for r in each if r.clip in clips], n_films).f1, 3) for each in results.values()]
    return [group or "all", len(chosen), *shares, *f1]


if __name__ == "__main__":
    sys.exit(main())
