"""Pictures whose features somebody else extracted come into the index: no picture is read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from bof.errors import BofError, ImageError, MismatchError, OptionError, reason_of
from bof.features.sift import N_DIMENSIONS
from bof.images.listing import Skipped
from bof.ingest.add import AddReport
from bof.ingest.batches import Batches
from bof.ingest.extract import Extracted
from bof.ingest.memory import id_of
from bof.options import MOST_FEATURES, OWN, FeatureOptions, IndexOptions
from bof.store.catalog import ImageRecord, path_in_memory
from bof.store.index import Index
from bof.store.segments import ImageColumns, store_geometry
from bof.types import Features
from bof.vocabulary.vocabulary import Vocabulary

OwnFeatures = Mapping[str, Features] | Iterable[tuple[str, Features]]
"""Features by id, or pairs of an id and features, one after the other."""


def require_own(features: FeatureOptions, *, own: bool, place: object = "") -> None:
    """Raises MismatchError where features of one's own meet an index of pictures, or the other way round."""
    if (features.extractor == OWN) == own:
        return
    expected = f"an index of features of {'your own' if own else 'pictures'}"
    found = f"one with the extractor {features.extractor}"
    advice = 'make it with FeatureOptions(extractor="own")' if own else "ask it with add_features and search_features"
    raise MismatchError(path=str(place), expected=expected, found=found, advice=advice)


def check_features(features: object, name: str = "") -> Features:
    """Features that may be indexed or searched with. Raises ImageError, which says what is wrong with others."""
    if not isinstance(features, Features):
        raise ImageError(path=name, expected="bof.Features", found=type(features).__name__)
    geometry, n = features.geometry, len(features.descriptors)
    columns = {
        "descriptors": (features.descriptors, np.uint8, (n, N_DIMENSIONS)),
        "xy_px": (geometry.xy_px, np.float32, (n, 2)),
        "scale_px": (geometry.scale_px, np.float32, (n,)),
        "angle_deg": (geometry.angle_deg, np.float32, (n,)),
    }
    for column, (values, dtype, shape) in columns.items():
        expected = f"{column} {np.dtype(dtype)} {shape}"
        if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != shape:
            found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            raise ImageError(path=name, expected=expected, found=found)
        if not np.isfinite(values).all():
            raise ImageError(path=name, expected=f"{expected}, finite", found="others")
    if n > MOST_FEATURES or min(geometry.width, geometry.height) < 1:
        found = f"{n} in {geometry.width} x {geometry.height} pixels"
        raise ImageError(path=name, expected=f"at most {MOST_FEATURES} features of a picture with a size", found=found)
    if n and float(geometry.scale_px.min()) <= 0:
        raise ImageError(path=name, expected="scale_px above 0", found=float(geometry.scale_px.min()))
    return features


def content_of_features(features: Features) -> str:
    """The SHA-256 of features, by which they are known again."""
    geometry = features.geometry
    digest = hashlib.sha256(f"bof features 1 {geometry.width} {geometry.height} {len(features)}\0".encode("ascii"))
    for column in (geometry.xy_px, geometry.scale_px, geometry.angle_deg, features.descriptors):
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def add_features(
    index: Index, vocabulary: Vocabulary, features: OwnFeatures, options: IndexOptions | None = None
) -> AddReport:
    """Make the index have these features as they are now: see `Engine.add_features`."""
    require_own(index.features, own=True, place=index.folder)
    start, n_unchanged = time.perf_counter(), 0
    with index.writer() as writer:
        writer.require_whole()
        batches = Batches(writer, options or IndexOptions())
        known = {record.name: record.sha256 for record in index.records()}
        for name, one in _pairs(features):
            found = _extracted(name, one, vocabulary, known)
            n_unchanged += found is None
            if found is not None:
                batches.take(found)
        batches.commit()
    return AddReport(
        n_added=batches.n_added, n_changed=0, n_moved=0, n_touched=0, n_removed=0, n_gone=0, n_unchanged=n_unchanged,
        skipped=batches.skipped, n_features=batches.n_features, seconds=time.perf_counter() - start,
    )  # fmt: skip


def _pairs(features: OwnFeatures) -> Iterator[tuple[object, object]]:
    if not isinstance(features, Iterable) or isinstance(features, str | bytes):
        raise OptionError("features", expected="features by id", found=type(features).__name__)
    for pair in features.items() if isinstance(features, Mapping) else features:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise OptionError("features", expected="features by id", found=type(pair).__name__)
        yield pair[0], pair[1]


def _extracted(
    name: object, features: object, vocabulary: Vocabulary, known: dict[str, str]
) -> Extracted | Skipped | None:
    """What is indexed of one picture; None where the index has it."""
    try:
        checked, found = check_features(features, str(name)), id_of(name)
    except BofError as error:
        return Skipped(str(name), reason_of(error))
    content = content_of_features(checked)
    if known.get(found) == content:
        return None
    known[found] = content
    words = vocabulary.quantize(checked.descriptors)
    columns = ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(checked.geometry))
    size = checked.geometry.width, checked.geometry.height, len(columns)
    n_bytes = checked.descriptors.nbytes
    return ImageRecord(found, path_in_memory(found), n_bytes, time.time_ns(), content, *size), columns
