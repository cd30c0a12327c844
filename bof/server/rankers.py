"""The rankers that an index can answer with, and what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bof.engine import Engine
from bof.errors import MismatchError
from bof.global_descriptors.describe import ColumnSpec
from bof.options import COLUMN_OF, LOCAL, RANKERS
from bof.server.http.problems import ProblemError
from bof.store.columns import group_of

DESCRIPTIONS = {
    "bof": "Finds the same thing and proves it: features vote, geometry verifies. The best for most questions.",
    "votes": "Features vote, nothing is verified. Faster on large collections; no picture is called the same.",
    "tfidf": "Compares which visual words two pictures have, as text search does. For comparison.",
    "color": "Pictures with alike colours in alike places, whatever they show.",
    "histogram": "Pictures with alike colours, wherever these are.",
    "embedding": "Pictures that a neural network finds alike: of the same kind, not the same thing.",
}
"""Rankers that are not here compare hashes."""

_HASH = "Copies of the very picture, resized or re-encoded: a short code of its coarse structure. Very fast."


def rankers_of(engine: Engine) -> list[dict[str, Any]]:
    """Every ranker, and whether this index has the columns that it asks."""
    groups = engine.column_spec.groups
    return [_ranker(name, groups) for name in RANKERS]


def _ranker(name: str, groups: tuple[str, ...]) -> dict[str, Any]:
    needs = None if name in LOCAL else group_of(COLUMN_OF[name])
    return {
        "name": name,
        "description": DESCRIPTIONS.get(name, _HASH),
        "available": needs is None or needs in groups,
        "verifies": name == "bof",
        "needs": needs,
    }


def require_columns(engine: Engine, groups: Sequence[str]) -> ColumnSpec:
    """These groups of columns. Raises ProblemError where the index lacks one."""
    try:
        return engine.require_columns(groups)
    except MismatchError as error:
        detail = f"expected {error.expected}, found {error.found}; bof index --columns adds it"
        raise ProblemError("not-available", detail) from error
