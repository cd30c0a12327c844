"""Which frames of a shot features are found in: one every step; of a short shot more, so that it has several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from bof.features.sift import extract_features
from bof.images.decode import Picture
from bof.options import FeatureOptions
from bof.types import Features
from bof.video.overlays import SampleView

_WITH_TEXT = 2
"""So many times as many features are found where there is text."""

DENSE = 2
"""In short shots there are so many samples in a step."""


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A frame that features may be found in. time: from which it is shown; tick: the number of its place in the film's
    grid of times, of which there are DENSE in a step; picture: in grey.
    """

    time: Fraction
    tick: int
    picture: Picture

    @property
    def is_regular(self) -> bool:
        """Is it one of those that are a whole step apart?"""
        return self.tick % DENSE == 0


def tick_of(time: Fraction, step: Fraction) -> int:
    """The last tick at or before a time. The grid begins with the film, not with a chunk or a shot."""
    return math.floor(time * DENSE / step)


@dataclass(frozen=True, slots=True)
class SampledShot:
    """A shot from start until stop, and of its samples times, features, and what overlays are looked for in."""

    start: Fraction
    stop: Fraction
    times: list[Fraction]
    features: list[Features]
    views: list[SampleView]


class ShotSampler:
    """Finds features in the samples of one shot while these come in order of time.

    In all samples as long as there are fewer regular ones than sightings; after that in regular ones alone.
    """

    def __init__(self, start: Fraction, sightings: int, options: FeatureOptions) -> None:
        self._start, self._sightings, self._options = start, sightings, options
        self._waiting: list[SampledFrame] = []
        self._n_regular = 0
        self._shot = SampledShot(start, start, [], [], [])

    def take(self, sample: SampledFrame) -> None:
        """The next sample."""
        self._n_regular += sample.is_regular
        self._waiting.append(sample)
        if self._n_regular >= self._sightings:
            self._sample([each for each in self._waiting if each.is_regular])

    def finish(self, stop: Fraction) -> SampledShot:
        """The whole shot."""
        self._sample(self._waiting)
        shot = self._shot
        return SampledShot(self._start, stop, shot.times, shot.features, shot.views)

    def _sample(self, samples: list[SampledFrame]) -> None:
        for sample in samples:
            view = SampleView.of(sample.picture.pixels)
            self._shot.times.append(sample.time)
            self._shot.features.append(extract_features(sample.picture, self._options_of(view)))
            self._shot.views.append(view)
        self._waiting = []

    def _options_of(self, view: SampleView) -> FeatureOptions:
        """Letters have the strongest features, and are left out: where they stand more are found."""
        more = _WITH_TEXT if view.text.any() else 1
        return self._options.replaced(max_features=more * self._options.max_features)
