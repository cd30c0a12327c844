"""One query through the stages: look -> look into the mirror if nothing is clear -> expand -> rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bof.errors import OptionError
from bof.evidence import Evidence, unverified_scores
from bof.expansion import expand
from bof.looking import Look, Stopwatch, best_first, in_order, look, look_into_mirror
from bof.options import ExpandOptions, VerifyOptions, VoteOptions
from bof.scoring import tfidf_scores
from bof.store import Snapshot
from bof.types import F64, I64, Features, Verdict, Verification
from bof.vocabulary import Vocabulary

RANKERS = ("bof", "votes", "tfidf")
"""Hamming votes verified with geometry; the votes alone; the plain cosine of TF-IDF histograms."""

MIRRORS = ("auto", "always", "never")
"""Look for the query's mirror image too: if nothing was clearly the same, always, never."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search: which ranker, the options of its stages, whether the query's mirror image is looked for, and which
    pictures may answer: those that meet the condition `where` and hold the words of `text` (see filters).
    """

    ranker: str = "bof"
    vote: VoteOptions = field(default_factory=VoteOptions)
    verify: VerifyOptions = field(default_factory=VerifyOptions)
    expand: ExpandOptions = field(default_factory=ExpandOptions)
    mirror: str = "auto"
    where: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        for name, value, known in (("ranker", self.ranker, RANKERS), ("mirror", self.mirror, MIRRORS)):
            if value not in known:
                raise OptionError(f"{name}: expected one of {', '.join(known)}, found {value!r}")


@dataclass(frozen=True, slots=True)
class Answer:
    """images i64 (n,) of the snapshot, best first; scores f64 (n,); geometry's word and the probability of the images
    that were verified; seconds by stage.
    """

    images: I64
    scores: F64
    verifications: Mapping[int, Verification]
    probabilities: Mapping[int, float]
    seconds: Mapping[str, float]

    def verdict(self, image: int, options: VerifyOptions) -> Verdict:
        """What is known of one image."""
        return Evidence(0.0, self.probabilities.get(image)).verdict(options)


def search(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    """Every image with a positive score, those called the same above the others."""
    if options.ranker == "tfidf":
        return _search_tfidf(snapshot, vocabulary, query)
    if options.ranker == "votes":
        return _search_votes(snapshot, vocabulary, query, options)
    return _search_bof(snapshot, vocabulary, query, options)


def _search_bof(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    watch = Stopwatch()
    collection, stages = (snapshot, vocabulary), (options.vote, options.verify)
    seen = look(*collection, query, *stages, watch)
    if options.mirror == "always" or (options.mirror == "auto" and not seen.is_clear(options.verify)):
        with watch.stage("mirror"):
            seen = look_into_mirror(*collection, query, *stages, seen)
    with watch.stage("expand"):
        seeds = seen.called_same(options.verify)[: options.expand.expand]
        added = expand(snapshot, {i: seen.verifications[i].n_inliers for i in seeds}, *stages)
    with watch.stage("rank"):
        images, scores = rank(snapshot, seen, added, options.verify)
    probabilities = {i: known.probability or 0.0 for i, known in seen.evidence.items()}
    return Answer(images, scores, seen.verifications, probabilities, watch.seconds)


def rank(snapshot: Snapshot, seen: Look, added: Mapping[int, float], options: VerifyOptions) -> tuple[I64, F64]:
    """Images called the same first, then all by score; ties break by name.

    added: what query expansion adds to the similarity of images, verified or not. Behind them come all others with a
    vote. Returns images i64 (n,) and their scores f64 (n,).
    """
    known = {**{i: Evidence(float(seen.similarity[i]), None) for i in added}, **seen.evidence}
    scores = [Evidence(e.gained + added.get(i, 0.0), e.probability).score for i, e in known.items()]
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
