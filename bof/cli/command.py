"""How every command runs, fails and is interrupted: one line on stderr, and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from bof.cli.arguments import flag
from bof.cli.package_check import check_opencv, check_package
from bof.errors import BofError, OptionError, display_name
from bof.system.memory import keep_freed_memory


def run(command: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser, argv: list[str] | None) -> int:
    """Parse, run, and turn every expected failure into one line and an exit status: 1 failed, 2 misused."""
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s")
    _survive_odd_names()
    keep_freed_memory()
    try:
        arguments = parser.parse_args(argv)
        check_package()
        check_opencv()
        status = command(arguments)
        sys.stdout.flush()
        return status
    except (BofError, OSError) as error:
        if "--debug" in (sys.argv[1:] if argv is None else argv):
            raise
        if isinstance(error, OSError):
            _drop_stdout()
        return 1 if isinstance(error, BrokenPipeError) else _fail(error)
    except KeyboardInterrupt as stop:
        print(": ".join(["interrupted", *map(str, stop.args)]), file=sys.stderr)
        return 130


@contextlib.contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """What is done inside ends at SIGTERM as at Ctrl-C: what was found is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def message_of(error: Exception) -> str:
    """An error as a command prints it: options by their flags, commands as they were typed, on one line."""
    return display_name(error.text(flag) if isinstance(error, BofError) else str(error))


def _fail(error: Exception) -> int:
    print(f"error: {message_of(error)}", file=sys.stderr)
    return 2 if isinstance(error, OptionError) else 1


def _drop_stdout() -> None:
    """What is still buffered would fail once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _survive_odd_names() -> None:
    """A file name that is not UTF-8 is printed with escapes rather than ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
