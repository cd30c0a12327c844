"""What a person has judged decides the verdict and the place of a picture, by content."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from bof import Engine, IndexOptions, SearchOptions
from bof.errors import OptionError
from bof.grouping.finding import find_groups
from bof.grouping.memory import rejected
from bof.options import ExpandOptions, VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.evidence import Evidence
from bof.retrieval.judged import with_judgments
from bof.types import Hit
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)
OPTIONS = VerifyOptions()


def answer_of(scores: list[float], probabilities: list[float | None]) -> Answer:
    pairs = enumerate(zip(scores, probabilities, strict=True))
    evidence = {image: Evidence(0.01, known) for image, (_, known) in pairs if known is not None}
    return Answer(np.arange(len(scores)), np.array(scores), {}, evidence, {})


def test_nothing_judged_changes_nothing() -> None:
    answer = answer_of([12.0, 3.0], [0.999, 0.2])
    assert with_judgments(answer, {}, np.ones(5, np.bool_)) is answer
    assert with_judgments(answer, {3: True}, np.zeros(5, np.bool_)) is answer


def test_the_same_comes_up_and_not_the_same_goes_down() -> None:
    answer = answer_of([12.5, 11.9, 6.0, 2.0, 1.0], [0.999, 0.998, 0.6, None, None])
    judged = with_judgments(answer, {0: False, 3: True, 7: True}, np.ones(9, np.bool_))
    assert judged.images.tolist() == [3, 1, 7, 2, 4, 0]
    assert (np.diff(judged.scores) <= 0).all()
    assert judged.scores[-1] == 0.0
    assert [judged.verdict(image, OPTIONS) for image in (3, 7, 0, 1)] == ["same", "same", "no", "same"]
    assert [judged.basis.get(image) for image in (3, 7, 0, 1)] == ["person", "person", "person", None]
    assert judged.probability(0) == 0.999, "what was measured stays what it was"


@pytest.mark.parametrize("seed", range(40))
def test_the_others_stay_in_their_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    scores = np.sort(rng.normal(8, 4, n))[::-1].tolist()
    answer = answer_of(scores, [float(rng.uniform(0, 1)) if i < 5 else None for i in range(n)])
    said = {int(image): bool(rng.integers(2)) for image in rng.permutation(n + 3)[:4]}
    judged = with_judgments(answer, said, np.ones(n + 3, np.bool_))
    others = [image for image in judged.images.tolist() if image not in said]
    assert others == [image for image in answer.images.tolist() if image not in said]
    last = [image for image, same in said.items() if not same]
    assert judged.images.tolist()[len(judged.images) - len(last) :] == last
    assert sorted(judged.images.tolist()) == sorted({*answer.images.tolist(), *said})
    assert len(judged.scores) == len(judged.images)


# -- In an index --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(6):
        write_picture(tmp_path / "photos" / f"{seed}.png", draw_scene(seed))
    write_picture(tmp_path / "photos" / "again.jpg", draw_scene(0))
    return tmp_path / "photos"


@pytest.fixture
def engine(folder: Path, tmp_path: Path, vocabulary_folder: Path) -> Engine:
    engine = Engine.create(tmp_path / "index", vocabulary_folder)
    engine.add([folder], ALONE)
    return engine


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "query.png", draw_scene(0)[4:, 6:])


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hit_named(engine: Engine, query: Path, name: str, options: SearchOptions | None = None) -> tuple[int, Hit]:
    hits = engine.search(query, options, top=99)
    return next((rank, hit) for rank, hit in enumerate(hits) if hit.name == name)


def test_a_judgment_ranks_from_the_next_search_on(engine: Engine, query: Path) -> None:
    before = [(hit.name, hit.score, hit.verdict) for hit in engine.search(query, top=99)]
    engine.judge(content(query), "4.png", is_same=True)
    engine.judge(content(query), "0.png", is_same=False)
    names = [hit.name for hit in engine.search(query, top=99)]
    assert set(names[:2]) == {"again.jpg", "4.png"}
    assert names[-1] == "0.png"
    found = hit_named(engine, query, "4.png")[1]
    assert (found.verdict, found.basis) == ("same", "person")
    found = hit_named(engine, query, "0.png")[1]
    assert (found.verdict, found.basis, found.score) == ("no", "person", 0.0)
    assert engine.withdraw_judgment(content(query), "4.png")
    assert engine.withdraw_judgment("0.png", content(query))
    assert not engine.withdraw_judgment(content(query), "4.png")
    assert [(hit.name, hit.score, hit.verdict) for hit in engine.search(query, top=99)] == before


def test_what_a_person_calls_the_same_is_searched_with_and_what_is_not_is_not(
    engine: Engine, folder: Path, query: Path
) -> None:
    write_picture(folder / "like-4.png", draw_scene(4)[30:, 40:])
    write_picture(folder / "like-again.png", draw_scene(0)[60:, 80:])
    engine.add([folder], ALONE)
    before = {hit.name: hit.score for hit in engine.search(query, top=99)}
    engine.judge(content(query), "4.png", is_same=True)
    after = {hit.name: hit.score for hit in engine.search(query, top=99)}
    assert after["like-4.png"] > before.get("like-4.png", 0.0) + 1
    for name in ("0.png", "again.jpg", "like-again.png"):
        engine.judge(content(query), name, is_same=False)
    engine.withdraw_judgment(content(query), "4.png")
    alone = SearchOptions(expand=ExpandOptions(expand=0))
    found, unexpanded = (hit_named(engine, query, "3.png", options)[1].score for options in (None, alone))
    assert found == unexpanded


def test_it_holds_both_ways_and_not_for_a_part_nor_for_colours(engine: Engine, folder: Path) -> None:
    engine.judge("1.png", "2.png", is_same=True)
    for one, other in (("1.png", "2.png"), ("2.png", "1.png")):
        rank, hit = hit_named(engine, folder / one, other)
        assert (rank, hit.verdict) == (1, "same")
    assert "person" not in {hit.basis for hit in engine.search(folder / "1.png", box=(0, 0, 320, 240), top=99)}
    assert "person" not in {hit.basis for hit in engine.search(folder / "1.png", SearchOptions(ranker="votes"), top=99)}
    (image,) = [i for i, row in enumerate(engine.images) if row.name == "2.png"]
    assert engine.match(engine.query(folder / "1.png"), image)[0].basis == "person"


def test_it_follows_the_content_and_respects_filters(engine: Engine, folder: Path, query: Path) -> None:
    engine.judge(content(query), "4.png", is_same=True)
    (folder / "4.png").rename(folder / "other name.png")
    shutil.copyfile(folder / "other name.png", folder / "copy.png")
    engine.add([folder], ALONE, delete=True)
    engine.merge()
    engine.refresh()
    for name in ("other name.png", "copy.png"):
        assert hit_named(engine, query, name)[1].basis == "person"
    hits = engine.search(query, SearchOptions(where="name != 'copy.png'"), top=99)
    assert "copy.png" not in [hit.name for hit in hits]
    engine.remove(["other name.png", "copy.png"])
    assert "person" not in {hit.basis for hit in engine.search(query, top=99)}
    assert len(engine.judgments()) == 1, "what was said stays, for when the picture comes back"
    write_picture(folder / "other name.png", draw_scene(7))
    engine.add([folder], ALONE)
    assert hit_named(engine, query, "other name.png")[1].basis != "person", "another content"


def test_pictures_that_are_not_the_same_are_no_duplicates(engine: Engine) -> None:
    groups = find_groups(engine, "copy")
    assert [[member.name for member in (group.representative, *(m for m, _ in group.others))] for group in groups]
    engine.judge("0.png", "again.jpg", is_same=False)
    assert find_groups(engine, "copy") == []
    assert rejected(engine.folder) == set(), "a rejection says less, and is another thing"
    engine.withdraw_judgment("0.png", "again.jpg")
    assert len(find_groups(engine, "copy")) == 1


def test_a_damaged_file_is_found_by_check(engine: Engine, query: Path) -> None:
    engine.judge(content(query), "4.png", is_same=True)
    assert engine.check().is_sound
    (engine.folder / "judgments.sqlite").write_bytes(b"no database" * 99)
    report = engine.check()
    assert "judgments.sqlite" in report.wrong_judgments
    assert not report.is_sound


def test_a_name_that_is_not_there_is_refused(engine: Engine) -> None:
    with pytest.raises(OptionError, match="name of a picture"):
        engine.judge("0.png", "nothing.png", is_same=True)
    with pytest.raises(OptionError, match="two pictures"):
        engine.judge("0.png", "0.png", is_same=True)
