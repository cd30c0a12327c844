"""What a Dask worker does with a part of an index that it has open: votes, geometry, columns, pixels.

Parts and votes are state of the process. Votes that are gone are made again of the words, a part is opened again
wherever it is asked for.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from functools import lru_cache, singledispatch
from typing import Any

import numpy as np

from bof.errors import ImageError
from bof.images.decode import Picture
from bof.native.mapped_file import reading
from bof.retrieval.indexed_pictures import decode_here, read_picture_of
from bof.retrieval.remote.opening import open_part
from bof.retrieval.remote.requests import (
    Agreeing,
    ColumnRequest,
    MatchRequest,
    Measured,
    Opening,
    PartName,
    ReadRequest,
    Request,
    Shared,
    ShareRequest,
    TfidfRequest,
    TouchRequest,
    VerifyRequest,
    Voted,
    VoteRequest,
)
from bof.retrieval.shortlist import VoteAndVerify
from bof.retrieval.votes import Votes
from bof.store.columns import Rows
from bof.store.index import Snapshot
from bof.system.workers import Limits, Pool
from bof.types import U8, Verification
from bof.vocabulary.vocabulary import load_vocabulary

NOT_OPEN, NOT_VOTED = "not open", "not voted"
"""What a worker needs before it can answer: the opening of a part; the words of a vote."""

_MOST_VOTES = 64
"""Votes that are remembered."""

_DECODERS, _DECODE_S = 2, 30.0
"""Processes that decode pictures of first hits, and the seconds that one may take."""

_MOST_EPOCHS = 2
"""Commits of one part that are open at a time: queries of the last one end while those of the next begin."""


class PartsHeld:
    """The parts that this process has open, and the votes of the last queries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: OrderedDict[PartName, VoteAndVerify] = OrderedDict()
        self._opening: dict[PartName, threading.Lock] = {}
        self._votes: OrderedDict[tuple[str, PartName], Votes] = OrderedDict()

    def part(self, name: PartName, opening: Opening | None) -> VoteAndVerify | None:
        """A part, opened if need be; None where it is not open and nobody says how it is opened."""
        with self._lock:
            found = self._parts.get(name)
            gate = self._opening.setdefault(name, threading.Lock())
        if found is not None or opening is None:
            return found
        with gate:
            with self._lock:
                found = self._parts.get(name)
            if found is None:
                opened = open_part(name, opening, self._before(name))
                found = VoteAndVerify(opened, load_vocabulary(opening.vocabulary_folder))
                self._keep(name, found)
        return found

    def _before(self, name: PartName) -> Snapshot | None:
        """An older commit of the part, whose open files are used again."""
        with self._lock:
            same = [s for n, s in self._parts.items() if (n.folder, n.name) == (name.folder, name.name)]
        found = same[-1].collection if same else None
        return found if isinstance(found, Snapshot) else None

    def _keep(self, name: PartName, part: VoteAndVerify) -> None:
        with self._lock:
            self._parts[name] = part
            same = [one for one in self._parts if (one.folder, one.name) == (name.folder, name.name)]
            for old in same[:-_MOST_EPOCHS]:
                del self._parts[old]
                self._opening.pop(old, None)

    def votes(self, key: str, name: PartName) -> Votes | None:
        """What was voted under a key."""
        with self._lock:
            return self._votes.get((key, name))

    def remember(self, key: str, name: PartName, votes: Votes) -> None:
        """Keep votes for the next round of their query."""
        with self._lock:
            self._votes[key, name] = votes
            while len(self._votes) > _MOST_VOTES:
                self._votes.popitem(last=False)

    def facts(self) -> list[tuple[str, str, int, int, int]]:
        """Folder, name, epoch, images and bytes of each part that is open."""
        with self._lock:
            opened = list(self._parts.items())
        return [(str(n.folder), n.name, n.epoch, len(s.collection.rows), _bytes_of(s.collection)) for n, s in opened]

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._parts.clear()
            self._votes.clear()


def _bytes_of(collection: Any) -> int:
    return sum(sum(array.nbytes for array in piece.columns) for piece in collection.postings)


HELD = PartsHeld()


def answer(name: PartName, opening: Opening | None, request: Request) -> Any:
    """The reply to a request, or what is missing for it: NOT_OPEN, NOT_VOTED."""
    if isinstance(request, ReadRequest):
        return _read(request)
    stages = HELD.part(name, opening)
    if stages is None:
        return NOT_OPEN
    with reading(stages.collection):
        return reply(request, name, stages)


@singledispatch
def reply(request: Any, name: PartName, stages: VoteAndVerify) -> Any:
    """What an open part says to a request."""
    raise TypeError(f"no request: {type(request).__name__}")


@reply.register
def _touch(request: TouchRequest, name: PartName, stages: VoteAndVerify) -> bool:
    return True


@reply.register
def _vote(request: VoteRequest, name: PartName, stages: VoteAndVerify) -> Voted | str:
    votes = _votes(request, name, stages)
    if votes is None:
        return NOT_VOTED
    images = np.flatnonzero(votes.score)
    return Voted(images, votes.score[images])


@reply.register
def _verify(request: VerifyRequest, name: PartName, stages: VoteAndVerify) -> list[Verification] | Agreeing | str:
    votes = _votes(request.vote, name, stages)
    if votes is None:
        return NOT_VOTED
    stages = dataclasses.replace(stages, verifying=request.verifying, least_located=request.least_located)
    if request.is_quick:
        return Agreeing(*stages.hypotheses(request.query, votes, request.images))
    return list(stages.verify_geometry(request.query, votes, request.images).values())


@reply.register
def _share(request: ShareRequest, name: PartName, stages: VoteAndVerify) -> Shared | str:
    votes = _votes(request.vote, name, stages)
    return NOT_VOTED if votes is None else Shared(*stages.shared(request.query, votes, request.shifts))


@reply.register
def _matches(request: MatchRequest, name: PartName, stages: VoteAndVerify) -> Any:
    votes = _votes(request.vote, name, stages)
    return NOT_VOTED if votes is None else votes.matches(np.array([request.image], np.int64), request.n)[1]


@reply.register
def _tfidf(request: TfidfRequest, name: PartName, stages: VoteAndVerify) -> Voted:
    score = _restricted(stages, request.allowed).tfidf(request.word)
    images = np.flatnonzero(score)
    return Voted(images, score[images])


@reply.register
def _measure(request: ColumnRequest, name: PartName, stages: VoteAndVerify) -> Measured:
    rows: Rows = request.row
    return Measured(*stages.column_similarity(request.ranker, rows, request.metric))


def _read(request: ReadRequest) -> Picture | None:
    """By a child process: a picture may kill its decoder, and not the worker with its parts."""
    found = _decoders().submit(request).result()
    return found if isinstance(found, Picture) else None


@lru_cache(maxsize=1)
def _decoders() -> Pool:
    return Pool(f"{__name__}:read_in_child", None, _DECODERS, Limits(_DECODE_S, 1 << 30))


def read_in_child(shared: None, request: ReadRequest) -> Picture | None:
    """The picture in RGB; None where it cannot be read, or is another now."""
    try:
        return read_picture_of(request.record, request.folder, request.max_side, decode_here)
    except ImageError:
        return None


def _votes(request: VoteRequest, name: PartName, stages: VoteAndVerify) -> Votes | None:
    """The votes of a query, as they are remembered or made anew; None without its words."""
    votes = HELD.votes(request.key, name)
    if votes is None and request.words is not None:
        stages = _restricted(dataclasses.replace(stages, voting=request.voting), request.allowed)
        votes = stages.vote(request.words)
        HELD.remember(request.key, name, votes)
    return votes


def _restricted(stages: VoteAndVerify, allowed: U8 | None) -> VoteAndVerify:
    if allowed is None:
        return stages
    collection = stages.collection
    assert isinstance(collection, Snapshot)
    live = collection.weights.live & np.unpackbits(allowed, count=len(collection.rows)).astype(np.bool_)
    weights = dataclasses.replace(collection.weights, live=live)
    return dataclasses.replace(stages, collection=dataclasses.replace(collection, weights=weights))
