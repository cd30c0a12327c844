"""Two frames that may show the same: which points agree, and the transform from one to the other."""

from __future__ import annotations

from bof.clips.strips import Strip
from bof.features.matching import match_descriptors
from bof.features.sift import extract_features
from bof.geometry.hypotheses import MAX_PAIRS
from bof.geometry.verification import verify
from bof.images.decode import Picture
from bof.options import FeatureOptions, VerifyOptions
from bof.retrieval.variants import mirror_image
from bof.types import Features, Verification

_TOLERANCE = 0.008
"""Aligned frames are one photograph: inliers lie nearer than those of two views of a thing."""

_N_FEATURES = 500


def frame_features(strip: Strip, row: int, options: FeatureOptions) -> Features:
    """The features of one frame of a strip, in pixels of the film."""
    picture = Picture(strip.pixels[row], strip.width, strip.height)
    return extract_features(picture, options.replaced(max_features=_N_FEATURES))


def match_frames(query: Features, film: Features, *, mirrored: bool) -> Verification:
    """How a frame of the query lies in a frame of a film; mirrored: its mirror image does."""
    variant = mirror_image(query) if mirrored else None
    found = variant.features if variant else query
    matches = match_descriptors(found.descriptors, film.descriptors).take(slice(MAX_PAIRS))
    verified = verify(found.geometry, film.geometry, matches, VerifyOptions(tolerance=_TOLERANCE))
    return variant.in_query(verified) if variant else verified
