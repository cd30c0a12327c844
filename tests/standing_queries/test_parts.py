"""Watched pictures of an index in parts: what comes is found as in one index, and combined indexes go on watching."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.cli import parting
from bof.engine import Engine
from bof.errors import IndexStoreError
from bof.index import main
from bof.options import IndexOptions
from bof.standing_queries.bringing import bring_watch_lists
from bof.standing_queries.matching import StandingQueries
from bof.store.index import Index
from bof.store.parts.combining import combine
from bof.store.parts.layout import Split
from bof.store.parts.making import repart
from tests.support.scenes import draw_scene, write_picture

ONE = IndexOptions(workers=1)


def picture(seed: int) -> bytes:
    return bytes(cv2.imencode(".png", draw_scene(seed))[1])


def write(folder: Path, pictures: Mapping[str, np.ndarray]) -> Path:
    for name, pixels in pictures.items():
        write_picture(folder / f"{name}.png", pixels)
    return folder


def facts(queries: StandingQueries) -> list[tuple[object, ...]]:
    hits = queries.watch_list.hits()
    return sorted((h.watched, h.name, h.verdict, h.score, h.probability, h.n_inliers) for h in hits)


def test_hits_are_those_of_one_index_also_while_parts_change(tmp_path: Path, vocabulary_folder: Path) -> None:
    both = [
        StandingQueries(Engine.create(tmp_path / f"{number}", vocabulary_folder, split=split))
        for number, split in enumerate((None, Split(3)))
    ]
    write(tmp_path / "photos", {f"old-{seed}": draw_scene(seed) for seed in range(8)})
    for queries in both:
        queries.engine.add([tmp_path / "photos"], ONE)
        for seed in (3, 20, 21):
            queries.add(picture(seed), f"scene {seed}")
        assert not queries.catch_up()
    batches = [
        {"copy": draw_scene(20)[40:, 50:], "other": draw_scene(30), "again": draw_scene(3)},
        {"mirrored": draw_scene(21)[:, ::-1].copy(), "second": draw_scene(20)},
        {f"more-{seed}": draw_scene(20 + seed % 3) for seed in range(6)},
    ]
    n_parts = 2
    for batch in batches:
        write(tmp_path / "photos", batch)
        for queries in both:
            queries.engine.add([tmp_path / "photos"], ONE)
            queries.catch_up()
        assert facts(both[0]) == facts(both[1])
        repart(Index.open(tmp_path / "1"), (n_parts := n_parts + 2))
        assert not both[1].catch_up(), "nothing came: pictures lie elsewhere"
    assert len(facts(both[1])) >= 8


@pytest.fixture
def shares(tmp_path: Path, vocabulary_folder: Path) -> list[Path]:
    """Two indexes of the same ids, which both watch; each has a hit."""
    made = []
    for number in range(2):
        folder = tmp_path / f"share {number}"
        write(folder / "photos", {f"{number}-old": draw_scene(number)})
        with Engine.create(folder / "index", vocabulary_folder) as engine:
            engine.add(folder / "photos", ONE)
            queries = StandingQueries(engine)
            queries.add(picture(40), "in both", "why")
            queries.add(picture(41 + number), f"in {number}")
            write(folder / "photos", {f"{number}-new": draw_scene(40)})
            engine.add(folder / "photos", ONE)
            assert len(queries.catch_up()) == 1
        made.append(folder / "index")
    return made


def test_combined_indexes_go_on_watching(shares: list[Path], tmp_path: Path) -> None:
    combine(tmp_path / "all", shares, bring=bring_watch_lists)
    queries = StandingQueries(Engine.open(tmp_path / "all"))
    watched = {one.name: one for one in queries.watch_list.pictures()}
    assert {name: one.n_hits for name, one in watched.items()} == {"in both": 2, "in 0": 0, "in 1": 0}
    assert watched["in both"].note == "why"
    oldest = StandingQueries(Engine.open(shares[0])).watch_list.pictures()[-1]
    assert watched["in both"].created == oldest.created
    names = {record.id: record.name for record in queries.engine.records()}
    assert [(names[hit.image], hit.name) for hit in queries.watch_list.hits()] == [
        ("0-new.png",) * 2,
        ("1-new.png",) * 2,
    ]
    assert not queries.catch_up(), "what was there is not compared again"
    queries.engine.add(write(tmp_path / "come", {"last": draw_scene(42), "none": draw_scene(60)}), ONE)
    assert [(hit.watched, hit.name) for hit in queries.catch_up()] == [(watched["in 1"].id, "last.png")]
    assert StandingQueries(Engine.open(shares[0])).watch_list.pictures()[0].n_hits == 0, "the shares stay as they are"


def test_pictures_that_were_not_compared_stop_it(shares: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "late", {"late": draw_scene(50)})
    with Engine.open(shares[1]) as engine:
        engine.add(tmp_path / "late", ONE)
    with pytest.raises(IndexStoreError, match="pictures that are not compared yet; show its hits first"):
        combine(tmp_path / "all", shares, bring=bring_watch_lists)
    StandingQueries(Engine.open(shares[1])).catch_up()
    assert len(combine(tmp_path / "all", shares, bring=bring_watch_lists).parts) == 2
    assert len(StandingQueries(Engine.open(tmp_path / "all")).watch_list.pictures()) == 3


def test_a_death_after_the_watch_lists_came_brings_none_twice(
    shares: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bof.store.parts.combining.facts_of_whole", die)
        with pytest.raises(KeyboardInterrupt):
            combine(tmp_path / "all", shares, bring=bring_watch_lists)
    combine(tmp_path / "all", shares, bring=bring_watch_lists)
    assert len(StandingQueries(Engine.open(tmp_path / "all")).watch_list.pictures()) == 3


def test_the_command_brings_them(shares: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parting.bring_watch_lists is bring_watch_lists
    assert main(["--combine", *map(str, shares), "--index", str(tmp_path / "all")]) == 0
    assert "4 pictures in 2 parts" in capsys.readouterr().out
    assert len(StandingQueries(Engine.open(tmp_path / "all")).watch_list.pictures()) == 3
