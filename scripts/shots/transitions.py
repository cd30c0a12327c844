"""How one shot of a composed film becomes the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from bof.types import F32, U8

Blend = Callable[[U8, U8, float], U8]
"""The last shot's frame, the next one's, and how far the transition is, from 0 to 1 -> what is shown."""


def _mixed(one: U8, other: U8, share: float | F32) -> U8:
    return np.asarray(one + (other.astype(np.float32) - one) * share + 0.5, np.float32).astype(np.uint8)


def dissolve(one: U8, other: U8, progress: float) -> U8:
    """One picture becomes the other everywhere at once."""
    return _mixed(one, other, progress)


def smooth_dissolve(one: U8, other: U8, progress: float) -> U8:
    """The same, slowly at both ends."""
    return _mixed(one, other, progress * progress * (3 - 2 * progress))


def fade_through(shade: int) -> Blend:
    """Out to one shade, a while of it, in again."""

    def blend(one: U8, other: U8, progress: float) -> U8:
        plain = np.full_like(one, shade)
        return _mixed(one, plain, min(1.0, progress / 0.45)) if progress < 0.5 else _mixed(
            plain, other, max(0.0, (progress - 0.55) / 0.45))  # fmt: skip

    return blend


def _wipe(order_of: Callable[[F32, F32], F32], softness: float) -> Blend:
    def blend(one: U8, other: U8, progress: float) -> U8:
        height, width = one.shape[:2]
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
        share = np.clip((progress * (1 + softness) - order_of(x, y)) / softness, 0, 1)
        return _mixed(one, other, share[..., None].astype(np.float32))

    return blend


def _distance(x: F32, y: F32) -> F32:
    """From the middle, 1 in the corners."""
    return np.asarray(np.sqrt(np.square(x - 0.5) + np.square(y - 0.5)) / 0.71, np.float32)


def push(one: U8, other: U8, progress: float) -> U8:
    """The next picture pushes the last one out to the left."""
    width = one.shape[1]
    x = int(progress * width)
    return np.ascontiguousarray(np.hstack([one, other])[:, x : x + width])


TRANSITIONS: Mapping[str, Blend] = MappingProxyType(
    {
        "dissolve": dissolve,
        "smooth dissolve": smooth_dissolve,
        "fade black": fade_through(0),
        "fade white": fade_through(255),
        "wipe right": _wipe(lambda x, y: x, 0.01),
        "wipe left": _wipe(lambda x, y: 1 - x, 0.15),
        "wipe down": _wipe(lambda x, y: y, 0.01),
        "wipe up": _wipe(lambda x, y: 1 - y, 0.2),
        "wipe circle": _wipe(_distance, 0.05),
        "wipe diagonal": _wipe(lambda x, y: np.asarray((x + y) / 2, np.float32), 0.05),
        "push": push,
    }
)
"""By name; the first word of a name is its kind. Of cuts there is nothing to blend."""
