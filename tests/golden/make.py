"""Makes a golden index of today's format: python tests/golden/make.py tests/golden/format-N, once a format.
format-2-columns is of format 2, with optional columns in all pictures but one; format-3-vocabulary carries a copy of
its vocabulary.

What stands is never made again: an index of each format is opened for ever.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bof.features.sift import extract_features
from bof.global_descriptors.describe import ColumnSpec
from bof.images.decode import read_image
from bof.options import FeatureOptions, TrainOptions
from bof.store import merge
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.segments import ImageColumns, store_geometry
from bof.store.writer import Writer
from bof.types import Features
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.golden import answered, search
from tests.support.scenes import draw_scene, warp, write_picture

SMALL = FeatureOptions(max_features=60)
COLUMNS = ColumnSpec(("hash", "color"))
WHOLE = ("ahash", "phash", "blockmean", "radial", "moments", "color", "histogram", "bof+color")
COMMITS = [[(b"a.png", 1), (b"b.png", 2), (b"caf\xe9.png", 3)], [(b"b.png", 12), (b"d.png", 4), (b"e.png", 5)]]
"""Name and scene of each picture; b.png comes again, and a.png goes."""


def features_of(pixels: np.ndarray) -> Features:
    with tempfile.TemporaryDirectory() as folder:
        return extract_features(read_image(write_picture(Path(folder) / "one.png", pixels), grey=True), SMALL)


def train(folder: Path) -> Vocabulary:
    with tempfile.TemporaryDirectory() as pictures:
        for seed in range(100, 112):
            write_picture(Path(pictures) / f"{seed}.png", draw_scene(seed))
        options = TrainOptions(words=64, workers=1)
        sample, _ = draw_sample([Path(pictures)], "drawn scenes", SMALL, options, lambda done, total: None)
    train_vocabulary(sample, options).save(folder)
    return Vocabulary.load(folder)


def extracted(name: bytes, seed: int, vocabulary: Vocabulary) -> tuple[ImageRecord, ImageColumns]:
    features = features_of(draw_scene(seed))
    words = vocabulary.quantize(features.descriptors)
    rows = {} if seed == 4 else COLUMNS.describe(draw_scene(seed))
    columns = ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(features.geometry), rows)
    text = os.fsdecode(name)
    return ImageRecord(text, f"/photos/{text}", 1000 + seed, seed, "0" * 64, 320, 240, len(columns)), columns


def make(folder: Path) -> None:
    merge.MAX_DEAD = 1.0  # what was removed stays in its segment, as in larger ones
    vocabulary = train(folder / "vocabulary")
    index = Index.create(folder / "index", vocabulary, folder / "vocabulary", SMALL)
    writer = Writer(index.folder, index.n_words)
    writer.set_facts({"vocabulary_folder": "/golden/vocabulary"})  # wherever it is made
    for commit in COMMITS:
        writer.append([extracted(name, seed, vocabulary) for name, seed in commit])
    writer.remove(["a.png"])
    turned = np.array([[0.9, -0.25, 40.0], [0.25, 0.9, 5.0], [0.0, 0.0, 1.0]])
    requested = features_of(warp(draw_scene(4), turned))
    where = requested.geometry
    columns = {"xy": where.xy_px, "scale": where.scale_px, "angle": where.angle_deg}
    rows = COLUMNS.describe(warp(draw_scene(4), turned))
    np.savez_compressed(folder / "query.npz", allow_pickle=True, descriptors=requested.descriptors, **columns, **rows)
    snapshot = index.snapshot()
    answer = search(snapshot, vocabulary, requested)
    names = [os.fsencode(snapshot.rows[image].name).decode("latin-1") for image in answer.images]
    verified = answer.verifications
    inliers = {names[i]: verified[image].n_inliers for i, image in enumerate(answer.images.tolist())}
    whole = {ranker: answered(snapshot, vocabulary, requested, rows, ranker) for ranker in WHOLE}
    expected = {"names": names, "scores": answer.scores.tolist(), "inliers": inliers, "whole": whole}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    for left in ("writer.lock", "writer.json"):
        (folder / "index" / left).unlink(missing_ok=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
