"""What each Dask worker is and holds: version, memory, parts of indexes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bof.retrieval.remote.on_worker import HELD
from bof.scheduling.connection import Cluster
from bof.scheduling.identity import own_identity
from bof.system.memory import resident_memory


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A part that a worker has open. folder: the index's; name: of the part, "" of an ordinary index."""

    folder: str
    name: str
    epoch: int
    n_images: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker. identity: which bof it runs; memory_bytes: that it has in use."""

    address: str
    threads: int
    identity: str
    memory_bytes: int
    parts: Sequence[HeldPart]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return dataclasses.asdict(self)


def status_of(cluster: Cluster) -> list[WorkerStatus]:
    """Every worker as of now, by address."""
    threads = cluster.workers
    found = cluster.on_all(own_status)
    return [
        WorkerStatus(address, threads.get(address, 0), identity, memory, [HeldPart(*part) for part in parts])
        for address, (identity, memory, parts) in sorted(found.items())
    ]


def own_status() -> tuple[str, int, list[tuple[str, str, int, int, int]]]:
    """Of this worker: its bof, its memory, its parts."""
    return str(own_identity()), resident_memory(), HELD.facts()
