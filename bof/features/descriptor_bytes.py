"""Descriptors of other extractors become bytes of the length and the size that SIFT's have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bof.errors import OptionError
from bof.types import F64, U8

N_DIMENSIONS = 128
"""Length of a descriptor, that of SIFT (Lowe 2004)."""

_SEED = 128

_NORM, _MIDDLE = 384.0, 128
"""Of vectors in bytes: a number has a standard deviation of 34 about the middle, so that next to none is cut off."""


def descriptor_bytes(descriptors: NDArray[np.floating]) -> U8:
    """Bytes u8 (n, 128) of descriptors of floats (n, d): their angles stay, as far as 128 bytes hold them.

    Each is made of unit length and turned by a random rotation, always the same one for a length, to 128 numbers: of
    fewer the distances stay, of more about (Johnson and Lindenstrauss 1984). What is negative lies below 128.
    Raises OptionError for other arrays.
    """
    values = np.asarray(descriptors)
    if values.ndim != 2 or values.dtype.kind != "f" or not values.shape[1] or not np.isfinite(values).all():
        expected = "finite floats of shape (n, d)"
        raise OptionError("descriptors", expected=expected, found=f"{values.dtype} of shape {values.shape}")
    # Others beside a descriptor may change the last bits of its product, so it is rounded before it becomes bytes.
    projected = _unit(values.astype(np.float64)) @ _projection(values.shape[1])
    signed = np.rint(np.round(_unit(projected) * _NORM, 9)) + _MIDDLE
    return np.asarray(np.clip(signed, 0, 255), np.uint8)


def _unit(values: F64) -> F64:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, 1e-12), np.float64)


def _projection(n: int) -> F64:
    """f64 (n, 128): orthonormal rows where n is at most 128, else columns."""
    drawn = np.random.default_rng(_SEED).standard_normal((max(n, N_DIMENSIONS), min(n, N_DIMENSIONS)))
    rotation = np.linalg.qr(drawn)[0]
    return np.asarray(rotation.T if n < N_DIMENSIONS else rotation, np.float64)
