"""The commands of both READMEs run as printed; the Chinese one says what the English one says."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from bof import __version__
from bof.cli.main import main
from tests.support.films import still, write_film
from tests.support.scenes import ROOT, draw_scene, write_picture

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
READMES = pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["en", "zh"])

RUNS_ELSEWHERE = {
    "bof serve": "until it is stopped; tests/server starts it",
    "bof serve --extension bof-extension": "until it is stopped; tests/server/test_extension.py uses it",
    "bof mcp --allow PHOTOS": "until the assistant ends; tests/assistants starts it",
    "bof index PHOTOS --watch": "until it is stopped; tests/ingest starts it",
    "bof train_vocab PHOTOS -o vocab/mine": "needs more pictures than a test draws",
    "bof index PHOTOS --index mine --vocabulary vocab/mine": "needs that vocabulary",
    "bof index --iiif MANIFEST_URL --allow-urls archive.example": "needs an archive",
    "bof evaluate ukbench --root data/ukbench --report result": "needs the benchmark's photographs",
}
"""Commands that are parsed here and not run, and why."""


def commands(readme: Path) -> list[str]:
    """The lines of blocks that are typed, without their comments."""
    text = readme.read_text(encoding="utf-8")
    lines = re.findall(r"^    ((?:bof|make|pip|pipx|uvx|python3|bof-env/bin/\w+) .*)$", text, re.MULTILINE)
    return [re.split(r"\s+# ", line)[0].strip() for line in lines]


def test_both_readmes_have_the_same_blocks() -> None:
    assert commands(ENGLISH) == commands(CHINESE)
    assert len(commands(ENGLISH)) > 20
    tables = [re.findall(r"^       .*$", readme.read_text(encoding="utf-8"), re.M) for readme in (ENGLISH, CHINESE)]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("part", "differ"),
    [
        (r"^(#+) ", set()),  # headings
        (r"\]\(([^)]+)\)", {"README.md", "README.zh-CN.md"}),  # links
        (r"`([^`]+)`", {"same"}),  # words of the program
        (r"(?<![\w.])(\d[\d,.]*\d)", {"130", "1.3"}),  # figures: 1.3 million is 130 times ten thousand
    ],
)
def test_both_readmes_name_the_same(part: str, differ: set[str]) -> None:
    english, chinese = (set(re.findall(part, prose(readme), re.MULTILINE)) for readme in (ENGLISH, CHINESE))
    assert english ^ chinese <= differ


def prose(readme: Path) -> str:
    """The text without blocks, where words in backquotes are whole."""
    text = re.sub(r"```.*?```|^    [^\n]*$", "", readme.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`]+`", lambda word: re.sub(r"\s+", " ", word[0]), text)


@READMES
def test_the_first_screen_is_a_picture_a_sentence_an_installation_and_two_commands(readme: Path) -> None:
    _, picture, sentence, install, run = readme.read_text(encoding="utf-8").split("\n\n")[:5]
    assert picture.startswith("![")
    assert "`bof`" in sentence
    assert install.strip() == "pip install bof-search"
    assert [line.split()[1] for line in run.splitlines()] == ["index", "search"]


@READMES
def test_two_commands_set_everything_up_on_a_fresh_machine(readme: Path) -> None:
    assert {"make demo", "make test"} <= set(commands(readme))
    targets = re.findall(r"`make ([\w-]+)`", readme.read_text(encoding="utf-8"))
    rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) <= set(rules)


@READMES
def test_the_commands_run_as_printed(readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOF_INDEX", "bof-index")
    for seed in range(4):
        write_picture(tmp_path / "PHOTOS" / "trips" / f"cathedral-{seed}.png", draw_scene(seed))
    write_picture(tmp_path / "query.jpg", draw_scene(1))
    write_film(tmp_path / "FILMS" / "film.mp4", [*still(21, 40), *still(22, 40)])
    write_film(tmp_path / "clip.mp4", still(22, 40))
    write_picture(tmp_path / "still.jpg", still(21, 1)[0])
    printed = [line for line in commands(readme) if line.startswith("bof ")]
    assert set(RUNS_ELSEWHERE) < set(printed)
    for line in printed:
        arguments = shlex.split(line)[1:]
        if line in RUNS_ELSEWHERE:
            importlib.import_module(f"bof.{arguments[0]}")._parser().parse_args(arguments[1:])
        else:
            assert main(arguments) == 0, line


# -- The pictures, and what lies beside the READMEs -------------------------------------------------------------------


def test_pictures_in_the_repository_are_small_and_drawn_by_the_demo() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert sum(path.stat().st_size for path in pictures) <= 300_000
    assert [path.name for path in pictures] == ["proof.jpg"]
    with Image.open(pictures[0]) as picture:
        assert picture.size == (1000, 413)


def test_the_citation_is_of_this_version() -> None:
    citation = dict(re.findall(r"^([\w-]+): *(.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    assert (citation["version"], citation["license"], citation["cff-version"]) == (__version__, "BSD-3-Clause", "1.2.0")
    assert {"message", "title", "authors"} <= set(citation)


def test_the_site_shows_every_page() -> None:
    named = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "data/README.md", ROOT / "vocab/README.md"]
    assert named == {path.relative_to(ROOT).as_posix() for path in pages}
