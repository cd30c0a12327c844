"""The engine as a `Ranker`, so that an evaluation can compare it with others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bof.engine import Engine
from bof.images import read_image
from bof.searching import SearchOptions
from bof.types import Box, Ranking


@dataclass(frozen=True, slots=True)
class EngineRanker:
    """Ranks an engine's collection with fixed options."""

    engine: Engine
    options: SearchOptions

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
            "vocabulary": {
                "n_words": vocabulary.n_words,
                "fingerprint": vocabulary.fingerprint,
                "trained_on": dict(vocabulary.trained_on),
            },
        }

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture with a positive score; reading and decoding count as extraction."""
        start = time.perf_counter()
        picture = read_image(path, grey=True, max_side=self.engine.index.features.max_side)
        query = self.engine.prepare(picture, box)
        extract = time.perf_counter() - start
        answer = self.engine.answer(query, self.options)
        images = answer.images.tolist()
        return Ranking(
            [Path(self.engine.snapshot.rows[image].path) for image in images],
            answer.scores,
            [answer.verdict(image, self.options.verify) for image in images],
            {"extract": extract, **answer.seconds},
        )
