"""The pictures of an index, read again for the graph: nobody waits, so that large scans are read too, one at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from bof.alignment.agreement import DECODED
from bof.engine import Engine
from bof.images.decode import Picture, PictureTooLargeError, decode
from bof.options import MAX_PIXELS, PixelLimit, SearchOptions
from bof.retrieval.indexed_pictures import MAX_PIXELS as PIXELS_AT_ONCE
from bof.retrieval.indexed_pictures import IndexedPictures
from bof.retrieval.shown import Pictures
from bof.store.catalog import is_in_memory

_MOST_HELD = 128
"""Small pictures that stay in memory, of about a megabyte each: a picture is compared with several others."""


class RepeatedPictures:
    """`retrieval.inspection.Pictures` that hold the small pictures that were read last. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._large = threading.Lock()
        self._lock = threading.Lock()
        self._held: OrderedDict[int, Picture | None] = OrderedDict()
        self._paths = engine.images.paths
        self._files = IndexedPictures(engine.index, engine.images, self._decode)
        self._in_memory: Pictures | None = engine.searcher(SearchOptions()).pictures

    def contents(self, images: Sequence[int]) -> Mapping[int, str]:
        """The sha256 of the file of each image, as the catalogue has it."""
        return self._files.contents(images)

    def find(self, sha256: str) -> Sequence[int]:
        """The live images whose files have this content."""
        return self._files.find(sha256)

    def read(self, image: int, max_side: PixelLimit) -> Picture | None:
        """The picture of an image in RGB; None where its file is not what was indexed, or cannot be read."""
        if max_side != DECODED:
            return self._read(image, max_side)
        with self._lock:
            if image in self._held:
                self._held.move_to_end(image)
                return self._held[image]
        picture = self._read(image, max_side)
        with self._lock:
            self._held[image] = picture
            while len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)
        return picture

    def _read(self, image: int, max_side: PixelLimit) -> Picture | None:
        if is_in_memory(self._paths[image]) and self._in_memory is not None:
            return self._in_memory.read(image, max_side)
        return self._files.read(image, max_side)

    def _decode(self, data: bytes, max_side: PixelLimit) -> Picture:
        try:
            return decode(data, max_side=max_side, max_pixels=PIXELS_AT_ONCE)
        except PictureTooLargeError:
            with self._large:
                return decode(data, max_side=max_side, max_pixels=MAX_PIXELS)
