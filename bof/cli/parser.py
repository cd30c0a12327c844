"""The parser of every command: named as it was typed, errors before a usage of one line, options for experts apart."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from bof import __version__
from bof.errors import display_name
from bof.system.units import counted

_EXPERT, _CHOICES = "expert", "choices of several"
"""Registries of argparse, which a parser shares with its groups: by flag, is it for experts, and what it may be."""


def program_name(command: str = "") -> str:
    """What was typed to run a command or bof itself: `bof search`, `python -m bof search` or `python -m bof.search`."""
    started = Path(sys.argv[0]).parts[-2:]
    if command and started == ("bof", f"{command}.py"):
        return f"python -m bof.{command}"
    return " ".join(["python -m bof" if started == ("bof", "__main__.py") else "bof", *([command] if command else [])])


def did_you_mean(word: str, known: Sequence[str], prefix: str = "") -> str:
    """A question that names what is nearest to a mistyped word; empty where nothing is near."""
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def for_experts(container: argparse._ActionsContainer, flag: str) -> None:
    """Show a flag in --help-all alone."""
    container.register(_EXPERT, flag, True)


def takes_several(container: argparse._ActionsContainer, flag: str, choices: Sequence[str]) -> None:
    """Let a flag take the words after it that are among its choices, and leave others to the command."""
    container.register(_CHOICES, flag, frozenset(choices))


class CommandParser(argparse.ArgumentParser):
    """Parses a command's arguments. Flags may stand anywhere between names of files, and are not shortened.

    usage: what follows the program's name, in one line or, for the help, several.
    """

    def __init__(self, command: str, usage: str, description: str) -> None:
        super().__init__(prog=program_name(command), description=description, allow_abbrev=False, add_help=False)
        self._usages = [f"{self.prog} {line}" for line in usage.splitlines()]
        self.register(_EXPERT, "", False)
        self.register(_CHOICES, "", frozenset())
        self.add_argument("-h", "--help", action=_Help, help="show the options of every day, and end")
        self.add_argument("--help-all", action=_Help, help="show all options, and end")
        self.add_argument("--version", action="version", version=f"bof {__version__}", help="show it, and end")
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")
        for_experts(self, "--debug")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments; what is wrong with them is one line on stderr, the usage another, and status 2."""
        given = list(sys.argv[1:] if args is None else args)
        self._refuse_files_like_flags(given)
        argv = self._with_repeated(_without_dashes(given))
        self._has_negative_number_optionals.clear()  # -0 is a flag, and still -1 is a number
        parsed, extras = self.parse_known_intermixed_args(argv, namespace)
        if extras:
            unknown = next((extra for extra in extras if extra.startswith("-")), "").partition("=")[0]
            hint = did_you_mean(unknown, list(self._option_string_actions)) if unknown else self._hint_at_file(argv)
            self.error(f"unrecognized arguments: {' '.join(extras)}{hint}")
        return parsed

    def _refuse_files_like_flags(self, argv: Sequence[str]) -> None:
        """What argparse says of them, that a name is missing, helps nobody."""
        for word in argv[: argv.index("--")] if "--" in argv else argv:
            if word[:1] == "-" and word != "-" and word not in self._option_string_actions and Path(word).is_file():
                self.error(f"{word} looks like an option; for the file of that name write ./{word}")

    def _hint_at_file(self, argv: Sequence[str]) -> str:
        is_meant = "--json" in argv and "--json-file" in self._option_string_actions
        return "; --json prints to standard output, --json-file FILE writes a file" if is_meant else ""

    def _with_repeated(self, argv: Sequence[str]) -> list[str]:
        """`--columns hash color PHOTOS` as `--columns=hash --columns=color PHOTOS`."""
        found: list[str] = []
        flag, choices, is_first = "", frozenset[str](), False
        for word in argv:
            if flag and (word in choices or (is_first and not word.startswith("-"))):
                found[-1:] = [f"{flag}={word}"] if is_first else [found[-1], f"{flag}={word}"]
                is_first = False
                continue
            choices = self._registry_get(_CHOICES, word, frozenset())
            flag, is_first = (word, True) if choices else ("", False)
            found.append(word)
        return found

    def error(self, message: str) -> NoReturn:
        """Print what is wrong before how it is right, and end with status 2."""
        self.exit(2, f"error: {display_name(message)}\n{self.format_usage()}")

    def format_usage(self) -> str:
        """One line."""
        return f"usage: {self._usages[0]} (--help says more)\n"

    def format_help(self, *, everything: bool = False) -> str:
        """The options of every day, or all of them."""
        formatter, n_left_out = self._get_formatter(), 0
        formatter.add_usage("\n       ".join(self._usages).replace("%", "%%"), self._actions, [])
        formatter.add_text(self.description)
        for group in self._action_groups:
            shown = [action for action in group._group_actions if everything or not self._is_for_experts(action)]
            n_left_out += len(group._group_actions) - len(shown)
            formatter.start_section(group.title)
            formatter.add_arguments(shown)
            formatter.end_section()
        if n_left_out:
            formatter.add_text(f"{counted(n_left_out, 'more option')}, for experts: {self.prog} --help-all")
        return formatter.format_help()

    def _is_for_experts(self, action: argparse.Action) -> bool:
        return any(self._registry_get(_EXPERT, flag, False) for flag in action.option_strings)


class _Help(argparse.Action):
    """Prints the help and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        everything = "--help-all" in self.option_strings
        help_text = parser.format_help(everything=everything) if isinstance(parser, CommandParser) else ""
        sys.stdout.write(help_text)
        parser.exit()


def _without_dashes(argv: list[str]) -> list[str]:
    """After -- every word is a name: one that begins with a dash is spelled so that it is no flag.

    argparse forgets the -- where flags stand between names.
    """
    if "--" not in argv:
        return argv
    at = argv.index("--")
    return argv[:at] + [f"./{name}" if name.startswith("-") and name != "-" else name for name in argv[at + 1 :]]
