"""Pictures in memory come into an index by ids of the user's own: they stay, answer, and say what they rest on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bof import Engine, IndexOptions, SearchOptions, find_duplicates
from bof.errors import BofError, ImageError, OptionError
from bof.index import main
from bof.store import catalog
from bof.types import U8
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


def scene(seed: int) -> U8:
    return np.ascontiguousarray(draw_scene(seed)[:, :, ::-1])


@pytest.fixture
def engine(tmp_path: Path, vocabulary_folder: Path) -> Iterator[Engine]:
    """An index of six arrays."""
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add_images({f"shelf/{n}": scene(n) for n in range(6)})
        yield engine


def test_arrays_are_found_by_their_ids(engine: Engine) -> None:
    assert list(engine) == [f"shelf/{n}" for n in range(6)]
    assert "shelf/3" in engine
    assert "shelf/33" not in engine
    assert 3 not in engine
    (hit, *_) = engine.search(scene(3)[30:210, 40:280])
    assert (hit.name, hit.verdict, hit.basis, hit.agreement) == ("shelf/3", "same", "points", None)
    assert not hit.path.is_absolute()


def test_the_same_pixels_are_known_by_their_content(engine: Engine) -> None:
    for form in (scene(2), Image.fromarray(scene(2)), scene(2)[:, :, ::-1]):
        channels = "BGR" if isinstance(form, np.ndarray) and not np.array_equal(form, scene(2)) else "RGB"
        first = engine.search(form, channels=channels)[0]
        assert (first.name, first.verdict, first.basis) == ("shelf/2", "same", "content")


def test_they_answer_as_their_files_do(engine: Engine, tmp_path: Path, vocabulary_folder: Path) -> None:
    for n in range(6):
        write_picture(tmp_path / "shelf" / f"{n}.png", draw_scene(n))
    with Engine.create(tmp_path / "files", vocabulary_folder) as files:
        files.add(tmp_path / "shelf", ALONE)
        query = scene(4)[:, 40:]
        votes = [e.searcher().votes(e.query(query)).votes.score.tolist() for e in (engine, files)]
    assert votes[0] == votes[1]


def test_they_survive_merging_checking_and_opening_again(engine: Engine) -> None:
    engine.add_images([("late", scene(8))])
    engine.annotate("shelf/1", {"tag": ["blue"]})
    engine.remove("shelf/0")
    engine.merge()
    assert engine.check().is_sound
    with Engine.open(engine.folder) as again:
        assert list(again) == ["late", *(f"shelf/{n}" for n in range(1, 6))]
        assert [hit.name for hit in again.search(scene(1), SearchOptions(where="tag = blue"))] == ["shelf/1"]
        assert again.search(scene(8)[20:])[0].name == "late"


def test_the_same_is_left_and_another_takes_its_place(engine: Engine) -> None:
    report = engine.add_images({"shelf/1": scene(1), "shelf/2": scene(9)})
    assert (report.n_added, report.n_unchanged, len(engine)) == (1, 1, 6)
    assert repr(report) == "AddReport(1 added, 1 unchanged)"
    assert engine.search(scene(9))[0].name == "shelf/2"
    assert engine.search(scene(2))[0].verdict != "same"


def test_lent_pixels_are_compared_as_long_as_they_are_what_was_indexed(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    part = scene(3)[30:210, 40:280]
    engine.lend({"shelf/3": scene(3)[:, :, ::-1]}, channels="BGR")
    (hit, *_) = engine.search(part)
    assert (hit.name, hit.verdict, hit.basis) == ("shelf/3", "same", "pixels")
    assert hit.agreement is not None
    engine.lend({"shelf/3": scene(5)})
    assert engine.search(part)[0].basis == "points"
    assert "shelf/3: the picture at hand is not what was indexed" in caplog.text


def test_what_cannot_be_used_is_named_and_the_rest_is_added(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    given: list[tuple[Any, Any]] = [
        ("float", scene(7) / 255), (5, scene(7)), ("", scene(7)), ("a\nb", scene(7)), ("\ud800", scene(7)),
        ("twice", scene(7)), ("twice", scene(8)), ("path", "photo.jpg"), ("nothing", None), ("x" * 2000, scene(1)),
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING, logger="bof"):
        report = engine.add_images(given)
    assert (report.n_added, len(report.skipped)) == (1, 9)
    reasons = {skipped.path: skipped.reason for skipped in report.skipped}
    assert "(255 * array).round()" in reasons["float"]
    assert "text, found int 5; str(id)" in reasons["5"]
    assert "found it again" in reasons["twice"]
    assert "add takes paths" in reasons["path"]
    assert "found None" in reasons["nothing"]
    assert "skipped 9 pictures; the first, float: " in caplog.text
    assert engine.check().is_sound


@pytest.mark.parametrize("wrong", [None, scene(1), "photos", [scene(1)], 5, b"x", [("a", scene(1), 3)]])
def test_what_is_no_mapping_says_how_to_make_one(engine: Engine, wrong: Any) -> None:
    with pytest.raises(OptionError, match="pictures by id"):
        engine.add_images(wrong)
    assert len(engine) == 6


def test_nothing_is_added_of_nothing(engine: Engine) -> None:
    before = engine.generation
    assert (engine.add_images({}).n_added, engine.add([]).n_added, engine.generation) == (0, 0, before)


def test_a_generator_that_fails_loses_nothing(engine: Engine) -> None:
    def frames() -> Iterator[tuple[str, U8]]:
        for n in range(40):
            if n == 37:
                raise RuntimeError("the camera is gone")
            yield f"frame {n}", scene(n)

    with pytest.raises(RuntimeError, match="camera"):
        engine.add_images(frames())
    assert len(Engine.open(engine.folder)) >= 6 + 16


def test_files_and_arrays_live_side_by_side(engine: Engine, tmp_path: Path) -> None:
    for n in (10, 11):
        write_picture(tmp_path / "photos" / f"{n}.png", draw_scene(n))
    engine.add(str(tmp_path / "photos"), ALONE)
    report = engine.add_images({"10.png": scene(1), "new": (tmp_path / "photos" / "11.png").read_bytes()})
    assert report.n_added == 1
    assert "which has that name; choose another id" in report.skipped[0].reason
    (tmp_path / "photos" / "10.png").unlink()
    (tmp_path / "photos" / "11.png").rename(tmp_path / "photos" / "moved.png")
    report = engine.add(tmp_path / "photos", ALONE, delete=True)
    assert (report.n_removed, report.n_moved, report.n_gone) == (1, 1, 0)
    assert list(engine) == ["moved.png", "new", *(f"shelf/{n}" for n in range(6))]


def test_a_file_that_is_called_like_its_place_is_not_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`memory:` is no folder."""
    engine.add_images({"bytes": write_picture(tmp_path / "one.png", draw_scene(7)).read_bytes()})
    record = next(record for record in engine.records() if record.name == "bytes")
    (tmp_path / "one.png").rename(tmp_path / record.path)
    monkeypatch.chdir(tmp_path)
    assert engine.search(scene(7)[20:])[0].basis == "points"
    assert not record.file.is_current()
    assert engine.plan(tmp_path / "index", delete=True).gone == []


def test_columns_are_described_from_the_pixels(engine: Engine) -> None:
    engine.add_columns("color")
    report = engine.add([], ALONE)
    assert [skipped.path for skipped in report.skipped] == [f"shelf/{n}" for n in range(6)]
    assert "add_images describes it again" in report.skipped[0].reason
    assert engine.add_images({f"shelf/{n}": scene(n) for n in range(6)}).n_added == 6
    assert engine.add_images({f"shelf/{n}": scene(n) for n in range(6)}).n_unchanged == 6
    assert engine.search(scene(4), SearchOptions(ranker="color"))[0].name == "shelf/4"
    assert engine.search(scene(4)[:, :, 0])[0].name == "shelf/4"


def test_grey_arrays_are_pictures_too(engine: Engine) -> None:
    engine.add_columns(["hash"])
    engine.add_images({"grey": scene(7)[:, :, 1], "blank": np.zeros((1, 1), np.uint8)})
    assert engine.search(scene(7)[10:, :, 1])[0].name == "grey"
    assert engine.search(np.zeros((1, 1), np.uint8))[0].name == "blank"


def test_duplicates_know_equal_pixels_and_leave_the_rest_alone(
    engine: Engine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    engine.add_images({"again": scene(3)})
    groups = find_duplicates(engine, "exact")
    assert [sorted(member.name for member in group.members) for group in groups] == [["again", "shelf/3"]]
    assert "given in memory" not in caplog.text
    assert [row["group"] for row in groups.to_records()] == [1, 1]
    assert repr(groups).startswith("Groups(1: Group(exact, 2: ")
    find_duplicates(engine.folder, "crop")
    assert "6 pictures were given in memory" in caplog.text
    assert "not searched with" not in caplog.text
    from bof import duplicates

    moved = tmp_path / "away"
    arguments = ["--index", str(engine.folder), "--kind", "exact", "--move-to", str(moved), "--yes"]
    assert duplicates.main(arguments) == 0
    assert "0 files" in capsys.readouterr().out
    assert not moved.exists()
    assert len(Engine.open(engine.folder)) == 7


def test_commands_see_them(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--index", str(engine.folder), "--check"]) == 0
    assert main(["--index", str(engine.folder), "--stats"]) == 0
    assert main(["--index", str(engine.folder), "--remove", "shelf/*"]) == 0
    assert "removed 6 pictures" in capsys.readouterr().out
    assert catalog.read_records(engine.folder) == []


def test_errors_are_bof_errors(engine: Engine) -> None:
    for call in (lambda: engine.search(scene(1) / 255), lambda: engine.search("none.jpg"), lambda: engine.add("none")):
        with pytest.raises(BofError):
            call()
    with pytest.raises(ImageError, match="box: expected x0 < x1"):
        engine.search(scene(1), box=(5, 5, 2, 2))
