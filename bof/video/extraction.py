"""A chunk of a film becomes shots, with the features of their keyframes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from bof.features.sift import extract_features
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.options import FeatureOptions, VideoOptions
from bof.video.chunks import LONGEST_SEARCH_SECONDS, edge_of
from bof.video.shots import REACH_SECONDS, find_boundaries
from bof.video.types import Keyframe, Shot

_SMALL_SIDE = 64


def extract_shots(
    film: Film, start: Fraction, stop: Fraction | None, options: VideoOptions, features: FeatureOptions
) -> Iterator[Shot]:
    """The shots of the chunk of a film from start until stop, in order of time; stop None: to its end.

    They begin at the first boundary at or after start and end at the first one at or after stop: `video.chunks`.
    Raises what reading a film raises.
    """
    last = None if stop is None else stop + LONGEST_SEARCH_SECONDS + REACH_SECONDS
    times, small = [], []
    for frame in film.frames(max(Fraction(0), start - REACH_SECONDS), last, max_side=_SMALL_SIDE, grey=True):
        times.append(frame.time)
        small.append(frame.pixels.astype(np.float32))
    if not times:
        return
    boundaries = find_boundaries(times, np.array(small))
    end = times[-1] + (times[-1] - times[-2] if len(times) > 1 else Fraction(1, 25))
    first = edge_of(start, boundaries) if start else times[0]
    final = end if stop is None else edge_of(stop, [*boundaries, *([end] if last is None or end < last - 1 else [])])
    edges = [first, *(each for each in boundaries if first < each < final), final]
    for begin, until in pairwise(edges):
        if begin < until:
            yield _shot(film, begin, until, options, features)


def _shot(film: Film, start: Fraction, stop: Fraction, options: VideoOptions, features: FeatureOptions) -> Shot:
    """A shot whose keyframe is the frame in its middle."""
    frame = film.frame_at((start + stop) / 2, grey=True, max_side=features.max_side)
    picture = Picture(frame.pixels, film.facts.width, film.facts.height)
    limited = features.replaced(max_features=options.keyframe_features)
    return Shot(start, stop, [Keyframe(frame.time, extract_features(picture, limited))])
