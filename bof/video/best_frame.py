"""Which frame of a shot shows a picture best: geometry lays each over the picture, and pixels decide between them.

Where the picture is a still that was cut out of one, this is the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bof.errors import ImageError
from bof.features.matching import match_descriptors
from bof.features.sift import extract_features
from bof.geometry.verification import verify
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.images.films.times import text_of
from bof.options import FeatureOptions
from bof.types import F32, Verification
from bof.video.exact_frame import find_exact_time
from bof.video.frame_likeness import FrameLikeness
from bof.video.frame_search import FrameSearch

_SIDE_PX = 480
_FEATURES = 500
"""Frames are compared in this size, by so many features."""

_ENOUGH = 0.7
"""Frames with this share of the most inliers of all may be the best; pixels decide."""

_AHEAD = 0.004
"""A frame farther from the keyframe must be better by so much: where nothing moves all are alike."""

_NEARLY_AHEAD, _ENDS_THERE, _AS_NEAR = 0.02, 0.9, 0.01
"""Of frames that are nearly as alike the one that ends where the picture does, by IoU, is best: wider ones show all of
it too. Those that are as near to that, but for so much, are as good."""

_MAY_END = 0.1
"""Where one ends there, a still can come from frames whose IoU is at most so much less."""

_FINER = 8
"""Around the best frame others are looked at in so many times smaller steps."""

_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The frame that shows the query best. time: as it is written; xy_px f32 (m, 2): where it has the inliers."""

    time: Fraction
    verification: Verification
    xy_px: F32
    likeness: FrameLikeness


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
        comparing = _Comparing(search, [(frame.time, Picture(frame.pixels, *size)) for frame in found], {})
        best = comparing.find_best()
        if best is None:
            return None
        time = find_exact_time(film, search, comparing.known_like(best), best.time) or best.time
        large = film.frame_at(time, grey=True, max_side=search.extraction.max_side)
    return _compared(search, time, Picture(large.pixels, *size), search.extraction) or best


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

    def find_best(self) -> BestFrame | None:
        """First one every so often is compared, then those around the best."""
        times = [time for time, _ in self.frames]
        self._compare(_every(times, self.keyframe, self.search.step))
        first = self._best()
        if first is None:
            return None
        near = [i for i, time in enumerate(times) if abs(time - times[first]) < self.search.step]
        self._compare([near[i] for i in _every([times[i] for i in near], near.index(first), self.search.step / _FINER)])
        best = self._best()
        return None if best is None else self.known[best]

    def known_like(self, best: BestFrame) -> list[tuple[Fraction, Verification]]:
        """Frames that may be the query's own, in order of time: those that end about where it does, or all where none
        does.
        """
        iou = best.likeness.iou
        least = iou - _MAY_END if iou >= _ENDS_THERE else 0.0
        known = [(self.frames[i][0], self.known[i]) for i in sorted(self.known)]
        return [(time, one.verification) for time, one in known if one.likeness.iou >= least]

    def _compare(self, chosen: Sequence[int]) -> None:
        """Lay frames over the query."""
        for i in chosen:
            found = None if i in self.known else _compared(self.search, *self.frames[i], _small(self.search))
            if found is not None:
                self.known[i] = found

    def _best(self) -> int | None:
        """The frame that is most alike; of those that are as much so the one nearest to the keyframe."""
        if not self.known:
            return None
        n_inliers = max(found.verification.n_inliers for found in self.known.values())
        proved = [i for i, one in self.known.items() if one.verification.n_inliers >= _ENOUGH * n_inliers]
        most = max(self.known[i].likeness.value for i in proved)
        nearly = [i for i in proved if self.known[i].likeness.value >= most - _NEARLY_AHEAD]
        iou = max(self.known[i].likeness.iou for i in nearly)
        if iou >= _ENDS_THERE:
            alike = [i for i in nearly if self.known[i].likeness.iou >= iou - _AS_NEAR]
        else:
            alike = [i for i in proved if self.known[i].likeness.value >= most - _AHEAD]
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
    frame_from_pixels = verification.database_from_query @ np.linalg.inv(search.small.pixels_from_query)
    alike = FrameLikeness.of(search.small.pixels, frame, frame_from_pixels)
    xy_px = features.geometry.xy_px[verification.inliers.database]
    return BestFrame(Fraction(text_of(time)), verification, xy_px, alike)
