"""Connecting to Dask: what cannot be used says so, and what to do."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from distributed import LocalCluster

from bof.errors import ClusterError
from bof.scheduling import connection
from bof.scheduling.connection import Cluster, open_cluster, quiet
from tests.support.dask_workers import connected, lose_scheduler


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'bof-search\[dask\]'"), open_cluster("tcp://127.0.0.1:1"):
        pass


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "START_S", 1.0)
    with (
        pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers here .*dask scheduler"),
        open_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "START_S", 1.0)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=False) as local,
        pytest.raises(ClusterError, match=r"the scheduler has no worker, and none came .*dask worker tcp://"),
        open_cluster(local.scheduler_address),
    ):
        pass


def test_files_that_a_worker_does_not_see(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "a.jpg"
    here.write_bytes(b"1")
    cluster.require_seen([str(tmp_path), str(here)])
    monkeypatch.setattr(connection.worker, "look_at", lambda paths: [connection.worker.PathFact(str(here), 2)])
    with pytest.raises(ClusterError, match=r"the worker tcp://.* does not see this as it is here; mount the same"):
        cluster.require_seen([str(here)])


def test_local_workers_are_processes_with_all_threads() -> None:
    with open_cluster("local", 2) as cluster:
        assert list(cluster.workers.values()) == [2]
        assert cluster.thread_memory > 0
        assert repr(cluster) == "Cluster(local)"


def test_a_scheduler_that_is_gone_for_good(workers: LocalCluster) -> None:
    with connected(workers) as cluster:
        lose_scheduler(cluster)
        assert cluster.workers == {}
        with pytest.raises(ClusterError, match="the Dask scheduler or all its workers are gone; start it again"):
            cluster.on_all(int)


def test_dasks_client_says_what_it_meets_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    quiet()
    log = logging.getLogger("distributed.client")
    for message in ("no scheduler", ""):
        try:
            raise OSError("Connection refused")
        except OSError:
            log.exception(message)
    assert [record.getMessage() for record in caplog.records] == ["no scheduler"]
    assert "Traceback" not in caplog.text
