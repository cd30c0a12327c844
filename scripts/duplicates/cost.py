"""What duplicates cost beside indexing, in processor time, and what they find: on copies of photographs among others.

python -m scripts.duplicates.cost --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). The
collection: the references of the copies benchmark and their attacked copies, all of UKBench, photographs of covers by
two phones. `bof index` and `bof duplicates` run as commands; their processor time is that of all their processes.
--checkout runs the bof of another checkout, so that two can be held against each other in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.data import DVD, TRAIN, UKBENCH
from scripts.common.process import python_command
from scripts.common.tables import figure, table
from scripts.copies.build import PER_OBJECT
from scripts.duplicates.groups import Figures, Link, Truth, build_truth, judge_groups

_PHONES = ("Droid", "Palm")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, and of the processor in all processes of a command."""

    seconds: float
    cpu_seconds: float


def main(argv: list[str] | None = None) -> int:
    """Compose, index, group, judge, print."""
    parser = make_parser(
        __doc__, "data json", out=(None, "where copies and index stay (default: a folder that is deleted)"),
        checkout=(None, "the checkout whose bof runs (default: this one)"), seed=(0, "of the attacks"),
        queries=(20, "copies of each attack"), every=(3, "one picture of train/ in so many is taken"),
    )  # fmt: skip
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.out) as out:
        truth = compose(arguments.data, out, arguments.queries, arguments.seed, arguments.every)
        print(f"{len(truth.pictures)} pictures, {len(truth.source_of)} copies of another of them", flush=True)
        costs = _run_both(truth, out, arguments.checkout)
        found = judge_file(truth, out / "crop.json", costs["duplicates"].seconds)
        print("\n".join(_lines(costs, found)))
        write_figures(arguments.json, {"costs": costs, "found": found.as_json()})
    return 0


def compose(data: Path, out: Path, queries: int, seed: int, every: int) -> Truth:
    """The copies under OUT, and what is known of them, of their references and of the other photographs."""
    thinned = _thinned(data, out / "data", every).absolute()
    truth = build_truth(thinned, out, queries, seed)
    things = {str(path): f"ukbench {int(path.stem[-5:]) // PER_OBJECT}" for path in walk_images(thinned / UKBENCH)}
    for phone in _PHONES:
        things |= {str(path): f"dvd {path.stem}" for path in walk_images(data.absolute() / DVD / phone)}
    things = {path: thing for path, thing in things.items() if path not in truth.sources}
    return replace(
        truth,
        pictures=[*truth.pictures, *things],
        sources={**truth.sources, **{path: frozenset({path}) for path in things}},
        things={**truth.things, **{path: frozenset({thing}) for path, thing in things.items()}},
        attack={**truth.attack, **dict.fromkeys(things, "other")},
    )


def _thinned(data: Path, folder: Path, every: int) -> Path:
    """A data folder with all of UKBench, and one picture of train/ in so many."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in [*walk_images(data / UKBENCH), *sorted(walk_images(data / TRAIN))[::every]]:
            target = folder / path.relative_to(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return folder


def _run_both(truth: Truth, out: Path, checkout: Path | None) -> Mapping[str, Cost]:
    """Index, and look for duplicates; an index that is there is indexed again, in a folder beside it."""
    for name in ("index", "crop.json"):
        place = out / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    environment = {**os.environ, **({"PYTHONPATH": str(checkout.resolve())} if checkout else {})}
    index = ("--index", out / "index")
    folders = sorted({str(Path(picture).parent) for picture in truth.pictures})
    return {
        "index": cost_of(python_command("bof", "index", *folders, *index), environment),
        "duplicates": cost_of(
            python_command("bof", "duplicates", *index, "--kind", "crop", "--json-file", out / "crop.json"), environment
        ),
    }


def cost_of(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run a command, which must succeed; its processor time and that of its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd="/")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(time.perf_counter() - start, cpu)


def judge_file(truth: Truth, file: Path, seconds: float) -> Figures:
    """The groups that `bof duplicates --json-file` wrote, held against the truth; members the truth knows alone."""
    groups = [_links(one["members"]) for one in json.loads(file.read_text(encoding="utf-8"))["groups"]]
    known = [[link for link in links if set(link) <= truth.sources.keys()] for links in groups]
    return judge_groups("bof crop", truth, [links for links in known if links], seconds)


def _links(members: Sequence[Mapping[str, object]]) -> list[Link]:
    (head,) = (str(member["path"]) for member in members if member["is_head"])
    return [(str(member["path"]), head) for member in members if not member["is_head"]]


def _lines(costs: Mapping[str, Cost], found: Figures) -> list[str]:
    rows = [(name, figure(cost.seconds, 1), figure(cost.cpu_seconds, 1)) for name, cost in costs.items()]
    ratio = costs["duplicates"].cpu_seconds / costs["index"].cpu_seconds
    links = found.links["right"], found.links["neither"], found.links["wrong"]
    words = f"recall {found.recall:.4f}, {found.n_groups} groups, {found.n_wrong_groups} of them wrong"
    attacks = [[attack, n_found, n] for attack, (n_found, n) in found.found.items()]
    return [
        *table(("command", "seconds", "of the processor"), rows),
        f"duplicates take {ratio:.2f} times the processor of indexing; {words}",
        f"links right, neither, wrong: {links}; wrong ones: {found.wrong}",
        *table(("attack", "found", "of"), attacks),
    ]


if __name__ == "__main__":
    sys.exit(main())
