"""The values that travel between modules: columns of arrays, frozen, no behaviour beyond their own shape.

Pixel convention: the origin is the centre of the top-left pixel of the ORIGINAL upright picture (after EXIF), x to
the right, y down. Transforms are named target_from_source and are 3 x 3 homographies, bottom right element 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

Box = tuple[float, float, float, float]

Size = tuple[int, int]
"""Width and height of a picture in pixels."""

Verdict = Literal["same", "part", "maybe", "no", "unverified"]
"""same: the thing itself; part: something is certainly shared, and something else differs."""


Basis = Literal["content", "whole", "pixels", "points", "person"]
"""What `same` or `part` rests on: one file, pixels of the whole pictures where there are too few points, pixels where
points lay one over the other, or points alone. `person`: somebody has judged the pair, the same or not."""

VariantName = Literal["inverted", "enlarged", "tilted"]
"""How a query was changed before it was found: light and dark exchanged, a part of it enlarged, seen from aside."""


_LONG = 8.0


def reference_side(width: int, height: int) -> float:
    """What tolerances in a picture of this size are fractions of, in pixels: its long side, and eight short ones of a
    long picture, of which a query shows a piece.
    """
    return float(min(max(width, height), _LONG * min(width, height)))


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where n features lie in one picture.

    xy_px f32 (n, 2), scale_px f32 (n,) the SIFT diameter, angle_deg f32 (n,) clockwise in [0, 360);
    width, height: the original upright picture's size in pixels.
    """

    xy_px: F32
    scale_px: F32
    angle_deg: F32
    width: int
    height: int

    def __repr__(self) -> str:
        return f"Geometry({len(self)} features of {self.width} x {self.height} pixels)"

    def __len__(self) -> int:
        return len(self.scale_px)

    @property
    def long_side(self) -> int:
        """The larger of width and height, in pixels."""
        return max(self.width, self.height)

    @property
    def reference_side(self) -> float:
        """What geometry measures by, in pixels: see `reference_side`."""
        return reference_side(self.width, self.height)

    def take(self, rows: NDArray[np.integer] | Bool) -> Geometry:
        """The chosen features of the same picture."""
        return Geometry(self.xy_px[rows], self.scale_px[rows], self.angle_deg[rows], self.width, self.height)


@dataclass(frozen=True, slots=True)
class Features:
    """The features of one picture: their geometry and RootSIFT descriptors u8 (n, 128)."""

    geometry: Geometry
    descriptors: U8

    def __repr__(self) -> str:
        return f"Features({len(self)} of {self.geometry.width} x {self.geometry.height} pixels)"

    def __len__(self) -> int:
        return len(self.descriptors)

    def take(self, rows: NDArray[np.integer] | Bool) -> Features:
        """The chosen features of the same picture."""
        return Features(self.geometry.take(rows), self.descriptors[rows])


@dataclass(frozen=True, slots=True)
class QueryWords:
    """A query in the language of the index: word i32 (n, k), nearest first, and signature u64 (n, k)."""

    word: I32
    signature: U64

    def take(self, rows: NDArray[np.integer] | Bool) -> QueryWords:
        """Those of the chosen features."""
        return QueryWords(self.word[rows], self.signature[rows])


@dataclass(frozen=True, slots=True)
class Correspondences:
    """m tentative matches of a query with one database picture.

    query i32 (m,) and database u16 (m,): rows of the two pictures' features; weight f64 (m,): the vote of each.
    """

    query: I32
    database: U16
    weight: F64

    def __repr__(self) -> str:
        return f"Correspondences({len(self)})"

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: NDArray[np.integer] | slice) -> Correspondences:
        """The chosen matches."""
        return Correspondences(self.query[rows], self.database[rows], self.weight[rows])


@dataclass(frozen=True, slots=True)
class Verification:
    """What geometry says about a query and one database picture.

    n_inliers: one-to-one matches that agree with the transform, features in one grid cell counted once. Where too few
    agree database_from_query is None and nothing else is known. inliers: those matches; inlier_weight: the sum of their
    votes; spread: how wide they lie, the smallest standard deviation in any direction in either picture, as a fraction
    of its long side; database_from_query f64 (3, 3); variant: how the query was changed before this was found, None
    where it was not; query_xy_px f32 (m, 2): where the inliers lie in the query, None: where its features do, whose
    rows the inliers then name; tentative: the strongest matches, where too few agree and pixels are to decide.
    """

    n_inliers: int
    inlier_weight: float
    spread: float
    database_from_query: F64 | None
    inliers: Correspondences
    variant: VariantName | None = None
    query_xy_px: F32 | None = None
    tentative: Correspondences | None = None

    def __repr__(self) -> str:
        remarks = "".join(f", {remark}" for remark in self.remarks)
        return f"Verification({self.n_inliers} inliers, spread {self.spread:.2f}{remarks})"

    @property
    def remarks(self) -> list[str]:
        """How the query was changed before it was found, in words."""
        return [*(["mirrored"] if self.mirrored else []), *([self.variant] if self.variant else [])]

    def points_in(self, query: Geometry) -> F32:
        """Where the inliers lie in the query, f32 (m, 2) in pixels."""
        return query.xy_px[self.inliers.query] if self.query_xy_px is None else self.query_xy_px

    @property
    def mirrored(self) -> bool:
        """Does the database picture show the query's mirror image?"""
        transform = self.database_from_query
        return transform is not None and bool(np.linalg.det(transform[:2, :2]) < 0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the pixels of a query and a hit say, where geometry lays one over the other.

    query_overlap, hit_overlap: shares of the detail in each picture that agree; query_region, hit_region f64 (n, 2):
    the outline of what agrees, in pixels of each original, None where nothing does; n_differing: cells with other
    detail in each; measures f64 (m,): what the probability is made of, `alignment.agreement.MEASURES` names them;
    correlation f32 (g, g): of the pixels at places of the query, NaN where there is nothing to compare.
    """

    query_overlap: float
    hit_overlap: float
    query_region: F64 | None
    hit_region: F64 | None
    n_differing: int
    measures: F64
    correlation: F32

    def __repr__(self) -> str:
        shares = f"{self.query_overlap:.2f} of the query and {self.hit_overlap:.2f} of the hit agree"
        return f"Agreement({shares}, {self.n_differing} cells differ)"


@dataclass(frozen=True, slots=True)
class Overlay:
    """What n_images pictures share with the query at one place of the frame, and what was therefore left out.

    features i64 (n,): rows of the query's features; box: around them, in the query's pixels.
    """

    features: I64
    n_images: int
    box: Box


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """The pictures of an answer that share a value of a field; value: None for a picture without the field, alone.

    n_agree: how many of them are proved to show what the query shows; n_found: are in the answer; n_pictures: may
    answer. margin: the score of the best of them less the highest of the best of any other group: how far it leads, or
    below 0 how far it is behind; None where there is no other group.
    """

    field: str
    value: str | None
    n_agree: int
    n_found: int
    n_pictures: int
    margin: float | None


@dataclass(frozen=True, slots=True)
class FilmPlace:
    """Where in a film a hit is, in seconds. time: of the frame that shows the query best, where it was looked for, else
    of the keyframe; start and stop: of its shot; n_shots: how many shots of the film are called the same.
    """

    time: float
    start: float
    stop: float
    n_shots: int

    def __repr__(self) -> str:
        return f"FilmPlace({self.time:.3f} s, shot {self.start:.3f} to {self.stop:.3f} s, {self.n_shots} found)"


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: a database picture, how well it matches, and the proof.

    image: its number in the engine's snapshot; score is comparable between queries; probability: that both pictures
    show the same thing, None where geometry was not asked; outline f64 (4, 2): the corners of the query (or of its
    box) in the pixels of the database picture, from the query's top left clockwise, None where nothing was verified;
    agreement: what pixels say, None where they were not compared; basis: what `same` or `part` rests on. path: of the
    picture; where that is a part of a file (`page=12`), path is `FILE/#page=12` and `file` the file. query_outline f64
    (n, 2): where the database picture lies in the query, clipped to the query's picture; fields: what the catalogue
    says of it, tags too; group: which it is the best of, where hits are grouped by a field; film: where it is in its
    film, None for a picture; frame_xy_px f32 (m, 2): where the inliers lie in the exact frame, None: in the keyframe;
    query_number: which of several pictures that are one query the proof is of, from 0.
    """

    image: int
    name: str
    path: Path
    score: float
    probability: float | None
    verdict: Verdict
    width: int
    height: int
    verification: Verification | None
    outline: F64 | None
    agreement: Agreement | None = None
    basis: Basis | None = None
    part: str = ""
    query_outline: F64 | None = None
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: ValueGroup | None = None
    film: FilmPlace | None = None
    frame_xy_px: F32 | None = None
    query_number: int = 0

    @property
    def file(self) -> Path:
        """The file that the picture is, or lies in."""
        return self.path.parent if self.part else self.path

    @property
    def shown_part(self) -> str:
        """The part of the file that shows the query best: of a film the exact frame."""
        if self.film is None:
            return self.part
        _, shot, rest = self.part.partition("&")
        return f"t={self.film.time:.3f}{shot}{rest}"

    def __repr__(self) -> str:
        proof = f", {self.verification.n_inliers} inliers" if self.verification else ""
        rests = f", by {self.basis}" if self.basis else ""
        return f"Hit({self.name!r}, {self.verdict}, score {self.score:.2f}{proof}{rests})"


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a ranker returns: absolute paths best first, f64 scores, verdicts, and seconds spent by stage."""

    paths: Sequence[Path]
    scores: F64
    verdicts: Sequence[Verdict]
    seconds: Mapping[str, float]


class Ranker(Protocol):
    """Anything that ranks a collection for a picture, so that one evaluation compares them all."""

    @property
    def name(self) -> str:
        """What it is called in a report."""

    @property
    def description(self) -> Mapping[str, object]:
        """Its options, for the report."""

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """The collection's pictures for the picture in a file, or for a box of it."""
