"""Watch a picture, and compare what has come into an index with all that are watched, each picture once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from bof.engine import Engine, Query
from bof.errors import ImageError
from bof.global_descriptors.sketch import FEW_FEATURES
from bof.retrieval.searcher import Searcher
from bof.standing_queries.newcomers import Newcomers
from bof.standing_queries.prepared import WatchedWords
from bof.standing_queries.storage import WatchList
from bof.standing_queries.types import WatchedPicture, WatchHit
from bof.store.catalog import CatalogueColumns
from bof.system.steps import Progress, Stage
from bof.system.threads import in_threads
from bof.types import Hit

log = logging.getLogger("bof")

FOUND = ("same", "part")
"""Verdicts that are hits."""

N_AT_A_TIME = 500
"""Pictures of the index that are compared, and recorded as such, in one transaction."""

_N_SIDE_BY_SIDE = 32
"""Watched pictures between two moments at which a run can end."""

Prepare = Callable[[bytes], Query]
"""Makes a query of a picture file; where the file is a stranger's, in a process of its own."""


@dataclass(frozen=True, slots=True)
class StandingQueries:
    """The watch-list of an index, and what compares. prepare: None: in this process."""

    engine: Engine
    prepare: Prepare | None = None

    @property
    def watch_list(self) -> WatchList:
        """Where it is kept."""
        return WatchList(self.engine.folder)

    def add(self, picture: bytes, name: str, note: str = "") -> WatchedPicture:
        """Watch a picture: what comes into the index from now on is compared with it.

        Raises ImageError for what is no picture, OptionError for too large a one or too long a name.
        """
        query = self._query(picture)
        self.engine.refresh()
        words = WatchedWords.of(query.features, self.engine.vocabulary)
        since = int(self.engine.images.id.max(initial=0))
        return self.watch_list.add(name, note, sha256(picture).hexdigest(), since, picture, words.pack())

    def catch_up(self, progress: Progress | None = None) -> list[WatchHit]:
        """Compare what has come into the index since with what is watched; returns the hits that are new.

        Whichever process does so, each picture is compared once, and each hit recorded once. Their numbers here are 0.
        """
        found: list[WatchHit] = []
        while (before := self.watch_list.last_compared()) is not None:
            self.engine.refresh()  # before the list is read: what is watched meanwhile wants later pictures alone
            rows = self.engine.images
            images = _after(rows, before)
            if not len(images):
                break
            last = int(rows.id[images[min(len(images), N_AT_A_TIME) - 1]])
            stage = Stage(progress, "watch-list", min(len(images), N_AT_A_TIME))
            hits = list(self._compare(images[:N_AT_A_TIME].tolist(), stage))
            if self.watch_list.record(before, last, hits):
                found += hits
        return found

    # -- Comparing ----------------------------------------------------------------------------------------------------

    def _query(self, picture: bytes) -> Query:
        return self.prepare(picture) if self.prepare else self.engine.query(picture)

    def _compare(self, images: Sequence[int], stage: Stage) -> Iterator[WatchHit]:
        """The hits among some images of the collection, by their numbers in it."""
        searcher, watched = self.engine.searcher(), self.watch_list.pictures()[::-1]
        newcomers = Newcomers.of(images, searcher)
        for first in range(0, len(watched), _N_SIDE_BY_SIDE):
            stage.advance(0)
            some = watched[first : first + _N_SIDE_BY_SIDE]
            for one, likely in zip(some, in_threads(partial(self._likely, newcomers), some), strict=True):
                if likely:
                    yield from self._search(one, searcher, likely)
        stage.advance(len(images))

    def _likely(self, newcomers: Newcomers, watched: WatchedPicture) -> set[int]:
        """The ids of images that may show what is watched; of a picture of few features, that is any."""
        stored = self.watch_list.words(watched.id)
        if stored is None:
            return set()
        words = WatchedWords.unpack(stored, self.engine.vocabulary.n_words)
        is_few = len(words.geometry) < FEW_FEATURES
        images = newcomers.images if is_few else newcomers.may_show(words)
        ids: set[int] = set(self.engine.images.id[list(images)].tolist())
        return {number for number in ids if number > watched.since}

    def _search(self, watched: WatchedPicture, searcher: Searcher, ids: set[int]) -> Iterator[WatchHit]:
        """What a search of the whole collection says of images, by id; of one that it did not verify, by itself."""
        picture = self.watch_list.picture(watched.id)
        if picture is None:
            return
        try:
            query = self._query(picture)
        except ImageError as error:
            log.warning("the watched picture %d cannot be read any more: %s", watched.id, error)
            return
        verifying = searcher.options.verify
        among = searcher.restricted(ids).search(query)
        likely = [image for image in among.images.tolist() if among.verdict(image, verifying) in (*FOUND, "maybe")]
        whole = searcher.search(query) if likely else among
        for image in likely:
            answer = whole if image in whole.evidence else among
            if answer.verdict(image, verifying) in FOUND:
                yield self._hit(watched, self.engine.hits(query, answer.only(image), searcher.options, 1)[0])

    def _hit(self, watched: WatchedPicture, hit: Hit) -> WatchHit:
        row = self.engine.images[hit.image]
        content = next((record.sha256 for record in self.engine.select(ids=[row.id]).records), "")
        n_inliers = hit.verification.n_inliers if hit.verification else 0
        facts = hit.verdict, float(hit.score), hit.probability, n_inliers, time.time()
        return WatchHit(0, watched.id, row.id, hit.name, row.path, content, *facts)


def _after(rows: CatalogueColumns, last: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The live images with higher ids, by id."""
    images = np.flatnonzero((rows.id > last) & ~rows.deleted)
    return images[np.argsort(rows.id[images])]
