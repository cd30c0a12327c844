"""A report that a person reads: one page with figures, queries as pictures, and every query's result in a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bof.errors import ReportError
from bof.evaluation.benchmarks import Benchmark
from bof.evaluation.report.cases import verified_wrong_cases, worst_cases
from bof.evaluation.report.figures import FOLDER as FIGURES
from bof.evaluation.report.figures import require_matplotlib, write_figures
from bof.evaluation.report.html import MARK
from bof.evaluation.report.page import Material, build_page
from bof.evaluation.report.pictures import FOLDER as PICTURES
from bof.evaluation.report.pictures import write_thumbnails
from bof.evaluation.run import Report
from bof.images.decode import display_name
from bof.system.files import write_folder

PAGE = "report.html"


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
            f"{benchmark.name}: expected the {len(report.queries)} queries of the report, found "
            f"{len(benchmark.queries)}; give the benchmark that was run"
        )
    try:
        write_folder(_no_link(folder), lambda fresh: _fill(fresh, report, whole, worst, benchmark))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder / PAGE


def _no_link(folder: Path) -> Path:
    """Where the folder lies. Raises ReportError for a link: nothing is written through one."""
    if folder.is_symlink():
        raise ReportError(
            path=display_name(folder), expected="a folder for the report", found="a link",
            advice="name another --report",
        )  # fmt: skip
    return folder.resolve()


def _fill(folder: Path, report: Report, whole: Mapping[str, Any], worst: int, benchmark: Benchmark | None) -> None:
    cases = worst_cases(report.queries, worst, benchmark)
    wrong = verified_wrong_cases(report.queries, worst, benchmark)
    thumbnails = write_thumbnails(folder, [shot for case in (*cases, *wrong) for shot in case.shots])
    material = Material(write_figures(folder, report), cases, wrong, thumbnails)
    (folder / PAGE).write_text(build_page(report, whole, material), encoding="utf-8")


def _require_place(folder: Path) -> None:
    """A folder of someone else's is never replaced, nor one of ours that more was put into."""
    _require_writable_parent(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ReportError(f"{display_name(folder)}: expected a folder for the report, found a file; name another")
    strangers = sorted({path.name for path in folder.iterdir()} - {PAGE, FIGURES, PICTURES})
    if not strangers and any(folder.iterdir()) and not _is_ours(folder / PAGE):
        strangers = [PAGE]
    if strangers:
        raise ReportError(
            f"{display_name(folder)}: expected a new folder, an empty one, or an earlier report, found "
            f"{display_name(strangers[0])}; name another folder or remove it"
        )


def _require_writable_parent(folder: Path) -> None:
    parent = next(parent for parent in folder.parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ReportError(f"{display_name(parent)}: a report cannot be written here; name another --report")


def _is_ours(page: Path) -> bool:
    return page.is_file() and MARK.encode() in page.read_bytes()[:1000]


def _cannot_write(folder: Path, error: OSError) -> ReportError:
    return ReportError(f"{display_name(folder)}: the report cannot be written: {error.strerror}; name another --report")
