"""Pictures that many pairs name are compared together, so that each is read once a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MOST_PICTURES = 96
"""Pictures of a batch, which are in memory at once: 1.2 MB each at the most."""


def in_batches(items: Sequence[Sequence[str]]) -> list[list[int]]:
    """Items in batches of those that name the same pictures, directly or through others: the numbers of the items.

    items: the pictures that each names, one at least. A batch names at most MOST_PICTURES, unless one item does alone.
    Batches, and the items in one, keep the order of the items.
    """
    return [batch for hanging in _components(items) for batch in _cut(items, hanging)]


def _components(items: Sequence[Sequence[str]]) -> list[list[int]]:
    """The items that hang together by the pictures that they name."""
    number_of: dict[str, int] = {}
    ends = [(number_of.setdefault(item[0], len(number_of)), number_of.setdefault(name, len(number_of)))
            for item in items for name in item]  # fmt: skip
    if not ends:
        return []
    one, other = np.array(ends).T
    graph = coo_array((np.ones(len(ends)), (one, other)), (len(number_of), len(number_of)))
    labels = connected_components(graph, directed=False)[1].tolist()
    parts: dict[int, list[int]] = {}
    for number, item in enumerate(items):
        parts.setdefault(labels[number_of[item[0]]], []).append(number)
    return list(parts.values())


def _cut(items: Sequence[Sequence[str]], hanging: Sequence[int]) -> Iterator[list[int]]:
    """Batches of items that hang together."""
    batch, pictures = list[int](), set[str]()
    for number in hanging:
        if batch and len(pictures.union(items[number])) > MOST_PICTURES:
            yield batch
            batch, pictures = [], set()
        batch.append(number)
        pictures.update(items[number])
    yield batch
