"""Perceptual hashes of 64 bits a picture, by imagehash and imagededup, ranked by Hamming distance."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bof.types import U8, U64, Box, Ranking
from scripts.common.features import Collection
from scripts.common.pictures import rgb
from scripts.common.timing import Clock
from scripts.peers.peer import Cost, Peer, Workshop

Hash = Callable[[U8], int]  # 64 bits of a picture RGB u8 (h, w, 3)
N_BITS = 64

DISTANCE = 10  # imagededup's default, max_distance_threshold=10 of 64 bits; used for imagehash too, which sets none


@dataclass(frozen=True, slots=True)
class HashPeer(Peer):
    """Hashes u64 (n,) of a collection's pictures."""

    kind: Hash
    hashes: U64

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture, by the share of equal bits; a box is cut out before hashing.

        What lies within DISTANCE is called the same, all others may be.
        """
        pixels = rgb(path)
        if box:
            x0, y0, x1, y1 = (round(v) for v in box)
            pixels = pixels[y0:y1, x0:x1]
        start = time.perf_counter()
        distance = np.bitwise_count(np.uint64(self.kind(pixels)) ^ self.hashes)
        order = np.argsort(distance, kind="stable")
        verdicts = np.where(distance[order] <= DISTANCE, "same", "maybe").tolist()
        return self.ranking(order.tolist(), 1.0 - distance[order] / N_BITS, time.perf_counter() - start, verdicts)


def index(workshop: Workshop, collection: Collection) -> list[HashPeer]:
    """The hash that is the best of imagehash's."""
    return [hash_peer("phash", imagehash_kinds()["phash"], collection)]


def family(package: str, collection: Collection) -> Iterator[HashPeer]:
    """All hashes of a package. Raises ImportError where it is not installed."""
    for name, kind in KINDS[package]().items():
        yield hash_peer(f"{package} {name}", kind, collection)


def hash_peer(name: str, kind: Hash, collection: Collection) -> HashPeer:
    """Hash every picture. Reading it counts: a hash has no other extraction."""
    clock = Clock()
    with clock:
        hashes = np.array([kind(rgb(path)) for path in collection.database], np.uint64)
    return HashPeer(name, collection, Cost(clock.seconds, hashes.nbytes), "", {}, kind, hashes)


def imagehash_kinds() -> dict[str, Hash]:
    """Its hashes of whole pictures."""
    import imagehash

    def single(name: str) -> Hash:
        return lambda pixels: int(str(getattr(imagehash, name)(Image.fromarray(pixels))), 16)

    return {name: single(name) for name in ("phash", "dhash", "whash", "average_hash")}


def imagededup_kinds() -> dict[str, Hash]:
    """Its four hashes. Its neural network is left out: the weights are a download."""
    from imagededup import methods

    def encoder(name: str) -> Hash:
        hasher = getattr(methods, name)(verbose=False)
        return lambda pixels: int(hasher.encode_image(image_array=pixels), 16)

    return {name: encoder(name) for name in ("PHash", "DHash", "WHash", "AHash")}


KINDS: Mapping[str, Callable[[], dict[str, Hash]]] = {"imagehash": imagehash_kinds, "imagededup": imagededup_kinds}
"""By package: its hashes of one picture, by name."""
