"""The hits of one query as a Python user sees them: a list, a table of plain columns, a table with pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, SupportsIndex, overload

import cv2
import numpy as np

from bof.geometry import transforms
from bof.html import PageImage, inline_jpeg, render
from bof.images.address import Address
from bof.images.decode import Picture, shrink, to_rgb
from bof.images.draw import GREEN, VIOLET, encode_jpeg
from bof.images.films.times import times_of
from bof.options import PixelLimit, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.query import Query
from bof.store.catalog import ImageRow
from bof.types import F64, U8, Box, FilmPlace, Hit, ValueGroup

THUMBNAIL_PX = 160
_READ_PX = 512
_QUALITY = 78
_SHIFT = 4
_FARTHEST_PX = 1 << 14
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """An image of an answer at its place: its number, its score, and the group that it is the best of; of a frame
    of a film, how many of the film's shots are called the same.
    """

    image: int
    score: float
    group: ValueGroup | None = None
    n_shots: int = 0


class Reader(Protocol):
    """Reads pictures of a collection again."""

    def read(self, image: int, max_side: PixelLimit, part: str = "") -> Picture | None:
        """The picture of an image, or another part of its file; None where it is not at hand, or is another now."""


class Hits(list[Hit]):
    """Hits, best first, of one query. query: its picture; reader: reads those of the hits; both are for showing.

    In a notebook it is shown as a table with pictures.
    """

    def __init__(self, hits: Iterable[Hit] = (), query: Picture | None = None, reader: Reader | None = None) -> None:
        super().__init__(hits)
        self._query, self._reader = query, reader

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> Hits: ...

    def __getitem__(self, place: SupportsIndex | slice) -> Hit | Hits:
        if isinstance(place, slice):
            return Hits(super().__getitem__(place), self._query, self._reader)
        return super().__getitem__(place)

    def __repr__(self) -> str:
        first = ", ".join(f"{hit.name!r} {hit.verdict}" for hit in self[:_SHOWN])
        more = ", ..." if len(self) > _SHOWN else ""
        return f"Hits({len(self)}{': ' if self else ''}{first}{more})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels and is stored without the pictures."""
        return Hits, (list(self),)

    def to_records(self) -> list[dict[str, Any]]:
        """A row of plain values a hit, all with the same columns: for pandas.DataFrame, pyarrow, csv.DictWriter.

        rank from 1; left, top, right, bottom: what bounds the query (of a part: what agrees) in the hit, in pixels;
        what is not known is None. docs/python.md describes the columns.
        """
        return [{"rank": rank, **_record(hit)} for rank, hit in enumerate(self, 1)]

    def _repr_html_(self) -> str:
        query = _embedded(self._query.pixels) if self._query else PageImage("", problem="not at hand")
        rows = [(record, self._thumbnail(hit)) for record, hit in zip(self.to_records(), self, strict=True)]
        return render("hits.html", "bof", query=query, rows=rows)

    def _thumbnail(self, hit: Hit) -> PageImage:
        """The hit's picture, and in it the outline of the query."""
        picture = self._reader.read(hit.image, _READ_PX, hit.shown_part) if self._reader else None
        if picture is None:
            return PageImage("", problem="the picture is not at hand")
        pixels = shrink(to_rgb(picture.pixels), THUMBNAIL_PX)
        return _embedded(_outlined(pixels, picture, hit))


def hit_of(
    row: ImageRow,
    query: Query,
    answer: Answer,
    placed: PlacedImage,
    options: VerifyOptions,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> Hit:
    """The hit of one image. row and fields: what the catalogue says of it."""
    image = placed.image
    number = answer.query_numbers.get(image, 0)
    query = query.part(number)
    verification = answer.verifications.get(image)
    transform = verification.database_from_query if verification else None
    outline = transforms.apply(transform, query.outline) if transform is not None else None
    facts = placed.score, answer.probability(image), answer.verdict(image, options), row.width, row.height
    inspected = answer.agreements.get(image), answer.basis.get(image)
    part = Address.parse(row.path).part
    found = Hit(image, row.name, Path(row.path), *facts, verification, outline, *inspected, part)
    return replace(
        found,
        query_outline=_in_query(query, transform, row),
        fields=fields or {},
        group=placed.group,
        film=_film_place(part, placed.n_shots),
        query_number=number,
    )


def _film_place(part: str, n_shots: int) -> FilmPlace | None:
    """Where a frame of a film is; None for any other part, or none."""
    times = times_of(part)
    return FilmPlace(float(times.time), float(times.start), float(times.stop), n_shots) if times else None


def _in_query(query: Query, transform: F64 | None, row: ImageRow) -> F64 | None:
    """Where an image lies in the query's picture; None where nothing was verified, or it lies outside."""
    if transform is None or not np.linalg.det(transform):
        return None
    size = query.features.geometry.width, query.features.geometry.height
    return transforms.lies_in(np.asarray(np.linalg.inv(transform), np.float64), (row.width, row.height), size)


def bounds_of(hit: Hit) -> Box | None:
    """What bounds the query, or for a part what agrees, in the hit's picture, in pixels; None where nothing does."""
    outline = outline_of(hit)
    if outline is None:
        return None
    size = [hit.width, hit.height]
    low, high = np.clip(outline.min(axis=0), 0, size), np.clip(outline.max(axis=0), 0, size)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def outline_of(hit: Hit) -> F64 | None:
    """The corners f64 (n, 2) of the query, or for a part of what agrees, in the hit's picture; None for nothing."""
    shared = hit.agreement if hit.verdict == "part" else None
    return None if hit.verdict == "no" else shared.hit_region if shared else hit.outline


def _record(hit: Hit) -> dict[str, Any]:
    found, box, group = hit.agreement, bounds_of(hit), hit.group
    left, top, right, bottom = box or (None, None, None, None)
    return {
        "name": hit.name,
        "path": str(hit.file),
        "part": hit.part,
        "verdict": hit.verdict,
        "basis": hit.basis,
        "score": float(hit.score),
        "probability": None if hit.probability is None else float(hit.probability),
        "inliers": hit.verification.n_inliers if hit.verification else None,
        "mirrored": hit.verification.mirrored if hit.verification else None,
        "variant": hit.verification.variant if hit.verification else None,
        "query_overlap": float(found.query_overlap) if found else None,
        "hit_overlap": float(found.hit_overlap) if found else None,
        "left": left, "top": top, "right": right, "bottom": bottom,
        "width": hit.width,
        "height": hit.height,
        "query_number": hit.query_number,
        "group": group.value if group else None,
        "group_agree": group.n_agree if group else None,
        "group_found": group.n_found if group else None,
        "group_pictures": group.n_pictures if group else None,
        "margin": group.margin if group else None,
        "time": hit.film.time if hit.film else None,
        "shot_start": hit.film.start if hit.film else None,
        "shot_stop": hit.film.stop if hit.film else None,
        "shots": hit.film.n_shots if hit.film else None,
    }  # fmt: skip


def _outlined(pixels: U8, picture: Picture, hit: Hit) -> U8:
    outline = outline_of(hit)
    if outline is None:
        return pixels
    scale = pixels.shape[1] / picture.width, pixels.shape[0] / picture.height
    points = (outline + 0.5) * scale - 0.5
    if not np.isfinite(points).all() or np.abs(points).max() > _FARTHEST_PX:
        return pixels
    drawn = np.array(pixels)
    corners = [np.rint(points * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)]
    cv2.polylines(drawn, corners, True, VIOLET if hit.verdict == "part" else GREEN, 2, cv2.LINE_AA, _SHIFT)
    return drawn


def _embedded(pixels: U8) -> PageImage:
    shown = shrink(to_rgb(pixels), THUMBNAIL_PX)
    return PageImage(inline_jpeg(encode_jpeg(shown, _QUALITY)), shown.shape[1], shown.shape[0])
