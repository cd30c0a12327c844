"""A collection that lives, as a user of the command sees it: sync, dry run, names, metadata, filters, export, check."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bof import index, search
from bof.engine import Engine
from bof.ingest import watch
from bof.store import catalog
from bof.store.index import Index
from bof.store.parts.making import repart
from bof.system.steps import Step
from tests.support.scenes import draw_scene, write_picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: exit status, stdout, stderr."""

    def run_here(main: Callable[[list[str]], int], *arguments: str | Path) -> tuple[int, str, str]:
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    return run_here


@pytest.fixture
def place(tmp_path: Path, photos: Path) -> Path:
    """A folder with p/scene-00 to 03 and p/sub/scene-04 and 05."""
    for number in range(6):
        folder = tmp_path / "p" / "sub" if number > 3 else tmp_path / "p"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(photos / f"scene-{number:02d}.png", folder)
    return tmp_path


@pytest.fixture
def indexed(place: Path, vocabulary_folder: Path, run: Run) -> Path:
    """The same, indexed in `place`/ix."""
    assert run(index.main, place / "p", "--index", place / "ix", "--vocabulary", vocabulary_folder)[0] == 0
    return place


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in Index.open(folder).records())


def found(out: str) -> list[str]:
    """The names in a table of hits."""
    lines = (line.removesuffix(" (the same file)") for line in out.splitlines())
    return [line.split()[-1] for line in lines if line.endswith(".png")]


# -- Folders ----------------------------------------------------------------------------------------------------------


def test_a_second_run_without_folders_looks_into_the_same_ones(indexed: Path, run: Run) -> None:
    write_picture(indexed / "p" / "new.png", draw_scene(50))
    status, out, err = run(index.main, "--index", indexed / "ix")
    assert (status, err) == (0, "")
    assert "indexed 1 new picture in" in out
    assert "6 unchanged" in out


def test_a_folder_that_was_renamed_is_known_by_its_pictures(indexed: Path, run: Run) -> None:
    (indexed / "p" / "sub").rename(indexed / "p" / "other")
    status, out, _ = run(index.main, "--index", indexed / "ix")
    assert status == 0
    assert "indexed 0 new pictures" in out
    assert "2 moved, 4 unchanged" in out
    assert names(indexed / "ix")[:2] == ["other/scene-04.png", "other/scene-05.png"]


def test_missing_pictures_stay_until_delete(indexed: Path, run: Run) -> None:
    (indexed / "p" / "scene-00.png").unlink()
    assert "1 picture of the index gone from the folders" in run(index.main, "--index", indexed / "ix")[1]
    assert len(names(indexed / "ix")) == 6
    assert "1 removed" in run(index.main, "--index", indexed / "ix", "--delete")[1]
    assert len(names(indexed / "ix")) == 5


def test_delete_refuses_a_folder_that_is_empty_altogether(indexed: Path, run: Run) -> None:
    write_picture(indexed / "q" / "new.png", draw_scene(51))
    shutil.rmtree(indexed / "p")
    (indexed / "p").mkdir()
    before = content(indexed / "ix")
    status, _, err = run(index.main, indexed / "q", indexed / "p", "--index", indexed / "ix", "--delete")
    assert status == 1
    assert "is a disk missing?" in err
    assert content(indexed / "ix") == before


def test_a_folder_that_is_away_is_passed_over(indexed: Path, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    write_picture(indexed / "q" / "new.png", draw_scene(51))
    run(index.main, indexed / "q", "--index", indexed / "ix")
    (indexed / "p").rename(indexed / "away")
    status, out, _ = run(index.main, "--index", indexed / "ix", "--delete")
    assert status == 0
    assert "1 unchanged" in out
    assert "the folder is not there now" in caplog.text
    assert len(names(indexed / "ix")) == 7


def test_no_folder_at_all_is_misuse(place: Path, vocabulary_folder: Path, run: Run) -> None:
    Engine.create(place / "ix", vocabulary_folder)
    status, _, err = run(index.main, "--index", place / "ix")
    assert status == 2
    assert "expected a folder of pictures" in err


def test_add_adds_a_picture_and_follows_nothing(indexed: Path, run: Run) -> None:
    extra = write_picture(indexed / "q" / "extra.png", draw_scene(52))
    write_picture(indexed / "q" / "other.png", draw_scene(53))
    assert run(index.main, "--add", extra, "--index", indexed / "ix", "--tag", "single")[0] == 0
    assert "extra.png" in names(indexed / "ix")
    assert "indexed 0 new" in run(index.main, "--index", indexed / "ix")[1]
    assert catalog.read_metadata(indexed / "ix") == {str(extra): {"tag": ["single"]}}


def test_a_dry_run_changes_nothing_and_says_what_it_would_take(indexed: Path, run: Run) -> None:
    (indexed / "p" / "sub").rename(indexed / "p" / "other")
    (indexed / "p" / "scene-00.png").unlink()
    write_picture(indexed / "p" / "scene-01.png", draw_scene(54))
    write_picture(indexed / "p" / "new.png", draw_scene(55))
    before = content(indexed / "ix")
    status, out, err = run(index.main, "--index", indexed / "ix", "--dry-run")
    assert (status, err) == (0, "")
    for line in ("1 new picture", "1 changed picture", "2 known pictures under", "1 picture gone", "2 unchanged"):
        assert line in out
    assert "of disk" in out
    assert content(indexed / "ix") == before


def test_a_dry_run_makes_no_index(place: Path, vocabulary_folder: Path, run: Run) -> None:
    status, out, _ = run(
        index.main, place / "p", "--index", place / "ix", "--vocabulary", vocabulary_folder, "--dry-run"
    )
    assert status == 0
    assert "a new index with 6 new pictures" in out
    assert not (place / "ix").exists()


@pytest.mark.parametrize("n_parts", [0, 3])
def test_watch_follows_until_interrupted(indexed: Path, n_parts: int) -> None:
    if n_parts:
        repart(Index.open(indexed / "ix"), n_parts)
    places = [str(indexed / "p"), "--index", str(indexed / "ix")]
    command = [sys.executable, "-m", "bof.index", *places, "--watch", "--delete"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        while "following" not in process.stdout.readline():
            pass
        write_picture(indexed / "p" / "new.png", draw_scene(56))
        (indexed / "p" / "scene-00.png").unlink()
        wait_until(lambda: "new.png" in names(indexed / "ix") and "scene-00.png" not in names(indexed / "ix"))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_terminated_run_commits_what_is_done(place: Path, vocabulary_folder: Path) -> None:
    for seed in range(200, 240):
        write_picture(place / "many" / f"{seed}.png", draw_scene(seed, 640, 480))
    places = [str(place / "many"), "--index", str(place / "ix")]
    command = [sys.executable, "-m", "bof.index", *places, "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--vocabulary", str(vocabulary_folder), "--commit-images", "5"], stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: catalog.exists(place / "ix") and catalog.count_images(place / "ix") > 0)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on from here" in err
    n_committed = int(err.split("interrupted: ")[1].split()[0])
    assert catalog.count_images(place / "ix") == n_committed
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"indexed {40 - n_committed} new picture" in again.stdout
    assert f"{n_committed} unchanged" in again.stdout


def test_too_little_memory_is_misuse_and_a_large_picture_waits_its_turn(
    place: Path, vocabulary_folder: Path, run: Run
) -> None:
    common = ("--index", place / "ix", "--vocabulary", vocabulary_folder, "--max-side", "64")
    status, _, err = run(index.main, place / "p", *common, "--memory", "100")
    assert status == 2
    assert "--memory: expected at least" in err
    write_picture(place / "p" / "a-wide.png", draw_scene(57, 8000, 1000))
    status, out, err = run(index.main, place / "p", *common, "--memory", "700", "--workers", "2")
    assert "indexed 6 new pictures" in out
    assert "its 8000000 pixels need --memory" in err
    assert run(index.main, place / "p", *common, "--memory", "2000")[1].startswith("indexed 1 new picture in")


# -- Names and metadata -----------------------------------------------------------------------------------------------


def test_remove_takes_names_and_patterns(indexed: Path, run: Run) -> None:
    status, out, _ = run(index.main, "--index", indexed / "ix", "--remove", "scene-00.png", "sub/*")
    assert (status, out) == (0, "removed 3 pictures, 3 are left\n")
    assert names(indexed / "ix") == ["scene-01.png", "scene-02.png", "scene-03.png"]


def test_an_unknown_name_stops_all(indexed: Path, run: Run) -> None:
    before = content(indexed / "ix")
    status, _, err = run(index.main, "--index", indexed / "ix", "--remove", "scene-00.png", "nobody.png")
    assert status == 2
    assert "nobody.png: expected the name of a picture in the index" in err
    assert content(indexed / "ix") == before


def test_tags_and_fields_filter_a_search(indexed: Path, run: Run) -> None:
    at = ("--index", indexed / "ix")
    run(
        index.main,
        *at,
        "--annotate",
        "sub/*",
        "--tag",
        "Museum",
        "--field",
        "year=1901",
        "--field",
        "title=Große Kirche",
    )
    run(index.main, *at, "--annotate", "scene-00.png", "--field", "year=20", "--field", "title=大教堂广场")
    query = indexed / "p" / "scene-00.png"
    for flags, expected in [
        (("--where", "tag = museum"), {"sub/scene-04.png", "sub/scene-05.png"}),
        (("--where", "year < 1900"), {"scene-00.png"}),
        (("--text", "教堂"), {"scene-00.png"}),
        (("--text", "kirche", "--where", "not name ~ 05"), {"sub/scene-04.png"}),
        (("--where", "tag = none"), set()),
    ]:
        status, out, _ = run(search.main, query, *at, *flags)
        assert (status, set(found(out))) == (0, expected)
    status, _, err = run(search.main, query, *at, "--where", "tag =")
    assert status == 2
    assert "expected a value" in err


def test_a_filter_leaves_scores_as_they_are(indexed: Path, run: Run) -> None:
    at = ("--index", indexed / "ix", "--expand", "0")
    run(index.main, "--index", indexed / "ix", "--annotate", "scene-0[0-2].png", "--tag", "some")
    query = indexed / "p" / "scene-00.png"
    everything = json.loads(run(search.main, query, *at, "--json")[1])[0]["hits"]
    some = json.loads(run(search.main, query, *at, "--json", "--where", "tag=some")[1])[0]["hits"]
    scores = {hit["name"]: hit["score"] for hit in everything}
    assert some
    assert all(scores[hit["name"]] == hit["score"] for hit in some)


def test_metadata_goes_out_and_comes_back(indexed: Path, run: Run) -> None:
    at = ("--index", indexed / "ix")
    run(index.main, *at, "--annotate", "sub/*", "--tag", "a", "--tag", "b", "--field", "title=One, two; three")
    before = catalog.read_metadata(indexed / "ix")
    for suffix in ("csv", "jsonl"):
        table = indexed / f"table.{suffix}"
        assert run(index.main, *at, "--export", table)[:2] == (0, f"{table}: 6 pictures\n")
        run(index.main, *at, "--annotate", "*", "--tag", "stray", "--untag", "a")
        assert run(index.main, *at, "--metadata", table)[0] == 0
        reported = catalog.read_metadata(indexed / "ix")
        assert {path: fields for path, fields in reported.items() if fields.get("title")} == before
        run(index.main, *at, "--annotate", "*", "--untag", "stray", "--tag", "x")
        run(index.main, *at, "--annotate", "*", "--untag", "x")
    rows = list(csv.DictReader((indexed / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["name"] for row in rows] == names(indexed / "ix")
    assert rows[-1]["tag"] == "a; b"


def test_an_export_can_be_filtered(indexed: Path, run: Run) -> None:
    table = indexed / "some.jsonl"
    run(index.main, "--index", indexed / "ix", "--export", table, "--where", "folder = sub")
    records = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert [record["name"] for record in records] == ["sub/scene-04.png", "sub/scene-05.png"]
    assert records[0]["width"] == 320


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.csv", "title\nx\n", "record 1: expected a name"),
        ("t.jsonl", "{}\n", "record 1: expected a name"),
        ("t.jsonl", '{"name": "scene-00.png", "tag": ["a"]}\n[]\n', "record 2: expected a name"),
        ("t.txt", "", "expected a name that ends in .csv or .jsonl"),
    ],
)
def test_a_malformed_table_is_misuse(indexed: Path, run: Run, name: str, text: str, expected: str) -> None:
    (indexed / name).write_text(text, encoding="utf-8")
    status, _, err = run(index.main, "--index", indexed / "ix", "--metadata", indexed / name)
    assert status == 2
    assert expected in err
    assert catalog.read_metadata(indexed / "ix") == {}


def test_names_that_are_not_in_the_index_are_named(indexed: Path, run: Run) -> None:
    table = indexed / "t.jsonl"
    table.write_text('{"name": "nobody.png", "tag": ["a"]}\n{"name": "scene-00.png", "tag": ["a"]}\n', encoding="utf-8")
    status, out, err = run(index.main, "--index", indexed / "ix", "--metadata", table)
    assert (status, err) == (1, "not in the index: nobody.png\n")
    assert "annotated 1 picture, 1 name not in the index" in out


@pytest.mark.parametrize("field", ["name=x", "width=3"])
def test_what_every_picture_has_cannot_be_set(indexed: Path, run: Run, field: str) -> None:
    status, _, err = run(index.main, "--index", indexed / "ix", "--annotate", "scene-00.png", "--field", field)
    assert status == 2
    assert "expected a name other than those that every image has" in err


def test_pairs_are_those_that_show_the_same_thing(place: Path, vocabulary_folder: Path, photos: Path, run: Run) -> None:
    write_picture(place / "p" / "also-02.png", draw_scene(2)[10:, 5:])
    run(index.main, place / "p", "--index", place / "ix", "--vocabulary", vocabulary_folder)
    status, _, _ = run(index.main, "--index", place / "ix", "--pairs", place / "pairs.txt", "--partners", "1")
    assert status == 0
    assert "also-02.png scene-02.png" in (place / "pairs.txt").read_text(encoding="utf-8").splitlines()


# -- Looking after it -------------------------------------------------------------------------------------------------


def test_stats_count(indexed: Path, run: Run) -> None:
    run(index.main, "--index", indexed / "ix", "--annotate", "sub/*", "--tag", "a")
    status, out, _ = run(index.main, "--index", indexed / "ix", "--stats", "--json")
    stats = json.loads(out)
    assert status == 0
    assert (stats["pictures"], stats["segments"], stats["tags"]) == (6, 1, {"a": 2})
    assert stats["folders"] == {str(indexed / "p"): 6}
    assert "pictures" in run(index.main, "--index", indexed / "ix", "--stats")[1]


def test_a_damaged_index_is_checked_repaired_and_filled_again(indexed: Path, run: Run) -> None:
    at = ("--index", indexed / "ix")
    assert "0 damaged; 6 of 6 pictures are sound" in run(index.main, *at, "--check")[1]
    run(index.main, *at, "--annotate", "scene-01.png", "--tag", "kept")
    before = run(search.main, indexed / "p" / "scene-01.png", *at, "--json")[1].split('"seconds"')[0]
    path = next((indexed / "ix" / "segments").glob("*/xy.npy"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 8
    path.write_bytes(data)
    status, out, _ = run(index.main, *at, "--check")
    assert status == 1
    assert f"damaged: {path}: its content has changed" in out
    assert f"lost: scene-01.png ({indexed / 'p' / 'scene-01.png'})" in out
    assert json.loads(run(index.main, *at, "--check", "--json")[1])["n_saved"] == 0
    assert "the damaged segments are dropped" in run(index.main, *at, "--repair")[1]
    assert run(index.main, *at, "--check")[0] == 0
    assert "indexed 6 new pictures" in run(index.main, *at)[1]
    assert run(search.main, indexed / "p" / "scene-01.png", *at, "--json")[1].split('"seconds"')[0] == before
    assert catalog.read_metadata(indexed / "ix")[str(indexed / "p" / "scene-01.png")] == {"tag": ["kept"]}


def test_merge_says_what_it_did(indexed: Path, run: Run) -> None:
    run(index.main, "--add", write_picture(indexed / "new.png", draw_scene(58)), "--index", indexed / "ix")
    status, out, _ = run(index.main, "--index", indexed / "ix", "--merge")
    assert status == 0
    assert out.startswith("2 segments became 1;")


def test_a_second_writer_is_told_of_the_first(indexed: Path, run: Run) -> None:
    with Engine.open(indexed / "ix") as engine, engine.writer():
        status, _, err = run(index.main, "--index", indexed / "ix")
        assert status == 1
        assert f"process {os.getpid()} on" in err
        assert run(search.main, indexed / "p" / "scene-01.png", "--index", indexed / "ix")[0] == 0


@pytest.mark.parametrize(
    "flags",
    [
        ("--check", "--merge"),
        ("p", "--stats"),
        ("--annotate", "scene-00.png"),
        ("--untag", "x", "p"),
        ("--field", "nothing", "p"),
        ("--watch", "--dry-run", "p"),
        ("--pairs", "x.txt", "--partners", "0"),
        ("--describe", "scene-00.png", "--tag", "a"),
    ],
)
def test_contradictions_are_misuse_and_change_nothing(
    indexed: Path, run: Run, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.chdir(indexed)
    before = content(indexed / "ix")
    assert run(index.main, *flags, "--index", indexed / "ix")[0] == 2
    assert content(indexed / "ix") == before


def test_the_old_name_of_annotate_is_told_the_new_one(run: Run) -> None:
    assert run(index.main, "--describe", "a.png", "--tag", "x") == (
        2, "", "error: --describe: expected its new name, --annotate\n",
    )  # fmt: skip


def test_a_reader_sees_what_came_since_when_it_asks(indexed: Path, run: Run) -> None:
    with Engine.open(indexed / "ix") as reader:
        assert len(reader) == 6
        assert not reader.refresh()
        run(index.main, "--index", indexed / "ix", "--remove", "scene-00.png")
        assert len(reader) == 6
        assert reader.refresh()
        assert len(reader) == 5


# -- What is said of a run ---------------------------------------------------------------------------------------------


def test_touched_and_changed_pictures_are_called_so(indexed: Path, run: Run) -> None:
    os.utime(indexed / "p" / "scene-00.png", ns=(9, 9))
    write_picture(indexed / "p" / "scene-01.png", draw_scene(60))
    shutil.copy(indexed / "p" / "scene-02.png", indexed / "p" / "copy.png")
    (indexed / "p" / "sub").rename(indexed / "p" / "other")
    status, out, err = run(index.main, "--index", indexed / "ix", "--dry-run")
    for line in ("1 new picture", "1 changed picture", "2 known pictures under another name", "1 touched picture"):
        assert line in out
    assert "1 of those to index have known content and are not read again" in out
    status, out, err = run(index.main, "--index", indexed / "ix")
    assert (status, err) == (0, "")
    assert "indexed 1 new picture in" in out
    assert "1 changed, 1 of known content, 2 moved, 1 touched, 2 unchanged, 0 skipped" in out


def test_what_is_passed_over_is_counted_by_kind(indexed: Path, run: Run) -> None:
    folder = indexed / "p"
    for name in ("a.mp3", "b.MP3", "notes.txt", "Makefile", ".hidden.png"):
        (folder / name).write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / "dead.png").symlink_to(folder / "nowhere.png")
    (folder / "sub" / "away").symlink_to(indexed / "q")
    write_picture(indexed / "q" / "other.png", draw_scene(61))
    status, out, err = run(index.main, "--index", indexed / "ix")
    assert status == 0
    passed_over, linked = err.splitlines()
    sound = "2 .mp3: sound is not read"
    counts = f"{sound}; 2 hidden; 1 .txt; 1 link that leads nowhere; 1 link to a folder; 1 without a suffix"
    assert passed_over == f"passed over: {counts}"
    assert linked.startswith(f"not followed: {folder / 'sub' / 'away'} is a link to {indexed / 'q'} (name it")
    assert run(index.main, "--index", indexed / "ix", "--dry-run")[2] == err
    status, out, _ = run(index.main, "--index", indexed / "ix", "--json")
    report = json.loads(out)
    assert report["passed_over"][".mp3"] == 2
    assert report["linked_folders"] == [str(folder / "sub" / "away")]
    assert (report["unchanged"], report["added"], report["pictures"]) == (6, 0, 6)


def test_a_linked_folder_that_is_named_is_looked_into_and_no_longer_named(indexed: Path, run: Run) -> None:
    (indexed / "p" / "away").symlink_to(indexed / "q")
    write_picture(indexed / "q" / "other.png", draw_scene(61))
    assert "not followed" in run(index.main, "--index", indexed / "ix")[2]
    status, _, err = run(index.main, indexed / "p" / "away", "--index", indexed / "ix")
    assert (status, err) == (0, "")
    assert "away/other.png" in names(indexed / "ix")
    assert run(index.main, "--index", indexed / "ix")[::2] == (0, "")


def test_many_kinds_are_summed_up(indexed: Path, run: Run) -> None:
    for number in range(40):
        for copy in range(1 + (number < 3)):
            (indexed / "p" / f"{copy}.k{number:02d}").write_bytes(b"")
    err = run(index.main, "--index", indexed / "ix")[2]
    assert err.startswith("passed over: 2 .k00; 2 .k01; 2 .k02; 1 .k03; ")
    assert err.endswith("; 32 others\n")


def test_a_folder_of_other_files_says_what_they_are(place: Path, run: Run) -> None:
    (place / "q").mkdir()
    for number in range(3):
        (place / "q" / f"{number}.psd").write_bytes(b"x")
    status, _, err = run(index.main, place / "q", "--index", place / "ix")
    assert status == 1
    assert "found none, but 3 .psd: documents of picture editors are not read" in err
    assert not (place / "ix").exists()


@pytest.mark.parametrize("how", [["--add", "FILE"], ["FILE"], ["FOLDER"], ["FILE", "ROOT"]])
def test_what_lies_below_an_indexed_folder_is_named_by_its_path_in_it(indexed: Path, run: Run, how: list[str]) -> None:
    extra = write_picture(indexed / "p" / "inc" / "1" / "x.png", draw_scene(62))
    given = {"FILE": extra, "FOLDER": extra.parent, "ROOT": indexed / "p"}
    status, *_ = run(index.main, *(given.get(part, part) for part in how), "--index", indexed / "ix")
    assert status == 0
    assert "inc/1/x.png" in names(indexed / "ix")
    found = run(search.main, extra, "--index", indexed / "ix", "--where", "folder = inc/1")[1]
    assert "inc/1/x.png" in found


def test_watch_without_its_library_fails_before_anything_is_said_or_made(
    place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "find_spec", lambda name: None)
    status, out, err = run(index.main, place / "p", "--index", place / "ix", "--watch")
    assert (status, out) == (2, "")
    assert "--watch needs the watchdog library" in err
    assert not (place / "ix").exists()


def test_an_add_that_is_interrupted_counts_what_is_left(place: Path, vocabulary_folder: Path) -> None:
    shutil.copy(place / "p" / "scene-00.png", place / "p" / "z.png")

    def stop(step: Step) -> None:
        if step.stage == "known content":
            raise KeyboardInterrupt

    with Engine.create(place / "ix", vocabulary_folder) as engine:
        with pytest.raises(KeyboardInterrupt, match="6 pictures are committed, 1 are left"):
            engine.add([place / "p"], progress=stop)
        assert engine.add([place / "p"]).n_reused == 1
