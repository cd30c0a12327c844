"""Images made by program, as extraction describes them: catalogue facts, feature columns, optional columns."""

from __future__ import annotations

import numpy as np

from bof.store.catalog import ImageRecord
from bof.store.segments import ImageColumns

Extracted = tuple[ImageRecord, ImageColumns]


def extracted(name: str, seed: int, n_features: int = 30) -> Extracted:
    rng = np.random.default_rng(seed)
    columns = ImageColumns(
        rng.integers(0, 200, n_features).astype(np.int32),
        rng.integers(0, 1 << 63, n_features, dtype=np.uint64),
        rng.integers(0, 65536, (n_features, 2)).astype(np.uint16),
        rng.integers(0, 65536, (n_features, 2)).astype(np.uint16),
    )
    return ImageRecord(name, f"/photos/{name}", 1000 + seed, seed, "0" * 64, 640, 480, n_features), columns


def rows(seed: int) -> dict[str, np.ndarray]:
    """Some images have no optional columns, some one group of them, some two."""
    rng = np.random.default_rng(seed)
    found = {"color.color": rng.integers(0, 256, 1440).astype(np.uint8), "hash.ahash": rng.integers(0, 9, 1, np.uint64)}
    found["hash.phash"] = rng.integers(0, 9, 1, np.uint64)
    return {name: row for name, row in found.items() if seed % 3 > (name < "hash")}
