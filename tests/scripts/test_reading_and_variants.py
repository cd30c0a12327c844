"""Drawn pictures of kinds that photographs are not, in short: each kind has its row, and claims of it hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.logos.__main__ import main as hang_logos
from scripts.logos.drawing import SHARES, draw_logo, siblings
from scripts.logos.evenness import main as count_even
from scripts.reading.__main__ import main as read
from scripts.reading.drawing import KINDS
from scripts.variants.__main__ import WAYS
from scripts.variants.__main__ import main as search
from scripts.variants.drawing import draw_cases
from tests.support.scenes import draw_scene, write_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs enough for two drawings of each kind."""
    folder = tmp_path_factory.mktemp("drawn")
    for seed in range(420):
        write_picture(folder / "train" / f"{seed:03}.jpg", draw_scene(seed, 120, 90))
    return folder


def test_the_same_seed_draws_the_same_cases() -> None:
    one, other = (draw_cases(np.random.default_rng(3)) for _ in range(2))
    assert [case.kind for case in one] == [case.kind for case in other]
    assert all(
        np.array_equal(a.query, b.query) and np.array_equal(a.right, b.right) for a, b in zip(one, other, strict=True)
    )


def test_each_reading_has_a_figure_for_each_kind(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(["--data", str(data), "--cases", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {
        cells[0]: cells[1:] for line in lines[2:] if (cells := [cell.strip() for cell in line.strip("|").split("|")])
    }
    assert set(KINDS) <= set(rows)
    assert lines[0] == "| kind | plain | adaptive |"
    right = {kind: [int(cell.split(" of ")[0]) for cell in rows[kind]] for kind in KINDS}
    assert sum(adaptive for _, adaptive in right.values()) > sum(plain for plain, _ in right.values())
    assert rows["others wrongly `same`"] == ["0", "0"]


def test_every_way_is_counted_and_inverses_are_found_by_theirs(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "figures.json"
    assert search(["--data", str(data), "--seeds", "1", "--others", "10", "--json", str(target)]) == 0
    found = {(one["way"], one["kind"]): one for one in json.loads(target.read_text(encoding="utf-8"))}
    assert {way for way, _ in found} == set(WAYS)
    assert found["all", "negative"]["verdicts"] == {"same": 1}
    assert found["without inverse", "negative"]["verdicts"] != {"same": 1}
    assert not any(one["wrong_same"] for one in found.values())
    assert "negative" in capsys.readouterr().out


@pytest.mark.parametrize("ground", [(), ("--without-ground",)])
def test_logos_of_each_size_are_counted_and_no_sibling_is_the_same(
    data: Path, capsys: pytest.CaptureFixture[str], ground: tuple[str, ...]
) -> None:
    command = ["--data", str(data), "--logos", "2", "--others", "10", "--siblings", "--seed", "5", *ground]
    assert hang_logos(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("  {")[0].strip() for line in lines[-4:-1]] == list(SHARES)
    assert re.search(r"'first': [12]", lines[-4])
    assert lines[-1] == "wrongly same, by what differs: {}"


def test_siblings_differ_in_one_thing_that_shows() -> None:
    rng = np.random.default_rng(4)
    logo = draw_logo(rng)
    drawn = {kind: sibling.draw() for kind, sibling in siblings(logo, rng)}
    assert set(drawn) == {"letters", "colour", "slice", "place"}
    shares = [float((pixels != logo.draw()).any(axis=2).mean()) for pixels in drawn.values()]
    assert 0.001 < min(shares) <= max(shares) < 0.2


def test_flat_drawings_and_pages_are_counted_among_photographs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    Image.fromarray(draw_logo(np.random.default_rng(4)).draw()).save(folder / "logo.png")
    for seed in (1, 2):
        write_picture(folder / f"{seed}.png", draw_scene(seed))
    (folder / "broken.png").write_bytes(b"no picture")
    assert count_even([str(folder)]) == 0
    assert re.findall(r"\w+", capsys.readouterr().out.splitlines()[-1]) == ["some", "3", "1", "1", "1"]
