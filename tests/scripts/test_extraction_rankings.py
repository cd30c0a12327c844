"""The extraction scripts beside the curve: rankings by both extractors, stages and the arithmetic that they count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.extraction import rankings, stages
from tests.support.scenes import draw_scene, write_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objects of four pictures."""
    folder = tmp_path_factory.mktemp("rankings")
    for number in range(8):
        picture = np.clip(draw_scene(number // 4, 160, 120) * (1 - 0.1 * (number % 4)), 0, 255).astype(np.uint8)
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", picture)
        write_picture(folder / "dvd_covers" / "Canon" / f"{number:03d}.jpg", picture)
    return folder


def test_both_extractors_and_both_mixed_find_every_view(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "rankings.json"
    flags = ["--crossed", "--view", "whole", "mirrored", "--json", str(file)]
    assert rankings.main(["ukbench", str(data / "ukbench1000"), *flags]) == 0
    head, *rows = json.loads(file.read_text(encoding="utf-8"))
    assert head == rankings.HEAD
    pairs = [(index, queries) for index in ("opencv", "native") for queries in ("opencv", "native")]
    assert [tuple(row[:3]) for row in rows] == [(view, *pair) for view in ("whole", "mirrored") for pair in pairs]
    assert {row[3] for row in rows} == {"4.0000"}
    assert {tuple(row[-2:]) for row in rows} == {("0", "0")}


def test_a_view_is_seen_as_it_says() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert rankings.seen(pixels, "whole").tolist() == pixels.tolist()
    assert rankings.seen(pixels, "mirrored").tolist() == [[2, 1, 0], [5, 4, 3]]
    assert rankings.seen(pixels, "cropped").tolist() == [[4, 5]]


def test_the_products_of_the_blurs_by_hand() -> None:
    """A picture of 8 x 6: octaves of 16 x 12 pixels alone, for 8 x 6 holds no key point."""
    pixels = np.zeros((6, 8), np.uint8)
    assert stages.octaves(pixels) == [192]
    assert stages.n_blur(pixels) == 2 * 192 * (11 + 11 + 13 + 17 + 21 + 27)
    assert stages.n_bytes(pixels) == (6 * 192, 44 * 192)


def test_stages_are_measured_beside_opencv(data: Path, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "stages.json"
    assert stages.main(["--data", str(data), "--sample", "1", "--rounds", "1", "--json", str(file)]) == 0
    tables = json.loads(file.read_text(encoding="utf-8"))
    assert [name[:3] for name in tables] == ["UKB", "DVD"]
    for rows in tables.values():
        stage = {name: cells for name, *cells in rows}
        assert float(stage["pyramid and search"][3]) > 0
        assert float(stage["MB of levels that leave the cache"][2]) == pytest.approx(6 / 44, abs=0.01)
    assert "arithmetic at least" in capsys.readouterr().out
