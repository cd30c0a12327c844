"""A collection that answers: one frozen object of an index's commit, its vocabulary and the options of a search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from bof.errors import IndexStoreError
from bof.geometry.hypotheses import MAX_PAIRS
from bof.global_descriptors.ann_index import AnnIndex
from bof.native.mapped_file import reading
from bof.options import PixelLimit, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval import all_pairs
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.expansion import NeighbourMemory
from bof.retrieval.inspection import Inspector
from bof.retrieval.judged import Judgments, with_judgments
from bof.retrieval.query import Query
from bof.retrieval.rankers import ranker_of
from bof.retrieval.shortlist import Candidates, QueryVotes, VoteAndVerify
from bof.retrieval.shown import Pictures
from bof.retrieval.together import joined
from bof.retrieval.variants import feature_variant_of, with_feature_variants
from bof.retrieval.whole_copies import find_whole_copies
from bof.store.segments import ADVICE
from bof.system.stopwatch import Stopwatch
from bof.types import F32, I32, I64, U64, Bool, Correspondences, Features, Geometry, QueryWords, Verification
from bof.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Match:
    """How a query lies in one image: the answer with that image alone; every tentative match, strongest first, features
    of the query as they were before any mirroring; agrees bool (n,): which of them agree with the transform;
    query_xy_px f32 (n, 2): where they lie in the query. Of a query that was found enlarged: those that agree, alone.
    """

    answer: Answer
    matches: Correspondences
    agrees: Bool
    query_xy_px: F32

    def __repr__(self) -> str:
        return f"Match({len(self.matches)} matches, {int(self.agrees.sum())} agree)"


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches one collection. `search` ranks it, `votes` and `candidates` are its stages, `match` compares one image.

    ann_index: what finds embeddings in a large collection, in which not all are compared; mapped_limit: bytes of the
    index's files that searches may leave in memory, None: any; place: names the index in errors; pictures: reads the
    collection's pictures again, None: verdicts rest on points alone; judgments: what a person has said of pairs;
    memory: what seeds of query expansion have found, in this commit and with these options; limit: how large pictures
    are when features are extracted, None: as the vocabulary has it; stages_of: makes what votes and verifies for one
    query, here or where the parts of the collection are.
    Every method raises IndexStoreError where the index contradicts itself.
    """

    collection: Collection
    vocabulary: Vocabulary
    options: SearchOptions = field(default_factory=SearchOptions)
    ann_index: AnnIndex | None = None
    mapped_limit: int | None = None
    place: str = ""
    pictures: Pictures | None = None
    judgments: Judgments | None = None
    memory: NeighbourMemory | None = None
    limit: PixelLimit | None = None
    stages_of: Callable[[Collection, Vocabulary, VoteOptions, VerifyOptions], VoteAndVerify] = VoteAndVerify

    def __repr__(self) -> str:
        return f"Searcher({self.collection.n_images} pictures, {self.options.ranker})"

    def restricted(self, ids: Set[int]) -> Searcher:
        """The same, but only images of these ids answer."""
        return dataclasses.replace(self, collection=self.collection.restricted(ids), memory=None)

    def search(self, query: Query) -> Answer:
        """Every image with a positive score, those called the same first; of several pictures that are one query, by
        what all of them say.
        """
        if query.others:
            answers = [self.search(part) for part in query.parts]
            missing = {name: reason for one in answers for name, reason in one.missing.items()}
            return dataclasses.replace(joined(answers, self.collection), missing=missing)
        watch = Stopwatch()
        with self.naming_damage():
            judged = self._judgments_of(query)
            stages = self._stages
            scores = ranker_of(stages, self.options, self.ann_index, judged, self.memory).score(query, watch)
            with watch.stage("rank"):
                images = scores.best()
            self.give_back()
        found = scores.candidates or Candidates(np.empty(0))
        verdicts = scores.verdicts(images)
        answer = Answer(images, scores.of(images), found.verifications, found.evidence, watch.seconds, verdicts)
        answer = dataclasses.replace(answer, overlay=found.overlay, missing=stages.missing)
        inspected = self._inspected(query, answer, watch)
        return with_judgments(inspected, judged, self.collection.weights.live)

    def _judgments_of(self, query: Query) -> Mapping[int, bool]:
        """Judgments are of what pictures show: a ranker that proves nothing, such as colours, is left as it is."""
        if self.judgments is None or not query.judged_as or "bof" not in self.options.local:
            return {}
        return self.judgments.of(query.judged_as)

    def _inspected(self, query: Query, answer: Answer, watch: Stopwatch) -> Answer:
        if self.pictures is None or "bof" not in self.options.local:
            return answer
        with watch.stage("pixels"):
            verifying = self.options.verify
            copies = find_whole_copies(query, self.collection, self.pictures, verifying.pixels)
            limit, by_shot = self.limit or self.vocabulary.features.extent, self.options.shots
            inspector = Inspector(self.collection, self.pictures, verifying, limit, by_shot=by_shot)
            inspected = inspector.inspect(query, answer, copies)
        return dataclasses.replace(inspected, seconds=watch.seconds)

    def votes(self, query: Query) -> QueryVotes:
        """The votes of the query's features for every image."""
        with self.naming_damage():
            return self._stages.votes(query.features, Stopwatch())

    def candidates(self, features: Features, words: QueryWords | None = None, part: int = 0) -> Candidates:
        """Votes and geometry, of the query and as the options say of its mirror image and inverse; nothing expands.

        words: of the features, if they are known better than their descriptors say; part: see `VoteAndVerify`.
        """
        with self.naming_damage():
            stages = dataclasses.replace(self._stages, part=part)
            voted = None if words is None else stages.votes_of_words(words, Stopwatch())
            found = stages.candidates(features, Stopwatch(), voted=voted)
            return with_feature_variants(stages, self.options, features, found, Stopwatch())

    def indexed(self, image: int) -> tuple[Geometry, I32, U64]:
        """What the collection holds of an image's features: where they lie, words i32 (n,) and signatures u64 (n,)."""
        with self.naming_damage():
            return self.collection.geometry(image), *self.collection.words(image)

    def match(self, query: Query, image: int) -> Match:
        """How the query lies in one live image, as a search has it; where that did not look at it, by itself."""
        alone = self.restricted({int(self.collection.rows.id[image])})
        found = self.search(query)
        found = (found if image in found.evidence else alone.search(query)).only(image)
        verification = found.verifications.get(image)
        if verification is not None and verification.query_xy_px is not None:
            agrees = np.ones(len(verification.inliers), np.bool_)
            return Match(found, verification.inliers, agrees, verification.query_xy_px)
        variant = feature_variant_of(verification, query.features) if verification else None
        with self.naming_damage():
            voted = alone._stages.votes(variant.features if variant else query.features, Stopwatch())
            matches = voted.votes.matches(np.array([image], np.int64), MAX_PAIRS)[1]
        matches, agrees = _with_inliers(matches, verification)
        return Match(found, matches, agrees, query.features.geometry.xy_px[matches.query])

    def neighbours(self, n: int, progress: Callable[[int, int], None] | None = None) -> Iterator[Neighbours]:
        """Of every live image, by its number, the n others most like it; no picture is read."""
        with self.naming_damage():
            yield from all_pairs.all_pairs(self._stages, n, progress, self.mapped_limit)

    @property
    def _stages(self) -> VoteAndVerify:
        return self.stages_of(self.collection, self.vocabulary, self.options.vote, self.options.verify)

    def give_back(self) -> None:
        """Give back the memory of mapped files beyond mapped_limit."""
        if self.mapped_limit is not None:
            self.collection.stay_within(self.mapped_limit)

    @contextmanager
    def naming_damage(self) -> Iterator[None]:
        """What is read inside of the collection: where the index contradicts itself, IndexStoreError says so."""
        try:
            with reading(self.collection):
                yield
        except (IndexError, ValueError) as error:
            raise IndexStoreError(str(error), path=self.place, advice=ADVICE) from error


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
