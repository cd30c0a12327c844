"""What a Dask worker runs: one call of a function of bof, once both sides are known to be the same bof.

Arguments come as a pickle of their own, which is opened only after that: another version may have other classes.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bof.scheduling.identity import Identity, own_identity
from bof.system.worker import DONE, FAILED, find_function, sendable
from bof.system.workers import Limits, run_in_workers

OTHER_VERSION = "other version"

Outcome = tuple[str, Any, str]
"""DONE with the result, FAILED with what was raised, OTHER_VERSION with what the worker runs; and the worker's address.
"""


@dataclass(frozen=True, slots=True)
class PathFact:
    """A file or folder as the coordinator sees it; n_bytes: of a file, -1 of a folder."""

    path: str
    n_bytes: int


def work(expected: tuple[Any, ...], function: str, call: bytes) -> Outcome:
    """Call "module:function" as function(*arguments), pickled. expected: the fields of the coordinator's Identity."""
    address = worker_address()
    if tuple(expected) != identity_fields():
        return OTHER_VERSION, str(own_identity()), address
    try:
        return DONE, find_function(function)(*pickle.loads(call)), address
    except Exception as error:
        return FAILED, sendable(error), address


def identity_fields() -> tuple[Any, ...]:
    """Plain values, which any version can read."""
    own = own_identity()
    return own.version, own.code, own.libraries


def worker_address() -> str:
    """Of the Dask worker that this is."""
    from distributed import get_worker

    return str(get_worker().address)


def worker_memory() -> int:
    """Bytes that one thread of this Dask worker may take; 0: nobody has said."""
    from distributed import get_worker

    return thread_memory(get_worker())


def thread_memory(dask_worker: Any = None) -> int:
    """`worker_memory`, for a call outside of any share, which Dask gives its worker."""
    limit = dask_worker.memory_manager.memory_limit
    return int(limit) // max(1, dask_worker.state.nthreads) if limit else 0


def run_share(shared: tuple[str, object, Limits], items: Sequence[object]) -> list[Any]:
    """`run_in_workers` over some items, by one child process: a picture that kills its decoder is lost alone."""
    function, argument, limits = shared
    return list(run_in_workers(function, argument, items, 1, limits))


def find_unseen(facts: Sequence[PathFact]) -> list[str]:
    """The paths that are not here as the coordinator sees them."""
    return [fact.path for fact in facts if not _is_seen(fact)]


def look_at(paths: Sequence[str]) -> list[PathFact]:
    """How files and folders look from here; those that are not here are left out."""
    return [
        PathFact(path, os.path.getsize(path) if os.path.isfile(path) else -1) for path in paths if os.path.exists(path)
    ]


def _is_seen(fact: PathFact) -> bool:
    if fact.n_bytes < 0:
        return os.path.isdir(fact.path)
    try:
        return os.path.getsize(fact.path) == fact.n_bytes
    except OSError:
        return False


def identity_of(fields: tuple[Any, ...]) -> Identity:
    """From plain values."""
    return Identity(*fields)
