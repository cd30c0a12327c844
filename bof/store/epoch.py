"""The statistics epoch of an index: what every part weighs by, frozen as of one commit of each.

An ordinary index is one part. A process that opens one part alone (`Index.open_part`) weighs it by the epoch, so that
its votes and lengths are, to the bit, those that the whole index has of the same pictures. It is small: no row of a
picture is in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bof.store.inverted_file import inverse_document_frequency
from bof.types import F64, I64


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part as of one commit.

    name: of its folder below INDEX/parts, "" for an ordinary index; generation: its commit's number; n_images and
    n_features: how many live; n_rows: its images, removed ones included; first_image: the number that its first has in
    the whole.
    """

    name: str
    generation: int
    n_images: int
    n_features: int
    n_rows: int
    first_image: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One commit of every part, and the statistics of them all.

    number: changes with every commit of any part; document_frequency i64 (n_words,): in how many documents each word
    is, of n_documents, a document being a picture or a whole film, wherever its frames lie.
    """

    number: int
    parts: tuple[PartFacts, ...]
    document_frequency: I64
    n_documents: int

    def __repr__(self) -> str:
        return f"Epoch({self.number}, {len(self.parts)} parts, {self.n_images} images)"

    @property
    def n_images(self) -> int:
        """Live images of all parts."""
        return sum(part.n_images for part in self.parts)

    @property
    def n_features(self) -> int:
        """Features of the live images."""
        return sum(part.n_features for part in self.parts)

    @property
    def n_rows(self) -> int:
        """Images of all parts, removed ones included."""
        return sum(part.n_rows for part in self.parts)

    @property
    def idf(self) -> F64:
        """What each word weighs in every part, f64 (n_words,)."""
        return inverse_document_frequency(self.document_frequency, self.n_documents)

    def part_of(self, image: int) -> tuple[PartFacts, int]:
        """The part of an image of the whole, and the image's number in it."""
        firsts = np.array([part.first_image for part in self.parts])
        part = self.parts[int(np.searchsorted(firsts, image, side="right")) - 1]
        return part, image - part.first_image
