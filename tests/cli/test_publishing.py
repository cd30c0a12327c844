"""Publishing and reading what was published, as commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bof import duplicates, evaluate, index, search, watch_list
from tests.support.scenes import draw_scene, write_picture

Main = Callable[[list[str]], int]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BOF_INDEX", raising=False)

    def run_here(main: Main, *arguments: str | Path) -> tuple[int, str, str]:
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    return run_here


def test_an_index_is_published_and_searched(run: Run, index_folder: Path, tmp_path: Path, photos: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(index_folder, here)
    status, out, _ = run(index.main, "--index", here, "--publish", there.as_uri())
    assert status == 0
    assert "12 pictures in " in out
    status, out, _ = run(index.main, "--index", here, "--publish", there, "--sweep")
    assert status == 0
    assert "0 objects, 0 B new" in out
    assert "deleted 0 objects" in out
    query = photos / "scene-03.png"
    expected = json.loads(run(search.main, query, "--index", here, "--json")[1])
    for place in (there, there.as_uri()):
        found = json.loads(run(search.main, query, "--index", place, "--json")[1])
        assert found[0]["hits"] == expected[0]["hits"]
    assert any((tmp_path / "cache" / "files").iterdir())
    status, _, _ = run(search.main, query, "--index", there, "--cache", tmp_path / "other", "--json")
    assert status == 0
    assert any((tmp_path / "other" / "files").iterdir())


def test_what_only_changes_an_index_takes_no_publication(
    run: Run, index_folder: Path, tmp_path: Path, photos: Path
) -> None:
    there = tmp_path / "there"
    run(index.main, "--index", index_folder, "--publish", there)
    for main, arguments in ((index.main, [photos]), (index.main, ["--stats"]), (duplicates.main, []),
                            (watch_list.main, ["list"])):  # fmt: skip
        status, _, err = run(main, *arguments, "--index", there)
        assert status == 2
        assert "a published index is read-only" in err
    assert sorted(path.name for path in there.iterdir()) == ["files", "publication.json"]


def test_a_published_index_is_evaluated(run: Run, tmp_path: Path, vocabulary_folder: Path) -> None:
    for seed in range(4):
        write_picture(tmp_path / "set" / f"{seed}.png", draw_scene(seed))
    truth = {"name": "four", "database": [f"{seed}.png" for seed in range(4)],
             "queries": [{"image": f"{seed}.png", "positives": [f"{seed}.png"]} for seed in range(4)]}  # fmt: skip
    (tmp_path / "set.json").write_text(json.dumps(truth))
    one = [tmp_path / "set.json", "--root", tmp_path / "set", "--json"]
    status, out, err = run(evaluate.main, *one, "--index", tmp_path / "X", "--vocabulary", vocabulary_folder)
    assert status == 0, err
    expected = json.loads(out)
    run(index.main, "--index", tmp_path / "X", "--publish", tmp_path / "P")
    status, out, err = run(evaluate.main, *one, "--index", tmp_path / "P")
    assert status == 0, err
    assert json.loads(out)["map"] == expected["map"] == 1
    write_picture(tmp_path / "set" / "2.png", draw_scene(77))
    status, _, err = run(evaluate.main, *one, "--index", tmp_path / "P")
    assert status == 1
    assert "1 that are new or changed" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep"], "--sweep: expected --publish PLACE beside it"),
        (["--publish", "P", "--merge"], "not allowed with"),
        (["--publish", "file://host/P"], "expected file:///FOLDER"),
        (["--publish", "https://example.org/P"], "web servers are read from alone"),
    ],
)
def test_wrong_flags(run: Run, index_folder: Path, arguments: list[str], message: str) -> None:
    status, _, err = run(index.main, "--index", index_folder, *arguments)
    assert status in (1, 2)
    assert message in err
