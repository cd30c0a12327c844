"""What the films of an index share, as a table or as JSON. No film is touched: a shared piece makes none needless."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bof.cli.clip_records import pair_rows, segment_record
from bof.cli.clip_table import remark_of, times_of_range
from bof.cli.command import ended_like_interrupted
from bof.cli.progress import stage_bars
from bof.cli.terminal import Column, table_lines
from bof.clips.duplicates import FilmPair, SharedClips, find_shared_clips
from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.grouping.records import write_text
from bof.options import ClipOptions
from bof.system.units import counted

_FORMAT = 1
_NOT_OF_CLIPS = (
    "html", "move_to", "hardlink", "trash", "undo", "yes", "log", "protect", "keep", "reject", "forget",
    "list_rejected",
)  # fmt: skip


def refuse_for_clips(arguments: argparse.Namespace) -> None:
    """Raises OptionError for options that choose between files or touch them: films that share a piece both stay."""
    given = next((name for name in _NOT_OF_CLIPS if getattr(arguments, name)), None)
    if given is not None:
        expected = "another {kind}: with clip films are compared, and none is touched"
        raise OptionError(option=given, expected=expected, found="{kind} clip")


def report_shared_clips(engine: Engine, options: ClipOptions, arguments: argparse.Namespace) -> int:
    """Find what films share, print it and write what was asked for."""
    with ended_like_interrupted(), stage_bars() as show:
        shared = find_shared_clips(engine, options, show)
    if arguments.json:
        sys.stdout.write(_as_json(shared, engine))
    else:
        print("\n".join(_lines(shared, arguments.groups)))
    if arguments.json_file:
        write_text(arguments.json_file, _as_json(shared, engine))
    if arguments.csv:
        write_text(arguments.csv, pair_rows(shared.pairs))
    for path in filter(None, (arguments.json_file, arguments.csv)):
        print(f"wrote {display_name(path)}", file=sys.stderr)
    return 0


def _as_json(shared: SharedClips, engine: Engine) -> str:
    facts = {"index": str(engine.folder.absolute()), "kind": "clip", "n_pictures": len(engine)}
    pairs = [_pair_record(number, pair) for number, pair in enumerate(shared.pairs, 1)]
    found = {"format": _FORMAT, **facts, "n_films": shared.n_films, "pairs": pairs, "problems": dict(shared.problems)}
    return json.dumps(found, indent=2) + "\n"


def _pair_record(number: int, pair: FilmPair) -> dict[str, Any]:
    return {
        "number": number,
        "films": [
            {"name": pair.name, "path": os.fspath(pair.path)},
            {"name": pair.other, "path": os.fspath(pair.other_path)},
        ],
        "whole": pair.whole,
        "segments": [segment_record(segment) for segment in pair.segments],
    }


def _lines(shared: SharedClips, n_shown: int) -> Iterator[str]:
    """A table a pair of films, then how many there are."""
    for name, problem in shared.problems.items():
        yield f"{display_name(name)}: {problem}; its segments are known by keyframes alone"
    pairs = shared.pairs[:n_shown] if n_shown else shared.pairs
    for number, pair in enumerate(pairs, 1):
        yield f"{number}. {display_name(pair.name)} and {display_name(pair.other)}{_note_on_whole(pair.whole)}"
        yield from table_lines(*_columns(pair), [""] * len(pair.segments))
        yield ""
    n = len(shared.pairs)
    more = f", {n - len(pairs)} not shown (--groups 0 shows all)" if len(pairs) < n else ""
    yield f"{counted(n, 'pair')} among {counted(shared.n_films, 'film')}{more}"


def _note_on_whole(names: Sequence[str]) -> str:
    if not names:
        return ""
    if len(names) > 1:
        return ": each is wholly in the other"
    return f": {display_name(names[0])} is wholly in the other"


def _columns(pair: FilmPair) -> tuple[list[Column], Column]:
    segments = pair.segments
    columns = [
        Column("kind", [segment.kind for segment in segments], 5),
        Column("in the first", [times_of_range(segment.query) for segment in segments], 15),
        Column("in the other", [times_of_range(segment.film) for segment in segments], 15),
        Column("inliers", [str(segment.proof.n_inliers) for segment in segments], 7, True, 1),
    ]
    return columns, Column("changes", [remark_of(segment) or "-" for segment in segments])
