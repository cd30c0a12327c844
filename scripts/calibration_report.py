"""What the calibration prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from calibration_exhaustive import Level
from calibration_fit import Bin, Model, Operation
from calibration_pairs import Gathered


def counts(gathered: Gathered, n_queries: Mapping[str, int], n_pictures: int) -> Iterator[str]:
    """How much was asked and measured."""
    asked = " and ".join(f"{n} of {name}" for name, n in n_queries.items())
    yield f"{n_pictures} pictures; queries: {asked}"
    yield (
        f"{gathered.n_matching + gathered.n_wrong} pairs verified, {gathered.n_matching} of them matching; "
        f"{gathered.n_left_out} more left out"
    )
    n_matching = int(gathered.pairs.matches.sum())
    yield f"{len(gathered.pairs)} of the pairs have a transform, {n_matching} of them matching"


def coefficients(fitted: Model, current: Model) -> Iterator[str]:
    """Fitted and current, one beside the other."""
    yield f"{'':18}{'fitted':>9}{'bof.retrieval.evidence':>14}"
    for name in Model.__dataclass_fields__:
        yield f"{name:18}{getattr(fitted, name):9.2f}{getattr(current, name):14.2f}"


def reliability_table(bins: Sequence[Bin]) -> Iterator[str]:
    """One line a bin."""
    yield f"{'probability':>16}{'pairs':>9}{'predicted':>11}{'matching':>10}"
    for b in bins:
        yield f"{b.low:7g} to {b.high:5g}{b.n:9}{b.predicted:11.4f}{b.matching:10.4f}"


def threshold_table(operations: Mapping[str, Sequence[Operation]], n_true: Mapping[str, int]) -> Iterator[str]:
    """For each threshold and each set: queries with a wrong `same`, and the share of all matching pairs kept."""
    heads = [f"{name + ' wrong':>18}{'kept':>8}" for name in operations]
    yield f"{'same from':>10}" + "".join(heads)
    for row in zip(*operations.values(), strict=True):
        cells = [f"{o.queries_misled:18}{share(o.n_kept, n_true[name])}" for name, o in zip(n_true, row, strict=True)]
        yield f"{row[0].threshold:10g}" + "".join(cells)


def exhaustive_table(levels: Sequence[Level], n_true: int, n_wrong: int) -> Iterator[str]:
    """What exhaustive matching verifies, and what the engine makes of it."""
    yield f"{n_true} matching pairs of UKBench, and its {n_wrong} wrong pairs that the engine found a transform for"
    yield f"{'inliers':>8}{'verified':>10}{'same of these':>15}{'wrong':>7}{'wrong queries':>15}"
    for one in levels:
        kept = share(one.n_called_same, one.n_matching)
        yield f"{one.n_inliers:8}{one.n_matching:10}{kept:>15}{one.n_wrong:7}{one.n_queries_wrong:15}"


def share(part: int, whole: int) -> str:
    """As a fraction, a dash of nothing."""
    return f"{part / whole:8.4f}" if whole else f"{'-':>8}"
