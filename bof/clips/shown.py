"""The pictures of an index that a film shows."""

from __future__ import annotations

from collections.abc import Sequence

from bof.clips.matching import PictureMatch
from bof.clips.samples import Stretch
from bof.clips.types import ShownPicture
from bof.engine import Engine
from bof.options import ExpandOptions, SearchOptions

_SAME = 0.988


def shown_pictures(engine: Engine, found: Sequence[tuple[PictureMatch, Stretch]]) -> list[ShownPicture]:
    """Each picture that a sample is called the same as, by its best sample; pixels confirm it."""
    by_image: dict[int, list[tuple[PictureMatch, Stretch]]] = {}
    for match, stretch in found:
        if match.probability >= _SAME:
            by_image.setdefault(match.image, []).append((match, stretch))
    shown = (_shown(engine, image, several) for image, several in sorted(by_image.items()))
    return sorted((one for one in shown if one is not None), key=lambda one: (-one.probability, -one.n_inliers))


def _shown(engine: Engine, image: int, found: Sequence[tuple[PictureMatch, Stretch]]) -> ShownPicture | None:
    match, stretch = max(found, key=lambda pair: pair[0].verification.n_inliers)
    options = SearchOptions(expand=ExpandOptions(0))
    sample = stretch.samples[match.sample]
    query = engine.prepare(sample.picture, options=options)
    searcher = engine.searcher(options).restricted({int(engine.images.id[image])})
    hits = engine.hits(query, searcher.search(query), options, 1)
    if not hits or hits[0].verdict != "same":
        return None
    hit, times = hits[0], sorted({stretch.samples[match.sample].time for match, stretch in found})
    n_inliers = hit.verification.n_inliers if hit.verification else 0
    return ShownPicture(hit.name, hit.path, hit.probability or 0.0, n_inliers, times, sample.time)
