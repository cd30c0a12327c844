"""Other ways of asking with one query: its mirror image, its inverse, its parts enlarged.

Each is a variant: features in a frame of its own, and the transform to it. They are tried in the order of what they
cost, as long as nothing is clearly the same; proofs come back in the query's own pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bof.features.sift import inverse_features, mirror_features
from bof.geometry.transforms import mirroring
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.system.stopwatch import Stopwatch
from bof.types import F32, F64, I64, Features, VariantName, Verification


@dataclass(frozen=True, slots=True)
class QueryVariant:
    """A query changed. features: in the variant's frame; variant_from_query f64 (3, 3); name: None of the mirror image,
    which its transform tells; query_xy_px f32 (n, 2): where the features lie in the query, None: each is the query's
    feature of the same row.
    """

    features: Features
    variant_from_query: F64
    name: VariantName | None = None
    query_xy_px: F32 | None = None

    def in_query(self, found: Verification) -> Verification:
        """A proof that starts from the variant, started from the query itself."""
        if found.database_from_query is None:
            return found
        transform = found.database_from_query @ self.variant_from_query
        points = None if self.query_xy_px is None else self.query_xy_px[found.inliers.query]
        return dataclasses.replace(
            found, database_from_query=transform / transform[2, 2], variant=self.name, query_xy_px=points
        )

    def found_in_query(self, found: Candidates) -> Candidates:
        """What was found of the variant, with proofs that start from the query itself."""
        proofs = {image: self.in_query(known) for image, known in found.verifications.items()}
        return dataclasses.replace(found, verifications=proofs)


def mirror_image(features: Features) -> QueryVariant:
    """Left and right exchanged."""
    return QueryVariant(mirror_features(features), mirroring(features.geometry.width))


def inverse(features: Features) -> QueryVariant:
    """Light and dark exchanged: a negative, white lines on black."""
    return QueryVariant(inverse_features(features), np.eye(3), "inverted")


FEATURE_VARIANTS: Mapping[str, Callable[[Features], QueryVariant]] = MappingProxyType(
    {"mirror": mirror_image, "inverse": inverse}
)
"""By the option that asks for it: what needs the query's features alone. A second vote is all that it costs."""


DEPTH = 100
"""So many images with the most votes are verified for a variant: what it shows clearly is among the first. The mirror
image alone is verified as deep as the query.
"""


def is_needed(mode: str, found: Candidates, options: VerifyOptions) -> bool:
    """Is a variant looked for? mode: always, never, or auto, if nothing was clearly the same."""
    return mode == "always" or (mode == "auto" and not found.is_clear(options))


def with_feature_variants(
    stages: VoteAndVerify,
    options: SearchOptions,
    features: Features,
    found: Candidates,
    watch: Stopwatch,
    also: I64 | None = None,
) -> Candidates:
    """What was found of a query's features, with what its mirror image and its inverse prove better.

    Of features whose descriptors do not tell these, `repainting.PIXEL_VARIANTS` are tried instead.
    """
    if not stages.vocabulary.features.is_like_sift:
        return found
    for name, changed in FEATURE_VARIANTS.items():
        if is_needed(getattr(options, name), found, stages.verifying):
            with watch.stage(name):
                depth = stages.verifying.depth if name == "mirror" else DEPTH
                found = with_variant(stages, changed(features), found, also, depth)
    return found


def with_variant(
    stages: VoteAndVerify, variant: QueryVariant, found: Candidates, also: I64 | None = None, depth: int = DEPTH
) -> Candidates:
    """What was found of a query, with what a variant proves better, each in the query's pixels.

    depth: so many images are verified, or as many as the options say, if that is less; 0: as for the query.
    """
    verifying = stages.verifying
    shallow = dataclasses.replace(verifying, depth=min(verifying.depth or depth, depth) if depth else verifying.depth)
    more = dataclasses.replace(stages, verifying=shallow).candidates(variant.features, Stopwatch(), also)
    return found.with_better(variant.found_in_query(more), stages.verifying)


def feature_variant_of(found: Verification, features: Features) -> QueryVariant | None:
    """The variant of a query's features by which it was found; None where that was the query, or has features of its
    own.
    """
    if found.query_xy_px is not None:
        return None
    if found.variant is not None:
        return inverse(features) if found.variant == "inverted" else None
    return mirror_image(features) if found.mirrored else None
