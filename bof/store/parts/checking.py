"""Checking an index in parts: each part, and what lies beside the parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from bof.errors import IndexStoreError
from bof.store import catalog, counts_cache
from bof.store import check as check_module
from bof.store.array_archive import partial_name
from bof.store.catalog import ImageRecord
from bof.store.check import CheckReport
from bof.store.parts import redo
from bof.store.parts.layout import FOLDER, Layout
from bof.store.parts.plan_file import read_plan

HALF_WRITTEN = (f".{catalog.FILE_NAME}.partial", f".{redo.FILE_NAME}.partial", partial_name(counts_cache.FILE_NAME))
"""What a death leaves of small files that are written whole."""


def require_part(folder: Path, place: int, n_parts: int) -> None:
    """Raises IndexStoreError where a part is not there."""
    if not catalog.exists(folder):
        advice = (
            "restore its folder, or mount its disk; the other parts are as they were. Where it is lost for ever, "
            "{bof index} --repair --replace-parts puts an empty one in its place"
        )
        raise IndexStoreError(f"part {place} of {n_parts} is missing", path=folder, advice=advice)


def check(folder: Path, n_words: int, layout: Layout) -> CheckReport:
    """Read every byte. Raises IndexStoreError where a catalogue itself is damaged, or a part is missing."""
    places = [folder / FOLDER / name for name in layout.names]
    for number, place in enumerate(places, 1):
        require_part(place, number, len(places))
    records = [record for place in places for record in catalog.read_records(place)]
    reports = [check_module.check(place, n_words) for place in places]
    return together(
        [*reports, replace(check_beside(folder, layout, records), wrong_commit=_wrong_commit(folder, layout))]
    )


def _wrong_commit(folder: Path, layout: Layout) -> str:
    """Why a commit that was cut short cannot be read, "" where there is none such."""
    if not redo.is_pending(folder):
        return ""
    try:
        read_plan(folder, layout.names)
    except redo.DamagedCommitError as error:
        return str(error) if redo.is_pending(folder) else ""
    return ""


def check_beside(folder: Path, layout: Layout, records: Sequence[ImageRecord]) -> CheckReport:
    """What lies beside the parts: the catalogue, the vocabulary, stored pictures, judgments. records: of all parts."""
    found = check_module.check(folder, 1, records)
    return replace(found, strays=[*found.strays, *stray_parts(folder, layout)])


def stray_parts(folder: Path, layout: Layout) -> list[Path]:
    """What lies among the parts and is none: a crash left it, the next change sweeps it away."""
    try:
        names = sorted(os.listdir(folder / FOLDER))
    except FileNotFoundError:
        return []
    return [folder / FOLDER / name for name in names if name not in layout.names]


def together(reports: Sequence[CheckReport]) -> CheckReport:
    """What was found of all of them."""
    return CheckReport(
        sum(one.n_segments for one in reports),
        sum(one.n_images for one in reports),
        sum(one.n_bytes for one in reports),
        list(chain.from_iterable(one.damages for one in reports)),
        list(chain.from_iterable(one.strays for one in reports)),
        next((one.wrong_metadata for one in reports if one.wrong_metadata), ""),
        next((one.wrong_vocabulary for one in reports if one.wrong_vocabulary), ""),
        list(chain.from_iterable(one.wrong_pictures for one in reports)),
        next((one.wrong_judgments for one in reports if one.wrong_judgments), ""),
        next((one.wrong_commit for one in reports if one.wrong_commit), ""),
    )
