"""The ablation: each row differs in one thing, patches are undone, figures by hand, votes undivided, a small run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.errors import BenchmarkError, OptionError
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery
from bof.images.decode import Picture, read_image
from bof.native import VotePiece, room_for_votes
from bof.options import FeatureOptions, SearchOptions, VoteOptions
from bof.retrieval import shortlist
from bof.retrieval import votes as voting
from bof.types import Ranking
from scripts.ablation import __main__ as ablation
from scripts.ablation import rows, sets
from scripts.common import data as places
from tests.support.scenes import draw_scene, votes_table, warp, write_picture

# -- Rows -------------------------------------------------------------------------------------------------------------


def test_the_defaults_come_first_and_are_no_other_row() -> None:
    table = rows.all_rows(FeatureOptions())
    assert table[0].name == "defaults"
    assert not rows.differs(table[0], FeatureOptions())
    assert all(rows.differs(row, FeatureOptions()) for row in table[1:])
    assert len({row.name for row in table}) == len(table) > 40


def test_a_row_that_is_the_default_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the defaults are: with 12 for sigma the row of 14 appears and that of 12 goes."""
    monkeypatch.setattr(voting, "SIGMA", 12.0)
    names = {row.name for row in rows.all_rows(FeatureOptions(max_features=500))}
    assert {"sigma 14", "max_features 2000"} <= names
    assert not {"sigma 12", "max_features 500", f"max_hamming {VoteOptions().max_hamming}"} & names


def names_of(options: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(options)]


def test_each_row_changes_one_thing() -> None:
    """Options, constants or features; of the options one field, the ranker of unverified rows apart."""
    for row in rows.all_rows(FeatureOptions())[1:]:
        assert (row.options != SearchOptions()) + bool(row.patches) + bool(row.features) == 1, row.name
        stages = [row.options.vote, row.options.verify, row.options.expand]
        plain = [type(stage)() for stage in stages]
        changed = [f for s, p in zip(stages, plain, strict=True) for f in names_of(s) if getattr(s, f) != getattr(p, f)]
        assert len(changed) + (row.options.mirror != "auto") <= 1, row.name
        assert len(row.features) <= 1


def test_rows_are_chosen_by_name_or_group() -> None:
    table = rows.all_rows(FeatureOptions())
    assert [row.name for row in rows.chosen(table, ["spot", "tfidf"])][:2] == ["defaults", "tfidf"]
    assert {row.group for row in rows.chosen(table, ["spot", "tfidf"])} == {"defaults", "ranker", "spot"}
    assert rows.chosen(table, []) == table
    with pytest.raises(OptionError, match=r"expected rows, or groups of rows .*sigma.*, found sgima"):
        rows.chosen(table, ["sgima"])


def test_a_patch_holds_inside_and_is_undone_even_by_an_error() -> None:
    patched: Any = shortlist
    before = [patched.MAX_PAIRS, patched.MAX_DEPTH]

    def fail() -> None:
        with rows.patched(
            [
                rows.Patch("bof.retrieval.shortlist", "MAX_PAIRS", 7),
                rows.Patch("bof.retrieval.shortlist", "MAX_DEPTH", 9),
            ]
        ):
            raise RuntimeError(f"{patched.MAX_PAIRS} and {patched.MAX_DEPTH}")

    with pytest.raises(RuntimeError, match="7 and 9"):
        fail()
    now = [patched.MAX_PAIRS, patched.MAX_DEPTH]
    assert now == before


def test_a_patch_of_a_constant_that_is_gone_is_refused() -> None:
    with (
        pytest.raises(OptionError, match=r"bof\.retrieval\.shortlist: expected GONE, found no such name"),
        rows.patched([rows.Patch("bof.retrieval.shortlist", "GONE", 1)]),
    ):
        pass


EXTREMES = {"sigma": 2.0, "pairs": 6, "hypotheses": 1, "spot": 0.3, "inlier_gain": 0.0}
"""By group: so far from the default that even a small collection shows it."""


def _extreme(group: str) -> Any:
    """The patches of a group, with an extreme value; of a group without a value those of its first row."""
    first = next(row for row in rows.all_rows(FeatureOptions()) if row.group == group)
    return [dataclasses.replace(patch, value=EXTREMES.get(group, patch.value)) for patch in first.patches]


@pytest.fixture(scope="module")
def answer(index_folder: Path) -> Callable[[], tuple[list[float], list[float]]]:
    """Asks a tilted scene: the scores, and the spreads of what was verified."""
    tilted = warp(draw_scene(3), np.array([[0.9, -0.3, 40.0], [0.25, 0.8, 10.0], [3e-4, 2e-4, 1.0]]))
    engine = Engine.open(index_folder)
    query = engine.prepare(Picture(np.asarray(cv2.cvtColor(tilted, cv2.COLOR_BGR2GRAY), np.uint8), 320, 240))

    def ask() -> tuple[list[float], list[float]]:
        found = engine.answer(query)
        return found.scores.tolist(), [v.spread for v in found.verifications.values()]

    return ask


@pytest.mark.parametrize("group", [*EXTREMES, "burstiness"])
def test_every_patched_constant_changes_what_the_engine_answers(answer: Any, group: str) -> None:
    """A constant that nobody reads any more would make a row of zeros."""
    plain = answer()
    assert max(plain[1]) > 0
    with rows.patched(_extreme(group)):
        changed = answer()
    assert changed != plain
    assert answer() == plain


def test_refinement_and_homography_are_left_out_one_after_the_other(answer: Any) -> None:
    found = [answer()]
    for name in ("no homography", "no refinement"):
        with rows.patched(next(row for row in rows.all_rows(FeatureOptions()) if row.name == name).patches):
            found.append(answer())
    assert found[0] != found[1] != found[2] != found[0]


def test_every_constant_is_tried() -> None:
    assert {group for group, *_ in rows.CONSTANTS} == set(EXTREMES)


def test_votes_without_burstiness_by_hand() -> None:
    """Two words a query feature; feature 3 votes twice through its first word and once through its second."""
    columns = np.array([1, 0, 1, 1], np.int32), np.array([5, 6, 7, 8], np.uint16), np.array([0, 2, 1, 0], np.uint8)
    hits = VotePiece(*columns, np.array([2, 3, 3, 4]), range(3, 5))
    word = np.array([[9, 9], [9, 9], [9, 9], [0, 1], [2, 3]], np.int32)
    of_distance, of_word = np.array([1.0, 0.5, 0.25]), np.array([2.0, 4.0, 8.0, 16.0, *[0.0] * 6])
    assert rows.whole_weights(hits, word, of_distance, of_word).tolist() == [2.0, 0.5, 2.0, 16.0]


def test_undivided_votes_are_sorted_by_picture() -> None:
    votes = room_for_votes(5)
    votes["weight"], votes["key"] = [1, 3, 3, 7, 9], [5, 2 << 16 | 8, 2 << 16 | 7, 1 << 16, 0]
    matches = np.zeros(3, np.int32), np.zeros(3, np.uint16), np.zeros(3)
    rows.sort_whole_votes(np.array([0, 3, 4, 5]), np.array([0, 2, 3]), range(2), 2, votes, matches)
    assert [column.tolist() for column in matches] == [[2, 2, 1], [7, 8, 0], [3, 3, 7]]


def test_the_patched_vote_is_a_plain_sum(index_folder: Path, photos: Path) -> None:
    """Against the definition: the sum of weights of near postings, nothing divided but by the image's length."""
    row = next(row for row in rows.all_rows(FeatureOptions()) if row.name == "no burstiness")
    with Engine.open(index_folder) as engine:
        features = engine.prepare(read_image(sorted(photos.iterdir())[2], grey=True)).features
        words = engine.vocabulary.quantize(features.descriptors, 3)
        weights = engine.searcher().collection.weights
        with rows.patched(row.patches):
            votes = voting.vote(engine.searcher().collection.postings, weights, words, VoteOptions())
            matches = votes.for_images(np.arange(len(weights.norm)))
        query, image, _, weight = votes_table(votes, divided=False)
        plain = np.bincount(image, weight, len(weights.norm)) / weights.norm
        assert votes.score == pytest.approx(plain)
        assert [m.weight.sum() for m in matches] == pytest.approx((plain * weights.norm).tolist())
        _, count = np.unique(np.stack([query, image]), axis=1, return_counts=True)
        assert count.max() > 1
        assert not row.timed


# -- Figures ----------------------------------------------------------------------------------------------------------


def _ranking(*pairs: tuple[str, str]) -> Ranking:
    paths, verdicts = [Path(path) for path, _ in pairs], [verdict for _, verdict in pairs]
    return Ranking(paths, np.arange(len(pairs), 0, -1.0), verdicts, {})  # type: ignore[arg-type]


def test_copies_by_hand() -> None:
    """A source called the same; one ranked first behind junk, not called the same; a stranger that is misled twice."""
    source = frozenset([Path("s")])
    queries = [
        BenchmarkQuery(Path("1"), source),
        BenchmarkQuery(Path("2"), source, frozenset([Path("sibling")])),
        BenchmarkQuery(Path("3"), frozenset()),
    ]
    rankings = [
        _ranking(("wrong", "same"), ("s", "same")),
        _ranking(("sibling", "same"), ("s", "maybe")),
        _ranking(("wrong", "same"), ("s", "same")),
    ]
    assert sets.copy_figures(queries, rankings) == {"recall@1": 0.5, "accepted": 0.5, "wrong": 3}
    unverified = [_ranking(("s", "unverified"))] * 3
    assert sets.copy_figures(queries, unverified) == {"recall@1": 1.0, "accepted": None, "wrong": None}


def test_milliseconds_are_means_with_stages_that_few_queries_have() -> None:
    found = sets.milliseconds([{"vote": 0.001, "mirror": 0.006}, {"vote": 0.003}])
    assert found == pytest.approx({"ms": 5.0, "ms_vote": 2.0, "ms_mirror": 3.0})


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_a_line_shows_the_difference_and_a_dash_for_what_is_not_measured() -> None:
    defaults = {"mAP": 0.91, "wrong": 2, "ms": 40.0, "ms_vote": 9.0}
    row = {"mAP": 0.905, "wrong": None, "ms": 52.25, "ms_vote": 9.5}
    head, _, first = ablation.lines({"defaults": defaults})
    assert _cells(head) == ["row", "mAP", "change", "wrong", "change", "ms", "change"]
    assert _cells(first) == ["defaults", "0.9100", "", "2", "", "40.0", ""]
    (line,) = ablation.lines({"defaults": defaults, "row": row})
    assert _cells(line) == ["row", "0.9050", "-0.0050", "-", "", "52.2", "+12.2"]


# -- A small run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five objects: four pictures of each, one drawn scene at four brightnesses."""
    folder = tmp_path_factory.mktemp("ablation")
    for number in range(20):
        picture = np.clip(draw_scene(number // 4, 160, 120) * (1 - 0.15 * (number % 4)), 0, 255).astype(np.uint8)
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", picture)
    return folder


def test_the_script_measures_each_row_and_keeps_its_indexes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, target = tmp_path / "cache", tmp_path / "figures.json"
    arguments = ["--data", str(data), "--sets", "ukbench", "--queries", "5", "--cache", str(cache)]
    names = ["tfidf", "no burstiness", "max_features 500"]
    assert ablation.main([*arguments, "--only", *names, "--json", str(target)]) == 0
    figures = json.loads(target.read_text(encoding="utf-8"))["ukbench"]
    lines = capsys.readouterr().out.splitlines()
    assert list(figures) == ["defaults", *names]
    assert lines[1] == "ukbench-20: 5 queries, 20 pictures"
    assert _cells(lines[3]) == ["row", "N-S", "change", "mAP", "change", "ms", "change"]
    assert [_cells(line)[0] for line in lines[5:]] == ["defaults", *names]
    assert figures["defaults"]["N-S"] == 4.0
    assert "ms_verify" in figures["defaults"]
    assert "ms_verify" not in figures["tfidf"]
    assert figures["no burstiness"]["ms"] is None
    with Engine.open(cache / "index-ukbench-max_features-500") as engine:
        assert (len(engine), engine.features.max_features) == (20, 500)


def test_a_detour_to_the_data_names_the_same_pictures(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Distractors are known to the index by their path without `..`; any other would be a stranger in it."""
    monkeypatch.setitem(places.SETS, "ukbench", ("ukbench1000", ("ukbench1000",)))
    detour = data / ".." / data.name
    assert sets.load("ukbench", detour, tmp_path, 0) == sets.load("ukbench", data, tmp_path, 0)


def test_an_index_of_other_pictures_is_refused_until_they_are_removed(data: Path, tmp_path: Path) -> None:
    first, second = sorted((data / "ukbench1000").iterdir())[:2]

    def extract(picture: Path) -> int:
        benchmark = Benchmark("one", [picture], [BenchmarkQuery(picture, frozenset())])
        return len(sets.extract("one", benchmark, tmp_path, {}).engine)

    assert extract(first) == 1
    with pytest.raises(BenchmarkError, match=r"expected the 1 pictures of one, found 1 others.*--cache"):
        extract(second)
    with Engine.open(tmp_path / "index-one") as engine:
        engine.remove([engine.images[0].name])
    assert extract(second) == 1


def test_the_rows_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ablation.main(["--data", "nowhere", "--list", "--only", "mirror"]) == 0
    assert capsys.readouterr().out.split() == [
        "defaults",
        "defaults",
        "mirror",
        "mirror",
        "never",
        "mirror",
        "mirror",
        "always",
    ]
