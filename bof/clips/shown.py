"""The pictures of an index that a film shows."""

from __future__ import annotations

import os
from collections.abc import Sequence

from bof.alignment.agreement import DECODED_SIDE_PX
from bof.clips.matching import PictureMatch
from bof.clips.samples import Stretch
from bof.clips.types import PictureInClip
from bof.engine import Engine
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.options import ExpandOptions, SearchOptions
from bof.types import Hit

_SAME, _MOST = 0.988, 0.5


def shown_pictures(
    engine: Engine, path: str | os.PathLike[str], found: Sequence[tuple[PictureMatch, Stretch]]
) -> list[PictureInClip]:
    """Each picture that a sample of a film is called the same as, by its best sample; pixels confirm it.

    Raises ImageError where the film cannot be read again.
    """
    by_image: dict[int, list[tuple[PictureMatch, Stretch]]] = {}
    for match, stretch in found:
        if match.probability >= _SAME:
            by_image.setdefault(match.image, []).append((match, stretch))
    if not by_image:
        return []
    with Film(os.fspath(path), n_threads=0) as film:
        shown = [_shown(engine, film, image, several) for image, several in sorted(by_image.items())]
    return sorted((one for one in shown if one is not None), key=lambda one: (-one.probability, -one.n_inliers))


def _shown(
    engine: Engine, film: Film, image: int, found: Sequence[tuple[PictureMatch, Stretch]]
) -> PictureInClip | None:
    match, stretch = max(found, key=lambda pair: pair[0].verification.n_inliers)
    options = SearchOptions(expand=ExpandOptions(0))
    sample = stretch.samples[match.sample]
    colours = film.frame_at(sample.time, max_side=DECODED_SIDE_PX)
    small = Picture(colours.pixels, sample.picture.width, sample.picture.height)
    query = engine.prepare(sample.picture, options=options, colours=small)
    searcher = engine.searcher(options).restricted({int(engine.images.id[image])})
    hits = engine.hits(query, searcher.search(query), options, 1)
    if not hits or not _is_shown(hits[0]):
        return None
    hit, times = hits[0], sorted({stretch.samples[match.sample].time for match, stretch in found})
    n_inliers = hit.verification.n_inliers if hit.verification else 0
    return PictureInClip(hit.name, hit.path, hit.verdict, match.probability, n_inliers, times, sample.time)


def _is_shown(hit: Hit) -> bool:
    """Is it all of the picture, or most of it? Frames have lost detail, and may have words over them."""
    is_most = hit.agreement is not None and hit.agreement.hit_overlap >= _MOST
    return hit.verdict == "same" or (hit.verdict == "part" and is_most)
