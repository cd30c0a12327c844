from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from bof.video.chunks import CHUNK_SECONDS, LONGEST_SEARCH_SECONDS, chunks_of, edge_of


@pytest.mark.parametrize("seconds", ["0", "0.04", "59.9", "89.9", "90.1", "3599.96", "36000"])
def test_chunks_cover_a_film_and_its_last_one_goes_to_the_end(seconds: str) -> None:
    chunks = chunks_of(Fraction(seconds))
    assert chunks[0].start == 0
    assert chunks[-1].stop is None
    assert all(one.stop == other.start for one, other in pairwise(chunks))
    assert all(chunk.stop - chunk.start == CHUNK_SECONDS for chunk in chunks[:-1])
    last = Fraction(seconds) - chunks[-1].start
    assert len(chunks) == 1 or CHUNK_SECONDS / 2 <= last <= CHUNK_SECONDS * 1.5


def test_chunks_meet_at_the_first_boundary_that_comes_soon_enough() -> None:
    edge = Fraction(60)
    assert edge_of(edge, [Fraction(59), Fraction(60)]) == 60
    assert edge_of(edge, [Fraction(70), Fraction(61), Fraction(59)]) == 61
    assert edge_of(edge, [edge + LONGEST_SEARCH_SECONDS]) == edge
    assert edge_of(edge, []) == edge
