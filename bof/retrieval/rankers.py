"""The rankers: each scores every image of a collection for a query. What they share is one method, `score`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from bof.global_descriptors.ann_index import AnnIndex
from bof.options import COLUMN_OF, SearchOptions, VerifyOptions
from bof.retrieval.collection import Collection
from bof.retrieval.enlarging import enlarged
from bof.retrieval.evidence import Evidence, unverified_scores
from bof.retrieval.expansion import FULL_TRUST, NeighbourMemory, expand, is_itself
from bof.retrieval.film_frames import representatives
from bof.retrieval.fusion import add_up, evidence, reciprocal_ranks
from bof.retrieval.global_ranking import MAX_RANKED, Similarities, compare, compare_by_ann, verdicts
from bof.retrieval.query import Query
from bof.retrieval.regrounding import on_other_grounds
from bof.retrieval.repainting import PIXEL_VARIANTS
from bof.retrieval.shortlist import Candidates, VoteAndVerify, best_first
from bof.retrieval.tilting import DEPTH as TILTED_DEPTH
from bof.retrieval.tilting import tilted
from bof.retrieval.variants import DEPTH, QueryVariant, is_needed, with_feature_variants, with_variant
from bof.system.stopwatch import Stopwatch
from bof.types import F64, I64, Verdict

_ALSO = 50
"""In a fusion, geometry verifies so many of the pictures that each global descriptor finds most alike."""

_LEAST_LOCATED_FLAT = 4
"""Inliers from which pixels are asked about a flat drawing: of 48 hung in photographs, where siblings of each hang too,
they prove 43; from 6 inliers on 36. None is proved wrongly."""

_FUSE = {"calibrated": add_up, "rrf": reciprocal_ranks}

_NO_VERDICTS: Mapping[int, Verdict] = MappingProxyType({})
_NONE_JUDGED: Mapping[int, bool] = MappingProxyType({})


class Scores(Protocol):
    """What a ranker says of every image."""

    @property
    def candidates(self) -> Candidates | None:
        """What geometry found, where it was asked."""

    def best(self) -> I64:
        """The images of the answer i64, best first, ties by name."""

    def of(self, images: I64) -> F64:
        """The scores f64 (n,) of some images."""

    def evidence(self) -> F64:
        """What each image is worth, f64 (n_images,), on the scale of `Evidence.score`, for a fusion."""

    def verdicts(self, images: I64) -> Mapping[int, Verdict]:
        """Verdicts of a ranker that has some of its own."""


class QueryRanker(Protocol):
    """Scores a collection. also: images that geometry verifies in any case."""

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> Scores:
        """What the ranker says of every image."""


@dataclass(frozen=True, slots=True)
class LocalScores:
    """Scores f64 (n_images,) from local features, 0 where an image has none; same first where geometry calls it so.

    limit: so many are ranked of those called the same, and of the others; 0: all.
    """

    collection: Collection
    score: F64
    candidates: Candidates | None = None
    verifying: VerifyOptions | None = None
    limit: int = 0
    is_evidence: bool = True

    def best(self) -> I64:
        """Images called the same first, then the others, each by score, ties by name."""
        limit = self.limit or len(self.score)
        if self.candidates is None or self.verifying is None:
            return best_first(self.collection, self.score, limit)
        is_same = np.zeros(len(self.score), np.bool_)
        is_same[self.candidates.called_same(self.verifying)] = True
        parts = [np.where(chosen, self.score, 0.0) for chosen in (is_same, ~is_same)]
        return np.concatenate([best_first(self.collection, part, limit) for part in parts])

    def of(self, images: I64) -> F64:
        """The scores f64 (n,) of some images."""
        return self.score[images]

    def evidence(self) -> F64:
        """The scores on the scale of `Evidence.score`."""
        return self.score if self.is_evidence else unverified_scores(self.score)

    def verdicts(self, images: I64) -> Mapping[int, Verdict]:
        """None: geometry decides."""
        return _NO_VERDICTS


@dataclass(frozen=True, slots=True)
class GlobalScores:
    """Similarities of one global descriptor."""

    collection: Collection
    ranker: str
    similarities: Similarities
    candidates: Candidates | None = None

    def best(self) -> I64:
        """The images most alike, best first, ties by name."""
        return self.similarities.best(self.collection, MAX_RANKED)

    def of(self, images: I64) -> F64:
        """The similarities f64 (n,) of some images."""
        return self.similarities.similarity[images].astype(np.float64)

    def evidence(self) -> F64:
        """What the z-score of each image is worth."""
        return evidence(self.ranker, self.similarities.z_score())

    def verdicts(self, images: I64) -> Mapping[int, Verdict]:
        """What the descriptor's own thresholds make of images."""
        return verdicts(self.ranker, images, self.similarities.similarity)


@dataclass(frozen=True, slots=True)
class BofRanker:
    """Votes, geometry, variants of the query if nothing is clear, query expansion.

    judged: of which images a person has said that they show the same thing as the query, or not: the former are the
    first seeds, the latter are none; memory: what seeds have found, of this commit and these options.
    """

    stages: VoteAndVerify
    options: SearchOptions
    judged: Mapping[int, bool]
    memory: NeighbourMemory | None = None

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> LocalScores:
        """Similarity by votes, and for what was verified or expanded the evidence of geometry."""
        verifying, stages = self.stages.verifying, self._stages_for(query)
        found = stages.candidates(query.features, watch, also)
        found = with_feature_variants(stages, self.options, query.features, found, watch, also)
        for name, changed in self._further_variants:
            if is_needed(getattr(self.options, name), found, verifying):
                depth = TILTED_DEPTH if name == "tilt" else DEPTH
                with watch.stage(name):
                    for variant in changed(query):
                        found = with_variant(stages, variant, found, also, depth)
        with watch.stage("expand"):
            same = found.called_same(verifying)
            expanding = self.options.expand
            added = expand(
                self.stages, self._seeds(query, found, same), expanding.expand_again, [*same, *self.judged], self.memory
            )
        with watch.stage("rank"):
            score = with_evidence(found, {i: more for i, more in added.items() if i not in same})
        return LocalScores(self.stages.collection, score, found, verifying)

    def _stages_for(self, query: Query) -> VoteAndVerify:
        """Of a flat drawing few points are found again; pixels then say what they are worth."""
        few = query.is_flat and self.stages.verifying.pixels > 0
        return dataclasses.replace(self.stages, least_located=_LEAST_LOCATED_FLAT) if few else self.stages

    @property
    def _further_variants(self) -> list[tuple[str, Callable[[Query], Iterator[QueryVariant]]]]:
        """Those that need the query's pixels, with the option that asks for them, in the order that they are tried."""
        changed = {} if self.stages.vocabulary.features.is_like_sift else PIXEL_VARIANTS
        return [*changed.items(), ("inverse", on_other_grounds), ("enlarge", enlarged), ("tilt", tilted)]

    def _seeds(self, query: Query, found: Candidates, same: Sequence[int]) -> dict[int, int]:
        """Images that become queries -> inliers that they are trusted by; the query itself says nothing new.

        same: those called the same, best first.
        """
        collection, live = self.stages.collection, self.stages.collection.weights.live
        trusted = [image for image, is_same in self.judged.items() if is_same and live[image]]
        others = [image for image in same if image not in self.judged]
        proofs, shown = found.verifications, query.features.geometry
        proved = [image for image in others if not is_itself(collection, shown, image, proofs[image])]
        seeds = representatives(self.stages.collection.films, [*trusted, *proved])[: self.options.expand.expand]
        return {i: FULL_TRUST if i in trusted else found.verifications[i].n_inliers for i in seeds}


def with_evidence(found: Candidates, added: Mapping[int, float]) -> F64:
    """Scores f64 (n_images,). added: what query expansion adds to the similarity of images, verified or not."""
    score, has_votes = np.zeros(len(found.similarity)), found.similarity > 0
    score[has_votes] = unverified_scores(found.similarity[has_votes])
    known = {**{i: Evidence(float(found.similarity[i]), None) for i in added}, **found.evidence}
    for image, e in known.items():
        score[image] = Evidence(e.gained + added.get(image, 0.0), e.probability).score
    return score


@dataclass(frozen=True, slots=True)
class VotesRanker:
    """Hamming votes alone."""

    stages: VoteAndVerify

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> LocalScores:
        """Similarity by votes."""
        similarity = self.stages.votes(query.features, watch).similarity
        return LocalScores(self.stages.collection, unverified_scores(similarity))


@dataclass(frozen=True, slots=True)
class TfidfRanker:
    """The cosine of TF-IDF histograms, without signatures or geometry."""

    stages: VoteAndVerify

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> LocalScores:
        """The cosine with each image."""
        collection = self.stages.collection
        with watch.stage("assign"):
            word = self.stages.vocabulary.assign(query.features.descriptors)[:, 0]
        with watch.stage("vote"):
            score = self.stages.tfidf(word)
        return LocalScores(collection, score, is_evidence=False)


@dataclass(frozen=True, slots=True)
class GlobalRanker:
    """One global descriptor of whole pictures. ann_index: what finds embeddings where not all are compared."""

    stages: VoteAndVerify
    name: str
    metric: str
    ann_index: AnnIndex | None

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> GlobalScores:
        """How alike each image is as a whole."""
        with watch.stage(self.name):
            if self.name == "embedding" and self.ann_index is not None:
                found = compare_by_ann(self.stages.collection, self.ann_index, query.rows[COLUMN_OF[self.name]])
            else:
                measured = self.stages.column_similarity(self.name, query.rows, self.metric)
                found = compare(self.stages.collection, *measured)
        return GlobalScores(self.stages.collection, self.name, found)


@dataclass(frozen=True, slots=True)
class FusionRanker:
    """Several rankers as one; what the global ones find most alike is verified too, if there is a local one."""

    collection: Collection
    local: QueryRanker | None
    others: Sequence[GlobalRanker]
    fusion: str
    verifying: VerifyOptions

    def score(self, query: Query, watch: Stopwatch, also: I64 | None = None) -> LocalScores:
        """The evidence of all rankers, fused."""
        parts = [ranker.score(query, watch) for ranker in self.others]
        with watch.stage("rank"):
            also = np.concatenate([part.similarities.best(self.collection, _ALSO) for part in parts])
        found = [self.local.score(query, watch, also)] if self.local else []
        with watch.stage("rank"):
            fused = _FUSE[self.fusion]([part.evidence() for part in (*found, *parts)])
            live = np.where(self.collection.weights.live, fused, 0.0)
        candidates = found[0].candidates if found else None
        return LocalScores(self.collection, live, candidates, self.verifying, MAX_RANKED)


def ranker_of(
    stages: VoteAndVerify,
    options: SearchOptions,
    ann_index: AnnIndex | None,
    judged: Mapping[int, bool] = _NONE_JUDGED,
    memory: NeighbourMemory | None = None,
) -> QueryRanker:
    """The ranker, or the fusion of rankers, that the options name. judged, memory: see `BofRanker`."""
    local = [_local_ranker(name, stages, options, judged, memory) for name in options.local]
    others = [GlobalRanker(stages, name, options.metric, ann_index) for name in options.whole]
    if len(options.rankers) > 1:
        return FusionRanker(stages.collection, local[0] if local else None, others, options.fusion, stages.verifying)
    return local[0] if local else others[0]


def _local_ranker(
    name: str,
    stages: VoteAndVerify,
    options: SearchOptions,
    judged: Mapping[int, bool],
    memory: NeighbourMemory | None,
) -> QueryRanker:
    rankers: Mapping[str, QueryRanker] = {
        "bof": BofRanker(stages, options, judged, memory),
        "votes": VotesRanker(stages),
        "tfidf": TfidfRanker(stages),
    }
    return rankers[name]
