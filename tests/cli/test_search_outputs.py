"""`bof search`: what it prints for people and pipes, what it writes, and its exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof import index, search
from bof.engine import Engine
from bof.html import is_made_by
from bof.options import IndexOptions
from bof.system import ahead
from tests.support.scenes import draw_scene, warp, write_picture

Run = Callable[..., tuple[int, str, str]]

TURNED = np.array([[0.87, -0.5, 80.0], [0.5, 0.87, -60.0], [0.0, 0.0, 1.0]])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`bof search` in the shared index."""
    monkeypatch.setenv("BOF_INDEX", str(index_folder))

    def run_here(*arguments: str | Path) -> tuple[int, str, str]:
        status = search.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, "".join(line for line in err.splitlines(True) if not line.startswith("index: "))

    return run_here


@pytest.fixture
def query(tmp_path: Path) -> Path:
    """Scene 4, turned."""
    return write_picture(tmp_path / "query.png", warp(draw_scene(4), TURNED))


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "stranger.png", draw_scene(777))


def rows(table: str) -> list[str]:
    return [line for line in table.splitlines() if re.match(r" +\d+ ", line)]


# -- Which hits -------------------------------------------------------------------------------------------------------


def test_only_hits_with_a_verdict_are_shown(run: Run, query: Path) -> None:
    everything = json.loads(run(query, "--json")[1])[0]["hits"]
    _, out, _ = run(query, "--verdict", "same")
    assert [row.split()[-1] for row in rows(out)] == ["scene-04.png"]
    hits = json.loads(run(query, "--json", "--verdict", "no", "maybe", "--top", "3")[1])[0]["hits"]
    assert [hit["name"] for hit in hits] == [hit["name"] for hit in everything if hit["verdict"] in ("no", "maybe")][:3]
    assert [hit["rank"] for hit in hits] == [1, 2, 3][: len(hits)]


def test_a_verdict_that_no_hit_has_says_so(run: Run, query: Path) -> None:
    status, out, _ = run(query, "--verdict", "part")
    assert status == 0
    assert re.search(r"^  none of \d+ hits has the verdict part$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("flags", "condition"),
    [(["--where", "name = x"], "--where 'name = x'"), (["--where", "width > 1", "--text", "cow"],
      "--where 'width > 1' and --text 'cow'")],
)  # fmt: skip
def test_a_filter_that_leaves_nothing_says_so(run: Run, query: Path, flags: list[str], condition: str) -> None:
    assert run(query, *flags)[1].splitlines()[1] == f"  no picture of the index meets {condition}"
    status, out, err = run(query, *flags, "--json")
    assert (status, json.loads(out)[0]["hits"]) == (0, [])
    assert err == f"{query}: no picture of the index meets {condition}\n"


def test_a_filter_is_not_blamed_for_a_picture_without_features(run: Run, tmp_path: Path) -> None:
    blank = write_picture(tmp_path / "blank.png", np.full((50, 50, 3), 99, np.uint8))
    assert "no features" in run(blank, "--where", "width > 1")[1]


def test_an_empty_index_says_so(run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    Engine.create(tmp_path / "empty", vocabulary_folder).close()
    assert "  the index holds no picture\n" in run(query, "--index", tmp_path / "empty")[1]


# -- What is printed --------------------------------------------------------------------------------------------------


def test_names_and_paths_are_alone_on_standard_output(run: Run, query: Path, photos: Path) -> None:
    assert run(query, "--verdict", "same", "--names")[:2] == (0, "scene-04.png\n")
    assert run(query, "--verdict", "same", "--paths")[:2] == (0, f"{photos / 'scene-04.png'}\n")
    assert run(query, "--verdict", "same", "-0")[:2] == (0, f"{photos / 'scene-04.png'}\0")
    assert run(query, "--verdict", "same", "--names", "--null")[:2] == (0, "scene-04.png\0")


def test_many_queries_are_worked_on_side_by_side_and_reported_in_order_as_each_alone(
    run: Run, query: Path, stranger: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(query.read_bytes()[:200])
    pictures = [query, stranger, *sorted(photos.glob("*.png"))[:4]]

    def hits_of(out: str) -> list[Any]:
        return [{name: one[name] for name in ("query", "box", "hits")} for one in json.loads(out)]

    alone = [one for picture in pictures for one in hits_of(run(picture, "--json")[1])]
    threads, work = set[int](), search.find_hits

    def find(*arguments: Any) -> Any:
        threads.add(threading.get_ident())
        return work(*arguments)

    monkeypatch.setattr(ahead, "n_threads", lambda: 2)
    monkeypatch.setattr(search, "find_hits", find)
    status, out, err = run(*pictures[:2], broken, *pictures[2:], tmp_path / "none.png", "--json")
    assert status == 1
    assert hits_of(out) == alone
    assert [line.split(": ")[1] for line in err.splitlines() if line.startswith("error")] == [
        str(broken), str(tmp_path / "none.png"),
    ]  # fmt: skip
    assert threads
    assert threading.get_ident() not in threads


def test_a_name_that_two_queries_find_is_printed_once(run: Run, query: Path, photos: Path) -> None:
    assert run(query, photos / "scene-04.png", "--verdict", "same", "--names")[1] == "scene-04.png\n"


def test_a_name_that_is_no_text_survives_a_pipe(query: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9\n\x1b[2J.png")
    write_picture(tmp_path / "photos" / odd, draw_scene(4))
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    command = [sys.executable, "-m", "bof.search", query, "--index", tmp_path / "i"]
    done = subprocess.run([*command, "-0"], capture_output=True, timeout=60)
    assert done.stdout == os.fsencode(tmp_path / "photos" / odd) + b"\0"
    table = subprocess.run(command, capture_output=True, timeout=60).stdout
    assert b"\x1b" not in table
    assert len(table.splitlines()) == 3


@pytest.mark.parametrize("flags", [["--json", "--names"], ["--names", "--paths"], ["--json", "-0"]])
def test_two_forms_of_output_are_misuse(run: Run, query: Path, flags: list[str]) -> None:
    try:
        status = run(query, *flags)[0]
    except SystemExit as stop:
        status = int(str(stop.code))
    assert status == 2


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_table_fits_the_terminal(run: Run, query: Path, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run(query)[1]
    monkeypatch.setenv("COLUMNS", columns)
    narrow = run(query)[1]
    assert max(map(len, narrow.splitlines()[1:])) <= int(columns) < max(map(len, wide.splitlines()))
    assert [row.split()[-1] for row in rows(narrow)] == [row.split()[-1] for row in rows(wide)]


def test_verdicts_have_colours_where_they_are_wanted(run: Run, query: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run(query)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32msame" in run(query)[1]
    assert "\x1b" not in run(query, "--json")[1] + run(query, "--names")[1]


@pytest.fixture(scope="module")
def hashed(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared index with hashes."""
    folder = shutil.copytree(index_folder, tmp_path_factory.mktemp("hashed") / "index")
    assert index.main(["--index", str(folder), "--columns", "hash", "--workers", "1"]) == 0
    return folder


@pytest.mark.parametrize(("ranker", "n_bits"), [("ahash", 64), ("dhash", 64), ("phash", 64), ("blockmean", 256)])
def test_a_hash_says_how_many_bits_differ(run: Run, hashed: Path, photos: Path, ranker: str, n_bits: int) -> None:
    arguments = (photos / "scene-04.png", "--index", hashed, "--ranker", ranker)
    first, second, *_ = json.loads(run(*arguments, "--json")[1])[0]["hits"]
    assert (first["bits"], 0 < second["bits"] < n_bits) == (0, True)
    assert second["score"] == pytest.approx(1 - second["bits"] / n_bits)
    out = run(*arguments)[1]
    assert "bits  verdict" in out
    assert f" 0 of {n_bits}  " in rows(out)[0]
    assert f" {second['bits']} of {n_bits}  " in rows(out)[1]


@pytest.mark.parametrize("ranker", ["radial", "moments", "bof+phash"])
def test_what_is_no_hash_of_bits_has_none(run: Run, hashed: Path, query: Path, ranker: str) -> None:
    arguments = (query, "--index", hashed, "--ranker", ranker)
    assert json.loads(run(*arguments, "--json")[1])[0]["hits"][0]["bits"] is None
    assert "bits" not in run(*arguments)[1].splitlines()[1]


def test_an_upload_is_shown_by_the_name_that_it_was_given(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path
) -> None:
    stored = f"{'0123456789abcdef' * 2}.png"
    write_picture(tmp_path / "i-uploads" / stored, draw_scene(4))
    write_picture(tmp_path / "i-uploads" / "plain.png", draw_scene(5))
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "i-uploads"], IndexOptions(workers=1))
        engine.annotate(["*.png"], {"title": ["Holiday\nin Rome.jpg"]})
    arguments = (query, "--index", tmp_path / "i")
    out = run(*arguments)[1]
    assert rows(out)[0].endswith(r"Holiday\nin Rome.jpg")
    assert "plain.png" in out
    hit, other = json.loads(run(*arguments, "--json")[1])[0]["hits"]
    assert (hit["name"], hit["title"], other["title"]) == (stored, r"Holiday\nin Rome.jpg", None)
    assert run(*arguments, "--verdict", "same", "--names")[1] == f"{stored}\n"
    run(*arguments, "--verdict", "same", "--save", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["query_01_same_Holiday_nin_Rome.png"]


# -- Exit status ------------------------------------------------------------------------------------------------------


def test_a_verdict_is_required_of_every_query(run: Run, query: Path, stranger: Path) -> None:
    assert run(query, "--require", "same")[0] == 0
    status, out, err = run(stranger, "--require", "same")
    assert (status, err) == (1, f"{stranger}: no hit has the verdict same\n")
    assert rows(out)
    assert run(query, stranger, "--require", "same")[0] == 1
    assert run(stranger, "--require", "same", "no")[0] == 0


# -- What is written --------------------------------------------------------------------------------------------------


def test_saved_pictures_are_copies_named_by_rank(run: Run, query: Path, photos: Path, tmp_path: Path) -> None:
    hits = json.loads(run(query, "--top", "3", "--json")[1])[0]["hits"]
    status, _, err = run(query, "--top", "3", "--save", tmp_path / "out")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert (status, err) == (0, f"3 pictures saved in {tmp_path / 'out'}\n")
    assert written == [f"query_{h['rank']:02d}_{h['verdict']}_{h['name']}" for h in hits]
    first = tmp_path / "out" / written[0]
    assert first.read_bytes() == (photos / "scene-04.png").read_bytes()
    assert not first.is_symlink()
    assert not first.samefile(photos / "scene-04.png")
    assert run(query, "--top", "3", "--save", tmp_path / "out")[0] == 0


@pytest.mark.parametrize("how", ["symlink", "hardlink", "copy"])
def test_saved_pictures_are_links_where_that_is_wanted(
    run: Run, query: Path, photos: Path, tmp_path: Path, how: str
) -> None:
    before = (photos / "scene-04.png").read_bytes()
    for each in ("symlink", how, how):  # each takes the place of the one before, not of what it leads to
        assert run(query, "--verdict", "same", "--save", tmp_path / "out", "--save-as", each)[0] == 0
    [saved] = (tmp_path / "out").iterdir()
    assert saved.is_symlink() == (how == "symlink")
    assert saved.samefile(photos / "scene-04.png") == (how != "copy")
    assert saved.read_bytes() == (photos / "scene-04.png").read_bytes() == before


def test_a_picture_of_the_collection_is_never_replaced(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    name = "q_01_same_q_01_same_x.png"
    picture = write_picture(tmp_path / "photos" / "q_01_same_x.png", draw_scene(4))
    query = write_picture(tmp_path / "q.png", draw_scene(4))
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    before = picture.read_bytes()
    assert run(query, "--index", tmp_path / "i", "--save", tmp_path / "photos")[0] == 0
    assert {path.name for path in (tmp_path / "photos").iterdir()} == {picture.name, name}
    assert picture.read_bytes() == before


def test_saving_to_the_place_of_the_picture_itself_is_refused(
    run: Run, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = write_picture(tmp_path / "photos" / "x.png", draw_scene(4))
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    monkeypatch.setattr("bof.cli.saving.target_of", lambda *_: tmp_path / "photos" / "x.png")
    for how in ("copy", "symlink", "hardlink"):
        status, _, err = run(picture, "--index", tmp_path / "i", "--save", tmp_path / "photos", "--save-as", how)
        assert (status, "must not be replaced; name another --save" in err) == (1, True)
    assert picture.is_file()
    assert not picture.is_symlink()


def test_a_file_that_is_gone_is_named_and_the_others_are_saved(
    run: Run, query: Path, vocabulary_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = write_picture(tmp_path / "photos" / "gone.png", draw_scene(4))
    write_picture(tmp_path / "photos" / "there.png", draw_scene(4)[:, 10:])
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    gone.unlink()
    status, _, err = run(query, "--index", tmp_path / "i", "--save", tmp_path / "out")
    assert (status, "1 picture saved in" in err) == (0, True)
    assert f"not saved: {gone}: the file is gone" in caplog.text


def test_a_place_to_save_that_is_none_is_one_line(run: Run, query: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place in (query, query / "below", tmp_path / "link"):
        status, _, err = run(query, "--save", place)
        assert (status, len(err.splitlines()), "name another --save" in err) == (1, 1, True)
    assert not any((tmp_path / "elsewhere").iterdir())


def test_a_sheet_shows_every_proof(run: Run, query: Path, stranger: Path, tmp_path: Path) -> None:
    status, out, _ = run(query, stranger, "--top", "2", "--html", tmp_path / "sheet.html")
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert status == 0
    assert len(rows(out)) == 4
    assert is_made_by("bof.search", tmp_path / "sheet.html")
    assert page.count('src="data:image/jpeg;base64,') == 2 + 4
    assert "scene-04.png" in page
    assert '<article class="same">' in page
    assert re.search(r'<span class="word">same</span> scene-04.png\s+<span class="soft">\d+ inliers, score', page)
    assert not re.search(r"https?://", page)


def test_names_on_a_sheet_are_no_markup(run: Run, vocabulary_folder: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "photos" / "<script>alert(1)<!--&.png", draw_scene(4))
    query = write_picture(tmp_path / "<b>q.png", draw_scene(4))
    with Engine.create(tmp_path / "i", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    assert run(query, "--index", tmp_path / "i", "--html", tmp_path / "sheet.html")[0] == 0
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_a_sheet_is_refused_before_anything_is_searched(run: Run, query: Path, tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "victim")
    for place in (tmp_path, tmp_path / "nowhere" / "x.html", tmp_path / "link.html"):
        status, out, err = run(query, "--html", place)
        assert (status, out, err.startswith("error: --html ")) == (2, "", True)
    assert not (tmp_path / "victim").exists()
