"""The pictures of an index, read again. A file, or a picture in memory, counts only as what was indexed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bof.errors import ImageError, display_name
from bof.images.address import Address, is_part, is_remote
from bof.images.decode import Picture, decode, to_rgb
from bof.images.opening import read_content
from bof.images.sources import Channels, Source, open_source
from bof.options import PixelLimit
from bof.store.catalog import CatalogueColumns, ImageRecord, is_in_memory
from bof.store.index import Index
from bof.store.judgments import ByContent
from bof.store.pictures import StoredPictures

log = logging.getLogger("bof")

MAX_PIXELS, MAX_BYTES = 24_000_000, 64 << 20
"""A larger picture is not read while somebody waits: decoding it takes longer and more memory than the search."""


Decoder = Callable[[bytes, PixelLimit], Picture]
"""Makes a picture in RGB of a file's bytes, with at most so long a side. Raises ImageError."""


def decode_here(data: bytes, max_side: PixelLimit) -> Picture:
    """Decode in this process."""
    return decode(data, max_side=max_side, max_pixels=MAX_PIXELS)


@dataclass(frozen=True, slots=True)
class LentPictures:
    """Pictures in memory that the user has at hand, by id; channels: the order of the colours of arrays."""

    pictures: Mapping[str, Source]
    channels: Channels = "RGB"

    def read(self, record: ImageRecord, max_side: PixelLimit) -> Picture | None:
        """One in RGB; None where it is not at hand, or is another than was indexed. Raises ImageError."""
        source = self.pictures.get(record.name)
        if source is None:
            return None
        opened = open_source(source, self.channels, name=record.name)
        if opened.sha256 != record.sha256:
            log.warning("%s: the picture at hand is not what was indexed; it is not used", display_name(record.name))
            return None
        picture = opened.colours(max_side)
        return replace(picture, pixels=to_rgb(picture.pixels))


def read_as_indexed(record: ImageRecord, folder: Path, max_bytes: int = MAX_BYTES) -> bytes | None:
    """The bytes of an image's file, or of the part of one, as `decode` takes them; None unless it is what was indexed.

    A part is known by its file's size and time: the content of a large file is not compared while somebody waits. Of a
    picture that lies on another machine: what the index in the folder stores of it, a thumbnail at least.
    Raises ImageError.
    """
    if is_remote(record.path):
        return StoredPictures(folder).read(record.sha256)
    if is_part(record.path):
        current = record.file.is_current()
        return read_content(record.path, max_bytes=max_bytes, max_pixels=MAX_PIXELS) if current else None
    if record.n_bytes > max_bytes:
        return None
    data = read_content(record.path, max_bytes=record.n_bytes)
    return data if hashlib.sha256(data).hexdigest() == record.sha256 else None


def read_picture_of(record: ImageRecord, folder: Path, max_side: PixelLimit, decoder: Decoder) -> Picture | None:
    """The picture in RGB, in the frame of what was indexed; None where its file is another now. Raises ImageError."""
    data = read_as_indexed(record, folder)
    picture = None if data is None else decoder(data, max_side)
    return sized(picture, record) if picture and is_remote(record.path) else picture


def sized(picture: Picture, record: ImageRecord) -> Picture:
    """A smaller version of an indexed picture, in the frame of what was indexed."""
    return replace(picture, width=record.width, height=record.height)


class IndexedPictures:
    """Reads pictures of an index. rows: the commit that searches see; decoder: makes pictures of files;
    lent: pictures in memory that the user has at hand, by id.

    What the catalogue says of a picture is looked up once.
    """

    def __init__(
        self,
        index: Index,
        rows: CatalogueColumns,
        decoder: Decoder = decode_here,
        lent: LentPictures | None = None,
    ) -> None:
        self.index, self.rows, self.decoder = index, rows, decoder
        self.lent = lent or LentPictures({})
        self._records: dict[int, ImageRecord | None] = {}

    def contents(self, images: Sequence[int]) -> Mapping[int, str]:
        """The sha256 of the file of each image, as the catalogue has it."""
        self._look_up(images)
        found = ((image, self._records[image]) for image in images)
        return {image: record.sha256 for image, record in found if record is not None}

    def find(self, sha256: str) -> Sequence[int]:
        """The live images whose files have this content, by name."""
        ids = [number for number, _ in self.index.ids_of_contents([sha256])]
        found = np.flatnonzero(np.isin(self.rows.id, ids) & ~self.rows.deleted).tolist() if ids else []
        return sorted(found, key=lambda image: self.rows.names[image])

    def read(self, image: int, max_side: PixelLimit, part: str = "") -> Picture | None:
        """The picture of an image in RGB, or another part of its file; None where the file is not what was indexed, is
        large, or cannot be read.
        """
        self._look_up([image])
        record = self._records[image]
        if record is None:
            return None
        try:
            if is_in_memory(record.path):
                return self.lent.read(record, max_side)
            if part:
                record = replace(record, path=str(replace(Address.parse(record.path), part=part)))
            return self.read_record(image, record, max_side)
        except ImageError:
            return None

    def read_record(self, image: int, record: ImageRecord, max_side: PixelLimit) -> Picture | None:
        """The picture of an image as a record names it. Raises ImageError."""
        return read_picture_of(record, self.index.folder, max_side, self.decoder)

    def _look_up(self, images: Iterable[int]) -> None:
        ids = {int(self.rows.id[image]): image for image in images if image not in self._records}
        if ids:
            found = {record.id: record for record in self.index.select(ids=list(ids)).records}
            self._records |= {image: found.get(number) for number, image in ids.items()}  # at once: threads share it


@dataclass(frozen=True, slots=True)
class IndexedJudgments:
    """What was judged, by the images of a commit of an index. rows: of the commit."""

    index: Index
    rows: CatalogueColumns
    by_content: ByContent

    def of(self, sha256: str) -> dict[int, bool]:
        """By image, in the order of their names: does it show the same thing as the picture of this content?

        Nothing of those not judged.
        """
        judged = self.by_content.get(sha256)
        if not judged:
            return {}
        content_of = dict(self.index.ids_of_contents(list(judged)))
        images = np.flatnonzero(np.isin(self.rows.id, list(content_of)) & ~self.rows.deleted).tolist()
        ordered = sorted(images, key=lambda image: self.rows.names[image])
        return {image: judged[content_of[int(self.rows.id[image])]] for image in ordered}
