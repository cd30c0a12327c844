"""From a file's bytes to features, stage by stage: bof's own SIFT, OpenCV's, and the least that the arithmetic takes.

python -m scripts.extraction.stages --data DIR (the folder that holds ukbench1000/ and dvd_covers/). CPU milliseconds a
picture on one thread, the least of some rounds, both extractors in turn, memory kept as a worker of bof keeps it. The
pyramid and its search are what remains with a contrast threshold that nothing reaches; what follows is the rest.

The arithmetic is counted, not measured. Blurs: a multiplication and an addition a weight and pixel, down the columns
and along the rows, for each level. The search: a subtraction for each of five differences, four comparisons to find
the highest and the lowest of three neighbours in each, and 30 for each of three layers. Descriptors: 60 operations for
each pixel of their windows, of which about half lie inside. Vectors of --lanes numbers of 16 bits (half as many of 32)
make one instruction a cycle at --ghz. Memory: the rows that do not stay in the cache, written once and read once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from bof import native
from bof.cli.command import run
from bof.features.native_sift import native_sift
from bof.features.sift import opencv_sift, own_sift
from bof.images.decode import decode, read_bytes
from bof.options import FeatureOptions
from bof.system.memory import keep_freed_memory
from bof.types import F32, U8
from bof.vocabulary.vocabulary import default_vocabulary
from scripts.common.arguments import make_parser, write_figures
from scripts.common.tables import table
from scripts.common.timing import least_cpu_ms
from scripts.extraction.parity import sets_of

RADII = (5, 5, 6, 8, 10, 13)
"""Of the kernels of an octave's six levels; the first level of the others is a sample of the octave before."""

SEARCH = 5 * (1 + 4) + 3 * 30
"""Operations a pixel."""

WINDOW = 2 * 3.0 * 2.5 * np.sqrt(2.0)
"""Sides of a descriptor's window, in sigmas."""

FINEST = 1.6 * 2 ** (1 / 6)
"""Sigma of an octave's smallest key points, in its pixels."""

SAMPLE = 60
"""Operations a pixel of a window."""

SMALLEST = 11
"""Pixels of the smallest octave's side in which a key point may lie."""


def octaves(pixels: U8) -> list[int]:
    """Pixels of each octave; the first has twice the picture's width and height."""
    height, width = (2 * side for side in pixels.shape)
    found = []
    while min(width, height) >= SMALLEST:
        found.append(width * height)
        width, height = width // 2, height // 2
    return found


def n_blur(pixels: U8) -> int:
    """Products of all blurs."""
    taps = [2 * radius + 1 for radius in RADII]
    return sum(2 * n * sum(taps if number == 0 else taps[1:]) for number, n in enumerate(octaves(pixels)))


def n_describe(keypoints: F32) -> float:
    """Operations on the pixels of all descriptors' windows, in their own octaves."""
    octave = np.floor(np.log2(np.maximum(keypoints[:, 2] / FINEST, 1.0)))
    sigma = keypoints[:, 2] / 2.0**octave
    return float(SAMPLE * np.square(WINDOW * sigma).sum())


def floor_ms(pixels: U8, keypoints: F32, lanes: int, ghz: float) -> Mapping[str, float]:
    """Milliseconds that the arithmetic takes at least, by stage."""
    per_ms = 1e6 * ghz
    search = SEARCH * sum(octaves(pixels)) / lanes
    return {
        "pyramid and search": (n_blur(pixels) / lanes + search) / per_ms,
        "key points and descriptors": n_describe(keypoints) / (lanes / 2) / per_ms,
    }


def n_bytes(pixels: U8) -> tuple[int, int]:
    """Bytes of levels that leave the cache, bof's and OpenCV's: three levels of 16 bits, eleven planes of floats."""
    n = sum(octaves(pixels))
    return 3 * 2 * n, 11 * 4 * n


def measure(files: Sequence[bytes], options: FeatureOptions, rounds: int) -> dict[str, tuple[float, float]]:
    """By stage: milliseconds of bof, and of OpenCV, or 0 where the stage is the same."""
    pictures = [decode(file, grey=True, max_side=options.max_side).pixels for file in files]
    blind = cv2.SIFT.create(options.max_features, 3, 1e6, 10.0, 1.6, cv2.CV_8U, True)
    calls = [
        lambda pixels: native_sift(pixels, 1.0, options.max_features),
        lambda pixels: own_sift(pixels, options),
        lambda pixels: blind.detect(pixels, None),
        lambda pixels: opencv_sift(pixels, options),
    ]
    own_blind, own, their_blind, theirs = least_cpu_ms(calls, pictures, rounds)
    (decoding,) = least_cpu_ms([lambda f: decode(f, grey=True, max_side=options.max_side)], files, rounds)
    descriptors = [own_sift(pixels, options)[1] for pixels in pictures]
    (words,) = least_cpu_ms([default_vocabulary().quantize], descriptors, rounds)
    return {
        "decoding, shrinking": (decoding, 0.0),
        "pyramid and search": (own_blind, their_blind),
        "key points and descriptors": (own - own_blind, theirs - their_blind),
        "words and signatures": (words, 0.0),
    }


def rows_of(files: Sequence[bytes], arguments: argparse.Namespace) -> list[list[str]]:
    """A row a stage: milliseconds of bof, of OpenCV, their ratio, and the least that the arithmetic takes."""
    options = FeatureOptions()
    pictures = [decode(file, grey=True, max_side=options.max_side).pixels for file in files]
    floors = [floor_ms(p, own_sift(p, options)[0], arguments.lanes, arguments.ghz) for p in pictures]
    rows = []
    for stage, (ours, theirs) in measure(files, options, arguments.rounds).items():
        least = float(np.mean([floor.get(stage, 0.0) for floor in floors]))
        rows.append([stage, f"{ours:.1f}", *_beside(ours, theirs), f"{least:.1f}" if least else ""])
    room = np.mean([native.sift_room(p.shape[1], p.shape[0], 1) for p in pictures])
    ours, theirs = np.mean([n_bytes(p) for p in pictures], axis=0)
    rows.append(["MB of levels that leave the cache", f"{ours / 1e6:.0f}", *_beside(ours / 1e6, theirs / 1e6), ""])
    return [*rows, ["MB of memory of one extraction", f"{room / 1e6:.0f}", "", "", ""]]


def _beside(ours: float, theirs: float) -> list[str]:
    return [f"{theirs:.1f}", f"{ours / theirs:.2f}"] if theirs else ["", ""]


def main(argv: list[str] | None = None) -> int:
    """Print a table a set."""
    parser = make_parser(
        __doc__,
        "data json",
        sample=(8, "pictures of each set"),
        rounds=(3, "timings of each picture; the least counts"),
        lanes=(32, "numbers of 16 bits in a vector: AVX-512 32, AVX2 16, others 8"),
        ghz=(2.6, "the processor's clock"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    keep_freed_memory()
    figures = {}
    for name, paths in sets_of(arguments.data, arguments.sample).items():
        if name.startswith("affine"):
            continue
        head = [name, "bof, ms", "OpenCV", "ratio", "arithmetic at least"]
        figures[name] = rows_of([read_bytes(Path(path)) for path in paths], arguments)
        print("\n".join([*table(head, figures[name]), ""]), flush=True)
    write_figures(arguments.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
