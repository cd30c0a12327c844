"""Timecodes of edit decision lists: frames counted at the film's rate, dropped as SMPTE says."""

from __future__ import annotations

from fractions import Fraction

import pytest

from bof.cli.edl import timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("time", "rate", "expected"),
    [
        (Fraction(0), Fraction(25), "00:00:00:00"),
        (Fraction(83240, 1000), Fraction(25), "00:01:23:06"),
        (Fraction(3600), Fraction(24), "01:00:00:00"),
        (1000 / Fraction(24000, 1001), Fraction(24000, 1001), "00:00:41:16"),
        (1799 / NTSC, NTSC, "00:00:59;29"),
        (1800 / NTSC, NTSC, "00:01:00;02"),
        (17982 / NTSC, NTSC, "00:10:00;00"),
        (17981 / NTSC, NTSC, "00:09:59;29"),
        (3600 / (2 * NTSC), 2 * NTSC, "00:01:00;04"),
    ],
)
def test_frames_have_their_timecode(time: Fraction, rate: Fraction, expected: str) -> None:
    assert timecode(time, rate) == expected


def test_no_number_is_given_twice_or_left_out_but_those_that_are_dropped() -> None:
    codes = [timecode(frame / NTSC, NTSC) for frame in range(1790, 20000)]
    assert len(set(codes)) == len(codes)
    assert codes == sorted(codes)
    assert not any(code.endswith((":00;00", ":00;01")) and code[4] != "0" for code in codes)
