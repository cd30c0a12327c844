"""The engine as a `Ranker`, so that an evaluation can compare it with others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import cv2
import numpy as np

from bof.engine import Engine
from bof.errors import ImageError
from bof.images import Picture, display_name, read_image
from bof.searching import SearchOptions
from bof.types import U8, Box, Ranking


@dataclass(frozen=True, slots=True)
class EngineRanker:
    """Ranks an engine's collection with fixed options.

    crop: a query's box is cut out of the picture before features are extracted, else features of the whole picture
    are kept where their centre lies in the box. Cutting first lets small boxes fill the working size.
    """

    engine: Engine
    options: SearchOptions
    crop: bool = False

    @property
    def name(self) -> str:
        """bof or tfidf."""
        return self.options.ranker

    @property
    def description(self) -> Mapping[str, object]:
        """The options of features, votes and verification, and the vocabulary with what it was trained on."""
        vocabulary = self.engine.vocabulary
        return {
            "features": dataclasses.asdict(self.engine.index.features),
            "vote": dataclasses.asdict(self.options.vote),
            "verify": dataclasses.asdict(self.options.verify),
            "expand": dataclasses.asdict(self.options.expand),
            "mirror": self.options.mirror,
            "query_box": "cropped picture" if self.crop else "key points inside",
            "vocabulary": {
                "n_words": vocabulary.n_words,
                "fingerprint": vocabulary.fingerprint,
                "trained_on": dict(vocabulary.trained_on),
            },
        }

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture with a positive score; reading and decoding count as extraction."""
        start = time.perf_counter()
        query = self.engine.prepare(*self._read(path, box))
        extract = time.perf_counter() - start
        answer = self.engine.answer(query, self.options)
        images = answer.images.tolist()
        return Ranking(
            [Path(self.engine.snapshot.rows[image].path) for image in images],
            answer.scores,
            [answer.verdict(image, self.options.verify) for image in images],
            {"extract": extract, **answer.seconds},
        )

    def _read(self, path: Path, box: Box | None) -> tuple[Picture, Box | None]:
        """What to extract from, and the box that is still to be kept to."""
        max_side = self.engine.index.features.max_side
        if box is None or not self.crop:
            return read_image(path, grey=True, max_side=max_side), box
        pixels = _cut(read_image(path, grey=True), box, display_name(path))
        height, width = pixels.shape
        return Picture(_shrunk(pixels, max_side), width, height), None


def _cut(picture: Picture, box: Box, name: str) -> U8:
    """The pixels u8 (h, w) of a box, rounded outwards. Raises ImageError for a box outside the picture."""
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height):
        raise ImageError(
            f"{name}: expected a box x0 < x1 and y0 < y1 in {picture.width} x {picture.height} pixels, "
            f"found {x0:g},{y0:g},{x1:g},{y1:g}"
        )
    return np.ascontiguousarray(picture.pixels[int(y0) : ceil(y1), int(x0) : ceil(x1)])


def _shrunk(pixels: U8, max_side: int) -> U8:
    """Pixels with a long side of at most max_side."""
    height, width = pixels.shape
    scale = max_side / max(width, height)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
