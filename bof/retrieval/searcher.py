"""A collection that answers: one frozen object of an index's commit, its vocabulary and the options of a search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from bof.errors import IndexStoreError
from bof.features.sift import mirror_features
from bof.geometry.hypotheses import MAX_PAIRS
from bof.global_descriptors.ann_index import Nearest
from bof.native.mapped_file import reading
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval import all_pairs
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.collection import Collection
from bof.retrieval.evidence import Evidence
from bof.retrieval.query import Query
from bof.retrieval.rankers import ranker_of, wants_mirror
from bof.retrieval.shortlist import Candidates, QueryVotes, VoteAndVerify
from bof.store.segments import ADVICE
from bof.system.stopwatch import Stopwatch
from bof.types import F64, I64, Bool, Correspondences, Features, Verdict, Verification
from bof.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Answer:
    """images i64 (n,) of the collection, best first; scores f64 (n,); the verifications and probabilities of the images
    that geometry verified; seconds by stage; verdicts that a ranker without geometry has of its own.
    """

    images: I64
    scores: F64
    verifications: Mapping[int, Verification]
    probabilities: Mapping[int, float]
    seconds: Mapping[str, float]
    verdicts: Mapping[int, Verdict] = field(default_factory=lambda: MappingProxyType({}))

    def verdict(self, image: int, options: VerifyOptions) -> Verdict:
        """What is known of one image."""
        if image in self.verdicts:
            return self.verdicts[image]
        return Evidence(0.0, self.probabilities.get(image)).verdict(options)


@dataclass(frozen=True, slots=True)
class Match:
    """How a query lies in one image: the answer with that image alone; every tentative match, strongest first, features
    of the query as they were before any mirroring; agrees bool (n,): which of them agree with the transform.
    """

    answer: Answer
    matches: Correspondences
    agrees: Bool


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches one collection. `search` ranks it, `votes` and `candidates` are its stages, `match` compares one image.

    nearest: what finds embeddings in a large collection, in which not all are compared; mapped_limit: bytes of the
    index's files that searches may leave in memory, None: any; place: names the index in errors.
    Every method raises IndexStoreError where the index contradicts itself.
    """

    collection: Collection
    vocabulary: Vocabulary
    options: SearchOptions = field(default_factory=SearchOptions)
    nearest: Nearest | None = None
    mapped_limit: int | None = None
    place: str = ""

    def restricted(self, ids: Set[int]) -> Searcher:
        """The same, but only images of these ids answer."""
        return dataclasses.replace(self, collection=self.collection.restricted(ids))

    def search(self, query: Query) -> Answer:
        """Every image with a positive score, those called the same first."""
        watch = Stopwatch()
        with self._naming_damage():
            scores = ranker_of(self._stages, self.options, self.nearest).score(query, watch)
            with watch.stage("rank"):
                images = scores.best()
            self.give_back()
        found = scores.candidates or Candidates(np.empty(0))
        verdicts = scores.verdicts(images)
        return Answer(images, scores.of(images), found.verifications, _probabilities(found), watch.seconds, verdicts)

    def votes(self, query: Query) -> QueryVotes:
        """The votes of the query's features for every image."""
        with self._naming_damage():
            return self._stages.votes(query.features, Stopwatch())

    def candidates(self, features: Features) -> Candidates:
        """Votes and geometry, of the query and of its mirror image unless the options say never; nothing expands."""
        with self._naming_damage():
            return self._candidates(features)

    def match(self, query: Query, image: int) -> Match:
        """How the query lies in one live image."""
        one = self.restricted({int(self.collection.rows.id[image])})
        with self._naming_damage():
            return one._match(query.features, image)

    def neighbours(self, n: int, progress: Callable[[int, int], None] | None = None) -> Iterator[Neighbours]:
        """Of every live image, by its number, the n others most like it; no picture is read."""
        with self._naming_damage():
            yield from all_pairs.all_pairs(self._stages, n, progress, self.mapped_limit)

    @property
    def _stages(self) -> VoteAndVerify:
        return VoteAndVerify(self.collection, self.vocabulary, self.options.vote, self.options.verify)

    def _candidates(self, features: Features) -> Candidates:
        found = self._stages.candidates(features, Stopwatch())
        if wants_mirror(self.options.mirror, found, self.options.verify):
            mirrored = self._stages.mirror_candidates(features)
            found = found.with_mirror(mirrored, features.geometry.width, self.options.verify)
        return found

    def _match(self, features: Features, image: int) -> Match:
        stages, watch, verifying = self._stages, Stopwatch(), self.options.verify
        voted = stages.votes(features, watch)
        found = stages.candidates(features, watch, voted=voted)
        if wants_mirror(self.options.mirror, found, verifying):
            flipped = mirror_features(features)
            mirror_voted = stages.votes(flipped, Stopwatch())
            mirrored = stages.candidates(flipped, Stopwatch(), voted=mirror_voted)
            found = found.with_mirror(mirrored, features.geometry.width, verifying)
            voted = mirror_voted if image in found.verifications and found.verifications[image].mirrored else voted
        matches = voted.votes.matches(np.array([image], np.int64), MAX_PAIRS)[1]
        known = found.evidence.get(image)
        score = np.array([known.score if known else 0.0])
        answer = Answer(np.array([image]), score, found.verifications, _probabilities(found), watch.seconds)
        return Match(answer, *_with_inliers(matches, found.verifications.get(image)))

    def give_back(self) -> None:
        """Give back the memory of mapped files beyond mapped_limit."""
        if self.mapped_limit is not None:
            self.collection.stay_within(self.mapped_limit)

    @contextmanager
    def _naming_damage(self) -> Iterator[None]:
        try:
            with reading(self.collection):
                yield
        except (IndexError, ValueError) as error:
            raise IndexStoreError(str(error), path=self.place, advice=ADVICE) from error


def _probabilities(found: Candidates) -> dict[int, float]:
    return {i: known.probability or 0.0 for i, known in found.evidence.items()}


def _with_inliers(matches: Correspondences, verification: Verification | None) -> tuple[Correspondences, Bool]:
    """The matches, and before them those inliers that are not among them; and which of all agree."""
    agrees = np.zeros(len(matches), np.bool_)
    if verification is None or not len(verification.inliers):
        return matches, agrees
    agrees = _are_among(matches, verification.inliers)
    left = np.flatnonzero(~_are_among(verification.inliers, matches))
    first = verification.inliers.take(left)
    pairs = ((getattr(first, name), getattr(matches, name)) for name in ("query", "database", "weight"))
    joined = Correspondences(*(np.concatenate(pair) for pair in pairs))
    return joined, np.concatenate([np.ones(len(left), np.bool_), agrees])


def _are_among(some: Correspondences, others: Correspondences) -> Bool:
    """Which of some pairs of features are among others."""
    return np.isin(_keys(some), _keys(others))


def _keys(matches: Correspondences) -> I64:
    return matches.query.astype(np.int64) << 16 | matches.database
