"""SIFT of bof's own, in C: the features that OpenCV finds, the strongest alone oriented and described."""

from __future__ import annotations

import threading

import numpy as np

from bof import native
from bof.types import F32, U8


class _Room(threading.local):
    """Each thread's space to work in: as large as its largest picture so far needed."""

    space: U8 = np.empty(0, np.uint8)

    def of(self, n_bytes: int) -> U8:
        """At least so many bytes."""
        if len(self.space) < n_bytes:
            self.space = np.empty(n_bytes, np.uint8)
        return self.space


_ROOM = _Room()


def native_sift(pixels: U8, contrast_threshold: float, max_features: int) -> tuple[F32, U8]:
    """Key points f32 (n, 4) of pixels u8 (h, w): x, y, size and angle as OpenCV has them; RootSIFT u8 (n, 128).

    Strongest first, ties by y, x, size and angle.
    """
    height, width = pixels.shape
    if not pixels.size:
        return np.empty((0, 4), np.float32), np.empty((0, 128), np.uint8)
    keypoints, descriptors = np.empty((max_features, 4), np.float32), np.empty((max_features, 128), np.uint8)
    room = _ROOM.of(native.sift_room(width, height, max_features))
    n = native.sift(np.ascontiguousarray(pixels), contrast_threshold, room, keypoints, descriptors)
    return keypoints[:n], descriptors[:n]
