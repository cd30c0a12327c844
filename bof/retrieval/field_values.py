"""The values of a field of an index's pictures as columns, so that any answer can be grouped by them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np

from bof.images.address import Address
from bof.retrieval.grouped import FieldValues
from bof.store import catalog
from bof.store.catalog import CatalogueColumns
from bof.store.film_frames import FilmFrames
from bof.store.index import Index
from bof.types import I32, I64


def field_values(index: Index, field: str, rows: CatalogueColumns, films: FilmFrames | None = None) -> FieldValues:
    """Of the images of a commit, in `rows`; fields are those of the newest.

    `folder`: all of the folder that a name lies in; `name`: of the file that holds a picture. Raises OptionError for a
    field that no picture has. films: which images are frames: a film counts once.
    """
    live = np.flatnonzero(~rows.deleted)
    if field in catalog.GROUPING:
        return _columns(field, _places(field, rows, live.tolist()), films)
    image_of = dict(zip(rows.id[live].tolist(), live.tolist(), strict=True))
    found = index.values_of(field)
    return _columns(field, ((image_of[number], value) for number, value in found if number in image_of), films)


def _places(field: str, rows: CatalogueColumns, images: Iterable[int]) -> Iterator[tuple[int, str]]:
    for image in images:
        row = rows[image]
        name = Address.file_name(row.path, row.name)
        if value := name if field == "name" else os.path.dirname(name):
            yield image, value


def _columns(field: str, pairs: Iterable[tuple[int, str]], films: FilmFrames | None) -> FieldValues:
    """Pairs of an image and one of its values."""
    listed = list(pairs)
    names = sorted({value for _, value in listed})
    number_of = {name: number for number, name in enumerate(names)}
    images = np.array([image for image, _ in listed], np.int64)
    values = np.array([number_of[value] for _, value in listed], np.int32)
    return FieldValues(field, images, values, names, _count(images, values, len(names), films))


def _count(images: I64, values: I32, n_values: int, films: FilmFrames | None) -> I64:
    """How many pictures and films have each value, i64 (n_values,)."""
    if films is not None:
        film = films.film[images]
        document = np.where(film < 0, images, len(films.film) + film.astype(np.int64))
        values = np.unique(np.stack([document, values]), axis=1)[1].astype(np.int32)
    return np.bincount(values, minlength=n_values)
