"""The queries of a command: pictures that were named, and those in folders that were."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bof.errors import ImageError
from bof.images.listing import walk_images

STANDARD_INPUT = "-"


def expand_queries(names: Sequence[str]) -> list[str]:
    """Each name that is no folder, and of each folder the pictures in it and below, in the order of sorted paths.

    Raises ImageError for a folder without pictures, or one that cannot be read.
    """
    return [picture for name in names for picture in _pictures_of(name)]


def _pictures_of(name: str) -> Iterator[str]:
    if name == STANDARD_INPUT or not os.path.isdir(name):
        yield name
        return
    pictures = [str(path) for path in walk_images(Path(name))]
    yield from pictures
    if not pictures:
        raise ImageError(path=name, expected="a picture, or a folder with pictures", found="a folder without pictures")


def labels_of(queries: Sequence[str]) -> list[str]:
    """What files about each query are called: its name without suffix, numbered where two share it."""
    stems = ["standard input" if name == STANDARD_INPUT else Path(name).stem for name in queries]
    counts = Counter(stems)
    return [stem if counts[stem] == 1 else f"{stem}-{number}" for number, stem in enumerate(stems, 1)]
