"""Which of several media types a client would rather have (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MAX_LETTERS = 2000
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


@dataclass(frozen=True, slots=True)
class _Range:
    kind: str
    profiles: frozenset[str]
    quality: float


@dataclass(frozen=True, slots=True)
class Offer:
    """A media type that an endpoint can answer in; profile: that of JSON-LD, "" for any."""

    kind: str
    profile: str = ""


def best_of(accept: str, offers: Sequence[Offer]) -> Offer:
    """The offer that a header prefers; the first where it has none, or is no better. accept: "" for no header."""
    ranges = list(_ranges(accept))
    if not ranges:
        return offers[0]
    return max(offers, key=lambda offer: (_quality(offer, ranges), -offers.index(offer)))


def _ranges(accept: str) -> Iterator[_Range]:
    for text in _RANGE.findall(accept[:_MAX_LETTERS]):
        kind = text.partition(";")[0].strip().lower()
        values = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(text)}
        try:
            quality = float(values.get("q", "1"))
        except ValueError:
            continue
        if kind and 0 <= quality <= 1:
            yield _Range(kind, frozenset(values.get("profile", "").split()), quality)


def _quality(offer: Offer, ranges: Sequence[_Range]) -> float:
    """What the range that fits an offer most closely gives it; a profile that was named counts before none."""
    fitting = [(_closeness(offer, one), one.quality) for one in ranges]
    closeness, quality = max(fitting)
    return quality if closeness else 0.0


def _closeness(offer: Offer, one: _Range) -> int:
    if one.kind == offer.kind:
        if not one.profiles:
            return 3
        return 4 if offer.profile in one.profiles else 0
    if one.kind == f"{offer.kind.partition('/')[0]}/*":
        return 2
    return 1 if one.kind == "*/*" else 0
