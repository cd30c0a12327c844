"""Which films of an index share segments? Its keyframes are searched with, then frames of both films are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from bof.clips.comparing import Comparer, QueryStretch
from bof.clips.joining import Found, joined, without_echoes
from bof.clips.library import FilmLibrary, IndexedFilm
from bof.clips.matching import KeyframeMatch, columns_of
from bof.clips.naming import Side, segments_of
from bof.clips.samples import read_strip
from bof.clips.types import ClipSegment
from bof.engine import Engine
from bof.images.films.times import FrameTimes
from bof.native.mapped_file import reading
from bof.options import ClipOptions, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval.searcher import Searcher
from bof.system.steps import Progress, Stage
from bof.system.threads import in_threads, n_threads
from bof.types import Features, QueryWords
from bof.vocabulary.reconstruction import Reconstruction

_STRETCH_S = 60.0
_LEAST_PROBABILITY = 0.5
_PART = 25
_PER_THREAD = 8


@dataclass(frozen=True, slots=True)
class FilmPair:
    """Two films of an index that share segments. Of each segment `query` is the first film's time, `film` the other's;
    whole: which of them is wholly in the other.
    """

    name: str
    path: Path
    other: str
    other_path: Path
    segments: Sequence[ClipSegment]

    @property
    def whole(self) -> list[str]:
        """The names of those that are wholly in the other."""
        sides = {side for segment in self.segments for side in segment.whole}
        return [*([self.name] if "query" in sides else []), *([self.other] if "film" in sides else [])]


@dataclass(frozen=True, slots=True)
class SharedClips:
    """What the films of an index share. problems: why a film could not be read, by its name."""

    pairs: Sequence[FilmPair]
    n_films: int
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Keyframe:
    """An image of the index that is a keyframe."""

    image: int
    film: IndexedFilm
    times: FrameTimes


def find_shared_clips(
    engine: Engine, options: ClipOptions | None = None, progress: Progress | None = None
) -> SharedClips:
    """All films of an index against each other, by name; what one film shows twice is not reported.

    Raises IndexStoreError where the index contradicts itself.
    """
    options = options or ClipOptions()
    library = FilmLibrary(engine.images)
    keyframes = _keyframes(engine, library)
    matches = _matches(engine, library, keyframes, Stage(progress, "searching", len(keyframes)))
    by_film = {film: list(found) for film, found in groupby(keyframes, key=lambda k: k.film.number)}
    comparer = Comparer(engine, library, options)
    stage = Stage(progress, "comparing", len(by_film))
    found: dict[int, list[Found]] = {}
    for number, frames in by_film.items():
        found[number] = _shared(comparer, frames, matches)
        stage.advance(1)
    rows = library.rows
    sizes = {n: (int(rows.width[f[0].image]), int(rows.height[f[0].image])) for n, f in by_film.items()}
    pairs = _pairs(found, sizes, library, engine, options)
    return SharedClips(pairs, len(by_film), comparer.problems)


def _keyframes(engine: Engine, library: FilmLibrary) -> list[_Keyframe]:
    """Every live keyframe, film after film in the order of their paths, in the order of time."""
    live = np.flatnonzero(~library.rows.deleted).tolist()
    found = ((image, library.keyframe(image)) for image in sorted(live, key=lambda i: library.rows.paths[i]))
    keyframes = [_Keyframe(image, *known) for image, known in found if known is not None]
    return sorted(keyframes, key=lambda one: (str(one.film.path), one.times.time))


def _matches(
    engine: Engine, library: FilmLibrary, keyframes: Sequence[_Keyframe], stage: Stage
) -> dict[int, list[KeyframeMatch]]:
    """By image: which keyframes of films with a later path it looks like."""
    shallow = VerifyOptions(depth=50)
    options = SearchOptions(vote=VoteOptions(words_per_feature=2), verify=shallow, mirror="always", inverse="never")
    searcher, reconstruction = engine.searcher(options), Reconstruction.of(engine.vocabulary)
    found: dict[int, list[KeyframeMatch]] = {}
    size = n_threads() * _PER_THREAD
    for start in range(0, len(keyframes), size):
        batch = keyframes[start : start + size]
        with reading(searcher.collection):
            several = in_threads(partial(_like, searcher, reconstruction, library), batch)
        found |= {keyframe.image: likely for keyframe, likely in zip(batch, several, strict=True)}
        searcher.give_back()
        stage.advance(len(batch))
    return found


def _like(
    searcher: Searcher, reconstruction: Reconstruction, library: FilmLibrary, keyframe: _Keyframe
) -> list[KeyframeMatch]:
    geometry, word, signature = searcher.indexed(keyframe.image)
    if not len(word):
        return []
    features = Features(geometry, reconstruction.descriptors(word, signature))
    candidates = searcher.candidates(features, QueryWords(word[:, None], signature[:, None]), _PART)
    likely = []
    for image, evidence in sorted(candidates.evidence.items()):
        other = library.keyframe(image)
        if other is None or str(other[0].path) <= str(keyframe.film.path):
            continue
        if (probability := evidence.probability or 0.0) >= _LEAST_PROBABILITY:
            likely.append(KeyframeMatch(0, image, *other, candidates.verifications[image], probability))
    return likely


def _shared(
    comparer: Comparer, keyframes: Sequence[_Keyframe], matches: Mapping[int, list[KeyframeMatch]]
) -> list[Found]:
    """What one film shares with those that come after it."""
    first = keyframes[0]
    is_there = not comparer.state(first.film, first.image)
    strip = partial(read_strip, str(first.film.path)) if is_there else None
    found: list[Found] = []
    for frames in _stretches(keyframes):
        times = [float(frame.times.time) for frame in frames]
        likely = [m.of_sample(n) for n, frame in enumerate(frames) for m in matches.get(frame.image, [])]
        columns, rows = columns_of(likely, times)
        ends = float(frames[0].times.start), float(frames[-1].times.stop)
        found += comparer.segments(QueryStretch(strip, *ends, times), columns, rows)
    return without_echoes(joined(found))


def _stretches(keyframes: Sequence[_Keyframe]) -> Iterator[list[_Keyframe]]:
    """Some seconds at a time."""
    for _, frames in groupby(keyframes, key=lambda frame: int(float(frame.times.start) / _STRETCH_S)):
        yield list(frames)


def _pairs(
    found: Mapping[int, Sequence[Found]],
    sizes: Mapping[int, tuple[int, int]],
    library: FilmLibrary,
    engine: Engine,
    options: ClipOptions,
) -> list[FilmPair]:
    """Pair by pair, those that share the most first. sizes: of each film's frames, in pixels."""
    pairs = []
    for number, several in found.items():
        film = library.films[number]
        if not several:
            continue
        side = Side(*sizes[number], library.facts(number))
        before = [one.swapped(n) for n, earlier in found.items() for one in earlier if one.film == number]
        segments = segments_of(several, side, library, engine, options, before)
        for path in dict.fromkeys(str(segment.path) for segment in segments):
            shared = [segment for segment in segments if str(segment.path) == path]
            pairs.append(FilmPair(film.name, film.path, shared[0].name, shared[0].path, shared))
    return sorted(pairs, key=lambda pair: (-sum(segment.score for segment in pair.segments), pair.name, pair.other))
