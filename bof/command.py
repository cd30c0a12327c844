"""What every command shares: how it starts, reports progress, fails, and is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from bof.budget import keep_freed_memory
from bof.errors import BofError, OptionError
from bof.images import display_name
from bof.options import ExpandOptions, VerifyOptions, VoteOptions, add_options, options_from
from bof.searching import MIRRORS, RANKERS, SearchOptions

DEFAULT_INDEX = Path("bof-index")
INDEX_VARIABLE = "BOF_INDEX"


def run(command: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser, argv: list[str] | None) -> int:
    """Parse, run, and turn every expected failure into one line and an exit status: 1 failed, 2 misused."""
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s")
    _survive_odd_names()
    keep_freed_memory()
    try:
        status = command(arguments)
        sys.stdout.flush()
        return status
    except BofError as error:
        if arguments.debug:
            raise
        return _fail(error)
    except OSError as error:
        if arguments.debug:
            raise
        _drop_stdout()
        return 1 if isinstance(error, BrokenPipeError) else _fail(error)
    except KeyboardInterrupt as stop:
        print(": ".join(["interrupted", *map(str, stop.args)]), file=sys.stderr)
        return 130


def _drop_stdout() -> None:
    """What is still buffered would fail once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception) -> int:
    print(f"error: {display_name(str(error))}", file=sys.stderr)
    return 2 if isinstance(error, OptionError) else 1


def _survive_odd_names() -> None:
    """A file name that is not UTF-8 is printed with escapes rather than ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """The flags that `search_options` reads."""
    rankers = "bof: votes verified with geometry; votes: Hamming votes alone; tfidf: plain cosine"
    parser.add_argument("--ranker", choices=RANKERS, default="bof", help=f"{rankers} (default bof)")
    parser.add_argument("--no-verify", action="store_true", help="the same as --ranker votes")
    mirrors = "look for the query's mirror image too: auto, if nothing was clearly the same (40 inliers)"
    parser.add_argument("--mirror", choices=MIRRORS, default="auto", help=f"{mirrors} (default auto)")
    for kind in (VoteOptions, VerifyOptions, ExpandOptions):
        add_options(parser, kind)


def search_options(arguments: argparse.Namespace) -> SearchOptions:
    """What the flags of `add_search_options` were given."""
    ranker = "votes" if arguments.no_verify and arguments.ranker == "bof" else arguments.ranker
    voting, verifying = options_from(arguments, VoteOptions), options_from(arguments, VerifyOptions)
    return SearchOptions(ranker, voting, verifying, options_from(arguments, ExpandOptions), arguments.mirror)


def index_folder(given: Path | None) -> Path:
    """The index to use: the one given, else $BOF_INDEX, else ./bof-index; says so where it was not given."""
    if given is not None:
        return given
    folder = Path(os.environ.get(INDEX_VARIABLE) or DEFAULT_INDEX)
    print(f"index: {folder.absolute()} (choose another with --index or ${INDEX_VARIABLE})", file=sys.stderr)
    return folder


@contextmanager
def progress_bar(unit: str, description: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with the rate and the time left; silent where stderr is no terminal."""
    with tqdm(unit=unit, desc=description or None, disable=None, dynamic_ncols=True) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


@contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None]]:
    """One bar after another on stderr, one a stage, with the time left in it; silent where stderr is no terminal."""
    bars: dict[str, tqdm[None]] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(desc=stage, total=total, disable=None, dynamic_ncols=True)
        bars[stage].update(done - bars[stage].n)
        if done == total:
            bars[stage].close()

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def counted(n: int, what: str) -> str:
    """A number and what it counts, in the plural where it is not one."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def human_bytes(n: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"


def peak_memory() -> int:
    """Bytes: the largest resident memory so far of this process, and of its largest ended child."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return unit * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
