"""One segment: the features of some images as write-once arrays, opened by mapping the files into memory.

    word-major    indptr i32 (n_words + 1), image i32, count u16            the scipy inverted index
                  vote_indptr i32 (n_words + 1), vote_image i32, vote_feature u16, signature u64
    image-major   feature_indptr i64 (n_images + 1), xy u16 (n, 2), scale_angle u16 (n, 2)

Images count from 0 inside a segment. docs/format.md describes the files for other programs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bof.errors import IndexStoreError
from bof.files import FileFact, fact_of, map_array, save_arrays
from bof.hypotheses import Placement
from bof.scoring import Counts, Postings
from bof.types import I32, I64, U16, U64, Geometry

ARRAYS = (
    "indptr", "image", "count",
    "vote_indptr", "vote_image", "vote_feature", "signature",
    "feature_indptr", "xy", "scale_angle",
)  # fmt: skip

ADVICE = "the segment is damaged; python -m bof.index --check says what can be saved"
_FULL = 65535.0
_OCTAVES = 16.0
"""Scales are stored as octaves below the long side: 65535 is the long side, 0 is 2**-16 of it."""


@dataclass(frozen=True, slots=True)
class ImageColumns:
    """The indexed features of one image: word i32 (n,), signature u64 (n,), xy u16 (n, 2), scale_angle u16 (n, 2)."""

    word: I32
    signature: U64
    xy: U16
    scale_angle: U16

    def __len__(self) -> int:
        return len(self.word)


@dataclass(frozen=True, slots=True)
class Segment:
    """An open segment; every array is a view of its file."""

    counts: Counts
    postings: Postings
    feature_indptr: I64
    xy: U16
    scale_angle: U16

    @property
    def n_images(self) -> int:
        """Images in the segment, deleted ones included."""
        return len(self.feature_indptr) - 1

    def moved(self, first_image: int) -> Segment:
        """The same segment, its images numbered from another place of the collection on."""
        counts = dataclasses.replace(self.counts, first_image=first_image)
        postings = dataclasses.replace(self.postings, first_image=first_image)
        return dataclasses.replace(self, counts=counts, postings=postings)

    def geometry(self, position: int, width: int, height: int, features: U16 | None = None) -> Geometry:
        """Where the features of the image at `position` lie, or some rows of them; width, height: its original size."""
        start, stop = self.feature_indptr[position : position + 2]
        xy, scale_angle = self.xy[start:stop], self.scale_angle[start:stop]
        if features is not None:
            xy, scale_angle = xy[features], scale_angle[features]
        return restore_geometry(xy, scale_angle, width, height)

    def words(self, position: int) -> tuple[I32, U64]:
        """Words i32 (n,) and signatures u64 (n,) of the image at `position`, in the order of its features."""
        rows = np.flatnonzero(self.postings.image == position)
        rows = rows[np.argsort(self.postings.feature[rows])]
        word = np.searchsorted(self.postings.indptr, rows, side="right") - 1
        return word.astype(np.int32), self.postings.signature[rows]

    def placement(self, position: I64, features: U16) -> Placement:
        """Where one feature of each of some images lies: positions i64 (m,) of the images, rows u16 (m,)."""
        rows = self.feature_indptr[position] + features
        xy, (scale, angle) = self.xy[rows] / _FULL, self.scale_angle[rows].T
        return Placement(xy, np.exp2(scale * (_OCTAVES / _FULL) - _OCTAVES), angle * (360.0 / 65536.0))


def store_geometry(geometry: Geometry) -> tuple[U16, U16]:
    """Geometry as xy u16 (n, 2) and scale_angle u16 (n, 2): 1/65535 of the long side, 1/4096 octave, 1/182 degree."""
    side = float(geometry.long_side)
    xy = np.clip(np.rint((geometry.xy_px.astype(np.float64) + 0.5) / side * _FULL), 0, _FULL)
    octaves = np.log2(np.maximum(geometry.scale_px.astype(np.float64) / side, 2.0**-_OCTAVES))
    scale = np.clip(np.rint((octaves / _OCTAVES + 1.0) * _FULL), 0, _FULL)
    angle = np.rint(geometry.angle_deg.astype(np.float64) / 360.0 * 65536.0) % 65536.0
    return xy.astype(np.uint16), np.stack([scale, angle], axis=1).astype(np.uint16)


def restore_geometry(xy: U16, scale_angle: U16, width: int, height: int) -> Geometry:
    """The geometry that `store_geometry` wrote, in pixels of the original picture."""
    side = float(max(width, height))
    xy_px = xy * np.float32(side / _FULL) - np.float32(0.5)
    octaves = scale_angle[:, 0] * np.float32(_OCTAVES / _FULL) - np.float32(_OCTAVES)
    angle_deg = scale_angle[:, 1] * np.float32(360.0 / 65536.0)
    return Geometry(xy_px, np.exp2(octaves) * np.float32(side), angle_deg, width, height)


def write_segment(folder: Path, images: Sequence[ImageColumns], n_words: int) -> dict[str, FileFact]:
    """Write the images' features as the arrays of a new segment; returns what each file must look like."""
    arrays = _word_major(images, n_words)
    arrays["feature_indptr"] = np.cumsum([0, *map(len, images)], dtype=np.int64)
    arrays["xy"] = np.concatenate([i.xy for i in images])
    arrays["scale_angle"] = np.concatenate([i.scale_angle for i in images])
    save_arrays(folder, arrays)
    return facts_of(folder)


def facts_of(folder: Path) -> dict[str, FileFact]:
    """What each file of a segment must look like from now on."""
    return {f"{name}.npy": fact_of(folder / f"{name}.npy") for name in ARRAYS}


def _word_major(images: Sequence[ImageColumns], n_words: int) -> dict[str, NDArray[Any]]:
    """Postings sorted by word, then image, then feature; and how often each word is in each image."""
    word = np.concatenate([i.word for i in images])
    image = np.repeat(np.arange(len(images), dtype=np.int32), [len(i) for i in images])
    feature = np.concatenate([np.arange(len(i), dtype=np.uint16) for i in images])
    order = np.argsort(word, kind="stable")
    word, image = word[order], image[order]
    first = np.flatnonzero(np.diff(word, prepend=-1) | np.diff(image, prepend=-1))
    return {
        "indptr": _indptr(word[first], n_words),
        "image": image[first],
        "count": np.diff(first, append=len(word)).astype(np.uint16),
        "vote_indptr": _indptr(word, n_words),
        "vote_image": image,
        "vote_feature": feature[order],
        "signature": np.concatenate([i.signature for i in images])[order],
    }


def _indptr(sorted_word: I32, n_words: int) -> I32:
    return np.searchsorted(sorted_word, np.arange(n_words + 1)).astype(np.int32)


def open_segment(folder: Path, facts: dict[str, FileFact], n_words: int, first_image: int) -> Segment:
    """Map a segment's files. Raises IndexStoreError where one is missing, has another size, or is no array."""
    a = {name: _open_array(folder / f"{name}.npy", facts) for name in ARRAYS}
    n_images = len(a["feature_indptr"]) - 1
    _refuse_damaged(folder, a, n_words, n_images)
    matrix = csr_matrix((a["count"], a["image"], a["indptr"]), shape=(n_words, n_images), copy=False)
    postings = Postings(a["vote_indptr"], a["vote_image"], a["vote_feature"], a["signature"], first_image, n_images)
    return Segment(Counts(matrix, first_image), postings, a["feature_indptr"], a["xy"], a["scale_angle"])


def _refuse_damaged(folder: Path, a: dict[str, NDArray[Any]], n_words: int, n_images: int) -> None:
    """What the weights read anyway is checked; postings are only read, and checked, where a query looks."""
    sound = (
        _is_indptr(a["indptr"], n_words, len(a["image"]))
        and _is_indptr(a["vote_indptr"], n_words, len(a["vote_image"]))
        and _is_indptr(a["feature_indptr"], n_images, len(a["xy"]))
        and a["count"].shape == a["image"].shape
        and a["vote_image"].shape == a["vote_feature"].shape == a["signature"].shape == a["xy"].shape[:1]
        and a["xy"].shape == a["scale_angle"].shape
        and (not a["image"].size or (a["image"].min() >= 0 and a["image"].max() < n_images))
    )
    if not sound:
        raise IndexStoreError(f"{folder}: its arrays contradict each other; {ADVICE}")


def _is_indptr(indptr: NDArray[Any], n_rows: int, n_entries: int) -> bool:
    return bool(
        indptr.shape == (n_rows + 1,) and indptr[0] == 0 and indptr[-1] == n_entries and (np.diff(indptr) >= 0).all()
    )


def _open_array(path: Path, facts: dict[str, FileFact]) -> NDArray[Any]:
    try:
        found, expected = path.stat().st_size, facts[path.name].n_bytes
        if found != expected:
            raise IndexStoreError(f"{path}: expected {expected} bytes, found {found}; {ADVICE}")
        return map_array(path)
    except KeyError as error:
        raise IndexStoreError(f"{path}: the catalogue does not know this file; {ADVICE}") from error
    except IndexStoreError:
        raise
    except Exception as error:  # numpy's parser of headers answers damage with nearly every exception there is
        raise IndexStoreError(f"{path}: cannot be opened ({error}); {ADVICE}") from error
