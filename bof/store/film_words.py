"""Which words a film has: those of all its frames, each once, so that a long film weighs no more than a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bof.store.inverted_file import FilmFrequency
from bof.store.segments import Segment
from bof.types import I32, I64, Bool


def count_films(segments: Sequence[Segment], live: Bool, film: I32, n_words: int) -> FilmFrequency:
    """In how many films each word is, by the live ones of their frames. film i32 (n_images,): the number of each
    image's film, -1 of a picture.

    The counts are whole numbers: neither segments nor their order show. Raises ValueError where a frame has words that
    do not exist.
    """
    frequency, is_there = np.zeros(n_words, np.int64), np.zeros(n_words, np.bool_)
    frames = np.flatnonzero(live & (film >= 0))
    frames = frames[np.argsort(film[frames], kind="stable")]
    by_film = np.split(frames, np.flatnonzero(np.diff(film[frames])) + 1) if len(frames) else []
    for images in by_film:
        words = words_of(segments, images)
        if len(words) and not 0 <= words.min() <= words.max() < n_words:
            raise ValueError("frames of films have words that do not exist")
        is_there[:] = False
        is_there[words] = True
        frequency += is_there
    return FilmFrequency(frequency, len(by_film), np.asarray(film >= 0, np.bool_))


def words_of(segments: Sequence[Segment], images: I64) -> I32:
    """The words i32 (m,) of all features of some images, by their numbers in the collection."""
    firsts = np.array([segment.postings.first_image for segment in segments])
    found = []
    for image, number in zip(
        images.tolist(), (np.searchsorted(firsts, images, side="right") - 1).tolist(), strict=True
    ):
        segment = segments[number]
        start, stop = segment.feature_indptr[image - firsts[number] : image - firsts[number] + 2]
        found.append(segment.word[start:stop])
    return np.concatenate(found).astype(np.int32)
