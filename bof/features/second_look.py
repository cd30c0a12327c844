"""A picture in which SIFT finds little is looked at again: enlarged, smoothed, and in its colours.

Flat logos, icons, gradients and colours of one brightness have few features at the contrast and the size of
photographs, and none to be found by. A photograph has more than `FEW` and costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from bof.images.pixels import Picture, opponent_channels
from bof.types import U8, Features, Geometry

FEW = 80
"""A picture with fewer features is looked at again."""

_SMALL_PX, _TINY_PX = 160, 48
"""Pictures of up to these long sides are enlarged twice, and four times."""

ENLARGED_PX = 2 * _SMALL_PX
"""No picture is enlarged to more than this."""

_BLUR_PX, _FAINTER = 1.5, 0.1
"""Gradients: smoothed by this standard deviation, so that steps of grey levels are none, at this share of contrast."""

_MOST_FAINT, _MOST_OF_A_CHANNEL = 300, 500

Extractor = Callable[[Picture, float, int], Features]
"""Features of a grey picture at a contrast threshold, at most so many."""


def needs_second_look(picture: Picture, n_features: int, n_most: int) -> bool:
    """Is a picture small, or has it few features, and fewer than the n_most that were asked for?"""
    return n_features < min(FEW, n_most) or _enlargement(picture) > 1


def look_closer(picture: Picture, found: Features, n_most: int, extract: Extractor, contrast: float = 0.0) -> Features:
    """The features of a grey picture, enlarged where it is small, of which `found` were found at the first look."""
    factor = _enlargement(picture)
    if factor == 1:
        return found
    return extract(replace(picture, pixels=_enlarged(picture.pixels, factor)), contrast, n_most)


def look_again(
    picture: Picture,
    found: Features,
    contrast: float,
    n_most: int,
    extract: Extractor,
    colours: Callable[[], Picture] | None,
) -> Features:
    """The features of a grey picture, of which `found` were found at the first look; n_most at most.

    colours: reads the picture in RGB, smaller where it is large; it is called only where grey shows little.
    """
    found = look_closer(picture, found, n_most, extract, contrast)
    if len(found) >= min(FEW, n_most):
        return found
    smooth = replace(picture, pixels=_smoothed(picture.pixels))
    found = _joined([found, extract(smooth, contrast * _FAINTER, _MOST_FAINT)], n_most)
    if colours is None:
        return found
    picture = colours()
    if picture.pixels.ndim != 3:
        return found
    channels = [replace(picture, pixels=channel) for channel in opponent_channels(picture.pixels)]
    return _joined([found, *(extract(channel, contrast, _MOST_OF_A_CHANNEL) for channel in channels)], n_most)


def _enlargement(picture: Picture) -> int:
    """How many times as large a picture is looked at; one that was made small is not small."""
    side = max(picture.width, picture.height)
    return 4 if side <= _TINY_PX else 2 if side <= _SMALL_PX else 1


def _enlarged(pixels: U8, factor: int) -> U8:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)


def _smoothed(pixels: U8) -> U8:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), _BLUR_PX), np.uint8)


def _joined(several: list[Features], n_most: int) -> Features:
    """All features of one picture, those of the first first."""
    geometries = [features.geometry for features in several]
    joined = Geometry(
        np.concatenate([geometry.xy_px for geometry in geometries])[:n_most],
        np.concatenate([geometry.scale_px for geometry in geometries])[:n_most],
        np.concatenate([geometry.angle_deg for geometry in geometries])[:n_most],
        geometries[0].width,
        geometries[0].height,
    )
    return Features(joined, np.concatenate([features.descriptors for features in several])[:n_most])
