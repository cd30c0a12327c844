"""What extraction costs and what it gives: CPU milliseconds a picture against accuracy, one row an extraction setting.

python scripts/extraction_curve.py --data DIR (the folder that holds ukbench1000/ and dvd_covers/). Both benchmarks are
asked in one collection: UKBench's 1,000 pictures and the 100 DVD covers, with the vocabulary that comes with bof and
its search options. DVD is asked a second time with details, the middle ninth of each photograph, because whole covers
are nearly all found by any setting. Then OpenCV's own knobs that are no options of bof, timed only. Milliseconds are
CPU time on one thread, from the file's bytes to features, the least of some rounds; other programs disturb them
little. --cache keeps features. A setting whose options change nothing for the pictures at hand (a long side above all
of theirs) is not measured again: it takes the figures of the setting that it equals.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import extraction_curve_plot
import extraction_curve_variants as variants
from extraction_curve_measure import Figures, Pictures, choose_sample, load, measure_accuracy, measure_milliseconds
from extraction_curve_settings import Setting, all_settings, choose, edge

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.options import PRESETS
from bof.system.files import write_json

COLUMNS = {
    "ms_ukbench": ("ms UKBench", ".1f"),
    "ms_dvd": ("ms DVD", ".1f"),
    "features_ukbench": ("features UKBench", ".0f"),
    "features_dvd": ("features DVD", ".0f"),
    "index_bytes": ("index bytes a picture", ".0f"),
    "ns": ("N-S", ".3f"),
    "map_ukbench": ("mAP UKBench", ".4f"),
    "recall_at_1": ("recall@1 DVD", ".4f"),
    "map_dvd": ("mAP DVD", ".4f"),
    "map_detail": ("mAP DVD details", ".4f"),
    "same_ukbench": ("called the same, UKBench", ".4f"),
    "same_dvd": ("DVD", ".4f"),
    "same_detail": ("details", ".4f"),
}
"""Figure: its heading and format."""

EDGES = {"map_ukbench": "ms_ukbench", "map_dvd": "ms_dvd", "map_detail": "ms_dvd"}
"""Accuracy, and the time that it stands against."""


def main(argv: list[str] | None = None) -> int:
    """Measure the settings, then OpenCV's variants."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the photographs")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep features here")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these settings (balanced is always)")
    parser.add_argument("--list", action="store_true", help="print the settings, measure nothing")
    parser.add_argument("--queries", type=int, nargs=2, metavar="N", default=[250, 200], help="UKBench, DVD; 0: all")
    parser.add_argument("--sample", type=int, default=16, metavar="N", help="pictures of each set to time")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="timings of each picture; the least counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw accuracy against milliseconds (bof[report])")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    settings = choose(all_settings(), arguments.only)
    if arguments.list:
        print("\n".join(setting.title for setting in settings))
        return 0
    pictures = load(arguments.data, *arguments.queries)
    sample = choose_sample(pictures, arguments.sample)
    with ExitStack() as stack:
        cache = arguments.cache or Path(stack.enter_context(TemporaryDirectory(prefix="bof-extraction-")))
        cache.mkdir(parents=True, exist_ok=True)
        table = _measure(settings, pictures, sample, cache, arguments)
    print("\n".join(_edges(table)))
    knobs = variants.measure(sample, arguments.rounds)
    print("\n".join(["", *variants.table(knobs)]))
    if arguments.json:
        write_json(arguments.json, {"settings": table, "opencv": knobs})
    if arguments.svg:
        extraction_curve_plot.draw(arguments.svg, table, {name: _title_of(name) for name in PRESETS})
    return 0


def _measure(
    settings: Sequence[Setting],
    pictures: Pictures,
    sample: Mapping[str, Sequence[Path]],
    cache: Path,
    arguments: argparse.Namespace,
) -> dict[str, Figures]:
    """The table, printed and written row by row."""
    with progress_bar(" pictures", "timing") as show:
        milliseconds = measure_milliseconds([s.options for s in settings], sample, arguments.rounds, show)
    print("\n".join(_head(pictures)), flush=True)
    table: dict[str, Figures] = {}
    known: dict[object, Figures] = {}
    for setting, spent in zip(settings, milliseconds, strict=True):
        same = pictures.effective(setting.options)
        if same not in known:
            with progress_bar(" images", setting.title) as show:
                known[same] = measure_accuracy(setting.options, pictures, cache, os.cpu_count() or 1, show)
        table[setting.title] = {**spent, **known[same]}
        print(_line(setting.title, table[setting.title]), flush=True)
        if arguments.json:
            write_json(arguments.json, {"settings": table})
    return table


def _head(pictures: Pictures) -> list[str]:
    asked = ", ".join(f"{b.name} {len(b.queries)} queries" for b in pictures.benchmarks.values())
    headings = [heading for heading, _ in COLUMNS.values()]
    return [
        f"{asked}; {len(pictures.database)} pictures in the collection\n",
        "| " + " | ".join(["setting", *headings]) + " |",
        "| " + " | ".join(["---", *["---:"] * len(headings)]) + " |",
    ]


def _line(title: str, figures: Figures) -> str:
    return "| " + " | ".join([title, *(f"{figures[key]:{form}}" for key, (_, form) in COLUMNS.items())]) + " |"


def _edges(table: Mapping[str, Figures]) -> list[str]:
    """Which settings no other beats in both time and accuracy, a line a benchmark."""
    lines = [""]
    for accuracy, cost in EDGES.items():
        points = {name: (row[cost], row[accuracy]) for name, row in table.items()}
        lines.append(f"edge of {COLUMNS[accuracy][0]}: {'; '.join(edge(points))}")
    return lines


def _title_of(preset: str) -> str:
    return next(setting.title for setting in all_settings() if setting.options == PRESETS[preset])


if __name__ == "__main__":
    sys.exit(main())
