"""An image of an answer as a hit: its record, what is known of it, and the proof."""

from __future__ import annotations

from pathlib import Path

from bof.geometry import transforms
from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.query import Query
from bof.store.catalog import ImageRow
from bof.types import Hit


def hit_of(row: ImageRow, query: Query, answer: Answer, image: int, score: float, options: VerifyOptions) -> Hit:
    """The hit of one image, by its number in the collection; row: what the catalogue says of it."""
    verification = answer.verifications.get(image)
    transform = verification.database_from_query if verification else None
    outline = transforms.apply(transform, query.outline) if transform is not None else None
    facts = score, answer.probability(image), answer.verdict(image, options), row.width, row.height
    inspected = answer.agreements.get(image), answer.basis.get(image)
    return Hit(image, row.name, Path(row.path), *facts, verification, outline, *inspected)
