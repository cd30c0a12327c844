"""What was measured, the power laws through it that say how cost grows, and both as lines of text and as figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from bof.system.units import human_bytes
from scripts.common.figures import finish, svg
from scripts.scale.build import Build
from scripts.scale.planting import Planted
from scripts.scale.query import FIRST_PASS, WHOLE
from scripts.scale.synthesis import TFS, Likeness

BASE_BYTES = 24  # a feature's share of the bytes; what is beyond counts as the images'
LINEAR = 1.05  # an exponent up to this counts as linear: timings vary
AXES = ("images", "features")
COLOURS = ("#0b6bcb", "#d9730d", "#7a3fb8", "#1b7f5c", "#a8325e", "#57606a")  # told apart without seeing red or green
STAGED = "verify 200"  # the way of asking whose stages are drawn: its work is fixed, so that growth shows
Line = tuple[str, str, int]  # label, quantity, features


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
        """What --json wrote."""
        built = {"build": Build(**fields["build"])}
        like = {name: Likeness(**fields[name]) for name in ("real", "synthetic")}
        return cls(**{**fields, **built, **like})

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
    """quantity ~ x ** exponent, x along one axis, the other fixed; sizes: what was run."""

    quantity: str
    axis: str
    fixed: int
    exponent: float
    sizes: Sequence[int]


def whole(way: str) -> str:
    """The quantity of a whole query asked in a way."""
    return f"ms {way}: {WHOLE}"


def fit_all(results: Sequence[Result]) -> list[Fit]:
    """One law for each quantity, axis and value of the other axis with two sizes or more; what is ever 0 has none."""
    fits = []
    for axis, other in (AXES, AXES[::-1]):
        for fixed in sorted({result.at(other) for result in results}):
            line = sorted((r for r in results if r.at(other) == fixed), key=lambda result: result.at(axis))
            sizes = [result.at(axis) for result in line]
            for quantity in line[0].quantities():
                values = [result.quantities().get(quantity, 0.0) for result in line]
                if len(set(sizes)) > 1 and min(values) > 0:
                    exponent = float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
                    fits.append(Fit(quantity, axis, fixed, exponent, sizes))
    return fits


def find_fit(fits: Sequence[Fit], quantity: str, axis: str, fixed: int) -> Fit | None:
    """The law of one line, if it was fitted."""
    found = [fit for fit in fits if (fit.quantity, fit.axis, fit.fixed) == (quantity, axis, fixed)]
    return found[0] if found else None


def planting_line(planted: Planted) -> str:
    """One line on queries and their targets."""
    sizes = [len(query) for query in planted.queries]
    targets = [len(target) for target in planted.targets]
    return (
        f"{len(sizes)} queries of {min(sizes)} to {max(sizes)} features, of which {min(targets)} to {max(targets)} are "
        f"planted with noise of {planted.noise:.1f} a byte: {planted.kept_words:.0%} keep their word, at a median of "
        f"{planted.median_bits:.0f} bits"
    )


def likeness_line(name: str, like: Likeness) -> str:
    """One line on what pictures are like."""
    tf = ", ".join(f"{share:.1%}" for share in like.tf_shares)
    return (
        f"{name:9}  {like.features:.0f} features (log spread {like.spread:.2f}); tf 1 to {TFS}+: {tf}; "
        f"{like.postings:.1f} postings a query feature and million; of them within 24 bits {like.near:.2%}, "
        f"16 bits {like.very_near:.3%}, mean {like.bits:.1f}"
    )


def result_lines(result: Result) -> Iterator[str]:
    """A collection's figures."""
    built = result.build
    beyond = (built.n_bytes - BASE_BYTES * built.n_features) / built.images
    yield (
        f"{built.n_features} features in {result.segments} segments; {human_bytes(built.n_bytes)}: "
        f"{built.n_bytes / built.n_features:.2f} bytes a feature, or {BASE_BYTES} and {beyond:.0f} an image"
    )
    yield (
        f"appended in {built.append_seconds:.1f} s: {built.images / built.append_seconds:.0f} images/s, "
        f"{built.n_features / built.append_seconds:.0f} features/s (synthesis, apart: {built.synthesis_seconds:.1f} s)"
    )
    for how, parts in result.opening.items():
        apart = ", ".join(f"{part} {seconds:.3f}" for part, seconds in parts.items())
        yield f"open, {how}: {sum(parts.values()):.3f} s ({apart})"
    resident = [
        f"{when} {human_bytes(m['VmRSS'])} (files {human_bytes(m['RssFile'])}, own {human_bytes(m['RssAnon'])})"
        for when, m in result.memory.items()
    ]
    yield f"resident: {'; '.join(resident)}"
    for way, stages in result.milliseconds.items():
        figures = [f"{stage} {ms:.1f}" for stage, ms in stages.items()]
        yield f"query, {way}, ms: {', '.join(figures)}"
    yield f"slowest query of the first pass: {result.slowest_first:.1f} ms"
    for way, found in result.found.items():
        yield (
            f"found, {way}: {found['first']:.0%} of the planted first, {found['same']:.0%} called the same; "
            f"others called the same {found['others_same']:.2f} a query"
        )


def fit_lines(fits: Sequence[Fit]) -> Iterator[str]:
    """The exponents."""
    for fit in fits:
        other = "features" if fit.axis == "images" else "images"
        steep = "  FASTER THAN LINEAR" if fit.exponent > LINEAR else ""
        run = ", ".join(map(str, fit.sizes))
        yield f"{fit.quantity}: {fit.axis}^{fit.exponent:.2f} at {fit.fixed} {other} (run: {run}){steep}"


def draw(file: Path, results: Sequence[Result], fits: Sequence[Fit]) -> None:
    """Four figures in one SVG file; the same results give the same bytes. ReportError without matplotlib."""
    with svg(file, 11.0, 8.0) as figure:
        for axes, (title, unit, lines) in zip(figure.subplots(2, 2).flat, panels_of(results), strict=True):
            for number, (label, quantity, features) in enumerate(lines):
                points = [(r.build.images, r.quantities().get(quantity, 0.0)) for r in _of_size(results, features)]
                fit = find_fit(fits, quantity, "images", features)
                name = f"{label} ({fit.exponent:.2f})" if fit else label
                if shown := [point for point in points if point[1] > 0]:
                    colour = COLOURS[number % len(COLOURS)]
                    axes.plot(*zip(*shown, strict=True), color=colour, marker="o", markersize=5, label=name)
            axes.set(title=title, ylabel=unit, xscale="log", yscale="log")
            finish(axes)
        figure.supxlabel("images in the collection (exponent of images in brackets)")


def _of_size(results: Sequence[Result], features: int) -> list[Result]:
    return sorted((r for r in results if r.build.features == features), key=lambda r: r.build.images)


def panels_of(results: Sequence[Result]) -> list[tuple[str, str, list[Line]]]:
    """Title, unit and lines of each figure."""
    features = sorted({result.build.features for result in results})
    most = max(features, key=lambda f: (len(_of_size(results, f)), f))
    staged = _of_size(results, most)[0].milliseconds[STAGED]
    ways = list(results[0].milliseconds)
    whole_queries = [(f"{way}, {f} features", whole(way), f) for f in features for way in ways]
    stages = [(stage, f"ms {STAGED}: {stage}", most) for stage in staged if stage != WHOLE]
    opening = [(f"{how}, {f} features", f"s open, {how}", f) for f in features for how in ("cold", "warm")]
    size = [(f"on disk, {f} features", "bytes", f) for f in features]
    size += [(f"resident, {f} features", "bytes resident, asked", f) for f in features]
    return [
        ("A whole query", "milliseconds, median", whole_queries),
        (f"Its stages, 200 verified, {most} features", "milliseconds, median", stages),
        ("Opening, vocabulary included", "seconds", opening),
        ("Size, and memory after the queries", "bytes", size),
    ]
