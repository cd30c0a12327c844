"""Dask's workers for tests: two processes on loopback, and what happens to them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import LocalCluster

from bof.scheduling.connection import Cluster, open_cluster, quiet


@contextmanager
def local_workers(n_workers: int = 2, threads: int = 1) -> Iterator[LocalCluster]:
    """Worker processes of this machine, each with a nanny that starts it again."""
    quiet()
    with LocalCluster(
        n_workers=n_workers, threads_per_worker=threads, dashboard_address=":0", silence_logs=False
    ) as local:
        yield local


@contextmanager
def connected(local: LocalCluster) -> Iterator[Cluster]:
    """A connection of its own, as a command has it."""
    with open_cluster(local.scheduler_address) as cluster:
        yield cluster


def pids(cluster: Cluster) -> dict[str, int]:
    """The process of each worker, by address."""
    return cluster.on_all(os.getpid)


def kill(pid: int) -> None:
    """As the system kills what takes too much memory."""
    os.kill(pid, signal.SIGKILL)


def lose_scheduler(cluster: Cluster) -> None:
    """As a client ends that has tried for long to find its scheduler again."""
    cluster.client.sync(cluster.client._close)


def limit_files(n_bytes: int, dask_worker: Any = None) -> str:
    """Let no file of this process get larger: what a full disk does to it. Returns the worker's address."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN) if hasattr(signal, "SIGXFSZ") else None
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))
    return str(dask_worker.address)
