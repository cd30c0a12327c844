"""The engine as a `Ranker`, so that an evaluation can compare it with others."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bof.alignment.agreement import DECODED
from bof.engine import Engine
from bof.errors import display_name
from bof.images.decode import Picture, crop, decode, read_bytes, read_image, shrink
from bof.images.sources import open_source
from bof.options import VARIANTS, SearchOptions
from bof.retrieval.query import Query, subject_of
from bof.types import Box, Ranking


@dataclass(frozen=True, slots=True)
class EngineRanker:
    """Ranks an engine's collection with fixed options.

    crop: a query's box is cut out of the picture before features are extracted, else features of the whole picture
    are kept where their centre lies in the box. Cutting first lets small boxes fill the working size. subject: a query
    without a box is searched for with what stands out in it.
    """

    engine: Engine
    options: SearchOptions
    crop: bool = False
    subject: bool = False

    @property
    def name(self) -> str:
        """bof, tfidf, bof+color, ..."""
        return self.options.ranker

    @property
    def description(self) -> Mapping[str, object]:
        """The options of features, votes and verification, and the vocabulary with what it was trained on."""
        vocabulary = self.engine.vocabulary
        return {
            "features": dataclasses.asdict(self.engine.features),
            "vote": dataclasses.asdict(self.options.vote),
            "verify": dataclasses.asdict(self.options.verify),
            "expand": dataclasses.asdict(self.options.expand),
            **{name: getattr(self.options, name) for name in VARIANTS},
            "metric": self.options.metric,
            "fusion": self.options.fusion,
            "columns": self.engine.column_spec.meta if self.options.whole else None,
            "query_box": "cropped picture" if self.crop else "key points inside",
            "subject": self.subject,
            "vocabulary": {
                "n_words": vocabulary.n_words,
                "fingerprint": vocabulary.fingerprint,
                "trained_on": dict(vocabulary.trained_on),
            },
        }

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture with a positive score; reading and decoding count as extraction."""
        start = time.perf_counter()
        query = self.prepare(path, box)
        extract = time.perf_counter() - start
        answer = self.engine.answer(query, self.options)
        images = answer.images.tolist()
        return Ranking(
            [Path(self.engine.images[image].path) for image in images],
            answer.scores,
            [answer.verdict(image, self.options.verify) for image in images],
            {"extract": extract, **answer.seconds},
        )

    def prepare(self, path: Path, box: Box | None = None) -> Query:
        """The picture in a file, or a box of it, as a query."""
        if self.subject and box is None:
            box = subject_of(read_image(path, max_side=self.engine.features.extent))
        if self.crop and box is not None:
            return self._prepare_cut(path, box)
        return self.engine.read_query(open_source(path), box, self.options).query

    def _prepare_cut(self, path: Path, box: Box) -> Query:
        """A box that is cut out of the picture, grey where nothing else is needed, before it is made small."""
        data, name, grey = read_bytes(path), os.fspath(path), not self.options.whole
        pixels = crop(decode(data, name=name), box, display_name(path))
        height, width = pixels.shape[:2]
        colours = Picture(shrink(pixels, DECODED), width, height) if grey else None
        pixels = crop(decode(data, grey=True, name=name), box, display_name(path)) if grey else pixels
        picture = Picture(shrink(pixels, self.engine.features.extent), width, height)
        return self.engine.prepare(picture, None, self.options, colours=colours)
