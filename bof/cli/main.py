"""The console script `bof COMMAND ...`: the same modules as `python -m bof.COMMAND`."""

from __future__ import annotations

import importlib
import sys

from bof.system import opencv

COMMANDS = {
    "train_vocab": "learn visual words from photographs",
    "index": "make pictures searchable",
    "search": "find pictures that show the same thing",
    "serve": "search in a browser, and over HTTP",
    "duplicates": "find groups of duplicates, and keep the best of each",
    "evaluate": "measure accuracy and speed on a benchmark",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names."""
    argv = sys.argv[1:] if argv is None else argv
    name = argv[0].replace("-", "_") if argv else ""
    if name in COMMANDS:
        return _run(name, argv[1:])
    is_help = argv[:1] in (["-h"], ["--help"])
    lines = ["usage: bof COMMAND ...", "", *(f"  {name:<12} {meaning}" for name, meaning in COMMANDS.items())]
    if not is_help:
        lines.append(f"error: expected a command, found {argv[0]!r}" if argv else "error: expected a command")
    print(
        "\n".join([*lines, *(["", "bof COMMAND --help says more."] if is_help else [])]),
        file=sys.stdout if is_help else sys.stderr,
    )
    return 0 if is_help else 2


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
