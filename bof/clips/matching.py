"""Samples of a query film are searched with: which keyframes and pictures of the index look like them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bof.clips.library import FilmLibrary, IndexedFilm
from bof.clips.lines import Matches
from bof.clips.samples import ClipSample
from bof.engine import Engine
from bof.features.sift import extract_features
from bof.images.films.times import FrameTimes
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval.searcher import Searcher
from bof.system.ahead import run_ahead
from bof.types import Features, Verification

_DEPTH = 64
_LEAST_PROBABILITY = 0.5
_FULL_INLIERS = 60


@dataclass(frozen=True, slots=True)
class KeyframeMatch:
    """A sample, by its number, that looks like a keyframe."""

    sample: int
    image: int
    film: IndexedFilm
    times: FrameTimes
    verification: Verification
    probability: float

    def of_sample(self, number: int) -> KeyframeMatch:
        """The same of a sample of another number."""
        return replace(self, sample=number)

    @property
    def weight(self) -> float:
        """How much it says: a probability, and up to as much again for many points."""
        return self.probability * (1 + min(self.verification.n_inliers, _FULL_INLIERS) / _FULL_INLIERS)


@dataclass(frozen=True, slots=True)
class PictureMatch:
    """A sample, by its number, that looks like a picture of the index."""

    sample: int
    image: int
    verification: Verification
    probability: float


@dataclass(frozen=True, slots=True)
class Matched:
    """What samples look like; features: of each sample."""

    keyframes: list[KeyframeMatch]
    pictures: list[PictureMatch]
    features: list[Features]


def clip_searcher(engine: Engine) -> Searcher:
    """What searches with samples: votes and geometry, no pixels."""
    return engine.searcher(SearchOptions(verify=VerifyOptions(depth=_DEPTH, pixels=0), inverse="never"))


def match_samples(engine: Engine, searcher: Searcher, library: FilmLibrary, samples: Sequence[ClipSample]) -> Matched:
    """Search with every sample. Raises IndexStoreError where the index contradicts itself."""

    def match(sample: ClipSample) -> tuple[Features, list[tuple[int, Verification, float]]]:
        features = extract_features(sample.picture, engine.features)
        candidates = searcher.candidates(features)
        likely = [
            (image, candidates.verifications[image], evidence.probability or 0.0)
            for image, evidence in candidates.evidence.items()
        ]
        return features, [one for one in likely if one[2] >= _LEAST_PROBABILITY]

    found = Matched([], [], [])
    for number, (features, likely) in enumerate(run_ahead(match, samples)):
        found.features.append(features)
        for image, verification, probability in likely:
            keyframe = library.keyframe(image)
            if keyframe is None:
                found.pictures.append(PictureMatch(number, image, verification, probability))
            else:
                found.keyframes.append(KeyframeMatch(number, image, *keyframe, verification, probability))
    searcher.give_back()
    return found


def columns_of(found: Sequence[KeyframeMatch], times: Sequence[float]) -> tuple[Matches, list[KeyframeMatch]]:
    """Matches as columns, the best of each sample in each shot, and what each row was made of. times: of the samples,
    in seconds.
    """
    best: dict[tuple[int, int, bool, float], KeyframeMatch] = {}
    for match in found:
        key = match.sample, match.film.number, match.verification.mirrored, float(match.times.start)
        if key not in best or match.weight > best[key].weight:
            best[key] = match
    rows = [best[key] for key in sorted(best)]
    columns = Matches(
        np.array([match.sample for match in rows], np.int32),
        np.array([times[match.sample] for match in rows], np.float64),
        np.array([match.film.number for match in rows], np.int32),
        np.array([float(match.times.start) for match in rows], np.float64),
        np.array([float(match.times.stop) for match in rows], np.float64),
        np.array([match.verification.mirrored for match in rows], np.bool_),
        np.array([match.weight for match in rows], np.float64),
    )
    return columns, rows
