"""A report that a person reads: one page with figures, queries as pictures, and every query's result in a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bof.errors import ReportError, display_name
from bof.evaluation.benchmarks import Benchmark
from bof.evaluation.report.cases import (
    N_SHOWN,
    Case,
    count_parts,
    first_counted,
    has_verified_wrong,
    is_imperfect,
    verified_wrong_cases,
    worst_cases,
)
from bof.evaluation.report.figures import FOLDER as FIGURES
from bof.evaluation.report.figures import require_matplotlib, setting_names, stage_milliseconds, write_figures
from bof.evaluation.report.pictures import FOLDER as PICTURES
from bof.evaluation.report.pictures import write_thumbnails
from bof.evaluation.run import QueryResult, Report
from bof.html import is_made_by, render
from bof.system.files import write_folder

PAGE = "report.html"
GENERATOR = "bof.report"
"""The page names it: only a folder with such a page is overwritten."""


def require_report(folder: Path) -> None:
    """ReportError unless a report can be written to the folder: ask before a long run.

    The folder may be missing, empty, or an earlier report, which will be replaced; matplotlib must be installed.
    """
    require_matplotlib()
    try:
        _require_place(_no_link(folder))
    except OSError as error:
        raise _cannot_write(folder, error) from error


def write_report(
    folder: Path, report: Report, whole: Mapping[str, Any], worst: int = 20, benchmark: Benchmark | None = None
) -> Path:
    """Write folder/report.html with its figures and pictures, whole or not at all; returns the page's path.

    whole: the dictionary that `bof.evaluate` writes as JSON; worst: how many of the worst queries, and of those with a
    wrong `same`, are shown as pictures; benchmark: the one that was run, for the queries' boxes and the pictures that
    were not found. Pictures that cannot be read are shown as grey tiles.
    Raises ReportError without matplotlib, or where the folder cannot be written or holds anything but a report.
    """
    require_report(folder)
    if benchmark is not None and len(benchmark.queries) != len(report.queries):
        raise ReportError(
            path=benchmark.name,
            expected=f"the {len(report.queries)} queries of the report",
            found=len(benchmark.queries),
            advice="give the benchmark that was run",
        )
    try:
        write_folder(_no_link(folder), lambda fresh: _fill(fresh, report, whole, worst, benchmark))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder / PAGE


def _no_link(folder: Path) -> Path:
    """Where the folder lies. Raises ReportError for a link: nothing is written through one."""
    if folder.is_symlink():
        advice = "name another {report}"
        raise ReportError(path=folder, expected="a folder for the report", found="a link", advice=advice)
    return folder.resolve()


def _fill(folder: Path, report: Report, whole: Mapping[str, Any], n: int, benchmark: Benchmark | None) -> None:
    worst, wrong = worst_cases(report.queries, n, benchmark), verified_wrong_cases(report.queries, n, benchmark)
    page = render(
        "evaluation.html",
        GENERATOR,
        report=report,
        whole=whole,
        worst=worst,
        wrong=wrong,
        links=_links("wrong", wrong) | _links("worst", worst),
        n_imperfect=sum(map(is_imperfect, report.queries)),
        n_wrong=sum(map(has_verified_wrong, report.queries)),
        n_parts={kind: count_parts(report.queries, kind) for kind in ("positive", "negative")},
        n_shown=N_SHOWN,
        settings=setting_names(report),
        stages=", ".join(f"{stage} {ms:.1f}" for stage, ms in stage_milliseconds(report).items()),
        vocabulary=_vocabulary(report.options.get("vocabulary")),
        common=common_folder(report.queries),
        first_counted=first_counted,
        figures=write_figures(folder, report),
        thumbnails=write_thumbnails(folder, [shot for case in (*worst, *wrong) for shot in case.shots]),
    )
    (folder / PAGE).write_text(page, encoding="utf-8")


def common_folder(results: Sequence[QueryResult]) -> str:
    """The deepest folder that holds every query and hit, with a separator behind it; "" where only the root does."""
    paths = {os.path.dirname(path) for r in results for path in (r.image, *(hit.path for hit in r.hits))}
    try:
        common = os.path.commonpath(paths)
    except ValueError:  # none at all, several drives, or relative beside absolute
        return ""
    return "" if common == os.path.dirname(common) else os.path.join(common, "")


def _links(kind: str, cases: Sequence[Case]) -> dict[int, str]:
    """Where on the page a query is shown as pictures, by its number."""
    return {case.number: f"{kind}-{case.number}" for case in cases}


def _vocabulary(vocabulary: object) -> str:
    """How many words it has, and the pictures of its training."""
    if not isinstance(vocabulary, Mapping):
        return ""
    trained_on = vocabulary.get("trained_on")
    source = trained_on.get("source") if isinstance(trained_on, Mapping) else trained_on
    words = vocabulary.get("n_words")
    return f"{words:,} words, trained on {source}" if isinstance(words, int) else f"trained on {source}"


def _require_place(folder: Path) -> None:
    """A folder of someone else's is never replaced, nor one of ours that more was put into."""
    parent = next(parent for parent in folder.parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ReportError("a report cannot be written here", path=parent, advice="name another {report}")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ReportError(path=folder, expected="a folder for the report", found="a file", advice="name another")
    names = {path.name for path in folder.iterdir()}
    unknown = sorted(names - {PAGE, FIGURES, PICTURES})
    if names and not unknown and not is_made_by(GENERATOR, folder / PAGE):
        unknown = [PAGE]
    if unknown:
        raise ReportError(
            path=folder,
            expected="a new folder, an empty one, or an earlier report",
            found=display_name(unknown[0]),
            advice="name another folder or remove it",
        )


def _cannot_write(folder: Path, error: OSError) -> ReportError:
    return ReportError(f"the report cannot be written: {error.strerror}", path=folder, advice="name another {report}")
