"""The curve of extraction: the edge by hand, settings named once, features of a lower limit, a small run, a figure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bof.errors import OptionError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import PRESETS, FeatureOptions
from tests.support.scenes import draw_scene, write_picture


@pytest.fixture(scope="module")
def settings(script: Callable[[str], Any]) -> Any:
    return script("extraction_curve_settings")


@pytest.fixture(scope="module")
def measuring(script: Callable[[str], Any]) -> Any:
    return script("extraction_curve_measure")


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


def test_the_edge_by_hand(settings: Any) -> None:
    """Worse and dearer is off it; of equals the first stands for both; at one price the more accurate."""
    points = {"a": (2.0, 0.8), "twin": (2.0, 0.8), "b": (1.0, 0.5), "off": (3.0, 0.8), "low": (1.0, 0.4)}
    assert settings.edge(points) == ["b", "a"]
    assert settings.edge({**points, "c": (9.0, 0.9)}) == ["b", "a", "c"]


def test_settings_begin_with_the_defaults_hold_every_preset_and_none_twice(settings: Any) -> None:
    table = settings.all_settings()
    assert table[0].options == FeatureOptions()
    assert table[0].title == "balanced"
    assert len({setting.title for setting in table}) == len({setting.options for setting in table}) == len(table)
    assert set(PRESETS.values()) <= {setting.options for setting in table}


def test_a_title_says_what_differs(settings: Any) -> None:
    assert settings.Setting(FeatureOptions(640, 77, 0.02)).title == "side 640, features 77, contrast 0.02"
    assert settings.Setting(PRESETS["fast"]).title.endswith(" (fast)")


def test_settings_are_chosen_by_title_or_preset(settings: Any) -> None:
    table = settings.all_settings()
    assert settings.choose(table, []) == table
    chosen = settings.choose(table, ["fast", "side 512"])
    assert [s.options for s in chosen] == [FeatureOptions(), PRESETS["fast"], FeatureOptions(max_side=512)]
    with pytest.raises(OptionError, match=r"--only: expected names that --list prints, found slow"):
        settings.choose(table, ["slow"])


# -- Measuring --------------------------------------------------------------------------------------------------------


def test_a_side_beyond_every_picture_is_the_same_setting(measuring: Any, data: Path) -> None:
    pictures = measuring.load(data, 0, 0)
    assert list(pictures.groups.values()) == [160, 200, 400]
    large, larger, small = (FeatureOptions(max_side=side) for side in (400, 1280, 399))
    assert pictures.effective(large) == pictures.effective(larger) != pictures.effective(small)
    assert [options.max_side for options in pictures.effective(small)] == [160, 200, 399]


@pytest.mark.parametrize("n", [1, 50, 100_000])
def test_features_of_a_lower_limit_are_the_first_rows(measuring: Any, data: Path, n: int) -> None:
    picture = read_image(data / "ukbench1000" / "ukbench00000.jpg", grey=True)
    expected = extract_features(picture, FeatureOptions(max_features=min(n, 65535)))
    found = measuring.strongest(extract_features(picture, FeatureOptions(max_features=65535)), n)
    assert np.array_equal(found.descriptors, expected.descriptors)
    assert np.array_equal(found.geometry.xy_px, expected.geometry.xy_px)
    assert np.array_equal(found.geometry.angle_deg, expected.geometry.angle_deg)


def test_extraction_through_the_cache_is_extraction(measuring: Any, data: Path, tmp_path: Path) -> None:
    pictures, options = measuring.load(data, 2, 1), FeatureOptions(150, 60)
    first, again = (measuring.extract(options, pictures, tmp_path, 1, lambda done, total: None) for _ in range(2))
    assert len(list(tmp_path.iterdir())) == 3
    assert len(first) == 8 + 1 + 1
    for path, features in first.items():
        expected = extract_features(read_image(path, grey=True, max_side=150), options)
        assert np.array_equal(features.descriptors, expected.descriptors)
        assert np.array_equal(again[path].geometry.xy_px, expected.geometry.xy_px)


def test_settings_that_are_the_same_here_share_one_timing(measuring: Any, data: Path) -> None:
    sample = measuring.choose_sample(measuring.load(data, 0, 0), 2)
    assert {name: len(paths) for name, paths in sample.items()} == {"ukbench": 2, "dvd": 2}
    options = [FeatureOptions(), FeatureOptions(max_side=200), FeatureOptions(max_side=500)]
    whole, shrunk, large = measuring.measure_milliseconds(options, sample, 1, lambda done, total: None)
    assert whole == large
    assert whole["ms_ukbench"] == shrunk["ms_ukbench"] > 0
    assert whole["ms_dvd"] != shrunk["ms_dvd"]


# -- A small run ------------------------------------------------------------------------------------------------------


def test_the_script_measures_each_setting_and_writes_table_json_and_figure(
    script: Callable[[str], Any],
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # no processes for ten pictures
    module, target, figure = script("extraction_curve"), tmp_path / "curve.json", tmp_path / "curve.svg"
    arguments = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--sample", "1", "--rounds", "1"]
    only = ["side 256", "side 1280", "fast"]
    assert module.main([*arguments, "--only", *only, "--json", str(target), "--svg", str(figure)]) == 0
    lines = capsys.readouterr().out.splitlines()
    written = json.loads(target.read_text(encoding="utf-8"))
    table = written["settings"]
    assert lines[0] == "ukbench-8 8 queries, dvd-1 4 queries, dvd-1 details 4 queries; 9 pictures in the collection"
    rows = [line.split(" | ") for line in lines[2:] if line.startswith("| ")]
    titles = ["balanced", "side 256", "side 1280", module._title_of("fast")]
    assert [row[0] for row in rows[2:6]] == [f"| {title}" for title in titles]
    assert list(table) == titles
    assert table["balanced"] == table["side 1280"]
    assert table["balanced"]["ns"] == 4.0
    assert table["balanced"]["recall_at_1"] == table["balanced"]["map_dvd"] == 1.0
    assert table["balanced"]["same_dvd"] == 1.0
    assert table["side 256"]["features_dvd"] != table["balanced"]["features_dvd"]
    assert table["side 256"]["features_ukbench"] == table["balanced"]["features_ukbench"]
    assert "picture halved first, so that nothing is doubled" in written["opencv"]
    assert min(value for knob in written["opencv"].values() for value in knob.values()) > 0
    assert "fast</text>" in figure.read_text(encoding="utf-8")


def test_the_same_figures_give_the_same_svg(script: Callable[[str], Any], tmp_path: Path) -> None:
    plot = script("extraction_curve_plot")
    rows = {"balanced": (20.0, 0.9), "side 384": (10.0, 0.8), "slow": (30.0, 0.7)}
    table = {
        name: {"ms_ukbench": ms, "ms_dvd": 2 * ms, **dict.fromkeys(["map_ukbench", "map_dvd", "map_detail"], accuracy)}
        for name, (ms, accuracy) in rows.items()
    }
    for name in ("a.svg", "b.svg"):
        plot.draw(tmp_path / name, table, {"balanced": "balanced", "accurate": "not measured"})
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "side 384</text>" in text
    assert "slow</text>" not in text
    assert "accurate</text>" not in text


def test_variants_differ_from_bof_in_what_they_say(script: Callable[[str], Any]) -> None:
    variants = script("extraction_curve_variants")
    pixels = cv2.cvtColor(draw_scene(1), cv2.COLOR_BGR2GRAY)
    assert variants.halved(pixels).shape == (120, 160)
    found = {name: extract(pixels) for name, extract in variants.variants(FeatureOptions()).items()}
    ours, bilinear, floats, halved, points = found.values()
    assert (ours[1].dtype, floats[1].dtype) == (np.uint8, np.float32)
    assert np.array_equal(floats[1].astype(np.uint8), ours[1])
    assert len(halved[0]) < len(ours[0]) == len(points)
    assert [p.pt for p in bilinear[0]] != [p.pt for p in ours[0]]


def test_settings_can_be_listed(script: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert script("extraction_curve").main(["--data", "nowhere", "--list", "--only", "side 512"]) == 0
    assert capsys.readouterr().out == "balanced\nside 512\n"
