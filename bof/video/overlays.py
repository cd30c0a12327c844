"""What lies over a film and is none of it: bars around the picture, logos, subtitles. Features in them are left out.

Each kind needs its own proof, so that a title card or a painting filmed from a tripod stays what it is: bars are dark
and empty at an edge through a whole shot; a logo has the same edges at the same place in several shots that have
nothing else in common; text comes or goes while the picture stays, stands on through a cut, or stands in one band in
several such shots, and low in the middle it is a subtitle where there is more to see; and what stands still in the
frame while everything else moves lies on the lens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from bof.types import F32, U8, Bool, Geometry
from bof.video.subtitles import find_text, text_mask
from bof.video.tracks import Tracks

SIDE = 320
"""Long side in pixels of the masks."""

_LEAST_GRADIENT = 40.0
_SAME_PLACE = 0.3
"""Cosine of the edges of two shots from which they show the same place."""

_MIN_PLACES = 5
"""Shots of so many different places prove a logo."""

_PERSISTENCE = 0.6
_MIN_LOGO_PX, _MOST_LOGO_SHARE = 12, 0.25
_MARGIN_PX = 4

_DARK, _DARK_DEVIATION = 24, 3.0
_MIN_BAR_PX, _MOST_BAR_SHARE = 3, 0.4

_MIN_TEXT_PLACES = 3
_TEXT_CHANGES = 0.15
"""Text comes and goes where it stands in at least this share of a shot's samples and lacks in others."""

_NOTHING_ELSE = 0.002
"""Where edges beside a line of text take less of the frame, it is what the film shows, such as a title card."""

_SAME_LETTERS = 0.6
"""Cosine of the edges in two lines of text from which they are the same letters at the same place."""

_MIN_MOTION, _STILL, _STILL_STEP = 0.03, 0.1, 0.002
"""Of the long side the frame has moved by so much, and what lies on it by less than such a share of that."""

_MOST_STILL_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample as overlays are looked for. small u8 (h, w): it is SIDE pixels long; text bool (h, w): a line is there;
    subtitles bool (h, w): such a line as they are.
    """

    small: U8
    text: Bool
    subtitles: Bool

    @classmethod
    def of(cls, pixels: U8) -> SampleView:
        """Of a frame u8 (h, w), grey."""
        height, width = pixels.shape
        scale = SIDE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        lines = find_text(pixels)
        subtitles = [line for line in lines if line.is_subtitle(width, height)]
        frame = height, width
        return cls(small, text_mask(lines, frame, small.shape), text_mask(subtitles, frame, small.shape))


@dataclass(frozen=True, slots=True)
class ShotView:
    """A shot as overlays are looked for: edges f32 (h, w, 2), the mean unit gradients of its samples; ends: those of
    the first and the last; bars bool (h, w); text, subtitles bool (n samples, h, w).
    """

    edges: F32
    ends: tuple[F32, F32]
    bars: Bool
    text: Bool
    subtitles: Bool

    @classmethod
    def of(cls, samples: Sequence[SampleView]) -> ShotView:
        """Of one sample at least."""
        gradients = [_unit_gradients(each.small) for each in samples]
        edges, ends = np.asarray(np.mean(gradients, axis=0), np.float32), (gradients[0], gradients[-1])
        bars = _bars(np.array([each.small for each in samples]))
        text, subtitles = np.array([each.text for each in samples]), np.array([each.subtitles for each in samples])
        return cls(edges, ends, bars, text, subtitles)


def find_overlays(views: Sequence[ShotView]) -> list[Bool]:
    """Where overlays lie in the samples of each of several shots that follow each other: bool (n samples, h, w)."""
    logo = _logo(_places([view.edges for view in views]))
    texts = [np.asarray(view.text.any(axis=0), np.bool_) for view in views]
    common = _common_text(texts, [view.edges for view in views])
    return [_mask(view, common | through, logo) for view, through in zip(views, _through_cuts(views), strict=True)]


def _mask(view: ShotView, band: Bool, logo: Bool) -> Bool:
    text = view.text & (_changing(view.text) | band)
    beside = np.linalg.norm(view.edges, axis=2)[~view.subtitles.any(axis=0) & ~view.bars]
    subtitles = view.subtitles & (beside.sum() > _NOTHING_ELSE * view.bars.size)
    return np.asarray(text | subtitles | view.bars | logo, np.bool_)


def overlay_tracks(tracks: Tracks, overlays: Bool) -> Bool:
    """Which tracks lie in overlays, mostly, or stand still while the rest moves: bool (n tracks,).

    overlays bool (n samples, h, w).
    """
    inside = np.zeros(len(tracks.length), np.int64)
    for features, track, mask in zip(tracks.samples, tracks.track, overlays, strict=True):
        inside[track] += _lies_in(features.geometry, mask)
    return np.asarray((2 * inside > tracks.length) | _stands_still(tracks), np.bool_)


# -- Bars, logos ------------------------------------------------------------------------------------------------------


def _unit_gradients(small: U8) -> F32:
    """The direction of every edge, 0 where there is none: f32 (h, w, 2)."""
    gradient = cv2.spatialGradient(cv2.blur(small, (2, 2)))
    gradients = np.stack(gradient, axis=2).astype(np.float32)
    size = np.sqrt(np.square(gradients).sum(axis=2, keepdims=True))
    return np.where(size > _LEAST_GRADIENT, gradients / np.maximum(size, 1), 0).astype(np.float32)


def _bars(small: U8) -> Bool:
    """Dark and empty rows and columns at the edges, u8 (n, h, w) -> bool (h, w), with what touches them."""
    brightest, deviation = small.max(axis=0), small.std(axis=0)
    mask = np.zeros(brightest.shape, np.bool_)
    is_empty = (brightest <= _DARK) & (deviation <= _DARK_DEVIATION)
    for empty, turned in ((is_empty.mean(axis=1) > 0.98, mask), (is_empty.mean(axis=0) > 0.98, mask.T)):
        for rows, side in ((empty, turned), (empty[::-1], turned[::-1])):
            n = int(np.argmin(rows)) if not rows.all() else 0
            if _MIN_BAR_PX <= n <= _MOST_BAR_SHARE * len(rows):
                side[: n + _MARGIN_PX] = True
    return mask


def _places(edges: Sequence[F32]) -> list[F32]:
    """The mean edges of shots that show the same place, of each place once."""
    places: list[list[F32]] = []
    for each in edges:
        same = next((place for place in places if _cosine(place[0], each) > _SAME_PLACE), None)
        if same is None:
            places.append([each])
        else:
            same.append(each)
    return [np.mean(place, axis=0, dtype=np.float32) for place in places]


def _cosine(one: F32, other: F32) -> float:
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float((one * other).sum()) / norms if norms else 0.0


def _logo(places: Sequence[F32]) -> Bool:
    """Where the same edges are in nearly all places: bool (h, w)."""
    shape = places[0].shape[:2] if places else (1, 1)
    if len(places) < _MIN_PLACES:
        return np.zeros(shape, np.bool_)
    persistence = np.linalg.norm(np.mean(places, axis=0), axis=2)
    is_logo = cv2.dilate((persistence > _PERSISTENCE).astype(np.uint8), np.ones((3, 3), np.uint8))
    n, labels, stats, _ = cv2.connectedComponentsWithStats(is_logo)
    large = [i for i in range(1, n) if stats[i, cv2.CC_STAT_AREA] >= _MIN_LOGO_PX]
    side = 2 * _MARGIN_PX + 1
    mask = cv2.dilate(np.isin(labels, large).astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray((mask > 0) & (mask.mean() <= _MOST_LOGO_SHARE))


# -- Subtitles, what stands still -------------------------------------------------------------------------------------


def _changing(text: Bool) -> Bool:
    """Where text stands in some samples of a shot and not in others: bool (h, w)."""
    share = text.mean(axis=0)
    return np.asarray((share >= min(_TEXT_CHANGES, 1 / len(text))) & (share < 1))


def _common_text(texts: Sequence[Bool], edges: Sequence[F32]) -> Bool:
    """The rows in which several shots of different places have text: bool (h, w)."""
    shape = texts[0].shape if texts else (1, 1)
    rows = np.zeros(shape[0], np.int64)
    seen: list[F32] = []
    for text, edge in zip(texts, edges, strict=True):
        if text.any() and all(_cosine(edge, other) <= _SAME_PLACE for other in seen):
            seen.append(edge)
            rows += text.any(axis=1)
    return np.repeat((rows >= _MIN_TEXT_PLACES)[:, None], shape[1], axis=1)


def _through_cuts(views: Sequence[ShotView]) -> list[Bool]:
    """The rows, for each shot, in which the same letters stand before and after a cut to another place: bool (h, w)."""
    shape = views[0].bars.shape if views else (1, 1)
    rows = np.zeros((len(views), shape[0]), np.bool_)
    for i, (one, other) in enumerate(pairwise(views)):
        both = one.text[-1] & other.text[0]
        before, after = one.ends[1], other.ends[0]
        if both.any() and _cosine(before[both], after[both]) > _SAME_LETTERS >= _cosine(before[~both], after[~both]):
            rows[i : i + 2] |= both.any(axis=1)
    return [np.repeat(each[:, None], shape[1], axis=1) for each in rows]


def _lies_in(geometry: Geometry, mask: Bool) -> Bool:
    """Which features have their centres in a mask."""
    height, width = mask.shape
    x = (geometry.xy_px[:, 0] + 0.5) * (width / geometry.width)
    y = (geometry.xy_px[:, 1] + 0.5) * (height / geometry.height)
    return np.asarray(mask[np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)])


def _stands_still(tracks: Tracks) -> Bool:
    """Which tracks stay at their place in the frame while what is around them moves on: bool (n tracks,)."""
    own, common, longest = (np.zeros(len(tracks.length)) for _ in range(3))
    for i, motion in enumerate(tracks.moved):
        if motion is None:
            continue
        both, one, other = np.intersect1d(tracks.track[i], tracks.track[i + 1], assume_unique=True, return_indices=True)
        if not len(both):
            continue
        geometry = tracks.samples[i].geometry
        xy, other_xy = geometry.xy_px[one].astype(np.float64), tracks.samples[i + 1].geometry.xy_px[other]
        moved = np.linalg.norm(other_xy - xy, axis=1) / geometry.long_side
        expected = cv2.perspectiveTransform(xy[:, None], motion)[:, 0] - xy
        own[both] += moved
        common[both] += np.linalg.norm(expected, axis=1) / geometry.long_side
        longest[both] = np.maximum(longest[both], moved)
    still = (common > _MIN_MOTION) & (own < _STILL * common) & (longest < _STILL_STEP)
    seen_on = tracks.length > 1
    return np.asarray(still & (still.sum() <= _MOST_STILL_SHARE * max(1, seen_on.sum())))
