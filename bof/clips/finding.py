"""Which pieces of a film are in films of an index, and which pictures of the index does it show?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bof.clips.comparing import Comparer, QueryStretch
from bof.clips.intros import Seen
from bof.clips.joining import Found, joined, without_echoes
from bof.clips.library import FilmLibrary
from bof.clips.matching import KeyframeMatch, PictureMatch, clip_searcher, columns_of, match_samples
from bof.clips.naming import Side, segments_of
from bof.clips.samples import Stretch, read_stretches
from bof.clips.shown import shown_pictures
from bof.clips.types import ClipAnswer
from bof.engine import Engine
from bof.images.films.film import Film
from bof.options import ClipOptions
from bof.system.stopwatch import Stopwatch


def find_segments(engine: Engine, path: str | os.PathLike[str], options: ClipOptions | None = None) -> ClipAnswer:
    """The segments that a film shares with films of an index, and the pictures of the index that it shows.

    Raises ImageError for what is no film or breaks, IndexStoreError where the index contradicts itself.
    """
    options = options or ClipOptions()
    watch, library = Stopwatch(), FilmLibrary(engine.images)
    comparer, searcher = Comparer(engine, library, options), clip_searcher(engine)
    found: list[Found] = []
    seen: list[Seen] = []
    pictures: list[tuple[PictureMatch, Stretch]] = []
    with Film(os.fspath(path), n_threads=0) as film:
        facts = film.facts
        for stretch in _stretches(film, engine, options, watch):
            with watch.stage("match"):
                matched = match_samples(engine, searcher, library, stretch.samples)
                query = _query_of(stretch)
                columns, rows = columns_of(matched.keyframes, query.times)
            seen += _seen(rows, query.times, options.sample_step)
            pictures += [(match, stretch) for match in matched.pictures]
            with watch.stage("compare frames"):
                found += comparer.segments(query, columns, rows)
    with watch.stage("pictures"):
        shown = shown_pictures(engine, path, pictures)
    whole = without_echoes(joined(found))
    segments = segments_of(whole, Side(facts.width, facts.height, facts), library, engine, options, seen=seen)
    return ClipAnswer(Path(path), facts, segments, shown, comparer.problems, watch.seconds)


def _seen(matches: Sequence[KeyframeMatch], times: Sequence[float], step_s: float) -> list[Seen]:
    """What samples match, each for the time until the next."""
    return [
        Seen(
            match.film.number,
            (time - step_s / 2, time + step_s / 2),
            (float(match.times.start), float(match.times.stop)),
        )
        for match, time in ((match, times[match.sample]) for match in matches)
    ]


def _stretches(film: Film, engine: Engine, options: ClipOptions, watch: Stopwatch) -> Iterator[Stretch]:
    several = read_stretches(film, options.sample_step, engine.features.max_side)
    while True:
        with watch.stage("read the clip"):
            stretch = next(several, None)
        if stretch is None:
            return
        yield stretch


def _query_of(stretch: Stretch) -> QueryStretch:
    strip = stretch.strip
    times = [float(sample.time) for sample in stretch.samples]
    return QueryStretch(strip.between, float(strip.time_s[0]), strip.stop_s, times)
