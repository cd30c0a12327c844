"""All that is done with one index: opened, searched, checked, served, looked through for duplicates, changed."""

from __future__ import annotations

import contextlib
import io
import logging
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from bof import duplicates, index
from bof.engine import Engine
from bof.errors import BofError
from bof.options import RANKERS, SearchOptions, ServeOptions
from bof.server.app import Application
from bof.server.service import Settings
from scripts.torture.children import Say
from scripts.torture.sound import Sound

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that httpx will have a successor
    from starlette.testclient import TestClient

REMOVED = "2.png"
"""The picture that is removed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation: its answer as text, how it failed, what was said, in how much processor time.

    traceback: of an error that no user should see; words: warnings, errors in one line, what --check found.
    """

    operation: str
    answer: str = ""
    words: list[str] = field(default_factory=list)
    traceback: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Use:
    """One index under way through all operations."""

    sound: Sound
    folder: Path
    engine: Engine | None = None

    def open(self) -> object:
        """The index, opened once for all searches."""
        self.engine = Engine.open(self.folder)
        return len(self.engine)

    def search(self, **options: Any) -> object:
        """Names, scores and verdicts of an answer."""
        chosen = SearchOptions(**options)
        if self.engine is None:
            self.open()
        engine = cast(Engine, self.engine)
        hits = engine.hits(self.sound.query, engine.answer(self.sound.query, chosen), chosen)
        return [(hit.name, hit.score, hit.verdict) for hit in hits]

    def facts(self) -> object:
        """What the catalogue says."""
        engine = Engine.open(self.folder)
        selections = [engine.select("tag = kept", "bern"), engine.select("width > 10", order="newest", limit=3)]
        return engine.records(), engine.count_annotated(), selections, engine.column_spec.groups

    def serve(self) -> object:
        """Two requests to a server of its own."""
        settings = Settings(self.folder, uploads=self.folder / "uploads")
        application = Application(settings, ServeOptions(rate=0))
        with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            png = {"content-type": "image/png"}
            found = client.post("/api/v1/search", content=self.sound.png, headers=png, params={"ranker": "bof+color"})
            listed = client.get("/api/v1/images", params={"text": "bern"})
        for response in (found, listed):
            if response.status_code == 500:
                raise RuntimeError(f"status 500: {response.text[:300]}")
            if response.status_code != 200:
                raise _RefusedError(response.text[:300])
        return [(hit["name"], hit["score"]) for hit in found.json()["hits"]], listed.json()

    def command(self, main: Callable[[list[str]], int], *flags: str) -> object:
        """A command as a user gives it; its output."""
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            status = main(["--index", str(self.folder), *flags])
        if status:
            raise _RefusedError(f"{error.getvalue()}{out.getvalue()}"[:300])
        return out.getvalue().replace(str(self.folder), "INDEX")


class _RefusedError(BofError):
    """A command or a server said no."""


def operations(use: Use) -> dict[str, Callable[[], object]]:
    """All of them by name, in order."""
    searches = {f"search {ranker}": partial(use.search, ranker=ranker) for ranker in (*RANKERS, "bof+phash")}
    return {
        "open": use.open,
        **searches,
        "search where": partial(use.search, where="place = Bern", text="kept"),
        "facts": use.facts,
        "check": partial(use.command, index.main, "--check"),
        "serve": use.serve,
        "duplicates": partial(use.command, duplicates.main, "--kind", "scene"),
        "remove": partial(use.command, index.main, "--remove", REMOVED),
        "merge": partial(use.command, index.main, "--merge"),
        "open again": use.open,
        "search again": partial(use.search, ranker="bof+color+phash+embedding"),
        "facts again": use.facts,
        "check again": partial(use.command, index.main, "--check"),
    }


def use_all(use: Use, say: Say) -> None:
    """Do all of it, and say of each operation that it begins, and what became of it."""
    for name, operate in operations(use).items():
        say(name)
        say(_outcome(name, operate))


def _outcome(name: str, operate: Callable[[], object]) -> Outcome:
    begin = time.process_time()  # of all threads; others may use this machine meanwhile
    answer, trace = "", ""
    with _warnings() as words:
        try:
            answer = repr(operate())
        except BofError as error:
            words.append(str(error)[:300])
        except BaseException:
            trace = traceback.format_exc()
    return Outcome(name, answer, words, trace, time.process_time() - begin)


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    words: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append(record.getMessage()[:300])

    handler = Handler(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield words
    finally:
        logging.getLogger().removeHandler(handler)
