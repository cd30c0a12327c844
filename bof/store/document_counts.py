"""In how many documents each word is: of one part of an index, and of all its parts together.

A picture is a document, and so is a film: it has the words of all its frames, each once, also where its frames lie in
several parts. Whole numbers are added, so that neither parts nor their order show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bof.images.address import Address
from bof.native.mapped_file import reading
from bof.store.epoch import Epoch, PartFacts
from bof.store.film_frames import FilmFrames, find_film_frames
from bof.store.film_words import count_films, words_of
from bof.store.snapshot import PartCommit
from bof.types import I64, Bool


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Of one part as of one commit: frequency i64 (n_words,), in how many documents each word is.

    n_pictures: live images that are no frames; films: the files of the films that have live frames, sorted; n_images
    and n_features: how many live; n_rows: its images, removed ones included.
    """

    frequency: I64
    n_pictures: int
    films: tuple[str, ...]
    n_images: int
    n_features: int
    n_rows: int


def count_documents(commit: PartCommit, n_words: int) -> DocumentCounts:
    """Raises ValueError where a segment contradicts itself."""
    live, found = commit.live, find_film_frames(commit.rows.paths)
    with reading(commit):
        films = count_films(commit.segments, live, found.film, n_words) if found else None
        frequency = films.frequency if films else np.zeros(n_words, np.int64)
        alone = live & ~found.is_frame if found else live
        for segment in commit.segments:
            segment.postings.count_images(alone, frequency)
        n_features = int(commit.sizes[live].sum())
    files = _files(commit, found, live) if found else ()
    return DocumentCounts(frequency, int(alone.sum()), files, int(live.sum()), n_features, len(live))


def _files(commit: PartCommit, found: FilmFrames, live: Bool) -> tuple[str, ...]:
    frames = np.flatnonzero(live & found.is_frame)
    firsts = frames[np.unique(found.film[frames], return_index=True)[1]].tolist()
    return tuple(sorted(Address.parse(commit.rows.paths[image]).file for image in firsts))


def join_counts(
    number: int,
    parts: Sequence[tuple[str, int, DocumentCounts]],
    open_all: Callable[[], Sequence[PartCommit]],
) -> Epoch:
    """The epoch of all parts. parts: of each its name, the number of its commit and its counts.

    open_all: opens the parts; called only where a film has frames in several.
    """
    counts = [one for _, _, one in parts]
    frequency: I64 = np.sum([one.frequency for one in counts], axis=0, dtype=np.int64)
    n_parts = Counter(film for one in counts for film in one.films)
    if shared := [film for film, n in n_parts.items() if n > 1]:
        frequency = frequency - _counted_again(open_all(), shared, len(frequency))
    firsts = np.cumsum([0, *(one.n_rows for one in counts)]).tolist()
    facts = [
        PartFacts(name, generation, one.n_images, one.n_features, one.n_rows, first)
        for (name, generation, one), first in zip(parts, firsts, strict=False)
    ]
    return Epoch(number, tuple(facts), frequency, sum(one.n_pictures for one in counts) + len(n_parts))


def _counted_again(commits: Sequence[PartCommit], films: Sequence[str], n_words: int) -> I64:
    """How often more than once each word of some films was counted, i64 (n_words,), since several parts have it."""
    again = np.zeros(n_words, np.int64)
    framed = [_frames_by_file(commit) for commit in commits]
    for film in films:
        n_parts = np.zeros(n_words, np.int64)
        for commit, frames in zip(commits, framed, strict=True):
            if film in frames:
                with reading(commit):
                    n_parts[np.unique(words_of(commit.segments, frames[film]))] += 1
        again += np.maximum(n_parts - 1, 0)
    return again


def _frames_by_file(commit: PartCommit) -> dict[str, I64]:
    found, live = find_film_frames(commit.rows.paths), commit.live
    if found is None:
        return {}
    frames: dict[str, list[int]] = {}
    for image in np.flatnonzero(live & found.is_frame).tolist():
        frames.setdefault(Address.parse(commit.rows.paths[image]).file, []).append(image)
    return {file: np.array(images, np.int64) for file, images in frames.items()}
