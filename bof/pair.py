"""The command `bof pair [--index DIR]`: a code to pair a browser extension with the server; who is paired; the end."""

from __future__ import annotations

import argparse
import sys
import time

from bof.cli.arguments import add_index_folder, index_folder
from bof.cli.command import run
from bof.cli.parser import CommandParser
from bof.errors import OptionError, display_name
from bof.server.pairing import PairingFile, pairing_line, pairing_path
from bof.store.index import Index


def _parser() -> argparse.ArgumentParser:
    description = "Pair a browser extension with the server of an index, list what is paired, or end a pairing."
    parser = CommandParser("pair", "[--index DIR] [--list | --revoke ID | --revoke-all]", description)
    add_index_folder(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--list", action="store_true", help="list the extensions that are paired")
    one.add_argument("--revoke", action="append", default=[], metavar="ID", help="end a pairing; may be repeated")
    one.add_argument("--revoke-all", action="store_true", help="end all pairings")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    folder = index_folder(arguments.index)
    Index.open(folder)  # says where there is none
    file = PairingFile(pairing_path(folder))
    if arguments.list:
        _list(file)
    elif arguments.revoke or arguments.revoke_all:
        _revoke(file, arguments.revoke)
    else:
        print(pairing_line(folder))
    return 0


def _list(file: PairingFile) -> None:
    paired = file.state().paired
    for each in paired:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.created))
        print(f"{each.id}  {when}  {display_name(each.name)}  {each.origin}")
    if not paired:
        print("no extension is paired")


def _revoke(file: PairingFile, chosen: list[str]) -> None:
    """End those that were chosen, or all. Raises OptionError for an id that nobody has, and ends none then."""
    known = {each.id for each in file.state().paired}
    unknown = sorted(set(chosen) - known)
    if unknown:
        expected = "the id of a pairing, as {bof pair} --list shows it"
        raise OptionError(option="revoke", expected=expected, found=repr(unknown[0][:50]))
    gone = file.revoke(frozenset(chosen) or frozenset(known))
    print(f"{len(gone)} {'pairing' if len(gone) == 1 else 'pairings'} ended")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
