"""The rows of the ablation: each differs from the defaults in one thing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from bof.errors import OptionError
from bof.native import VotePiece, near_postings
from bof.options import ExpandOptions, FeatureOptions, SearchOptions, VerifyOptions, VoteOptions
from bof.types import F64, I32, I64, U16, U64, Bool
from scripts.common.arguments import choose

DEFAULTS = "defaults"

NONE = 1 << 30  # more matches than there ever are: a stage that asks for so many does not happen


LOOPS, SHORTLIST, SCORES = "bof.native", "bof.retrieval.shortlist", "bof.retrieval.votes"
VERIFICATION, HYPOTHESES, EVIDENCE = (
    "bof.geometry.verification",
    "bof.geometry.hypotheses",
    "bof.retrieval.evidence",
)  # modules that rows patch
CONSTANTS: tuple[tuple[str, str, str, tuple[float, ...]], ...] = (
    ("sigma", SCORES, "SIGMA", (10.0, 12.0, 14.0, 16.0, 20.0)),
    ("pairs", SHORTLIST, "MAX_PAIRS", (80, 160, 320, 640)),
    ("hypotheses", HYPOTHESES, "MAX_HYPOTHESES", (16, 32, 64, 128, 320)),
    ("spot", HYPOTHESES, "_CELL_SIZE", (0.001, 0.01, 0.02, 0.04)),
    ("inlier_gain", EVIDENCE, "_INLIER_GAIN", (0.0, 0.05, 0.1, 0.2, 0.4)),
)
"""Group, module that reads the constant, its name there, values; pairs and hypotheses are counts of whole things."""


FEATURES: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("max_features", "max_features", (500, 1000, 2000, 4000)),
    ("contrast", "contrast_threshold", (0.005, 0.01)),
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A name of a module that holds another value while a row is measured."""

    module: str
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. features: of the vocabulary's FeatureOptions, those changed; timed: its time counts."""

    name: str
    group: str
    options: SearchOptions = field(default_factory=SearchOptions)
    patches: tuple[Patch, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    timed: bool = True


def all_rows(features: FeatureOptions) -> list[Row]:
    """The defaults first, then every row that differs from them. features: those of the vocabulary."""
    rows = [*_rankers(), *_options(), *_constants()]
    return [Row(DEFAULTS, DEFAULTS), *(row for row in rows if differs(row, features))]


def chosen(rows: Sequence[Row], only: Sequence[str]) -> list[Row]:
    """The defaults and the rows, or groups of rows, that are named; all without names. Raises OptionError."""
    groups = list(dict.fromkeys(row.group for row in rows))
    names = choose(only, [*groups, *(row.name for row in rows)], f"rows, or groups of rows ({', '.join(groups)})")
    return [row for row in rows if not only or row.group == DEFAULTS or {row.name, row.group} & names]


def differs(row: Row, features: FeatureOptions) -> bool:
    """Is anything in a row other than the default?"""
    patched = any(getattr(_module(patch), patch.name) != patch.value for patch in row.patches)
    return patched or row.options != SearchOptions() or features.replaced(**row.features) != features


@contextmanager
def patched(patches: Sequence[Patch]) -> Iterator[None]:
    """Inside, the names hold their other values."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(mock.patch.object(_module(patch), patch.name, patch.value))
        yield


def _module(patch: Patch) -> ModuleType:
    """Raises OptionError where the module no longer has the name: the row would measure the defaults."""
    module = importlib.import_module(patch.module)
    if not hasattr(module, patch.name):
        raise OptionError(f"{patch.module}: expected {patch.name}, found no such name; mend scripts/ablation/rows.py")
    return module


def _rankers() -> Iterator[Row]:
    """Without geometry, and the votes without their parts."""
    yield Row("tfidf", "ranker", SearchOptions("tfidf"))
    for k in (1, 5, 0):
        name = f"votes, {k} words" if k else "votes"
        yield Row(name, "ranker", SearchOptions("votes", VoteOptions(words_per_feature=k)))
    scores = Patch(LOOPS, "near_postings", near_postings_without_burstiness)
    matches = Patch(LOOPS, "sort_votes", sort_whole_votes)
    yield Row("no burstiness", "burstiness", patches=(scores, matches), timed=False)


def _options() -> Iterator[Row]:
    """One option each."""
    stages: tuple[tuple[str, str, type[Any], tuple[float, ...]], ...] = (
        ("words", "words_per_feature", VoteOptions, (1, 3, 5, 10, 20)),
        ("max_hamming", "max_hamming", VoteOptions, (16, 20, 24, 28)),
        ("depth", "depth", VerifyOptions, (50, 100, 200, 2000)),
        ("tolerance", "tolerance", VerifyOptions, (0.01, 0.02, 0.03, 0.05)),
        ("same", "same", VerifyOptions, (0.9, 0.95, 0.999)),
        ("expand", "expand", ExpandOptions, (0, 1, 3, 10)),
    )
    field_of = {VoteOptions: "vote", VerifyOptions: "verify", ExpandOptions: "expand"}
    for group, option, kind, values in stages:
        for value in values:
            yield Row(f"{group} {value}", group, replace(SearchOptions(), **{field_of[kind]: kind(**{option: value})}))
    for mirror in ("never", "auto", "always"):
        yield Row(f"mirror {mirror}", "mirror", SearchOptions(mirror=mirror))


def _constants() -> Iterator[Row]:
    """One named constant each, and another extraction."""
    affine = Patch(VERIFICATION, "_MAX_STRETCH", 0.0)  # every affine transform stretches more
    perspective = Patch(VERIFICATION, "_MIN_HOMOGRAPHY", NONE)
    yield Row("no refinement", "refinement", patches=(affine, perspective))
    yield Row("no homography", "refinement", patches=(perspective,))
    for group, module, name, values in CONSTANTS:
        for value in values:
            yield Row(f"{group} {value:g}", group, patches=(Patch(module, name, value),))
    for short, option, settings in FEATURES:  # another index with the same vocabulary
        for setting in settings:
            yield Row(f"{short} {setting}", "features", features={option: setting})


def near_postings_without_burstiness(
    postings: Any, live: Bool, word: I32, signature: U64, queried: range, max_hamming: int, *weigh: F64
) -> tuple[F64, list[VotePiece]]:
    """The compiled loop of bof.native, with scores of votes that are not divided by the square root of their number."""
    _, parts = near_postings(postings, live, word, signature, queried, max_hamming, *weigh)
    score = np.zeros(len(live))
    for hits in parts:
        score += np.bincount(hits.image, whole_weights(hits, word, *weigh), len(live))
    return score, parts


def whole_weights(hits: VotePiece, word: I32, weight_of_distance: F64, weight_of_word: F64) -> F64:
    """What each vote weighs by its distance and its word alone."""
    of_words = weight_of_word[word[hits.queried.start : hits.queried.stop]].ravel()
    n_votes = np.diff(hits.ends, prepend=0)
    return np.asarray(weight_of_distance[hits.distance] * np.repeat(of_words, n_votes), np.float64)


def sort_whole_votes(
    starts: I64, indptr: I64, places: range, limit: int, votes: Any, matches: tuple[I32, U16, F64]
) -> None:
    """Instead of the compiled loop: the strongest votes of each picture, none divided."""
    for place in places:
        mine = votes[starts[place] : starts[place + 1]]
        best = mine[np.lexsort((mine["key"], -mine["weight"]))[:limit]]
        rows = slice(indptr[place], indptr[place] + len(best))
        matches[0][rows], matches[1][rows] = best["key"] >> 16, best["key"] & 0xFFFF
        matches[2][rows] = best["weight"]
