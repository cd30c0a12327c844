from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("distributed")

from distributed import LocalCluster

from bof.scheduling.connection import Cluster
from tests.support.dask_workers import connected, local_workers


@pytest.fixture(scope="session")
def workers() -> Iterator[LocalCluster]:
    """Two worker processes for all tests of a session that leave them alive."""
    with local_workers() as local:
        yield local


@pytest.fixture
def cluster(workers: LocalCluster) -> Iterator[Cluster]:
    with connected(workers) as cluster:
        cluster.client.wait_for_workers(2, timeout=30)
        yield cluster


@pytest.fixture
def mortal() -> Iterator[Cluster]:
    """Two worker processes that a test may kill."""
    with local_workers() as local, connected(local) as cluster:
        cluster.client.wait_for_workers(2, timeout=30)
        yield cluster
