"""Progress: a bar from the start, one a stage, and a time left that goes by the sizes of pictures."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from bof.cli import dry_run
from bof.cli.progress import TimeLeft, stage_bars
from bof.ingest import work
from bof.ingest.extract import ExtractSpec
from bof.ingest.work import draw_files, estimate_work
from bof.options import FeatureOptions, IndexOptions
from bof.system.steps import Stage, Step
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def spec_of(vocabulary_folder: Path) -> ExtractSpec:
    return ExtractSpec(vocabulary_folder, FeatureOptions(), 1 << 30)


def test_a_bar_stands_before_the_first_item_is_done_and_each_stage_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with stage_bars() as show:
        show(Step("reading", 0, 3, 0.0))
        assert "reading:   0%" in terminal.getvalue()
        assert "0 of 3" in terminal.getvalue()
        show(Step("reading", 1, 3, 0.9))
        show(Step("comparing", 0, 5, 0.0))
        assert "comparing:   0%" in terminal.getvalue()
    lines = [line.split("\r")[-1] for line in terminal.getvalue().split("\n")]
    assert [line.split(":")[0] for line in lines if line.strip()] == ["reading", "comparing"]
    assert "reading:  90%" in lines[0]


def test_the_time_left_does_not_count_the_start_of_processes() -> None:
    now = 0.0
    left = TimeLeft(lambda: now)
    assert left.seconds(0.0) is None
    now = 5.0  # until then processes start; from then on a tenth takes two seconds
    assert left.seconds(0.1) is None
    for share in (0.2, 0.5, 0.9):
        now = 5.0 + 20 * (share - 0.1)
        assert left.seconds(share) == pytest.approx(20 * (1 - share))


def test_a_stage_goes_by_its_work_and_one_without_items_is_none() -> None:
    seen: list[Step] = []
    stage = Stage(seen.append, "reading", 2, 40.0)
    stage.advance(1, 30.0)
    stage.advance(1, 10.0)
    assert seen == [Step("reading", 0, 2, 0.0), Step("reading", 1, 2, 0.75), Step("reading", 2, 2, 1.0)]
    Stage(seen.append, "nothing", 0)
    assert len(seen) == 3


def test_work_goes_by_pixels_up_to_what_is_extracted(tmp_path: Path, vocabulary_folder: Path) -> None:
    """In folders with small pictures first and large ones last a count of pictures says a tenth of the time."""
    small = write_picture(tmp_path / "a.png", draw_scene(1, 320, 240))
    large = write_picture(tmp_path / "b.jpg", draw_scene(2, 1024, 768))
    larger = write_picture(tmp_path / "c.jpg", np.zeros((3000, 4000, 3), np.uint8))
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    files = [(str(path), path.name) for path in (small, large, larger, tmp_path / "d.jpg")]
    found = estimate_work(files, spec_of(vocabulary_folder), ALONE)
    assert found[str(large)] / found[str(small)] == pytest.approx(6, rel=0.2)
    assert found[str(larger)] / found[str(large)] == pytest.approx(1.15, rel=0.1)
    assert found.keys() == {path for path, _ in files}


def test_pictures_that_were_not_measured_are_judged_by_their_bytes(
    tmp_path: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_MEASURED", 8)
    for number in range(16):
        side = 300 + 40 * number
        write_picture(tmp_path / f"{number:02d}.png", draw_scene(number, side, side))
    files = [(str(path), path.name) for path in sorted(tmp_path.glob("*.png"))]
    judged = estimate_work(files, spec_of(vocabulary_folder), ALONE)
    monkeypatch.setattr(work, "_MEASURED", 16)
    measured = estimate_work(files, spec_of(vocabulary_folder), ALONE)
    assert judged != measured
    assert sum(judged.values()) == pytest.approx(sum(measured.values()), rel=0.15)


def test_files_are_drawn_at_random_and_always_the_same() -> None:
    files = [(f"/{number}", str(number)) for number in range(1000)]
    drawn = draw_files(files, 100)
    assert drawn == draw_files(files, 100)
    assert drawn != sorted(drawn)
    assert 300 < np.mean([int(name) for _, name in drawn]) < 700
    assert sorted(draw_files(files, 2000)) == sorted(files)


def test_a_dry_run_weighs_a_few_large_pictures_among_many_small_ones(
    tmp_path: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that is said is that of the pictures that were timed, times the work of all over theirs."""
    for number in range(8):
        write_picture(tmp_path / f"a{number}.png", draw_scene(number, 120, 90))
    files = [(str(path), path.name) for path in sorted(tmp_path.iterdir())]
    clock = iter(range(1000))
    monkeypatch.setattr(dry_run.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(dry_run, "_LEAST", 2)
    monkeypatch.setattr(dry_run, "_SECONDS", 1.5)
    sample = dry_run._Sample.of(files, spec_of(vocabulary_folder), ALONE)
    assert sample.n == 6  # four that are not timed, and two that take two seconds
    assert sample.seconds == pytest.approx(8, rel=0.1)
