"""The comparison of two versions: the same version answers the same twice, and what differs is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from bof import Engine, SearchOptions
from scripts.same_answers import __main__ as same_answers
from scripts.same_answers import parts
from tests.support.scenes import N_SCENES, draw_scene, write_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen drawn pictures that are called like UKBench's."""
    folder = tmp_path_factory.mktemp("data")
    for seed in range(N_SCENES):
        write_picture(folder / "ukbench1000" / f"ukbench{seed:05d}.jpg", draw_scene(seed))
    return folder


@pytest.fixture(scope="module")
def recorded(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The answers of two runs without a common cache."""
    files = [tmp_path_factory.mktemp("answers") / name for name in ("before.json.gz", "after.json.gz")]
    for file in files:
        arguments = ["--data", str(data), "--out", str(file), "--only", "golden", "ukbench"]
        assert same_answers.main(["record", *arguments]) == 0
    return files


def read(file: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return whole


def test_one_version_answers_the_same_twice(recorded: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert same_answers.main(["compare", *map(str, recorded)]) == 0
    assert capsys.readouterr().out == "golden: identical\nukbench: identical\n"


def test_a_record_holds_rankings_and_figures(recorded: list[Path]) -> None:
    found = read(recorded[0])["parts"]["ukbench"]
    assert len(found) == N_SCENES + 1
    first = found["ukbench00003.jpg"]["first"][0]
    assert (first["name"], first["verdict"]) == ("ukbench00003.jpg", "same")
    assert float.fromhex(first["score"]) > 1
    assert first["verification"]["n_inliers"] > 20
    assert float.fromhex(found["figures"]["ns"]) >= 1


def test_a_changed_score_is_named(recorded: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = read(recorded[1])
    hit = whole["parts"]["ukbench"]["ukbench00007.jpg"]["first"][0]
    score = float.fromhex(hit["score"])
    hit["score"] = (score * (1 + 2.0**-52)).hex()
    changed = tmp_path / "changed.json.gz"
    changed.write_bytes(gzip.compress(json.dumps(whole).encode()))
    assert same_answers.main(["compare", str(recorded[0]), str(changed)]) == 1
    same, count, line = capsys.readouterr().out.splitlines()
    assert (same, count) == ("golden: identical", "ukbench: 1 difference")
    assert line.startswith(f"  ukbench, ukbench00007.jpg > first > 0 > score: expected {score!r} (0x")
    assert same_answers.main(["compare", str(recorded[0]), str(changed), "--only", "golden"]) == 0


def test_what_one_record_lacks_is_a_difference(
    recorded: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = read(recorded[1])
    del whole["parts"]["golden"], whole["parts"]["ukbench"]["figures"]
    shorter = tmp_path / "shorter.json.gz"
    shorter.write_bytes(gzip.compress(json.dumps(whole).encode()))
    assert same_answers.main(["compare", str(recorded[0]), str(shorter)]) == 1
    printed = capsys.readouterr().out
    assert "  golden: expected {" in printed
    assert "  ukbench, figures: expected {" in printed
    assert printed.count("found nothing") == 2


def test_small_and_whole_runs_are_not_compared(
    recorded: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small.json.gz"
    small.write_bytes(gzip.compress(json.dumps({**read(recorded[1]), "small": True}).encode()))
    assert same_answers.main(["compare", str(recorded[0]), str(small)]) == 2
    assert "one of each" in capsys.readouterr().err


def test_all_of_a_ranking_is_recorded(index_folder: Path, photos: Path) -> None:
    """A change behind the hits that can be read changes the record too."""
    engine = Engine.open(index_folder)
    hits = same_answers.search(engine, min(photos.iterdir()), SearchOptions())
    assert len(hits) == len(engine)
    rankings = [[*hits, *hits], [*hits, *hits[:-1], hits[0]]]
    records = [same_answers.hits_record(ranking) for ranking in rankings]
    assert records[0]["first"] == records[1]["first"]
    assert records[0]["rest"] != records[1]["rest"]


def test_the_command_that_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ukbench1000").mkdir()
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out.json.gz"), "--only", "ukbench"]
    assert same_answers.main(["record", *arguments]) == 1
    assert capsys.readouterr().err.startswith("error: bof.index ended with 1: error: ")


def test_altered_copies_are_the_same_for_the_same_seed(data: Path, tmp_path: Path) -> None:
    pictures = sorted((data / "ukbench1000").iterdir())
    for name in ("one", "other"):
        parts.make_duplicates(pictures, tmp_path / name)
        parts.make_benchmark(pictures, tmp_path / f"{name}-benchmark", 4)
    made = [
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.jpg")}
        for name in ("one", "other")
    ]
    assert made[0] == made[1]
    assert {cv2.imread(str(tmp_path / "one" / name)).shape for name in made[0]} > {(240, 320, 3), (120, 160, 3)}
    truth = [(tmp_path / f"{name}-benchmark" / "ground_truth.csv").read_text() for name in ("one", "other")]
    assert truth[0] == truth[1]
