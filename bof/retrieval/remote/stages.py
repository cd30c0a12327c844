"""Vote and verify where the parts of an index are: the front keeps the catalogue, the query's pixels and the ranking.

What workers say is put together as the whole collection would have it: votes lie on an exact grid and every image has
its own, so that answers are those of one process to the bit. A part that does not answer has no votes; it is named.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bof.errors import ClusterError
from bof.options import COLUMN_OF
from bof.retrieval.overlays import Shifts
from bof.retrieval.remote.opening import first_images
from bof.retrieval.remote.parts import Ask, RemoteParts
from bof.retrieval.remote.requests import (
    ColumnRequest,
    MatchRequest,
    Request,
    ShareRequest,
    TfidfRequest,
    VerifyRequest,
    VoteRequest,
)
from bof.retrieval.shortlist import VoteAndVerify
from bof.retrieval.votes import Votes
from bof.store.columns import Rows
from bof.store.index import Snapshot
from bof.types import F32, F64, I32, I64, U8, Bool, Correspondences, Geometry, QueryWords, Verification


class PartsSession:
    """One query: which parts have not answered in time, and are asked no more. Threads may share it."""

    def __init__(self, parts: RemoteParts) -> None:
        self.parts = parts
        self._lock = threading.Lock()
        self._missing: dict[int, str] = {}

    @property
    def missing(self) -> dict[str, str]:
        """The parts that did not answer, by name, and why."""
        with self._lock:
            found = dict(self._missing)
        return {self.parts.names[part].name or str(part): reason for part, reason in sorted(found.items())}

    def ask(self, asks: Mapping[int, Ask]) -> dict[int, Any]:
        """The replies of parts, without those that have been missing.

        Raises ClusterError where none is left.
        """
        with self._lock:
            present = {part: ask for part, ask in asks.items() if part not in self._missing}
        replies, missing = self.parts.ask(present, time.monotonic() + self.parts.deadline_s) if present else ({}, {})
        with self._lock:
            self._missing |= missing
            is_none_left = len(self._missing) == len(self.parts.names)
            reasons = sorted(set(self._missing.values()))
        if is_none_left and reasons:
            advice = "see {bof cluster} status; more time: {deadline}"
            address = self.parts.cluster.address
            raise ClusterError(f"no part of the index answers: {reasons[0]}", path=address, advice=advice)
        return replies


@dataclass(frozen=True, slots=True)
class RemoteVotes(Votes):
    """Scores f64 (n_images,) of the whole collection; the votes themselves are where the parts are.

    key: under which workers remember them; words and allowed: what makes them again.
    """

    key: str = ""
    words: QueryWords | None = None
    allowed: Mapping[int, U8] = field(default_factory=dict)
    find_matches: Callable[[RemoteVotes, I64, int], tuple[I64, Correspondences]] | None = None

    def matches(self, images: I64, n: int | None = None) -> tuple[I64, Correspondences]:
        """See `Votes.matches`."""
        assert self.find_matches is not None
        return self.find_matches(self, images, (1 << 31) - 1 if n is None else n)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesOnWorkers(VoteAndVerify):
    """The two stages of one query, by the workers that have the parts. collection: the front's, of which only rows,
    films and which images live are read.
    """

    session: PartsSession

    @property
    def missing(self) -> dict[str, str]:
        """The parts that did not answer, by name, and why."""
        return self.session.missing

    def vote(self, words: QueryWords) -> Votes:
        """See `VoteAndVerify.vote`."""
        key, allowed = uuid.uuid4().hex, self._allowed()
        asks = {part: Ask(VoteRequest(key, words, self.voting, allowed.get(part))) for part in self._numbers}
        score = self._gathered(self.session.ask(asks))
        nothing = np.empty(0)
        return RemoteVotes(score, (), words.word, nothing, nothing, key, words, allowed, self._matches_of)

    def verify_geometry(self, query: Geometry, votes: Votes, images: I64) -> dict[int, Verification]:
        """See `VoteAndVerify.verify_geometry`."""
        of_part, replies = self._ask_of_images(
            votes,
            images,
            lambda vote, own, _: VerifyRequest(vote, query, own, self.verifying, least_located=self.least_located),
        )
        found = {
            int(image): one
            for part, places in of_part.items()
            for image, one in zip(images[places], replies.get(part, ()), strict=False)
        }
        return {image: found[image] for image in images.tolist() if image in found}

    def hypotheses(self, query: Geometry, votes: Votes, images: I64) -> tuple[list[int], Shifts]:
        """See `VoteAndVerify.hypotheses`."""
        of_part, replies = self._ask_of_images(
            votes, images, lambda vote, own, _: VerifyRequest(vote, query, own, self.verifying, is_quick=True)
        )
        n_agreeing = np.zeros(len(images), np.int64)
        shifts: dict[int, tuple[float, float]] = {}
        for part, reply in replies.items():
            n_agreeing[of_part[part]] = reply.n_agreeing
            first = self._firsts[part]
            shifts |= {image + first: shift for image, shift in reply.shifts.items()}
        return n_agreeing.tolist(), {image: shifts[image] for image in images.tolist() if image in shifts}

    def shared(self, query: Geometry, votes: Votes, shifts: Shifts) -> tuple[Bool, I64]:
        """See `VoteAndVerify.shared`."""
        images, values = np.array(list(shifts), np.int64), list(shifts.values())

        def share(vote: VoteRequest, own: I64, places: I64) -> ShareRequest:
            return ShareRequest(
                vote, query, {image: values[place] for image, place in zip(own.tolist(), places, strict=True)}
            )

        shared, sizes = np.zeros((len(images), len(query)), np.bool_), np.zeros(len(images), np.int64)
        of_part, replies = self._ask_of_images(votes, images, share)
        for part, reply in replies.items():
            shared[of_part[part]], sizes[of_part[part]] = reply.shared, reply.sizes
        return shared, sizes

    def tfidf(self, word: I32) -> F64:
        """See `VoteAndVerify.tfidf`."""
        allowed = self._allowed()
        return self._gathered(
            self.session.ask({part: Ask(TfidfRequest(word, allowed.get(part))) for part in self._numbers})
        )

    def column_similarity(self, ranker: str, query: Rows, metric: str) -> tuple[F32, Bool]:
        """See `VoteAndVerify.column_similarity`."""
        column = COLUMN_OF[ranker]
        request = ColumnRequest(ranker, {column: query[column]}, metric)
        n_images = len(self.collection.rows)
        similarity, known = np.zeros(n_images, np.float32), np.zeros(n_images, np.bool_)
        for part, reply in self.session.ask({part: Ask(request) for part in self._numbers}).items():
            own = slice(self._firsts[part], self._firsts[part] + len(reply.known))
            similarity[own], known[own] = reply.similarity, reply.known
        return similarity, known

    # -- Numbers of images ---------------------------------------------------------------------------------------------

    @property
    def _numbers(self) -> range:
        return range(len(self.session.parts.names))

    @property
    def _firsts(self) -> list[int]:
        """The number of the first image of each part."""
        assert isinstance(self.collection, Snapshot)
        return first_images(self.collection)

    def _by_part(self, images: I64) -> dict[int, I64]:
        """The places of images i64 (n,) in each part that has some."""
        part_of = np.searchsorted(np.array(self._firsts), images, side="right") - 1
        return {part: np.flatnonzero(part_of == part) for part in np.unique(part_of).tolist()}

    def _gathered(self, replies: Mapping[int, Any]) -> F64:
        score, firsts = np.zeros(len(self.collection.rows)), self._firsts
        for part, voted in replies.items():
            score[voted.images + firsts[part]] = voted.score
        return score

    def _allowed(self) -> dict[int, U8]:
        """The bits of the images that may answer in each part, where a filter leaves some out."""
        live, rows = self.collection.weights.live, self.collection.rows
        if np.array_equal(live, ~rows.deleted):
            return {}
        edges = [*self._firsts, len(rows)]
        return {part: np.packbits(live[edges[part] : edges[part + 1]]) for part in self._numbers}

    # -- Requests to the parts that images are in ----------------------------------------------------------------------

    def _ask_of_images(
        self, votes: Votes, images: I64, request: Callable[[VoteRequest, I64, I64], Request]
    ) -> tuple[dict[int, I64], dict[int, Any]]:
        """The places of images in each part, and what the parts reply. request: of votes, of the images' numbers in
        their part, and of their places among `images`.
        """
        of_part = self._by_part(images)
        asks = {part: self._ask(votes, part, images[places], places, request) for part, places in of_part.items()}
        return of_part, self.session.ask(asks)

    def _ask(
        self, votes: Votes, part: int, images: I64, places: I64, request: Callable[[VoteRequest, I64, I64], Request]
    ) -> Ask:
        """A request about votes that the worker remembers, and the same with the words that make them again."""
        assert isinstance(votes, RemoteVotes)
        own, facts = images - self._firsts[part], (self.voting, votes.allowed.get(part))
        short, whole = (VoteRequest(votes.key, words, *facts) for words in (None, votes.words))
        return Ask(request(short, own, places), request(whole, own, places))

    def _matches_of(self, votes: RemoteVotes, images: I64, n: int) -> tuple[I64, Correspondences]:
        """The strongest votes for images, image after image."""
        nothing = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
        found: list[Correspondences] = []
        for image in images.tolist():
            _, replies = self._ask_of_images(
                votes, np.array([image], np.int64), lambda vote, own, _: MatchRequest(vote, int(own[0]), n)
            )
            found.append(next(iter(replies.values()), nothing))
        return np.cumsum([0, *map(len, found)]), _joined([nothing, *found])


def _joined(found: Sequence[Correspondences]) -> Correspondences:
    columns = ("query", "database", "weight")
    return Correspondences(*(np.concatenate([getattr(one, name) for one in found]) for name in columns))
