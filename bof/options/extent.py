"""How large a picture is worked on: at most so long a side, and a long picture by its area."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ORDINARY = 2.5
"""A picture with a longer long side than so many short ones is long: a screenshot of a page, a panorama."""

_SHORT = 0.625
"""The short side of a long picture, as a share of the long side of others: that of a photograph of 8 to 5."""

_MOST_AREAS = 8.0
"""A long picture has at most so many times the area of a square of the side."""


@dataclass(frozen=True, slots=True)
class Extent:
    """At most `side` pixels on the long side; of a long picture more, so that its short side stays as fine as others'.

    Up to 2.5 to 1 nothing differs from the side alone. From there the short side may grow to 0.625 of it, as long as
    the area stays below 8 squares of the side.
    """

    side: int

    def long_side(self, width: int, height: int) -> int:
        """The long side, in pixels, of a picture of this size as it is worked on; it may be more than the picture's."""
        long, short = max(width, height, 1), max(min(width, height), 1)
        aspect = long / short
        if aspect <= _ORDINARY:
            return self.side
        worked_short = min(_SHORT * self.side, self.side * aspect / _ORDINARY**2)
        return round(min(worked_short * aspect, math.sqrt(_MOST_AREAS * aspect) * self.side))

    def areas(self, width: int, height: int) -> float:
        """How many ordinary pictures a long one makes as it is worked on, by its area; 1 of all others."""
        long, short = max(width, height, 1), max(min(width, height), 1)
        if long <= _ORDINARY * short:
            return 1.0
        worked = min(long, self.long_side(width, height))
        return min(_MOST_AREAS, max(1.0, worked * worked * short / long / (_SHORT * self.side**2)))


PixelLimit = int | Extent
"""How large a picture is decoded: at most so long a side, or an `Extent`."""


def long_side_of(limit: PixelLimit | None, width: int, height: int) -> int:
    """The long side in pixels that a limit allows a picture of this size, at most its own."""
    long = max(width, height)
    if limit is None:
        return long
    return min(long, limit.long_side(width, height) if isinstance(limit, Extent) else limit)
