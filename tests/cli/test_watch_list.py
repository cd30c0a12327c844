"""The command `bof watch-list`, and what `bof index` says of watched pictures."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from bof import index, watch_list
from tests.support.scenes import draw_scene, write_picture


def test_a_picture_is_watched_found_and_watched_no_more(
    tmp_path: Path, vocabulary_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, where = tmp_path / "photos", ["--index", str(tmp_path / "index")]
    write_picture(photos / "old.png", draw_scene(1))
    query = write_picture(tmp_path / "vase.png", draw_scene(2))

    def run(*words: str) -> list[str]:
        assert watch_list.main([*words, *where]) == 0
        return capsys.readouterr().out.splitlines()

    assert index.main([str(photos), *where, "--vocabulary", str(vocabulary_folder)]) == 0
    capsys.readouterr()
    assert run("add", str(query), "--name", "a vase", "--note", "stolen") == ["1  a vase"]
    assert run("list") == ["1  a vase  0 hits  stolen"]
    write_picture(photos / "new.png", draw_scene(2)[20:])
    assert index.main([*where]) == 0
    assert "new.png shows a vase, which is watched (same)" in capsys.readouterr().err
    (line,) = run("hits")
    assert line.startswith("1  ")
    assert "new.png shows a vase (same, " in line
    (hit,) = map(json.loads, run("hits", "--json"))
    assert (hit["number"], hit["watched"], hit["name"]) == (1, 1, "new.png")
    assert abs(datetime.fromisoformat(hit["found"]).timestamp() - time.time()) < 600
    assert run("hits", "--after", "1") == []
    assert json.loads(run("list", "--json")[0])["n_hits"] == 1
    assert run("remove", "1", "7") == ["1 picture watched no more"]
    assert run("list") == run("hits") == []


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (["add"], 2, "expected pictures after it"),
        (["list", "x"], 2, "expected nothing after it, found x"),
        (["remove", "a"], 2, "expected ids"),
        (["add", "missing.png"], 1, "no such file"),
        (["add", __file__], 1, f"{Path(__file__).name}: expected a picture"),
        (["add", "a.png", "b.png", "--name", "c"], 2, "expected one picture, found 2"),
    ],
)
def test_what_makes_no_sense_is_refused(
    index_folder: Path, words: list[str], status: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch_list.main([*words, "--index", str(index_folder)]) == status
    assert expected in capsys.readouterr().err
