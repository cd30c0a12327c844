"""A chunk of a film becomes pictures of the index, in a process of its own: each keyframe is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bof.errors import ImageError, ModelError, reason_of
from bof.images.address import Address
from bof.images.films.film import Film
from bof.images.films.times import part_of_frame
from bof.images.films.types import FilmFacts
from bof.images.listing import Skipped
from bof.images.opening import sha256_of_part, stamp_of
from bof.ingest.extract import Extracted, ExtractSpec, be_one_of_many
from bof.ingest.film_files import CHANGED, OpenedFilm
from bof.options import SKETCH, FeatureOptions, VideoOptions
from bof.store.catalog import ImageRecord
from bof.store.columns import Rows
from bof.store.segments import columns_of
from bof.system.memory import pyramid_bytes
from bof.video.chunks import Chunk
from bof.video.extraction import extract_shots
from bof.video.types import Keyframe, Shot
from bof.vocabulary.vocabulary import Vocabulary, load_vocabulary

EXTRACT = f"{__name__}:extract_chunk_in_worker"

_BYTES_A_PIXEL = 100
_FIXED_BYTES = 256 << 20
"""Memory of reading a film: of a pixel of its frames, of which decoders hold dozens; and whatever its size."""


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """What every worker needs to know."""

    extract: ExtractSpec
    video: VideoOptions


@dataclass(frozen=True, slots=True)
class FilmChunk:
    """A chunk of a film."""

    film: OpenedFilm
    chunk: Chunk


def memory_of(facts: FilmFacts, features: FeatureOptions) -> int:
    """The bytes that a process may take to read a film."""
    return _FIXED_BYTES + pyramid_bytes(features) + _BYTES_A_PIXEL * facts.width * facts.height


def extract_chunk_in_worker(spec: FilmSpec, item: FilmChunk) -> Sequence[Extracted] | Skipped:
    """The pictures of a chunk, in order of time; Skipped with why there are none."""
    be_one_of_many()
    path = item.film.path
    try:
        if stamp_of(path) != item.film.stamp:
            return Skipped(path, CHANGED)
        found = _extracted(spec, item)
        return found if stamp_of(path) == item.film.stamp else Skipped(path, CHANGED)
    except (ImageError, ModelError, OSError, ValueError) as error:
        return Skipped(path, reason_of(error))


def _extracted(spec: FilmSpec, item: FilmChunk) -> list[Extracted]:
    vocabulary = load_vocabulary(spec.extract.vocabulary_folder)
    with Film(item.film.path) as film:
        shots = list(extract_shots(film, item.chunk.start, item.chunk.stop, spec.video, spec.extract.features))
        return [
            _picture(item.film, shot, keyframe, _rows(film, keyframe, spec.extract), vocabulary)
            for shot in shots
            for keyframe in shot.keyframes
        ]


def _rows(film: Film, keyframe: Keyframe, spec: ExtractSpec) -> Rows:
    """What a keyframe looks like as a whole. A sketch needs no more than was decoded for it already."""
    if not spec.column_spec.groups:
        return {}
    if keyframe.small is not None and spec.column_spec.groups == (SKETCH,):
        return spec.column_spec.describe(keyframe.small, "a frame of a film")
    in_grey = not spec.column_spec.needs_colour
    frame = film.frame_at(keyframe.time, grey=in_grey, max_side=spec.features.max_side)
    return spec.column_spec.describe(frame.pixels, "a frame of a film")


def _picture(film: OpenedFilm, shot: Shot, keyframe: Keyframe, rows: Rows, vocabulary: Vocabulary) -> Extracted:
    """A keyframe as a picture of the index; its name is free, or is changed by who commits it."""
    address = Address(film.path, part_of_frame(keyframe.time, shot.start, shot.stop))
    geometry, content = keyframe.features.geometry, sha256_of_part(film.sha256, address.part)
    size = geometry.width, geometry.height, len(keyframe.features)
    record = ImageRecord(address.name(film.name), str(address), *film.stamp, content, *size)
    return record, columns_of(keyframe.features, vocabulary, rows)
