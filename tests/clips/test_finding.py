"""Films of an index, clips cut from them: what is found, by frames and by keyframes alone; commands."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from bof import duplicates, search
from bof.clips.duplicates import find_shared_clips
from bof.clips.finding import find_segments
from bof.clips.proving import prove_segment
from bof.clips.types import ClipSegment
from bof.engine import Engine
from bof.errors import ImageError
from bof.options import ClipOptions, IndexOptions
from tests.support import clips
from tests.support.films import black, write_film
from tests.support.scenes import draw_scene, write_picture

pytest.importorskip("av")

INTRO = clips.drawn_film([90, 91], 40)
FILMS = {"one": [1, 2, 3, 4], "two": [11, 12, 13], "three": [21, 22, 23]}
FRAMES = {name: [*INTRO, *clips.drawn_film(seeds)] for name, seeds in FILMS.items()}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films that begin with the same shots, and pictures."""
    folder = tmp_path_factory.mktemp("collection")
    for name, frames in FRAMES.items():
        write_film(folder / f"{name}.mp4", frames)
    write_picture(folder / "shown.png", draw_scene(60))
    write_picture(folder / "other.png", draw_scene(61))
    return folder


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("index") / "index"
    Engine.create(index).add(folder, IndexOptions(workers=1))
    return index


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the first film from 4.2 s, mirrored; then of the second from 5.2 s; then what no film has, and a picture."""
    frames = [
        *clips.mirrored(FRAMES["one"][105:180]),
        *FRAMES["two"][130:205],
        *clips.still_film([60], 30),
        *clips.drawn_film([70], 30),
    ]
    return write_film(tmp_path_factory.mktemp("clips") / "clip.mp4", frames)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], index: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`bof search` in the index."""
    monkeypatch.setenv("BOF_INDEX", str(index))

    def run_here(*arguments: str | Path) -> tuple[int, str, str]:
        status = search.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, "".join(line for line in err.splitlines(True) if not line.startswith("index: "))

    return run_here


def times(segment: ClipSegment) -> list[float]:
    ranges = (segment.query.start, segment.query.stop, segment.film.start, segment.film.stop)
    return [float(time) for time in ranges]


def test_pieces_of_two_films_are_found_to_the_frame(index: Path, clip: Path) -> None:
    answer = find_segments(Engine.open(index), clip)
    one, two = sorted(answer.segments, key=lambda segment: segment.query.start)
    assert (one.name, two.name) == ("one.mp4", "two.mp4")
    assert times(one) == pytest.approx([0.0, 3.0, 4.2, 7.2], abs=0.05)
    assert times(two) == pytest.approx([3.0, 6.0, 5.2, 8.2], abs=0.05)
    assert (one.mirrored, two.mirrored) == (True, False)
    assert one.changes == ["mirrored"]
    assert {one.kind, two.kind} == {"copy"}
    assert {one.ends, two.ends} == {"frame"}
    assert one.frame_rate == 25
    assert not answer.problems


def test_pictures_that_a_film_shows_are_named_with_times(index: Path, clip: Path) -> None:
    [picture] = find_segments(Engine.open(index), clip).pictures
    assert picture.name == "shown.png"
    assert all(6 <= time < Fraction(36, 5) for time in picture.times)
    assert picture.best in picture.times


def test_the_same_question_has_the_same_answer(index: Path, clip: Path) -> None:
    one, other = (find_segments(Engine.open(index), clip) for _ in range(2))
    assert [(times(a), a.score, a.speed) for a in one.segments] == [
        (times(a), a.score, a.speed) for a in other.segments
    ]


def test_what_many_films_begin_with_is_an_intro(index: Path, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "intro.mp4", [*clips.drawn_film([71], 30), *INTRO])
    found = find_segments(Engine.open(index), clip).segments
    assert {segment.name for segment in found} == {"one.mp4", "two.mp4", "three.mp4"}
    assert {segment.kind for segment in found} == {"intro"}
    assert all(times(segment) == pytest.approx([1.2, 4.4, 0.0, 3.2], abs=0.05) for segment in found)


def test_a_declared_intro_needs_no_other_film(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "index"
    shutil.copytree(index, copy)
    engine = Engine.open(copy)
    engine.annotate("one.mp4", {"tag": ["intro"]})
    clip = write_film(tmp_path / "clip.mp4", FRAMES["one"][110:190])
    [segment] = find_segments(engine, clip).segments
    assert segment.kind == "intro"


def test_black_and_unknown_films_have_no_segment(index: Path, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "none.mp4", [*black(40), *clips.drawn_film([72, 73]), *black(20)])
    answer = find_segments(Engine.open(index), clip)
    assert (list(answer.segments), list(answer.pictures)) == ([], [])


def test_a_film_that_is_gone_is_known_by_its_keyframes(folder: Path, tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    collection.mkdir()
    shutil.copy(folder / "one.mp4", collection)
    engine = Engine.create(tmp_path / "index")
    engine.add(collection, IndexOptions(workers=1))
    (collection / "one.mp4").unlink()
    clip = write_film(tmp_path / "clip.mp4", FRAMES["one"][90:270])
    answer = find_segments(engine, clip)
    [segment] = answer.segments
    assert segment.ends == "keyframe"
    assert times(segment) == pytest.approx([0.0, 7.2, 3.6, 10.8], abs=2.0)
    assert answer.problems == {"one.mp4": "its file is gone"}


def test_what_is_no_film_is_refused(index: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    with pytest.raises(ImageError, match=r"broken\.mp4"):
        find_segments(Engine.open(index), broken)


def test_a_proof_has_aligned_frames_and_their_points(index: Path, clip: Path) -> None:
    engine = Engine.open(index)
    for segment in find_segments(engine, clip).segments:
        proof = prove_segment(segment, clip, engine.features, 640)
        assert proof.n_inliers >= 20
        assert proof.query.pixels.shape == (240, 320, 3)
        mapped = segment.place.film_from_query[:2] @ [*proof.query_xy_px[0], 1]
        assert mapped == pytest.approx(proof.film_xy_px[0], abs=6)


def test_films_of_an_index_share_their_intro_and_what_was_copied(folder: Path, tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    shutil.copytree(folder, collection)
    write_film(collection / "zero.mp4", [*clips.drawn_film([74], 75), *FRAMES["two"][120:220]])
    write_film(collection / "part.mp4", FRAMES["three"][100:200])
    engine = Engine.create(tmp_path / "index")
    engine.add(collection, IndexOptions(workers=1))
    shared = find_shared_clips(engine, ClipOptions())
    kinds = {(pair.name, pair.other): [segment.kind for segment in pair.segments] for pair in shared.pairs}
    assert kinds == {
        ("one.mp4", "three.mp4"): ["intro"],
        ("one.mp4", "two.mp4"): ["intro"],
        ("three.mp4", "two.mp4"): ["intro"],
        ("two.mp4", "zero.mp4"): ["copy"],
        ("part.mp4", "three.mp4"): ["copy"],
    }
    copied = next(pair for pair in shared.pairs if pair.other == "zero.mp4")
    assert times(copied.segments[0]) == pytest.approx([4.8, 8.8, 3.0, 7.0], abs=0.05)
    assert {pair.name: pair.whole for pair in shared.pairs if pair.whole} == {"part.mp4": ["part.mp4"]}


# -- Commands ---------------------------------------------------------------------------------------------------------


def test_a_table_has_a_line_a_segment(run: Run, clip: Path) -> None:
    status, out, err = run(clip)
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert "320 x 240" in lines[0]
    assert [line.split()[0] for line in lines[1:4]] == ["rank", "1", "2"]
    assert sum("one.mp4 (mirrored)" in line for line in lines) == 1
    assert "shown.png" in lines[-1]


def test_json_and_csv_say_the_same(run: Run, clip: Path) -> None:
    [found] = json.loads(run(clip, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(clip, "--format", "csv")[1])))
    assert len(found["segments"]) == len(rows) == 2
    for segment, row in zip(found["segments"], rows, strict=True):
        assert float(row["film_start"]) == segment["film"]["start"]
        assert row["kind"] == segment["kind"] == "copy"
    assert [picture["name"] for picture in found["pictures"]] == ["shown.png"]


def test_an_edit_decision_list_is_in_the_order_of_the_clip(run: Run, clip: Path) -> None:
    lines = run(clip, "--format", "edl")[1].splitlines()
    assert lines[:2] == ["TITLE: clip.mp4", "FCM: NON-DROP FRAME"]
    assert lines[2] == "001  ONE      V     C        00:00:04:05 00:00:07:05 00:00:00:00 00:00:03:00"
    assert "* FROM CLIP NAME: one.mp4" in lines


def test_proofs_are_written(run: Run, clip: Path, tmp_path: Path) -> None:
    assert run(clip, "--matches", tmp_path / "proofs")[0] == 0
    assert sorted(path.name for path in (tmp_path / "proofs").iterdir()) == ["clip_01_two.jpg", "clip_02_one.jpg"] or (
        sorted(path.name for path in (tmp_path / "proofs").iterdir()) == ["clip_01_one.jpg", "clip_02_two.jpg"]
    )


def test_names_of_films_are_printed_for_pipes(run: Run, clip: Path) -> None:
    assert sorted(run(clip, "--names")[1].split()) == ["one.mp4", "two.mp4"]


def test_a_time_of_a_film_is_a_picture(run: Run, folder: Path) -> None:
    [found] = json.loads(run(f"{folder / 'one.mp4'}#t=5.000", "--json")[1])
    assert found["hits"][0]["name"].startswith("one.mp4")


@pytest.mark.parametrize(
    "options", [("--box", "0,0,9,9"), ("--require", "same"), ("--format", "iiif"), ("--where", "tag = a")]
)
def test_options_of_hits_are_refused_for_films(run: Run, clip: Path, options: tuple[str, ...]) -> None:
    status, out, err = run(clip, *options)
    assert (status, out) == (2, "")
    assert options[0] in err
    assert "clip.mp4" in err


def test_an_edit_decision_list_is_of_one_film(run: Run, folder: Path) -> None:
    status, _, err = run(folder / "shown.png", "--format", "edl")
    assert status == 2
    assert "one film" in err


def test_duplicates_of_kind_clip_touch_nothing(index: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--index", str(index), "--kind", "clip"]
    assert duplicates.main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "clip"
    assert sorted([film["name"] for film in pair["films"]] for pair in found["pairs"]) == [
        ["one.mp4", "three.mp4"],
        ["one.mp4", "two.mp4"],
        ["three.mp4", "two.mp4"],
    ]
    assert duplicates.main([*arguments, "--move-to", str(tmp_path), "--yes"]) == 2
    assert "none is touched" in capsys.readouterr().err
