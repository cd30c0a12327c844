"""What is asked, and the matches that it plants: parts of a query seen turned, zoomed, shifted and noisy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.features.sift import ROOT_NORM
from bof.store.segments import ImageColumns, store_geometry
from bof.types import U8, Features, Geometry
from bof.vocabulary.vocabulary import Vocabulary
from scripts.common.features import strongest
from scripts.scale.pool import FRAME

SHARE = 0.3  # so much of a query is planted in its target
KEPT_WORDS = 0.5  # the noise of descriptors is such that this share of planted features keeps its nearest word
_LARGEST_NOISE = 100.0
_BISECTIONS = 8
_SAMPLE = 2000

_TURN_DEG, _ZOOMS, _SHIFT = 30.0, (0.5, 0.9), 0.05
"""The view of a target: turns to either side, the query's size in the target's frame, shifts of its middle in it."""

_XY_NOISE, _OCTAVE_NOISE, _ANGLE_NOISE_DEG = 0.003, 0.15, 5.0
"""Standard deviations of a planted feature: as a fraction of the long side, in octaves, in degrees."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Planted:
    """Queries, and for each the features that its target has of it; noise: standard deviation in descriptor bytes."""

    queries: Sequence[Features]
    targets: Sequence[ImageColumns]
    noise: float
    kept_words: float
    median_bits: float

    def places(self, n_images: int, seed: int) -> list[int]:
        """Which picture of a collection is which query's target."""
        chosen = np.random.default_rng([seed, n_images]).choice(n_images, len(self.queries), replace=False)
        return [int(place) for place in chosen]


def plant(photos: Sequence[Features], n_features: int, vocabulary: Vocabulary, seed: int) -> Planted:
    """The strongest n_features of each photograph ask; SHARE of them lie in its target."""
    queries = [strongest(photo, n_features) for photo in photos]
    everything = np.concatenate([query.descriptors for query in queries])
    rng = np.random.default_rng(seed)
    sample = everything[rng.permutation(len(everything))[:_SAMPLE]]
    noise = fit_noise(sample, vocabulary, seed)
    targets = [_target(query, noise, vocabulary, np.random.default_rng([seed, i])) for i, query in enumerate(queries)]
    return Planted(queries, targets, noise, *measure_noise(sample, noise, vocabulary, seed))


def fit_noise(descriptors: U8, vocabulary: Vocabulary, seed: int) -> float:
    """The noise under which KEPT_WORDS of some descriptors keep their words, by bisection."""
    low, high = 0.0, _LARGEST_NOISE
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        retained, _bits = measure_noise(descriptors, middle, vocabulary, seed)
        low, high = (middle, high) if retained > KEPT_WORDS else (low, middle)
    return low


def measure_noise(descriptors: U8, noise: float, vocabulary: Vocabulary, seed: int) -> tuple[float, float]:
    """The share that keeps its word, and the median Hamming distance of those that do."""
    before = vocabulary.quantize(descriptors)
    after = vocabulary.quantize(with_noise(descriptors, noise, np.random.default_rng(seed)))
    retained = before.word == after.word
    bits = np.bitwise_count(before.signature ^ after.signature)[retained]
    return float(retained.mean()), float(np.median(bits)) if len(bits) else 0.0


def with_noise(descriptors: U8, noise: float, rng: Rng) -> U8:
    """Descriptors u8 (n, 128) with noise of this standard deviation, of the length of RootSIFT again."""
    noisy = np.maximum(descriptors + noise * rng.standard_normal(descriptors.shape, np.float32), 0.0)
    noisy *= ROOT_NORM / np.maximum(np.linalg.norm(noisy, axis=1, keepdims=True), 1.0)
    return np.asarray(np.minimum(np.rint(noisy), 255), np.uint8)


def _target(query: Features, noise: float, vocabulary: Vocabulary, rng: Rng) -> ImageColumns:
    seen = _see(query.geometry, rng)
    inside = np.flatnonzero(((seen.xy_px >= 0) & (seen.xy_px <= np.array(FRAME) - 1)).all(axis=1))
    rows = np.sort(rng.permutation(inside)[: math.ceil(SHARE * len(query))])
    words = vocabulary.quantize(with_noise(query.descriptors[rows], noise, rng))
    return ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(seen.take(rows)))


def _see(geometry: Geometry, rng: Rng) -> Geometry:
    """The features in FRAME, seen through a random similarity transform, each a little off."""
    n, size = len(geometry), np.array([geometry.width, geometry.height])
    turn = np.deg2rad(rng.uniform(-_TURN_DEG, _TURN_DEG))
    zoom = rng.uniform(*_ZOOMS) * float((np.array(FRAME) / size).min())
    middle = np.array(FRAME) * (0.5 + rng.uniform(-_SHIFT, _SHIFT, 2))
    turned = (geometry.xy_px - size / 2) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    xy = zoom * turned + middle + rng.normal(0, _XY_NOISE * FRAME[0], (n, 2))
    scale = geometry.scale_px * zoom * np.exp2(rng.normal(0, _OCTAVE_NOISE, n))
    angle = (geometry.angle_deg + np.rad2deg(turn) + rng.normal(0, _ANGLE_NOISE_DEG, n)) % 360
    return Geometry(xy.astype(np.float32), scale.astype(np.float32), angle.astype(np.float32), *FRAME)
