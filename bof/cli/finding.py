"""One query of a command becomes the hits that are shown of its answer."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bof.cli.queries import STANDARD_INPUT
from bof.engine import Engine, Query
from bof.errors import display_name
from bof.images.address import Address
from bof.images.decode import Picture
from bof.images.limited import LimitedReader
from bof.images.sources import OpenedSource, open_source
from bof.options import PixelLimit, SearchOptions
from bof.retrieval.answer import Answer
from bof.retrieval.query import together
from bof.types import Box, Hit


@dataclass(frozen=True, slots=True)
class FoundHits:
    """A query and the hits that are shown.

    name: as it was given; shown: what messages call it; label: what files about it are called; source: its file;
    names: what each hit is called, by image, titles: the names that uploads were given, those of them alone;
    chosen_box: the option, box: what was searched with; filtered_out: why nothing is left, in words.
    """

    name: str
    shown: str
    label: str
    source: OpenedSource
    picture: Picture
    query: Query
    answer: Answer
    hits: Sequence[Hit]
    names: Mapping[int, str]
    titles: Mapping[int, str]
    chosen_box: Box | str | None
    box: Box | None
    filtered_out: str
    seconds: Mapping[str, float]

    def in_colour(self, max_side: PixelLimit) -> Picture:
        """The query in RGB, at this long side in pixels or less."""
        return self.source.colours(max_side)


@dataclass(frozen=True, slots=True)
class FailedQuery:
    """A query without an answer. shown: what messages call it; problem: why, in words."""

    shown: str
    problem: str


def find_hits(
    engine: Engine,
    name: str,
    label: str,
    arguments: argparse.Namespace,
    options: SearchOptions,
    others: Sequence[str] = (),
) -> FoundHits:
    """Search with one picture, a file or - for standard input. Raises ImageError for what is none.

    others: pictures that are one query with it.
    """
    start = time.perf_counter()
    opened = open_query(name, arguments.memory)
    prepared = engine.read_query(opened, arguments.box, options)
    rest = (open_query(other, arguments.memory) for other in others)
    query = together([prepared.query, *(engine.read_query(one, arguments.box, options).query for one in rest)])
    extracted = time.perf_counter() - start
    answer = engine.answer(query, options)
    hits = engine.page(query, answer, options, arguments.top, verdicts=arguments.verdict).hits
    titles = {image: display_name(title) for image, title in engine.titles(hits).items()}
    names = {hit.image: titles.get(hit.image) or display_name(_name(hit)) for hit in hits}
    filtered_out = "" if hits else _why_nothing(engine, answer, arguments.verdict, options)
    seconds = {"extract": extracted, **answer.seconds}
    chosen = arguments.box, prepared.box
    shown = " + ".join(shown_name(one) for one in (name, *others))
    return FoundHits(
        name, shown, label, opened, prepared.picture, query, answer, hits, names, titles, *chosen, filtered_out, seconds
    )


def _name(hit: Hit) -> str:
    """What a hit is called: of a film, by the time of the exact frame."""
    file_name = Address.file_name(str(hit.path), hit.name)
    return Address(file_name, hit.shown_part).name(file_name) if hit.film else hit.name


def shown_name(name: str) -> str:
    """What messages call a picture of the command line."""
    return "standard input" if name == STANDARD_INPUT else display_name(name)


def open_query(name: str, memory: int) -> OpenedSource:
    """A picture of the command line. memory: megabytes that decoding it may take. Raises ImageError."""
    if name != STANDARD_INPUT:
        return open_source(name, memory=memory)
    shown = shown_name(name)
    return open_source(LimitedReader.of(memory).load_stream(sys.stdin.buffer, shown), name=shown, memory=memory)


def _why_nothing(engine: Engine, answer: Answer, verdicts: Sequence[str], options: SearchOptions) -> str:
    """Which filter has left no hit, in words; empty where none did."""
    if not len(engine):
        return "the index holds no picture"
    filters = {"--where": options.where, "--text": options.text}
    conditions = " and ".join(f"{flag} {value!r}" for flag, value in filters.items() if value)
    if conditions and not engine.select_ids(options.where, options.text):
        return f"no picture of the index meets {display_name(conditions)}"
    if verdicts and len(answer.images):
        return f"none of {len(answer.images)} hits has the verdict {' or '.join(verdicts)}"
    return ""
