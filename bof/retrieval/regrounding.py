"""A flat drawing on other grounds: what is drawn on white hangs on a dark wall too, and its edges look otherwise there.

A blade that is darker than its ground is lighter than another one, so that half of its features are none there. They
are extracted anew on two or three levels of grey.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bof.alignment.drawn import DrawnMask
from bof.features.sift import extract_features
from bof.geometry.transforms import translation
from bof.images.decode import Picture, to_grey
from bof.retrieval.query import Query
from bof.retrieval.variants import QueryVariant

_LEVELS, _OTHER = (225, 150, 75), 50
"""Levels of grey, of which those are tried that are so far from the drawing's own ground: of 16 drawings on colours of
any light white alone finds 10, with 150 and 75 it finds all."""


def on_other_grounds(query: Query) -> Iterator[QueryVariant]:
    """A flat drawing on other grounds than its own; nothing of another picture, nor where it has no ground or its
    pixels are not at hand.
    """
    picture, source = query.picture, query.source
    if not query.is_flat or picture is None or source is None or picture.pixels.ndim != 3:
        return
    is_ground = ~DrawnMask.of_whole(picture.pixels).drawn(1)
    grey = to_grey(picture.pixels)
    own = int(np.median(grey[is_ground]))
    x0, y0, *_ = query.box
    for level in _LEVELS:
        if abs(level - own) >= _OTHER:
            pixels = np.where(is_ground, np.uint8(level), grey)
            found = extract_features(Picture(pixels, picture.width, picture.height), source.features)
            place = found.geometry.xy_px + np.array([x0, y0], np.float32)
            yield QueryVariant(found, translation(-x0, -y0), None, place)
