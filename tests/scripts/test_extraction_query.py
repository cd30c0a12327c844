"""From a file to its answer: each index with one thread and with all, and afterwards all threads work again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bof.system.threads import n_threads
from scripts.common.arguments import n_cores
from scripts.extraction.query import main
from tests.support.scenes import draw_scene, write_picture


def test_every_index_has_a_row_for_one_thread_and_for_all(
    index_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (2, 5):
        write_picture(tmp_path / f"{number}.jpg", draw_scene(number))
    threads = n_threads()
    folders = [str(index_folder)] * 2
    assert main(["--index", *folders, "--queries", str(tmp_path), "--rounds", "1"]) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[2] for row in cells] == ["1", str(n_cores())] * 2
    assert cells[0][6] == "1.00"
    assert all(int(row[5]) >= max(int(row[3]), int(row[4])) > 0 for row in cells)
    assert n_threads() == threads
