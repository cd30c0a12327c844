"""Which frame of a shot shows a picture best: geometry lays each over the picture, and pixels decide between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from bof.errors import ImageError
from bof.features.matching import match_descriptors
from bof.features.sift import extract_features
from bof.geometry import transforms
from bof.geometry.verification import verify
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.images.films.times import text_of
from bof.options import FeatureOptions, VerifyOptions
from bof.types import F32, F64, U8, Bool, Features, Verification

_SIDE_PX = 480
_FEATURES = 500
"""Frames are compared in this size, by so many features."""

_PIXELS_PX = 240
_ENOUGH = 0.7
"""Frames with this share of the most inliers of all may be the best; pixels decide."""

_AHEAD = 0.002
"""A frame farther from the keyframe must be better by so much: where nothing moves all are alike."""

_FINER = 8
"""Around the best frame others are looked at in so many times smaller steps."""

_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class FrameSearch:
    """Where to look, and for what.

    keyframe: its time; start and stop: of what is read; step: from one frame that is compared to the next, in seconds;
    features: the query's, mirrored where it is; pixels u8 (h, w): its, in grey, mirrored too; pixels_from_query f64
    (3, 3): from where its features lie.
    """

    path: str
    keyframe: Fraction
    start: Fraction
    stop: Fraction
    step: Fraction
    features: Features
    pixels: U8
    pixels_from_query: F64
    extraction: FeatureOptions
    verifying: VerifyOptions


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The frame that shows the query best. time: as it is written; xy_px f32 (m, 2): where it has the inliers;
    likeness: the correlation of pixels, times the share of the query that lies in the frame.
    """

    time: Fraction
    verification: Verification
    xy_px: F32
    likeness: float


def find_in_worker(_shared: None, search: FrameSearch) -> BestFrame | ImageError | None:
    """`find_best_frame` in a process of its own; what is wrong with the film comes back as a value."""
    try:
        return find_best_frame(search)
    except ImageError as error:
        return error


def find_best_frame(search: FrameSearch) -> BestFrame | None:
    """The frame between start and stop that shows the query best; None where none does. Raises ImageError.

    All are decoded once, and looked at in a small size; the best is looked at as pictures of an index are.
    """
    with Film(search.path, n_threads=_MOST_THREADS) as film:
        size = film.facts.width, film.facts.height
        found = film.frames(search.start, search.stop, max_side=_SIDE_PX, grey=True)
        frames = [(frame.time, Picture(frame.pixels, *size)) for frame in found]
        best = _best_of(search, frames)
        if best is None:
            return None
        large = film.frame_at(best.time, grey=True, max_side=search.extraction.max_side)
    return _compared(search, best.time, Picture(large.pixels, *size), search.extraction) or best


def _best_of(search: FrameSearch, frames: Sequence[tuple[Fraction, Picture]]) -> BestFrame | None:
    """The best of some frames: first one every so often, then those around the best."""
    comparing = _Comparing(search, frames, {})
    times = [time for time, _ in frames]
    comparing.compare(_every(times, comparing.keyframe, search.step))
    first = comparing.best()
    if first is None:
        return None
    near = [i for i, time in enumerate(times) if abs(time - times[first]) < search.step]
    comparing.compare([near[i] for i in _every([times[i] for i in near], near.index(first), search.step / _FINER)])
    best = comparing.best()
    return None if best is None else comparing.known[best]


def _every(times: Sequence[Fraction], first: int, step: Fraction) -> list[int]:
    """Frames at about this step, one of them among these."""
    chosen = {first} if times else set()
    for order in (range(first, len(times)), range(first, -1, -1)):
        last = times[first] if times else Fraction(0)
        for i in order:
            if abs(times[i] - last) >= step:
                chosen.add(i)
                last = times[i]
    return sorted(chosen)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Frames at their times, and what is known of some by their numbers."""

    search: FrameSearch
    frames: Sequence[tuple[Fraction, Picture]]
    known: dict[int, BestFrame]

    @property
    def keyframe(self) -> int:
        """The frame that is shown at the keyframe's time."""
        return max((i for i, (time, _) in enumerate(self.frames) if time <= self.search.keyframe), default=0)

    def compare(self, chosen: Sequence[int]) -> None:
        """Lay frames over the query."""
        for i in chosen:
            found = None if i in self.known else _compared(self.search, *self.frames[i], _small(self.search))
            if found is not None:
                self.known[i] = found

    def best(self) -> int | None:
        """The frame that is most alike; of those that are as much so the one nearest to the keyframe."""
        if not self.known:
            return None
        n_inliers = max(found.verification.n_inliers for found in self.known.values())
        proved = [i for i, one in self.known.items() if one.verification.n_inliers >= _ENOUGH * n_inliers]
        least = max(self.known[i].likeness for i in proved) - _AHEAD
        alike = [i for i in proved if self.known[i].likeness >= least]
        return min(alike, key=lambda i: (abs(self.frames[i][0] - self.search.keyframe), i))


def _small(search: FrameSearch) -> FeatureOptions:
    return search.extraction.replaced(max_side=_SIDE_PX, max_features=_FEATURES)


def _compared(search: FrameSearch, time: Fraction, frame: Picture, extraction: FeatureOptions) -> BestFrame | None:
    """One frame laid over the query; None where geometry does not."""
    features = extract_features(frame, extraction)
    matches = match_descriptors(search.features.descriptors, features.descriptors)
    verification = verify(search.features.geometry, features.geometry, matches, search.verifying)
    if verification.database_from_query is None:
        return None
    alike = likeness(search.pixels, search.pixels_from_query, frame, verification.database_from_query)
    xy_px = features.geometry.xy_px[verification.inliers.database]
    return BestFrame(Fraction(text_of(time)), verification, xy_px, alike)


def likeness(pixels: U8, pixels_from_query: F64, frame: Picture, frame_from_query: F64) -> float:
    """The correlation of a picture u8 (h, w) with a frame where it is laid over it, times the share of it that lies in
    the frame.
    """
    scale = _PIXELS_PX / max(frame.width, frame.height)
    small_from_pixels = transforms.scaling(scale, scale) @ frame_from_query @ np.linalg.inv(pixels_from_query)
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    inside: Bool = cv2.warpPerspective(np.full_like(pixels, 255), small_from_pixels, size) > 250
    if inside.sum() < 64:
        return 0.0
    laid = cv2.warpPerspective(_as_small(pixels, small_from_pixels), small_from_pixels, size)
    seen = cv2.GaussianBlur(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    one, other = laid[inside].astype(np.float64), seen[inside].astype(np.float64)
    spread = one.std() * other.std()
    correlation = float(((one - one.mean()) * (other - other.mean())).mean() / spread) if spread > 0 else 0.0
    return max(correlation, 0.0) * _share_inside(pixels, small_from_pixels, int(inside.sum()))


def _as_small(pixels: U8, small_from_pixels: F64) -> U8:
    """As blurred as it will be when it is made small."""
    sigma = max(1.0, 1.0 / max(transforms.zoom(small_from_pixels), 1e-3))
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.7 * sigma), np.uint8)


def _share_inside(pixels: U8, small_from_pixels: F64, n_inside: int) -> float:
    """How much of the picture lies in the frame."""
    height, width = pixels.shape
    outline = transforms.apply(small_from_pixels, transforms.corners((0, 0, width, height)))
    area = abs(cv2.contourArea(outline.astype(np.float32)))
    return min(1.0, n_inside / max(area, 1.0))
