"""What the front asks of a part of an index, and of which: plain values that travel. No pixel of a query is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.geometry.verification import MIN_LOCATED
from bof.options import PixelLimit, VerifyOptions, VoteOptions
from bof.retrieval.overlays import Shifts
from bof.store.catalog import ImageRecord
from bof.types import F32, F64, I64, U8, Bool, Geometry, QueryWords


@dataclass(frozen=True, slots=True)
class PartName:
    """One part of an index as of one commit of it. epoch: the number of the commit of the whole that weighs it."""

    folder: Path
    name: str
    generation: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What a worker needs once to open a part: idf f64 (n_words,) of the whole, whose images and features live."""

    idf: F64
    n_images: int
    n_features: int
    vocabulary_folder: Path


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """Words vote. key: under which the votes are remembered; words: None, where they are remembered already; allowed
    u8: bits of the images of the part that may answer, None: all that live.
    """

    key: str
    words: QueryWords | None
    voting: VoteOptions
    allowed: U8 | None


@dataclass(frozen=True, slots=True)
class Voted:
    """Images i64 (n,) of the part that have a vote, and their scores f64 (n,)."""

    images: I64
    score: F64


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """Geometry of images i64 (n,) of the part, refined, or only what agrees with one similarity (is_quick)."""

    vote: VoteRequest
    query: Geometry
    images: I64
    verifying: VerifyOptions
    is_quick: bool = False
    least_located: int = MIN_LOCATED


@dataclass(frozen=True, slots=True)
class Agreeing:
    """How many matches of each image agree, and where the images lie unturned."""

    n_agreeing: list[int]
    shifts: Shifts


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """Which features of a query images have at the same place: see `overlays.shared_features`."""

    vote: VoteRequest
    query: Geometry
    shifts: Shifts


@dataclass(frozen=True, slots=True)
class Shared:
    """shared bool (n_images, n_features); sizes i64 (n_images,): features of each image."""

    shared: Bool
    sizes: I64


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """The n strongest votes for one image."""

    vote: VoteRequest
    image: int
    n: int


@dataclass(frozen=True, slots=True)
class TfidfRequest:
    """The cosine of TF-IDF histograms with words i32 (n,)."""

    word: Any
    allowed: U8 | None


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """How alike each image is in a column of global descriptors: the row of the query, by one of the rankers."""

    ranker: str
    row: Any
    metric: str


@dataclass(frozen=True, slots=True)
class Measured:
    """similarity f32 (n_images,) where known bool (n_images,)."""

    similarity: F32
    known: Bool


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """The pixels of an image, at most so long, where its file is what was indexed."""

    record: ImageRecord
    folder: Path
    max_side: PixelLimit


@dataclass(frozen=True, slots=True)
class TouchRequest:
    """Open the part, and say so."""


Request = (
    VoteRequest
    | VerifyRequest
    | ShareRequest
    | MatchRequest
    | TfidfRequest
    | ColumnRequest
    | ReadRequest
    | TouchRequest
)
