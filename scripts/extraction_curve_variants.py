"""What OpenCV's SIFT costs with knobs that are no options of bof, and on threads against processes: timed only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.images.decode import read_image
from bof.options import FeatureOptions
from bof.types import U8

Knobs = Mapping[str, Mapping[str, float]]
"""By row of the table: CPU milliseconds, or pictures a second, by set of pictures."""

AS_BOF = "as bof extracts"

_PARALLEL = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes, 1 thread each": (2, 1)}


def variants(options: FeatureOptions) -> dict[str, Callable[[U8], object]]:
    """By name: what to do with the pixels of a picture."""
    ours = _sift(options)
    bilinear = _sift(options, precise=False)
    floats = _sift(options, kind=cv2.CV_32F)
    return {
        AS_BOF: lambda pixels: ours.detectAndCompute(pixels, None),
        "plain doubling (enable_precise_upscale off)": lambda pixels: bilinear.detectAndCompute(pixels, None),
        "descriptors as 32-bit floats": lambda pixels: floats.detectAndCompute(pixels, None),
        "picture halved first, so that nothing is doubled": lambda pixels: ours.detectAndCompute(halved(pixels), None),
        "key points alone, no descriptors": lambda pixels: ours.detect(pixels, None),
    }


def _sift(options: FeatureOptions, *, kind: int = cv2.CV_8U, precise: bool = True) -> cv2.SIFT:
    return cv2.SIFT.create(options.max_features, 3, options.contrast_threshold, 10.0, 1.6, kind, precise)


def halved(pixels: U8) -> U8:
    """Half the width and height."""
    height, width = pixels.shape
    return np.asarray(cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def measure(sample: Mapping[str, Sequence[Path]], rounds: int) -> dict[str, dict[str, float]]:
    """SIFT alone with the defaults; pictures are read and shrunk before."""
    options = FeatureOptions()
    found: dict[str, dict[str, float]] = {}
    for set_name, paths in sample.items():
        pictures = [_pixels(path, options) for path in paths]
        for name, milliseconds in _milliseconds(variants(options), pictures, rounds).items():
            found.setdefault(name, {})[set_name] = milliseconds
        for name, (n_processes, n_threads) in _PARALLEL.items():
            rates = [rate(paths, n_processes, n_threads) for _ in range(rounds)]
            found.setdefault(name, {})[set_name] = max(rates)
    return found


def _pixels(path: Path, options: FeatureOptions) -> U8:
    return read_image(path, grey=True, max_side=options.max_side).pixels


def _milliseconds(doing: Mapping[str, Callable[[U8], object]], pictures: Sequence[U8], rounds: int) -> dict[str, float]:
    """Mean CPU milliseconds on one thread, of each picture the least; the variants take turns."""
    cv2.setNumThreads(1)
    seconds = np.zeros((rounds, len(doing), len(pictures)))
    for turn in range(rounds):
        for column, pixels in enumerate(pictures):
            for row, extract in enumerate(doing.values()):
                start = time.process_time()
                extract(pixels)
                seconds[turn, row, column] = time.process_time() - start
    return dict(zip(doing, (1e3 * seconds.min(axis=0).mean(axis=1)).tolist(), strict=True))


def rate(paths: Sequence[Path], n_processes: int, n_threads: int) -> float:
    """Pictures a second by the clock, SIFT alone, of all processes together."""
    shares = [paths[first::n_processes] for first in range(n_processes)]
    busy = Parallel(n_jobs=n_processes)(delayed(_share)(share, n_threads) for share in shares)
    return float(len(paths) / max(busy))


def _share(paths: Sequence[Path], n_threads: int) -> float:
    cv2.setNumThreads(n_threads)
    options = FeatureOptions()
    sift, pictures = _sift(options), [_pixels(path, options) for path in paths]
    start = time.perf_counter()
    for pixels in pictures:
        sift.detectAndCompute(pixels, None)
    return time.perf_counter() - start


def table(knobs: Knobs) -> list[str]:
    """Markdown: milliseconds beside what they are of bof's, then pictures a second."""
    names = list(next(iter(knobs.values())))
    lines = [
        "| OpenCV's SIFT alone, CPU ms a picture | " + " | ".join(names) + " |",
        "| --- |" + " ---: |" * len(names),
    ]
    for knob, values in knobs.items():
        if knob in _PARALLEL:
            cells = [f"{values[name]:.1f} pictures/s" for name in names]
        else:
            cells = [f"{values[name]:.1f} ({values[name] / knobs[AS_BOF][name]:.0%})" for name in names]
        lines.append(f"| {knob} | " + " | ".join(cells) + " |")
    return lines
