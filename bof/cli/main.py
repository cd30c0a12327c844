"""The console script `bof COMMAND ...`: the same modules as `python -m bof.COMMAND`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from bof import __version__
from bof.cli.parser import did_you_mean, program_name
from bof.errors import display_name
from bof.system import opencv

COMMANDS = {
    "index": "make pictures searchable",
    "search": "find pictures that show the same thing",
    "compare": "say how two pictures are alike, without an index",
    "duplicates": "find groups of duplicates, and keep the best of each",
    "serve": "search in a browser, and over HTTP",
    "pair": "pair a browser extension with the server, or end that",
    "mcp": "offer an index to assistants (Model Context Protocol)",
    "watch_list": "watch pictures, and see what new ones show them",
    "train_vocab": "learn visual words from photographs",
    "cluster": "see the Dask workers and the parts of an index that they hold",
    "evaluate": "measure accuracy and speed on a benchmark",
    "completion": "print what completes commands and options in a shell",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names."""
    argv = sys.argv[1:] if argv is None else argv
    name = argv[0].replace("-", "_") if argv else ""
    if name in COMMANDS:
        return _run(name, argv[1:])
    if name in ("__version", "_V"):
        print(f"bof {__version__}")
        return 0
    if name in ("_h", "__help", "__help_all", "help"):
        print(_help())
        return 0
    print(f"error: {_mistake(argv)}\nusage: {program_name()} COMMAND ... (--help says more)", file=sys.stderr)
    return 2


def _run(name: str, argv: list[str]) -> int:
    """Ctrl-C is one line from the first moment: `command.run` says it once the command's modules are there."""
    try:
        return int(importlib.import_module(f"bof.{name}").main(argv))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except ImportError as error:
        return _without_opencv(error)


def _without_opencv(error: ImportError) -> int:
    """Say what to do where OpenCV cannot be loaded; any other error goes on."""
    if error.name != "cv2":
        raise error
    print(f"error: {error}; {opencv.ADVICE}", file=sys.stderr)
    return 1


def _help() -> str:
    lines = (f"  {_spelled(name):<12} {meaning}" for name, meaning in COMMANDS.items())
    head = f"usage: {program_name()} COMMAND ...\n\nWhich of my pictures show the same thing as this one?\n"
    return "\n".join([head, *lines, "", f"{program_name()} COMMAND --help says more; --version shows bof's version."])


def _spelled(name: str) -> str:
    """A command as its own help and the documentation write it; both spellings work."""
    return "watch-list" if name == "watch_list" else name


def _mistake(argv: list[str]) -> str:
    if not argv:
        return f"expected a command: {', '.join(map(_spelled, COMMANDS))}"
    found, first = f"expected a command, found {display_name(repr(argv[0]))}", argv[0]
    if first and Path(first).is_file():
        return f"{found}, a file; to search with it: {program_name('search')} {display_name(first)}"
    return found + did_you_mean(first.replace("-", "_").lower(), list(COMMANDS), f"{program_name()} ")
