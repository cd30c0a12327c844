"""One query through the stages: look -> look into the mirror if nothing is clear -> expand -> rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from threadpoolctl import ThreadpoolController

from bof.errors import OptionError
from bof.evidence import Evidence
from bof.expansion import expand
from bof.looking import Look, Stopwatch, in_order, look, look_into_mirror
from bof.options import ExpandOptions, VerifyOptions, VoteOptions
from bof.scoring import tfidf_scores, top_images
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
    with _numpy_blas().limit(limits=1):
        if options.ranker == "tfidf":
            return _search_tfidf(snapshot, vocabulary, query)
        if options.ranker == "votes":
            return _search_votes(snapshot, vocabulary, query, options)
        return _search_bof(snapshot, vocabulary, query, options)


@lru_cache(maxsize=1)
def _numpy_blas() -> ThreadpoolController:
    """numpy's BLAS: the products here are small, and its idle threads would spin on the core that faiss needs.

    The one inside faiss is left alone: it shares OpenMP with faiss and would take faiss' threads along.
    """
    return ThreadpoolController().select(threading_layer="pthreads")


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

    added: what query expansion adds to the similarity of images, verified or not. Images without either keep their
    order. Returns images i64 (n,) and their scores f64 (n,).
    """
    known = {**{i: Evidence(float(seen.similarity[i]), None) for i in added}, **seen.evidence}
    scores = {i: Evidence(e.gained + added.get(i, 0.0), e.probability).score for i, e in known.items()}
    verdicts = {i: e.verdict(options) for i, e in known.items()}
    head = sorted(known, key=lambda i: (verdicts[i] != "same", -scores[i], snapshot.rows[i].name))
    tail = seen.images[~np.isin(seen.images, head)]
    tail_scores = [Evidence(similarity, None).score for similarity in seen.similarity[tail].tolist()]
    images = np.array([*head, *tail], np.int64)
    score = np.array([*(scores[i] for i in head), *tail_scores], np.float64)
    n_same = list(verdicts.values()).count("same")
    order = np.r_[:n_same, n_same + np.argsort(-score[n_same:], kind="stable")]
    return images[order], score[order]


def _search_votes(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    watch = Stopwatch()
    seen = look(snapshot, vocabulary, query, options.vote, None, watch)
    scores = [Evidence(similarity, None).score for similarity in seen.similarity[seen.images].tolist()]
    return Answer(seen.images, np.array(scores, np.float64), {}, {}, watch.seconds)


def _search_tfidf(snapshot: Snapshot, vocabulary: Vocabulary, query: Features) -> Answer:
    watch = Stopwatch()
    with watch.stage("assign"):
        word = vocabulary.assign(query.descriptors)[:, 0]
    with watch.stage("vote"):
        score = tfidf_scores([s.counts for s in snapshot.segments], snapshot.weights, word)
        images = in_order(snapshot, score, top_images(score, len(score)))
    return Answer(images, score[images], {}, {}, watch.seconds)
