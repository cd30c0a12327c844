"""What `bof index --dry-run` says: what would be done, and what it would take."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.cli.add_report import describe_passed_over, print_linked_folders
from bof.engine import Engine
from bof.errors import display_name
from bof.images.listing import Skipped, list_everything
from bof.ingest.documents import Parts
from bof.ingest.extract import Extracted, ExtractSpec, extract_files
from bof.ingest.film_files import OpenedFilm
from bof.ingest.sync import Found, Plan, plan_sync
from bof.ingest.work import draw_files, estimate_work
from bof.options import IndexOptions
from bof.system.memory import WORKER_BYTES, WRITER_BYTES, limit_memory
from bof.system.units import counted, human_bytes
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

_NAMED = 20
_SAMPLE, _LEAST, _SECONDS = 256, 16, 5.0
"""Pictures that are read to judge by: as many as these seconds allow, but so many in any case."""

_BYTES_A_FEATURE = 25
_BYTES_AN_IMAGE = 1000
"""At most, on disk (docs/format.md)."""


def say_plan(engine: Engine, sources: Sequence[Path], options: IndexOptions, *, delete: bool) -> int:
    """Say what adding the sources would do, and what it would take, judged by a sample of the pictures to read."""
    plan = engine.plan(sources, delete=delete)
    _print_plan(plan)
    _print_estimate(plan.to_read, ExtractSpec(engine.vocabulary_folder, engine.features, options.max_pixels), options)
    return 0


def say_plan_without_index(
    sources: Sequence[Path], vocabulary: Path | None, feature_options: Mapping[str, float | str], options: IndexOptions
) -> int:
    """The same where there is no index yet; none is made."""
    place = Path(os.path.abspath(vocabulary or default_vocabulary_path()))
    listing = list_everything(sources)
    plan = plan_sync(listing.names, [], sources, delete=False)
    print(f"a new index with {counted(len(plan.new), 'new picture')}{_of_known_content(plan)}")
    _print_left_out(listing.count_passed_over(), listing.linked_folders())
    features = load_vocabulary(place).new_index_features.replaced(**feature_options)
    _print_estimate(plan.to_read, ExtractSpec(place, features, options.max_pixels), options)
    return 0


def _print_plan(plan: Plan) -> None:
    leaving = "to remove" if plan.delete else "gone, to be removed with --delete"
    lines = [
        (counted(len(plan.new), "new picture"), [name for _, name in plan.new]),
        (counted(len(plan.changed), "changed picture"), [name for _, name in plan.changed]),
        (counted(len(plan.moves), "known picture") + " under another name", [move.name for move in plan.moves]),
        (counted(len(plan.touched), "touched picture") + ", the same but for its time", [m.name for m in plan.touched]),
        (f"{counted(len(plan.gone), 'picture')} {leaving}", [entry.name for entry in plan.gone]),
    ]
    for line, names in lines:
        print(line)
        for name in names[:_NAMED]:
            print(f"  {display_name(name)}")
        if len(names) > _NAMED:
            print(f"  ... and {len(names) - _NAMED} more")
    print(f"{counted(plan.n_unchanged, 'unchanged picture')}{_of_known_content(plan)}")
    _print_left_out(plan.passed_over, plan.linked_folders)


def _of_known_content(plan: Plan) -> str:
    n_known = len(plan.known_contents)
    return f"; {n_known} of those to index have known content and are not read again" if n_known else ""


def _print_left_out(passed_over: Mapping[str, int], linked_folders: Sequence[str]) -> None:
    if passed_over:
        print(f"passed over: {describe_passed_over(passed_over)}", file=sys.stderr)
    print_linked_folders(linked_folders)


def _print_estimate(files: Sequence[Found], spec: ExtractSpec, options: IndexOptions) -> None:
    if not files:
        return
    sample = _Sample.of(files, spec, options)
    if sample.n_with_parts:
        print(
            f"{sample.n_with_parts} of {counted(sample.n + sample.n_with_parts, 'file')} that were looked into "
            f"{'holds' if sample.n_with_parts == 1 else 'hold'} several pictures, {sample.n_parts} in all: "
            f"they come on top of what follows"
        )
    if sample.n_films:
        print(
            f"{counted(sample.n_films, 'film')} of {sample.film_seconds:.0f} s in all among what was looked into: "
            f"on top of what follows"
        )
    if not sample.n:
        return
    memory_limit = limit_memory(options.memory, options.n_workers, spec.features)
    n_bytes = (
        len(files)
        / (sample.n + sample.n_with_parts + sample.n_films)
        * (sample.n_read * _BYTES_AN_IMAGE + sample.n_features * _BYTES_A_FEATURE)
    )
    least = WRITER_BYTES + memory_limit.n_workers * 2 * WORKER_BYTES
    print(
        f"about {sample.seconds:.0f} s with {memory_limit.n_workers} processes, {human_bytes(n_bytes)} of disk, "
        f"{human_bytes(least)} of memory or more "
        f"(judged by {counted(sample.n, 'picture')}, {sample.n - sample.n_read} unreadable)"
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """Pictures that were read to judge by: how many, how many could be read, their features; seconds for all files.

    n_with_parts: files that were opened and hold several, which are not among these; n_parts: how many they hold;
    n_films and film_seconds: films that were opened.
    """

    n: int
    n_read: int
    n_features: int
    seconds: float
    n_with_parts: int = 0
    n_parts: int = 0
    n_films: int = 0
    film_seconds: float = 0.0

    @classmethod
    def of(cls, files: Sequence[Found], spec: ExtractSpec, options: IndexOptions) -> _Sample:
        """Time goes by the sizes of the pictures. It is taken once every process has read some: they start before."""
        work = estimate_work(files, spec, options)
        found: list[Extracted | Parts | OpenedFilm | Skipped] = []
        ends = [time.perf_counter()]
        for item in extract_files(draw_files(files, _SAMPLE), spec, options):
            found.append(item)
            ends.append(time.perf_counter())
            if len(found) >= _LEAST + _starting(options) and ends[-1] - ends[_starting(options)] > _SECONDS:
                break
        first = _starting(options) if len(found) >= _LEAST + _starting(options) else 0
        timed = sum(work[_path(item)] for item in found[first:])
        sizes = [len(item[1]) for item in found if isinstance(item, tuple)]
        parts = [len(item.parts) for item in found if isinstance(item, Parts)]
        films = [float(item.facts.duration) for item in found if isinstance(item, OpenedFilm)]
        n = len(found) - len(parts) - len(films)
        seconds = (ends[-1] - ends[first]) * sum(work.values()) / timed
        return cls(n, len(sizes), sum(sizes), seconds, len(parts), sum(parts), len(films), sum(films))


def _starting(options: IndexOptions) -> int:
    """How many pictures are read before every process is at work."""
    return 4 * options.n_workers


def _path(item: Extracted | Parts | OpenedFilm | Skipped) -> str:
    return item[0].path if isinstance(item, tuple) else item.path
