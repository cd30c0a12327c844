"""One segment: the features of some images as write-once arrays, opened by mapping the files into memory.

    word-major    vote_indptr i32 (n_words + 1), vote_image i32, vote_feature u16, signature u64    the inverted index
    image-major   feature_indptr i64 (n_images + 1), word u16 or i32, xy u16 (n, 2), scale_angle u16 (n, 2)
    optional      a row an image: see `columns`

Images count from 0 inside a segment. docs/format.md describes the files for other programs, and what was in the
segments of format 1, which are opened too.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import IndexStoreError, reason_of
from bof.geometry.hypotheses import Placement
from bof.native import find_postings, place_features
from bof.native.mapped_file import MappedFile, file_of, reading
from bof.store import columns as optional
from bof.store.columns import Columns, Rows
from bof.store.inverted_file import Postings
from bof.store.segment_files import ADVICE as ADVICE
from bof.store.segment_files import ARRAYS as ARRAYS
from bof.store.segment_files import open_array
from bof.system.directory import Directory
from bof.system.files import FileFact, fact_of, release, save_arrays, write_folder
from bof.types import I32, I64, U16, U64, Features, Geometry
from bof.vocabulary.vocabulary import Vocabulary

Files = dict[str, FileFact]
"""What each file of a segment must be, by name."""

Write = Callable[[Path], Files]
"""Writes the files of a segment into a folder."""

ONLY_IN_FORMAT_1 = ("indptr", "image", "count")
"""And instead of `word`."""

_FULL = 65535.0
_OCTAVES = 16.0
"""Scales are stored as octaves below the long side: 65535 is the long side, 0 is 2**-16 of it."""


@dataclass(frozen=True, slots=True)
class ImageColumns:
    """The indexed features of one image: word i32 (n,), signature u64 (n,), xy u16 (n, 2), scale_angle u16 (n, 2).

    rows: what it looks like as a whole, in the groups of optional columns that it was described in.
    """

    word: I32
    signature: U64
    xy: U16
    scale_angle: U16
    rows: Rows = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.word)


def columns_of(features: Features, vocabulary: Vocabulary, rows: Rows | None = None) -> ImageColumns:
    """The features of an image as they are indexed: each by its nearest word."""
    words = vocabulary.quantize(features.descriptors)
    return ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(features.geometry), rows or {})


@dataclass(frozen=True, slots=True)
class Segment:
    """An open segment; every array is a view of its file, one of `files`.

    Whoever has read them calls `require_whole` before the result is used.
    """

    postings: Postings
    feature_indptr: I64
    word: U16 | I32
    xy: U16
    scale_angle: U16
    columns: Columns = field(default_factory=dict)
    files: Sequence[MappedFile] = ()

    @property
    def is_whole(self) -> bool:
        """Is each of its files as long as it was when it was opened, and was so whenever it was read?"""
        return all(file.is_whole for file in self.files)

    def require_whole(self) -> None:
        """Raises ShrunkFileError where a file became shorter while it was read."""
        for file in self.files:
            file.require_whole()

    @property
    def n_images(self) -> int:
        """Images in the segment, deleted ones included."""
        return len(self.feature_indptr) - 1

    def moved(self, first_image: int) -> Segment:
        """The same segment, its images numbered from another place of the collection on."""
        return dataclasses.replace(self, postings=dataclasses.replace(self.postings, first_image=first_image))

    def has_columns_of(self, files: Mapping[str, FileFact]) -> bool:
        """Are its optional columns those that the catalogue names?"""
        return set(self.columns) == {s for name in files if optional.is_column(s := name.removesuffix(".npy"))}

    def release(self) -> None:
        """Give back the memory that the segment's files take."""
        part = self.postings
        for array in (part.image, part.feature, part.signature, self.word, self.xy, self.scale_angle):
            release(array)
        for column in self.columns.values():
            release(column)

    def geometry(self, position: int, width: int, height: int, features: U16 | None = None) -> Geometry:
        """Where the features of the image at `position` lie, or some rows of them; width, height: its original size."""
        start, stop = self.feature_indptr[position : position + 2]
        xy, scale_angle = self.xy[start:stop], self.scale_angle[start:stop]
        if features is not None:
            xy, scale_angle = xy[features], scale_angle[features]
        return restore_geometry(xy, scale_angle, width, height)

    def words(self, position: int) -> tuple[I32, U64]:
        """Words i32 (n,) and signatures u64 (n,) of the image at `position`, in the order of its features.

        Raises ValueError where the segment contradicts itself.
        """
        start, stop = self.feature_indptr[position : position + 2]
        word, part = self.word[start:stop].astype(np.int32), self.postings
        if len(word) and word.max() >= len(part.indptr) - 1:
            raise ValueError(f"image {position} of a segment has words that do not exist")
        return word, part.signature[find_postings(part.indptr, part.image, part.feature, position, word)]

    def image_columns(self, position: int) -> ImageColumns:
        """All that is indexed of the image at `position`, as it was given to `write_segment`; a copy in memory.

        Raises ValueError where the segment contradicts itself.
        """
        start, stop = self.feature_indptr[position : position + 2]
        where = self.xy[start:stop].copy(), self.scale_angle[start:stop].copy()
        return ImageColumns(*self.words(position), *where, optional.rows_of(self.columns, position))

    def place(self, pictures: I64, indptr: I64, position: I64, features: U16, placed: Placement) -> None:
        """Fill in where features of some pictures lie: see `loops.place_features`."""
        columns = (self.feature_indptr, self.xy, self.scale_angle)
        place_features(pictures, indptr, position, features, *columns, placed)


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


def write_new_segment(place: Path, write: Write) -> tuple[str, Files]:
    """A segment whole and on disk in a folder of a new name; returns its name and what `write` says of its files.

    Raises OSError, and leaves nothing behind then.
    """
    name, files = uuid.uuid4().hex, Files()
    write_folder(place / name, lambda fresh: files.update(write(fresh)))
    return name, files


def write_segment(folder: Path, images: Sequence[ImageColumns], n_words: int) -> Files:
    """Write the images' features as the arrays of a new segment; returns what each file must look like."""
    save_arrays(folder, {**_arrays(images, n_words), **optional.gather([i.rows for i in images])})
    return facts_of(folder)


def segment_in_memory(images: Sequence[ImageColumns], n_words: int) -> Segment:
    """The images' features and optional columns as a segment without files."""
    arrays = _arrays(images, n_words)
    indptr, image, feature, signature = (arrays[f] for f in ("vote_indptr", "vote_image", "vote_feature", "signature"))
    postings = Postings(indptr, image, feature, signature, 0, len(images))
    columns = optional.gather([i.rows for i in images])
    return Segment(postings, arrays["feature_indptr"], arrays["word"], arrays["xy"], arrays["scale_angle"], columns)


def _arrays(images: Sequence[ImageColumns], n_words: int) -> dict[str, NDArray[Any]]:
    """The columns of a segment that every one has, by the names of their files."""
    return {
        **_word_major(images, n_words),
        "feature_indptr": np.cumsum([0, *map(len, images)], dtype=np.int64),
        "word": np.concatenate([i.word for i in images]).astype(word_type(n_words)),
        "xy": np.concatenate([i.xy for i in images]),
        "scale_angle": np.concatenate([i.scale_angle for i in images]),
    }


def expected_files(facts: Mapping[str, FileFact]) -> set[str]:
    """The files that a segment must have, going by those that the catalogue names."""
    is_format_1 = "count.npy" in facts
    names = {*ARRAYS, *ONLY_IN_FORMAT_1} - {"word"} if is_format_1 else ARRAYS
    return {f"{name}.npy" for name in names}


def word_type(n_words: int) -> type[np.uint16 | np.int32]:
    """The number type of the column `word`."""
    return np.uint16 if n_words <= 1 << 16 else np.int32


def facts_of(folder: Path) -> dict[str, FileFact]:
    """What each file of a segment must look like from now on."""
    found = sorted(path.name for path in folder.glob("*.npy") if optional.is_column(path.stem))
    return {name: fact_of(folder / name) for name in (*(f"{name}.npy" for name in ARRAYS), *found)}


def _word_major(images: Sequence[ImageColumns], n_words: int) -> dict[str, NDArray[Any]]:
    """Postings sorted by word, then image, then feature."""
    word = np.concatenate([i.word for i in images])
    image = np.repeat(np.arange(len(images), dtype=np.int32), [len(i) for i in images])
    feature = np.concatenate([np.arange(len(i), dtype=np.uint16) for i in images])
    order = np.argsort(word, kind="stable")
    word, image = word[order], image[order]
    return {
        "vote_indptr": np.searchsorted(word, np.arange(n_words + 1)).astype(np.int32),
        "vote_image": image,
        "vote_feature": feature[order],
        "signature": np.concatenate([i.signature for i in images])[order],
    }


def open_segment(folder: Path, facts: Mapping[str, FileFact], n_words: int, first_image: int) -> Segment:
    """Map a segment's files. Raises IndexStoreError where one is missing, a link, or not as the table of files says.

    folder: INDEX/segments/NAME, none of which may be a link but INDEX.
    """
    files, sizes = expected_files(facts), {"n_words": n_words}
    try:
        with Directory.open_below(folder.parents[1], folder.parent.name, folder.name) as here:
            a = {name: open_array(here, name, facts, sizes) for name in ARRAYS if f"{name}.npy" in files}
            columns = {name: open_array(here, name, facts, sizes) for name in _column_names(facts)}
    except OSError as error:
        raise IndexStoreError(f"cannot be opened ({reason_of(error)})", path=folder, advice=ADVICE) from error
    mapped = [file for array in (*a.values(), *columns.values()) for file in file_of(array)]
    if not optional.are_sound(columns, sizes["n_images"]):
        raise IndexStoreError("its optional columns do not fit its images", path=folder, advice=ADVICE)
    postings = Postings(
        a["vote_indptr"], a["vote_image"], a["vote_feature"], a["signature"], first_image, sizes["n_images"]
    )
    with reading(*mapped):
        word = a["word"] if "word" in a else _derive_word(folder, postings, a)
    return Segment(postings, a["feature_indptr"], word, a["xy"], a["scale_angle"], columns, mapped)


def _column_names(facts: Mapping[str, FileFact]) -> list[str]:
    return [name for file in facts if optional.is_column(name := file.removesuffix(".npy"))]


def _derive_word(folder: Path, postings: Postings, a: Mapping[str, NDArray[Any]]) -> I32:
    """The column that segments of format 1 lack; the next merge writes it."""
    word = np.zeros(len(postings.image), np.int32)
    try:
        if len(postings.image) and postings.image.min() < 0:
            raise IndexError("postings name images that do not exist")
        rows = a["feature_indptr"][postings.image] + postings.feature
        word[rows] = np.repeat(np.arange(len(postings.indptr) - 1), np.diff(postings.indptr))
    except IndexError as error:
        raise IndexStoreError(str(error), path=folder, advice=ADVICE) from error
    return word
