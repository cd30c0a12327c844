"""The command `bof completion SHELL`: print what completes commands, options, their values and files in a shell.

shtab (Apache-2.0) writes it once, from the parsers themselves. argcomplete would start Python, and with it numpy and
OpenCV, at every press of the key.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from bof.cli.command import run
from bof.cli.main import COMMANDS
from bof.cli.parser import CommandParser
from bof.errors import BofError

SHELLS = ("bash", "zsh", "tcsh")


def _parser() -> argparse.ArgumentParser:
    description = 'Print what completes commands and options in a shell; for bash: eval "$(bof completion bash)".'
    parser = CommandParser("completion", "SHELL", description)
    parser.add_argument("shell", choices=SHELLS, help="where to complete")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        advice = 'install with: pip install "bof-search[completion]"'
        raise BofError("nothing to complete with", expected="shtab", found="none", advice=advice) from None
    print(shtab.complete(_all_parsers(), arguments.shell))
    return 0


def _all_parsers() -> argparse.ArgumentParser:
    """bof itself with its commands, as shtab reads them."""
    parser = argparse.ArgumentParser(prog="bof", description="Which of my pictures show the same thing as this one?")
    parser.add_argument("--version", action="store_true", help="show bof's version")
    commands = parser.add_subparsers()
    for name, meaning in COMMANDS.items():
        found: argparse.ArgumentParser = importlib.import_module(f"bof.{name}")._parser()
        for action in found._actions:
            _say_what_completes(action)
        commands._name_parser_map[name] = found
        commands._choices_actions.append(commands._ChoicesPseudoAction(name, [], meaning))
    return parser


def _say_what_completes(action: argparse.Action) -> None:
    """What shtab cannot know: files and folders, and the values that bof itself checks."""
    import shtab

    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if metavar.startswith("{"):
        action.choices = metavar.strip("{}").split(",")
    elif metavar in ("DIR", "FOLDER"):
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.type is Path or not (action.option_strings or action.choices):
        action.complete = shtab.FILE  # type: ignore[attr-defined]


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
