"""What is looked for in the frames of a shot."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from bof.options import FeatureOptions, VerifyOptions
from bof.types import F64, U8, Features


@dataclass(frozen=True, slots=True)
class QueryView:
    """A query's pixels u8 (h, w), in grey, mirrored where it is found so. pixels_from_query f64 (3, 3): from where its
    features lie.
    """

    pixels: U8
    pixels_from_query: F64


@dataclass(frozen=True, slots=True)
class FrameSearch:
    """Where to look, and for what.

    keyframe: its time; start and stop: of what is read; step: from one frame that is compared to the next, in seconds;
    features: the query's, mirrored where it is; small: what it looks like; full: in its own size, None where it is not
    at hand in that.
    """

    path: str
    keyframe: Fraction
    start: Fraction
    stop: Fraction
    step: Fraction
    features: Features
    small: QueryView
    full: QueryView | None
    extraction: FeatureOptions
    verifying: VerifyOptions
