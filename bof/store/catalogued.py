"""What the catalogue of an index says: which images there are, and what they are annotated with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bof.store import catalog
from bof.store.catalog import ImageRecord, Order, SegmentRecord, Selection


@dataclass(frozen=True, slots=True)
class CataloguedFolder:
    """A folder with a catalogue. Each question is answered as of the moment that it is asked."""

    folder: Path

    @property
    def roots(self) -> list[Path]:
        """The folders that were added, which can be looked into again."""
        return [Path(root) for root in catalog.read_meta(self.folder).get("roots", [])]

    def generation(self) -> int:
        """A number that every commit changes."""
        return catalog.read_generation(self.folder)

    def segments(self) -> list[SegmentRecord]:
        """Every segment and what its files must be."""
        with catalog.reading(self.folder) as database:
            return catalog.read_segments(database)

    def count(self) -> int:
        """How many images there are."""
        return catalog.count_images(self.folder)

    def records(self) -> list[ImageRecord]:
        """Every image, in the order of their names."""
        return catalog.read_records(self.folder)

    def select(
        self,
        where: str = "",
        text: str = "",
        *,
        order: Order = "name",
        offset: int = 0,
        limit: int = -1,
        ids: Collection[int] | None = None,
        paths: Collection[str] | None = None,
    ) -> Selection:
        """Some images and what they are annotated with: see `catalog.select`."""
        return catalog.select(self.folder, where, text, order=order, offset=offset, limit=limit, ids=ids, paths=paths)

    def ids_of_contents(self, contents: Collection[str]) -> list[tuple[int, str]]:
        """The id and the content of each image whose file has one of these. Reads every row of the catalogue."""
        return catalog.ids_of_contents(self.folder, contents)

    def values_of(self, key: str) -> list[tuple[int, str]]:
        """The id of each image and each of its values of a field. Raises OptionError for an unknown one."""
        return catalog.values_of(self.folder, key)

    def count_values(self, key: str, ids: Collection[int]) -> dict[str, int]:
        """How many of some images have each value of a field, or lie in each first folder of a name."""
        return catalog.count_values(self.folder, key, ids)

    def select_ids(self, where: str = "", text: str = "", ids: Collection[int] | None = None) -> set[int]:
        """The ids of the images that `select` would select."""
        return catalog.select_ids(self.folder, where, text, ids)

    def metadata(self) -> dict[str, dict[str, list[str]]]:
        """What pictures are annotated with, also those that are not in the index now: path -> key -> values."""
        return catalog.read_metadata(self.folder)

    def count_annotated(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many images have each tag, and how many each other field."""
        return catalog.count_annotated(self.folder)
