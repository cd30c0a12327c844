"""Candidates for duplicates of one picture: found by votes and geometry, straight and in the mirror, and located."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bof.alignment.photograph import fit_copy
from bof.grouping.joining import PictureJoin
from bof.options import PixelLimit, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval.collection import Collection
from bof.retrieval.searcher import Searcher
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.types import F64, Features, Geometry, QueryWords, Verification
from bof.vocabulary.reconstruction import Reconstruction, with_own

_VOTING = VoteOptions(words_per_feature=2)
"""The words that a feature of the mirror image is looked for in; the picture itself has one a feature, the index's.

Of copies 4 words find no more: measured with scripts.duplicates.cost.
"""

_FEW_FEATURES, _WORDS_OF_FEW = 100, 16
"""A picture of fewer features cannot spare one: it is searched with in so many words a feature, as far as its words and
signatures say."""

_PART = 25
"""So many pictures are verified at a time: what shows the same is among those with the most votes."""


@dataclass(frozen=True, slots=True)
class VerifiedCandidate:
    """How a picture of the collection, number image, shows what the query does.

    n_inliers and probability: what verification says; found_from_query f64 (3, 3): its transform; exact f64 (3, 3): the
    affine transform that n_exact of the inliers agree with closely, None where there is none.
    """

    image: int
    n_inliers: int
    probability: float
    found_from_query: F64
    n_exact: int
    exact: F64 | None


def search_options(n_candidates: int) -> SearchOptions:
    """How candidates are searched for, at most so many."""
    return SearchOptions(vote=_VOTING, verify=VerifyOptions(depth=2 * n_candidates), mirror="always", inverse="never")


def find_candidates(
    searcher: Searcher, reconstruction: Reconstruction, image: int, max_side: PixelLimit
) -> list[VerifiedCandidate]:
    """What may show the same as an image of the collection, the surest first; no picture is read.

    searcher: with `search_options`; reconstruction: of its vocabulary.
    """
    geometry, word, signature = searcher.indexed(image)
    features = Features(geometry, reconstruction.descriptors(word, signature))
    words = QueryWords(word[:, None], signature[:, None])
    if len(word) < _FEW_FEATURES:
        k = min(_WORDS_OF_FEW, searcher.vocabulary.n_words)
        words = with_own(searcher.vocabulary.quantize(features.descriptors, k), word, signature)
    found = searcher.candidates(features, words, _PART)
    return _located(searcher, image, geometry, found, max_side)


def find_all_candidates(
    searcher: Searcher, reconstruction: Reconstruction, images: Sequence[int], max_side: PixelLimit
) -> list[list[VerifiedCandidate]]:
    """`find_candidates` of many images, which are joined with the collection at once.

    Those of few features are searched with alone, and those with an overlay, which is left out; all are where the
    collection is not here but on other machines, and where features are not like SIFT's: the join goes by directions
    and by descriptors of mirror images.
    """
    if searcher.stages_of is not VoteAndVerify or not searcher.vocabulary.features.is_like_sift:
        return [find_candidates(searcher, reconstruction, image, max_side) for image in images]
    joined = PictureJoin(searcher, reconstruction, _FEW_FEATURES)
    return [
        find_candidates(searcher, reconstruction, image, max_side)
        if found is None
        else _located(searcher, image, found.geometry, found.candidates, max_side)
        for image, found in zip(images, joined.candidates(images), strict=True)
    ]


def _located(
    searcher: Searcher, image: int, query: Geometry, found: Candidates, max_side: PixelLimit
) -> list[VerifiedCandidate]:
    """What may show the same as an image of the collection, whose features lie as `query` says, the surest first."""
    verifying, names = searcher.options.verify, searcher.collection.rows.names
    sure = [(i, e) for i, e in found.evidence.items() if i != image and e.verdict(verifying) in ("same", "maybe")]
    sure.sort(key=lambda pair: (-pair[1].score, names[pair[0]]))
    return [
        _candidate(searcher.collection, query, i, e.probability or 0.0, found.verifications[i], max_side)
        for i, e in sure[: verifying.depth // 2]
    ]


def _candidate(
    collection: Collection, query: Geometry, image: int, probability: float, found: Verification, max_side: PixelLimit
) -> VerifiedCandidate:
    assert found.database_from_query is not None  # no evidence calls it the same without one
    xy = collection.geometry(image, found.inliers.database).xy_px
    size = int(collection.rows.width[image]), int(collection.rows.height[image])
    points = query.xy_px[found.inliers.query]
    fit = fit_copy(points, xy, found.database_from_query, ((query.width, query.height), size), max_side)
    transform = found.database_from_query
    return VerifiedCandidate(image, found.n_inliers, probability, transform, fit.n_exact, fit.transform)
