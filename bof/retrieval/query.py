"""A picture becomes a query: its features, and what it looks like as a whole. No index is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from bof.alignment.agreement import DECODED
from bof.alignment.drawings import is_flat_drawing
from bof.errors import ImageError, OptionError
from bof.features.sift import crop_features, extract_features, no_features
from bof.geometry import transforms
from bof.global_descriptors.describe import ColumnSpec
from bof.global_descriptors.sketch import FEW_FEATURES
from bof.images.decode import Picture, crop, shrink, to_grey
from bof.images.saliency import find_subject
from bof.options import AUTO, SKETCH, FeatureOptions, PixelLimit
from bof.store.columns import Rows
from bof.types import F64, Box, Features

QueryBox = Box | Sequence[float] | Literal["auto"] | None
"""Which part of a picture to search with: x0, y0, x1, y1 in its pixels; what stands out; all of it."""


class PictureViews(Protocol):
    """A picture that can be read in several ways; `images.sources.OpenedSource` is one. All raise ImageError."""

    @property
    def sha256(self) -> str:
        """Of its file."""

    def grey(self, max_side: PixelLimit) -> Picture:
        """Its light, with at most so long a side."""

    def colours(self, max_side: PixelLimit) -> Picture:
        """In RGB."""

    def both(self, grey_side: PixelLimit, colour_side: PixelLimit) -> tuple[Picture, Picture]:
        """In grey and in RGB, of sides of their own, decoded once where that can be."""


@dataclass(frozen=True, slots=True)
class QuerySource:
    """What a query was made of, where it can be read again: width and height in pixels of the original; features: how
    they were extracted.
    """

    views: PictureViews
    width: int
    height: int
    features: FeatureOptions

    def grey(self, max_side: PixelLimit) -> Picture | None:
        """Its light, with at most so long a side; None where it was read once and the file has gone since."""
        try:
            return self.views.grey(max_side)
        except ImageError:
            return None


@dataclass(frozen=True, slots=True)
class Query:
    """A picture made ready: its features (inside the box, if one was given) and its outline f64 (4, 2) in pixels.

    rows: what it looks like as a whole, for rankers that compare that, and a sketch where it has few features; features
    are none where no ranker asks them; picture: its pixels, small, to be compared with those of hits, None where they
    are not at hand; sha256: of the file that it is, as long as all of it is searched with; judged_as: that of the file
    that a person sees in it, also where it was turned, "" for a part of a picture; source: what it was made of, where
    that is at hand and a part of it can be looked at more closely; others: pictures that are one query with this one;
    is_flat: the picture is a flat drawing (`alignment.drawings`).
    """

    features: Features
    outline: F64
    rows: Rows = field(default_factory=dict)
    picture: Picture | None = None
    sha256: str = ""
    judged_as: str = ""
    source: QuerySource | None = None
    others: tuple[Query, ...] = ()
    is_flat: bool = False

    def part(self, number: int) -> Query:
        """One of the pictures that are this query, from 0; of one picture, itself."""
        if not self.others:
            return self
        return self.others[number - 1] if number else replace(self, others=())

    @property
    def parts(self) -> list[Query]:
        """The pictures that are this query, one after the other."""
        return [self.part(number) for number in range(1 + len(self.others))]

    @property
    def box(self) -> Box:
        """What is searched with, a part of the picture or all of it, in pixels of the picture."""
        (left, top), (right, bottom) = (self.outline[[0, 2]] + 0.5).tolist()
        return left, top, right, bottom

    def __repr__(self) -> str:
        columns = f", {', '.join(self.rows)}" if self.rows else ""
        return f"Query({len(self.features)} features{columns})"


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """What a search needs of a query: features as the index's were extracted, where local; the columns that are
    compared; pixels: its colours, small, to be compared with those of hits.
    """

    features: FeatureOptions
    column_spec: ColumnSpec | None = None
    local: bool = True
    pixels: bool = True


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """A query, the picture that its features were extracted from, and the box that was found or given."""

    query: Query
    picture: Picture
    box: Box | None


@dataclass(frozen=True, slots=True)
class WholePicture:
    """A picture as searches with any box of it need it: every answer to a box is made of these values alone.

    picture: as its features were extracted; colours: in RGB and small, None where `picture` is in RGB; features: of all
    of it, None where no ranker asks them; sha256: of its file, empty where it is looked at in another way.
    """

    picture: Picture
    colours: Picture | None
    features: Features | None
    sha256: str = ""

    @property
    def n_bytes(self) -> int:
        """Of its arrays."""
        views = [view.pixels.nbytes for view in (self.picture, self.colours) if view is not None]
        if self.features is None:
            return sum(views)
        geometry = self.features.geometry
        columns = (geometry.xy_px, geometry.scale_px, geometry.angle_deg, self.features.descriptors)
        return sum(views) + sum(column.nbytes for column in columns)

    def query(self, box: Box | None, column_spec: ColumnSpec | None = None) -> Query:
        """All of it, or a box, as a query with these columns. Raises ImageError as `prepare` does."""
        picture, outline = self.picture, _outline_of(self.picture, box)
        rows = _rows(picture, box, column_spec) if column_spec and column_spec.groups else {}
        content = self.sha256 if box is None else ""
        if self.features is None:
            return Query(no_features(picture.width, picture.height), outline, rows, judged_as=content)
        small = _small(self.colours or picture, box)
        found = self.features if box is None else crop_features(self.features, box)
        if len(found) < FEW_FEATURES:
            rows = {**rows, **ColumnSpec((SKETCH,)).describe(picture.pixels if box is None else crop(picture, box))}
        return Query(found, outline, rows, small, content, content, is_flat=is_flat_drawing(small))


def read_whole(source: PictureViews, spec: QuerySpec) -> WholePicture:
    """Read a picture as searches with any box of it need it, with the bits that `read_query` has of a box that is
    given in numbers. Raises ImageError.
    """
    picture, colours = _read_views(source, spec, in_colour=False)
    features = _features_of(picture, spec.features, colours) if spec.local else None
    return WholePicture(picture, colours, features, source.sha256)


def _read_views(source: PictureViews, spec: QuerySpec, *, in_colour: bool) -> tuple[Picture, Picture | None]:
    """The picture, and where it is grey and pixels are compared, its colours."""
    extent = spec.features.extent
    if in_colour or (spec.column_spec and spec.column_spec.groups):
        return source.colours(extent), None
    return source.both(extent, DECODED) if spec.pixels else (source.grey(extent), None)


def _features_of(picture: Picture, options: FeatureOptions, colours: Picture | None) -> Features:
    """colours: in RGB, small; None where the picture itself is, or they are not at hand."""

    def in_colours() -> Picture:
        return replace(picture, pixels=shrink(picture.pixels, DECODED)) if colours is None else colours

    return extract_features(replace(picture, pixels=to_grey(picture.pixels)), options, in_colours)


def read_query(source: PictureViews, box: QueryBox, spec: QuerySpec) -> PreparedQuery:
    """Read a picture as a search needs it, and make it ready: in grey, unless its colours are compared or say what
    stands out. Raises ImageError, also for a box outside the picture, and OptionError for what is no box.
    """
    picture, colours = _read_views(source, spec, in_colour=isinstance(box, str))
    found = find_box(picture, box)
    rest = spec.features, spec.column_spec
    query = prepare(picture, found, *rest, local=spec.local, colours=colours, sha256=source.sha256)
    again = QuerySource(source, picture.width, picture.height, spec.features)
    return PreparedQuery(replace(query, source=again), picture, found)


def prepare(
    picture: Picture,
    box: Box | None,
    features: FeatureOptions,
    column_spec: ColumnSpec | None = None,
    *,
    local: bool = True,
    colours: Picture | None = None,
    sha256: str = "",
) -> Query:
    """Make a picture, or a box of it, ready. column_spec: the columns to compute; local: are features needed?

    colours: the same picture in RGB, to be compared with the pixels of hits, where `picture` is grey; sha256: of its
    file.

    Raises ImageError for a box outside the picture, and for a grey picture where columns are needed.
    """
    _outline_of(picture, box)  # before the work
    found = _features_of(picture, features, colours) if local else None
    return WholePicture(picture, colours, found, sha256).query(box, column_spec)


def _outline_of(picture: Picture, box: Box | None) -> F64:
    """The corners of a box of the picture, or of all of it. Raises ImageError for a box outside."""
    x0, y0, x1, y1 = box or (0, 0, picture.width, picture.height)
    if box is not None and not (0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height):
        expected = f"x0 < x1 and y0 < y1 inside the picture's {picture.width} x {picture.height} pixels"
        raise ImageError(option="box", expected=expected, found=f"{x0:g},{y0:g},{x1:g},{y1:g}")
    return transforms.corners((x0, y0, x1, y1))


def _small(picture: Picture, box: Box | None) -> Picture:
    """The picture, or a box of it, as large as pixels are compared."""
    if box is None:
        return replace(picture, pixels=shrink(picture.pixels, DECODED))
    width, height = max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1]))
    return Picture(shrink(crop(picture, box), DECODED), width, height)


def _rows(picture: Picture, box: Box | None, column_spec: ColumnSpec) -> Rows:
    if picture.pixels.ndim != 3:
        expected = f"a picture in colour for the columns {', '.join(column_spec.groups)}"
        raise ImageError(expected=expected, found="a grey one", advice="read it without grey=True")
    return column_spec.describe(picture.pixels if box is None else crop(picture, box))


def find_box(picture: Picture, box: QueryBox) -> Box | None:
    """The part of a picture in its pixels; None: all of it. Raises OptionError for four other things."""
    if isinstance(box, str):
        if box != AUTO:
            raise OptionError(option="box", expected='x0, y0, x1, y1 or "auto"', found=repr(box))
        return subject_of(picture)
    if box is None:
        return None
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError) as error:
        raise OptionError(option="box", expected='x0, y0, x1, y1 or "auto"', found=f"{box!r:.80}") from error
    return x0, y0, x1, y1


def subject_of(picture: Picture) -> Box | None:
    """The box around what stands out in a picture, in pixels of the original; None where nothing does."""
    box = find_subject(picture.pixels)
    if box is None:
        return None
    height, width = picture.pixels.shape[:2]
    across, down = picture.width / width, picture.height / height
    return box[0] * across, box[1] * down, min(box[2] * across, picture.width), min(box[3] * down, picture.height)


def together(queries: Sequence[Query]) -> Query:
    """Several pictures as one query. Raises OptionError where there is none."""
    if not queries:
        raise OptionError("pictures", expected="one picture at least", found="none")
    first, *others = queries
    return replace(first, others=tuple(others))
