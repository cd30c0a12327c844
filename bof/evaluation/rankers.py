"""The engine as a `Ranker`, so that an evaluation can compare it with others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bof.engine import Engine
from bof.errors import display_name
from bof.images.decode import Picture, crop, read_image, shrink
from bof.options import SearchOptions
from bof.retrieval.query import subject_of
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
            "mirror": self.options.mirror,
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
        if self.subject and box is None:
            box = subject_of(read_image(path, max_side=self.engine.features.max_side))
        query = self.engine.prepare(*self._read(path, box), self.options)
        extract = time.perf_counter() - start
        answer = self.engine.answer(query, self.options)
        images = answer.images.tolist()
        return Ranking(
            [Path(self.engine.images[image].path) for image in images],
            answer.scores,
            [answer.verdict(image, self.options.verify) for image in images],
            {"extract": extract, **answer.seconds},
        )

    def _read(self, path: Path, box: Box | None) -> tuple[Picture, Box | None]:
        """What to extract from, and the box that is still to be kept to."""
        max_side, grey = self.engine.features.max_side, not self.options.whole
        if box is None or not self.crop:
            return read_image(path, grey=grey, max_side=max_side), box
        pixels = crop(read_image(path, grey=grey), box, display_name(path))
        height, width = pixels.shape[:2]
        return Picture(shrink(pixels, max_side), width, height), None
