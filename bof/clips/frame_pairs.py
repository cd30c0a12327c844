"""Two frames that may show the same: which points agree, and the transform from one to the other."""

from __future__ import annotations

import dataclasses

import numpy as np

from bof.clips.strips import Strip
from bof.features.sift import ROOT_NORM, extract_features, mirror_features
from bof.geometry.hypotheses import MAX_PAIRS
from bof.geometry.verification import verify
from bof.images.decode import Picture
from bof.options import FeatureOptions, VerifyOptions
from bof.types import F64, Correspondences, Features, Verification

_RATIO = 0.85
"""The nearest descriptor must be so much nearer than the second one (Lowe 2004, section 7.1)."""

_TOLERANCE = 0.008
"""Aligned frames are one photograph: inliers lie nearer than those of two views of a thing."""


_N_FEATURES = 500


def frame_features(strip: Strip, row: int, options: FeatureOptions) -> Features:
    """The features of one frame of a strip, in pixels of the film."""
    picture = Picture(strip.pixels[row], strip.width, strip.height)
    return extract_features(picture, options.replaced(max_features=_N_FEATURES))


def match_frames(query: Features, film: Features, *, mirrored: bool) -> Verification:
    """How a frame of the query lies in a frame of a film; mirrored: its mirror image does."""
    found = mirror_features(query) if mirrored else query
    verified = verify(found.geometry, film.geometry, _nearest(found, film), VerifyOptions(tolerance=_TOLERANCE))
    if not mirrored or verified.database_from_query is None:
        return verified
    transform = verified.database_from_query @ flip(query.geometry.width)
    return dataclasses.replace(verified, database_from_query=transform / transform[2, 2])


def flip(width: int) -> F64:
    """From a frame to its mirror image, in pixels."""
    return np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def _nearest(query: Features, film: Features) -> Correspondences:
    """Each feature of the query with the nearest of the film's, where no other is as near; the surest first."""
    if len(query) == 0 or len(film) < 2:
        return Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    products = query.descriptors.astype(np.float32) @ film.descriptors.astype(np.float32).T
    squared = np.maximum(2 * ROOT_NORM**2 - 2 * products, 1.0)
    every = np.arange(len(squared))
    nearest = squared.argmin(axis=1)
    least = squared[every, nearest]
    squared[every, nearest] = np.inf
    ratio = np.sqrt(least / squared.min(axis=1))
    rows = np.flatnonzero(ratio < _RATIO)
    rows = rows[np.argsort(ratio[rows], kind="stable")][:MAX_PAIRS]
    weight = (1.0 - ratio[rows]).astype(np.float64)
    return Correspondences(rows.astype(np.int32), nearest[rows].astype(np.uint16), weight)
