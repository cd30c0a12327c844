"""What is done to pictures of strangers, in processes of their own: decode, extract, shrink, find the subject.

Runs in a child of `workers`, within limits of time and memory; what is wrong with a picture comes back as a value.
"""

from __future__ import annotations

import io
import math
import mmap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from bof.errors import ImageError
from bof.global_descriptors.describe import ColumnSpec
from bof.images.decode import Picture, decode, kind_of
from bof.images.opening import as_png
from bof.ingest.extract import be_one_of_many
from bof.options import FeatureOptions, PixelLimit
from bof.retrieval.query import Query, QuerySpec, read_query, subject_of, together
from bof.server.poses import Pose as Pose
from bof.server.poses import PosedPicture
from bof.system.memory import give_back_memory
from bof.types import U8, Box

RETAINED_BYTES = 400 << 20
"""A process that takes more after a picture gives back what it can; SIFT at the usual size stays below."""

_QUALITY = 82
_AUTO_SIDE = 512
_REMEMBERED_BYTES = 128 << 20
_LAST_DECODED: dict[tuple[str, int], U8] = {}
"""In a child: one picture by its content and how often it was halved."""


@dataclass(frozen=True, slots=True)
class DecodeSpec:
    """What every child knows: how features are extracted, and how many pixels a picture may have."""

    features: FeatureOptions
    max_pixels: int


@dataclass(frozen=True, slots=True)
class QueryNeeds:
    """What rankers need of a query: its features, and groups of columns that compare pictures as wholes."""

    features: bool = True
    column_spec: ColumnSpec = field(default_factory=ColumnSpec)

    def of(self, features: FeatureOptions) -> QuerySpec:
        """With how features are extracted."""
        return QuerySpec(features, self.column_spec, self.features)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query with its picture's size in pixels, the box that was used, and the seconds that it took."""

    query: Query
    width: int
    height: int
    box: Box | None
    seconds: float

    def judged_as(self, content: str) -> Prepared:
        """The same, known as a picture of this SHA-256: what a person says of it holds however it was turned, but not
        of a part of it.
        """
        known = content if self.box is None else ""
        return replace(self, query=replace(self.query, judged_as=known))

    def together(self, others: Sequence[Prepared]) -> Prepared:
        """This one and others as one query; picture and box stay the first's."""
        query = together([self.query, *(other.query for other in others)])
        return replace(self, query=query, seconds=self.seconds + sum(other.seconds for other in others))


@dataclass(frozen=True, slots=True)
class Subject:
    """Where the subject is, in a picture of this size in pixels."""

    box: Box | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make a query ready."""

    data: bytes
    pose: Pose
    needs: QueryNeeds

    def run(self, spec: DecodeSpec) -> Prepared:
        """In the child."""
        start = time.perf_counter()
        box = self.pose.box
        if isinstance(box, str):
            box = FindSubject(self.data, self.pose).run(spec).box
        prepared = read_query(PosedPicture(self.data, self.pose, spec.max_pixels), box, self.needs.of(spec.features))
        picture, query = prepared.picture, replace(prepared.query, source=None)  # who asks has the bytes
        return Prepared(query, picture.width, picture.height, box, time.perf_counter() - start)


@dataclass(frozen=True, slots=True)
class FindSubject:
    """Where the subject is. frame: as in PosedPicture."""

    data: bytes
    pose: Pose
    frame: tuple[int, int] | None = None

    def run(self, spec: DecodeSpec) -> Subject:
        """In the child."""
        picture = PosedPicture(self.data, self.pose, spec.max_pixels, self.frame).colours(_AUTO_SIDE)
        return Subject(subject_of(picture), picture.width, picture.height)


@dataclass(frozen=True, slots=True)
class Shrink:
    """A thumbnail: a JPEG whose long side has at most `size` pixels."""

    data: bytes
    size: int

    def run(self, spec: DecodeSpec) -> bytes:
        """In the child."""
        pixels = _decoded(self.data, spec, self.size, grey=False).pixels
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "JPEG", quality=_QUALITY, optimize=True)
        return target.getvalue()


@dataclass(frozen=True, slots=True)
class ToPng:
    """The same pixels in a PNG."""

    data: bytes

    def run(self, _spec: DecodeSpec) -> bytes:
        """In the child."""
        return as_png(self.data)


@dataclass(frozen=True, slots=True)
class CutOut:
    """A part of a picture as a JPEG. region: x, y, width, height in the frame of `full`, the size that the picture is
    said to have; size: of the JPEG, in pixels; content: the picture's SHA-256. A viewer asks for many tiles of a
    picture, so a process remembers the last that it has decoded.
    """

    data: bytes
    full: tuple[int, int]
    region: tuple[int, int, int, int]
    size: tuple[int, int]
    content: str

    def run(self, spec: DecodeSpec) -> bytes:
        """In the child."""
        pixels = self._pixels(spec)
        across, down = pixels.shape[1] / self.full[0], pixels.shape[0] / self.full[1]
        x, y, width, height = self.region
        left, top = int(x * across), int(y * down)
        part = pixels[top : math.ceil((y + height) * down), left : math.ceil((x + width) * across)]
        box = x * across - left, y * down - top, (x + width) * across - left, (y + height) * down - top
        target = io.BytesIO()
        image = Image.fromarray(part).resize(self.size, Image.Resampling.LANCZOS, _within(box, part))
        image.save(target, "JPEG", quality=_QUALITY, optimize=True)
        return target.getvalue()

    def _pixels(self, spec: DecodeSpec) -> U8:
        """The picture in RGB, halved as often as leaves what is needed."""
        scale = max(self.size[0] / self.region[2], self.size[1] / self.region[3])
        n_halved = max(0, math.floor(-math.log2(scale)))
        key = self.content, n_halved
        if key in _LAST_DECODED:
            return _LAST_DECODED[key]
        _LAST_DECODED.clear()
        pixels = _decoded(self.data, spec, max(1, math.ceil(max(self.full) / (1 << n_halved))), grey=False).pixels
        if pixels.nbytes <= _REMEMBERED_BYTES:
            _LAST_DECODED[key] = pixels
        return pixels


def _within(box: Box, pixels: U8) -> Box:
    """A box that rounding has moved a hair outside of pixels."""
    height, width = pixels.shape[:2]
    return max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])


@dataclass(frozen=True, slots=True)
class Measure:
    """Width and height of the upright picture."""

    data: bytes

    def run(self, spec: DecodeSpec) -> tuple[int, int]:
        """In the child."""
        picture = _decoded(self.data, spec, 1, grey=True)
        return picture.width, picture.height


@dataclass(frozen=True, slots=True)
class Decode:
    """The picture in RGB within `max_side`, to be compared with a query."""

    data: bytes
    max_side: PixelLimit

    def run(self, spec: DecodeSpec) -> Picture:
        """In the child."""
        return _decoded(self.data, spec, self.max_side, grey=False)


@dataclass(frozen=True, slots=True)
class Check:
    """Is it a whole picture? Returns its kind, as `images.kind_of` names it."""

    data: bytes

    def run(self, spec: DecodeSpec) -> str:
        """In the child."""
        _decoded(self.data, spec, spec.features.extent, grey=True)
        return kind_of(self.data) or ""


class PictureTask(Protocol):
    """What can be done to a picture in a process of its own."""

    def run(self, spec: DecodeSpec) -> Any:
        """In the child. Raises ImageError for a picture that cannot be used."""


def run_in_worker(spec: DecodeSpec, item: PictureTask) -> Any:
    """One item, in a process of its own."""
    be_one_of_many()
    try:
        return item.run(spec)
    except ImageError as error:
        return error
    finally:
        _give_back_much()


def _give_back_much() -> None:
    """What is freed is kept for the next picture, but not what only a huge one needs."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # no Linux: nothing is kept either
        return
    if pages * mmap.PAGESIZE > RETAINED_BYTES:
        give_back_memory()


def _decoded(data: bytes, spec: DecodeSpec, max_side: PixelLimit, *, grey: bool) -> Picture:
    return decode(data, max_side=max_side, max_pixels=spec.max_pixels, grey=grey)
