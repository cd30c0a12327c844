"""What `scale_bench` measured, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scale_fit import Fit, Result, whole
from scale_likeness import TFS, Likeness
from scale_planting import Planted

from bof.system.units import human_bytes

TARGETS: Mapping[tuple[int, int], Mapping[str, float]] = {
    (100_000, 1000): {
        "ms verify 200: vote": 15.0,
        "ms verify 200: verify": 25.0,
        whole("verify 200"): 60.0,
        "s open, cold": 0.5,
        "s open, warm": 0.5,
    },
    (1_000_000, 300): {whole("default"): 150.0, whole("verify 200"): 150.0},
}
"""What was promised, by images and features: quantity -> at most."""

BASE_BYTES = 24
"""A feature's share of the bytes; what is beyond counts as the images'."""


def describe_planting(planted: Planted) -> str:
    """One line on queries and their targets."""
    sizes = [len(query) for query in planted.queries]
    targets = [len(target) for target in planted.targets]
    return (
        f"{len(sizes)} queries of {min(sizes)} to {max(sizes)} features, of which {min(targets)} to {max(targets)} are "
        f"planted with noise of {planted.noise:.1f} a byte: {planted.kept_words:.0%} keep their word, at a median of "
        f"{planted.median_bits:.0f} bits"
    )


def describe_likeness(name: str, like: Likeness) -> str:
    """One line on what pictures are like."""
    tf = ", ".join(f"{share:.1%}" for share in like.tf_shares)
    return (
        f"{name:9}  {like.features:.0f} features (log spread {like.spread:.2f}); tf 1 to {TFS}+: {tf}; "
        f"{like.postings:.1f} postings a query feature and million; of them within 24 bits {like.near:.2%}, "
        f"16 bits {like.very_near:.3%}, mean {like.bits:.1f}"
    )


def describe_result(result: Result) -> Iterator[str]:
    """A collection's figures."""
    yield from _describe_build(result)
    for how, parts in result.opening.items():
        apart = ", ".join(f"{part} {seconds:.3f}" for part, seconds in parts.items())
        yield f"open, {how}: {sum(parts.values()):.3f} s ({apart}){beside(result, f's open, {how}')}"
    resident = [
        f"{when} {human_bytes(m['VmRSS'])} (files {human_bytes(m['RssFile'])}, own {human_bytes(m['RssAnon'])})"
        for when, m in result.memory.items()
    ]
    yield f"resident: {'; '.join(resident)}"
    for way, stages in result.milliseconds.items():
        figures = [f"{stage} {ms:.1f}{beside(result, f'ms {way}: {stage}')}" for stage, ms in stages.items()]
        yield f"query, {way}, ms: {', '.join(figures)}"
    yield f"slowest query of the first pass: {result.slowest_first:.1f} ms"
    for way, found in result.found.items():
        yield (
            f"found, {way}: {found['first']:.0%} of the planted first, {found['same']:.0%} called the same; "
            f"others called the same {found['others_same']:.2f} a query"
        )


def _describe_build(result: Result) -> Iterator[str]:
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


def beside(result: Result, quantity: str) -> str:
    """The target of a quantity at this size, for beside the figure; nothing where there is none."""
    limit = TARGETS.get((result.build.images, result.build.features), {}).get(quantity)
    if limit is None:
        return ""
    return f" [target {limit:g}: {'met' if result.quantities()[quantity] <= limit else 'MISSED'}]"


def describe_fits(fits: Sequence[Fit], extrapolate: Sequence[int]) -> Iterator[str]:
    """The exponents, and what the laws say of numbers of images that were not run."""
    for fit in fits:
        other = "features" if fit.axis == "images" else "images"
        steep = "  FASTER THAN LINEAR" if fit.is_steep else ""
        run = ", ".join(map(str, fit.sizes))
        line = f"{fit.quantity}: {fit.axis}^{fit.exponent:.2f} at {fit.fixed} {other} (run: {run}){steep}"
        sizes = [size for size in extrapolate if size not in fit.sizes] if fit.axis == "images" else []
        yield "; ".join([line, *(f"extrapolated to {size}: {_figure(fit.at(size))}" for size in sizes)])


def _figure(value: float) -> str:
    return f"{value:.3g}" if value < 1e4 else f"{value:.2e}"
