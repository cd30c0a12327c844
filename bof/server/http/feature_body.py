"""Features that a client extracted, as JSON: columns in base64, checked before anything is made of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.features.descriptor_bytes import N_DIMENSIONS
from bof.features.learned import SCALE_PX
from bof.options import MOST_FEATURES
from bof.server.http.problems import ProblemError
from bof.types import Features, Geometry

MOST_PIXELS = 1 << 24
"""Of a side of the picture that features were extracted from: where float32 still tells half pixels."""

_BYTES_OF_A_FEATURE = {"xy_px": 8, "descriptors": N_DIMENSIONS, "scale_px": 4, "angle_deg": 4}
_NEEDED = ("width", "height", "xy_px", "descriptors")

MOST_BYTES = (MOST_FEATURES * sum(_BYTES_OF_A_FEATURE.values()) * 4) // 3 + 4096
"""What the largest body takes in base64."""

_KNOWN = ("width", "height", *_BYTES_OF_A_FEATURE)


def features_of(sent: Mapping[str, Any]) -> Features:
    """The features that a JSON object says.

    xy_px: float32 (n, 2), little-endian, in pixels of the upright picture, 0 the middle of the first; descriptors:
    uint8 (n, 128); scale_px and angle_deg: float32 (n,), or neither of what has none. Raises ProblemError, which names
    what is wrong.
    """
    if unknown := sorted(set(sent) - set(_KNOWN)):
        raise _bad(f"only {', '.join(_KNOWN)}", f"{unknown[0]!r:.80}")
    if missing := [name for name in _NEEDED if name not in sent]:
        raise _bad(missing[0], "none")
    width, height = (_side(sent, name) for name in ("width", "height"))
    descriptors = _column(sent, "descriptors", None)
    n = len(descriptors) // N_DIMENSIONS
    if n > MOST_FEATURES:
        raise _bad(f"at most {MOST_FEATURES} features", str(n))
    xy = _floats(sent, "xy_px", n).reshape(n, 2)
    if n and not ((xy >= -0.5).all() and (xy <= [width, height]).all()):
        raise _bad(f"xy_px in {width} x {height} pixels", "places outside")
    scale = _floats(sent, "scale_px", n) if "scale_px" in sent else np.full(n, SCALE_PX, np.float32)
    angle = _floats(sent, "angle_deg", n) if "angle_deg" in sent else np.zeros(n, np.float32)
    if n and scale.min() <= 0:
        raise _bad("scale_px above 0", f"{scale.min():g}")
    geometry = Geometry(xy, scale, angle % np.float32(360), width, height)
    return Features(geometry, np.frombuffer(descriptors, np.uint8).reshape(n, N_DIMENSIONS))


def _side(sent: Mapping[str, Any], name: str) -> int:
    value = sent[name]
    if type(value) is not int or not 1 <= value <= MOST_PIXELS:
        raise _bad(f"{name} from 1 to {MOST_PIXELS}", f"{value!r:.40}")
    return value


def _floats(sent: Mapping[str, Any], name: str, n: int) -> NDArray[np.float32]:
    found = np.frombuffer(_column(sent, name, n), "<f4").astype(np.float32)
    if not np.isfinite(found).all():
        raise _bad(f"finite numbers in {name}", "others")
    return found


def _column(sent: Mapping[str, Any], name: str, n: int | None) -> bytes:
    """The bytes of a column, of n features or of any number."""
    text, size = sent[name], _BYTES_OF_A_FEATURE[name]
    if not isinstance(text, str):
        raise _bad(f"{name} in base64", type(text).__name__)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _bad(f"{name} in base64", "other text") from None
    if len(data) % size or (n is not None and len(data) != n * size):
        expected = f"a multiple of {size}" if n is None else f"{n * size}, {size} a descriptor"
        raise _bad(f"{name} of {expected} bytes", str(len(data)))
    return data


def _bad(expected: str, found: str) -> ProblemError:
    return ProblemError("bad-request", f"expected {expected}, found {found}")
