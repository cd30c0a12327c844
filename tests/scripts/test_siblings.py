"""The benchmark of look-alikes in short form: it is drawn, loaded, searched and reported; families are as promised."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bof import evaluate
from bof.evaluation.benchmarks import BenchmarkQuery, load_benchmark
from bof.evaluation.benchmarks.types import Benchmark
from bof.images.decode import read_image
from scripts.siblings import margins
from scripts.siblings.__main__ import main
from scripts.siblings.camera import MOST_TILT, telling_crop, view_from_picture
from scripts.siblings.collection import QUERIES
from scripts.siblings.groups import measure
from scripts.siblings.registry import HALVES, all_families
from scripts.siblings.streams import Streams

FAMILIES = ("invoice", "playing_card", "soup_can", "line_chart", "number_plate", "floor_tiles")
N_MEMBERS = 3
MOST_WRONG_SAME, LEAST_RIGHT_SAME, LEAST_FIRST = 0.04, 0.75, 0.9
SEED = 9
"""The model that tells a thing from a part was fitted to members of seed 0."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("siblings")
    assert main([str(out), "--families", *FAMILIES, "--members", str(N_MEMBERS), "--seed", str(SEED)]) == 0
    return out


def test_every_kind_has_families_in_both_halves() -> None:
    families = all_families()
    assert len(families) >= 40
    for kind in {each.kind for each in families}:
        assert {each.half for each in families if each.kind == kind} == set(HALVES), kind


def test_halves_stay_as_they_are() -> None:
    """Thresholds are fitted on one half: a family that changes sides would be judged by what it was fitted to."""
    half_of = {each.name: each.half for each in all_families()}
    assert {name: half_of[name] for name in FAMILIES} == {
        "invoice": "fit", "playing_card": "judge", "soup_can": "judge", "line_chart": "fit", "number_plate": "fit",
        "floor_tiles": "judge",
    }  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_members_differ_and_the_same_seed_draws_the_same(name: str) -> None:
    family = next(each for each in all_families() if each.name == name)
    first, second, again = (family.draw(member, Streams.of(name, member, 0)) for member in (0, 1, 0))
    assert first.dtype == np.uint8
    assert first.shape == second.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, family.draw(0, Streams.of(name, 0, 1)))


@pytest.mark.parametrize("name", FAMILIES)
def test_members_take_equally_much_from_what_they_share(name: str) -> None:
    """Else their templates would differ from the first draw on that one of them makes and another does not."""
    family = next(each for each in all_families() if each.name == name)
    shared = [Streams.of(name, member, 0) for member in range(3)]
    for member, streams in enumerate(shared):
        family.draw(member, streams)
    assert len({streams.design.random() for streams in shared}) == 1


def test_each_family_has_members_and_queries_of_each_kind(folder: Path) -> None:
    benchmark = load_benchmark("siblings", folder)
    assert len(benchmark.database) == len(FAMILIES) * N_MEMBERS
    assert len(benchmark.queries) == len(FAMILIES) * sum(QUERIES.values())
    for query in benchmark.queries:
        is_absent = query.group.startswith("absent")
        assert (len(query.positives), len(query.siblings)) == ((0, N_MEMBERS) if is_absent else (1, N_MEMBERS - 1))
        assert query.labels["query_kind"] == query.group
        assert {path.parent.name for path in query.siblings} == {query.labels["family"]}
        if query.group == "exact":
            assert query.image.read_bytes() == next(iter(query.positives)).read_bytes()
        if "photo" in query.group:
            assert max(read_image(query.image).pixels.shape) == 800


def test_the_benchmark_runs_and_finds_the_identical_picture(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    assert evaluate.main(["siblings", "--root", str(folder), "--json-file", str(file)]) == 0
    reports = json.loads(file.read_text(encoding="utf-8"))["siblings"]
    printed = capsys.readouterr().out
    for half in ("all", *sorted({each.half for each in all_families() if each.name in FAMILIES})):
        every = [reports[half]["all"], *(f for by in reports[half]["by"].values() for f in by.values())]
        shares = [value for f in every for name, value in f.items() if isinstance(value, float)]
        assert shares
        assert all(0 <= value <= 1 for value in shares)
        assert f"\n{half} " in printed
    found = reports["all"]["all"]
    assert found["wrong_same"] <= MOST_WRONG_SAME
    assert found["right_same"] >= LEAST_RIGHT_SAME
    assert found["first"] >= LEAST_FIRST
    exact = reports["all"]["by"]["query_kind"]["exact"]
    assert (exact["n_queries"], exact["n_pairs"]) == (len(FAMILIES), len(FAMILIES) * (N_MEMBERS - 1))
    assert exact["right_same"] == 1.0


def test_a_camera_sees_all_of_the_picture() -> None:
    for seed in range(20):
        transform = view_from_picture(np.random.default_rng(seed), 300, 400, (600, 800))
        corners = np.array([[0, 0, 1], [300, 0, 1], [300, 400, 1], [0, 400, 1]]) @ transform.T
        xy = corners[:, :2] / corners[:, 2:]
        assert (xy >= 0).all()
        assert (xy <= (600, 800)).all()
    assert MOST_TILT == 35


def test_a_crop_keeps_what_differs() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    other = picture.copy()
    other[:30, :30] = 255
    rng = np.random.default_rng(0)
    crops = [telling_crop(rng, other, [picture]) for _ in range(5)]
    assert all((crop > 0).any() and 0.5 < crop[:, :, 0].size / picture[:, :, 0].size < 0.85 for crop in crops)


def test_a_group_of_two_members_is_wrong() -> None:
    a, b, copy_of_a, copy_of_b = (Path(name) for name in ("a", "b", "copy-a", "copy-b"))
    labels = {"half": "fit"}
    copies = [
        BenchmarkQuery(copy_of_a, frozenset({a}), siblings=frozenset({b}), labels=labels),
        BenchmarkQuery(copy_of_b, frozenset({b}), siblings=frozenset({a}), labels=labels),
    ]
    benchmark = Benchmark("drawn", [a, b], copies)
    every, fit = measure(benchmark, copies, [frozenset({a, copy_of_a})])
    assert (every.n_groups, every.n_wrong, every.n_copies, every.n_found) == (1, 0, 2, 1)
    assert fit.half == "fit"
    every, _ = measure(benchmark, copies, [frozenset({a, b, copy_of_b})])
    assert (every.n_groups, every.n_wrong, every.n_found) == (1, 1, 1)


def test_margins_are_reported_of_right_and_wrong_first_products(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert margins.main(["siblings", str(folder), "--cache", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    n_right, n_wrong = (int(line.split()[1]) for line in lines[:2])
    assert n_right > n_wrong
    assert [line.split(":")[0] for line in lines[2:]] == [f"proved, margin {least} or more" for least in (0, 1, 2, 5)]
    taken = [int(line.split(": ")[1].split()[0]) for line in lines[2:]]
    assert taken == sorted(taken, reverse=True)
    assert 0 < taken[0] <= n_right + n_wrong
