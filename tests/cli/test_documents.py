"""Pages of a PDF through the commands: as hits, as queries, saved, exported, compared, changed, looked after."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bof import compare, duplicates, index, search
from bof.engine import Engine
from bof.images.decode import decode
from bof.ingest.watch import watch
from tests.support.pdfs import both, jpeg, nothing, placed, text, write_pdf
from tests.support.scenes import draw_scene


def drawn(path: Path, seed: int) -> Path:
    """The file of a scene, with the colours that the book has."""
    Image.fromarray(draw_scene(seed)).save(path)
    return path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Two figures, words, an empty page."""
    folder = tmp_path / "books"
    folder.mkdir()
    figures = [placed(tmp_path, jpeg(draw_scene(seed)), 100, 400, 320, 240) for seed in (1, 2)]
    return write_pdf(folder / "book.pdf", *(both(one, text("Figure")) for one in figures), text("words"), nothing)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("BOF_INDEX", str(tmp_path / "index"))

    def run_here(command: object, *arguments: str | Path) -> tuple[int, str, str]:
        status = command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    run_here.vocabulary = vocabulary_folder
    return run_here


@pytest.fixture
def indexed(run: Run, book: Path) -> Path:
    status, _, err = run(index, book.parent, "--vocabulary", run.vocabulary, "--workers", "1")
    assert status == 0
    assert "blank page of a PDF" in err
    return book


def hits_of(run: Run, *arguments: str | Path) -> list[dict[str, object]]:
    status, out, err = run(search, *arguments, "--json")
    assert status == 0, err
    return list(json.loads(out)[0]["hits"])


def test_a_hit_names_the_page_and_the_box_and_links_to_the_page(run: Run, indexed: Path, tmp_path: Path) -> None:
    query = drawn(tmp_path / "q.png", 2)
    first = hits_of(run, query)[0]
    assert (first["name"], first["verdict"]) == ("book.pdf#page=2&image=1", "same")
    assert (first["path"], first["part"]) == (str(indexed), "page=2&image=1")
    assert first["link"] == f"{indexed}#page=2"
    assert np.abs(np.array(first["outline"]) - [[0, 0], [320, 0], [320, 240], [0, 240]]).max() < 2


def test_a_page_or_a_picture_of_it_is_a_query(run: Run, indexed: Path) -> None:
    for part in ("page=2&image=1", "page=2"):
        (first, *_) = hits_of(run, f"{indexed}#{part}")
        assert (first["name"], first["verdict"] in ("same", "part")) == ("book.pdf#page=2&image=1", True)
    assert hits_of(run, f"{indexed}#page=2&image=1")[0]["basis"] == "content"
    status, _, err = run(search, indexed)
    assert status == 1
    assert f"found a PDF with 3 pictures; name one of them: {indexed}#page=1&image=1" in err
    status, _, err = run(search, f"{indexed}#page=9")
    assert (status, "expected page=1 to page=4" in err) == (1, True)


def test_what_is_printed_is_a_query_again(run: Run, indexed: Path, tmp_path: Path) -> None:
    query = drawn(tmp_path / "q.png", 1)
    out = run(search, query, "--paths", "--verdict", "same")[1].splitlines()
    assert out == [f"{indexed}#page=1&image=1"]
    assert hits_of(run, out[0])[0]["name"] == "book.pdf#page=1&image=1"


def test_hits_are_saved_as_pictures_with_their_proofs(run: Run, indexed: Path, tmp_path: Path) -> None:
    query = drawn(tmp_path / "q.png", 1)
    places = ("--save", tmp_path / "saved", "--matches", tmp_path / "proof", "--html", tmp_path / "page.html")
    status, _, err = run(search, query, "--top", "3", *places)
    assert status == 0, err
    saved = sorted(path.name for path in (tmp_path / "saved").iterdir())
    assert [name.rpartition(".")[2] for name in saved] == ["jpg", "jpg", "png"]
    assert saved[0].endswith("book.pdf_page_1_image_1.jpg")
    assert (tmp_path / "saved" / saved[0]).read_bytes() == jpeg(draw_scene(1))
    assert decode((tmp_path / "saved" / saved[2]).read_bytes()).width == 1250
    assert sorted(path.name for path in (tmp_path / "proof").iterdir())[0].endswith("book.pdf_page_1_image_1.jpg")
    assert "cannot" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_pages_are_compared_without_an_index(run: Run, book: Path, tmp_path: Path) -> None:
    other = drawn(tmp_path / "other.png", 1)
    status, out, _ = run(compare, f"{book}#page=1&image=1", other)
    assert (status, "verdict    same" in out) == (0, True)
    status, _, err = run(compare, book, other)
    assert (status, "name one of them" in err) == (1, True)


def test_fields_travel_by_name_and_files_leave_as_a_whole(run: Run, indexed: Path, tmp_path: Path) -> None:
    fields = tmp_path / "fields.jsonl"
    fields.write_text(json.dumps({"name": "book.pdf#page=2&image=1", "plate": "II"}) + "\n", encoding="utf-8")
    assert run(index, "--metadata", fields)[0] == 0
    assert run(index, "--export", tmp_path / "all.jsonl")[0] == 0
    records = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record.get("plate") for record in records] == [None, ["II"], None]
    assert records[1]["path"] == f"{indexed}#page=2&image=1"
    assert run(index, "--annotate", "book.pdf", "--tag", "atlas")[0] == 0
    assert [hit["name"] for hit in hits_of(run, f"{indexed}#page=1", "--where", "folder = " + repr(str(indexed)))]
    assert '"pictures": 3' in run(index, "--stats", "--json")[1]
    assert run(index, "--pairs", tmp_path / "pairs.txt")[0] == 0
    assert run(index, "--merge")[0] == 0
    assert run(index, "--check")[0] == 0
    assert run(index, "--remove", "book.pdf")[1].startswith("removed 3 pictures")


def test_a_dry_run_says_that_files_hold_several(run: Run, book: Path) -> None:
    drawn(book.parent / "a.png", 5)
    status, out, _ = run(index, book.parent, "--dry-run", "--vocabulary", run.vocabulary, "--workers", "1")
    assert status == 0
    assert "1 of 2 files that were looked into holds several pictures, 3 in all" in out
    assert "(judged by 1 picture, 0 unreadable)" in out


def test_copies_of_pages_are_shown_and_never_acted_on(run: Run, indexed: Path, tmp_path: Path) -> None:
    drawn(indexed.parent / "copy.png", 1)
    assert run(index, "--workers", "1")[0] == 0
    page, before = tmp_path / "page.html", indexed.read_bytes()
    status, out, _ = run(duplicates, "--html", page)
    assert status == 0
    assert "book.pdf#page=1&image=1" in out
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/jpeg") >= 2
    run(duplicates, "--move-to", tmp_path / "moved")
    assert indexed.read_bytes() == before
    assert (indexed.parent / "copy.png").exists()


def test_a_document_that_is_being_written_comes_in_when_it_is_whole(run: Run, indexed: Path) -> None:
    data = indexed.read_bytes()
    late = indexed.parent / "late.pdf"
    late.write_bytes(data[: len(data) // 3])
    err = run(index, "--workers", "1")[2]
    assert "late.pdf" in err
    assert "broken" in err
    late.write_bytes(write_pdf(late.with_suffix(".new"), text("another")).read_bytes())
    late.with_suffix(".new").unlink()
    assert run(index, "--workers", "1")[0] == 0
    engine = Engine.open(Path(indexed.parent.parent / "index"))
    assert "late.pdf#page=1" in {record.name for record in engine.records()}


def test_a_followed_folder_tells_of_documents(tmp_path: Path) -> None:
    pytest.importorskip("watchdog")
    stop = threading.Event()
    looks = iter(watch([tmp_path], stop))
    next(looks)
    timer = threading.Timer(0.3, lambda: write_pdf(tmp_path / "a.pdf", text("words")))
    timer.start()
    end = threading.Timer(60, stop.set)
    end.start()
    try:
        assert next(looks, "nothing") is None
    finally:
        stop.set()
        end.cancel()
        timer.join()
