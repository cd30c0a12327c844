"""The engine as a `Ranker`, so that an evaluation can compare it with others."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bof.alignment.agreement import DECODED_SIDE_PX
from bof.engine import Engine
from bof.errors import display_name
from bof.images.decode import Picture, crop, decode, read_bytes, read_image, shrink
from bof.options import SearchOptions
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
            box = subject_of(read_image(path, max_side=self.engine.features.max_side))
        data = read_bytes(path)
        picture, rest, colours = self._read(data, path, box)
        sha256 = hashlib.sha256(data).hexdigest() if box is None else ""
        return self.engine.prepare(picture, rest, self.options, colours=colours, sha256=sha256)

    def _read(self, data: bytes, path: Path, box: Box | None) -> tuple[Picture, Box | None, Picture | None]:
        """What to extract from, the box that is still to be kept to, and the same picture in RGB where it is grey."""
        max_side, grey, name = self.engine.features.max_side, not self.options.whole, os.fspath(path)
        if box is None or not self.crop:
            colours = decode(data, max_side=DECODED_SIDE_PX, name=name) if grey and self.options.verify.pixels else None
            return decode(data, grey=grey, max_side=max_side, name=name), box, colours
        pixels = crop(decode(data, name=name), box, display_name(path))
        height, width = pixels.shape[:2]
        colours = Picture(shrink(pixels, DECODED_SIDE_PX), width, height) if grey else None
        pixels = crop(decode(data, grey=True, name=name), box, display_name(path)) if grey else pixels
        return Picture(shrink(pixels, max_side), width, height), None, colours
