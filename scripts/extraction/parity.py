"""How equal are bof's own SIFT and OpenCV's, and how long does each take: one row a set of pictures.

python -m scripts.extraction.parity --data DIR (the folder that holds ukbench1000/, dvd_covers/ and affine/). Of
OpenCV's features: how many have a twin within 0.1 pixels and 1 % of scale, and how many of them within 1 degree
besides; the Euclidean distance of twins' RootSIFT bytes, of length 512. Times are CPU time on one thread, the least of
some rounds, both extractors in turn on every picture, with memory kept as a worker of bof keeps it. On the affine set
also the repeatability of both under the known homographies: the share of the first picture's features, where both
pictures show the place, that the other picture has within 2 pixels and a factor of 1.2 of scale, and the share whose
nearest descriptor is such a feature.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from bof.cli.command import run
from bof.features.sift import opencv_sift, own_sift
from bof.images.decode import read_image
from bof.options import FeatureOptions
from bof.system.memory import keep_freed_memory
from bof.types import F32, F64, U8, Bool
from scripts.common.arguments import make_parser, write_figures
from scripts.common.tables import table

Extracted = tuple[F32, U8]  # key points x, y, size, angle; RootSIFT
EXTRACTORS = {"OpenCV": opencv_sift, "bof": own_sift}

TWIN_PX, TWIN_SCALE, TWIN_DEGREES = 0.1, 1.01, 1.0
SAME_PX, SAME_SCALE = 2.0, 1.2

PARITY_HEAD = [
    "pictures", "OpenCV ms", "bof ms", "time, median", "worst", "features", "bof's", "twins", "worst", "with direction",
    "distance, median", "95 %",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parity:
    """One picture: CPU seconds of each extractor, and what they have in common."""

    seconds: Mapping[str, float]
    n_features: Mapping[str, int]
    twins: float
    with_direction: float
    distances: F64


def sets_of(data: Path, n: int) -> dict[str, list[Path]]:
    """About n pictures of each set, spread evenly; all of the affine set."""
    found = {
        "UKBench, 320 x 240": sorted((data / "ukbench1000").glob("*.jpg")),
        "DVD covers": sorted((data / "dvd_covers").glob("[CDEP]*/*.jpg")),
    }
    chosen = {name: paths[:: max(1, len(paths) // n)][:n] for name, paths in found.items()}
    return {**chosen, "affine set": sorted((data / "affine").glob("*/img*.jpg"))}


def pixels_of(path: Path, options: FeatureOptions) -> U8:
    """Grey pixels, shrunk as the engine shrinks them."""
    return read_image(path, grey=True, max_side=options.max_side).pixels


def measure(pixels: U8, options: FeatureOptions, rounds: int) -> Parity:
    """Both extractors in turn, some rounds."""
    seconds, found = dict.fromkeys(EXTRACTORS, np.inf), {}
    for _, (name, extract) in product(range(rounds), EXTRACTORS.items()):
        start = time.thread_time()
        found[name] = extract(pixels, options)
        seconds[name] = min(seconds[name], time.thread_time() - start)
    near, twin = twins_of(found["OpenCV"], found["bof"])
    has_twin = twin >= 0
    pairs = [descriptors.astype(np.float64) for _, descriptors in found.values()]
    distances = np.linalg.norm(pairs[0][has_twin] - pairs[1][twin[has_twin]], axis=1)
    counts = {name: len(keypoints) for name, (keypoints, _) in found.items()}
    return Parity(seconds, counts, _mean(near), _mean(has_twin), distances)


def _mean(flags: Bool) -> float:
    return float(flags.mean()) if len(flags) else 1.0


def twins_of(ours: Extracted, theirs: Extracted) -> tuple[Bool, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Of each of our key points: has it one of theirs at its place and scale; and which one in its direction, or -1."""
    a, b = ours[0].astype(np.float64), theirs[0].astype(np.float64)
    if not len(a) or not len(b):
        return np.zeros(len(a), bool), np.full(len(a), -1)
    apart = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    is_near = (apart <= TWIN_PX) & (np.abs(np.log(a[:, None, 2] / b[None, :, 2])) <= np.log(TWIN_SCALE))
    turned = np.abs((a[:, None, 3] - b[None, :, 3] + 180) % 360 - 180)
    has_direction = is_near & (turned <= TWIN_DEGREES)
    nearest = np.where(has_direction, apart, np.inf).argmin(axis=1)
    return is_near.any(axis=1), np.where(has_direction.any(axis=1), nearest, -1)


def row_of(name: str, found: Sequence[Parity]) -> list[str]:
    """Medians over pictures, and the worst picture."""
    ratios = [parity.seconds["bof"] / parity.seconds["OpenCV"] for parity in found]
    milliseconds = [f"{np.median([1e3 * parity.seconds[who] for parity in found]):.1f}" for who in EXTRACTORS]
    counts = [f"{np.median([parity.n_features[who] for parity in found]):.0f}" for who in EXTRACTORS]
    near, directed = [p.twins for p in found], [p.with_direction for p in found]
    distances = np.concatenate([parity.distances for parity in found])
    return [
        f"{name} ({len(found)})", *milliseconds, f"{np.median(ratios):.3f}", f"{max(ratios):.3f}", *counts,
        f"{np.median(near):.4f}", f"{min(near):.4f}", f"{np.median(directed):.4f}",
        f"{np.median(distances):.1f}", f"{np.percentile(distances, 95):.1f}",
    ]  # fmt: skip


def repeatability(
    first: Extracted, other: Extracted, other_from_first: F64, size: tuple[int, int]
) -> tuple[float, float]:
    """The shares of the first picture's features that the other picture, of this width and height, has and matches."""
    (a, descriptors), (b, others) = first, other
    xy, scale = _moved(a.astype(np.float64), other_from_first)
    inside = ((xy >= 0) & (xy <= np.array(size) - 1)).all(axis=1)
    apart = np.hypot(xy[inside, None, 0] - b[None, :, 0], xy[inside, None, 1] - b[None, :, 1])
    is_same = (apart <= SAME_PX) & (np.abs(np.log(scale[inside, None] / b[None, :, 2])) <= np.log(SAME_SCALE))
    products = descriptors[inside].astype(np.float32) @ others.astype(np.float32).T
    nearest = (np.square(others.astype(np.float32)).sum(axis=1) - 2 * products).argmin(axis=1)
    return _mean(is_same.any(axis=1)), _mean(is_same[np.arange(len(nearest)), nearest])


def _moved(keypoints: F64, target_from_source: F64) -> tuple[F64, F64]:
    """Places and sizes after a homography, whose local scale is the root of its Jacobian's determinant."""
    homogeneous = np.column_stack([keypoints[:, :2], np.ones(len(keypoints))]) @ target_from_source.T
    depth = homogeneous[:, 2]
    scale = np.sqrt(np.abs(np.linalg.det(target_from_source) / depth**3))
    return homogeneous[:, :2] / depth[:, None], keypoints[:, 2] * scale


def repeatability_rows(data: Path, options: FeatureOptions) -> list[list[str]]:
    """Each scene of the affine set: means over its five pairs, for both extractors."""
    rows = []
    for folder in sorted(path for path in (data / "affine").iterdir() if path.is_dir()):
        shares: dict[str, list[tuple[float, float]]] = {name: [] for name in EXTRACTORS}
        pictures = [pixels_of(folder / f"img{i}.jpg", options) for i in range(1, 7)]
        for name, extract in EXTRACTORS.items():
            found = [extract(pixels, options) for pixels in pictures]
            for i in range(1, 6):
                homography = np.loadtxt(folder / f"H1to{i + 1}p")
                height, width = pictures[i].shape
                shares[name].append(repeatability(found[0], found[i], homography, (width, height)))
        means = [np.mean(shares[name], axis=0) for name in EXTRACTORS]
        rows.append([folder.name, *(f"{mean[k]:.4f}" for k in range(2) for mean in means)])
    averages = np.mean([[float(cell) for cell in row[1:]] for row in rows], axis=0)
    return [*rows, ["all", *(f"{mean:.4f}" for mean in averages)]]


def main(argv: list[str] | None = None) -> int:
    """Print both tables."""
    parser = make_parser(
        __doc__,
        "data json",
        sample=(12, "pictures of UKBench and of DVD covers"),
        rounds=(5, "timings of each picture; the least counts"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    keep_freed_memory()
    options = FeatureOptions()
    rows = []
    for name, paths in sets_of(arguments.data, arguments.sample).items():
        rows.append(row_of(name, [measure(pixels_of(path, options), options, arguments.rounds) for path in paths]))
    print("\n".join(table(PARITY_HEAD, rows)), flush=True)
    repeated = repeatability_rows(arguments.data, options)
    head = ["affine set", "repeated, OpenCV", "bof", "matched, OpenCV", "bof"]
    print("\n".join(["", *table(head, repeated)]))
    write_figures(arguments.json, {"parity": [PARITY_HEAD, *rows], "repeatability": [head, *repeated]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
