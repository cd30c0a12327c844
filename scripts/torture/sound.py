"""A small sound index that has every kind of file, with the photographs that it names and a query to ask it with."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import cv2
import numpy as np

from bof import duplicates
from bof.engine import Engine, Query
from bof.global_descriptors import ann_index
from bof.grouping import memory
from bof.images.decode import read_image
from bof.options import FeatureOptions, IndexOptions, SearchOptions, TrainOptions
from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS
from bof.store import index as index_module
from bof.store.judgments import Judgment, add_judgments
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import train_vocabulary

SEGMENTS, PICTURES = 3, 5
"""Segments, and pictures in each: two are the same, one is cut out of another; one picture is removed."""

_DIMENSION = 16
_WORDS = 100


@dataclass(frozen=True, slots=True)
class Sound:
    """An index below `folder`, with its vocabulary and photographs; a query, as features and as a PNG file's bytes."""

    folder: Path
    query: Query
    png: bytes

    @property
    def index(self) -> Path:
        """The index folder."""
        return self.folder / "index"

    @property
    def vocabulary(self) -> Path:
        """The vocabulary that it was built with."""
        return self.folder / "vocabulary"


def run_here(
    function: str, shared: object, items: Sequence[object], n_workers: int, limits: object = None
) -> Iterator[Any]:
    """What `run_in_workers` does, in this process."""
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    return (work(shared, item) for item in items)


class PoolHere:
    """What `Pool` is, in this process."""

    def __init__(self, function: str, shared: object, n_workers: int, limits: object = None) -> None:
        self._function, self._shared = function, shared

    def submit(self, item: object) -> Future[Any]:
        """The result of one item."""
        future = Future[Any]()
        try:
            future.set_result(next(run_here(self._function, self._shared, [item], 1)))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing runs."""


@contextmanager
def small_and_here() -> Iterator[None]:
    """Small indexes have what large ones have, faiss indexes and saved weights, and no processes are started."""
    with ExitStack() as stack:
        for module in ("bof.ingest.extract", "bof.grouping.reading"):
            stack.enter_context(mock.patch(f"{module}.run_in_workers", run_here))
        stack.enter_context(mock.patch("bof.server.service.Pool", PoolHere))
        made = document(ENDPOINTS)
        stack.enter_context(mock.patch("bof.server.app.document", return_value=made))
        stack.enter_context(mock.patch.object(ann_index, "COMPARED_ALL", _DIMENSION))
        stack.enter_context(mock.patch.object(index_module, "WORTH_CACHING", 1))
        yield


def make_sound(folder: Path) -> Sound:
    """Make it; its segments have the same names every time. Inside `small_and_here`."""
    with mock.patch("uuid.uuid4", side_effect=map(UUID, map("{:032x}".format, count(1)))):
        return _make_sound(folder)


def _make_sound(folder: Path) -> Sound:
    _train(folder)
    engine = Engine.create(folder / "index", folder / "vocabulary")
    engine.add_columns(["hash", "color"])
    photos = folder / "photos"
    for part in range(SEGMENTS):
        pictures = [_write(photos / str(part) / f"{n}.png", PICTURES * part + n) for n in range(PICTURES - 1)]
        (photos / str(part) / "copy.png").write_bytes(pictures[0].read_bytes())
        pixels = np.asarray(cv2.imread(str(pictures[2])))
        cv2.imwrite(str(pictures[3]), pixels[15:, 10:])
        engine.add([photos / str(part)], IndexOptions(workers=1))
    _embed(engine)
    engine.annotate(["0.png", "*.png"], {"tag": ["kept"], "place": ["Bern", "東京"]})
    engine.remove([engine.records()[1].name])
    duplicates.main(["--index", str(engine.folder), "--kind", "scene"])
    one, other = [record.sha256 for record in engine.records()][:2]
    memory.reject(engine.folder, [(one, other)])
    add_judgments(engine.folder, [Judgment.of(one, other, is_same=True)])
    query = engine.prepare(read_image(photos / "1" / "2.png"), None, SearchOptions(ranker="bof+color+phash"))
    rows = {**query.rows, "embedding.embedding": _vector(1)}
    return Sound(folder, replace(query, rows=rows), (photos / "1" / "2.png").read_bytes())


def _train(folder: Path) -> None:
    for n in range(8):
        _write(folder / "training" / f"{n}.png", 100 + n)
    options = TrainOptions(words=_WORDS, workers=1)
    sample, _ = draw_sample([folder / "training"], "drawn", FeatureOptions(), options, lambda done, total: None)
    train_vocabulary(sample, options).save(folder / "vocabulary")


def _embed(engine: Engine) -> None:
    """Embeddings of a model that is not there: what is asked of the index are their rows."""
    facts = {"path": "/nowhere/model.onnx", "options": {}, "facts": {"dimension": _DIMENSION}}
    with engine.writer() as writer:
        for segment in engine.segments():
            vectors = {n: {"embedding.embedding": _vector(10 * segment.number + n)} for n in range(segment.n_images)}
            writer.backfill(segment.number, vectors)
        writer.set_facts({"columns": ["hash", "color", "embedding"], "model": facts})


def _vector(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=_DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float16)


def _write(path: Path, seed: int) -> Path:
    """A picture full of shapes, its own for every seed."""
    rng = np.random.default_rng(seed)
    pixels = np.full((150, 200, 3), rng.integers(60, 200, 3), np.uint8)
    for _ in range(60):
        box = ((int(rng.integers(200)), int(rng.integers(150))), tuple(rng.integers(4, 34, 2).tolist()))
        corners = cv2.boxPoints((*box, float(rng.uniform(0, 180)))).astype(np.int32)
        cv2.fillConvexPoly(pixels, corners, rng.integers(0, 256, 3).tolist(), cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path
