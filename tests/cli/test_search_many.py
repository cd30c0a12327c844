"""`bof search` with folders of queries: each picture is a query, what fails has a row, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bof import search
from bof.cli.queries import expand_queries, labels_of
from bof.engine import Engine
from bof.errors import ImageError
from bof.options import IndexOptions
from bof.system.csv_cells import text_cell
from tests.support.scenes import draw_scene, write_picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BOF_INDEX", str(index_folder))

    def run_here(*arguments: str | Path) -> tuple[int, str, str]:
        status = search.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_here


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scenes, one of them in a folder below, a damaged picture, and what is no picture."""
    place = tmp_path / "queries"
    (place / "more").mkdir(parents=True)
    write_picture(place / "b.png", draw_scene(3))
    write_picture(place / "more" / "a.png", draw_scene(5))
    (place / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing follows")
    (place / "notes.txt").write_text("no picture")
    return place


def test_a_folder_stands_for_the_pictures_in_it(run: Run, folder: Path) -> None:
    assert expand_queries(["-", "x.png", str(folder)]) == [
        "-", "x.png", *(str(folder / name) for name in ("b.png", "damaged.png", "more/a.png")),
    ]  # fmt: skip
    status, out, err = run(folder, "--names", "--verdict", "same")
    assert (status, out.split()) == (1, ["scene-03.png", "scene-05.png"])
    assert "damaged.png" in err


def test_a_folder_without_pictures_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ImageError, match="folder with pictures"):
        expand_queries([str(tmp_path / "none")])
    status, out, err = run(tmp_path / "none")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1


def test_labels_of_queries_of_one_name_are_numbered() -> None:
    assert labels_of(["x/a.png", "y/a.png", "b.png"]) == ["a-1", "a-2", "b"]


def test_a_table_has_a_row_for_a_query_that_fails_and_for_one_without_hits(run: Run, folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(folder, "--format", "csv", "--verdict", "same")[1])))
    assert [(Path(row["query"]).name, row["name"], bool(row["problem"])) for row in rows] == [
        ("b.png", "scene-03.png", False), ("damaged.png", "", True), ("a.png", "scene-05.png", False),
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(run(folder / "b.png", "--format", "csv", "--verdict", "part")[1])))
    assert [(Path(row["query"]).name, row["rank"], row["problem"]) for row in rows] == [("b.png", "", "")]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"), ("a=b", "a=b"), ("塔.jpg", "塔.jpg"), ("\t=1", "\\t=1"), ("a\nb", "a\\nb"),
    ],
)  # fmt: skip
def test_no_text_is_a_formula(text: str, cell: str) -> None:
    assert text_cell(text) == cell


def test_names_of_pictures_are_no_formulas(run: Run, photos: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(next(photos.glob("*.png")), tmp_path / "photos" / "=1+1.png")
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    query = shutil.copy(tmp_path / "photos" / "=1+1.png", tmp_path / "@query.png")
    out = run(query, "--format", "csv", "--index", tmp_path / "index")[1]
    [row] = csv.DictReader(io.StringIO(out))
    assert row["name"] == "'=1+1.png"
