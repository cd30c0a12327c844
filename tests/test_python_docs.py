"""docs/python.md and the notebook are true: every block and every cell runs; importing bof imports nothing else."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bof
from tests.support.scenes import ROOT, draw_scene, write_picture

PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ANYWHERE = ("pandas", "pyarrow")
"""What a block may need that bof does not: it runs where it is installed."""


def run_python(code: str, folder: Path) -> str:
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with 12 photographs."""
    for n in range(12):
        write_picture(tmp_path / "photos" / f"scene-{n:02d}.png", draw_scene(n))
    return tmp_path


def needs(block: str) -> set[str]:
    return {name for name in ANYWHERE if re.search(rf"^import {name}$", block, re.MULTILINE)}


def test_every_block_of_the_page_runs(folder: Path) -> None:
    present = [block for block in BLOCKS if all(importlib.util.find_spec(name) for name in needs(block))]
    assert len(present) >= len(BLOCKS) - len(ANYWHERE) > 10
    said = run_python("\n".join(present), folder)
    for shown in re.findall(r"print\(\w+\)  +# (\S.*)$", "\n".join(BLOCKS), re.MULTILINE):
        assert shown.removesuffix("...)").removesuffix(", ") in said, shown
    assert "frame 1 same points" in said
    assert "frame 1 same pixels" in said
    assert (folder / "hits.csv").read_text(encoding="utf-8").startswith("rank,name,path,part,verdict,basis,score,")


def shown_by(cell: str, names: dict[str, Any]) -> object:
    """Run a cell as a notebook does; what its last expression is."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_the_notebook_goes_from_arrays_to_a_table_with_pictures_in_ten_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert len([line for line in cells[0].splitlines() if line.strip()]) <= 10
    names: dict[str, Any] = {}
    hits, rows, similar = (shown_by(cell, names) for cell in cells)
    html = hits._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 1 + len(hits)
    assert {(name, verdict) for _, name, verdict, *_ in rows[:2]} == {("china", "same"), ("china, its left", "same")}
    assert {basis for _, _, verdict, basis, _ in rows if verdict == "same"} == {"pixels"}
    assert similar.shape == (4, 4)
    assert similar[0, 2] > 2 * similar[0, 1]
    again = shown_by(cells[0], {})  # in the same folder
    assert [hit.name for hit in again] == [hit.name for hit in hits]


def test_the_notebook_stores_no_output() -> None:
    assert NOTEBOOK["nbformat"] == 4
    for cell in NOTEBOOK["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_importing_bof_imports_nothing_heavy(folder: Path) -> None:
    code = """
import sys, bof
heavy = {"numpy", "scipy", "cv2", "sklearn", "PIL", "joblib", "jinja2"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
engine = bof.Engine.create("index")
engine.add_images({"a": bof.as_picture("photos/scene-01.png")})
engine.add("photos/scene-02.png")
assert engine.search("photos/scene-01.png")[0].verdict == "same"
bof.find_duplicates(engine, "exact")
assert not {"sklearn", "joblib", "jinja2"} & set(sys.modules)
"""
    assert run_python(code, folder) == ""


def test_every_public_name_is_there_and_documented_or_named() -> None:
    for name in bof.__all__:
        assert getattr(bof, name).__doc__, name
    page = PAGE.read_text(encoding="utf-8")
    new = ("BagOfVisualWords", "Hits", "as_picture", "average_precision", "default_vocabulary", "find_duplicates")
    assert set(new) <= set(bof.__all__) <= set(dir(bof))
    assert all(name in page for name in new if name != "as_picture")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bof.nothing  # noqa: B018
