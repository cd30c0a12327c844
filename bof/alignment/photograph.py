"""Are two pictures one photograph, copied? The geometry of their points and the likeness of their pixels say so.

A copy is cropped, turned, mirrored, stretched, recoloured, compressed or drawn over; another photograph of the same
thing is taken from elsewhere. The thresholds were set on scripts/duplicates and on photographs of DVD covers, and hold
with another --seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.likeness import Likeness
from bof.geometry import transforms
from bof.options import PixelLimit, long_side_of
from bof.types import F32, F64, Size

_EXACT, _EXACT_PX = 0.01, 3.0
"""An exact transform holds to this fraction of a picture's long side, and to so many pixels of the coarser picture.

Verification allows three per cent, for what stands out of a plane. A photograph of a photograph agrees to one, but not
to the pixel.
"""

_ROUNDS, _CONFIDENCE, _POLISH = 500, 0.999, 10
_SINGULAR = 1e-6

_SLANT, _SURE_SLANT = 0.03, 0.01
"""A copy is cropped, turned, mirrored and stretched, never slanted: another photograph is taken from elsewhere."""

_EXACT_SHARE, _SURE_EXACT_SHARE = 0.65, 0.75
"""Share of the inliers that must agree closely with one affine transform."""

_SURE_INLIERS = 40
"""From so many on the transform of a copy is known well, and the second of these numbers holds."""

_FEW_INLIERS, _FEW_AGREEMENT = 20, 0.6
"""With fewer points the pixels must agree on more: two CD cases on one table agreed on 8, in 0.56 of the cells."""

_COVERS = 0.6
"""One of two copies lies in the other, but for corners that were cut off: what shares less has a caption in common, or
a badge."""

_MIN_CELLS = 8


@dataclass(frozen=True, slots=True)
class ExactFit:
    """Of n_inliers points that agree, n_exact do closely with an affine transform f64 (3, 3); None where there is none.

    transform: from one picture to the other, in pixels of the originals.
    """

    transform: F64 | None
    n_exact: int
    n_inliers: int

    @property
    def may_be_copy(self) -> bool:
        """Is the geometry that of a copy? If not, the pixels need not be looked at."""
        if self.transform is None:
            return False
        is_sure = self.n_inliers >= _SURE_INLIERS
        share = _SURE_EXACT_SHARE if is_sure else _EXACT_SHARE
        return slant(self.transform) <= (_SURE_SLANT if is_sure else _SLANT) and self.n_exact >= self.n_inliers * share

    def proves_copy(self, alike: Likeness, least_agreement: float, *, may_be_pasted: bool = True) -> bool:
        """Is it one photograph, by the pixels that lie over each other under the transform too?

        may_be_pasted: also where another picture stands in it, as in forms of one frame.
        """
        found = alike.differences
        is_over = found.is_overlay if may_be_pasted else found.is_drawn_over
        least = _FEW_AGREEMENT if self.n_inliers < _FEW_INLIERS else 0.0
        return (
            (found.is_none or is_over)
            and alike.agreement >= max(least_agreement, least)
            and max(alike.covers) >= _COVERS
            and alike.n_cells >= _MIN_CELLS
            and self.may_be_copy
        )


def fit_copy(
    source: F32, target: F32, target_from_source: F64, sizes: tuple[Size, Size], limit: PixelLimit
) -> ExactFit:
    """How exactly points f32 (n, 2) that agree do so, as those of copies would.

    target_from_source f64 (3, 3): as geometry found it; sizes: width and height of source and target in pixels, whose
    features were extracted within the limit.
    """
    coarser_px = max(_pixel(sizes[1], limit), transforms.zoom(target_from_source) * _pixel(sizes[0], limit))
    transform, n_exact = fit_exactly(source, target, min(_EXACT * max(sizes[1]), _EXACT_PX * coarser_px))
    return ExactFit(transform, n_exact, len(source))


def _pixel(size: Size, limit: PixelLimit) -> float:
    """A pixel of the picture as its features were extracted, in pixels of the original."""
    return max(1.0, max(size) / long_side_of(limit, *size))


def fit_exactly(source: F32, target: F32, tolerance: float) -> tuple[F64 | None, int]:
    """The affine transform target_from_source f64 (3, 3) that most points f32 (n, 2) agree with, and how many do.

    OpenCV's RANSAC starts from a seed of its own: the same points give the same transform.
    """
    if len(source) < 3:
        return None, 0
    with np.errstate(all="ignore"):
        found, agree = cv2.estimateAffine2D(
            source.astype(np.float64), target.astype(np.float64), method=cv2.RANSAC, ransacReprojThreshold=tolerance,
            maxIters=_ROUNDS, confidence=_CONFIDENCE, refineIters=_POLISH,
        )  # fmt: skip
    if found is None or not np.isfinite(found).all() or abs(np.linalg.det(found[:, :2])) < _SINGULAR:
        return None, 0
    return np.vstack([found, [0.0, 0.0, 1.0]]), int(np.count_nonzero(agree))


def slant(transform: F64) -> float:
    """How far from square a rectangle becomes, as a cosine: 0 where it is turned, and stretched before or after."""
    linear = transform[:2, :2]
    lengths = np.linalg.norm(linear, axis=0), np.linalg.norm(linear, axis=1)
    before = abs(float(linear[:, 0] @ linear[:, 1])) / float(np.prod(lengths[0]))
    after = abs(float(linear[0] @ linear[1])) / float(np.prod(lengths[1]))
    return min(before, after)
