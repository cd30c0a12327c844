"""The pool: features of real photographs, and those photographs that will ask."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bof.errors import OptionError
from bof.images.listing import walk_images
from bof.store.segments import store_geometry
from bof.types import F32, I32, I64, U16, U64, Features, Geometry
from bof.vocabulary.vocabulary import Vocabulary
from scripts.common.features import extract_all, load_columns, save_columns

I8 = NDArray[np.int8]

FRAME = (1024, 768)  # width and height in pixels of every synthetic picture
RICH = 1000  # photographs with so many features ask
_RESIDUAL_RANGE = 4.0  # residuals are stored in bytes up to so many standard deviations
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Pool:
    """n features, photograph after photograph, the strongest of each first.

    indptr i64 (n_photos + 1); word i32 (n,) of n_words; residual i8 (n, 64): how far each projection lies above the
    word's threshold, so that its sign is the signature's bit; xy u16 (n, 2) and scale_angle u16 (n, 2) in FRAME.
    """

    n_words: int
    indptr: I64
    word: I32
    residual: I8
    xy: U16
    scale_angle: U16

    def __len__(self) -> int:
        return len(self.word)

    @property
    def sizes(self) -> I64:
        """Features of each photograph, i64 (n_photos,)."""
        return np.diff(self.indptr)

    @property
    def signature(self) -> U64:
        """Hamming signatures u64 (n,)."""
        return signatures(self.residual)

    def strongest(self, mean: float) -> Pool:
        """The strongest features of each photograph, as many as make `mean` a photograph; the spread of sizes stays."""
        share = min(1.0, mean / max(float(self.sizes.mean()), 1.0))
        n_drawn = np.rint(self.sizes * share).astype(np.int64)
        rank = np.arange(len(self)) - np.repeat(self.indptr[:-1], self.sizes)
        rows = np.flatnonzero(rank < np.repeat(n_drawn, self.sizes))
        columns = (self.word[rows], self.residual[rows], self.xy[rows], self.scale_angle[rows])
        return Pool(self.n_words, np.concatenate([[0], np.cumsum(n_drawn)]), *columns)


def signatures(residual: NDArray[np.integer]) -> U64:
    """A bit for each residual that is not negative: (n, 64) -> u64 (n,)."""
    packed = np.packbits(residual >= 0, axis=1, bitorder="little")
    return packed.view("<u8")[:, 0].astype(np.uint64, copy=False)


def load_pool(
    folder: Path, n_photos: int, n_queries: int, vocabulary: Vocabulary, cache: Path
) -> tuple[Pool, list[Features]]:
    """The features of n_photos photographs drawn evenly from a folder, and those of n_queries that are left out of it.

    What takes long is kept in the cache.
    """
    everything = list(walk_images(folder))
    paths = [everything[i] for i in evenly(len(everything), min(n_photos, len(everything)))]
    if len(paths) <= n_queries:
        raise OptionError(f"{folder}: expected more than {n_queries} photographs (--queries), found {len(paths)}")
    photos = list(extract_all(paths, vocabulary.new_index_features, cache, "pool").values())
    word, residual = _quantized(photos, vocabulary, cache)
    asking = choose_queries([len(photo) for photo in photos], n_queries)
    queries = [photos[row] for row in asking]
    return _make_pool(photos, word, residual, vocabulary.n_words, set(asking)), queries


def evenly(n_items: int, n: int) -> list[int]:
    """n numbers, spread over those of some items."""
    return [i * n_items // n for i in range(n)]


def choose_queries(sizes: Sequence[int], n_queries: int) -> list[int]:
    """Rows of n_queries photographs, spread over those with RICH features or more; if too few have, the richest."""
    rich = [row for row, size in enumerate(sizes) if size >= RICH]
    if len(rich) < n_queries:
        return sorted(sorted(range(len(sizes)), key=lambda row: -sizes[row])[:n_queries])
    return [rich[i] for i in evenly(len(rich), n_queries)]


def _quantized(photos: Sequence[Features], vocabulary: Vocabulary, cache: Path) -> tuple[I32, I8]:
    """Words and residuals of all features, computed once."""
    descriptors = np.concatenate([photo.descriptors for photo in photos])
    digest = hashlib.sha256(vocabulary.fingerprint.encode())
    digest.update(descriptors.data)
    file = cache / f"scale-words-{digest.hexdigest()[:16]}.npz"
    if not file.exists():
        parts = [descriptors[first : first + _CHUNK] for first in range(0, len(descriptors), _CHUNK)]
        word = np.concatenate([vocabulary.assign(part)[:, 0] for part in parts])
        save_columns(file, {"word": word, "residual": _residuals(parts, word, vocabulary)})
    columns = load_columns(file)
    return columns["word"], columns["residual"]


def _residuals(parts: Sequence[NDArray[np.uint8]], word: I32, vocabulary: Vocabulary) -> I8:
    stops = np.cumsum([len(part) for part in parts])
    words = np.split(word, stops[:-1])
    exact: list[F32] = [
        part.astype(np.float32) @ vocabulary.projection - vocabulary.thresholds[mine]
        for part, mine in zip(parts, words, strict=True)
    ]
    step = _RESIDUAL_RANGE * float(np.std(exact[0])) / 127.0
    # A bit is set above its threshold, so the byte is rounded up and made smaller by one: negative where it is not set.
    return np.concatenate([np.clip(np.ceil(each / step) - 1, -128, 127).astype(np.int8) for each in exact])


def _make_pool(photos: Sequence[Features], word: I32, residual: I8, n_words: int, left_out: set[int]) -> Pool:
    stay = [row not in left_out for row in range(len(photos))]
    rows = np.repeat(stay, [len(photo) for photo in photos])
    clutter = [photo for photo, stays in zip(photos, stay, strict=True) if stays]
    indptr = np.cumsum([0, *map(len, clutter)], dtype=np.int64)
    # All features as if they lay in one picture of FRAME, at the same fractions of its sides.
    pictures = [photo.geometry for photo in clutter]
    zooms = [np.array(FRAME, np.float32) / np.array([g.width, g.height], np.float32) for g in pictures]
    xy = np.concatenate([(g.xy_px + 0.5) * zoom - 0.5 for g, zoom in zip(pictures, zooms, strict=True)])
    scale = np.concatenate([g.scale_px * (FRAME[0] / g.long_side) for g in pictures])
    angle = np.concatenate([g.angle_deg for g in pictures])
    geometry = store_geometry(Geometry(xy.astype(np.float32), scale.astype(np.float32), angle, *FRAME))
    return Pool(n_words, indptr, word[rows], residual[rows], *geometry)
