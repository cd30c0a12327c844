"""Compose films with their truth: python -m scripts.films.compose --data DIR --out DIR [--minutes 120] [--half judge].

DIR holds train/, ukbench1000/, dvd_covers/ and video/. Writes films/ and films.json. A film that is there from an
earlier run of the same seed, half, size and length is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from joblib import Parallel, delayed

from bof.cli.command import run
from scripts.common.arguments import make_parser, write_figures
from scripts.films.painting import frames
from scripts.films.plan import FilmPlan, plan_films
from scripts.films.sources import HALVES, find_sources
from scripts.films.truth import film_truth
from scripts.films.writing import write_film


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, parser_of(__doc__), argv)


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """The flags that say which films: the commands for queries and clips plan the same films from them."""
    parser = make_parser(
        doc,
        "data",
        minutes=(120.0, "of all films together"),
        seed=(0, "of all chance"),
        short_side=(360, "pixels of the short side of every film"),
        jobs=(2, "films at a time"),
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where films and truth go")
    parser.add_argument("--half", choices=HALVES, default=HALVES[0], help=f"of the sources (default {HALVES[0]})")
    return parser


def plans_of(arguments: argparse.Namespace) -> list[FilmPlan]:
    """The plans that the flags stand for."""
    sources = find_sources(arguments.data, arguments.half)
    return plan_films(sources, arguments.minutes, arguments.seed, arguments.short_side)


def _command(arguments: argparse.Namespace) -> int:
    plans, out = plans_of(arguments), arguments.out
    stamp = {name: getattr(arguments, name) for name in ("minutes", "seed", "half", "short_side")}
    _forget_others(out, stamp)
    start = time.perf_counter()
    seconds = Parallel(n_jobs=arguments.jobs)(delayed(_write)(plan, out / "films") for plan in plans)
    write_figures(
        out / "films.json",
        {"name": f"composed films, {arguments.half}", **stamp, "films": [film_truth(p, arguments.data) for p in plans]},
    )
    for plan, spent in zip(plans, seconds, strict=True):
        print(f"{plan.name:<24} {len(plan.shots):>4} shots {float(plan.times[-1]):>7.1f} s, written in {spent:.1f} s")
    print(f"{sum(float(p.times[-1]) for p in plans) / 60:.1f} minutes in {time.perf_counter() - start:.0f} s")
    return 0


def _forget_others(out: Path, stamp: dict[str, object]) -> None:
    """Films of other flags are not the films of these plans."""
    (out / "films").mkdir(parents=True, exist_ok=True)
    file, text = out / "films" / "made_with.json", json.dumps(stamp)
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        for film in (out / "films").iterdir():
            film.unlink()
        file.write_text(text, encoding="utf-8")


def _write(plan: FilmPlan, folder: Path) -> float:
    start, path = time.perf_counter(), folder / plan.name
    if not path.is_file():
        style = plan.style
        write_film(path, frames(plan), plan.times, style.codec, style.rate, style.options)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
