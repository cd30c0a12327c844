"""How fast films are decoded: bare PyAV beside bof's reader, which gives every frame small and grey.

python -m scripts.films.decoding FILM... [--runs 5]. Times all ways in turn, and prints medians: milliseconds a frame
on the clock and on all cores, how many times as fast as the film plays, and the ratio to PyAV with as many threads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import av

from bof.cli.command import run
from bof.images.films.film import Film
from scripts.common.arguments import make_parser, write_figures
from scripts.common.timing import Spent, timed

_SMALL_PX, _LARGE_PX, _STEP = 64, 1024, 12
"""Sizes of what bof takes of frames: all small and grey, and, of every so manyth, a large one for features."""


def bare(path: Path, n_threads: int) -> int:
    """The number of frames that PyAV decodes; their pixels are not looked at."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count, stream.thread_type = n_threads, "SLICE" if n_threads == 1 else "AUTO"
        return sum(1 for _ in container.decode(stream))


def small(path: Path, n_threads: int) -> int:
    """The same by bof's reader, with a small grey picture of each."""
    with Film(str(path), n_threads=n_threads) as film:
        return sum(1 for frame in film.decoded() if frame.grey(_SMALL_PX).size)


def small_and_large(path: Path, n_threads: int) -> int:
    """The same, and a large grey one of some."""
    with Film(str(path), n_threads=n_threads) as film:
        n = 0
        for n, frame in enumerate(film.decoded(), 1):
            frame.grey(_SMALL_PX)
            if n % _STEP == 0:
                frame.grey(_LARGE_PX)
        return n


WAYS: Mapping[str, Callable[[Path, int], int]] = {
    "PyAV alone": bare,
    f"bof, grey at {_SMALL_PX} px": small,
    f"bof, and every {_STEP}th at {_LARGE_PX} px": small_and_large,
}


def main(argv: list[str] | None = None) -> int:
    """Time each film in every way."""
    parser = make_parser(__doc__, "json", runs=(5, "of each way; the median is printed"))
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM", help="a film")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    figures: dict[str, dict[str, float]] = {}
    for path in arguments.films:
        with Film(str(path)) as film:
            facts, n_frames = film.facts, bare(path, 0)
        print(f"{path.name}: {facts.codec}, {facts.width} x {facts.height}, {n_frames} frames")
        for n_threads in (1, 0):
            spent = _time_all(path, n_threads, arguments.runs)
            alone = spent["PyAV alone"]
            for way, one in spent.items():
                figure = {
                    "ms_a_frame": 1000 * one.seconds / n_frames,
                    "cpu_ms_a_frame": 1000 * one.cpu_seconds / n_frames,
                    "times_real_time": float(facts.duration) / one.seconds,
                    "ratio": one.seconds / alone.seconds,
                    "cpu_ratio": one.cpu_seconds / alone.cpu_seconds,
                }
                figures[f"{path.name}, {n_threads or 'all'} threads, {way}"] = figure
                values = "  ".join(f"{name} {value:.2f}" for name, value in figure.items())
                print(f"  {n_threads or 'all':>3} threads  {way:32} {values}")
                sys.stdout.flush()
    write_figures(arguments.json, figures)
    return 0


def _time_all(path: Path, n_threads: int, runs: int) -> dict[str, Spent]:
    """The medians of every way, timed in turn."""
    all_spent: dict[str, list[Spent]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way, read in WAYS.items():
            all_spent[way].append(timed(lambda read=read: read(path, n_threads)))  # type: ignore[misc]
    return {
        way: Spent(median(one.seconds for one in spent), median(one.cpu_seconds for one in spent))
        for way, spent in all_spent.items()
    }


if __name__ == "__main__":
    sys.exit(main())
