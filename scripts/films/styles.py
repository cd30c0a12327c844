"""The kinds of film that are composed: container, codec, size, rate, and what is laid over the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

_NTSC_FILM = Fraction(24000, 1001)


@dataclass(frozen=True, slots=True)
class Style:
    """How a film is written. bars: height of a letterbox bar (or width of a pillar, where negative) as a share of the
    side; logo: which channel's, 0 for none; captions: none, subtitles or names; grain: its standard deviation.
    """

    name: str
    suffix: str
    codec: str
    width: int
    height: int
    rate: Fraction
    bars: float = 0.0
    logo: int = 0
    captions: str = "none"
    intro: bool = False
    variable: bool = False
    grain: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)


_FAST = {"preset": "ultrafast", "crf": "23"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "36", "b": "0"}
_MPEG4 = {"qscale": "4"}

STYLES: Sequence[Style] = (
    Style("news", ".mp4", "libx264", 1280, 720, Fraction(25), logo=1, captions="names", options=_FAST),
    Style("cinema", ".mkv", "libx264", 1280, 720, _NTSC_FILM, bars=0.13, captions="subtitles", options=_FAST),
    Style("web", ".webm", "libvpx-vp9", 1280, 720, Fraction(30), options=_VP9),
    Style("series", ".mov", "libx264", 1280, 720, Fraction(25), intro=True, captions="subtitles", options=_FAST),
    Style("broadcast", ".ts", "libx264", 1280, 720, Fraction(25), logo=2, intro=True, options=_FAST),
    Style("phone", ".mkv", "libx264", 1280, 720, Fraction(30), variable=True, options=_FAST),
    Style("archive", ".avi", "mpeg4", 960, 720, Fraction(25), grain=6.0, options=_MPEG4),
    Style("old", ".mp4", "libx264", 1280, 720, Fraction(24), bars=-0.125, grain=4.0, options=_FAST),
    Style("show", ".mp4", "libx264", 1280, 720, Fraction(30), logo=1, intro=True, captions="names", options=_FAST),
    Style("documentary", ".mkv", "libx264", 1280, 720, Fraction(25), options={**_FAST, "preset": "veryfast"}),
    Style("upright", ".mp4", "libx264", 720, 1280, Fraction(30), captions="subtitles", options=_FAST),
    Style("feature", ".mov", "libx264", 1280, 720, _NTSC_FILM, bars=0.12, intro=True, logo=2, options=_FAST),
)
"""At their full size: the short side is 720."""


def styles_of(short_side: int) -> list[Style]:
    """All styles with so short a side."""
    return [
        replace(style, width=_even(style.width * short_side / 720), height=_even(style.height * short_side / 720))
        for style in STYLES
    ]


def _even(side: float) -> int:
    return 2 * round(side / 2)
