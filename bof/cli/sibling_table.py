"""The table of a benchmark of siblings: a row each half, and in each half a row a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bof.evaluation.siblings import SiblingFigures, SiblingReport

_HEAD = (
    "siblings", "queries", "wrong same", "wrong part", "of same", "misled", "right same", "right part", "first",
    "and same", "families missed",
)  # fmt: skip
_FIRST_WIDTH = 22


def sibling_lines(reports: Mapping[str, SiblingReport]) -> Iterator[str]:
    """The lines to print; nothing without reports."""
    if reports:
        yield "  ".join([_HEAD[0].ljust(_FIRST_WIDTH), *_HEAD[1:]])
    for half, report in reports.items():
        yield _line(half, report.all)
        for by in report.by.values():
            yield from (_line(f"  {value}", figures) for value, figures in by.items())


def _line(name: str, f: SiblingFigures) -> str:
    shares = (
        f.wrong_same, f.wrong_part, f.wrong_of_same, f.misled, f.right_same, f.right_part, f.first, f.first_and_same,
    )  # fmt: skip
    cells = [f.n_queries, *("-" if share is None else f"{share:.3f}" for share in shares)]
    cells.append(f"{f.families_missed} of {f.n_families}")
    padded = (str(cell).rjust(len(head)) for cell, head in zip(cells, _HEAD[1:], strict=True))
    return "  ".join([name.ljust(_FIRST_WIDTH), *padded])
