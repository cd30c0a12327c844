"""Fixtures that all tests share: photographs made by program, a small vocabulary and index, the shared photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bof import native
from bof.engine import Engine
from bof.options import FeatureOptions, IndexOptions, TrainOptions
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import train_vocabulary
from tests.support.scenes import BEST_VARIANT, N_SCENES, N_WORDS, SHARED, draw_scene, write_picture

settings.register_profile("bof", deadline=None)
settings.load_profile("bof")
"""A machine that does other things meanwhile is no failure."""


@pytest.fixture(autouse=True)
def _lines_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are not cut to the terminal of who runs the tests: pytest-xdist tells its processes that width."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def _scheduled_as_before() -> Iterator[None]:
    """No test leaves this process with another priority: one in real time starves all others, for hours."""
    yield
    assert _scheduler() == _SCHEDULER


def _scheduler() -> int | None:
    return os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None


_SCHEDULER = _scheduler()


@pytest.fixture(params=[0, 1, BEST_VARIANT], ids=["plain", "AVX2", "AVX-512"])
def variant(request: pytest.FixtureRequest) -> Iterator[int]:
    """The loops as another processor runs them."""
    used = native.limit_processor(request.param)
    try:
        if used != request.param:
            pytest.skip("this processor has no such instructions")
        yield used
    finally:
        native.limit_processor(BEST_VARIANT)


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
    options = TrainOptions(words=N_WORDS, workers=1)
    sample, _ = draw_sample([folder], "drawn scenes", FeatureOptions(), options, lambda done, total: None)
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
