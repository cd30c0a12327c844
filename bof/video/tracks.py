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

from bof.types import F32, F64, I64, U8, Bool, Features
from bof.video.continuity import match_both_ways

_LAGS = (1, 2)
"""A feature is looked for in so many samples after the one it was seen in: it may be missed once."""

_RATIO = 0.8
_LEAST_PRODUCT = np.float32(0.72 * 512 * 512)
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
            for lag in _LAGS:
                if i >= lag:
                    earlier, motion = i - lag, None
                    one, other, motion = link_features(samples[earlier], features)
                    _continue(track[earlier], one, found, other)
                    if lag == 1:
                        moved.append(motion)
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


def _continue(track: I64, one: I64, found: I64, other: I64) -> None:
    """Give features the tracks of those they are linked to, unless both go on elsewhere."""
    is_free = (found[other] < 0) & ~np.isin(track[one], found[found >= 0])
    found[other[is_free]] = track[one[is_free]]


def link_features(one: Features, other: Features) -> tuple[I64, I64, F64 | None]:
    """Rows i64 (m,) of features in two samples that are the same thing, and the common motion f64 (3, 3)."""
    none = np.empty(0, np.int64)
    if not len(one) or not len(other):
        return none, none, None
    products = one.descriptors.astype(np.float32) @ other.descriptors.astype(np.float32).T
    xy, other_xy = one.geometry.xy_px, other.geometry.xy_px
    long_side = one.geometry.long_side
    rows, columns = match_both_ways(products, _RATIO)
    is_near = np.abs(xy[rows] - other_xy[columns]).max(axis=1) < _FAR * long_side
    motion = _common_motion(xy[rows], other_xy[columns], _NEAR * long_side)
    if motion is not None:
        expected = cv2.perspectiveTransform(xy[:, None].astype(np.float64), motion)[:, 0].astype(np.float32)
        near_rows, near_columns = _nearest_in_place(products, expected, other_xy, _NEAR * long_side)
        others = is_near & ~np.isin(rows, near_rows) & ~np.isin(columns, near_columns)
        rows, columns = np.append(near_rows, rows[others]), np.append(near_columns, columns[others])
    else:
        rows, columns = rows[is_near], columns[is_near]
    is_like = (products[rows, columns] >= _LEAST_PRODUCT) & _are_alike(one, other, rows, columns, motion)
    return rows[is_like], columns[is_like], motion


def _are_alike(one: Features, other: Features, rows: I64, columns: I64, motion: F64 | None) -> Bool:
    """Which of two features each are as large and as much turned, but for the common motion: bool (m,)."""
    a, b, c, d = (1.0, 0.0, 0.0, 1.0) if motion is None else motion[:2, :2].ravel().tolist()
    turn, growth = np.degrees(np.arctan2(c - b, a + d)), max(abs(a * d - b * c), 1e-9) ** 0.5
    turned = other.geometry.angle_deg[columns] - one.geometry.angle_deg[rows] - turn
    grown = np.abs(np.log(other.geometry.scale_px[columns] / (one.geometry.scale_px[rows] * growth)))
    return np.asarray((np.abs((turned + 180) % 360 - 180) < _TURN_DEG) & (grown < np.log(_GROWTH)), np.bool_)


def _nearest_in_place(products: F32, expected: F32, xy: F32, near: float) -> tuple[I64, I64]:
    """Rows and columns that are each other's nearest among those whose places fit; products become -1 elsewhere."""
    away = np.abs(expected[:, None, 0] - xy[None, :, 0]) > near
    away |= np.abs(expected[:, None, 1] - xy[None, :, 1]) > near
    inside = np.where(away, np.float32(-1), products)
    nearest = inside.argmax(axis=1)
    rows = np.flatnonzero(inside.argmax(axis=0)[nearest] == np.arange(len(inside)))
    rows = rows[inside[rows, nearest[rows]] >= 0]
    return rows.astype(np.int64), nearest[rows].astype(np.int64)


def _common_motion(xy: F32, other_xy: F32, near: float) -> F64 | None:
    """The homography that most matches agree with, f64 (3, 3)."""
    if len(xy) < _MIN_MATCHES:
        return None
    cv2.setRNGSeed(0)
    motion, inliers = cv2.findHomography(xy, other_xy, cv2.RANSAC, near, maxIters=500)
    if motion is None or inliers.sum() < _MIN_MATCHES:
        return None
    return np.asarray(motion, np.float64)
