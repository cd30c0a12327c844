"""A watched picture, and what it found."""

from __future__ import annotations

from dataclasses import dataclass

from bof.types import Verdict


@dataclass(frozen=True, slots=True)
class WatchedPicture:
    """One picture of the watch-list. name, note: what people call it, and why; sha256: of its file.

    created: in seconds since 1970; since: pictures of the index with higher ids are compared with it; n_hits: so many
    are recorded.
    """

    id: int
    name: str
    note: str
    sha256: str
    created: float
    since: int
    n_hits: int = 0


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A picture of the index that shows what a watched one does.

    number: hits are numbered in the order in which they were found, and none is given again; image: the picture's id,
    name, path and sha256 as it was found; probability: None where none was known; found: in seconds since 1970.
    """

    number: int
    watched: int
    image: int
    name: str
    path: str
    sha256: str
    verdict: Verdict
    score: float
    probability: float | None
    n_inliers: int
    found: float
