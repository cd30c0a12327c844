"""The command `bof cluster status --dask tcp://HOST:8786 [--index DIR]`: the workers, and the parts that they hold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bof.cli.arguments import add_option
from bof.cli.command import run
from bof.cli.on_dask import cluster_of
from bof.cli.parser import CommandParser
from bof.errors import OptionError, display_name
from bof.options.cluster import DASK
from bof.retrieval.remote.status import WorkerStatus, status_of
from bof.store.index import Index
from bof.system.units import human_bytes


def _parser() -> argparse.ArgumentParser:
    description = "See the Dask workers that work for bof: versions, memory, and the parts of indexes that they hold."
    parser = CommandParser("cluster", "status --dask tcp://HOST:PORT [--index DIR] [--json]", description)
    parser.add_argument("action", choices=["status"], help="say what there is")
    parser.add_argument("--index", type=Path, metavar="DIR", help="compare with this index: which parts, which commit")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_option(parser, DASK)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if not arguments.dask:
        raise OptionError(option="dask", expected="the address of a scheduler", found="none")
    index = Index.open(arguments.index) if arguments.index else None
    with cluster_of(arguments.dask, 1) as cluster:
        assert cluster is not None
        found = status_of(cluster)
    epoch = index.generation() if index else None
    if arguments.json:
        print(json.dumps({"epoch": epoch, "workers": [worker.to_json() for worker in found]}, indent=2))
        return 0
    for worker in found:
        print("\n".join(_lines(worker)))
    if index is not None:
        print(f"{display_name(arguments.index)}: epoch {epoch}, {len(index.parts)} parts")
    return 0


def _lines(worker: WorkerStatus) -> list[str]:
    head = f"{worker.address}: {worker.threads} threads, {human_bytes(worker.memory_bytes)} in use, {worker.identity}"
    return [head, *(
        f"  {display_name(part.folder)} {part.name or '(whole)'}: epoch {part.epoch}, {part.n_images} pictures, "
        f"{human_bytes(part.n_bytes)} mapped" for part in worker.parts
    )]  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
