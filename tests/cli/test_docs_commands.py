"""The commands in the documentation: each is one that bof takes, and those of docs/command-line.md do what they say."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bof.cli.main import COMMANDS
from tests.cli.test_docs import DOCS
from tests.support.films import still, write_film
from tests.support.scenes import ROOT, draw_scene, write_picture

_PAGE = ROOT / "docs" / "command-line.md"
_BLOCK = re.compile(r"^    (?:\.venv/bin/)?(bof [a-z_-]+.*)$", re.MULTILINE)


def commands_of(page: Path) -> Iterator[str]:
    """The lines of indented blocks that run bof, without their comments; lines that go on are joined."""
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))
    for line in _BLOCK.findall(text):
        yield re.sub(r"\s+#.*", "", line)


WRITTEN = {"--matches": "proof", "--html": "proof.html", "--save": "found", "--proof": "proof.jpg"}
"""What options of the page's commands write."""

_ENDLESS = ("bof serve", "bof mcp", "bof pair")
"""What answers others until it is stopped, and what speaks to that; tests of their own run these."""

PRINTED = sorted({(page.relative_to(ROOT).as_posix(), line) for page in DOCS for line in commands_of(page)})


@pytest.mark.parametrize(("page", "line"), PRINTED, ids=[f"{page}: {line}" for page, line in PRINTED])
def test_a_command_in_the_docs_is_one_that_bof_takes(page: str, line: str) -> None:
    words = shlex.split(re.split(r" [|>] ", re.sub(r"\[([^\]]*)\]", r"\1", line))[0])
    command = words[1].replace("-", "_")
    assert command in COMMANDS
    importlib.import_module(f"bof.{command}")._parser().parse_args([word for word in words[2:] if word != "..."])


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    """A folder with query.jpg, a few photos and their index, as the page has them; bof is on the path."""
    tmp_path = tmp_path_factory.mktemp("page")
    for name, seed in (("red", 1), ("green", 2), ("blue", 3)):
        write_picture(tmp_path / "photos" / f"{name}.jpg", draw_scene(seed))
    write_picture(tmp_path / "query.jpg", draw_scene(1)[10:, 10:])
    write_picture(tmp_path / "vase.jpg", draw_scene(4))
    write_film(tmp_path / "films" / "film.mp4", [*still(21, 40), *still(22, 40)])
    write_film(tmp_path / "clip.mp4", still(22, 40))
    write_picture(tmp_path / "still.jpg", still(21, 1)[0])
    script = tmp_path / "bin" / "bof"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bof "$@"\n')
    script.chmod(0o755)
    index = [
        sys.executable,
        "-m",
        "bof",
        "index",
        "photos",
        "films",
        "--vocabulary",
        vocabulary_folder,
        "--workers",
        "1",
    ]
    subprocess.run(index, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def place(furnished: Path) -> Path:
    """That folder without what the commands of another test have written."""
    for path in (furnished / name for name in WRITTEN.values()):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return furnished


def run_printed(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = ["bash", "-o", "pipefail", "-c", line.replace("python -m", f"{shlex.quote(sys.executable)} -m")]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize("line", sorted({line for line in commands_of(_PAGE) if not line.startswith(_ENDLESS)}))
def test_a_command_of_the_page_does_as_printed(line: str, place: Path) -> None:
    done = run_printed(line, place)
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    for option, written in WRITTEN.items():
        assert (option in line.split()) == (place / written).exists()
    if "--names" in line:
        assert done.stdout.split()[0] == "red.jpg"


def test_the_python_example_of_the_page_runs(place: Path) -> None:
    example = re.search(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", example[1]]
    done = subprocess.run(run, cwd=place, env=environment, capture_output=True, text=True, check=True)
    verdict, bits = done.stdout.split()
    assert (verdict, 0 <= int(bits) <= 64) == ("same", True)


# -- Completion -------------------------------------------------------------------------------------------------------

needs_shtab = pytest.mark.skipif(importlib.util.find_spec("shtab") is None, reason="needs shtab")


@needs_shtab
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bof s", {"search", "serve"}),
        ("bof search --verd", {"--verdict"}),
        ("bof search --verdict s", {"same"}),
        ("bof search que", {"query.jpg"}),
        ("bof index pho", {"photos"}),
        ("bof search --tole", {"--tolerance"}),
        ("bof duplicates --kind c", {"clip", "copy", "crop"}),
    ],
)
def test_what_is_typed_is_completed(typed: str, expected: set[str], place: Path) -> None:
    words = typed.split()
    script = (
        'source <(bof completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_shtab_bof; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = run_printed(f"set -- {shlex.join(words)}; {script}", place)
    assert {line.strip() for line in done.stdout.splitlines() if line.strip()} == expected, done.stderr


@needs_shtab
@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_every_shell_gets_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    from bof import completion

    assert completion.main([shell]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


def test_without_shtab_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bof import completion

    monkeypatch.setitem(sys.modules, "shtab", None)
    assert completion.main(["bash"]) == 1
    assert capsys.readouterr().err.endswith('install with: pip install "bof-search[completion]"\n')
