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

from bof.types import F32, U8, Box, Features, Ranking
from scripts.common.features import Collection
from scripts.common.timing import Call, Clock
from scripts.peers.peer import Cost, Peer, Workshop

ITERATIONS = 10
"""Of k-means. COLMAP's default, three times 100 iterations, takes hours for the last percent of distortion."""

DEPTHS = (0, 50, 100)  # pictures verified; 0: none
pycolmap.logging.minloglevel = int(pycolmap.logging.WARNING)

_Ask = tuple[Path, Box | None]


@dataclass(frozen=True, slots=True)
class ColmapPeer(Peer):
    """What COLMAP answered to every query of a collection, and the index, for the time."""

    visual_index: pycolmap.VisualIndex
    rows: Mapping[_Ask, Sequence[int]]
    depth: int

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """The pictures in COLMAP's order; scores only count down, because COLMAP keeps its own to itself."""
        ask = asker(self.visual_index, self.depth, self.collection.of(path, box))
        start = time.perf_counter()
        ask()
        seconds, rows = time.perf_counter() - start, self.rows[path, box]
        return self.ranking(rows, np.arange(len(rows), 0.0, -1.0), seconds)


def index(workshop: Workshop, collection: Collection, depths: Sequence[int] = DEPTHS) -> list[ColmapPeer]:
    """One index, asked without verification or with `depth` pictures verified, for each of the depths."""
    vocabulary = train(workshop)
    visual_index, seconds = build(vocabulary, [collection.features[path] for path in collection.database])
    file = Path(tempfile.mkdtemp(prefix="colmap-", dir=workshop.scratch)) / "index.bin"
    visual_index.write(file)
    rows = {depth: _ask(collection, file, depth) for depth in {0, *depths}}
    cost = Cost(seconds, file.stat().st_size - vocabulary.stat().st_size)
    peers = []
    for depth in depths:
        name = f"COLMAP, verifying {depth}" if depth else "COLMAP, unverified"
        about = f"{workshop.training.name}, {ITERATIONS} iterations", {"pycolmap": pycolmap.__version__, "depth": depth}
        # Behind the verified pictures the others, as they stood without verification.
        found = {ask: list(dict.fromkeys([*first, *rows[0][ask]])) for ask, first in rows[depth].items()}
        peers.append(ColmapPeer(name, collection, cost, *about, visual_index, found, depth))
    return peers


def convert(features: Features) -> tuple[pycolmap.FeatureKeypoints, pycolmap.FeatureDescriptorsFloat]:
    """COLMAP's origin is the corner of the first pixel, not its centre; its scale is the radius."""
    make = pycolmap.FeatureKeypoint.from_shape_parameters
    keypoints = [make(x, y, s, s, angle, 0.0) for x, y, s, angle in _shapes(features).tolist()]
    return pycolmap.FeatureKeypoints(keypoints), _floats(features.descriptors)


def train(workshop: Workshop) -> Path:
    """The file of a vocabulary tree that COLMAP trained."""
    cached = workshop.cached("colmap", ".bin")
    if not cached.exists():
        visual_index = pycolmap.VisualIndex.create(128, 64)
        options = pycolmap.VisualIndex.BuildOptions()
        options.num_visual_words, options.num_iterations, options.num_rounds = workshop.words, ITERATIONS, 1
        visual_index.build(options, _floats(workshop.sample()))
        visual_index.write(cached)
    return cached


def build(vocabulary: Path, pictures: Sequence[Features]) -> tuple[pycolmap.VisualIndex, float]:
    """An index of pictures, numbered from one, and the seconds that it took; conversion is not counted."""
    visual_index = pycolmap.VisualIndex.read(vocabulary)
    clock = Clock()
    for number, features in enumerate(pictures, 1):
        converted = convert(features)
        with clock:
            visual_index.add(pycolmap.VisualIndex.IndexOptions(), number, *converted)
    with clock:
        visual_index.prepare()
    return visual_index, clock.seconds


def asker(visual_index: pycolmap.VisualIndex, depth: int, features: Features) -> Call:
    """A call that queries with some features and verifies `depth` pictures."""
    query, options = convert(features), pycolmap.VisualIndex.QueryOptions()
    options.max_num_images, options.num_images_after_verification = depth or -1, depth
    return lambda: visual_index.query(options, *query, [])


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
