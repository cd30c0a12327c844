"""What an assistant can do with an index. Every method takes and gives plain values; it raises BofError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.assistants.answers import (
    AddAnswer,
    ChangeAnswer,
    DuplicatesAnswer,
    ProofAnswer,
    SearchAnswer,
    StatsAnswer,
    add_answer,
    counts,
    duplicates_answer,
    hit_answer,
)
from bof.assistants.sources import Sources
from bof.engine import Engine
from bof.errors import ImageError, OptionError
from bof.grouping.finding import find_duplicates
from bof.images.draw import draw_hit, encode_jpeg
from bof.images.written import marked
from bof.options import Kind, SearchOptions
from bof.retrieval.answer import describe_hit
from bof.system.steps import Progress
from bof.types import Box

PROOF_SIDE = 800
"""The long side in pixels of each of the two pictures of a proof: an assistant is given no more."""
TAG = "tag"


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one index. may_write: those that change it are offered."""

    sources: Sources
    may_write: bool = False

    @property
    def engine(self) -> Engine:
        """The index as of the newest commit."""
        self.sources.engine.refresh()
        return self.sources.engine

    def search(
        self, picture: str, top: int = 10, box: Sequence[float] | None = None, where: str = "", text: str = ""
    ) -> SearchAnswer:
        """Pictures that show the same thing."""
        engine, options = self.engine, SearchOptions(where=where, text=text)
        prepared = engine.read_query(self.sources.open(picture), _box(box), options)
        answer = engine.answer(prepared.query, options)
        hits = engine.hits(prepared.query, answer, options, top)
        titles = engine.titles(hits)
        shown = [hit_answer(hit, rank, titles.get(hit.image)) for rank, hit in enumerate(hits, 1)]
        return SearchAnswer(picture, len(prepared.query.features), len(answer.images), shown)

    def prove(self, picture: str, other: str, box: Sequence[float] | None = None) -> tuple[ProofAnswer, bytes]:
        """How a picture lies in one of the index, and a JPEG with both side by side."""
        engine, record = self.engine, self.sources.known(other)
        source = self.sources.open(picture)
        prepared = engine.read_query(source, _box(box))
        (image,) = np.flatnonzero((engine.images.id == record.id) & ~engine.images.deleted).tolist()
        hit, _ = engine.match(prepared.query, image)
        points = engine.matched_points(prepared.query, hit)
        candidate = engine.stored_picture(hit, PROOF_SIDE)
        if candidate is None:
            raise ImageError("its file is gone, too large, or not what was indexed any more", path=other)
        caption = f"{other}   {describe_hit(hit)}"
        drawn = draw_hit(source.colours(PROOF_SIDE), candidate, *points, hit, caption, prepared.box)
        return ProofAnswer(picture, hit_answer(hit, 1), len(points[0])), marked(encode_jpeg(drawn))

    def duplicates(
        self, kind: Kind = "copy", offset: int = 0, limit: int = 20, progress: Progress | None = None
    ) -> DuplicatesAnswer:
        """Groups of pictures that are alike, up to a kind."""
        return duplicates_answer(find_duplicates(self.engine, kind, progress=progress), kind, offset, limit)

    def stats(self) -> StatsAnswer:
        """The index in figures."""
        engine = self.engine
        tags, fields = engine.count_annotated()
        return StatsAnswer(
            str(engine.folder), len(engine), engine.n_features, engine.n_bytes(), engine.vocabulary.n_words,
            counts(tags), counts(fields), [str(folder) for folder in self.sources.folders], self.may_write,
        )  # fmt: skip

    def add(self, paths: Sequence[str], progress: Progress | None = None) -> AddAnswer:
        """Add files and folders that the user allows."""
        files = [self.sources.file(path) for path in paths]
        return add_answer(self.engine.add(files, progress=progress))

    def tag(self, names: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()) -> ChangeAnswer:
        """Add tags to pictures, and take others away."""
        paths = [self.sources.known(name).path for name in names]
        with self.engine.writer() as writer:
            writer.annotate(paths, {TAG: list(add)}, {TAG: list(remove)})
        return ChangeAnswer(len(paths))

    def remove(self, names: Sequence[str]) -> ChangeAnswer:
        """Take pictures out of the index; no file is touched."""
        known = [self.sources.known(name).name for name in names]
        return ChangeAnswer(self.engine.remove(known))


def _box(box: Sequence[float] | None) -> Box | None:
    """The part of the picture to search with. Raises OptionError where it is none."""
    if box is None:
        return None
    if len(box) != 4:
        raise OptionError(option="box", expected="x0, y0, x1, y1", found=f"{len(box)} numbers")
    x0, y0, x1, y1 = box
    return x0, y0, x1, y1
