"""A searcher whose votes, geometry and pixels are made by the workers that have the parts of its collection."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bof.errors import ClusterError
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.collection import Collection
from bof.retrieval.indexed_pictures import IndexedPictures
from bof.retrieval.remote.latencies import Latencies, PartCounts
from bof.retrieval.remote.opening import first_images, opening_of, part_names
from bof.retrieval.remote.parts import Ask, RemoteParts
from bof.retrieval.remote.pictures import PicturesOnWorkers
from bof.retrieval.remote.requests import TouchRequest
from bof.retrieval.remote.stages import PartsSession, StagesOnWorkers
from bof.retrieval.searcher import Searcher
from bof.scheduling.connection import Cluster
from bof.store.index import Snapshot
from bof.vocabulary.vocabulary import Vocabulary

_OPENING_S = 600.0
"""So long parts may take to be opened before anybody searches."""

_MOST_COMMITS = 2


class SearchWorkers:
    """The workers of a cluster, as those that search. Threads may share it.

    replicas: workers that hold each part; deadline_s: so long a part may take in a round of a query.
    """

    def __init__(self, cluster: Cluster, replicas: int = 1, deadline_s: float = 30.0) -> None:
        self.cluster, self.replicas, self.deadline_s = cluster, replicas, deadline_s
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._parts: dict[tuple[str, int], RemoteParts] = {}
        self._latencies = Latencies()

    def __repr__(self) -> str:
        return f"SearchWorkers({self.cluster.address}, {self.replicas} replicas)"

    def parts_of(self, collection: Snapshot, folder: Path, vocabulary_folder: Path) -> RemoteParts:
        """The parts of a commit of an index, open on their workers.

        Raises ClusterError where none of them can be opened.
        """
        place = Path(os.path.abspath(folder))
        key = str(place), collection.generation
        if found := self._known(key):
            return found
        with self._opening:  # meanwhile other threads go on with the commit before
            if found := self._known(key):
                return found
            opening = opening_of(collection, Path(os.path.abspath(vocabulary_folder)))
            parts = RemoteParts(
                self.cluster, part_names(collection, place), opening, self.replicas, self.deadline_s, self._latencies
            )
            self._open(parts)
            with self._lock:
                self._parts[key] = parts
                for old in list(self._parts)[:-_MOST_COMMITS]:
                    del self._parts[old]
            return parts

    def _known(self, key: tuple[str, int]) -> RemoteParts | None:
        with self._lock:
            return self._parts.get(key)

    def counts(self) -> dict[str, PartCounts]:
        """What became of requests, by part."""
        return self._latencies.counts()

    def _open(self, parts: RemoteParts) -> None:
        """Open each part on all that are to hold it."""
        until = time.monotonic() + _OPENING_S
        asks = {number: Ask(TouchRequest()) for number in range(len(parts.names))}
        missing: Mapping[int, str] = {}
        for replica in range(min(self.replicas, max(1, len(self.cluster.workers)))):
            missing = parts.ask(asks, until, first=replica, opens=True)[1]
        if asks and len(missing) == len(asks):
            problem = f"no part of the index can be opened: {next(iter(missing.values()))}"
            advice = "do all workers see the folder of the index?"
            raise ClusterError(problem, path=self.cluster.address, advice=advice)

    def searcher(self, searcher: Searcher, parts: RemoteParts, pictures: IndexedPictures | None) -> Searcher:
        """The same searcher, on the workers. pictures: those that it compares."""
        collection = searcher.collection
        assert isinstance(collection, Snapshot)
        if pictures is not None:
            pictures = PicturesOnWorkers.over(pictures, parts, first_images(collection))
        stages_of = partial(_stages, parts)
        return dataclasses.replace(searcher, stages_of=stages_of, ann_index=None, pictures=pictures, memory=None)


def _stages(
    parts: RemoteParts, collection: Collection, vocabulary: Vocabulary, voting: VoteOptions, verifying: VerifyOptions
) -> StagesOnWorkers:
    return StagesOnWorkers(collection, vocabulary, voting, verifying, session=PartsSession(parts))
