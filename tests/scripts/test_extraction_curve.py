"""The curve of extraction: the edge by hand, settings named once, features of a lower limit, a small run, a figure."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.errors import OptionError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import PRESETS, FeatureOptions
from scripts.common.features import strongest
from scripts.extraction import __main__ as extraction
from scripts.extraction import curve as settings
from scripts.extraction import measure as measuring
from tests.support.scenes import draw_scene, write_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objects of four pictures, and one cover that four cameras see twice as large."""
    folder = tmp_path_factory.mktemp("curve")
    for number in range(8):
        picture = np.clip(draw_scene(number // 4, 160, 120) * (1 - 0.15 * (number % 4)), 0, 255).astype(np.uint8)
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.jpg", picture)
    cover = draw_scene(9, 200, 150)
    write_picture(folder / "dvd_covers" / "Reference" / "001.jpg", cover)
    for camera in ("Canon", "Droid", "E63", "Palm"):
        write_picture(folder / "dvd_covers" / camera / "001.jpg", np.asarray(cv2.resize(cover, (400, 300)), np.uint8))
    return folder


# -- Settings ---------------------------------------------------------------------------------------------------------


def test_the_edge_by_hand() -> None:
    """Worse and dearer is off it; of equals the first stands for both; at one price the more accurate."""
    points = {"a": (2.0, 0.8), "twin": (2.0, 0.8), "b": (1.0, 0.5), "off": (3.0, 0.8), "low": (1.0, 0.4)}
    assert settings.edge(points) == ["b", "a"]
    assert settings.edge({**points, "c": (9.0, 0.9)}) == ["b", "a", "c"]


def test_settings_begin_with_the_defaults_hold_every_preset_and_none_twice() -> None:
    table = settings.all_settings()
    assert table[0] == FeatureOptions()
    assert settings.title_of(table[0]) == "balanced"
    assert len({settings.title_of(options) for options in table}) == len(set(table)) == len(table)
    assert set(PRESETS.values()) <= set(table)


def test_a_title_says_what_differs() -> None:
    assert settings.title_of(FeatureOptions(640, 77, 0.02)) == "side 640, features 77, contrast 0.02"
    assert settings.title_of(PRESETS["fast"]).endswith(" (fast)")


def test_settings_are_chosen_by_title_or_preset() -> None:
    table = settings.all_settings()
    assert settings.chosen(table, []) == table
    chosen = settings.chosen(table, ["fast", "side 512"])
    assert chosen == [FeatureOptions(), PRESETS["fast"], FeatureOptions(max_side=512)]
    with pytest.raises(OptionError, match=r"--only: expected settings .*side 512.*, found slow"):
        settings.chosen(table, ["slow"])


# -- Measuring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 50, 100_000])
def test_features_of_a_lower_limit_are_the_first_rows(data: Path, n: int) -> None:
    picture = read_image(data / "ukbench1000" / "ukbench00000.jpg", grey=True)
    expected = extract_features(picture, FeatureOptions(max_features=min(n, 65535)))
    found = strongest(extract_features(picture, FeatureOptions(max_features=65535)), n)
    assert np.array_equal(found.descriptors, expected.descriptors)
    assert np.array_equal(found.geometry.xy_px, expected.geometry.xy_px)
    assert np.array_equal(found.geometry.angle_deg, expected.geometry.angle_deg)


def test_extraction_through_the_cache_is_extraction(data: Path, tmp_path: Path) -> None:
    pictures, options = measuring.load(data, 2, 1), FeatureOptions(150, 60)
    first, again = (measuring.extract(options, pictures, tmp_path, "title") for _ in range(2))
    assert len(list(tmp_path.iterdir())) == 1
    assert len(first) == 8 + 1 + 1
    for path, features in first.items():
        expected = extract_features(read_image(path, grey=True, max_side=150), options)
        assert np.array_equal(features.descriptors, expected.descriptors)
        assert np.array_equal(again[path].geometry.xy_px, expected.geometry.xy_px)


def test_each_setting_is_timed_on_both_sets(data: Path) -> None:
    sample = measuring.choose_sample(measuring.load(data, 0, 0), 2)
    assert {name: len(paths) for name, paths in sample.items()} == {"ukbench": 2, "dvd": 2}
    whole, small = measuring.measure_milliseconds([FeatureOptions(), FeatureOptions(max_side=64)], sample, 1)
    assert set(whole) == set(small) == {"ms_ukbench", "ms_dvd"}
    assert whole["ms_dvd"] > small["ms_dvd"] > 0


# -- A small run ------------------------------------------------------------------------------------------------------


def test_the_script_measures_each_setting_and_writes_table_json_and_figure(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # no processes for ten pictures
    target, figure = tmp_path / "curve.json", tmp_path / "curve.svg"
    arguments = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--sample", "1", "--rounds", "1"]
    only = ["side 256", "side 1280", "fast"]
    assert extraction.main([*arguments, "--only", *only, "--json", str(target), "--svg", str(figure)]) == 0
    lines = capsys.readouterr().out.splitlines()
    written = json.loads(target.read_text(encoding="utf-8"))
    table = written["settings"]
    assert lines[0] == "ukbench-8 8 queries, dvd-1 4 queries, dvd-1 details 4 queries; 9 pictures in the collection"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:] if line.startswith("| ")]
    titles = ["balanced", "side 256", "side 1280", settings.title_of(PRESETS["fast"])]
    assert [row[0] for row in rows[2:6]] == titles
    assert list(table) == titles
    accuracy = [{k: v for k, v in table[name].items() if k[:2] != "ms"} for name in ("balanced", "side 1280")]
    assert accuracy[0] == accuracy[1]  # no picture is so large
    assert table["balanced"]["ns"] == 4.0
    assert table["balanced"]["recall_at_1"] == table["balanced"]["map_dvd"] == 1.0
    assert table["balanced"]["same_dvd"] == 1.0
    assert table["side 256"]["features_dvd"] != table["balanced"]["features_dvd"]
    assert table["side 256"]["features_ukbench"] == table["balanced"]["features_ukbench"]
    assert "picture halved first, so that nothing is doubled" in written["opencv"]
    assert min(value for knob in written["opencv"].values() for value in knob.values()) > 0
    assert "fast</text>" in figure.read_text(encoding="utf-8")


def test_the_same_figures_give_the_same_svg(tmp_path: Path) -> None:
    rows = {"balanced": (20.0, 0.9), "side 384": (10.0, 0.8), "slow": (30.0, 0.7)}
    table = {
        name: {"ms_ukbench": ms, "ms_dvd": 2 * ms, **dict.fromkeys(["map_ukbench", "map_dvd", "map_detail"], accuracy)}
        for name, (ms, accuracy) in rows.items()
    }
    for name in ("a.svg", "b.svg"):
        settings.draw(tmp_path / name, table, {"balanced": "balanced", "accurate": "not measured"})
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "side 384</text>" in text
    assert "slow</text>" not in text
    assert "accurate</text>" not in text


def test_variants_differ_from_bof_in_what_they_say() -> None:
    pixels: Any = cv2.cvtColor(draw_scene(1), cv2.COLOR_BGR2GRAY)
    assert measuring.halved(pixels).shape == (120, 160)
    found: dict[str, Any] = {name: extract(pixels) for name, extract in measuring.variants(FeatureOptions()).items()}
    ours, bilinear, floats, halved, points = found.values()
    assert (ours[1].dtype, floats[1].dtype) == (np.uint8, np.float32)
    assert np.array_equal(floats[1].astype(np.uint8), ours[1])
    assert len(halved[0]) < len(ours[0]) == len(points)
    assert [p.pt for p in bilinear[0]] != [p.pt for p in ours[0]]
