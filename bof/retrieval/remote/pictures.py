"""Pictures of first hits are decoded where the parts are; what travels is the small picture that is compared."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from bof.errors import ClusterError
from bof.images.decode import Picture
from bof.options import PixelLimit
from bof.retrieval.indexed_pictures import IndexedPictures
from bof.retrieval.remote.parts import Ask, RemoteParts
from bof.retrieval.remote.requests import ReadRequest
from bof.retrieval.remote.stages import PartsSession
from bof.store.catalog import ImageRecord


class PicturesOnWorkers(IndexedPictures):
    """Reads pictures where the parts of the index are; where nobody answers there, here."""

    parts: RemoteParts
    firsts: Sequence[int]

    @classmethod
    def over(cls, pictures: IndexedPictures, parts: RemoteParts, firsts: Sequence[int]) -> PicturesOnWorkers:
        """The same pictures. firsts: the number of the first image of each part."""
        found = cls(pictures.index, pictures.rows, pictures.decoder, pictures.lent)
        found.parts, found.firsts = parts, firsts
        return found

    def read_record(self, image: int, record: ImageRecord, max_side: PixelLimit) -> Picture | None:
        """See `IndexedPictures.read_record`."""
        part = bisect_right(self.firsts, image) - 1
        try:
            replies = PartsSession(self.parts).ask({part: Ask(ReadRequest(record, self.index.folder, max_side))})
        except ClusterError:
            replies = {}
        found = replies.get(part)
        return found if isinstance(found, Picture) else super().read_record(image, record, max_side)
