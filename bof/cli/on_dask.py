"""The flag --dask: whose workers do the work of a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bof.cluster.connection import Cluster, open_cluster


@contextmanager
def cluster_of(address: str, n_workers: int, paths: Sequence[str] = ()) -> Iterator[Cluster | None]:
    """The workers at an address, which see these files and folders; None where none is named: work is done here."""
    if not address:
        yield None
        return
    with open_cluster(address, n_workers) as cluster:
        cluster.require_seen(paths)
        yield cluster
