"""Standing queries of a server: a thread that compares what comes into the index with what is watched."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bof.engine import Engine, Query
from bof.errors import BofError
from bof.retrieval.indexed_pictures import Decoder
from bof.server.decoding import PictureTask, Pose, Prepare, Prepared, QueryNeeds
from bof.standing_queries.matching import StandingQueries
from bof.standing_queries.storage import WatchList

log = logging.getLogger("bof")

LOOK_SECONDS = 1.0
"""What other processes have added is compared after this long."""


class WatchFollower:
    """The thread. decode, run: read pictures in processes of their own, and raise ImageError.

    It stops between two batches of pictures; what it has not compared by then is compared when the next server starts.
    """

    def __init__(
        self, folder: Path, vocabulary_folder: Path, decode: Decoder, run: Callable[[PictureTask], Any]
    ) -> None:
        self._folder, self._vocabulary_folder = folder, vocabulary_folder
        self._decode, self._run = decode, run
        self._queries: StandingQueries | None = None
        self._poked, self._stopping = threading.Event(), threading.Event()
        self._complaint = ""
        self._thread = threading.Thread(target=self._follow, name="bof-watches", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """Something was committed: look at once."""
        self._poked.set()

    def stop(self, seconds: float) -> None:
        """End it."""
        self._stopping.set()
        self._poked.set()
        self._thread.join(seconds)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
                self._complaint = ""
            except KeyboardInterrupt:
                return
            except Exception as error:
                self._complain(error)
            self._poked.wait(LOOK_SECONDS)
            self._poked.clear()

    def _look(self) -> None:
        """Compare, where something is watched."""
        if WatchList(self._folder).last_compared() is None:
            return
        if self._queries is None:
            engine = Engine.open(self._folder, self._vocabulary_folder)
            engine.decoder = self._decode
            self._queries = StandingQueries(engine, self._prepare)
        self._queries.catch_up(self._show)

    def _show(self, step: object) -> None:
        if self._stopping.is_set():
            raise KeyboardInterrupt

    def _complain(self, error: Exception) -> None:
        self._queries = None  # the index may have become another
        if str(error) != self._complaint:
            is_expected = isinstance(error, BofError | OSError)
            log.error("watched pictures are not compared: %s", error, exc_info=None if is_expected else error)
        self._complaint = str(error)

    def _prepare(self, picture: bytes) -> Query:
        prepared: Prepared = self._run(Prepare(picture, Pose(), QueryNeeds()))
        return prepared.query
