"""Fetched pictures become columns of an index and thumbnails, each in a process of its own."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from PIL import Image

from bof.alignment.agreement import DECODED, DECODED_SIDE_PX
from bof.errors import ImageError, ModelError, reason_of
from bof.features.sift import extract_features
from bof.iiif.archive import Fetched
from bof.iiif.image_service import Size
from bof.images.decode import Picture, PictureTooLargeError, decode
from bof.images.listing import Skipped
from bof.ingest.extract import Extracted, ExtractSpec, be_one_of_many
from bof.options import IndexOptions, PixelLimit
from bof.store.catalog import ImageRecord
from bof.store.columns import Rows
from bof.store.segments import columns_of
from bof.system.memory import MemoryLimit, limit_memory
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.vocabulary.vocabulary import load_vocabulary

THUMBNAIL_PX = DECODED_SIDE_PX
"""The long side of a thumbnail: as much as pixels are compared at."""

_QUALITY = 85
_ROUNDED_PX = 1.5
"""So much a service may round a side."""


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """What a fetched picture became; thumbnail: a JPEG."""

    extracted: Extracted
    thumbnail: bytes
    fetched: Fetched


@dataclass(frozen=True, slots=True)
class _Alone:
    """A picture too large to be decoded while others are."""

    n_pixels: int


_Described = tuple[Extracted, bytes]


def read_pictures(
    fetched: Iterable[Fetched], spec: ExtractSpec, options: IndexOptions
) -> Iterator[ReadPicture | Skipped]:
    """The pictures as they come; those too large for a process's limit of memory come last, one at a time."""
    limit = limit_memory(options.memory, options.n_workers, spec.features)
    large: list[Fetched] = []
    for one, found in _run(fetched, spec, limit, options):
        if isinstance(found, _Alone):
            large.append(one)
        else:
            yield found
    for one, found in _run(large, spec, limit.in_one, options):
        if not isinstance(found, _Alone):
            yield found
        else:
            needed = limit.memory_for(found.n_pixels)
            yield Skipped(one.canvas.picture.canvas, f"its {found.n_pixels} pixels need --memory {needed} or more")


def _run(
    fetched: Iterable[Fetched], spec: ExtractSpec, limit: MemoryLimit, options: IndexOptions
) -> Iterator[tuple[Fetched, ReadPicture | Skipped | _Alone]]:
    sent: deque[Fetched] = deque()

    def items() -> Iterator[Fetched]:
        for one in fetched:
            sent.append(one)
            yield one

    limits = Limits(options.picture_seconds, limit.bytes + spec.column_spec.model_bytes)
    function = "bof.iiif.reading:read_in_worker"
    for found in run_in_workers(function, (spec, limit.max_pixels), items(), limit.n_workers, limits):
        one = sent.popleft()
        if isinstance(found, tuple):
            yield one, ReadPicture(found[0], found[1], one)
        else:
            yield one, Skipped(one.canvas.picture.canvas, found.reason) if isinstance(found, LostItem) else found


def read_in_worker(shared: tuple[ExtractSpec, int], fetched: Fetched) -> _Described | Skipped | _Alone:
    """One picture, in a process of its own."""
    be_one_of_many()
    spec, max_pixels = shared
    try:
        return _describe(fetched, spec, min(max_pixels, spec.max_pixels))
    except PictureTooLargeError as error:
        is_fit = error.n_pixels <= spec.max_pixels
        return _Alone(error.n_pixels) if is_fit else Skipped(fetched.canvas.picture.canvas, error.reason())
    except (ImageError, ModelError) as error:
        return Skipped(fetched.canvas.picture.canvas, reason_of(error))


def _describe(fetched: Fetched, spec: ExtractSpec, max_pixels: int) -> _Described:
    canvas = fetched.canvas

    def read(max_side: PixelLimit, *, grey: bool) -> Picture:
        name = canvas.picture.canvas
        found = decode(fetched.data, max_side=max_side, max_pixels=max_pixels, grey=grey, name=name)
        if found.note:  # an archive has the whole: it is fetched again the next time
            raise ImageError(found.note, path=name)
        width, height = framed((found.width, found.height), fetched.frame)
        return replace(found, width=width, height=height)

    picture = read(spec.features.extent, grey=True)
    rows = _rows(picture, spec, lambda: read(spec.features.extent, grey=False), canvas.path)
    vocabulary = load_vocabulary(spec.vocabulary_folder)
    columns = columns_of(extract_features(picture, spec.features, lambda: read(DECODED, grey=False)), vocabulary, rows)
    stamp = len(fetched.data), fetched.seen_ns
    size = picture.width, picture.height, len(columns)
    record = ImageRecord(canvas.name, canvas.path, *stamp, fetched.sha256, *size)
    return (record, columns), thumbnail_of(read(THUMBNAIL_PX, grey=False))


def _rows(grey: Picture, spec: ExtractSpec, in_colour: Callable[[], Picture], name: str) -> Rows:
    if not spec.column_spec.groups:
        return {}
    picture = in_colour() if spec.column_spec.needs_colour else grey
    return spec.column_spec.describe(picture.pixels, name)


def thumbnail_of(picture: Picture) -> bytes:
    """A picture as a JPEG in the size that it was decoded in."""
    target = io.BytesIO()
    Image.fromarray(picture.pixels).save(target, "JPEG", quality=_QUALITY, optimize=True)
    return target.getvalue()


def framed(found: Size, frame: Size) -> Size:
    """The frame that positions are in: that of the whole picture, if what was fetched is a smaller version of it."""
    if not all(frame) or max(found) > max(frame):
        return found
    width, height = found
    off = min(abs(width * frame[1] / frame[0] - height), abs(height * frame[0] / frame[1] - width))
    return frame if off <= _ROUNDED_PX else found
