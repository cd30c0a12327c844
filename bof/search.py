"""The command `bof search query.jpg [--index DIR]`: which pictures show the same thing?"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bof.cli.annotating import annotated, harvested_hits
from bof.cli.arguments import (
    add_option,
    add_options,
    add_readable_index,
    add_search_options,
    options_from,
    readable_index,
    search_options,
)
from bof.cli.clip_finding import FoundSegments, find_clip, is_film
from bof.cli.clip_printing import print_clips, print_names, refuse_for_films, report_clip
from bof.cli.clip_records import clip_as_json
from bof.cli.command import message_of, run
from bof.cli.finding import FailedQuery, FoundHits, find_hits, shown_name
from bof.cli.hit_csv import hits_as_csv
from bof.cli.hit_json import found_as_json
from bof.cli.hit_table import hit_lines, notes_of
from bof.cli.on_dask import add_search_workers, search_workers
from bof.cli.outputs import require_place
from bof.cli.parser import CommandParser, for_experts
from bof.cli.proof import write_matches
from bof.cli.queries import STANDARD_INPUT, expand_queries, labels_of
from bof.cli.saving import save_hits
from bof.cli.sheet import write_sheet
from bof.engine import Engine
from bof.errors import BofError, OptionError, display_name
from bof.images.address import Address
from bof.options import (
    BOX,
    FORMAT,
    IIIF_SERVER,
    QUERY_MEMORY,
    REQUIRE,
    SAVE_AS,
    TOP,
    VERDICT,
    ClipOptions,
    SearchOptions,
)
from bof.system.ahead import run_ahead
from bof.system.units import counted
from bof.types import Hit

Answered = FoundHits | FoundSegments | FailedQuery


def _parser() -> argparse.ArgumentParser:
    description = "Find pictures that show the same thing, and the films that a clip was cut from."
    parser = CommandParser("search", "QUERY... [--index DIR] [options]", description)
    parser.add_argument(
        "queries", nargs="+", metavar="query",
        help="picture files, folders of them, - for one on standard input; a film: the segments that it shares with "
        "films of the index; FILM#t=SECONDS: a frame of it",
    )  # fmt: skip
    add_readable_index(parser)
    for option in (TOP, VERDICT, BOX):
        add_option(parser, option)
    together = "search with all pictures as one query: several views of one thing"
    parser.add_argument("--together", action="store_true", help=together)
    _add_outputs(parser)
    parser.add_argument("--timings", action="store_true", help="say on stderr where the time went")
    for_experts(parser, "--timings")
    add_option(parser, QUERY_MEMORY)
    add_search_options(parser)
    add_options(parser, ClipOptions)
    add_search_workers(parser)
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_option(one, FORMAT)
    one.add_argument("--names", action="store_true", help="print the names of the hits alone, for pipes")
    one.add_argument("--paths", action="store_true", help="print the paths of their files alone")
    parser.add_argument("-0", "--null", action="store_true", help="end names, or else paths, with a zero, for xargs -0")
    parser.add_argument("--matches", type=Path, metavar="DIR", help="write a picture of the proof for each hit here")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with the proofs of all hits")
    parser.add_argument("--save", type=Path, metavar="DIR", help="copy the hits' own pictures here, named by rank")
    add_option(parser, IIIF_SERVER)
    for_experts(parser, "--iiif-server")
    add_option(parser, SAVE_AS)
    add_option(parser, REQUIRE)


def _command(arguments: argparse.Namespace) -> int:
    timings = {"start_up": time.process_time()}
    options = search_options(arguments)
    if arguments.json:
        arguments.format = "json"
    names = expand_queries(arguments.queries)
    _refuse_contradictions(arguments, names)
    refuse_for_films(arguments, names)
    start = time.perf_counter()
    folder = readable_index(arguments)
    with (
        search_workers(arguments, folder) as workers,
        Engine.open(folder, arguments.vocabulary, workers=workers) as engine,
    ):
        timings["open"] = time.perf_counter() - start
        answered = (_find_together if arguments.together else _find_all)(engine, names, arguments, options)
        found = [one for one in answered if isinstance(one, FoundHits)]
        if arguments.html:
            write_sheet(arguments.html, engine, found, options)
        _print_document(engine, answered, arguments, options)
    if arguments.timings:
        clips = [one.answer.seconds for one in answered if isinstance(one, FoundSegments)]
        _print_timings(timings, [*(one.seconds for one in found), *clips])
    return 1 if _n_failed(answered) or not _have_required(found, arguments.require) else 0


def _print_document(
    engine: Engine, answered: Sequence[Answered], arguments: argparse.Namespace, options: SearchOptions
) -> None:
    """All answers as one document, where that is asked for."""
    found = [one for one in answered if isinstance(one, FoundHits)]
    clips = [one for one in answered if not isinstance(one, FoundHits)]
    if arguments.format == "json":
        answers = [_as_json(engine, one, options) for one in answered if not isinstance(one, FailedQuery)]
        print(json.dumps(answers, indent=2))
    elif arguments.format == "edl" or (arguments.format == "csv" and not found and len(clips) > _n_failed(clips)):
        print_clips(clips, arguments.format)
    elif arguments.format == "csv":
        sys.stdout.write(hits_as_csv([one for one in answered if not isinstance(one, FoundSegments)]))
    elif arguments.format == "iiif":
        pages = [annotated(engine, one, arguments.iiif_server) for one in found]
        print(json.dumps(pages[0] if len(answered) == 1 else pages, indent=2, allow_nan=False))


def _as_json(engine: Engine, one: FoundHits | FoundSegments, options: SearchOptions) -> dict[str, Any]:
    if isinstance(one, FoundSegments):
        return clip_as_json(one)
    return found_as_json(one, options, harvested_hits(engine, one))


def _n_failed(answered: Sequence[Answered]) -> int:
    return sum(isinstance(one, FailedQuery) for one in answered)


def _refuse_contradictions(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    if arguments.queries.count(STANDARD_INPUT) > 1:
        raise OptionError("standard input holds one picture", path="-", found="it named more than once")
    if arguments.null and arguments.format != "table":
        found = "{json}" if arguments.json else f"{{format}} {arguments.format}"
        raise OptionError(option="null", expected="{names} or {paths} beside it", found=found)
    if arguments.iiif_server and arguments.format != "iiif":
        raise OptionError(option="iiif_server", expected="{format} iiif beside it", found="another format")
    if arguments.together and any(is_film(name) for name in names):
        raise OptionError(option="together", expected="pictures", found="a film among them")
    for output in ("matches", "html") if arguments.together else ():
        if getattr(arguments, output):
            advice = "proofs are drawn beside one picture: search with each alone"
            raise OptionError(
                option="together", expected="no {matches} or {html} beside it", found=output, advice=advice
            )
    if arguments.together and arguments.format == "iiif":
        raise OptionError(option="together", expected="another {format}", found="iiif")
    if arguments.html:
        require_place(arguments.html, "html")


def _find_all(
    engine: Engine, names: Sequence[str], arguments: argparse.Namespace, options: SearchOptions
) -> list[Answered]:
    """What was found for each query, reported in their order while later ones are read and searched with; one that
    fails alone raises.
    """

    clip_options = options_from(arguments, ClipOptions)

    def find(query: tuple[str, str]) -> FoundHits | FoundSegments | BofError:
        try:
            if is_film(query[0]):
                return find_clip(engine, *query, clip_options, arguments.top)
            return find_hits(engine, *query, arguments, options)
        except BofError as error:
            return error

    answered, printed = list[Answered](), set[bytes]()
    queries = zip(names, labels_of(names), strict=True)
    for name, one in zip(names, run_ahead(find, queries), strict=True):
        try:
            if isinstance(one, BofError):
                raise one
            if isinstance(one, FoundSegments):
                report_clip(engine, one, arguments, printed)
            else:
                _report(engine, one, arguments, options, printed)
        except BofError as error:
            if arguments.debug or len(names) == 1:
                raise
            print(f"error: {message_of(error)}", file=sys.stderr)
            answered.append(FailedQuery(shown_name(name), message_of(error)))
        else:
            answered.append(one)
    return answered


def _find_together(
    engine: Engine, names: Sequence[str], arguments: argparse.Namespace, options: SearchOptions
) -> list[Answered]:
    """What was found for all pictures as one query. Raises ImageError where one of them is none."""
    found = find_hits(engine, names[0], labels_of(names)[0], arguments, options, names[1:])
    _report(engine, found, arguments, options, set())
    return [found]


def _report(
    engine: Engine, found: FoundHits, arguments: argparse.Namespace, options: SearchOptions, printed: set[bytes]
) -> None:
    """Print what was found, and write what was asked for. printed: names that were, and are not again."""
    if arguments.names or arguments.paths or arguments.null:
        print_names([hit.name if arguments.names else _spoken(hit) for hit in found.hits], arguments, printed)
    elif arguments.format == "table":
        print("\n".join(hit_lines(found, options)))
    is_listed = arguments.names or arguments.paths or arguments.null
    if (is_listed or arguments.format != "table") and not found.hits:
        print(f"{found.shown}: {'; '.join(notes_of(found, options))}", file=sys.stderr)
    if arguments.matches:
        written = write_matches(arguments.matches, engine, found)
        print(f"{counted(len(written), 'match picture')} in {display_name(arguments.matches)}", file=sys.stderr)
    if arguments.save:
        written = save_hits(arguments.save, found, arguments.save_as)
        print(f"{counted(len(written), 'picture')} saved in {display_name(arguments.save)}", file=sys.stderr)


def _spoken(hit: Hit) -> str:
    """The path as a query may have it: of a page, `FILE#page=12`."""
    return Address(str(hit.file), hit.shown_part).name(str(hit.file))


def _have_required(found: Sequence[FoundHits], verdicts: Sequence[str]) -> bool:
    """Whether each query has a hit with one of the verdicts, if any is named; those that have none are named."""
    lacking = [one for one in found if verdicts and not any(hit.verdict in verdicts for hit in one.hits)]
    for one in lacking:
        print(f"{one.shown}: no hit has the verdict {' or '.join(verdicts)}", file=sys.stderr)
    return not lacking


def _print_timings(timings: dict[str, float], found: Sequence[Mapping[str, float]]) -> None:
    for seconds in found:
        for stage, spent in seconds.items():
            timings[stage] = timings.get(stage, 0.0) + spent
    print("; ".join(f"{stage} {1e3 * seconds:.0f} ms" for stage, seconds in timings.items()), file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
