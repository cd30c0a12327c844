"""How cost grows: power laws through what `scale_bench` measured, and what they say of sizes that were not run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scale_build import Build
from scale_likeness import Likeness
from scale_query import FIRST_PASS, WHOLE

LINEAR = 1.05
"""An exponent up to this counts as linear: timings vary."""

AXES = ("images", "features")


@dataclass(frozen=True, slots=True)
class Result:
    """One collection: how it was built, seconds to open it cold and warm (vocabulary apart), resident bytes, queries'
    milliseconds by way of asking and stage, what they found, and how it resembles photographs.
    """

    build: Build
    segments: int
    opening: Mapping[str, Mapping[str, float]]
    memory: Mapping[str, Mapping[str, int]]
    milliseconds: Mapping[str, Mapping[str, float]]
    slowest_first: float
    found: Mapping[str, Mapping[str, float]]
    real: Likeness
    synthetic: Likeness

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        built = {"build": Build(**fields["build"])}
        like = {name: Likeness(**fields[name]) for name in ("real", "synthetic")}
        return cls(**{**fields, **built, **like})

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)

    def at(self, axis: str) -> int:
        """Its images, or its features an image, as they were asked for."""
        return self.build.images if axis == "images" else self.build.features

    def quantities(self) -> dict[str, float]:
        """Everything whose growth is fitted."""
        queries = {
            f"ms {way}: {stage}": ms
            for way, stages in self.milliseconds.items()
            for stage, ms in stages.items()
            if way != FIRST_PASS or stage == WHOLE
        }
        opened = {f"s open, {how}": sum(parts.values()) for how, parts in self.opening.items()}
        built = {"s append": self.build.append_seconds, "bytes": float(self.build.n_bytes)}
        return {**queries, **opened, **built, "bytes resident, asked": float(self.memory["asked"]["VmRSS"])}


@dataclass(frozen=True, slots=True)
class Fit:
    """quantity = factor * x ** exponent, x along one axis, the other fixed; sizes: what was run."""

    quantity: str
    axis: str
    fixed: int
    factor: float
    exponent: float
    sizes: Sequence[int]

    @property
    def is_steep(self) -> bool:
        """Does the cost grow faster than linearly?"""
        return self.exponent > LINEAR

    def at(self, size: float) -> float:
        """The quantity that the law says."""
        return float(self.factor * size**self.exponent)


def whole(way: str) -> str:
    """The quantity of a whole query asked in a way."""
    return f"ms {way}: {WHOLE}"


def fit_power(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Factor and exponent of the power law through some points, by least squares of the logarithms."""
    exponent, offset = np.polyfit(np.log(sizes), np.log(values), 1)
    return math.exp(offset), float(exponent)


def fit_all(results: Sequence[Result]) -> list[Fit]:
    """One law for each quantity, axis and value of the other axis with two sizes or more; what is ever 0 has none."""
    return [fit for axis, other in (AXES, AXES[::-1]) for fit in _fit_along(results, axis, other)]


def _fit_along(results: Sequence[Result], axis: str, other: str) -> Iterator[Fit]:
    for fixed in sorted({result.at(other) for result in results}):
        line = sorted((r for r in results if r.at(other) == fixed), key=along(axis))
        sizes = [result.at(axis) for result in line]
        if len(set(sizes)) < 2:
            continue
        for quantity in line[0].quantities():
            values = [result.quantities().get(quantity, 0.0) for result in line]
            if min(values) > 0:
                yield Fit(quantity, axis, fixed, *fit_power(sizes, values), sizes)


def along(axis: str) -> Callable[[Result], int]:
    """For sorting by size."""
    return lambda result: result.at(axis)


def find_fit(fits: Sequence[Fit], quantity: str, axis: str, fixed: int) -> Fit | None:
    """The law of one line, if it was fitted."""
    found = [fit for fit in fits if (fit.quantity, fit.axis, fit.fixed) == (quantity, axis, fixed)]
    return found[0] if found else None
