"""A chunk of a film becomes shots, with the features of their keyframes. Each frame is decoded once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.options import FeatureOptions, VideoOptions
from bof.video.boundary_stream import BoundaryStream
from bof.video.chunks import LONGEST_SEARCH_SECONDS, edge_of
from bof.video.keyframes import find_keyframes
from bof.video.overlays import ShotView, find_overlays, overlay_tracks
from bof.video.sampling import SampledFrame, SampledShot, ShotSampler, tick_of
from bof.video.shots import REACH_S
from bof.video.small_frames import MIDDLE_SIDE
from bof.video.tracks import Tracks
from bof.video.types import Shot

if TYPE_CHECKING:
    from bof.images.films.picture import DecodedFrame

_SPARE = 1.25
"""So many times more features of a sample are followed than a keyframe may have: not all of them last."""


def extract_shots(
    film: Film, start: Fraction, stop: Fraction | None, options: VideoOptions, features: FeatureOptions
) -> Iterator[Shot]:
    """The shots of the chunk of a film from start until stop, in order of time; stop None: to its end.

    They begin at the first boundary at or after start and end at the first one at or after stop: `video.chunks`.
    Raises what reading a film raises.
    """
    most = min(features.max_features, options.keyframe_features)
    sampled = min(features.max_features, round(_SPARE * options.keyframe_features))
    reading = _ChunkReading(start, stop, options, features.replaced(max_features=sampled))
    shots = [shot for shot in reading.read(film) if shot.times]
    overlays = find_overlays([ShotView.of(shot.views) for shot in shots])
    for shot, overlay in zip(shots, overlays, strict=True):
        tracks = Tracks.of(shot.features)
        allowed = ~overlay_tracks(tracks, overlay)
        keyframes = find_keyframes(tracks, shot.times, allowed, options.sightings, most)
        small = {time: view.small for time, view in zip(shot.times, shot.views, strict=True)}
        yield Shot(shot.start, shot.stop, [replace(each, small=small[each.time]) for each in keyframes])


class _ChunkReading:
    """What is known of a chunk while its frames come.

    Samples wait until it is decided in which shot they are.
    """

    def __init__(self, start: Fraction, stop: Fraction | None, options: VideoOptions, features: FeatureOptions) -> None:
        self._start, self._stop = start, stop
        self._options, self._features = options, features
        self._boundaries = BoundaryStream(start)
        self._waiting: deque[SampledFrame] = deque()
        self._shot: ShotSampler | None = self._begin(start) if start == 0 else None
        self._is_over = False

    def read(self, film: Film) -> Iterator[SampledShot]:
        """The shots, each as soon as it has ended."""
        last = None if self._stop is None else self._stop + LONGEST_SEARCH_SECONDS + 4 * REACH_S
        step = Fraction(self._options.sampling_step).limit_denominator(1000)
        tick, times = -1, [self._start]
        for frame in film.decoded(max(Fraction(0), self._start - REACH_S), last):
            found = self._boundaries.take(frame.time, frame.grey(MIDDLE_SIDE))
            yield from self._cut(found, self._boundaries.decided_until)
            if self._is_over:
                return
            if tick_of(frame.time, step) != tick and frame.time >= self._start:
                self._waiting.append(self._sample(frame, tick_of(frame.time, step)))
            tick, times = tick_of(frame.time, step), [*times[-1:], frame.time]
        end = times[-1] + (times[-1] - times[0] if len(times) > 1 else Fraction(1, 25))
        yield from self._cut([*self._boundaries.finish(), end], end)
        if not self._is_over and self._shot is not None:
            yield self._shot.finish(end)

    def _cut(self, found: list[Fraction], decided_until: Fraction) -> Iterator[SampledShot]:
        """End shots at boundaries; those at which chunks meet though there is no boundary are among them."""
        for boundary in self._with_edges(found, decided_until):
            self._assign(boundary)
            if self._shot is not None and not self._is_over:
                yield self._shot.finish(boundary)
            self._is_over = self._is_over or (self._stop is not None and boundary >= self._stop)
            self._shot = self._begin(boundary)
        if self._shot is not None:
            self._assign(decided_until if self._stop is None else min(decided_until, self._stop))

    def _with_edges(self, found: list[Fraction], decided_until: Fraction) -> list[Fraction]:
        """Boundaries, and the edge of the chunk where none comes soon enough."""
        edges = [each for each in (self._start if self._shot is None else None, self._stop) if each is not None]
        decided = [edge for edge in edges if decided_until >= edge + LONGEST_SEARCH_SECONDS]
        return sorted({*found, *(edge_of(edge, found) for edge in decided)})

    def _assign(self, until: Fraction) -> None:
        """Give the samples before a time to the shot, or to none."""
        while self._waiting and self._waiting[0].time < until:
            sample = self._waiting.popleft()
            if self._shot is not None:
                self._shot.take(sample)

    def _begin(self, start: Fraction) -> ShotSampler:
        return ShotSampler(start, self._options.sightings, self._features)

    def _sample(self, frame: DecodedFrame, tick: int) -> SampledFrame:
        picture = Picture(frame.grey(self._features.max_side), *frame.size)
        return SampledFrame(frame.time, tick, picture)
