"""The replay of the time left: true where work is time, wrong where only the number of pictures counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.time_left import __main__ as time_left
from tests.support.scenes import draw_scene, write_picture


def test_work_that_is_time_says_the_truth_and_numbers_do_not() -> None:
    seconds = np.r_[np.full(100, 0.5), np.full(100, 2.0)]
    assert time_left.replay(seconds, 7 * seconds) == pytest.approx([1, 1, 1])
    assert time_left.replay(seconds, np.ones(200))[0] == pytest.approx(0.25, abs=0.06)
    assert time_left.draws(seconds, seconds, 16) == pytest.approx((1, 1))
    low, high = time_left.draws(seconds, np.ones(200), 16)
    assert low < 0.85 < 1.15 < high


def test_the_command_prints_a_table_for_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(6):
        write_picture(tmp_path / f"{number}.png", draw_scene(number, 160, 120))
    assert time_left.main([str(tmp_path), "--pictures", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("5 pictures, ")
    assert "judged by" in out
