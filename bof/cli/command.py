"""What every command shares: how it starts, reports progress, fails, and is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from bof.engine import Engine
from bof.errors import BofError, OptionError
from bof.global_descriptors.color import DEFAULT_METRIC, METRICS
from bof.global_descriptors.describe import COLUMN_OF, GROUPS, ModelChoice
from bof.global_descriptors.model import add_model_options, model_options
from bof.images.decode import display_name
from bof.options import ExpandOptions, VerifyOptions, VoteOptions, add_options, options_from
from bof.retrieval.fusion import FUSIONS
from bof.retrieval.search_options import MIRRORS, SearchOptions
from bof.system.memory import keep_freed_memory

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
    whole = f"pictures as wholes: {', '.join(COLUMN_OF)}; several are fused: bof+color"
    parser.add_argument("--ranker", default="bof", metavar="NAME", help=f"{rankers}; {whole} (default bof)")
    fusions = "how several rankers are fused: the evidence of each added up, or reciprocal ranks"
    parser.add_argument("--fusion", choices=FUSIONS, default=FUSIONS[0], help=f"{fusions} (default {FUSIONS[0]})")
    metrics = "how color and histogram are compared"
    parser.add_argument(
        "--metric", choices=METRICS, default=DEFAULT_METRIC, help=f"{metrics} (default {DEFAULT_METRIC})"
    )
    parser.add_argument("--no-verify", action="store_true", help="the same as --ranker votes")
    mirrors = "look for the query's mirror image too: auto, if nothing was clearly the same (40 inliers)"
    parser.add_argument("--mirror", choices=MIRRORS, default="auto", help=f"{mirrors} (default auto)")
    for kind in (VoteOptions, VerifyOptions, ExpandOptions):
        add_options(parser, kind)


def search_options(arguments: argparse.Namespace) -> SearchOptions:
    """What the flags of `add_search_options` were given."""
    ranker = "votes" if arguments.no_verify and arguments.ranker == "bof" else arguments.ranker
    voting, verifying = options_from(arguments, VoteOptions), options_from(arguments, VerifyOptions)
    return SearchOptions(
        ranker,
        voting,
        verifying,
        options_from(arguments, ExpandOptions),
        arguments.mirror,
        metric=arguments.metric,
        fusion=arguments.fusion,
    )


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """The flags that `want_columns` reads."""
    what = "describe pictures as wholes too, for rankers that compare that"
    parser.add_argument("--columns", nargs="+", default=[], choices=GROUPS, help=f"{what}: {', '.join(GROUPS)}")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the ONNX model of the column embedding")
    add_model_options(parser)


def want_columns(engine: Engine, arguments: argparse.Namespace, groups: Sequence[str] = ()) -> None:
    """Have an index describe the columns that the flags of `add_column_options` and `groups` name."""
    model = ModelChoice.of(arguments.model, model_options(arguments)) if arguments.model else None
    wanted = [*arguments.columns, *groups]
    if wanted or model:
        engine.want(wanted, model)


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


def peak_memory() -> int:
    """Bytes: the largest resident memory so far of this process, and of its largest ended child."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return unit * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
