"""What is read of a stored query's picture, in processes of their own: all of it, and a box of it as a query."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bof.retrieval.query import Query, WholePicture, read_whole
from bof.server.decoding import DecodeSpec, QueryNeeds
from bof.server.poses import Pose, PosedPicture
from bof.types import Box


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture as it was sent. frame: width and height of the upright picture that it is a smaller copy of, in whose
    pixels coordinates are, None: it is no copy; content: the SHA-256 of that picture's file, empty where unknown.
    """

    data: bytes
    frame: tuple[int, int] | None = None
    content: str = ""

    @property
    def sha256(self) -> str:
        """Of the file that it stands for."""
        return self.content or hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class ReadWhole:
    """All of a picture, as searches with any box of it need it. pose: without a box."""

    picture: SentPicture
    pose: Pose
    needs: QueryNeeds

    def run(self, spec: DecodeSpec) -> WholePicture:
        """In the child."""
        posed = PosedPicture(self.picture.data, self.pose, spec.max_pixels, self.picture.frame)
        whole = read_whole(posed, self.needs.of(spec.features))
        stands_for = self.picture.content if self.pose == Pose() else ""
        return WholePicture(whole.picture, whole.colours, whole.features, stands_for or whole.sha256)


@dataclass(frozen=True, slots=True)
class CutQuery:
    """A box of a picture that was read, as a query with columns: their model runs where pictures are read."""

    whole: WholePicture
    box: Box | None
    needs: QueryNeeds

    def run(self, _spec: DecodeSpec) -> Query:
        """In the child."""
        return self.whole.query(self.box, self.needs.column_spec)
