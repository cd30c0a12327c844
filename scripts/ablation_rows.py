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
from bof.loops import near_postings
from bof.options import ExpandOptions, FeatureOptions, VerifyOptions, VoteOptions
from bof.searching import SearchOptions
from bof.types import F64, I32, U16

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
    without = Patch("bof.scoring", "near_postings", near_postings_without_burstiness)
    yield Row("no burstiness", "burstiness", patches=(without,), timed=False)


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
    affine = Patch("bof.verification", "_TIGHTENING", ())
    perspective = Patch("bof.verification", "_MIN_HOMOGRAPHY", NONE)
    yield Row("no refinement", "refinement", patches=(affine, perspective))
    yield Row("no homography", "refinement", patches=(perspective,))
    for group, module, name, values in CONSTANTS:
        for value in values:
            yield Row(f"{group} {value:g}", group, patches=(Patch(module, name, value),))


CONSTANTS: tuple[tuple[str, str, str, tuple[float, ...]], ...] = (
    ("sigma", "bof.scoring", "SIGMA", (10.0, 12.0, 14.0, 16.0, 20.0)),
    ("pairs", "bof.looking", "MAX_PAIRS", (80, 160, 320, 640)),
    ("hypotheses", "bof.hypotheses", "MAX_HYPOTHESES", (16, 32, 64, 128, 320)),
    ("spot", "bof.hypotheses", "_SPOT", (0.001, 0.01, 0.02, 0.04)),
    ("inlier_gain", "bof.evidence", "_INLIER_GAIN", (0.0, 0.05, 0.1, 0.2, 0.4)),
)
"""Group, module that reads the constant, its name there, values; pairs and hypotheses are counts of whole things."""


def _features() -> Iterator[Row]:
    """Another extraction: another index with the same vocabulary."""
    for n in (500, 1000, 2000):
        yield Row(f"max_features {n}", "features", features={"max_features": n})
    for contrast in (0.005, 0.01):
        yield Row(f"contrast {contrast}", "features", features={"contrast_threshold": contrast})


def near_postings_without_burstiness(*arguments: Any) -> tuple[F64, I32, I32, U16, F64]:
    """The compiled loop of bof.loops, its votes not divided by the square root of their number."""
    score, query, image, feature, weight = near_postings(*arguments)
    return whole_votes(len(score), query, image, feature, weight)


def whole_votes(n_images: int, query: I32, image: I32, feature: U16, weight: F64) -> tuple[F64, I32, I32, U16, F64]:
    """Undo the division by the square root of a query feature's number of votes for an image; the scores anew."""
    _, group, count = np.unique(query.astype(np.int64) * n_images + image, return_inverse=True, return_counts=True)
    weight = weight * np.sqrt(count[group])
    return np.bincount(image, weight, n_images).astype(np.float64, copy=False), query, image, feature, weight
