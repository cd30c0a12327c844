"""What a film shares with an index, printed and written as the options of a search say."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from bof.cli.clip_finding import FoundSegments, is_film
from bof.cli.clip_proof import write_clip_matches
from bof.cli.clip_records import clips_as_csv
from bof.cli.clip_table import clip_lines, notes_of
from bof.cli.edl import edl_of
from bof.cli.finding import FailedQuery
from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.system.units import counted

_OF_PICTURES = ("html", "save", "require", "box", "verdict", "where", "text", "group_by", "iiif_server")
"""Options that say something of the hits of a picture alone."""


def refuse_for_films(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Raises OptionError where options do not go with films, or films not with pictures, among the queries."""
    films = [name for name in names if is_film(name)]
    if arguments.format == "edl" and len(films) != 1:
        found = counted(len(films), "film")
        raise OptionError(option="format", expected="one film as the query of an edit decision list", found=found)
    if not films:
        return
    given = next((name for name in _OF_PICTURES if getattr(arguments, name, None)), None)
    if given is not None:
        raise OptionError(option=given, expected="pictures, or a time of a film (FILM#t=SECONDS), as queries",
                          found=f"the film {display_name(films[0])}")  # fmt: skip
    if arguments.format == "iiif" or (arguments.format == "csv" and len(films) < len(names)):
        expected = "pictures alone" if arguments.format == "iiif" else "films alone, or pictures alone, as queries"
        raise OptionError(option="format", expected=expected, found=f"the film {display_name(films[0])}")


def report_clip(engine: Engine, found: FoundSegments, arguments: argparse.Namespace, printed: set[bytes]) -> None:
    """Print what a film shares, and write what was asked for. printed: names that were, and are not again."""
    is_listed = arguments.names or arguments.paths or arguments.null
    if is_listed:
        segments = found.answer.segments
        print_names([one.name if arguments.names else str(one.path) for one in segments], arguments, printed)
    elif arguments.format == "table":
        print("\n".join(clip_lines(found)))
    if is_listed or arguments.format != "table":
        for note in notes_of(found):
            print(f"{found.shown}: {note}", file=sys.stderr)
    if arguments.matches:
        written = write_clip_matches(arguments.matches, engine, found)
        print(f"{counted(len(written), 'match picture')} in {display_name(arguments.matches)}", file=sys.stderr)


def print_names(names: Sequence[str], arguments: argparse.Namespace, printed: set[bytes]) -> None:
    """As the file system has them, whatever the encoding of the terminal; each once."""
    sys.stdout.flush()
    end = b"\0" if arguments.null else os.linesep.encode()
    for name in map(os.fsencode, names):
        if name not in printed:
            sys.stdout.buffer.write(name + end)
            printed.add(name)
    sys.stdout.buffer.flush()


def print_clips(answered: Sequence[FoundSegments | FailedQuery], form: str) -> None:
    """All answers as one table, or the segments of one as an edit decision list."""
    if form == "csv":
        sys.stdout.write(clips_as_csv(answered))
        return
    for found in answered:
        if isinstance(found, FoundSegments):
            print("\n".join(edl_of(found)))
