"""The archive of the harvest's script, with pictures made by program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from scripts.archive.server import Archive as ServedArchive
from scripts.archive.server import serving as serve
from tests.support.scenes import draw_scene


class Archive(ServedArchive):
    """An archive that draws."""

    def draw(self, number: int, size: tuple[int, int] = (1280, 960)) -> str:
        """The scene of a number as a picture of this size; returns its id."""
        scaled = cv2.resize(draw_scene(number)[:, :, ::-1], size, interpolation=cv2.INTER_CUBIC)
        return self.add(f"p{number}", np.ascontiguousarray(scaled, np.uint8))


@contextmanager
def serving() -> Iterator[Archive]:
    """A running archive."""
    archive = Archive()
    with serve(archive):
        yield archive
