"""All pictures ask at once: what each of them would have found alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError
from bof.options import IndexOptions
from bof.retrieval import all_pairs
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.expansion import neighbours
from bof.retrieval.shortlist import VoteAndVerify
from bof.system.threads import set_threads
from tests.support.scenes import draw_scene, warp, write_picture

N_PAIRS = 5


@pytest.fixture(scope="module")
def engine(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Five scenes, each seen twice, and one that was taken out again."""
    folder = tmp_path_factory.mktemp("pairs")
    turn = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, -20.0], [0.0, 0.0, 1.0]])
    for seed in range(N_PAIRS):
        write_picture(folder / f"{seed}-a.png", draw_scene(seed))
        write_picture(folder / f"{seed}-b.png", warp(draw_scene(seed), turn))
    write_picture(folder / "gone.png", draw_scene(0))
    engine = Engine.create(folder / "index", vocabulary_folder)
    engine.add([folder], IndexOptions(workers=1))
    engine.remove(["gone.png"])
    engine.refresh()
    return engine


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    set_threads(request.param)
    yield request.param
    set_threads(2)


def found(engine: Engine, n: int) -> list[Neighbours]:
    return list(engine.neighbours(n))


def test_each_finds_what_it_finds_alone(engine: Engine, threads: int) -> None:
    snapshot = engine.searcher().collection
    names = [row.name for row in snapshot.rows]
    everyone = found(engine, 3)
    assert [names[one.image] for one in everyone] == [name for name in names if name != "gone.png"]
    for one in everyone:
        alone = dict(neighbours(VoteAndVerify(snapshot, engine.vocabulary), one.image))
        assert len(one.others) == 3
        assert all(alone[other] == similarity for other, similarity in one.others)
        assert [s for _, s in one.others] == sorted(alone.values(), reverse=True)[:3]
        assert "gone.png" not in {names[other] for other, _ in one.others}


def test_the_other_view_comes_first(engine: Engine) -> None:
    names = [row.name for row in engine.images]
    best = {names[one.image]: names[one.others[0][0]] for one in found(engine, 1)}
    assert best == {f"{s}-{a}.png": f"{s}-{b}.png" for s in range(N_PAIRS) for a, b in ("ab", "ba")}


def test_few_at_a_time_and_progress(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_pairs, "_PER_THREAD", 2)
    steps: list[tuple[int, int]] = []
    some = list(engine.neighbours(2, lambda done, total: steps.append((done, total))))
    assert some == found(engine, 2)
    assert steps[-1] == (10, 10)
    assert len(steps) > 1


def test_a_contradiction_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("postings name images that do not exist")

    monkeypatch.setattr(all_pairs, "neighbours", broken)
    with pytest.raises(IndexStoreError, match=r"postings name images.*--check"):
        found(engine, 1)
