"""What extraction costs and what it gives: CPU milliseconds a picture against accuracy, one row an extraction setting.

python -m scripts.extraction --data DIR (the folder that holds ukbench1000/ and dvd_covers/). Both benchmarks are asked
in one collection: UKBench's 1,000 pictures and the 100 DVD covers, with the vocabulary that comes with bof and its
search options. DVD is asked a second time with details, the middle ninth of each photograph, because whole covers are
nearly all found by any setting. Then OpenCV's own knobs that are no options of bof, timed only. Milliseconds are CPU
time on one thread, from the file's bytes to features, the least of some rounds; other programs disturb them little.
--cache keeps features.
"""

from __future__ import annotations

import argparse
import sys

from bof.cli.command import run
from bof.options import PRESETS
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.tables import head_lines, line, widths_of
from scripts.extraction import measure
from scripts.extraction.curve import all_settings, chosen, draw, title_of

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

HEAD = ["setting", *(heading for heading, _ in COLUMNS.values())]


def main(argv: list[str] | None = None) -> int:
    """Measure the settings, then OpenCV's variants."""
    parser = make_parser(
        __doc__,
        "data cache json",
        sample=(16, "pictures of each set to time"),
        rounds=(2, "timings of each picture; the least counts"),
        svg=(None, "draw accuracy against milliseconds here (bof-search[report])"),
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these settings (balanced is always)")
    parser.add_argument("--queries", type=int, nargs=2, metavar="N", default=[250, 200], help="UKBench, DVD; 0: all")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    settings = chosen(all_settings(), arguments.only)
    benchmarks = measure.load(arguments.data, *arguments.queries)
    sample = measure.choose_sample(benchmarks, arguments.sample)
    milliseconds = measure.measure_milliseconds(settings, sample, arguments.rounds)
    counts = ", ".join(f"{b.name} {len(b.queries)} queries" for b in benchmarks.values())
    print(f"{counts}; {len(measure.database_of(benchmarks))} pictures in the collection\n")
    print("\n".join(head_lines(HEAD)), flush=True)
    table: dict[str, measure.Figures] = {}
    with cache_or_temporary(arguments.cache) as cache:
        for title, options, spent in zip(map(title_of, settings), settings, milliseconds, strict=True):
            figures = {**spent, **measure.measure_accuracy(options, benchmarks, cache, title)}
            cells = [f"{figures[key]:{form}}" for key, (_, form) in COLUMNS.items()]
            print(line([title, *cells], widths_of(HEAD)), flush=True)
            table[title] = figures
            write_figures(arguments.json, {"settings": table})
    knobs = measure.measure_variants(sample, arguments.rounds)
    print("\n".join(["", *measure.lines_of_variants(knobs)]))
    write_figures(arguments.json, {"settings": table, "opencv": knobs})
    if arguments.svg:
        draw(arguments.svg, table, {name: title_of(options) for name, options in PRESETS.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
