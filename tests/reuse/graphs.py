"""A reuse graph made by hand, with names that try to become markup, formulas or other lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bof.reuse.types import ReuseGraph, SharedPart
from bof.store.catalog import ImageRecord
from tests.support.markup import HOSTILE

NAMES = ("=cmd|' /C calc'!A0.jpg", HOSTILE, "plain/page.jpg", "line\nbreak \ufffe\x0b.jpg", "b\udcff.jpg")


def record(name: str, number: int, mtime_s: int = 0) -> ImageRecord:
    """A picture of 900 x 1240 pixels."""
    return ImageRecord(name, f"/nowhere/{number}.jpg", 1000, mtime_s * 10**9, f"{number:064d}", 900, 1240, 100, number)


def shared(source: int, target: int, **changes: Any) -> SharedPart:
    """A pair that shares a part."""
    box = np.array([[100.0, 200.0], [300.1, 200.0], [300.1, 350.0], [100.0, 350.0]])
    facts: dict[str, Any] = {
        "kind": "part", "basis": "pixels", "probability": 0.1 + 0.2 + 0.69, "thing": None, "n_inliers": 37,
        "agreement": 1 / 3, "target_from_source": np.array([[-0.7, 1e-17, 812.3], [0.1, 0.7, 1 / 3], [1e-9, 0, 1.0]]),
        "source_outline": box, "target_outline": box + 1 / 7, "source_share": 0.1, "target_share": None,
    }  # fmt: skip
    return SharedPart(source, target, **{**facts, **changes})


def graph_of(
    names: Sequence[str] = NAMES,
    pairs: Sequence[SharedPart] = (shared(0, 1), shared(1, 2, kind="same", thing=0.9), shared(3, 4)),
    fields: Mapping[int, Mapping[str, Sequence[str]]] | None = None,
    clusters: Sequence[Sequence[int]] = ((0, 1, 2), (3, 4)),
) -> ReuseGraph:
    """Pictures, pairs and fields by place."""
    pictures = [record(name, number) for number, name in enumerate(names)]
    values = [(fields or {}).get(place, {}) for place in range(len(names))]
    return ReuseGraph(pictures, values, tuple(pairs), clusters, 9)
