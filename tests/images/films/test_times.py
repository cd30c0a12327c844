"""Times of films in addresses."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bof.images.address import Address
from bof.images.films.times import part_of_frame, text_of, times_of


@given(st.fractions(0, 10**6, max_denominator=30_000))
def test_a_written_time_is_in_the_first_millisecond_of_its_frame(time: Fraction) -> None:
    found = times_of(f"t={text_of(time)}")
    assert found is not None
    assert 0 <= found.time - time < Fraction(1, 1000)


def test_a_frame_has_its_shot() -> None:
    part = part_of_frame(Fraction(1001, 24), Fraction(40), Fraction(50))
    assert part == "t=41.709&shot=40.000,50.000"
    address = Address("/films/a.mp4", part)
    assert Address.parse(str(address)) == address
    assert address.name("a.mp4") == "a.mp4#t=41.709"
    assert address.link == "/films/a.mp4#t=41.709"
    assert Address.file_name(str(address), "b.mp4#t=41.709") == "b.mp4"


def test_what_is_no_time() -> None:
    for part in ("", "t=", "t=-1", "t=1e3", "t=nan", "t=1&shot=2", "t=1&shot=2,x", "page=1", "t=1\n"):
        assert times_of(part) is None
