"""The calibration of `same`: which pairs count, a fit that finds planted weights, tables by hand, one small run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bof.engine import Engine
from bof.errors import BenchmarkError
from bof.images.decode import read_image
from bof.options import SearchOptions
from bof.retrieval import evidence
from bof.types import Correspondences, Verification
from scripts.calibration import __main__ as calibration
from scripts.calibration import exhaustive, truth
from scripts.calibration import fit as fitting
from scripts.calibration import pairs as asking
from tests.support.scenes import draw_scene, write_picture

# -- Truth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "thing"),
    [
        ("ukbench1000/ukbench00007.jpg", ("ukbench1000", "1")),
        ("dvd_covers/Canon/012.jpg", ("dvd_covers", "012")),
        ("train/caltech101/stop_sign_0032.jpg", ("train", "stop_sign")),
        ("train/grocery/Fruit_Lime_004.jpg", ("train", "Fruit_Lime")),
    ],
)
def test_a_photograph_shows_what_its_name_says(path: str, thing: tuple[str, str]) -> None:
    assert truth.subject_of(Path("/data") / path, Path("/data")) == truth.Subject(*thing)


def test_a_photograph_of_another_place_is_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"other\.jpg: expected a photograph in /data, .* --index"):
        truth.subject_of(Path("/elsewhere/other.jpg"), Path("/data"))


@pytest.mark.parametrize(
    ("query", "picture", "expected"),
    [
        (("ukbench1000", "3"), ("ukbench1000", "3"), True),
        (("ukbench1000", "3"), ("ukbench1000", "4"), False),
        (("dvd_covers", "003"), ("dvd_covers", "003"), True),
        (("dvd_covers", "003"), ("dvd_covers", "004"), None),
        (("dvd_covers", "003"), ("train", "cat"), False),
        (("ukbench1000", "3"), ("dvd_covers", "3"), False),
        (("ukbench1000", "191"), ("ukbench1000", "194"), None),
        (("ukbench1000", "191"), ("ukbench1000", "191"), True),
        (("ukbench1000", "191"), ("ukbench1000", "99"), False),
        (("ukbench1000", "151"), ("train", "stop_sign"), None),
        (("ukbench1000", "99"), ("train", "stop_sign"), False),
        (("train", "cat"), ("train", "cat"), False),
    ],
)
def test_what_a_pair_proves(query: tuple[str, str], picture: tuple[str, str], expected: bool | None) -> None:
    assert truth.matches(truth.Subject(*query), truth.Subject(*picture)) is expected


def test_matching_pairs_are_counted_without_the_query_itself() -> None:
    one, two = truth.Subject("ukbench1000", "1"), truth.Subject("ukbench1000", "2")
    assert truth.count_matches([one, two], [one, one, one, one, two]) == 3 + 0


# -- Fit --------------------------------------------------------------------------------------------------------------


def _pairs(n: int, seed: int = 0) -> asking.Pairs:
    """Measures at random, none matching."""
    rng = np.random.default_rng(seed)
    return asking.Pairs(
        np.arange(n),
        np.zeros(n, np.int64),
        rng.integers(6, 60, n),
        rng.uniform(0.004, 0.07, n),
        rng.uniform(0.03, 0.13, n),
        np.zeros(n),
        np.zeros(n, np.bool_),
    )


def test_the_model_of_bof_evidence_is_the_probability_that_the_engine_gives() -> None:
    pairs, word_weight = _pairs(50), 7.0
    none = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    columns = zip(pairs.n_inliers.tolist(), pairs.spread.tolist(), pairs.strength.tolist(), strict=True)
    expected = [
        evidence.probability(Verification(n, strength * n * word_weight, spread, np.eye(3), none), word_weight)
        for n, spread, strength in columns
    ]
    assert fitting.engine_model().probability(pairs) == pytest.approx(expected, rel=1e-9)


def test_the_fit_finds_the_weights_that_made_the_pairs() -> None:
    pairs, planted = _pairs(20000), fitting.Model(4.5, 2.0, 1.0, 3.0)
    pairs.matches[:] = np.random.default_rng(1).random(len(pairs)) < planted.probability(pairs)
    found = fitting.fit(pairs)
    assert found.per_log_inliers == pytest.approx(2.0, abs=0.2)
    assert found.per_log_spread == pytest.approx(1.0, abs=0.2)
    assert found.per_log_strength == pytest.approx(3.0, abs=0.2)
    share = [b.matching - b.predicted for b in fitting.reliability(found.probability(pairs), pairs.matches)]
    assert max(map(abs, share)) < 0.05


@pytest.mark.parametrize("all_match", [True, False])
def test_nothing_is_fitted_to_pairs_of_one_kind(all_match: bool) -> None:
    pairs = _pairs(9)
    pairs.matches[:] = all_match
    with pytest.raises(BenchmarkError, match=f"found {9 * all_match} matching of 9; ask more queries"):
        fitting.fit(pairs)


def test_each_half_is_judged_by_the_other() -> None:
    """One half says that more inliers prove more, the other the reverse: each is judged wrongly."""
    pairs = _pairs(2000)
    half = pairs.query % 2 == 0
    pairs.matches[:] = (pairs.n_inliers > 30) == half
    probability = fitting.held_out(pairs, half)
    assert np.mean((probability > 0.5) == pairs.matches) < 0.1
    own = LogisticRegression(C=100.0, max_iter=5000).fit(fitting.measures(pairs)[half], pairs.matches[half])
    expected = own.predict_proba(fitting.measures(pairs)[~half])[:, 1]
    assert probability[~half] == pytest.approx(expected, abs=1e-3)


def test_the_reliability_table_by_hand() -> None:
    bins = fitting.reliability(np.array([0.0, 0.6, 0.8, 0.9, 1.0]), np.array([False, False, True, True, True]))
    found = [(b.low, b.high, b.n, b.predicted, b.matching) for b in bins]
    assert found == [
        (0.0, 0.01, 1, 0.0, 0.0),
        (0.5, 0.9, 2, pytest.approx(0.7), 0.5),
        (0.9, 0.98, 1, 0.9, 1.0),
        (0.999, 1.0, 1, 1.0, 1.0),
    ]


def test_a_threshold_by_hand() -> None:
    """Two wrong pairs of query 4 mislead it once; a pair at the threshold is called the same."""
    query, matches = np.array([3, 4, 4, 5, 5]), np.array([True, False, False, True, False])
    probability = np.array([0.9, 0.95, 0.99, 0.89, 0.1])
    assert fitting.operate(0.9, query, probability, matches) == fitting.Operation(0.9, 1, 1)
    assert fitting.operate(0.05, query, probability, matches) == fitting.Operation(0.05, 2, 2)


# -- Exhaustive matching ----------------------------------------------------------------------------------------------


def test_a_level_by_hand() -> None:
    a, b, c = Path("a"), Path("b"), Path("c")
    true, wrong = {(a, b): 9, (b, a): 8, (a, c): 7}, {(a, Path("x")): 8, (a, Path("y")): 30, (b, Path("x")): 7}
    found = exhaustive.level(8, true, wrong, called_same={(a, b), (a, c)})
    assert found == exhaustive.Level(n_inliers=8, n_matching=2, n_called_same=1, n_wrong=2, n_queries_wrong=1)


def test_true_pairs_are_those_of_the_queries_with_their_object() -> None:
    shown = {Path(name): truth.Subject(folder, thing) for name, folder, thing in (
        ("a1", "ukbench1000", "1"), ("a2", "ukbench1000", "1"), ("b1", "ukbench1000", "2"), ("d1", "dvd_covers", "1"),
        ("d2", "dvd_covers", "1"),
    )}  # fmt: skip
    pairs = exhaustive.true_pairs([Path("a2"), Path("b1"), Path("d1")], shown)
    assert pairs == [(Path("a2"), Path("a1"))]


# -- A small run ------------------------------------------------------------------------------------------------------


def _view(seed: int, degrees: float) -> np.ndarray:
    """A drawn scene, turned."""
    picture = draw_scene(seed, 160, 120)
    turn = cv2.getRotationMatrix2D((80, 60), degrees, 1.0)
    return cv2.warpAffine(picture, turn, (160, 120), borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four objects from four angles, three covers in five folders, two other photographs."""
    folder = tmp_path_factory.mktemp("calibration")
    for number in range(16):
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", _view(number // 4, 7 * (number % 4)))
    for turn, camera in enumerate(("Reference", "Canon", "Droid", "E63", "Palm")):
        for cover in range(1, 4):
            write_picture(folder / "dvd_covers" / camera / f"{cover:03d}.jpg", _view(20 + cover, 5 * turn))
    for seed, name in ((50, "cat_0002"), (51, "dog_0004")):
        write_picture(folder / "train" / "caltech101" / f"{name}.jpg", draw_scene(seed, 160, 120))
    return folder


@pytest.fixture(scope="module")
def index(data: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of all of it, with the tests' small vocabulary."""
    folder = tmp_path_factory.mktemp("calibration-index") / "index"
    with Engine.create(folder, vocabulary_folder) as engine:
        engine.add([data / name for name in ("dvd_covers", "ukbench1000", "train")])
    return folder


def test_every_query_keeps_its_own_measures(data: Path, index: Path) -> None:
    """Asked together or alone, a query's pairs are the same; of 32 others each counts once."""
    queries = truth.choose_queries(data, 3)
    assert len(queries) == 3 + 3
    together = asking.gather(index, data, queries)
    alone = [asking.gather(index, data, [query]) for query in queries]
    for row, one in enumerate(alone):
        mine = together.pairs.take(together.pairs.query == row)
        assert mine.picture.tolist() == one.pairs.picture.tolist()
        assert mine.strength.tolist() == one.pairs.strength.tolist()
        assert mine.matches.tolist() == one.pairs.matches.tolist()
    assert together.n_matching == 3 * 3 + 3 * 4
    assert together.n_left_out == 3 * 10
    assert together.pairs.matches.sum() > 12


def test_strength_is_the_mean_vote_of_an_inlier_over_the_mean_weight_of_a_word(data: Path, index: Path) -> None:
    query = truth.choose_queries(data)[0]
    pairs = asking.gather(index, data, [query]).pairs
    assert pairs.probability == pytest.approx(fitting.engine_model().probability(pairs), rel=1e-9)
    with Engine.open(index) as engine:
        prepared = engine.prepare(read_image(query, grey=True))
        found = engine.answer(prepared, SearchOptions(mirror="never")).verifications
        idf = engine.searcher().collection.weights.idf[engine.vocabulary.assign(prepared.features.descriptors)[:, 0]]
    expected = [found[image].inliers.weight.mean() / (idf**2).mean() for image in pairs.picture.tolist()]
    assert pairs.strength == pytest.approx(expected, rel=1e-5)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_script_prints_and_writes_the_same_figures(
    data: Path, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn scenes give no wrong pairs to fit, so the fit is replaced; all else runs."""
    monkeypatch.setattr(calibration, "fit", lambda pairs: fitting.engine_model())
    monkeypatch.setattr(calibration, "held_out", lambda pairs, half: pairs.probability)
    target, changed = tmp_path / "figures.json", shutil.copytree(index, tmp_path / "index")
    gone = write_picture(data / "train" / "gone_1.jpg", draw_scene(60, 160, 120))
    with Engine.open(changed) as engine:
        engine.add([gone])
        engine.remove([engine.images[-1].name])  # its row stays in the index, deleted
    gone.unlink()
    arguments = ["--data", str(data), "--index", str(changed), "--queries", "8"]
    assert calibration.main([*arguments, "--json", str(target)]) == 0
    figures, printed = json.loads(target.read_text(encoding="utf-8")), capsys.readouterr().out
    assert "33 pictures; queries: 8 of UKBench and 8 of DVD" in printed
    assert figures["n_true"] == {"UKBench": 24, "DVD": 32}
    assert figures["n_matching"] == 56
    lines = printed.splitlines()
    assert "24 matching pairs of UKBench, and its 0 wrong pairs that the engine found a transform for" in lines
    level = figures["exhaustive"][0]
    same = level["n_called_same"] / level["n_matching"]
    assert _cells(lines[-4]) == ["6", str(level["n_matching"]), f"{same:.4f}", "0", "0"]
    operation = figures["ways"]["bof.retrieval.evidence as it is"]["operations"]["DVD"][0]
    assert f"{operation['n_kept'] / 32:.4f}" in next(cells for cells in map(_cells, lines) if cells[:1] == ["0.5"])


def test_too_few_queries_to_fit_are_said(data: Path, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(data), "--index", str(index), "--queries", "1"]
    assert calibration.main(arguments) == 1
    assert "calibration: expected matching and wrong pairs" in capsys.readouterr().err


def test_the_surest_wrong_pairs_are_shown_first() -> None:
    pairs = _pairs(14)
    pairs.matches[[2, 9]] = True
    pairs.probability[:] = np.arange(14) / 100
    queries = [Path(f"{row:02d}.jpg") for row in range(14)]
    engine: Any = None
    study = calibration.Study(engine, [Path("hit.jpg")], {}, queries, [], asking.Gathered(pairs, 2, 12, 0))
    head, *lines = calibration._surest_wrong(study)
    assert head == "the surest wrong pairs:"
    assert [line.split()[1][:2] for line in lines] == ["13", "12", "11", "10", "08", "07", "06", "05", "04", "03"]
    assert lines[0].split() == ["0.1300", "13.jpg", "hit.jpg"]
