"""Presets of extraction: what a new index records, what overrides them, and what an existing index refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bof import index
from bof.options import PRESETS, FeatureOptions
from bof.store import catalog
from bof.store.index import Index
from bof.vocabulary.vocabulary import load_vocabulary
from tests.support.scenes import draw_scene, write_picture

Make = Callable[..., int]
"""Index one picture with these flags; returns the exit status."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def make(folder: Path, tmp_path: Path, vocabulary_folder: Path) -> Make:
    picture = write_picture(tmp_path / "picture.png", draw_scene(1))

    def make_here(*flags: str) -> int:
        common = [str(picture), "--index", str(folder), "--vocabulary", str(vocabulary_folder), "--workers", "1"]
        try:
            return index.main([*common, *flags])
        except SystemExit as stop:
            return int(stop.code or 0)

    return make_here


def recorded(folder: Path) -> FeatureOptions:
    return Index.open(folder).features


def test_balanced_is_the_default_and_cost_grows_from_fast_to_accurate() -> None:
    assert list(PRESETS) == ["fast", "balanced", "accurate"]
    fast, balanced, accurate = PRESETS.values()
    assert balanced == FeatureOptions()
    assert fast.max_side < balanced.max_side <= accurate.max_side
    assert fast.max_features <= balanced.max_features < accurate.max_features
    assert fast.contrast_threshold >= balanced.contrast_threshold >= accurate.contrast_threshold


@pytest.mark.parametrize("preset", PRESETS)
def test_a_new_index_records_its_preset_and_opens_again(make: Make, folder: Path, preset: str) -> None:
    assert make("--preset", preset) == 0
    assert recorded(folder) == PRESETS[preset]
    assert make("--preset", preset) == 0
    assert make() == 0
    assert recorded(folder) == PRESETS[preset]


def test_without_a_preset_the_vocabulary_decides(make: Make, folder: Path, vocabulary_folder: Path) -> None:
    assert make() == 0
    assert recorded(folder) == load_vocabulary(vocabulary_folder).new_index_features


def test_a_flag_says_more_than_the_preset(make: Make, folder: Path) -> None:
    flags = ("--max-features", "77", "--preset", "fast")
    assert make(*flags) == 0
    assert recorded(folder) == PRESETS["fast"].replaced(max_features=77)
    assert make(*flags) == 0
    assert make("--preset", "fast") == 1


def test_another_preset_for_an_index_that_stands_is_refused_and_changes_nothing(
    make: Make, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make("--preset", "fast") == 0
    generation = catalog.read_generation(folder)
    capsys.readouterr()
    assert make("--preset", "accurate") == 1
    out, err = capsys.readouterr()
    chosen, found = PRESETS["accurate"], PRESETS["fast"]
    assert out == ""
    assert err == (
        f"error: {folder}: expected {chosen}, found an index with {found}; drop the option, or name another --index\n"
    )
    assert (catalog.read_generation(folder), recorded(folder)) == (generation, found)


@pytest.mark.parametrize("flags", [["--preset", "best"], ["--preset"], ["--preset", "fast", "--max-side", "5"]])
def test_a_preset_or_an_override_that_is_wrong_is_misuse_and_writes_nothing(
    make: Make, folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    assert make(*flags) == 2
    assert "error: " in capsys.readouterr().err
    assert not folder.exists()


def test_a_dry_run_judges_by_the_preset(make: Make, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The estimated disk is what the preset's features take."""
    assert make("--dry-run", "--preset", "fast", "--max-features", "20") == 0
    few = capsys.readouterr().out
    assert make("--dry-run", "--preset", "fast") == 0
    assert "1.5 KB of disk" in few
    assert "1.5 KB of disk" not in capsys.readouterr().out
    assert not folder.exists()
