"""One picture of the collection is a query to all others: votes and geometry without what is a template, pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bof.alignment.agreement import DECODED, MEASURES
from bof.alignment.drawings import is_flat_drawing
from bof.features.sift import extract_features
from bof.geometry import transforms
from bof.images.decode import Picture, shrink, to_grey
from bof.native.mapped_file import reading
from bof.options import FeatureOptions, ReuseOptions, VerifyOptions, VoteOptions
from bof.retrieval.answer import Answer
from bof.retrieval.collection import Collection
from bof.retrieval.inspection import Inspector
from bof.retrieval.query import Query
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.retrieval.variants import mirror_image
from bof.reuse.outlines import hull, intersection
from bof.reuse.reading import RepeatedPictures
from bof.reuse.template import MIN_LEFT, outside_template
from bof.reuse.types import SharedKind
from bof.system.stopwatch import Stopwatch
from bof.types import F64, Agreement, Basis, Features, QueryWords, Verification
from bof.vocabulary.vocabulary import Vocabulary

_MIN_DEPTH = 50
_AGREEING = MEASURES.index("agree 1.0")
_SAME_SHARE = 1 / 3
"""Of the detail in each of the pictures."""

_VOTING = VoteOptions(words_per_feature=4)
"""Of copies 4 words find as many as the 20 that a search affords, in half the time (grouping.candidates)."""


@dataclass(frozen=True, slots=True)
class ImageLink:
    """How image `other` of a collection shows what `image` does: fields as those of `SharedPart`."""

    image: int
    other: int
    kind: SharedKind
    basis: Basis
    probability: float
    thing: float | None
    n_inliers: int
    agreement: float | None
    other_from_image: F64
    outline: F64
    other_outline: F64
    share: float | None
    other_share: float | None


@dataclass(frozen=True, slots=True)
class PictureSearch:
    """Searches a collection with its own pictures. features: how the index's were extracted."""

    collection: Collection
    vocabulary: Vocabulary
    features: FeatureOptions
    pictures: RepeatedPictures
    options: ReuseOptions

    def links(self, image: int) -> tuple[list[ImageLink], bool]:
        """The others that share something with an image, best first, and whether it was searched with as requested."""
        picture = self.pictures.read(image, self.features.extent) if self.options.read == "pictures" else None
        with reading(self.collection):
            if picture is None:
                features, words = self._of_index(image)
                found, left = self._without_template(image, features, words)
            else:
                features = extract_features(dataclasses.replace(picture, pixels=to_grey(picture.pixels)), self.features)
                found, left = self._without_template(image, features, None)
            links = self._inspected(image, picture, left, self._chosen(image, found))
        return links, picture is not None or self.options.read == "index"

    # -- Votes and geometry -------------------------------------------------------------------------------------------

    @property
    def _verifying(self) -> VerifyOptions:
        least, n = self.options.probability, self.options.neighbours
        return VerifyOptions(depth=max(_MIN_DEPTH, 2 * n), same=least, maybe=min(0.5, least), pixels=n)

    @property
    def _stages(self) -> VoteAndVerify:
        return VoteAndVerify(self.collection, self.vocabulary, _VOTING, self._verifying)

    def _of_index(self, image: int) -> tuple[Features, QueryWords]:
        """What the index holds of an image: no descriptors, but one word and signature a feature."""
        geometry, (word, signature) = self.collection.geometry(image), self.collection.words(image)
        features = Features(geometry, np.empty((len(geometry), 0), np.uint8))
        return features, QueryWords(word[:, None], signature[:, None])

    def _without_template(
        self, image: int, features: Features, words: QueryWords | None
    ) -> tuple[Candidates, Features]:
        """What features find, and those of them that lie outside what is a template. words: of features without
        descriptors.
        """
        found = self._straight(features, words)
        others = {other: known for other, known in found.verifications.items() if other != image}
        sizes = self.collection.rows.sizes(np.array(list(others), np.int64))
        n_most = self.options.template
        left = outside_template(features.geometry, others, sizes, n_most) if n_most else None
        if left is not None and len(left) < MIN_LEFT:
            return Candidates(found.similarity), features
        if left is not None:
            features, words = features.take(left), words and words.take(left)
            found = self._straight(features, words)
        if words is None and self.features.is_like_sift:
            mirrored = mirror_image(features)
            more = self._straight(mirrored.features, None)
            found = found.with_better(mirrored.found_in_query(more), self._verifying)
        return found, features

    def _straight(self, features: Features, words: QueryWords | None) -> Candidates:
        stages, watch = self._stages, Stopwatch()
        voted = stages.votes(features, watch) if words is None else stages.votes_of_words(words, watch)
        return stages.verified(features, voted, watch)

    def _chosen(self, image: int, found: Candidates) -> Candidates:
        """The best candidates that are sure enough, without the image itself."""
        others = [other for other in found.called_same(self._verifying) if other != image][: self.options.neighbours]
        verifications = {other: found.verifications[other] for other in others}
        return Candidates(found.similarity, verifications, {other: found.evidence[other] for other in others})

    # -- Pixels -------------------------------------------------------------------------------------------------------

    def _inspected(self, image: int, picture: Picture | None, features: Features, found: Candidates) -> list[ImageLink]:
        if not found.evidence:
            return []
        others = np.array(list(found.evidence), np.int64)
        scores = np.array([known.score for known in found.evidence.values()])
        answer = Answer(others, scores, found.verifications, found.evidence, {})
        small = self._small(image, picture)
        geometry = features.geometry
        outline = transforms.corners((0, 0, geometry.width, geometry.height))
        is_flat = small is not None and is_flat_drawing(small)
        query = Query(features, outline, picture=small, is_flat=is_flat)
        inspector = Inspector(self.collection, self.pictures, self._verifying, self.features.extent)
        answer = inspector.inspect(query, answer)
        links = [self._link(image, other, features, answer) for other in answer.images.tolist()]
        return [link for link in links if link.agreement is None or link.agreement >= self.options.least_agreement]

    def _small(self, image: int, picture: Picture | None) -> Picture | None:
        if picture is None:
            return self.pictures.read(image, DECODED)
        return dataclasses.replace(picture, pixels=shrink(picture.pixels, DECODED))

    def _link(self, image: int, other: int, features: Features, answer: Answer) -> ImageLink:
        verification, evidence = answer.verifications[other], answer.evidence[other]
        agreement = answer.agreements.get(other)
        transform = verification.database_from_query
        if transform is None or evidence.shared is None:  # neither is called the same
            raise ValueError(f"image {other} is not verified")
        is_same = answer.verdict(other, self._verifying) == "same"
        return ImageLink(
            image,
            other,
            "same" if is_same and _covers(agreement) else "part",
            answer.basis[other],
            evidence.shared,
            evidence.thing,
            verification.n_inliers,
            float(agreement.measures[_AGREEING]) if agreement else None,
            transform,
            *self._outlines(other, features, verification, agreement),
            agreement.query_overlap if agreement else None,
            agreement.hit_overlap if agreement else None,
        )

    def _outlines(
        self, other: int, features: Features, verification: Verification, agreement: Agreement | None
    ) -> tuple[F64, F64]:
        """Around what is shared, in pixels of both: where points and pixels agree, else where points do."""
        inliers, transform = verification.inliers, verification.database_from_query
        around = hull(features.geometry.xy_px[inliers.query])
        region = agreement.query_region if agreement else None
        common = None if region is None else intersection(around, region)
        if common is not None and transform is not None:
            return common, transforms.apply(transform, common)
        return around, hull(self.collection.geometry(other, inliers.database).xy_px)


def _covers(agreement: Agreement | None) -> bool:
    """Is what agrees enough for one thing? A block is one thing, two pages of other text that have it are not."""
    return agreement is None or min(agreement.query_overlap, agreement.hit_overlap) >= _SAME_SHARE


def turned(link: ImageLink) -> ImageLink:
    """The same from the other side."""
    back: Mapping[str, object] = {"image": link.other, "other": link.image}
    inverse = np.linalg.inv(link.other_from_image)
    return dataclasses.replace(
        link,
        **back,  # type: ignore[arg-type]
        other_from_image=inverse / inverse[2, 2],
        outline=link.other_outline,
        other_outline=link.outline,
        share=link.other_share,
        other_share=link.share,
    )
