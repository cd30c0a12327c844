"""What the tests share: pictures made by program, a small vocabulary, a small index, and the shared photographs."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import settings
from joblib.externals.loky import get_reusable_executor
from numpy.typing import NDArray

from bof import loops
from bof.engine import Engine
from bof.options import FeatureOptions, IndexOptions, TrainOptions
from bof.rows import ImageRows, gather_rows
from bof.sampling import draw_sample
from bof.scoring import Votes
from bof.training import train_vocabulary

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("BOF_SHARED_DATA", ROOT.parent / "shared" / "data"))

settings.register_profile("bof", deadline=None)
settings.load_profile("bof")
"""A machine that does other things meanwhile is no failure."""

N_SCENES = 12
N_WORDS = 200


def draw_scene(seed: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A picture u8 (h, w, 3) full of shapes, its own for every seed: plenty of SIFT features."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(60, 200, 3), np.uint8)
    for _ in range(120):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = int(rng.integers(4, 34))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), size // 2, colour, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(((x, y), (size, int(rng.integers(4, 34))), float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(picture, box.astype(np.int32), colour, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.uint8)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Encode by suffix and write, whatever the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


def warp(pixels: NDArray[np.uint8], target_from_source: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The picture seen through a transform, in a frame of its own size."""
    height, width = pixels.shape[:2]
    return cv2.warpPerspective(pixels, target_from_source, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
        np.uint8
    )


def rows_of(names: Iterable[str]) -> ImageRows:
    """Images of these names, in one segment."""
    return gather_rows([[(name.encode(), b"", 320, 240, 0, i, 0, i) for i, name in enumerate(names)]])


def votes_table(
    votes: Votes, *, divided: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Every vote: query feature, image of the collection, its feature, weight; divided: by the root of their number."""
    k, rows = votes.word.shape[1], [np.empty((3, 0), np.int64)]
    weights = [np.empty(0)]
    for part, hits in votes.pieces:
        slot = hits.asked.start * k + np.repeat(np.arange(len(hits.asked) * k), np.diff(hits.ends, prepend=0))
        rows.append(np.array([slot // k, hits.image + np.int64(part.first_image), hits.feature], np.int64))
        weights.append(votes.weight_of_distance[hits.distance] * votes.weight_of_word[votes.word.ravel()[slot]])
    (query, image, feature), weight = np.concatenate(rows, axis=1), np.concatenate(weights)
    _, group, count = np.unique(query * (1 << 32) + image, return_inverse=True, return_counts=True)
    return query, image, feature, weight * (1 / np.sqrt(count[group])) if divided else weight


BEST_TWIN = 2


@pytest.fixture(params=[0, 1, BEST_TWIN], ids=["plain", "AVX2", "AVX-512"])
def twin(request: pytest.FixtureRequest) -> Iterator[int]:
    """The loops as another processor runs them."""
    used = loops.limit_processor(request.param)
    try:
        if used != request.param:
            pytest.skip("this processor has no such instructions")
        yield used
    finally:
        loops.limit_processor(BEST_TWIN)


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str], Any]]:
    """Imports a module of scripts/ by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        get_reusable_executor().shutdown()  # processes that other tests started do not look into scripts/
        yield importlib.import_module


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of N_SCENES scenes, scene-00.png and so on."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(N_SCENES):
        write_picture(folder / f"scene-{seed:02d}.png", draw_scene(seed))
    return folder


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocabulary of N_WORDS words, trained on other scenes than `photos` holds."""
    folder = tmp_path_factory.mktemp("training")
    for seed in range(100, 112):
        write_picture(folder / f"{seed}.png", draw_scene(seed))
    options = TrainOptions(words=N_WORDS)
    sample, _ = draw_sample([folder], "drawn scenes", FeatureOptions(), options, 1, lambda done, total: None)
    train_vocabulary(sample, options).save(folder / "vocabulary")
    return folder / "vocabulary"


@pytest.fixture(scope="session")
def index_folder(photos: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of `photos`; read it only."""
    folder = tmp_path_factory.mktemp("collection") / "index"
    with Engine.create(folder, vocabulary_folder) as engine:
        engine.add([photos], IndexOptions(workers=1))
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The photographs and oracles that are not part of the project; what needs them skips without them."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data at {SHARED} (set BOF_SHARED_DATA)")
    return SHARED
