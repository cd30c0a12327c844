"""The aligned frames that prove a segment, with the points that agree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bof.clips.frame_pairs import match_frames
from bof.clips.types import ClipSegment
from bof.features.sift import extract_features
from bof.images.decode import Picture, to_grey
from bof.images.films.film import Film
from bof.options import FeatureOptions
from bof.types import F32, Features


@dataclass(frozen=True, slots=True)
class SegmentProof:
    """Two aligned frames in RGB; query_xy_px, film_xy_px f32 (m, 2): points that agree, in pixels of both films."""

    query: Picture
    film: Picture
    query_xy_px: F32
    film_xy_px: F32

    @property
    def n_inliers(self) -> int:
        """How many points agree."""
        return len(self.query_xy_px)


def prove_segment(
    segment: ClipSegment, query: str | os.PathLike[str], features: FeatureOptions, max_side: int
) -> SegmentProof:
    """The proof of a segment of a query film. max_side: of the frames. Raises ImageError for a film that is gone."""
    frames = (
        _frame(os.fspath(query), segment.proof.query, max_side),
        _frame(os.fspath(segment.path), segment.proof.film, max_side),
    )
    found = [_features(frame, features) for frame in frames]
    verified = match_frames(found[0], found[1], mirrored=segment.mirrored)
    inliers = verified.inliers
    ours = np.asarray(found[0].geometry.xy_px[inliers.query], np.float32)
    theirs = np.asarray(found[1].geometry.xy_px[inliers.database], np.float32)
    return SegmentProof(*frames, ours, theirs)


def _frame(path: str, time: Fraction, max_side: int) -> Picture:
    with Film(path, n_threads=0) as film:
        facts = film.facts
        return Picture(film.frame_at(time, max_side=max_side).pixels, facts.width, facts.height)


def _features(frame: Picture, options: FeatureOptions) -> Features:
    return extract_features(Picture(to_grey(frame.pixels), frame.width, frame.height), options)
