"""What few points suggest, pixels prove: one picture lies in the other, and agrees with it in every detail.

A line of a page, a small detail of a large picture, has too few points for geometry to be sure. Where these lay one
picture over the other, and all of the smaller one is there, to a fraction of a pixel, nothing else is needed. Another
picture that has as many points in common by chance agrees in less than half of its detail.
"""

from __future__ import annotations

from bof.alignment.likeness import Likeness
from bof.options import VerifyOptions
from bof.retrieval.answer import Answer

N_DOUBTFUL = 4
"""So many of the first hits that geometry leaves in doubt are compared: each is a picture to read."""

_AGREES, _COVERS = 0.95, 0.9
_LEAST_CELLS, _LEAST_DETAILED = 16, 4
"""So many cells must be there to compare, and with detail: less is a corner, or a line."""

_AMONG = 40
"""Doubtful hits are looked for among so many of the first: a picture with few points in common has few votes too."""


def find_doubtful(answer: Answer, options: VerifyOptions, is_clear_from: int) -> list[int]:
    """The first images that points lay over the query without proving anything, best first; none where something is
    called the same on at least so many inliers.
    """
    verified = [image for image in answer.images[:_AMONG].tolist() if image in answer.evidence]
    called = {image: answer.verdict(image, options) for image in verified}
    proofs = answer.verifications
    if any(verdict == "same" and proofs[image].n_inliers >= is_clear_from for image, verdict in called.items()):
        return []
    doubtful = [image for image in verified if called[image] in ("maybe", "no")]
    return [image for image in doubtful if proofs[image].database_from_query is not None][:N_DOUBTFUL]


def is_proved(alike: Likeness) -> bool:
    """Is all of the smaller picture in the other, in every detail?"""
    found = alike.differences
    return (
        max(alike.covers) >= _COVERS
        and alike.n_cells >= _LEAST_CELLS
        and min(alike.n_detailed, found.n_cells) >= _LEAST_DETAILED
        and min(alike.agreement, found.agree) >= _AGREES
        and found.is_none
    )
