"""The documentation is true: examples run, every option is described, every module has its place."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bof.cli.main import COMMANDS
from bof.cli.options_page import document
from tests.support.scenes import ROOT, draw_scene, write_picture

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCS = [
    *READMES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "data" / "README.md",
    ROOT / "vocab" / "README.md",
]
PROSE = [*DOCS, ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_python_example_of_the_readme_finds_the_picture(readme: Path, tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    write_picture(tmp_path / "photos" / "right.png", draw_scene(1))
    write_picture(tmp_path / "photos" / "wrong.png", draw_scene(2))
    write_picture(tmp_path / "query.jpg", draw_scene(1))
    run = subprocess.run([sys.executable, "-c", example[1]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split()[:2] == ["right.png", "same"]


def test_the_page_of_options_is_what_the_options_say() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_flag_of_a_command_is_documented(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        importlib.import_module(f"bof.{command}").main(["--help-all"])
    flags = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", capsys.readouterr().out))
    documented = "\n".join(path.read_text(encoding="utf-8") for path in DOCS)
    assert not {flag for flag in flags if f"{flag}" not in documented} - {"--help", "--help-all", "--version"}


def test_every_package_has_a_heading_and_every_command_its_word() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    headings = " ".join(line for line in page.splitlines() if line.startswith("###"))
    packages = {path.parent.name for path in (ROOT / "bof").glob("*/__init__.py")}
    assert not {name for name in packages if not re.search(rf"\b{name}\b", headings)}
    modules = {path.stem for path in (ROOT / "bof").glob("*.py")} - {"__init__", "__main__"}
    assert not {name for name in modules if f"`{name}`" not in page}


def test_lines_of_the_docs_are_short() -> None:
    long = [
        f"{page.name}:{n}"
        for page in PROSE
        for n, line in enumerate(page.read_text("utf-8").splitlines(), 1)
        if len(line) > 120 and not line.startswith(("|", "    ")) and "](" not in line
    ]
    assert not long


def test_links_between_pages_lead_somewhere() -> None:
    for page in DOCS:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
