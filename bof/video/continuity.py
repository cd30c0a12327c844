"""Do two frames show the same place? Patches are found again near by, or features agree on a motion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from bof.features.native_sift import native_sift
from bof.features.sift import ROOT_NORM
from bof.types import F32
from bof.video.small_frames import SmallFrames

UNRELATED = 0.62
"""Correlation of patches below which frames have nothing in common.

Measured on composed films: true cuts have 0.55 at most, neighbours in shaken and fast shots 0.71 at least.
"""

_PATCH_WIDTH, _PATCH_HEIGHT = 16, 12
_REACH_X, _REACH_Y = 10, 6
_LEAST_DEVIATION, _MOST_DEVIATION = 1.0, 20.0
_CONTRAST, _MOST_FEATURES = 0.01, 300
_RATIO = 0.8
_MIN_INLIERS, _MIN_SHARE = 8, 0.15
_TOLERANCE_PX = 4.0
_LEAST_SPREAD = 0.2
"""What agrees lies over so much of the frame's height and width: a subtitle or a logo stands on through a cut."""


def patch_deviations(small: F32) -> F32:
    """Standard deviations of the patches of frames f32 (n, 36, 64): f32 (n, 3, 4)."""
    n, height, width = small.shape
    patches = small.reshape(n, height // _PATCH_HEIGHT, _PATCH_HEIGHT, width // _PATCH_WIDTH, _PATCH_WIDTH)
    return np.asarray(patches.std(axis=(2, 4)), np.float32)


def patch_correlation(one: F32, other: F32, deviations: Sequence[F32] | None = None) -> float:
    """How well patches of either small frame f32 (36, 64) are found in the other, at most 1; moves, zooms and lights of
    neighbouring frames change little in it. 1 where both show nothing, 0 where one does. deviations: of their patches.
    """
    of_one, of_other = deviations or patch_deviations(np.array([one, other]))
    found = [_found_again(one, other, of_one), _found_again(other, one, of_other)]
    known = [each for each in found if each is not None]
    if len(known) == 1:
        return 0.0
    return min(known, default=1.0)


def _found_again(source: F32, target: F32, deviations: F32) -> float | None:
    """Mean over the patches of one frame, by contrast, of the best correlation near by in another."""
    around = cv2.copyMakeBorder(target, _REACH_Y, _REACH_Y, _REACH_X, _REACH_X, cv2.BORDER_REPLICATE)
    total = weight = 0.0
    for row, column in zip(*np.nonzero(deviations > _LEAST_DEVIATION), strict=True):
        y, x = int(row) * _PATCH_HEIGHT, int(column) * _PATCH_WIDTH
        patch = source[y : y + _PATCH_HEIGHT, x : x + _PATCH_WIDTH]
        near = around[y : y + _PATCH_HEIGHT + 2 * _REACH_Y, x : x + _PATCH_WIDTH + 2 * _REACH_X]
        deviation = min(float(deviations[row, column]), _MOST_DEVIATION)
        total += deviation * min(1.0, float(cv2.matchTemplate(near, patch, cv2.TM_CCOEFF_NORMED).max()))
        weight += deviation
    return total / weight if weight else None


class Continuity:
    """Compares frames of one stretch; features of a frame are found once."""

    def __init__(self, frames: SmallFrames) -> None:
        self._frames = frames
        self._deviations = patch_deviations(frames.small)
        self._features = lru_cache(maxsize=None)(self._find_features)
        self.correlation = lru_cache(maxsize=None)(self._correlation)

    def holds(self, one: int, other: int) -> bool:
        """Do two frames show the same place?"""
        return self.correlation(one, other) >= UNRELATED or self._features_agree(one, other)

    def _correlation(self, one: int, other: int) -> float:
        deviations = self._deviations[one], self._deviations[other]
        return patch_correlation(self._frames.small[one], self._frames.small[other], deviations)

    def _find_features(self, frame: int) -> tuple[F32, F32]:
        points, descriptors = native_sift(self._frames.middle[frame], _CONTRAST, _MOST_FEATURES)
        return points[:, :2], descriptors.astype(np.float32)

    def _features_agree(self, one: int, other: int) -> bool:
        (xy, descriptors), (other_xy, other_descriptors) = self._features(one), self._features(other)
        if min(len(xy), len(other_xy)) < _MIN_INLIERS:
            return False
        matches = match_both_ways(descriptors @ other_descriptors.T, _RATIO)
        agreeing = find_inliers(xy[matches[0]], other_xy[matches[1]])
        if len(agreeing) < max(_MIN_INLIERS, _MIN_SHARE * min(len(xy), len(other_xy))):
            return False
        low, high = np.quantile(agreeing, (0.1, 0.9), axis=0)
        height, width = self._frames.middle[one].shape
        return bool(((high - low) >= _LEAST_SPREAD * np.array([width, height])).all())


def match_both_ways(products: F32, ratio: float) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]:
    """Rows and columns that are each other's nearest; products f32 (n, m): of RootSIFT vectors.

    ratio: the distance to the nearest is so much less than that to the second nearest (Lowe 2004).
    """
    nearest = products.argmax(axis=1)
    rows = np.flatnonzero(products.argmax(axis=0)[nearest] == np.arange(len(products)))
    columns = nearest[rows]
    best = products[rows, columns]
    if products.shape[1] > 1:
        others = products[rows]
        others[np.arange(len(rows)), columns] = -1
        second = others.max(axis=1)
        distance, second_distance = squared_distance(best), squared_distance(second)
        is_distinct = distance < ratio * ratio * second_distance
        rows, columns = rows[is_distinct], columns[is_distinct]
    return rows, columns


def squared_distance(products: F32) -> F32:
    """Between RootSIFT vectors in bytes, of length ROOT_NORM, with these products."""
    return np.asarray(np.maximum(2 * np.float32(ROOT_NORM**2) - 2 * products, 0), np.float32)


def find_inliers(xy: F32, other_xy: F32) -> F32:
    """The places f32 (m, 2) of those matches that agree with one similarity of the frame."""
    if len(xy) < _MIN_INLIERS:
        return xy[:0]
    cv2.setRNGSeed(0)
    _, inliers = cv2.estimateAffinePartial2D(xy, other_xy, ransacReprojThreshold=_TOLERANCE_PX)
    return xy[:0] if inliers is None else xy[inliers.ravel() > 0]
