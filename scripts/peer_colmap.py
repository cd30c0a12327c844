"""COLMAP's visual index (Schoenberger et al. 2016, "A vote-and-verify strategy for fast spatial verification").

The Python binding of VisualIndex.query returns nothing, so rankings come from VocabTreePairGenerator, which gives the
pairs of a query image in order of score, without the scores, and the time comes from VisualIndex.query, which does
the same work. The generator indexes every image of its database that the index file does not hold; a query therefore
goes by the number of a picture that is indexed, and only its features come from the database. Verification looks at
all images that a query retrieves, so as many are retrieved as shall be verified.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycolmap
from peer_common import Clock, Collection, Cost, Workshop, ranking_of

from bof.types import F32, U8, Box, Features, Ranking

ITERATIONS = 10
"""Of k-means. COLMAP's default, three times 100 iterations, takes hours for the last percent of distortion."""

pycolmap.logging.minloglevel = int(pycolmap.logging.WARNING)

_Ask = tuple[Path, Box | None]


@dataclass(frozen=True, slots=True)
class ColmapPeer:
    """What COLMAP answered to every query of a collection, and the index that was asked, for the time."""

    collection: Collection
    visual_index: pycolmap.VisualIndex
    rows: Mapping[_Ask, Sequence[int]]
    depth: int
    cost: Cost
    trained_on: str

    @classmethod
    def index(cls, workshop: Workshop, collection: Collection, depths: Sequence[int] = (0,)) -> list[ColmapPeer]:
        """One index, asked without verification or with `depth` pictures verified, for each of the depths."""
        vocabulary = train(workshop)
        visual_index, seconds = build(vocabulary, [collection.features[path] for path in collection.database])
        trained_on = f"{workshop.training.name}, {ITERATIONS} iterations"
        file = Path(tempfile.mkdtemp(prefix="colmap-", dir=workshop.scratch)) / "index.bin"
        visual_index.write(file)
        cost = Cost(seconds, file.stat().st_size - vocabulary.stat().st_size)
        rows = {depth: _ask(collection, file, depth) for depth in {0, *depths}}
        return [
            cls(collection, visual_index, _with_tail(rows[depth], rows[0]), depth, cost, trained_on) for depth in depths
        ]

    @property
    def name(self) -> str:
        """COLMAP, with the depth of verification."""
        return f"COLMAP, verifying {self.depth}" if self.depth else "COLMAP, unverified"

    @property
    def description(self) -> Mapping[str, object]:
        """Version and depth."""
        return {"pycolmap": pycolmap.__version__, "depth": self.depth}

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """The pictures in COLMAP's order; scores only count down, because COLMAP keeps its own to itself."""
        seconds = time_query(self.visual_index, convert(self.collection.of(path, box)), self.depth)
        rows = self.rows[path, box]
        return ranking_of(self.collection.database, rows, np.arange(len(rows), 0.0, -1.0), seconds)


@dataclass(frozen=True, slots=True)
class Converted:
    """Features as COLMAP takes them."""

    keypoints: pycolmap.FeatureKeypoints
    descriptors: pycolmap.FeatureDescriptorsFloat


def convert(features: Features) -> Converted:
    """COLMAP's origin is the corner of the first pixel, not its centre; its scale is the radius."""
    make = pycolmap.FeatureKeypoint.from_shape_parameters
    keypoints = [make(x, y, s, s, angle, 0.0) for x, y, s, angle in _shapes(features).tolist()]
    return Converted(pycolmap.FeatureKeypoints(keypoints), _floats(features.descriptors))


def train(workshop: Workshop) -> Path:
    """The file of a vocabulary tree that COLMAP trained."""
    kept = workshop.kept("colmap", ".bin")
    if not kept.exists():
        visual_index = pycolmap.VisualIndex.create(128, 64)
        options = pycolmap.VisualIndex.BuildOptions()
        options.num_visual_words, options.num_iterations, options.num_rounds = workshop.words, ITERATIONS, 1
        visual_index.build(options, _floats(workshop.sample()))
        visual_index.write(kept)
    return kept


def build(vocabulary: Path, pictures: Sequence[Features]) -> tuple[pycolmap.VisualIndex, float]:
    """An index of pictures, numbered from one, and the seconds that it took; conversion is not counted."""
    visual_index = pycolmap.VisualIndex.read(vocabulary)
    clock = Clock()
    for number, features in enumerate(pictures, 1):
        converted = convert(features)
        with clock.running():
            visual_index.add(pycolmap.VisualIndex.IndexOptions(), number, converted.keypoints, converted.descriptors)
    with clock.running():
        visual_index.prepare()
    return visual_index, clock.seconds


def time_query(visual_index: pycolmap.VisualIndex, query: Converted, depth: int) -> float:
    """Seconds of one query that verifies `depth` pictures."""
    options = pycolmap.VisualIndex.QueryOptions()
    options.max_num_images = depth or -1
    options.num_images_after_verification = depth
    start = time.perf_counter()
    visual_index.query(options, query.keypoints, query.descriptors, [])
    return time.perf_counter() - start


def _with_tail(head: Mapping[_Ask, Sequence[int]], whole: Mapping[_Ask, Sequence[int]]) -> dict[_Ask, Sequence[int]]:
    """Behind the verified pictures the others, as they stood without verification."""
    return {ask: list(dict.fromkeys([*rows, *whole[ask]])) for ask, rows in head.items()}


def _ask(collection: Collection, index_file: Path, depth: int) -> dict[_Ask, Sequence[int]]:
    """The rows of the database that COLMAP returns to each query, best first."""
    asks = list(dict.fromkeys((query.image, query.box) for query in collection.queries))
    numbers = [i for i, path in enumerate(collection.database, 1) if len(collection.features[path])]
    answers: dict[_Ask, Sequence[int]] = dict.fromkeys(asks, ())
    for first in range(0, len(asks), len(numbers)):
        by_number = dict(zip(numbers, asks[first : first + len(numbers)], strict=False))
        queries = {number: collection.of(*ask) for number, ask in by_number.items()}
        for number, rows in _answers(queries, index_file, depth or len(collection.database), depth):
            answers[by_number[number]] = rows
    return answers


def _answers(
    queries: Mapping[int, Features], index_file: Path, n_images: int, depth: int
) -> Iterator[tuple[int, list[int]]]:
    """Every query's number and the rows that it found; a query that found none is left out."""
    options = pycolmap.VocabTreePairingOptions()
    options.vocab_tree_path = index_file
    options.num_images, options.num_images_after_verification = n_images, depth
    with (
        tempfile.TemporaryDirectory(prefix="bof-colmap-") as folder,
        pycolmap.Database.open(Path(folder) / "queries.db") as database,
    ):
        _write_queries(database, queries)
        generator = pycolmap.VocabTreePairGenerator(options, database, list(queries))
        while not generator.has_finished():
            if pairs := generator.next():
                yield pairs[0][0], [number - 1 for _, number in pairs]


def _write_queries(database: pycolmap.Database, queries: Mapping[int, Features]) -> None:
    kind = pycolmap.FeatureExtractorType.SIFT
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_PINHOLE", 1000.0, 1000, 1000)
    camera_id = database.write_camera(camera)
    for number, features in queries.items():
        image = pycolmap.Image(name=str(number), camera_id=camera_id, image_id=number)
        database.write_image(image, use_image_id=True)
        database.write_keypoints(number, _affine_shapes(features))
        database.write_descriptors(number, pycolmap.FeatureDescriptors(kind, features.descriptors))


def _shapes(features: Features) -> F32:
    """Columns x, y, radius, angle in radians, of COLMAP's convention."""
    geometry = features.geometry
    x, y = geometry.xy_px.T + np.float32(0.5)
    return np.stack([x, y, geometry.scale_px / 2, np.radians(geometry.angle_deg)], axis=1).astype(np.float32)


def _affine_shapes(features: Features) -> F32:
    """Columns x, y and the 2 x 2 matrix that the database stores: radius times a rotation."""
    x, y, radius, angle = _shapes(features).T
    cosine, sine = radius * np.cos(angle), radius * np.sin(angle)
    return np.ascontiguousarray(np.stack([x, y, cosine, -sine, sine, cosine], axis=1), np.float32)


def _floats(descriptors: U8) -> pycolmap.FeatureDescriptorsFloat:
    return pycolmap.FeatureDescriptorsFloat(pycolmap.FeatureExtractorType.SIFT, descriptors.astype(np.float32))
