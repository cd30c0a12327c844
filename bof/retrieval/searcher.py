"""One query through the stages: look -> look into the mirror if nothing is clear -> expand -> rank, or fuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from bof.global_descriptors.ann_index import Nearest
from bof.options import COLUMN_OF, VerifyOptions
from bof.options import SearchOptions as SearchOptions
from bof.retrieval.evidence import Evidence, unverified_scores
from bof.retrieval.expansion import expand
from bof.retrieval.fusion import add_up, evidence, reciprocal_ranks
from bof.retrieval.global_ranking import MAX_RANKED, Likeness, compare, compare_nearest, most_alike, verdicts
from bof.retrieval.shortlist import Look, Stopwatch, best_first, in_order, look, look_into_mirror
from bof.retrieval.votes import tfidf_scores
from bof.store.columns import Rows
from bof.store.index import Snapshot
from bof.types import F64, I64, Features, Verdict, Verification
from bof.vocabulary.vocabulary import Vocabulary

_ALSO = 50
"""In a fusion, geometry is asked about so many of the pictures that each other ranker finds most alike."""


@dataclass(frozen=True, slots=True)
class Answer:
    """images i64 (n,) of the snapshot, best first; scores f64 (n,); geometry's word and the probability of the images
    that were verified; seconds by stage; verdicts that a ranker without geometry has of its own.
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


def search(
    snapshot: Snapshot,
    vocabulary: Vocabulary,
    query: Features,
    options: SearchOptions,
    rows: Rows | None = None,
    nearest: Nearest | None = None,
) -> Answer:
    """Every image with a positive score, those called the same above the others.

    rows: the query as a whole, for rankers that compare such columns; of all images at most MAX_RANKED are ranked then.
    nearest: what finds embeddings in a large collection, in which not all are compared.
    """
    if options.whole:
        watch = Stopwatch()
        alike = {ranker: _compare(snapshot, ranker, rows or {}, options, nearest, watch) for ranker in options.whole}
        if len(options.rankers) == 1:
            return _rank_whole(snapshot, options.ranker, alike[options.ranker], watch)
        return _search_fused(snapshot, vocabulary, query, options, alike, watch)
    if options.ranker == "tfidf":
        return _search_tfidf(snapshot, vocabulary, query)
    if options.ranker == "votes":
        return _search_votes(snapshot, vocabulary, query, options)
    return _search_bof(snapshot, vocabulary, query, options)


def _search_bof(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    watch = Stopwatch()
    seen, added = _see(snapshot, vocabulary, query, options, watch)
    with watch.stage("rank"):
        images, scores = rank(snapshot, seen, added, options.verify)
    return Answer(images, scores, seen.verifications, _probabilities(seen), watch.seconds)


def _see(
    snapshot: Snapshot,
    vocabulary: Vocabulary,
    query: Features,
    options: SearchOptions,
    watch: Stopwatch,
    also: I64 | None = None,
) -> tuple[Look, dict[int, float]]:
    """What a query sees, and what expansion adds to images' similarity. also: images to verify in any case."""
    collection, stages = (snapshot, vocabulary), (options.vote, options.verify)
    seen = look(*collection, query, *stages, watch, also)
    if options.mirror == "always" or (options.mirror == "auto" and not seen.is_clear(options.verify)):
        with watch.stage("mirror"):
            seen = look_into_mirror(*collection, query, *stages, seen, also)
    with watch.stage("expand"):
        seeds = seen.called_same(options.verify)[: options.expand.expand]
        added = expand(snapshot, {i: seen.verifications[i].n_inliers for i in seeds}, *stages)
    return seen, added


def _probabilities(seen: Look) -> dict[int, float]:
    return {i: known.probability or 0.0 for i, known in seen.evidence.items()}


def rank(snapshot: Snapshot, seen: Look, added: Mapping[int, float], options: VerifyOptions) -> tuple[I64, F64]:
    """Images called the same first, then all by score; ties break by name.

    added: what query expansion adds to the similarity of images, verified or not. Behind them come all others with a
    vote. Returns images i64 (n,) and their scores f64 (n,).
    """
    known = _known(seen, added)
    scores = [e.score for e in known.values()]
    is_same = np.array([e.verdict(options) == "same" for e in known.values()], np.bool_)
    head, head_scores = np.array(list(known), np.int64), np.array(scores, np.float64)
    has_vote = seen.similarity > 0
    has_vote[head] = False
    tail = np.flatnonzero(has_vote)
    others = np.concatenate([head[~is_same], tail])
    other_scores = np.concatenate([head_scores[~is_same], unverified_scores(seen.similarity[tail])])
    parts = (head[is_same], head_scores[is_same]), (others, other_scores)
    images, score = zip(*(_sorted(snapshot, *part) for part in parts), strict=True)
    return np.concatenate(images), np.concatenate(score)


def _known(seen: Look, added: Mapping[int, float]) -> dict[int, Evidence]:
    """What is known of each image that was verified or that expansion added to."""
    known = {**{i: Evidence(float(seen.similarity[i]), None) for i in added}, **seen.evidence}
    return {i: Evidence(e.gained + added.get(i, 0.0), e.probability) for i, e in known.items()}


def _sorted(snapshot: Snapshot, images: I64, score: F64) -> tuple[I64, F64]:
    """Best score first, ties by name."""
    order = np.argsort(-score)
    return in_order(snapshot, score[order], images[order]), score[order]


def _search_votes(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    watch = Stopwatch()
    seen = look(snapshot, vocabulary, query, options.vote, None, watch)
    with watch.stage("rank"):
        images = best_first(snapshot, seen.similarity, len(seen.similarity))
    return Answer(images, unverified_scores(seen.similarity[images]), {}, {}, watch.seconds)


def _search_tfidf(snapshot: Snapshot, vocabulary: Vocabulary, query: Features) -> Answer:
    watch = Stopwatch()
    with watch.stage("assign"):
        word = vocabulary.assign(query.descriptors)[:, 0]
    with watch.stage("vote"):
        score = tfidf_scores(snapshot.postings, snapshot.weights, word)
        images = best_first(snapshot, score, len(score))
    return Answer(images, score[images], {}, {}, watch.seconds)


# -- Pictures as wholes, alone and with others ------------------------------------------------------------------------


def _compare(
    snapshot: Snapshot, ranker: str, rows: Rows, options: SearchOptions, nearest: Nearest | None, watch: Stopwatch
) -> Likeness:
    with watch.stage(ranker):
        if ranker == "embedding" and nearest is not None:
            return compare_nearest(snapshot, nearest, rows[COLUMN_OF[ranker]])
        return compare(snapshot, ranker, rows, options.metric)


def _rank_whole(snapshot: Snapshot, ranker: str, likeness: Likeness, watch: Stopwatch) -> Answer:
    """One ranker's answer: the images most alike."""
    with watch.stage("rank"):
        images = most_alike(snapshot, likeness)
    scores = likeness.similarity[images].astype(np.float64)
    return Answer(images, scores, {}, {}, watch.seconds, verdicts(ranker, images, likeness))


def _search_fused(
    snapshot: Snapshot,
    vocabulary: Vocabulary,
    query: Features,
    options: SearchOptions,
    alike: Mapping[str, Likeness],
    watch: Stopwatch,
) -> Answer:
    """Several rankers' answer; geometry is asked about what each of them finds most alike, if it is asked at all."""
    with watch.stage("rank"):
        parts = [evidence(ranker, likeness.surprise()) for ranker, likeness in alike.items()]
        also = np.concatenate([most_alike(snapshot, likeness, _ALSO) for likeness in alike.values()])
    local, seen = _local_evidence(snapshot, vocabulary, query, options, watch, also)
    with watch.stage("rank"):
        fuse = add_up if options.fusion == "calibrated" else reciprocal_ranks
        images, scores = _rank_fused(snapshot, fuse([*local, *parts]), seen, options.verify)
    return Answer(images, scores, seen.verifications, _probabilities(seen), watch.seconds)


def _local_evidence(
    snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions, watch: Stopwatch, also: I64
) -> tuple[list[F64], Look]:
    """The scores f64 (n_images,) of the ranker that asks features, if there is one, and what was seen with it."""
    nothing = Look(np.zeros(len(snapshot.rows)), {}, {})
    if not options.local:
        return [], nothing
    if options.local == ("tfidf",):
        word = vocabulary.assign(query.descriptors)[:, 0]
        return [unverified_scores(tfidf_scores(snapshot.postings, snapshot.weights, word))], nothing
    if options.local == ("votes",):
        return [unverified_scores(look(snapshot, vocabulary, query, options.vote, None, watch).similarity)], nothing
    seen, added = _see(snapshot, vocabulary, query, options, watch, also)
    scores = unverified_scores(seen.similarity)
    for image, known in _known(seen, added).items():
        scores[image] = known.score
    return [scores], seen


def _rank_fused(snapshot: Snapshot, score: F64, seen: Look, options: VerifyOptions) -> tuple[I64, F64]:
    """Images called the same first, then the others, each by fused score f64 (n_images,)."""
    live = np.where(snapshot.weights.live, score, 0.0)
    is_same = np.zeros(len(score), np.bool_)
    is_same[seen.called_same(options)] = True
    parts = [best_first(snapshot, np.where(chosen, live, 0.0), MAX_RANKED) for chosen in (is_same, ~is_same)]
    images = np.concatenate(parts)
    return images, score[images]
