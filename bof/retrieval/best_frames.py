"""The first hits that are films get the exact frame of their shot that shows the query best, read from the film."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bof.geometry import transforms
from bof.images.decode import Picture, crop, to_grey
from bof.images.films.times import times_of
from bof.options import FeatureOptions, VerifyOptions, VideoOptions
from bof.retrieval.query import Query
from bof.retrieval.variants import feature_variant_of
from bof.system.workers import Limits, run_in_workers
from bof.types import F64, Agreement, Hit, Verification
from bof.video.best_frame import BestFrame
from bof.video.frame_search import FrameSearch, QueryView

_REACH = Fraction(15)
"""Seconds around the keyframe in which the frame is looked for: who searches waits."""

_MOST_SIDE = 4096
"""Of a query that is compared in its own size with frames in theirs."""

_LIMITS = Limits(30.0, 1 << 30)
_WORKERS = 2
_FOUND = ("same", "part", "maybe")


def with_best_frames(
    query: Query, hits: Sequence[Hit], current: Collection[int], options: VerifyOptions, features: FeatureOptions
) -> list[Hit]:
    """The hits, the first options.frames of those in films with the exact frame; where that is not found, as they were.

    current: images whose files are those that were indexed. Films are read in processes of their own.
    """
    searches: dict[int, FrameSearch] = {}
    in_full: dict[int, Picture | None] = {}
    for place, hit in enumerate(hits):
        if hit.image in current and hit.film and hit.verdict in _FOUND and len(searches) < options.frames:
            part, number = query.part(hit.query_number), hit.query_number
            if number not in in_full:
                in_full[number] = _read_in_full(part)
            search = _search(part, hit, options, features, in_full[number])
            searches |= {place: search} if search else {}
    found = run_in_workers("bof.video.best_frame:find_in_worker", None, searches.values(), _WORKERS, _LIMITS)
    changed = dict(zip(searches, found, strict=True))
    return [
        _with_frame(query.part(hit.query_number), hit, best)
        if isinstance(best := changed.get(place), BestFrame)
        else hit
        for place, hit in enumerate(hits)
    ]


def _search(
    query: Query, hit: Hit, options: VerifyOptions, features: FeatureOptions, in_full: Picture | None
) -> FrameSearch | None:
    """What to look for, and where; None where it cannot be: by geometry, with the query's pixels at hand.

    in_full: these in their own size, if they are.
    """
    times = times_of(hit.part)
    if times is None or query.picture is None or hit.verification is None:
        return None
    if hit.verification.database_from_query is None or not len(hit.verification.inliers):
        return None
    start, stop = max(times.start, times.time - _REACH), min(times.stop, times.time + _REACH)
    variant = feature_variant_of(hit.verification, query.features)
    sought = variant.features if variant else query.features
    step = Fraction(str(VideoOptions().sampling_step))
    full = _view(query, in_full, hit.verification) if in_full else None
    views = _view(query, query.picture, hit.verification), full
    return FrameSearch(str(hit.file), times.time, start, stop, step, sought, *views, features, options)


def _view(query: Query, picture: Picture, found: Verification) -> QueryView:
    """A query's pixels in grey, mirrored or inverted where it was found so."""
    grey, (left, top, *_) = to_grey(picture.pixels), query.box
    if found.variant == "inverted":
        grey = np.asarray(255 - grey, np.uint8)
    elif found.mirrored:
        grey = np.ascontiguousarray(grey[:, ::-1])
        left = query.features.geometry.width - left - picture.width
    height, width = grey.shape
    shrunk = transforms.scaling(width / picture.width, height / picture.height)
    return QueryView(grey, shrunk @ transforms.translation(-left, -top))


def _read_in_full(query: Query) -> Picture | None:
    """What a query shows, with all its pixels; None where these are not at hand, or too many."""
    small, source = query.picture, query.source
    if small is None or small.pixels.shape[:2] == (small.height, small.width):
        return small
    if source is None or max(source.width, source.height) > _MOST_SIDE:
        return None
    whole = source.grey(_MOST_SIDE)
    return None if whole is None else Picture(crop(whole, query.box), small.width, small.height)


def _with_frame(query: Query, hit: Hit, best: BestFrame) -> Hit:
    """The hit as the exact frame shows it; its verdict and score are those of the keyframe."""
    assert hit.verification is not None
    assert hit.film is not None
    size, variant = query.features.geometry, feature_variant_of(hit.verification, query.features)
    found = variant.in_query(best.verification) if variant else best.verification
    transform, of_keyframe = found.database_from_query, hit.verification.database_from_query
    if transform is None or of_keyframe is None or not np.linalg.det(transform) or not np.linalg.det(of_keyframe):
        return hit
    inverse = np.asarray(np.linalg.inv(transform), np.float64)
    return replace(
        hit,
        verification=found,
        outline=transforms.apply(transform, query.outline),
        query_outline=transforms.lies_in(inverse, (hit.width, hit.height), (size.width, size.height)),
        agreement=_moved(hit.agreement, transform @ np.linalg.inv(of_keyframe)),
        film=replace(hit.film, time=float(best.time)),
        frame_xy_px=best.xy_px,
    )


def _moved(agreement: Agreement | None, frame_from_keyframe: F64) -> Agreement | None:
    """What agrees of the keyframe, where it is in another frame."""
    if agreement is None or agreement.hit_region is None:
        return agreement
    return replace(agreement, hit_region=transforms.apply(frame_from_keyframe, agreement.hit_region))
