"""Keyframes of a shot: samples whose features last, as many as are needed until others show little that is new."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bof.types import I64, U8, Bool, Features
from bof.video.tracks import Tracks
from bof.video.types import Keyframe

_OLD_SHARE = 0.5
"""A sample is no keyframe if so much of what is seen in it is in a keyframe already."""

_LEAST_FEATURES = 12
"""A sample that shows less is no keyframe: it is black, or of one colour."""

_ENOUGH = 60
"""Where fewer features of a keyframe are seen often enough, such as in a fast pan, those seen less often make up."""


def find_keyframes(
    tracks: Tracks, times: Sequence[Fraction], allowed: Bool, sightings: int, most: int
) -> list[Keyframe]:
    """The keyframes of a shot, in order of time, each with at most `most` features, those seen longest first.

    times: of the samples; allowed bool (n tracks,): what is no overlay; sightings: a track that is seen in fewer
    samples is unstable.
    """
    counted = np.where(allowed, tracks.length, 0)
    visible = tracks.visible()
    stable = _stable(visible, counted, min(sightings, len(times)))
    descriptors = tracks.mean_descriptors()
    return [
        Keyframe(times[i], _features_at(tracks, i, stable[i], descriptors, most))
        for i in sorted(choose_frames(stable, counted))
    ]


def choose_frames(stable: Bool, length: I64) -> list[int]:
    """The samples that are keyframes, best first.

    stable bool (n samples, n tracks): what each shows; length i64 (n tracks,): in how many samples each track is seen.
    The first is the one whose features last longest in all. While half of what some sample shows is in no keyframe yet,
    the one of these becomes a keyframe whose new features last longest.
    """
    n_shown = stable.sum(axis=1)
    is_shown = np.zeros(stable.shape[1], np.bool_)
    chosen: list[int] = []
    while True:
        n_new = (stable & ~is_shown).sum(axis=1)
        is_new = (n_shown >= _LEAST_FEATURES) & (n_new > (1 - _OLD_SHARE) * n_shown)
        if not is_new.any():
            return chosen
        gain = np.where(is_new, (stable & ~is_shown) @ length, -1)
        chosen.append(int(gain.argmax()))
        is_shown |= stable[chosen[-1]]


def _stable(visible: Bool, length: I64, sightings: int) -> Bool:
    """What each sample shows of tracks seen often enough; where that is little, of those seen less often too."""
    stable = visible & (length >= sightings)
    for fewer in range(sightings - 1, 0, -1):
        few = stable.sum(axis=1) < _ENOUGH
        stable[few] = visible[few] & (length >= fewer)
    return stable


def _features_at(tracks: Tracks, sample: int, stable: Bool, descriptors: U8, most: int) -> Features:
    """The features of one sample, those of the longest tracks first, of equals the strongest."""
    track = tracks.track[sample]
    rows = np.flatnonzero(stable[track])
    rows = rows[np.argsort(-tracks.length[track[rows]], kind="stable")][:most]
    return Features(tracks.samples[sample].geometry.take(rows), descriptors[track[rows]])
