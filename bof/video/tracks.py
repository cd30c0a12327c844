"""Features of the sampled frames of a shot, followed from each sample to the next ones.

A region that is not seen again in neighbouring frames is unstable and is rejected (Sivic and Zisserman 2003, section
3); of the others the mean descriptor is less noisy than any of its own. Features are linked by descriptor and place:
under the common motion of the frame, and, of things that move by themselves, by descriptors that nothing else has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree

from bof.features.sift import ROOT_NORM
from bof.types import F32, F64, I64, U8, Bool, Features
from bof.video.continuity import match_both_ways

_STRONGEST = 400
"""So many features of a sample tell how the frame has moved."""

_IN_PLACE = 8
"""So many features nearest to where one is expected may be it."""

_RATIO = 0.8
_LEAST_PRODUCT = np.float32(0.72 * ROOT_NORM**2)
"""Of the descriptors of one thing in two samples (1 - half the squared distance of unit vectors)."""

_NEAR, _FAR = 0.012, 0.15
"""Under the common motion a feature is found so near to where it is expected, and others move at most so far, as
fractions of the long side.
"""

_TURN_DEG, _GROWTH = 30.0, 1.4
"""Against the common motion a feature turns and grows by less from one sample to the next."""

_MIN_MATCHES = 8


@dataclass(frozen=True, slots=True)
class Tracks:
    """What the features of n samples are seen of.

    track: of each sample the track of each of its features, i64 (n features,); length i64 (n tracks,): in how many
    samples each was seen; moved: of each sample but the last the common motion to the next, f64 (3, 3), None: unknown.
    """

    samples: Sequence[Features]
    track: Sequence[I64]
    length: I64
    moved: Sequence[F64 | None]

    @classmethod
    def of(cls, samples: Sequence[Features]) -> Tracks:
        """Of the features of the samples of one shot, in order of time."""
        track: list[I64] = []
        moved: list[F64 | None] = []
        n = 0
        for i, features in enumerate(samples):
            found = np.full(len(features), -1, np.int64)
            if i:
                one, other, motion = link_features(samples[i - 1], features)
                found[other] = track[i - 1][one]
                moved.append(motion)
            if i > 1:
                _continue_missed(samples, track, moved, found)
            new = found < 0
            found[new] = n + np.arange(np.count_nonzero(new))
            n += int(np.count_nonzero(new))
            track.append(found)
        length = np.bincount(np.concatenate(track), minlength=n) if track else np.empty(0, np.int64)
        return cls(samples, track, length, moved)

    def visible(self) -> Bool:
        """Which tracks each sample has: bool (n samples, n tracks)."""
        seen = np.zeros((len(self.samples), len(self.length)), np.bool_)
        for row, track in zip(seen, self.track, strict=True):
            row[track] = True
        return seen

    def mean_descriptors(self) -> U8:
        """The mean descriptor of every track, as long as those of pictures: u8 (n tracks, 128)."""
        total = np.zeros((len(self.length), 128), np.float64)
        for features, track in zip(self.samples, self.track, strict=True):
            total[track] += features.descriptors
        total *= 512.0 / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
        return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _continue_missed(
    samples: Sequence[Features], track: Sequence[I64], moved: Sequence[F64 | None], found: I64
) -> None:
    """Go on with tracks of two samples ago that the last sample misses, where both motions since are known."""
    i = len(track)
    before, last = moved[i - 2 :]
    rows = np.flatnonzero(~np.isin(track[i - 2], track[i - 1]))
    columns = np.flatnonzero(found < 0)
    if before is None or last is None or not len(rows) or not len(columns):
        return
    one, other = samples[i - 2].take(rows), samples[i].take(columns)
    linked, linked_to = _link_in_place(one, other, last @ before)
    found[columns[linked_to]] = track[i - 2][rows[linked]]


def link_features(one: Features, other: Features) -> tuple[I64, I64, F64 | None]:
    """Rows i64 (m,) of features in two samples that are the same thing, and the common motion f64 (3, 3).

    The strongest features say how the frame has moved; under that each is looked for at its place; what is left moves
    by itself, if nothing else is like it.
    """
    rows, columns = _link_distinct(one.take(_strongest(_STRONGEST, one)), other.take(_strongest(_STRONGEST, other)))
    motion = _common_motion(one.geometry.xy_px[rows], other.geometry.xy_px[columns], _NEAR * one.geometry.long_side)
    if motion is None:
        return (*_link_distinct(one, other), None)
    rows, columns = _link_in_place(one, other, motion)
    left, left_of_other = (
        np.setdiff1d(np.arange(len(each)), linked) for each, linked in ((one, rows), (other, columns))
    )
    moving, moving_to = _link_distinct(one.take(left), other.take(left_of_other))
    return np.append(rows, left[moving]), np.append(columns, left_of_other[moving_to]), motion


def _strongest(most: int, features: Features) -> I64:
    """The rows of the strongest features."""
    return np.arange(min(most, len(features)))


def _link_distinct(one: Features, other: Features) -> tuple[I64, I64]:
    """Features that are each other's nearest, and more so than any other, and not far away."""
    if not len(one) or not len(other):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    products = one.descriptors.astype(np.float32) @ other.descriptors.astype(np.float32).T
    rows, columns = match_both_ways(products, _RATIO)
    away = np.abs(one.geometry.xy_px[rows] - other.geometry.xy_px[columns]).max(axis=1)
    fits = (away < _FAR * one.geometry.long_side) & (products[rows, columns] >= _LEAST_PRODUCT)
    fits &= _are_alike(one, other, rows, columns, None)
    return rows[fits], columns[fits]


def _link_in_place(one: Features, other: Features, motion: F64) -> tuple[I64, I64]:
    """Features that are each other's nearest among those that lie where the common motion brings them."""
    near = _NEAR * one.geometry.long_side
    expected = cv2.perspectiveTransform(one.geometry.xy_px[:, None].astype(np.float64), motion)[:, 0]
    _, candidates = cKDTree(other.geometry.xy_px).query(expected, _IN_PLACE, distance_upper_bound=near)
    rows, k = np.nonzero(candidates < len(other))
    columns = candidates[rows, k].astype(np.int64)
    fits = _are_alike(one, other, rows, columns, motion)
    rows, columns = rows[fits], columns[fits]
    descriptors = one.descriptors.astype(np.float32), other.descriptors.astype(np.float32)
    products = np.einsum("ij,ij->i", descriptors[0][rows], descriptors[1][columns])
    order = np.lexsort((columns, rows, -products))
    rows, columns, products = rows[order], columns[order], products[order]
    is_best = np.zeros((2, len(rows)), np.bool_)
    for each, ends in zip(is_best, (rows, columns), strict=True):
        each[np.unique(ends, return_index=True)[1]] = True
    chosen = is_best.all(axis=0) & (products >= _LEAST_PRODUCT)
    return rows[chosen], columns[chosen]


def _are_alike(one: Features, other: Features, rows: I64, columns: I64, motion: F64 | None) -> Bool:
    """Which of two features each are as large and as much turned, but for the common motion: bool (m,)."""
    a, b, c, d = (1.0, 0.0, 0.0, 1.0) if motion is None else motion[:2, :2].ravel().tolist()
    turn, growth = np.degrees(np.arctan2(c - b, a + d)), max(abs(a * d - b * c), 1e-9) ** 0.5
    turned = other.geometry.angle_deg[columns] - one.geometry.angle_deg[rows] - turn
    grown = np.abs(np.log(other.geometry.scale_px[columns] / (one.geometry.scale_px[rows] * growth)))
    return np.asarray((np.abs((turned + 180) % 360 - 180) < _TURN_DEG) & (grown < np.log(_GROWTH)), np.bool_)


def _common_motion(xy: F32, other_xy: F32, near: float) -> F64 | None:
    """The homography that most matches agree with, f64 (3, 3)."""
    if len(xy) < _MIN_MATCHES:
        return None
    cv2.setRNGSeed(0)
    motion, inliers = cv2.findHomography(xy, other_xy, cv2.RANSAC, near, maxIters=500)
    if motion is None or inliers.sum() < _MIN_MATCHES:
        return None
    return np.asarray(motion, np.float64)
