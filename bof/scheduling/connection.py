"""Connecting to Dask: a scheduler that runs somewhere, or workers on this machine for the time of a command."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bof.errors import ClusterError
from bof.scheduling import worker
from bof.scheduling.identity import own_identity
from bof.scheduling.worker import identity_fields

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
"""Instead of a scheduler's address: workers on this machine."""

START_S = 30.0
"""So long a scheduler may take to answer, and the first worker to come."""

_THREADS_A_PROCESS = 8
"""Of local workers: their own work is to hand on what child processes do."""

_ADVICE = "start workers with: dask worker {address}, in an environment that has the same bof"
_LOOKED_AT = 16
"""So many of the files of a command are looked for on every worker before anything begins."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask client whose workers were compared with this process. address: as the user named it."""

    client: Client
    address: str

    def __repr__(self) -> str:
        return f"Cluster({self.address})"

    @property
    def workers(self) -> dict[str, int]:
        """The workers as of now: address -> threads; none where the scheduler does not answer."""
        if self.client.status != "running":
            return {}
        try:
            return dict(self.client.nthreads())
        except (OSError, TimeoutError):
            return {}

    @property
    def n_threads(self) -> int:
        """Threads of all workers as of now, one at least."""
        return max(1, sum(self.workers.values()))

    @property
    def thread_memory(self) -> int:
        """Bytes that one thread may take on every worker; 0: nobody has said."""
        return min(self.on_all(worker.thread_memory).values(), default=0)

    def submit(self, function: str, arguments: Sequence[Any], workers: Sequence[str] = (), priority: int = 0) -> Any:
        """The future of function(*arguments), "module:function", on some workers, on any where these are gone.

        Raises ClusterError where the scheduler has been gone for so long that the client has closed.
        """
        call = pickle.dumps(tuple(arguments), protocol=pickle.HIGHEST_PROTOCOL)
        where: dict[str, Any] = {"workers": workers, "allow_other_workers": True} if workers else {}
        try:
            return self.client.submit(
                worker.work, identity_fields(), function, call, pure=False, priority=priority, **where
            )
        except Exception as error:
            if self.is_closed:
                raise self.gone_error() from error
            raise

    def cancel(self, futures: Sequence[Future[Any]], reason: str) -> None:
        """Nobody wants these any more; a client that has closed has let go of them already."""
        try:
            if futures:
                self.client.cancel(futures, reason=reason)
        except Exception:
            if not self.is_closed:
                raise

    @property
    def is_closed(self) -> bool:
        """Has the client given its scheduler up?"""
        return bool(self.client.status == "closed")

    def gone_error(self, advice: str = "start it again") -> ClusterError:
        """That nobody is left to work."""
        return ClusterError("the Dask scheduler or all its workers are gone", path=self.address, advice=advice)

    def wait(self, futures: Sequence[Any], seconds: float) -> bool:
        """Wait until one of some futures is done, so long at most; returns whether one is."""
        from distributed import wait

        try:
            with self.client.as_current():
                wait(futures, timeout=seconds, return_when="FIRST_COMPLETED")
        except (TimeoutError, CancelledError):
            return any(future.done() for future in futures)
        return True

    def require_seen(self, paths: Sequence[str]) -> None:
        """Raises ClusterError where a worker has not the files and folders that are here, some of many looked at."""
        step = max(1, -(-len(paths) // _LOOKED_AT))
        facts = worker.look_at(list(paths)[::step])
        for address, unseen in sorted(self.on_all(worker.find_unseen, facts).items()):
            if unseen:
                raise unseen_error(unseen[0], address)

    def on_all(self, function: Any, *arguments: Any) -> dict[str, Any]:
        """function(*arguments) on every worker as of now: address -> result. Raises ClusterError."""
        if self.is_closed:
            raise self.gone_error()
        try:
            return dict(self.client.run(function, *arguments))
        except (OSError, TimeoutError) as error:
            raise ClusterError(f"a worker does not answer: {error}", path=self.address) from error


def unseen_error(path: str, address: str) -> ClusterError:
    """That a worker does not see a path as it is here."""
    advice = "mount the same shared folder at the same place on every machine"
    return ClusterError(f"the worker {address} does not see this as it is here", path=path, advice=advice)


@contextmanager
def open_cluster(address: str, n_workers: int = 1) -> Iterator[Cluster]:
    """Connect to the scheduler at an address (tcp://HOST:8786, tls://...), or start workers here, n_workers threads.

    Raises ClusterError where dask is not installed, nothing answers, no worker comes, or one runs another bof.
    """
    distributed = _import_distributed()
    with contextlib.ExitStack() as stack:
        scheduler: Any = stack.enter_context(_local(distributed, n_workers)) if address == LOCAL else address
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=START_S, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            problem = f"no Dask scheduler answers here ({str(error) or type(error).__name__})"
            advice = "start one with: dask scheduler, or give {dask} local"
            raise ClusterError(problem, path=address, advice=advice) from error
        cluster = Cluster(client, address)
        try:
            client.wait_for_workers(1, timeout=START_S)
        except TimeoutError as error:
            problem = f"the scheduler has no worker, and none came within {START_S:g} s"
            raise ClusterError(problem, path=address, advice=_ADVICE.replace("{address}", address)) from error
        except OSError as error:
            raise cluster.gone_error() from error
        _require_same(cluster)
        yield cluster


def _import_distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        advice = "pip install 'bof-search[dask]'"
        raise ClusterError("work on other machines needs Dask, which is not installed", advice=advice) from error
    return distributed


def quiet() -> None:
    """Let Dask report errors alone, here and in workers that are started from here, and its client without tracebacks.

    Raises ClusterError where it is not installed.
    """
    _import_distributed()  # which sets up its logging anew
    import dask

    logging.getLogger("distributed.client").addFilter(_without_traceback)
    dask.config.set({"logging": {"distributed": "error"}})
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")  # of processes that start anew
    logging.getLogger("distributed").setLevel(logging.ERROR)


def _without_traceback(record: logging.LogRecord) -> bool:
    """The errors that Dask's client logs it raises too, or tries again: what has no other words is not said."""
    record.exc_info = record.exc_text = None
    return bool(record.getMessage().strip())


def _local(distributed: Any, n_workers: int) -> Any:
    n_processes = -(-n_workers // _THREADS_A_PROCESS)
    quiet()
    return distributed.LocalCluster(
        n_workers=n_processes,
        threads_per_worker=-(-n_workers // n_processes),
        dashboard_address=":0",
        silence_logs=False,  # it would silence other handlers too
    )


def _require_same(cluster: Cluster) -> None:
    """Raises ClusterError unless every worker runs the bof that this process runs."""
    have_bof = cluster.on_all(lambda: find_spec("bof") is not None)
    for address in sorted(address for address, has_it in have_bof.items() if not has_it):
        advice = "install bof-search there in the same version, and restart the workers"
        raise ClusterError("this worker has no bof", path=address, advice=advice)
    own = identity_fields()
    for address, found in sorted(cluster.on_all(identity_fields).items()):
        if found != own:
            raise other_version(address, worker.identity_of(found))


def other_version(address: str, found: object) -> ClusterError:
    """That a worker runs another bof."""
    advice = "install the same version everywhere, and restart the workers"
    problem = "another bof would give other answers"
    return ClusterError(problem, path=address, expected=str(own_identity()), found=str(found), advice=advice)
