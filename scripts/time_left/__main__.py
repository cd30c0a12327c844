"""The command `python -m scripts.time_left PHOTOS`: the time left that would be said, over the time it took."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bof.cli.progress import TimeLeft
from bof.images.listing import list_files
from bof.ingest.extract import ExtractSpec, be_one_of_many, extract_file
from bof.ingest.sync import Found
from bof.ingest.work import draw_files, estimate_work
from bof.options import MAX_PIXELS, IndexOptions
from bof.types import F64
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary
from scripts.common.tables import table

QUARTERS = (0.25, 0.5, 0.75)
DRAWS, DRAWN = 100, (16, 64)


def replay(seconds: F64, work: F64) -> list[float]:
    """The time left that is said over the true one, when each of QUARTERS of the time is over.

    seconds, work f64 (n,): of each picture, in the order in which they are read.
    """
    now = 0.0
    left = TimeLeft(lambda: now)
    ends, shares = np.cumsum(seconds), np.cumsum(work) / work.sum()
    ratios = {}
    for end, share in zip(ends.tolist(), shares.tolist(), strict=True):
        now = end
        told_s = left.seconds(share)
        for quarter in QUARTERS:
            if quarter not in ratios and told_s is not None and end >= quarter * ends[-1]:
                ratios[quarter] = told_s / max(float(ends[-1]) - end, 1e-9)
    return [ratios.get(quarter, float("nan")) for quarter in QUARTERS]


def draws(seconds: F64, work: F64, n: int) -> tuple[float, float]:
    """The 5th and the 95th percentile of the time of all that n pictures promise, over the true one."""
    chosen = [np.random.default_rng(seed).permutation(len(work))[:n] for seed in range(DRAWS)]
    promised = [seconds[some].sum() / work[some].sum() * work.sum() / seconds.sum() for some in chosen]
    low, high = np.percentile(promised, [5, 95]).tolist()
    return low, high


def measure(files: Sequence[Found], spec: ExtractSpec) -> tuple[F64, F64]:
    """Processor seconds f64 (n,) and estimated work f64 (n,) of each picture."""
    be_one_of_many()
    estimated = estimate_work(files, spec, IndexOptions(workers=1))
    vocabulary = load_vocabulary(spec.vocabulary_folder)
    extract_file(files[0], vocabulary, spec, MAX_PIXELS)
    seconds = []
    for file in files:
        start = time.process_time()
        extract_file(file, vocabulary, spec, MAX_PIXELS)
        seconds.append(time.process_time() - start)
    return np.array(seconds), np.array([estimated[path] for path, _ in files])


def report(seconds: F64, work: F64) -> Iterator[str]:
    """The lines that are printed."""
    orders = {"by name": np.arange(len(work)), "at random": np.random.default_rng(0).permutation(len(work))}
    ways = {"sizes": work, "number": np.ones(len(work))}
    head = ["pictures in order", "judged by", *(f"{quarter:.0%}" for quarter in QUARTERS)]
    rows = [
        [order, way, *(f"{ratio:.2f}" for ratio in replay(seconds[chosen], of[chosen]))]
        for order, chosen in orders.items()
        for way, of in ways.items()
    ]
    yield from table(head, rows)
    yield ""
    head = ["dry run judged by", *(f"{n} pictures" for n in DRAWN)]
    yield from table(
        head, [[way, *("{:.2f} to {:.2f}".format(*draws(seconds, of, n)) for n in DRAWN)] for way, of in ways.items()]
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m scripts.time_left", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--pictures", type=int, default=150, help="at most this many, drawn from all over the folder")
    arguments = parser.parse_args(argv)
    files = sorted(draw_files(list(list_files([arguments.photos]).items()), arguments.pictures))
    place = default_vocabulary_path()
    spec = ExtractSpec(place, load_vocabulary(place).new_index_features, MAX_PIXELS)
    seconds, work = measure(files, spec)
    print(f"{len(files)} pictures, {seconds.sum():.1f} s of one core; said over true:\n")
    print("\n".join(report(seconds, work)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
