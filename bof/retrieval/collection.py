"""What a search needs of an index: `store.index.Snapshot` has it, and an index in parts could."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any, Protocol, Self

from numpy.typing import NDArray

from bof.geometry.hypotheses import Placement
from bof.global_descriptors.ann_index import EmbeddingPart
from bof.store.catalog import CatalogueColumns
from bof.store.film_frames import FilmFrames
from bof.store.inverted_file import Postings, Weights
from bof.types import I32, I64, U16, U64, Bool, Geometry


class Collection(Protocol):
    """The images of an index as of one commit, numbered from 0.

    rows: their names, sizes and ids; films: which are frames of films, None: none is; weights: idf, TF-IDF lengths and
    which of them may answer; n_images and n_features: how many live, whatever a filter lets answer; postings: the
    inverted file, a piece a segment.
    """

    @property
    def rows(self) -> CatalogueColumns:
        """What the catalogue says of each image."""

    @property
    def films(self) -> FilmFrames | None:
        """Which images are frames of which film and shot."""

    @property
    def weights(self) -> Weights:
        """Derived from the whole collection."""

    @property
    def n_images(self) -> int:
        """Live images."""

    @property
    def n_features(self) -> int:
        """Features of the live images."""

    @property
    def postings(self) -> Sequence[Postings]:
        """Every segment's postings."""

    def geometry(self, image: int, features: U16 | None = None) -> Geometry:
        """Where the features of an image lie, or only those in the rows `features`, in pixels of the original."""

    def placement(self, images: I64, indptr: I64, features: U16) -> Placement:
        """Where features u16 (m,) of some images lie: those of image i at indptr[i]:indptr[i + 1]."""

    def words(self, image: int) -> tuple[I32, U64]:
        """Words i32 (n,) and signatures u64 (n,) of an image's features."""

    def column(self, name: str) -> Iterator[tuple[slice, NDArray[Any], Bool]]:
        """A column of global descriptors, a segment at a time: which images, their rows, which of them are known."""

    def columns_known(self, group: str) -> Bool:
        """Which images bool (n_images,) have rows in a group of such columns."""

    def embeddings(self) -> Sequence[EmbeddingPart]:
        """The embeddings of each segment that has any."""

    def restricted(self, ids: Set[int]) -> Self:
        """Only images of these ids answer; everything is weighed as in the whole collection."""

    def require_whole(self) -> None:
        """Raises ShrunkFileError where a file became shorter while it was read: what was found is worthless."""

    def stay_within(self, n_bytes: int) -> None:
        """Give back the memory of mapped files where it is more than this."""
