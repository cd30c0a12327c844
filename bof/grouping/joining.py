"""Pictures of a collection are joined with all of it: candidates as `Searcher.candidates` finds them, for many at once.

A picture is joined as it is, with the word that the index holds of each feature, and as its mirror image, with the
words that are nearest to what is reconstructed of its largest features. Only where that proposes something are all
features of the mirror image searched with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bof.features.sift import mirror_features
from bof.retrieval.evidence import Evidence, weigh
from bof.retrieval.overlays import MIN_IMAGES, unturned
from bof.retrieval.pair_join import Join, Proposal, View, matches_of
from bof.retrieval.searcher import Searcher
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.retrieval.variants import mirror_image
from bof.retrieval.votes import self_similarity
from bof.system.stopwatch import Stopwatch
from bof.types import I32, I64, U64, Features, Geometry, QueryWords
from bof.vocabulary.reconstruction import Reconstruction

_MIRRORED_FEATURES = 320
"""So many of the largest features of the mirror image are looked for first: of 40 mirrored copies that all features
find, these propose 40, and 256 of them 38."""


@dataclass(frozen=True, slots=True)
class JoinedImage:
    """What an image may show the same as, and where its features lie."""

    geometry: Geometry
    candidates: Candidates


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the index holds of an image: where its features lie, words i32 (n,) and signatures u64 (n,)."""

    image: int
    geometry: Geometry
    word: I32
    signature: U64

    @property
    def words(self) -> QueryWords:
        return QueryWords(self.word[:, None], self.signature[:, None])


@dataclass(frozen=True, slots=True)
class PictureJoin:
    """Joins images of a searcher's collection with the others.

    reconstruction: of its vocabulary; least_features: images of fewer are left to a search of their own.
    """

    searcher: Searcher
    reconstruction: Reconstruction
    least_features: int

    def candidates(self, images: Sequence[int]) -> list[JoinedImage | None]:
        """Of each image what may show the same; None where it must be searched with by itself.

        Raises IndexStoreError where the index contradicts itself.
        """
        with self.searcher.naming_damage():
            pictures = [_Picture(image, *self.searcher.indexed(image)) for image in images]
            many = [one for one in pictures if len(one.word) >= self.least_features]
            found = self._found(many)
        return [found.get(image) for image in images]

    # -- The pictures as they are -------------------------------------------------------------------------------------

    def _found(self, pictures: Sequence[_Picture]) -> dict[int, JoinedImage]:
        if not pictures:
            return {}
        straight = self._proposals([self._view(one) for one in pictures])
        mirrored = self._proposals([self._mirrored_view(one) for one in pictures])
        found: dict[int, JoinedImage] = {}
        for place, one in enumerate(pictures):
            candidates = self._verified(one, straight.get(place, []))
            if self._has_overlay(one, candidates):
                continue
            if place in mirrored:
                candidates = self._with_mirrored(one, candidates, [proposal.image for proposal in mirrored[place]])
            found[one.image] = JoinedImage(one.geometry, candidates)
        return found

    def _proposals(self, views: Sequence[View]) -> Mapping[int, list[Proposal]]:
        """By the place of a view what is proposed for it."""
        found: dict[int, list[Proposal]] = {}
        options = self.searcher.options
        join = Join(self.searcher.collection, views)
        for proposal in join.proposals(options.vote.max_hamming, options.verify.tolerance):
            found.setdefault(proposal.view, []).append(proposal)
        return found

    def _view(self, picture: _Picture) -> View:
        return View(picture.image, picture.geometry, picture.words, self._own(picture.word)[1])

    def _own(self, word: I32) -> tuple[float, float]:
        return self_similarity(self.searcher.collection.weights, word)

    def _verified(self, picture: _Picture, proposals: Sequence[Proposal]) -> Candidates:
        if not proposals:
            return Candidates(np.empty(0))
        images = np.array([one.image for one in proposals], np.int64)
        found = self._stages.verify_matches(picture.geometry, images, *matches_of(proposals))
        norm, (own, weight) = self.searcher.collection.weights.norm, self._own(picture.word)
        evidence: dict[int, Evidence] = {}
        for one in proposals:
            similarity = float(one.matches.weight.sum()) / float(norm[one.image]) / own
            evidence[one.image] = weigh(similarity, found[one.image], weight)
        return Candidates(np.empty(0), found, evidence)

    def _has_overlay(self, picture: _Picture, found: Candidates) -> bool:
        shifts = unturned(self.searcher.collection, picture.geometry, found.verifications)
        if len(shifts) < MIN_IMAGES:
            return False
        votes = self._stages.vote(picture.words)
        return self._stages.find_overlay(picture.geometry, votes, shifts) is not None

    # -- Their mirror images ------------------------------------------------------------------------------------------

    def _mirrored_view(self, picture: _Picture) -> View:
        largest = np.sort(np.argsort(-picture.geometry.scale_px, kind="stable")[:_MIRRORED_FEATURES])
        mirrored = mirror_features(self._features(picture, largest))
        words = self.searcher.vocabulary.quantize(mirrored.descriptors, self._stages.words_per_feature)
        return View(picture.image, mirrored.geometry, words, self._own(words.word[:, 0])[1])

    def _features(self, picture: _Picture, rows: I64) -> Features:
        descriptors = self.reconstruction.descriptors(picture.word[rows], picture.signature[rows])
        return Features(picture.geometry.take(rows), descriptors)

    def _with_mirrored(self, picture: _Picture, found: Candidates, images: Sequence[int]) -> Candidates:
        """What was found, with what all features of the mirror image prove better of some images."""
        variant = mirror_image(self._features(picture, np.arange(len(picture.word))))
        voted = self._stages.votes(variant.features, Stopwatch())
        verified = self._stages.verify(variant.features, voted.votes, np.array(images, np.int64))
        mirrored = Candidates(voted.similarity).with_verified(verified, voted.word_weight)
        return found.with_better(variant.found_in_query(mirrored), self.searcher.options.verify)

    @property
    def _stages(self) -> VoteAndVerify:
        options = self.searcher.options
        return VoteAndVerify(self.searcher.collection, self.searcher.vocabulary, options.vote, options.verify)
