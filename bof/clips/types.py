"""What copied clips are made of: segments with both time ranges, and the pictures that a clip shows.

Times are seconds as fractions, from the first frame of their film on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from bof.images.films.types import FilmFacts
from bof.types import F64, Box, Verdict

SegmentKind = Literal["copy", "intro"]
"""copy: a piece of one film in another; intro: what several films share at their beginnings or ends."""

Ends = Literal["frame", "shot", "keyframe"]
"""How exactly a segment's ends are known. frame: by frames of both films; shot: both show one still picture, any time
of which it may be, and the film's range is all of it; keyframe: by the index alone, the film's file was not at hand."""

Change = Literal["cropped", "mirrored", "letterboxed", "picture in picture", "faster", "slower"]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From start until stop, the time of the first frame that is no longer in it."""

    start: Fraction
    stop: Fraction

    @property
    def duration(self) -> Fraction:
        """In seconds."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class FramePlace:
    """How the query's frames lie in the film's.

    film_from_query f64 (3, 3): from pixels of the query's upright picture to the film's; query_box: the part of the
    query's frame that shows the film, film_box: the part of the film's frame that the query shows, in pixels.
    """

    film_from_query: F64
    query_box: Box
    film_box: Box
    mirrored: bool


@dataclass(frozen=True, slots=True)
class ProofFrames:
    """The aligned frames, by their times, of which most points agree."""

    query: Fraction
    film: Fraction
    n_inliers: int


@dataclass(frozen=True, slots=True)
class ClipSegment:
    """A piece of the query film that is in a film of the index.

    name, path: of that film; score: comparable between queries; probability: that it is a copy; speed: how many seconds
    of the film a second of the query shows; changes: what was done to the film's frames, in words; frame_rate: of the
    film, 0: not known; whole: is it all of the query's film, or all of the index's?
    """

    name: str
    path: Path
    kind: SegmentKind
    query: TimeRange
    film: TimeRange
    score: float
    probability: float
    speed: float
    place: FramePlace
    changes: Sequence[Change]
    proof: ProofFrames
    ends: Ends
    frame_rate: Fraction = Fraction(0)
    whole: Sequence[Literal["query", "film"]] = ()

    @property
    def mirrored(self) -> bool:
        """Does the query show the film's mirror image?"""
        return self.place.mirrored


@dataclass(frozen=True, slots=True)
class PictureInClip:
    """A picture of the index that the query film shows.

    verdict: `same`, or `part` where most of it agrees; times: of the samples that show it; best: of the best one.
    """

    name: str
    path: Path
    verdict: Verdict
    probability: float
    n_inliers: int
    times: Sequence[Fraction]
    best: Fraction


@dataclass(frozen=True, slots=True)
class ClipAnswer:
    """What a film shares with an index.

    segments: those of the highest score first; pictures: the surest first; problems: by film, why its file could not be
    compared, where its segments are known by keyframes alone; seconds: spent, by stage.
    """

    path: Path
    facts: FilmFacts
    segments: Sequence[ClipSegment]
    pictures: Sequence[PictureInClip]
    problems: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def first(self, n: int) -> ClipAnswer:
        """At most so many segments, and as many pictures."""
        return replace(self, segments=self.segments[:n], pictures=self.pictures[:n])
