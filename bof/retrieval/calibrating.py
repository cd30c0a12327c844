"""What inliers of learned features prove: measured on the pictures that their vocabulary learns from.

Each of some pictures is seen again: turned, slanted, cut, in another light. That view and its picture match. Its mirror
image and the other pictures do not, also where two of these show one thing: no similarity and no homography that does
not fold turns one into the mirror image of the other. A logistic regression tells the two kinds apart, as
scripts/calibration does for SIFT on photographs of the same things.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from bof.errors import ImageError
from bof.features.sift import extract_features
from bof.images.decode import Picture, decode, read_bytes
from bof.options import FeatureOptions, TrainOptions, VerifyOptions, VoteOptions
from bof.retrieval.evidence import Calibration, measures
from bof.retrieval.shortlist import VoteAndVerify
from bof.store.catalog.catalogue_columns import gather_rows
from bof.store.inverted_file import derive_weights
from bof.store.segments import columns_of, segment_in_memory
from bof.store.snapshot import Snapshot
from bof.system.stopwatch import Stopwatch
from bof.system.workers import run_in_workers
from bof.types import F64, U8, Bool, Features
from bof.vocabulary.vocabulary import Vocabulary

N_PICTURES = 240
"""So many are read, if there are as many."""

_LEAST_PAIRS = 20
"""Of either kind: of fewer nothing is learned."""

_DEPTH = 30
_INVERSE_PENALTY = 100.0

_MOST_TURN_DEG, _MOST_ZOOM, _MOST_SLANT = 25.0, 1.8, 0.18
_LEAST_CUT = 0.35
"""Views: turned by up to this, larger or smaller by up to this, corners moved by up to this share of the sides, and of
each side at least this share is left."""

_GAMMA, _BLUR_PX, _NOISE = 1.6, 1.5, 6.0


@dataclass(frozen=True, slots=True)
class Views:
    """The features of a picture, of a view of it, and of its mirror image."""

    picture: Features
    view: Features
    mirrored: Features


def calibrate(paths: Sequence[str], vocabulary: Vocabulary, options: TrainOptions) -> Calibration | None:
    """What inliers prove with this vocabulary, on an even share of the pictures; None where they are too few.

    The same pictures and seed give the same numbers with any number of workers.
    """
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(N_PICTURES, len(paths))).astype(int))]
    shared = vocabulary.features, options
    read = run_in_workers("bof.retrieval.calibrating:read_views", shared, list(enumerate(chosen)), options.n_workers)
    views = [found for found in read if isinstance(found, Views)]
    if len(views) < _LEAST_PAIRS:
        return None
    stages = VoteAndVerify(_collection(views, vocabulary), vocabulary, VoteOptions(), VerifyOptions(depth=_DEPTH))
    rows = [row for number, one in enumerate(views) for row in _rows(stages, number, one)]
    values, matches = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], np.bool_)
    if min(int(matches.sum()), int((~matches).sum())) < _LEAST_PAIRS:
        return None
    return fit_calibration(values, matches)


def fit_calibration(values: F64, matches: Bool) -> Calibration:
    """The logistic regression that explains best which pairs match. values f64 (n, 3): their `measures`."""
    fitted = LogisticRegression(C=_INVERSE_PENALTY, max_iter=5000).fit(values, matches)
    return Calibration(float(fitted.intercept_[0]), *fitted.coef_[0].tolist())


def _rows(stages: VoteAndVerify, number: int, views: Views) -> Iterator[tuple[tuple[float, float, float], bool]]:
    """The measures of each transform that was found, and whether it is right."""
    for features, matches in ((views.view, True), (views.mirrored, False)):
        voted = stages.votes(features, Stopwatch())
        found = stages.verified(features, voted, Stopwatch(), np.array([number]) if matches else None)
        for image, known in found.verifications.items():
            if known.database_from_query is not None and (image == number) == matches:
                yield measures(known, voted.word_weight), matches


def _collection(views: Sequence[Views], vocabulary: Vocabulary) -> Snapshot:
    """The pictures as a collection in memory."""
    segment = segment_in_memory([columns_of(one.picture, vocabulary) for one in views], vocabulary.n_words)
    weights = derive_weights([segment.postings], np.ones(len(views), np.bool_), vocabulary.n_words)
    names = [os.fsencode(f"{number:06d}") for number in range(len(views))]
    sizes = [(one.picture.geometry.width, one.picture.geometry.height) for one in views]
    rows = gather_rows(
        [[(name, name, *size, 1, i, 0, i + 1) for i, (name, size) in enumerate(zip(names, sizes, strict=True))]]
    )
    n_features = sum(len(one.picture) for one in views)
    return Snapshot(0, [""], [segment], rows, np.zeros(len(views), np.int32), weights, len(views), n_features)


def read_views(shared: tuple[FeatureOptions, TrainOptions], item: tuple[int, str]) -> Views | None:
    """One picture in its views, in a process of its own; None where it cannot be read."""
    cv2.setNumThreads(1)
    features, options = shared
    number, path = item
    try:
        data = read_bytes(Path(path))
        picture = decode(data, max_side=features.extent, max_pixels=options.max_pixels, grey=True, name=path)
    except ImageError:
        return None
    rng = np.random.default_rng((options.seed, number))
    pixels = picture.pixels
    seen = (pixels, _view(pixels, rng), np.ascontiguousarray(pixels[:, ::-1]))
    found = [extract_features(Picture(one, one.shape[1], one.shape[0]), features) for one in seen]
    return Views(*found)


def _view(pixels: U8, rng: np.random.Generator) -> U8:
    """A picture turned, slanted, cut and in another light, of a size of its own."""
    height, width = pixels.shape
    zoom = float(np.exp(rng.uniform(-1, 1) * np.log(_MOST_ZOOM)))
    share = rng.uniform(_LEAST_CUT, 1.0, 2)
    size = [max(48, round(side * part * zoom)) for side, part in zip((width, height), share, strict=True)]
    view_from_picture = _homography((width, height), size, share, rng)
    drawn = cv2.warpPerspective(pixels, view_from_picture, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    light = (np.asarray(drawn, np.float64) / 255) ** float(np.exp(rng.uniform(-1, 1) * np.log(_GAMMA)))
    blurred = cv2.GaussianBlur(light * 255, (0, 0), max(0.1, rng.uniform(0, _BLUR_PX)))
    return np.asarray(np.clip(blurred + rng.normal(0, rng.uniform(0, _NOISE), blurred.shape), 0, 255), np.uint8)


def _homography(of: tuple[int, int], size: Sequence[int], share: F64, rng: np.random.Generator) -> F64:
    """f64 (3, 3): a part of a picture, with its corners moved, becomes a view of this size."""
    sides = np.array(of, np.float64)
    part = sides * share
    corner = rng.uniform(0, 1, 2) * (sides - part)
    angle = np.deg2rad(rng.uniform(-1, 1) * _MOST_TURN_DEG)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    outline = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * part
    middle = part / 2
    moved = (outline - middle) @ turn.T + middle + corner + rng.uniform(-1, 1, (4, 2)) * _MOST_SLANT * part
    target = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * np.array(size)
    return np.asarray(cv2.getPerspectiveTransform(moved.astype(np.float32), target.astype(np.float32)), np.float64)
