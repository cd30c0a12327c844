"""What tests share besides fixtures: pictures made by program, rows of a catalogue, votes as a table, places."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bof.retrieval.votes import Votes
from bof.store.catalog import CatalogueColumns
from bof.store.catalog.catalogue_columns import gather_rows

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BOF_SHARED_DATA", ROOT.parent / "shared" / "data"))

N_SCENES = 12
N_WORDS = 200


def draw_scene(seed: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A picture u8 (h, w, 3) full of shapes, its own for every seed: plenty of SIFT features."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(60, 200, 3), np.uint8)
    for _ in range(120):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = int(rng.integers(4, 34))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), size // 2, colour, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(((x, y), (size, int(rng.integers(4, 34))), float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(picture, box.astype(np.int32), colour, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.uint8)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Encode by suffix and write, whatever the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


def warp(pixels: NDArray[np.uint8], target_from_source: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The picture seen through a transform, in a frame of its own size."""
    height, width = pixels.shape[:2]
    return cv2.warpPerspective(pixels, target_from_source, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
        np.uint8
    )


def rows_of(names: Iterable[str]) -> CatalogueColumns:
    """Images of these names, in one segment."""
    return gather_rows([[(name.encode(), b"", 320, 240, 1, i, 0, i + 1) for i, name in enumerate(names)]])


def votes_table(
    votes: Votes, *, divided: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Every vote: query feature, image of the collection, its feature, weight; divided: by the root of their number."""
    k, rows = votes.word.shape[1], [np.empty((3, 0), np.int64)]
    weights = [np.empty(0)]
    for part, hits in votes.pieces:
        slot = hits.queried.start * k + np.repeat(np.arange(len(hits.queried) * k), np.diff(hits.ends, prepend=0))
        rows.append(np.array([slot // k, hits.image + np.int64(part.first_image), hits.feature], np.int64))
        weights.append(votes.weight_of_distance[hits.distance] * votes.weight_of_word[votes.word.ravel()[slot]])
    (query, image, feature), weight = np.concatenate(rows, axis=1), np.concatenate(weights)
    _, group, count = np.unique(query * (1 << 32) + image, return_inverse=True, return_counts=True)
    return query, image, feature, weight * (1 / np.sqrt(count[group])) if divided else weight


BEST_VARIANT = 2
