"""The command `bof watch-list ACTION`: watched pictures, which every picture that is indexed is compared with."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from bof.cli.arguments import add_index, index_folder
from bof.cli.command import run
from bof.cli.parser import CommandParser
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.errors import ImageError, OptionError, display_name
from bof.standing_queries.matching import StandingQueries
from bof.standing_queries.storage import MAX_BYTES
from bof.standing_queries.types import WatchHit
from bof.system.units import counted, when

_USAGE = """\
add PICTURE... [--name NAME] [--note TEXT]
list | hits [--after NUMBER] [--json]
remove ID..."""


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("watch-list", _USAGE, "Watch pictures: what is indexed from now on is compared with them.")
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do; hits: what was found so far")
    parser.add_argument("which", nargs="*", metavar="PICTURE or ID", help="pictures to add, or ids to remove")
    add_index(parser)
    parser.add_argument("--name", default="", help="with add: what to call the picture (default: its file's name)")
    parser.add_argument("--note", default="", metavar="TEXT", help="with add: why it is watched")
    parser.add_argument("--after", type=int, default=0, metavar="NUMBER", help="with hits: only later ones")
    parser.add_argument("--json", action="store_true", help="print JSON, a line each")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    takes = arguments.action in ("add", "remove")
    if takes != bool(arguments.which):
        expected = f"{'pictures' if arguments.action == 'add' else 'ids'} after it" if takes else "nothing after it"
        raise OptionError(expected=expected, found=" ".join(arguments.which) or "none")
    with Engine.open(index_folder(arguments.index), arguments.vocabulary) as engine:
        return _ACTIONS[arguments.action](StandingQueries(engine), arguments)


def _add(queries: StandingQueries, arguments: argparse.Namespace) -> int:
    if arguments.name and arguments.which[1:]:
        raise OptionError(option="name", expected="one picture", found=f"{len(arguments.which)}")
    contents = {path: _content(path) for path in map(Path, arguments.which)}
    for path, content in contents.items():
        try:
            watched = queries.add(content, arguments.name or display_name(path.name), arguments.note)
        except ImageError as error:
            raise ImageError(path=path, expected=error.expected, found=error.found, advice=error.advice) from error
        print(f"{watched.id}  {watched.name}")
    return 0


def _content(path: Path) -> bytes:
    """Raises ImageError for what is no file, or too large a one."""
    if not path.is_file():
        raise ImageError(path=path, expected="a picture", found="no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ImageError(path=path, expected=f"at most {MAX_BYTES} bytes", found=f"{path.stat().st_size}")
    return path.read_bytes()


def _list(queries: StandingQueries, arguments: argparse.Namespace) -> int:
    for one in reversed(queries.watch_list.pictures()):
        if arguments.json:
            print(json.dumps({**asdict(one), "created": when(one.created)}))
        else:
            note = f"  {one.note}" if one.note else ""
            print(f"{one.id}  {display_name(one.name)}  {counted(one.n_hits, 'hit')}{display_name(note)}")
    return 0


def _hits(queries: StandingQueries, arguments: argparse.Namespace) -> int:
    """What other processes have added meanwhile is compared first."""
    with stage_bars() as show:
        queries.catch_up(show)
    names = {one.id: one.name for one in queries.watch_list.pictures()}
    for hit in queries.watch_list.hits(arguments.after):
        print(json.dumps({**asdict(hit), "found": when(hit.found)}) if arguments.json else describe(hit, names))
    return 0


def describe(hit: WatchHit, names: Mapping[int, str]) -> str:
    """A hit in a line. names: of the watched pictures, by id."""
    found = time.strftime("%Y-%m-%d %H:%M", time.localtime(hit.found))
    what = f"{display_name(hit.name)} shows {display_name(names.get(hit.watched, ''))}"
    return f"{hit.number}  {found}  {what} ({hit.verdict}, {counted(hit.n_inliers, 'inlier')})"


def _remove(queries: StandingQueries, arguments: argparse.Namespace) -> int:
    wrong = [text for text in arguments.which if not text.isdecimal() or len(text) > 18]
    if wrong:
        raise OptionError(expected="ids, as the action list shows them", found=repr(wrong[0]))
    n_removed = queries.watch_list.remove(list(map(int, arguments.which)))
    print(f"{counted(n_removed, 'picture')} watched no more")
    return 0


_ACTIONS: Mapping[str, Callable[[StandingQueries, argparse.Namespace], int]] = {
    "add": _add, "list": _list, "hits": _hits, "remove": _remove,
}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
