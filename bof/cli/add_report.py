"""What `python -m bof.index` says when it has looked into folders: in words, or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bof.engine import AddReport, Engine
from bof.errors import ImageError, display_name
from bof.images.listing import HIDDEN, LINKED_FOLDER
from bof.images.readers.others import advice_for
from bof.system.files import write_file
from bof.system.memory import peak_memory
from bof.system.units import counted, human_bytes

_NAMED = 20
_KINDS_NAMED = 8


def report_added(report: AddReport, engine: Engine, arguments: argparse.Namespace, nothing: str) -> None:
    """What was done, as the flags --json, --watch and --skipped say. Raises ImageError, nothing, for an empty index."""
    if arguments.json:
        print_json(report, engine, on_one_line=arguments.watch)
    else:
        print_report(report, engine)
    if arguments.skipped:
        write_skipped(arguments.skipped, report)
    if not engine.count():
        raise ImageError(nothing, path=engine.folder, advice="see what was skipped")


def print_report(report: AddReport, engine: Engine) -> None:
    """What was done goes to stdout; what was skipped or passed over, and why, to stderr."""
    _print_left_out(report)
    n_indexed = report.n_added + report.n_changed
    rate = n_indexed / max(report.seconds, 1e-9)
    changes = {
        "changed": report.n_changed, "of known content": report.n_reused, "moved": report.n_moved,
        "touched": report.n_touched, "removed": report.n_removed, "described again": report.n_backfilled,
    }  # fmt: skip
    others = [f"{n} {what}" for what, n in changes.items() if n]
    print(
        f"indexed {counted(report.n_added, 'new picture')} in {report.seconds:.1f} s ({rate:.1f} a second), "
        f"{', '.join([*others, f'{report.n_unchanged} unchanged'])}, {len(report.skipped)} skipped; "
        f"{report.n_features} features"
    )
    if report.n_gone:
        print(f"{counted(report.n_gone, 'picture')} of the index gone from the folders; --delete takes them out")
    n_images, n_bytes = engine.count(), engine.n_bytes()
    print(
        f"{display_name(engine.folder)}: {counted(n_images, 'picture')}, {human_bytes(n_bytes)}; "
        f"peak memory of a process {human_bytes(peak_memory())}"
    )


def as_json(report: AddReport, engine: Engine) -> dict[str, Any]:
    """The same for programs: names that are no UTF-8 as Python's os.fsdecode has them."""
    return {
        "index": str(engine.folder.absolute()),
        "added": report.n_added,
        "changed": report.n_changed,
        "of_known_content": report.n_reused,
        "moved": report.n_moved,
        "touched": report.n_touched,
        "removed": report.n_removed,
        "gone": report.n_gone,
        "unchanged": report.n_unchanged,
        "described_again": report.n_backfilled,
        "skipped": [{"path": one.path, "reason": one.reason} for one in report.skipped],
        "notes": [{"path": one.path, "note": one.reason} for one in report.notes],
        "passed_over": dict(report.passed_over),
        "passed_over_advice": {kind: advice for kind in report.passed_over if (advice := advice_for(kind))},
        "linked_folders": list(report.linked_folders),
        "features": report.n_features,
        "seconds": round(report.seconds, 3),
        "pictures": engine.count(),
        "bytes": engine.n_bytes(),
    }


def print_json(report: AddReport, engine: Engine, *, on_one_line: bool) -> None:
    """Print `as_json` on stdout."""
    print(json.dumps(as_json(report, engine), indent=None if on_one_line else 2))


def write_skipped(path: Path, report: AddReport) -> None:
    """Write what is not indexed, and why, a line each."""
    write_file(path, "".join(left_out_lines(report)).encode())


def _print_left_out(report: AddReport) -> None:
    for skipped in report.skipped[:_NAMED]:
        print(f"skipped {display_name(skipped.path)}: {skipped.reason}", file=sys.stderr)
    if len(report.skipped) > _NAMED:
        print(f"... and {len(report.skipped) - _NAMED} more (--skipped FILE writes them all)", file=sys.stderr)
    for noted in report.notes[:_NAMED]:
        print(f"note {display_name(noted.path)}: {noted.reason}", file=sys.stderr)
    if len(report.notes) > _NAMED:
        print(f"... and {len(report.notes) - _NAMED} more notes (--skipped FILE writes them all)", file=sys.stderr)
    if report.passed_over:
        print(f"passed over: {describe_passed_over(report.passed_over)}", file=sys.stderr)
    print_linked_folders(report.linked_folders)


def print_linked_folders(folders: Sequence[str]) -> None:
    """Name the links to folders that were not followed, on stderr."""
    for folder in folders[:_NAMED]:
        target = display_name(os.path.realpath(folder))
        print(f"not followed: {display_name(folder)} is a link to {target} (name it to index it too)", file=sys.stderr)
    if len(folders) > _NAMED:
        print(f"... and {counted(len(folders) - _NAMED, 'link')} more (--json lists them all)", file=sys.stderr)


def left_out_lines(report: AddReport) -> list[str]:
    """A line of text a file that is not in the index, or not as it should be: its path, a tab, why."""
    files = [*report.skipped, *report.notes, *report.passed_over_files]
    return [f"{display_name(one.path)}\t{display_name(one.reason)}\n" for one in files]


def describe_passed_over(counts: Mapping[str, int]) -> str:
    """Numbers by kind, and what to do; the rarest ones together: `812 .heic: pip install ...; 3 hidden; 40 others`.

    A kind that something can be done about is always named.
    """
    first = list(counts)[: _KINDS_NAMED if len(counts) > _KINDS_NAMED + 1 else None]
    named = [kind for kind in counts if kind in first or advice_for(kind)]
    n_others = sum(n for kind, n in counts.items() if kind not in named)
    words = [_describe_kind(kind, counts[kind]) for kind in named]
    return "; ".join([*words, *([f"{n_others} others"] if n_others else [])])


def _describe_kind(kind: str, n: int) -> str:
    return ": ".join(part for part in (f"{n} {_plural(kind, n)}", advice_for(kind)) if part)


def _plural(kind: str, n: int) -> str:
    shown = display_name(kind)
    if kind == HIDDEN or kind.startswith(".") or n == 1:
        return shown
    return "links to folders" if kind == LINKED_FOLDER else shown
