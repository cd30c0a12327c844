"""`bof index --judge` and the files of judgments; `bof search` with groups, fields and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bof import index, search
from bof.engine import Engine
from bof.options import IndexOptions
from tests.support.scenes import draw_scene, write_picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, vocabulary_folder: Path) -> Path:
    for seed in range(5):
        write_picture(tmp_path / "photos" / f"{seed}.png", draw_scene(seed))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        engine.annotate(["0.png", "1.png"], {"product": ["=cup", "bowl"], "tag": ["a"]})
        engine.annotate("2.png", {"product": ["plate"]})
    return tmp_path / "index"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BOF_INDEX", str(folder))

    def run_here(command: str, *arguments: str | Path) -> tuple[int, str, str]:
        main = {"index": index.main, "search": search.main}[command]
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, "".join(line for line in err.splitlines(True) if not line.startswith("index: "))

    return run_here


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "query.png", draw_scene(1)[3:, 2:])


# -- Judgments --------------------------------------------------------------------------------------------------------


def test_a_pair_is_judged_by_file_and_by_name(run: Run, query: Path) -> None:
    assert run("index", "--judge", "same", query, "4.png")[:2] == (0, f"{query} and 4.png: the same, from now on\n")
    _, out, _ = run("search", query)
    assert any("4.png (confirmed by a person)" in line and " same " in line for line in out.splitlines())
    run("index", "--judge", "different", query, "4.png")
    _, out, _ = run("search", query)
    assert "4.png (judged not the same by a person)" in out.splitlines()[-1]
    assert run("index", "--judge", "none", query, "4.png")[0] == 0
    assert "person" not in run("search", query)[1]
    status, _, err = run("index", "--judge", "none", query, "4.png")
    assert (status, "expected two pictures that were judged" in err) == (2, True)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_what_is_exported_is_read_back(run: Run, query: Path, folder: Path, tmp_path: Path, suffix: str) -> None:
    run("index", "--judge", "same", query, "4.png")
    run("index", "--judge", "different", "0.png", "1.png")
    file = tmp_path / f"judgments{suffix}"
    assert run("index", "--export-judgments", file)[1] == f"{file}: 2 judgments\n"
    before = Engine.open(folder).judgments()
    (folder / "judgments.sqlite").unlink()
    assert run("index", "--import-judgments", file)[1] == f"{file}: 2 judgments, 2 of them new\n"
    assert Engine.open(folder).judgments() == before
    assert run("index", "--import-judgments", file)[1] == f"{file}: 2 judgments, 0 of them new\n"


def test_names_will_do_where_there_are_no_contents(run: Run, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "by name.csv"
    file.write_text("judgment,one_name,other_name\nsame,0.png,3.png\n")
    assert run("index", "--import-judgments", file)[0] == 0
    (judged,) = Engine.open(folder).judgments()
    assert judged.is_same


@pytest.mark.parametrize(
    "row",
    ["perhaps,,,,0.png,1.png", "same,,,,0.png,nothing.png", "same,now,,,0.png,1.png", "same,,xyz,,0.png,1.png", "same"],
)
def test_of_a_faulty_file_nothing_is_taken(run: Run, folder: Path, tmp_path: Path, row: str) -> None:
    file = tmp_path / "faulty.csv"
    file.write_text(f"judgment,judged,one,other,one_name,other_name\nsame,,,,0.png,1.png\n{row}\n")
    status, _, err = run("index", "--import-judgments", file)
    assert (status, "record 2" in err) == (2, True)
    assert Engine.open(folder).judgments() == []


def test_wrong_flags_are_refused_before_anything_is_done(run: Run, tmp_path: Path) -> None:
    assert "one of same, different, none" in run("index", "--judge", "perhaps", "0.png", "1.png")[2]
    assert ".csv or .jsonl" in run("index", "--export-judgments", tmp_path / "x.txt")[2]
    assert "a file with judgments" in run("index", "--import-judgments", tmp_path / "x.csv")[2]


# -- Groups, fields, CSV ----------------------------------------------------------------------------------------------


def test_hits_carry_fields_and_groups(run: Run, query: Path) -> None:
    plain = json.loads(run("search", query, "--json")[1])[0]["hits"]
    assert plain[0]["fields"] == {"product": ["=cup", "bowl"], "tag": ["a"]}
    assert plain[0]["group"] is None
    assert len(plain[0]["query_outline"]) >= 4
    hits = json.loads(run("search", query, "--json", "--group-by", "product", "--top", "3")[1])[0]["hits"]
    assert [hit["group"]["value"] for hit in hits[:2]] == ["=cup", "bowl"]
    assert hits[0]["group"] | {"margin": 0} == {
        "field": "product", "value": "=cup", "n_agree": 1, "n_found": 2, "n_pictures": 2, "margin": 0,
    }  # fmt: skip
    assert len(hits) == 3


def test_a_table_and_a_page_of_groups(run: Run, query: Path, tmp_path: Path) -> None:
    _, out, _ = run("search", query, "--group-by", "product")
    head, first = out.splitlines()[1:3]
    assert head.split()[:3] == ["product", "agree", "margin"]
    assert first.split()[:5] == ["=cup", "1", "of", "2", "+0.00"]
    run("search", query, "--group-by", "product", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "product: =cup; 1 of 2 pictures agree, margin +0.00" in page
    assert "product: =cup, bowl; tag: a" in page


def test_csv_has_a_row_a_hit_and_a_column_a_field(run: Run, query: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("search", query, query, "--format", "csv", "--top", "2")[1])))
    assert [row["rank"] for row in rows] == ["1", "2", "1", "2"]
    assert (rows[0]["name"], rows[0]["field:product"], rows[0]["field:tag"]) == ("1.png", "'=cup; bowl", "a")
    assert "group" not in rows[0]
    text = run("search", query, "--format", "csv", "--group-by", "product", "--verdict", "same")[1]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["group"], row["group_agree"], row["group_pictures"]) for row in rows] == [
        ("'=cup", "1", "2"), ("bowl", "1", "2"),
    ]  # fmt: skip


def test_a_field_that_is_mistyped_is_named(run: Run, query: Path) -> None:
    status, _, err = run("search", query, "--group-by", "prodct")
    assert (status, "--group-by" in err, "did you mean product?" in err) == (2, True, True)
