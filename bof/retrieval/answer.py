"""What a search answers: every image with a positive score, and what is known of the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from bof.options import VerifyOptions
from bof.retrieval.evidence import Evidence
from bof.system.units import counted
from bof.types import F64, I64, Agreement, Basis, Bool, Hit, Overlay, Verdict, Verification


def shared_percent(share: float) -> int:
    """A share of the detail that agrees in percent, at most 99: something differs in a hit that is called a part."""
    return min(99, round(100 * share))


def describe_hit(hit: Hit) -> str:
    """The verdict on a hit and what it rests on, in a line."""
    if hit.basis == "whole":
        return f"{hit.verdict}, compared as a whole"
    if hit.basis == "person":
        return f"{hit.verdict}, {'confirmed' if hit.verdict == 'same' else 'judged not the same'} by a person"
    n_inliers = hit.verification.n_inliers if hit.verification else 0
    shares = ""
    if hit.verdict == "part" and hit.agreement is not None:
        overlaps = hit.agreement.query_overlap, hit.agreement.hit_overlap
        shares = "; {}% of the query and {}% of it agree".format(*map(shared_percent, overlaps))
    return f"{hit.verdict}, {counted(n_inliers, 'inlier')}{shares}"


def _nothing() -> Mapping[int, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """images i64 (n,) of the collection, best first; scores f64 (n,); seconds by stage.

    By image: verifications and evidence of those that geometry verified; agreements of those whose pixels were
    compared; basis: what the verdict of one called the same or a part rests on; verdicts that a ranker without
    geometry has of its own. overlay: what many pictures share at one place of the frame and was left out;
    query_numbers: by which of several pictures that are one query each image is known best, from 0; missing: the parts
    of the collection that did not answer, by name, and why: none of their images is in the answer.
    """

    images: I64
    scores: F64
    verifications: Mapping[int, Verification]
    evidence: Mapping[int, Evidence]
    seconds: Mapping[str, float]
    verdicts: Mapping[int, Verdict] = field(default_factory=_nothing)
    agreements: Mapping[int, Agreement] = field(default_factory=_nothing)
    basis: Mapping[int, Basis] = field(default_factory=_nothing)
    overlay: Overlay | None = None
    query_numbers: Mapping[int, int] = field(default_factory=_nothing)
    missing: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Answer({len(self.images)} images, {len(self.verifications)} verified)"

    def verdict(self, image: int, options: VerifyOptions) -> Verdict:
        """What is known of one image."""
        if image in self.verdicts:
            return self.verdicts[image]
        return self.evidence[image].verdict(options) if image in self.evidence else "unverified"

    def have_verdicts(self, images: I64, verdicts: Collection[str], options: VerifyOptions) -> Bool:
        """Which of some images i64 (k,) have one of these verdicts, bool (k,); only those that are known are looked
        at one by one.
        """
        known = {*self.evidence, *self.verdicts}
        chosen = [image for image in known if self.verdict(image, options) in verdicts]
        found = np.isin(images, chosen)
        if "unverified" in verdicts:
            found |= ~np.isin(images, list(known))
        return np.asarray(found, np.bool_)

    def only(self, image: int) -> Answer:
        """The same, of one image alone, with a score of 0 where it has none."""
        score = self.scores[self.images == image]
        return replace(self, images=np.array([image], np.int64), scores=score if len(score) else np.zeros(1))

    def probability(self, image: int) -> float | None:
        """That the query and an image show the same thing; None where geometry was not asked."""
        return self.evidence[image].probability if image in self.evidence else None
