"""High dynamic range (PQ, HLG) and the wide colours of BT.2020 become what an ordinary screen shows.

Light is made linear, in units of reference white (203 cd/m2: ITU-R BT.2408); what is brighter than KNEE is compressed
by 1 - exp(-x), which has no corner at the knee and nowhere exceeds white; colours are turned from BT.2020 into BT.709
(ITU-R BT.2087), clipped, and encoded as sRGB. Middle tones stay where an ordinary recording has them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bof.types import F32, U8

PQ, HLG, BT_2020 = 16, 18, 9
"""AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67 and AVCOL_PRI_BT2020, as ITU-T H.273 numbers them."""

_REFERENCE_WHITE = 203.0
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_KNEE = 0.6
_BT_709_FROM_2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_LUMINANCE_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_LEVELS = 4096


def is_wide(transfer: int, primaries: int) -> bool:
    """Does a frame with these marks need `to_sdr`?"""
    return transfer in (PQ, HLG) or primaries == BT_2020


def to_sdr(pixels: NDArray[np.uint16], transfer: int, primaries: int) -> U8:
    """RGB u8 (h, w, 3) as an ordinary screen shows it, of RGB u16 (h, w, 3) with these marks."""
    light = _linear(transfer)[pixels >> 4]
    if transfer == HLG:
        luminance = (light @ _LUMINANCE_2020)[..., None]
        light = light * np.maximum(luminance, 1e-6) ** (_HLG_GAMMA - 1) * np.float32(_HLG_PEAK / _REFERENCE_WHITE)
    if transfer in (PQ, HLG):
        light = _compressed(light)
    if primaries == BT_2020:
        light = light @ _BT_709_FROM_2020.T
    codes = np.rint(np.clip(light, 0, 1) * np.float32(_LEVELS - 1)).astype(np.int32)
    shown: U8 = _srgb()[codes]
    return shown


def _compressed(light: F32) -> F32:
    """The same colours, the brightest channel of each at most white."""
    brightest = light.max(axis=2, keepdims=True)
    above = np.maximum(brightest - _KNEE, 0)
    shown = np.where(above > 0, _KNEE + (1 - _KNEE) * (1 - np.exp(-above / (1 - _KNEE))), brightest)
    compressed: F32 = (light * (shown / np.maximum(brightest, 1e-6))).astype(np.float32)
    return compressed


@cache
def _linear(transfer: int) -> F32:
    """Light f32 (4096) of a code of 12 bits: of PQ in reference whites, of HLG the scene's, else 0 to 1."""
    code = np.linspace(0, 1, _LEVELS)
    if transfer == PQ:  # SMPTE ST 2084
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = 10_000 / _REFERENCE_WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    elif transfer == HLG:  # ITU-R BT.2100
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:  # a screen: ITU-R BT.1886
        light = code**2.4
    return light.astype(np.float32)


@cache
def _srgb() -> U8:
    """Codes u8 (4096) of light from 0 to 1; see IEC 61966-2-1."""
    light = np.linspace(0, 1, _LEVELS)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    codes: U8 = np.rint(curve * 255).astype(np.uint8)
    return codes
