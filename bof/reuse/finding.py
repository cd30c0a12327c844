"""The reuse graph of a collection: every picture is a query; each pair is reported once, as its surer side has it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from bof.engine import Engine
from bof.geometry import transforms
from bof.options import ReuseOptions
from bof.reuse.reading import RepeatedPictures
from bof.reuse.searching import ImageLink, PictureSearch, turned
from bof.reuse.types import ReuseGraph, SharedPart
from bof.store.catalog import ImageRecord
from bof.system.steps import Progress, Stage
from bof.system.threads import in_threads, n_threads

log = logging.getLogger("bof")

_PER_THREAD = 4
"""Pictures that a thread searches with before the mapped files are given back."""

Pair = tuple[int, int]


def find_reuse(
    engine: Engine | str | os.PathLike[str],
    options: ReuseOptions | None = None,
    progress: Progress | None = None,
) -> ReuseGraph:
    """Which pictures of an index, which is open or lies in a folder, share which part; no file is touched.

    Of files with the same bytes the first by name stands for all: the others are paired with it alone. A picture that
    cannot be read again is searched with as the index holds it, and counted. The same collection and options give the
    same graph. progress: receives the steps. Raises IndexStoreError where the index contradicts itself.
    """
    if isinstance(engine, Engine):
        return _find(engine, options or ReuseOptions(), progress)
    with Engine.open(engine) as opened:
        return _find(opened, options or ReuseOptions(), progress)


def _find(engine: Engine, options: ReuseOptions, progress: Progress | None) -> ReuseGraph:
    rows = engine.images
    image_of = {int(number): image for image, number in enumerate(rows.id.tolist()) if not rows.deleted[image]}
    selection = engine.select()
    records = {image_of[record.id]: record for record in selection.records if record.id in image_of}
    same_bytes = _by_content(records)
    firsts = [images[0] for images in same_bytes]
    links, n_unread = _search(engine, options, firsts, records, progress)
    best = _better_sides(links, records)
    for images in same_bytes:
        best |= {(images[0], other): _same_bytes(images[0], other, records) for other in images[1:]}
    if n_unread:
        log.warning("%d pictures could not be read again: they were searched with as the index holds them", n_unread)
    fields = {image: selection.fields.get(record.id, {}) for image, record in records.items()}
    return _graph(best, records, fields, n_unread)


def _by_content(records: Mapping[int, ImageRecord]) -> list[list[int]]:
    """Images by the bytes of their files, those of one content by name, all by the first name."""
    found: dict[str, list[int]] = {}
    for image in sorted(records, key=lambda image: records[image].name):
        found.setdefault(records[image].sha256, []).append(image)
    return list(found.values())


def _search(
    engine: Engine,
    options: ReuseOptions,
    images: Sequence[int],
    records: Mapping[int, ImageRecord],
    progress: Progress | None,
) -> tuple[list[ImageLink], int]:
    searcher = engine.searcher().restricted({records[image].id for image in images})
    parts = searcher.collection, searcher.vocabulary, engine.features
    search = PictureSearch(*parts, RepeatedPictures(engine), options)
    stage = Stage(progress, "searching", len(images))
    links: list[ImageLink] = []
    n_unread, size = 0, n_threads() * _PER_THREAD
    for first in range(0, len(images), size):
        batch = images[first : first + size]
        for found, as_requested in in_threads(search.links, batch):
            links += found
            n_unread += not as_requested
        searcher.give_back()
        stage.advance(len(batch))
    return links, n_unread


def _better_sides(links: Iterable[ImageLink], records: Mapping[int, ImageRecord]) -> dict[Pair, ImageLink]:
    """Each pair once, by the side that is surer; its image's name before the other's."""
    best: dict[Pair, ImageLink] = {}
    for link in links:
        is_in_order = records[link.image].name <= records[link.other].name
        ordered = link if is_in_order else turned(link)
        pair = ordered.image, ordered.other
        if pair not in best or _strength(ordered) > _strength(best[pair]):
            best[pair] = ordered
    return best


def _strength(link: ImageLink) -> tuple[bool, float, int]:
    return link.kind == "same", link.probability, link.n_inliers


def _same_bytes(image: int, other: int, records: Mapping[int, ImageRecord]) -> ImageLink:
    outline = transforms.corners((0, 0, records[image].width, records[image].height))
    return ImageLink(image, other, "same", "content", 1.0, 1.0, 0, 1.0, np.eye(3), outline, outline, 1.0, 1.0)


# -- The graph --------------------------------------------------------------------------------------------------------


def _graph(
    best: Mapping[Pair, ImageLink],
    records: Mapping[int, ImageRecord],
    fields: Mapping[int, Mapping[str, Sequence[str]]],
    n_unread: int,
) -> ReuseGraph:
    images = sorted({image for pair in best for image in pair}, key=lambda image: records[image].name)
    place_of = {image: place for place, image in enumerate(images)}
    shared = [_shared(link, place_of) for link in best.values()]
    shared.sort(key=lambda pair: (pair.source, pair.target))
    pictures = tuple(records[image] for image in images)
    values = tuple(fields[image] for image in images)
    clusters = tuple(_clusters(len(images), shared))
    return ReuseGraph(pictures, values, tuple(shared), clusters, len(records), n_unread)


def _shared(link: ImageLink, place_of: Mapping[int, int]) -> SharedPart:
    return SharedPart(
        place_of[link.image],
        place_of[link.other],
        link.kind,
        link.basis,
        link.probability,
        link.thing,
        link.n_inliers,
        link.agreement,
        link.other_from_image,
        link.outline,
        link.other_outline,
        link.share,
        link.other_share,
    )


def _clusters(n: int, shared: Sequence[SharedPart]) -> Iterator[tuple[int, ...]]:
    """Places that hang together, the largest first, then by the first place."""
    near: list[list[int]] = [[] for _ in range(n)]
    for pair in shared:
        near[pair.source].append(pair.target)
        near[pair.target].append(pair.source)
    left, found = set(range(n)), []
    for start in range(n):
        if start in left:
            found.append(_reached(start, near))
            left.difference_update(found[-1])
    yield from sorted(found, key=lambda places: (-len(places), places[0]))


def _reached(start: int, near: Sequence[Sequence[int]]) -> tuple[int, ...]:
    seen, front = {start}, [start]
    while front:
        new = [place for place in near[front.pop()] if place not in seen]
        seen.update(new)
        front += new
    return tuple(sorted(seen))
