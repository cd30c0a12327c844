"""What `bof index --dry-run` says: what would be done, and what it would take."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bof.engine import Engine
from bof.errors import display_name
from bof.images.listing import Skipped, list_files
from bof.ingest.extract import ExtractSpec, extract_files
from bof.ingest.sync import Found, Plan
from bof.options import FeatureOptions, IndexOptions
from bof.system.memory import WORKER_BYTES, WRITER_BYTES, limit_memory
from bof.system.units import counted, human_bytes
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

_NAMED = 20
_SAMPLE = 16
_BYTES_A_FEATURE = 28
_BYTES_AN_IMAGE = 1000
"""At most, on disk (docs/format.md)."""


def say_plan(engine: Engine, sources: Sequence[Path], options: IndexOptions, *, delete: bool) -> int:
    """Say what adding the sources would do, and what it would take, judged by a sample of the pictures to read."""
    plan = engine.plan(sources, delete=delete)
    _print_plan(plan)
    _print_estimate(plan.to_read, engine.vocabulary_folder, engine.features, options)
    return 0


def say_plan_without_index(
    sources: Sequence[Path], vocabulary: Path | None, feature_options: Mapping[str, float], options: IndexOptions
) -> int:
    """The same where there is no index yet; none is made."""
    place = Path(os.path.abspath(vocabulary or default_vocabulary_path()))
    files = list(list_files(sources).items())
    print(f"a new index with {counted(len(files), 'new picture')}")
    _print_estimate(files, place, load_vocabulary(place).features.replaced(**feature_options), options)
    return 0


def _print_plan(plan: Plan) -> None:
    leaving = "to remove" if plan.delete else "gone, to be removed with --delete"
    lines = [
        (counted(len(plan.new), "new picture"), [name for _, name in plan.new]),
        (counted(len(plan.changed), "changed picture"), [name for _, name in plan.changed]),
        (counted(len(plan.moves), "known picture") + " under another name or time", [move.name for move in plan.moves]),
        (f"{counted(len(plan.gone), 'picture')} {leaving}", [entry.name for entry in plan.gone]),
    ]
    for line, names in lines:
        print(line)
        for name in names[:_NAMED]:
            print(f"  {display_name(name)}")
        if len(names) > _NAMED:
            print(f"  ... and {len(names) - _NAMED} more")
    print(counted(plan.n_unchanged, "unchanged picture"))


def _print_estimate(files: Sequence[Found], vocabulary: Path, features: FeatureOptions, options: IndexOptions) -> None:
    if not files:
        return
    spec = ExtractSpec(vocabulary, features, options.max_pixels)
    sample = list(files[:: max(1, len(files) // _SAMPLE)])[:_SAMPLE]
    list(extract_files(sample[:1], spec, options))  # the processes start, and compile what they need
    start = time.perf_counter()
    extracted = list(extract_files(sample, spec, options))
    seconds = (time.perf_counter() - start) * len(files) / len(sample)
    sizes = [len(item[1]) for item in extracted if not isinstance(item, Skipped)]
    memory_limit = limit_memory(options.memory, options.n_workers, features)
    n_bytes = (
        len(files) * len(sizes) / len(sample) * _BYTES_AN_IMAGE
        + sum(sizes) / len(sample) * len(files) * _BYTES_A_FEATURE
    )
    least = WRITER_BYTES + memory_limit.n_workers * 2 * WORKER_BYTES
    print(
        f"about {seconds:.0f} s with {memory_limit.n_workers} processes, {human_bytes(n_bytes)} of disk, "
        f"{human_bytes(least)} of memory or more "
        f"(judged by {counted(len(sample), 'picture')}, {len(sample) - len(sizes)} unreadable)"
    )
