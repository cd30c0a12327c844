"""The rows of the ablation: each differs from the defaults in one thing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from bof.errors import OptionError
from bof.native import Hits, near_postings
from bof.options import ExpandOptions, FeatureOptions, VerifyOptions, VoteOptions
from bof.options import SearchOptions
from bof.types import F64, I32, I64, U16, U64, Bool

DEFAULTS = "defaults"

NONE = 1 << 30
"""More matches than there ever are: a stage that asks for so many does not happen."""


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
    rows = [*_rankers(), *_options(), *_constants(), *_features()]
    return [Row(DEFAULTS, DEFAULTS), *(row for row in rows if differs(row, features))]


def choose(rows: Sequence[Row], only: Sequence[str]) -> list[Row]:
    """The defaults and the rows, or groups of rows, that are named; all without names. Raises OptionError."""
    known = {row.name for row in rows} | {row.group for row in rows}
    unknown = [name for name in only if name not in known]
    if unknown:
        groups = ", ".join(dict.fromkeys(row.group for row in rows))
        raise OptionError(f"--only: expected rows, or groups of rows ({groups}), found {', '.join(unknown)}")
    return [row for row in rows if not only or row.group == DEFAULTS or row.name in only or row.group in only]


def differs(row: Row, features: FeatureOptions) -> bool:
    """Is anything in a row other than the default?"""
    patched = any(getattr(_module(patch), patch.name) != patch.value for patch in row.patches)
    return patched or row.options != SearchOptions() or features.replaced(**row.features) != features


@contextmanager
def patched(patches: Sequence[Patch]) -> Iterator[None]:
    """Inside, the names hold their other values."""
    with ExitStack() as stack:
        for patch in patches:
            module = _module(patch)
            stack.callback(setattr, module, patch.name, getattr(module, patch.name))
            setattr(module, patch.name, patch.value)
        yield


def _module(patch: Patch) -> ModuleType:
    """Raises OptionError where the module no longer has the name: the row would measure the defaults."""
    module = importlib.import_module(patch.module)
    if not hasattr(module, patch.name):
        raise OptionError(f"{patch.module}: expected {patch.name}, found no such name; mend ablation_rows.py")
    return module


def _rankers() -> Iterator[Row]:
    """Without geometry, and the votes without their parts."""
    yield Row("tfidf", "ranker", SearchOptions("tfidf"))
    for k in (1, 5, 0):
        name = f"votes, {k} words" if k else "votes"
        yield Row(name, "ranker", SearchOptions("votes", VoteOptions(words_per_feature=k)))
    scores = Patch("bof.native", "near_postings", near_postings_without_burstiness)
    matches = Patch("bof.native", "sort_votes", sort_whole_votes)
    yield Row("no burstiness", "burstiness", patches=(scores, matches), timed=False)


def _options() -> Iterator[Row]:
    """One option each."""
    plain = SearchOptions()
    for k in (1, 3, 5, 10, 20):
        yield Row(f"words {k}", "words", replace(plain, vote=VoteOptions(words_per_feature=k)))
    for bits in (16, 20, 24, 28):
        yield Row(f"max_hamming {bits}", "max_hamming", replace(plain, vote=VoteOptions(max_hamming=bits)))
    for depth in (50, 100, 200, 2000):
        yield Row(f"depth {depth}", "depth", replace(plain, verify=VerifyOptions(depth=depth)))
    for tolerance in (0.01, 0.02, 0.03, 0.05):
        yield Row(f"tolerance {tolerance}", "tolerance", replace(plain, verify=VerifyOptions(tolerance=tolerance)))
    for same in (0.9, 0.95, 0.999):
        yield Row(f"same {same}", "same", replace(plain, verify=VerifyOptions(same=same)))
    for n in (0, 1, 3, 10):
        yield Row(f"expand {n}", "expand", replace(plain, expand=ExpandOptions(expand=n)))
    for mirror in ("never", "auto", "always"):
        yield Row(f"mirror {mirror}", "mirror", replace(plain, mirror=mirror))


def _constants() -> Iterator[Row]:
    """One named constant each."""
    affine = Patch("bof.geometry.verification", "_MAX_STRETCH", 0.0)  # every affine transform stretches more
    perspective = Patch("bof.geometry.verification", "_MIN_HOMOGRAPHY", NONE)
    yield Row("no refinement", "refinement", patches=(affine, perspective))
    yield Row("no homography", "refinement", patches=(perspective,))
    for group, module, name, values in CONSTANTS:
        for value in values:
            yield Row(f"{group} {value:g}", group, patches=(Patch(module, name, value),))


CONSTANTS: tuple[tuple[str, str, str, tuple[float, ...]], ...] = (
    ("sigma", "bof.retrieval.votes", "SIGMA", (10.0, 12.0, 14.0, 16.0, 20.0)),
    ("pairs", "bof.retrieval.shortlist", "MAX_PAIRS", (80, 160, 320, 640)),
    ("hypotheses", "bof.geometry.hypotheses", "MAX_HYPOTHESES", (16, 32, 64, 128, 320)),
    ("spot", "bof.geometry.hypotheses", "_SPOT", (0.001, 0.01, 0.02, 0.04)),
    ("inlier_gain", "bof.retrieval.evidence", "_INLIER_GAIN", (0.0, 0.05, 0.1, 0.2, 0.4)),
)
"""Group, module that reads the constant, its name there, values; pairs and hypotheses are counts of whole things."""


def _features() -> Iterator[Row]:
    """Another extraction: another index with the same vocabulary."""
    for n in (500, 1000, 2000):
        yield Row(f"max_features {n}", "features", features={"max_features": n})
    for contrast in (0.005, 0.01):
        yield Row(f"contrast {contrast}", "features", features={"contrast_threshold": contrast})


def near_postings_without_burstiness(
    postings: Any, live: Bool, word: I32, signature: U64, asked: range, max_hamming: int, *weigh: F64
) -> tuple[F64, list[Hits]]:
    """The compiled loop of bof.native, with scores of votes that are not divided by the square root of their number."""
    _, parts = near_postings(postings, live, word, signature, asked, max_hamming, *weigh)
    score = np.zeros(len(live))
    for hits in parts:
        score += np.bincount(hits.image, whole_weights(hits, word, *weigh), len(live))
    return score, parts


def whole_weights(hits: Hits, word: I32, weight_of_distance: F64, weight_of_word: F64) -> F64:
    """What each vote weighs by its distance and its word alone."""
    of_words = weight_of_word[word[hits.asked.start : hits.asked.stop]].ravel()
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
