"""Pictures whose colours are equally bright show their detail in a channel of colour, not in grey."""

from __future__ import annotations

from dataclasses import replace

from bof.images.pixels import Picture, opponent_channels, to_grey
from bof.types import U8

_NO_LIGHT, _COLOUR = 6.0, 12.0
"""Standard deviations, in levels: of grey that shows nothing but compression, of a channel that shows much."""


def in_light(one: Picture, other: Picture) -> tuple[Picture, Picture]:
    """Both pictures as they are, or, where neither shows anything in grey, the channel of colour that shows most."""
    if one.pixels.ndim != 3 or other.pixels.ndim != 3 or not (_is_plain(one.pixels) and _is_plain(other.pixels)):
        return one, other
    shown, shown_other = opponent_channels(one.pixels), opponent_channels(other.pixels)
    best = max(range(len(shown)), key=lambda channel: float(shown[channel].std()))
    if min(float(shown[best].std()), float(shown_other[best].std())) < _COLOUR:
        return one, other
    return replace(one, pixels=shown[best]), replace(other, pixels=shown_other[best])


def _is_plain(pixels: U8) -> bool:
    """Does a picture show nothing in grey?"""
    return float(to_grey(pixels).std()) < _NO_LIGHT
