"""What a command writes it writes through no link: --matches, --html, --json, --csv, --report, --export, --skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bof.cli import export, proof
from bof.cli.outputs import require_place
from bof.errors import BenchmarkError, BofError, DuplicateError, ImageError, OptionError, ReportError
from bof.evaluate import _write_json
from bof.evaluation.report import require_report
from bof.grouping.records import write_text

PICTURE = np.zeros((8, 8, 3), np.uint8)

WRITERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "matches": (lambda path: proof.write_picture(path, PICTURE, "matches"), ImageError),
    "html": (lambda path: write_text(path, "page"), DuplicateError),
    "html, asked before": (lambda path: require_place(path, "html"), OptionError),
    "evaluation": (lambda path: _write_json(path, {}), BenchmarkError),
    "report": (require_report, ReportError),
    "export": (lambda path: export.write_records(path, []), OSError),
    "pairs": (lambda path: export.write_pairs(path, []), OSError),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_link_is_refused_by_name(writer: str, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("untouched")
    path = tmp_path / "out.csv"
    path.symlink_to(tmp_path / "victim")
    write, kind = WRITERS[writer]
    with pytest.raises(kind, match="link") as caught:
        write(path)
    assert str(path) in str(caught.value)
    assert (tmp_path / "victim").read_text() == "untouched"
    assert isinstance(caught.value, BofError | OSError)
    assert {one.name for one in tmp_path.iterdir()} == {"victim", "out.csv"}


def test_a_folder_of_matches_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "matches").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ImageError, match=r"matches: cannot be written: there is a link.*name another matches"):
        proof.write_picture(tmp_path / "matches" / "query_01.jpg", PICTURE, "matches")
    assert not any((tmp_path / "elsewhere").iterdir())
