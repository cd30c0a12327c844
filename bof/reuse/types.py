"""What a reuse graph is made of: pictures, and pairs of them with the part that both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bof.store.catalog import ImageRecord
from bof.types import F64, Basis, Box

SharedKind = Literal["same", "part"]

SEPARATOR = "; "
"""Between the values of one field."""


@dataclass(frozen=True, slots=True)
class SharedPart:
    """Two pictures that show something that is the same, and where.

    source, target: places in `ReuseGraph.pictures`, the source's name before the target's; kind: "same", the pictures
    show one thing, and a third of the detail in each of them agrees, or "part", they share a part; basis: what that
    rests on, "content" (the same bytes), "pixels" or "points"; probability: that both show something that is the same;
    thing: that they show the same thing, None where pixels were not compared; n_inliers: points that agree, 0 for the
    same bytes; agreement: between these points, the share of the detail whose pixels agree, 0 to 1, None where pixels
    were not compared; target_from_source f64 (3, 3): a homography in pixels of the upright originals; source_outline,
    target_outline f64 (n, 2): around what is shared, in pixels of each original; source_share, target_share: how much
    of the detail in each picture agrees, 0 to 1, None where pixels were not compared.
    """

    source: int
    target: int
    kind: SharedKind
    basis: Basis
    probability: float
    thing: float | None
    n_inliers: int
    agreement: float | None
    target_from_source: F64
    source_outline: F64
    target_outline: F64
    source_share: float | None
    target_share: float | None

    @property
    def mirrored(self) -> bool:
        """Does one picture show the mirror image of what the other shows?"""
        return bool(np.linalg.det(self.target_from_source[:2, :2]) < 0)


@dataclass(frozen=True, slots=True)
class ReuseGraph:
    """Which pictures of a collection share which part.

    pictures: those that share something with another, by name; fields: of each, key -> values, tags are those of `tag`;
    shared: the pairs, by their places in `pictures`; clusters: places of pictures that hang together, largest first,
    each in the order of names; n_pictures: how many were searched with; n_unread: of these so many could not be read
    again, so that what the index holds of them was used.
    """

    pictures: Sequence[ImageRecord]
    fields: Sequence[Mapping[str, Sequence[str]]]
    shared: Sequence[SharedPart]
    clusters: Sequence[Sequence[int]]
    n_pictures: int
    n_unread: int = 0

    def __repr__(self) -> str:
        counts = f"{len(self.pictures)} of {self.n_pictures} pictures, {len(self.shared)} pairs"
        return f"ReuseGraph({counts}, {len(self.clusters)} clusters)"

    def to_records(self) -> list[dict[str, Any]]:
        """A row of plain values a pair, all with the same columns: for pandas.DataFrame, pyarrow, csv.DictWriter."""
        return [record_of(self, pair) for pair in self.shared]

    def picture_records(self) -> list[dict[str, Any]]:
        """A row of plain values a picture: cluster from 1, name, path, width, height, each field's values as text."""
        keys = sorted({key for fields in self.fields for key in fields})
        cluster_of = {place: n for n, places in enumerate(self.clusters, 1) for place in places}
        return [
            {
                "cluster": cluster_of[place],
                "name": picture.name,
                "path": picture.path,
                "width": picture.width,
                "height": picture.height,
            }
            | {field_column(key): SEPARATOR.join(fields.get(key, ())) for key in keys}
            for place, (picture, fields) in enumerate(zip(self.pictures, self.fields, strict=True))
        ]


def field_column(key: str) -> str:
    """The column of a field: its name, unless that is a column's already."""
    return f"field.{key}" if key.lower() in _TAKEN else key


_TAKEN = frozenset({"cluster", "name", "path", "width", "height", "id", "label"})


def box_of(outline: F64, picture: ImageRecord) -> Box:
    """What bounds an outline f64 (n, 2), within the picture, x0, y0, x1, y1 in its pixels."""
    low = np.clip(outline.min(axis=0) + 0.5, 0, [picture.width, picture.height])
    high = np.clip(outline.max(axis=0) + 0.5, 0, [picture.width, picture.height])
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def record_of(graph: ReuseGraph, pair: SharedPart) -> dict[str, Any]:
    """A pair as plain values."""
    source, target = graph.pictures[pair.source], graph.pictures[pair.target]
    return {
        "source": source.name,
        "target": target.name,
        "kind": pair.kind,
        "basis": pair.basis,
        "probability": pair.probability,
        "same_probability": pair.thing,
        "inliers": pair.n_inliers,
        "agreement": pair.agreement,
        "mirrored": pair.mirrored,
        "source_share": pair.source_share,
        "target_share": pair.target_share,
        "source_box": list(box_of(pair.source_outline, source)),
        "target_box": list(box_of(pair.target_outline, target)),
        "source_outline": pair.source_outline.tolist(),
        "target_outline": pair.target_outline.tolist(),
        "target_from_source": pair.target_from_source.tolist(),
    }
