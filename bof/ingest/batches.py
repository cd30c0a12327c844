"""Extracted pictures gather in memory and become commits."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bof.images.listing import Skipped
from bof.ingest.extract import Extracted
from bof.options import IndexOptions
from bof.store.catalog import Fields
from bof.store.writer import Writer

MAX_WAITING_FEATURES = 1 << 19
"""What memory holds until it is committed, whatever the options say."""


class Batches:
    """Gathers extracted pictures and commits them whenever enough have come, or enough time has passed."""

    def __init__(self, writer: Writer, options: IndexOptions) -> None:
        self._writer = writer
        self._options = options
        self._waiting: list[Extracted] = []
        self._waiting_features = 0
        self._last_commit = time.monotonic()
        self._annotated: dict[str, Fields] = {}
        self.n_added = 0
        self.n_features = 0
        self.skipped: list[Skipped] = []

    def take(self, item: Extracted | Skipped, fields: Fields | None = None) -> None:
        """One picture more. fields: what it is annotated with in the same commit, instead of what these had."""
        if isinstance(item, Skipped):
            self.skipped.append(item)
        self.take_together([] if isinstance(item, Skipped) else [item], fields)

    def take_together(self, items: Sequence[Extracted], fields: Fields | None = None) -> None:
        """Pictures that come into the index in one commit, or not at all."""
        for item in items:
            self._waiting.append(item)
            self._annotated.update({item[0].path: fields} if fields else {})
            self._waiting_features += len(item[1])
        is_full = self._waiting_features >= MAX_WAITING_FEATURES or len(self._waiting) >= self._options.commit_images
        if is_full or time.monotonic() - self._last_commit >= self._options.commit_seconds:
            self.commit()

    def adopted(self, n_images: int, n_features: int) -> None:
        """Pictures were committed as a segment of their own."""
        self.n_added += n_images
        self.n_features += n_features

    @property
    def n_waiting(self) -> int:
        """Pictures that are not committed yet."""
        return len(self._waiting)

    def commit(self) -> None:
        """Commit what waits."""
        if self._waiting:
            self._writer.append(self._waiting, self._annotated)
        self.n_added += len(self._waiting)
        self.n_features += self._waiting_features
        self._waiting, self._waiting_features, self._annotated = [], 0, {}
        self._last_commit = time.monotonic()
