"""The flag --dask: whose workers do the work of a command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bof.cli.arguments import add_option
from bof.options.cluster import DASK, DEADLINE, REPLICAS
from bof.retrieval.remote.searching import SearchWorkers
from bof.scheduling.connection import Cluster, open_cluster, quiet


@contextmanager
def cluster_of(address: str, n_workers: int, paths: Sequence[str] = ()) -> Iterator[Cluster | None]:
    """The workers at an address, which see these files and folders; None where none is named: work is done here."""
    if not address:
        yield None
        return
    quiet()
    with open_cluster(address, n_workers) as cluster:
        cluster.require_seen(paths)
        yield cluster


def add_search_workers(parser: argparse.ArgumentParser) -> None:
    """The flags that `search_workers` reads."""
    for option in (DASK, REPLICAS, DEADLINE):
        add_option(parser, option)


@contextmanager
def search_workers(arguments: argparse.Namespace, folder: Path) -> Iterator[SearchWorkers | None]:
    """Who searches the index in a folder: the workers that the flags name, None where it is this process."""
    n_workers = os.cpu_count() or 1
    with cluster_of(arguments.dask, n_workers, [str(folder.absolute())]) as cluster:
        yield None if cluster is None else SearchWorkers(cluster, arguments.replicas, arguments.deadline)


def missing_note(missing: Mapping[str, str]) -> str:
    """That parts of the index have not answered, and why; empty where all have."""
    if not missing:
        return ""
    named = "; ".join(f"{name} ({reason})" for name, reason in missing.items())
    return f"PARTIAL: {len(missing)} of the index's parts did not answer: {named}"
