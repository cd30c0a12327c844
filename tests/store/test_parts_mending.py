"""An index in parts goes on after the loss of a part, and after a commit that somebody has tampered with."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bof.errors import IndexStoreError
from bof.index import main
from bof.store import catalog
from bof.store.catalog import additions
from bof.store.index import Index
from bof.store.parts import plan_file, redo
from bof.store.parts.changes import Annotate, SetFields
from bof.store.parts.index import PartedIndex
from bof.store.parts.plan_file import DamagedCommitError
from bof.system.files import sha256_of_json
from tests.support.living import ALL_PATHS, empty_in_parts, is_clean, picture, state, writer_of

Written = dict[str, Any]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bof.store.parts.index.PATIENCE_S", 2.0)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pictures in three parts, in several commits; and a commit of all kinds that is not done."""
    folder = tmp_path_factory.mktemp("mending") / "index"
    writer = writer_of(empty_in_parts(folder, 3).folder)
    for number, path in enumerate(ALL_PATHS):
        writer.append([picture(path, number)])
    made = Index.open(folder)
    assert isinstance(made, PartedIndex)
    with mock.patch.object(redo, "_finish"), made._opened_writer() as writer:
        writer.append([picture(f"/photos/new {number}.jpg", number) for number in range(6)])
    plan = read(made)
    plan["steps"][0]["changes"] += [
        {"kind": "Annotate", "paths": ["/photos/x.jpg"], "add": {"tag": ["a"]}, "remove": {}},
        {"kind": "SetFields", "annotated": {"/photos/x.jpg": {"year": ["1900"]}}},
    ]
    number, part = id_in_plan(made)
    step = next(one for one in plan["steps"] if one["part"] == part)
    step["changes"].append({
        "kind": "Rearrange", "gone": [],
        "moves": [{"id": number, "name": "moved", "path": "/photos/moved.jpg", "n_bytes": 3, "mtime_ns": 4}],
    })  # fmt: skip
    write(made, plan)
    return folder


@pytest.fixture
def pending(template: Path, tmp_path: Path) -> PartedIndex:
    """With a commit of all kinds that is written down and not done."""
    made = Index.open(shutil.copytree(template, tmp_path / "index"))
    assert isinstance(made, PartedIndex)
    return made


@pytest.fixture
def index(pending: PartedIndex) -> PartedIndex:
    """Without it."""
    redo.drop(pending.folder)
    with pending.writer():
        return pending


def id_in_plan(index: PartedIndex) -> tuple[int, str]:
    """The id of a picture of a part that the plan changes, and that part."""
    parts = {one["part"] for one in read(index)["steps"]}
    for part in index.parts:
        if part.folder.name in parts and (records := catalog.read_records(part.folder)):
            return records[0].id, part.folder.name
    raise AssertionError("no part has pictures")


def read(index: PartedIndex) -> Written:
    return json.loads((index.folder / redo.FILE_NAME).read_bytes())


def write(index: PartedIndex, plan: Written, *, seals: bool = True) -> None:
    if seals:
        plan["seal"] = sha256_of_json(plan["steps"])
    (index.folder / redo.FILE_NAME).write_text(json.dumps(plan))


def parts_of(index: PartedIndex) -> list[Any]:
    return [state(part.folder) for part in index.parts]


# -- A commit that somebody has written to ----------------------------------------------------------------------------


def test_a_commit_that_is_as_it_was_written_is_done(pending: PartedIndex) -> None:
    with pending.writer():
        pass
    names = [record.name for record in pending.records()]
    assert sum(name.startswith("new ") for name in names) == 6
    assert "moved" in names
    assert is_clean(pending.folder)


HOSTILE: dict[str, Callable[[Written], Any]] = {
    "climbs out": lambda plan: plan["steps"][0].update(part="../../x"),
    "another index's part": lambda plan: plan["steps"][0].update(part="0" * 32),
    "absolute": lambda plan: plan["steps"][0].update(part="/etc"),
    "a part twice": lambda plan: plan["steps"].append(plan["steps"][0]),
    "no number": lambda plan: plan["steps"][0].update(commit="1"),
    "a true number": lambda plan: plan["steps"][0].update(commit=True),
    "a huge number": lambda plan: plan["steps"][0].update(commit=1 << 80),
    "a negative number": lambda plan: plan["steps"][0].update(commit=-1),
    "no change": lambda plan: plan["steps"][0].update(changes=[{"kind": "Drop"}]),
    "no list": lambda plan: plan["steps"][0].update(changes=7),
    "a change with more": lambda plan: first(plan).update(more=1),
    "a change with less": lambda plan: first(plan).pop("last_id"),
    "a segment elsewhere": lambda plan: first(plan).update(name="../../../x"),
    "a segment that is none": lambda plan: first(plan).update(name="0" * 32),
    "a huge id": lambda plan: first(plan).update(last_id=1 << 62),
    "no id": lambda plan: first(plan).update(last_id=1.5),
    "no files": lambda plan: first(plan).update(files={}),
    "another file": lambda plan: first(plan)["files"].update({"../x.npy": {"n_bytes": 1, "sha256": "0" * 64}}),
    "a huge file": lambda plan: first(plan)["files"]["word.npy"].update(n_bytes=1 << 70),
    "another size": lambda plan: first(plan)["files"]["word.npy"].update(n_bytes=12),
    "no checksum": lambda plan: first(plan)["files"]["word.npy"].update(sha256="x"),
    "one picture less": lambda plan: first(plan)["records"].pop(),
    "a picture of text": lambda plan: first(plan)["records"][0].update(width="wide"),
    "a picture without width": lambda plan: first(plan)["records"][0].update(width=0),
    "a name with NUL": lambda plan: first(plan)["records"][0].update(name="a\0b"),
    "no name": lambda plan: first(plan)["records"][0].update(name=None),
    "fields of a picture": lambda plan: first(plan)["records"][0].update(colour="red"),
    "no texts": lambda plan: kind_of(plan, "Annotate").update(add={"tag": [1]}),
    "no paths": lambda plan: kind_of(plan, "Annotate").update(paths=[None]),
    "a field that all have": lambda plan: kind_of(plan, "SetFields").update(annotated={"/x": {"name": ["y"]}}),
    "a move of nothing": lambda plan: kind_of(plan, "Rearrange")["moves"][0].update(id=1 << 40),
    "a move of text": lambda plan: kind_of(plan, "Rearrange")["moves"][0].update(id="1"),
    "gone text": lambda plan: kind_of(plan, "Rearrange").update(gone=["x"]),
    "another vocabulary": lambda plan: facts(plan, fingerprint="0"),
    "other parts": lambda plan: facts(plan, parts={"names": ["../x"], "by": "hash", "base": 0}),
    "a format": lambda plan: facts(plan, format=99),
    "columns of numbers": lambda plan: facts(plan, columns=[7]),
    "groups that are none": lambda plan: plan["steps"][0]["changes"].append(
        {"kind": "SetFacts", "facts": {}, "dropped": ["%"]}
    ),
    "another format": lambda plan: plan.update(format=3),
    "steps of nothing": lambda plan: plan.update(steps=None),
}


def first(plan: Written) -> Written:
    return plan["steps"][0]["changes"][0]


def kind_of(plan: Written, kind: str) -> Written:
    return next(one for step in plan["steps"] for one in step["changes"] if one["kind"] == kind)


def facts(plan: Written, **values: Any) -> None:
    plan["steps"].append({"part": "", "commit": 0, "changes": [{"kind": "SetFacts", "facts": values, "dropped": []}]})


def assert_refused_and_repaired(index: PartedIndex) -> None:
    before = parts_of(index)
    for use in (index.snapshot, index.records, lambda: index.writer().__enter__()):
        with pytest.raises(DamagedCommitError, match=r"a commit that (cannot be read|does not fit).*--repair|repair"):
            use()
    assert parts_of(index) == before, "nothing is lost, nothing is half done"
    report = index.repair()
    assert report.wrong_commit
    assert not report.is_sound
    assert parts_of(index) == before
    assert len(index.records()) == len(ALL_PATHS)
    assert is_clean(index.folder)


@pytest.mark.parametrize("change", HOSTILE)
def test_a_forged_commit_is_an_error_and_nothing_is_lost(pending: PartedIndex, change: str) -> None:
    plan = read(pending)
    HOSTILE[change](plan)
    write(pending, plan)
    assert_refused_and_repaired(pending)


def test_mutated_and_truncated_commits_are_errors(pending: PartedIndex, tmp_path: Path) -> None:
    whole, drawn = (pending.folder / redo.FILE_NAME).read_bytes(), random.Random(5)
    parts = {part.folder.name for part in pending.parts}
    assert len(plan_file.parse_plan(whole, parts)) > 1
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(drawn.choice((1, 1, 3))):
            place = drawn.randrange(len(data))
            data[place] = drawn.choice((data[place] ^ (1 << drawn.randrange(8)), drawn.randrange(256)))
        if data == whole:
            continue
        (pending.folder / redo.FILE_NAME).write_bytes(data)
        try:
            plan_file.read_plan(pending.folder, parts)
        except DamagedCommitError:
            continue
        assert json.loads(data)["steps"] == json.loads(whole)["steps"], "only what means nothing may differ"
    for end in range(0, len(whole), max(1, len(whole) // 200)):
        (pending.folder / redo.FILE_NAME).write_bytes(whole[:end])
        with pytest.raises(DamagedCommitError):
            plan_file.read_plan(pending.folder, parts)
    (pending.folder / redo.FILE_NAME).write_bytes(b"[" * 100_000)
    assert_refused_and_repaired(pending)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "huge"])
def test_what_is_no_regular_file_is_an_error(pending: PartedIndex, tmp_path: Path, kind: str) -> None:
    path = pending.folder / redo.FILE_NAME
    path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 40)
    with pytest.raises(DamagedCommitError, match="a commit that cannot be read"):
        pending.records()
    if kind != "folder":
        assert_refused_and_repaired(pending)


def test_check_names_a_commit_that_cannot_be_read(pending: PartedIndex, capsys: pytest.CaptureFixture[str]) -> None:
    (pending.folder / redo.FILE_NAME).write_bytes(b"{}")
    assert main(["--check", "--index", str(pending.folder)]) == 1
    out = capsys.readouterr().out
    assert "commit.json: a commit that cannot be read" in out
    assert "--repair drops it" in out
    assert main(["--repair", "--index", str(pending.folder)]) == 0
    assert main(["--check", "--index", str(pending.folder)]) == 0


def test_what_cannot_be_done_leaves_no_commit_behind(index: PartedIndex) -> None:
    before = parts_of(index)
    names = index.layout.names[:2]
    bad = SetFields({"/photos/x.jpg": {"name": ["y"]}})
    with pytest.raises(Exception, match="other than those"):
        redo.commit(index.folder, {names[0]: [Annotate(["/photos/a"], {"tag": ["t"]}, {})], names[1]: [bad]})
    assert not redo.is_pending(index.folder)
    assert parts_of(index) == before


# -- A part that is gone ----------------------------------------------------------------------------------------------


def test_an_empty_part_takes_the_place_of_one_that_is_lost(index: PartedIndex, tmp_path: Path) -> None:
    highest = max(index.records(), key=lambda record: record.id)
    home = next(part for part in index.parts if highest in part.records())
    others = [state(part.folder) for part in index.parts if part.folder != home.folder]
    lost = {record.path for record in home.records()}
    last_id, generation, place = highest.id, index.generation(), list(index.parts).index(home)
    home.folder.rename(tmp_path / "away")
    with pytest.raises(IndexStoreError, match=r"is missing; restore its folder.*--replace-parts"):
        index.repair()
    report = index.repair(replace_parts=True)
    assert report.lost_parts == [f"part {place + 1} of 3: {home.folder}"]
    assert not report.is_sound
    assert index.generation() > generation
    assert {record.path for record in index.records()} == set(ALL_PATHS) - lost
    assert [state(part.folder) for part in index.parts if part.count()] == others
    assert is_clean(index.folder)
    assert index.repair(replace_parts=True).is_sound
    with index.writer() as writer:
        writer.append([picture(path, 1) for path in sorted(lost)])
    assert {record.path for record in index.records()} == set(ALL_PATHS)
    assert min(record.id for record in index.records() if record.path in lost) > last_id
    assert index.snapshot().n_images == len(ALL_PATHS)
    assert max(record.id for record in index.records()) < additions.MAX_ID >> 9, "far from the last id that can be"


def test_the_command_replaces_a_part_and_reads_its_pictures_again(
    photos: Path, vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["--index", str(tmp_path / "X")]
    assert main([str(photos), *there, "--vocabulary", str(vocabulary_folder), "--parts", "3"]) == 0
    before = sorted((record.path, record.sha256) for record in Index.open(tmp_path / "X").records())
    part = max(Index.open(tmp_path / "X").parts, key=lambda part: part.count())
    n_lost = part.count()
    shutil.rmtree(part.folder)
    assert main(["--replace-parts", *there]) == 2
    assert "--replace-parts: expected --repair beside it" in capsys.readouterr().err
    assert main(["--repair", *there]) == 1
    assert "--repair --replace-parts puts an empty one in its place" in capsys.readouterr().err
    assert main(["--repair", "--replace-parts", *there]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"lost: part \d of 3: {part.folder}", out)
    assert f"reads again what lies in {photos}" in out
    assert main(there) == 0
    assert f"indexed {n_lost} new picture" in capsys.readouterr().out
    assert sorted((record.path, record.sha256) for record in Index.open(tmp_path / "X").records()) == before


def test_a_commit_that_was_cut_short_is_done_in_the_parts_that_are_left(pending: PartedIndex, tmp_path: Path) -> None:
    shutil.move(pending.parts[0].folder, tmp_path / "away")
    there = sum(part.count() for part in pending.parts[1:])
    coming = sum(
        len(change["records"])
        for step in read(pending)["steps"]
        for change in step["changes"]
        if change["kind"] == "AddSegment" and step["part"] != pending.layout.names[0]
    )
    report = pending.repair(replace_parts=True)
    assert report.lost_parts
    assert not report.wrong_commit
    assert len(pending.records()) == there + coming


def test_all_parts_may_be_lost(index: PartedIndex) -> None:
    shutil.rmtree(index.folder / "parts")
    assert len(index.repair(replace_parts=True).lost_parts) == 3
    assert index.records() == []
    with index.writer() as writer:
        writer.append([picture(path, 1) for path in ALL_PATHS])
    assert len(index.records()) == len(ALL_PATHS)
