"""Features as JSON, as the HTTP API takes them: columns in base64, little-endian."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from bof.types import Features


def encode_features(features: Features) -> dict[str, Any]:
    """The JSON object of features: the size of the picture, and each column's bytes in base64."""
    geometry = features.geometry
    columns = {
        "xy_px": geometry.xy_px.astype("<f4"), "scale_px": geometry.scale_px.astype("<f4"),
        "angle_deg": geometry.angle_deg.astype("<f4"), "descriptors": features.descriptors,
    }  # fmt: skip
    encoded = {
        name: base64.b64encode(np.ascontiguousarray(column).tobytes()).decode() for name, column in columns.items()
    }
    return {"width": geometry.width, "height": geometry.height, **encoded}
