"""Pictures that are in memory come into the index, by ids of the user's own. Their pixels are not stored."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bof.alignment.agreement import DECODED
from bof.errors import BofError, ImageError, IndexStoreError, OptionError, reason_of
from bof.features.sift import extract_features
from bof.global_descriptors.describe import ColumnSpec
from bof.images.decode import to_rgb
from bof.images.listing import Skipped
from bof.images.sources import Channels, Source, open_source
from bof.ingest.add import AddReport
from bof.ingest.backfill import find_missing
from bof.ingest.batches import Batches
from bof.ingest.extract import Extracted
from bof.options import IndexOptions
from bof.store.catalog import ImageRecord, is_in_memory, path_in_memory
from bof.store.index import Index
from bof.store.segments import ImageColumns, store_geometry
from bof.system.steps import Progress, Stage
from bof.system.threads import in_threads, n_threads
from bof.system.units import counted
from bof.vocabulary.vocabulary import Vocabulary

log = logging.getLogger("bof")

Images = Mapping[str, Source] | Iterable[tuple[str, Source]]
"""Pictures by id, or pairs of an id and a picture, one after the other."""

_PER_THREAD = 8
"""Pictures a thread before what was extracted is handed over."""

_MOST_LETTERS = 1024
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _MemorySpec:
    """How each picture is described; known: what the index has under each name, complete with its columns or not."""

    index: Index
    vocabulary: Vocabulary
    channels: Channels
    column_spec: ColumnSpec
    known: Mapping[str, tuple[ImageRecord, bool]]


def add_images(
    index: Index,
    vocabulary: Vocabulary,
    vocabulary_folder: Path,
    images: Images,
    options: IndexOptions | None = None,
    progress: Progress | None = None,
    *,
    channels: Channels = "RGB",
) -> AddReport:
    """Make the index have these pictures as they are now: see `Engine.add_images`."""
    options, start = options or IndexOptions(), time.perf_counter()
    n_images = len(images) if isinstance(images, Mapping | Sequence) else 0
    with index.writer() as writer:
        writer.require_whole()
        if not index.carries_vocabulary:
            writer.carry_vocabulary([vocabulary_folder])
        batches, n_unchanged = Batches(writer, options), 0
        stage = Stage(progress, "extracting", n_images)
        spec = _MemorySpec(index, vocabulary, channels, _loaded(index.column_spec), _known(index))
        try:
            for found in _extracted(_pairs(images), spec):
                n_unchanged += found is None
                if found is not None:
                    batches.take(found)
                stage.advance()
        except BaseException as error:  # an interrupt, or the user's own generator
            if not isinstance(error, IndexStoreError):
                batches.commit()
            raise
        batches.commit()
    _warn(batches.skipped)
    return AddReport(
        n_added=batches.n_added, n_changed=0, n_moved=0, n_touched=0, n_removed=0, n_gone=0, n_unchanged=n_unchanged,
        skipped=batches.skipped, n_features=batches.n_features, seconds=time.perf_counter() - start,
    )  # fmt: skip


def _loaded(column_spec: ColumnSpec) -> ColumnSpec:
    """Raises ModelError where the model of an embedding is gone: no picture could be described."""
    if column_spec.model and "embedding" in column_spec.groups:
        column_spec.model.load()
    return column_spec


def _known(index: Index) -> dict[str, tuple[ImageRecord, bool]]:
    missing = find_missing(index, index.column_spec.groups)
    lacking = {image.id for one in missing for image in one.images}
    return {record.name: (record, record.id not in lacking) for record in index.records()}


def _pairs(images: Images) -> Iterator[tuple[object, object]]:
    """Ids and pictures. Raises OptionError where something is no such pair."""
    advice = '{"id": picture} or [("id", picture)] names each'
    if not isinstance(images, Iterable) or isinstance(images, str | bytes):
        raise OptionError("images", expected="pictures by id", found=type(images).__name__, advice=advice)
    for pair in images.items() if isinstance(images, Mapping) else images:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise OptionError("images", expected="pictures by id", found=type(pair).__name__, advice=advice)
        yield pair[0], pair[1]


def _extracted(pairs: Iterator[tuple[object, object]], spec: _MemorySpec) -> Iterator[Extracted | Skipped | None]:
    """What became of each picture, in order; None: it is in the index already, and is the same."""
    seen: set[str] = set()
    while batch := list(islice(pairs, _PER_THREAD * n_threads())):
        found = in_threads(lambda pair: _extract(pair, spec), batch)
        for (name, _), one in zip(batch, found, strict=True):
            is_again = str(name) in seen
            seen.add(str(name))
            yield Skipped(str(name), "expected an id once, found it again") if is_again else one


def _extract(pair: tuple[object, object], spec: _MemorySpec) -> Extracted | Skipped | None:
    name, source = pair
    try:
        return _describe(id_of(name), source, spec)
    except BofError as error:
        return Skipped(str(name), reason_of(error))


def id_of(name: object) -> str:
    """An id that a picture may have. Raises ImageError for others."""
    if not isinstance(name, str):
        found = f"{type(name).__name__} {name!r:.40}"
        raise ImageError(expected="an id that is text", found=found, advice="str(id) makes one")
    if not 1 <= len(name) <= _MOST_LETTERS or _ODD.search(name):
        expected = f"an id of 1 to {_MOST_LETTERS} letters, no control characters among them"
        raise ImageError(expected=expected, found=f"{name!r:.80}")
    return name


def _describe(name: str, source: object, spec: _MemorySpec) -> Extracted | None:
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        raise ImageError(expected="a picture in memory", found="a path", advice="add takes paths")
    opened = open_source(source, spec.channels, name=name)  # type: ignore[arg-type]
    record, is_complete = spec.known.get(name, (None, False))
    if record and not is_in_memory(record.path):
        found = f"the picture in {record.path}, which has that name"
        raise ImageError(expected="an id that is free", found=found, advice="choose another id")
    if record and is_complete and record.sha256 == opened.sha256:
        return None
    features, extent = spec.index.features, spec.index.features.extent
    picture = opened.grey(extent)
    extracted = extract_features(picture, features, lambda: opened.colours(DECODED))
    words = spec.vocabulary.quantize(extracted.descriptors)
    pixels = to_rgb(opened.colours(extent).pixels) if spec.column_spec.needs_colour else picture.pixels
    rows = spec.column_spec.describe(pixels, name) if spec.column_spec.groups else {}
    columns = ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(extracted.geometry), rows)
    facts = (opened.n_bytes, time.time_ns(), opened.sha256, picture.width, picture.height, len(columns))
    return ImageRecord(name, path_in_memory(name), *facts), columns


def _warn(skipped: Sequence[Skipped]) -> None:
    """Nobody looks into a report of what went well."""
    if skipped:
        log.warning(
            "skipped %s; the first, %s: %s", counted(len(skipped), "picture"), skipped[0].path, skipped[0].reason
        )
