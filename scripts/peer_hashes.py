"""Perceptual hashing: 64 bits a picture (imagehash's phash), ranked by Hamming distance."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from peer_common import Clock, Collection, Cost, Workshop, ranking_of
from PIL import Image

from bof.images.decode import read_image
from bof.types import U8, U64, Box, Ranking

N_BITS = 64


@dataclass(frozen=True, slots=True)
class PhashPeer:
    """Hashes u64 (n,) of a collection's pictures."""

    database: Sequence[Path]
    hashes: U64
    cost: Cost
    name: str = "phash"
    trained_on: str = ""

    @classmethod
    def index(cls, workshop: Workshop, collection: Collection) -> PhashPeer:
        """Hash every picture. Reading it counts: a hash has no other extraction."""
        clock = Clock()
        with clock.running():
            hashes = np.array([phash(path) for path in collection.database], np.uint64)
        return cls(collection.database, hashes, Cost(clock.seconds, hashes.nbytes))

    @property
    def description(self) -> Mapping[str, object]:
        """The length of a hash."""
        return {"bits": N_BITS}

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture, by the share of equal bits; a box is cut out before hashing. Hashing is not timed."""
        query = phash(path, box)
        start = time.perf_counter()
        distance = np.bitwise_count(self.hashes ^ np.uint64(query))
        order = np.argsort(distance, kind="stable")
        scores = 1.0 - distance[order] / N_BITS
        return ranking_of(self.database, order.tolist(), scores, time.perf_counter() - start)


def phash(path: Path, box: Box | None = None) -> int:
    """The hash of a picture, or of a box of it in its own pixels."""
    pixels: U8 = read_image(path, grey=True).pixels
    if box:
        x0, y0, x1, y1 = (round(v) for v in box)
        pixels = pixels[y0:y1, x0:x1]
    return int(str(imagehash.phash(Image.fromarray(pixels))), 16)
