"""What a film costs: megabytes of index an hour, speed against real time on two cores, and where the time goes:

    python -m scripts.shots.indexing FILM...

Two processes with one thread each work on every other chunk. Their processor time is counted, since it says the same on
a busy machine: speed is what two free cores would reach. Decoding is measured before and after, in turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import cv2

from bof.features.sift import extract_features
from bof.images.films.film import Film
from bof.options import FeatureOptions, VideoOptions
from bof.system.threads import set_threads
from bof.video import sampling
from bof.video.chunks import chunks_of
from bof.video.extraction import extract_shots
from scripts.common.sums import sum_fields
from scripts.common.timing import one_blas_thread

BYTES_OF_FEATURE, BYTES_OF_KEYFRAME = 24, 600
"""Of an index, about: a posting with its place; a row of the catalogue, and what a picture has besides."""


@dataclass
class Cost:
    """Seconds of processor time of a part of a film, and what it gave."""

    decoding: float = 0.0
    features: float = 0.0
    total: float = 0.0
    n_shots: int = 0
    n_keyframes: int = 0
    n_features: int = 0


def decode_barely(path: Path) -> float:
    """Seconds of processor time to decode a film with PyAV and do nothing with it."""
    begun = time.process_time()
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for _ in film.decode(stream):
            pass
    return time.process_time() - begun


@contextmanager
def _counted(cost: Cost) -> Iterator[None]:
    """Count the time that features take."""

    def counted(*arguments: Any) -> Any:
        begun = time.process_time()
        found = extract_features(*arguments)
        cost.features += time.process_time() - begun
        return found

    with patch.object(sampling, "extract_features", counted):
        yield


def work_on(path: Path, share: int, of: int) -> Cost:
    """Extract some chunks of a film."""
    set_threads(1)
    cv2.setNumThreads(1)
    cost = Cost()
    with Film(str(path)) as film, _counted(cost), one_blas_thread():
        for chunk in chunks_of(film.facts.duration)[share::of]:
            begun = time.process_time()
            for shot in extract_shots(film, chunk.start, chunk.stop, VideoOptions(), FeatureOptions()):
                cost.n_shots += 1
                cost.n_keyframes += len(shot.keyframes)
                cost.n_features += sum(len(each.features) for each in shot.keyframes)
            cost.total += time.process_time() - begun
    return cost


def measure(path: Path, processes: int = 2) -> None:
    """Print what one film costs."""
    with Film(str(path)) as film:
        facts = film.facts
    seconds = float(facts.duration)
    with ProcessPoolExecutor(processes) as pool:
        before = pool.submit(decode_barely, path).result()
        begun = time.perf_counter()
        parts = list(pool.map(work_on, [path] * processes, range(processes), [processes] * processes))
        wall = time.perf_counter() - begun
        after = pool.submit(decode_barely, path).result()
    cost = sum_fields(parts)
    decoding = (before + after) / 2
    beyond = cost.total - decoding - cost.features
    size = (cost.n_features * BYTES_OF_FEATURE + cost.n_keyframes * BYTES_OF_KEYFRAME) / seconds * 3600 / 1e6
    print(f"{path.name}: {facts.width} x {facts.height}, {seconds:.0f} s, {facts.codec}")
    shots, keyframes = (n / seconds * 3600 for n in (cost.n_shots, cost.n_keyframes))
    print(f"  an hour: {shots:.0f} shots, {keyframes:.0f} keyframes, {size:.1f} MB")
    shares = {"decoding": decoding, "features": cost.features, "beyond": beyond}
    costs = ", ".join(f"{name} {1e3 * value / seconds:.0f}" for name, value in shares.items())
    print(f"  ms a second of film: {costs}: {beyond / cost.total:.0%} is beyond decoding and features")
    speed, now = processes * seconds / cost.total, seconds / wall
    print(f"  {speed:.1f} times real time on {processes} free cores ({now:.1f} now), ", end="")
    print(f"{cost.total / decoding:.1f} times bare decoding")


def main() -> None:
    """Print what each film costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=Path, nargs="+")
    for path in parser.parse_args().films:
        measure(path)


if __name__ == "__main__":
    main()
