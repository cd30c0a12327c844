"""Ground truth of films is read as it is written, and answers made by hand have the figures worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.films import ClipQuery, FrameQuery, Showing, load_clips, load_frames
from bof.evaluation.film_clips import clip_figures, figures_by_group, measure_clip, search_clips
from bof.evaluation.film_frames import FrameHit, frame_figures, measure_frame, search_frames
from bof.evaluation.segments import CopiedSegment

A, B = Path("/films/a.mp4"), Path("/films/b.mkv")
SHOWN = FrameQuery(Path("/q.jpg"), ["mirror"], [Showing(A, (10, 20), [(12, 13)], 12.5)])
STRANGER = FrameQuery(Path("/s.jpg"), [], [])
COPIES = ClipQuery(Path("/c.mp4"), ["crop", "mirror"], {A: [CopiedSegment((0, 10), (50, 60))]}, {})


def hit(film: Path, time: float | None, verdict: str = "same") -> FrameHit:
    return FrameHit(film, None if time is None else (time - 1, time + 1), time, verdict, 1.0)


# -- Frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "shot", "error", "exact"),
    [
        (12.2, True, 0, 0.3), (15, True, 2, 2.5), (10, True, 2, 2.5),
        (20, True, 7, 7.5), (20.5, False, 7.5, 8), (9, False, 3, 3.5),
    ],
)  # fmt: skip
def test_the_first_hit_is_measured(time: float, shot: bool, error: float, exact: float) -> None:
    found = measure_frame(SHOWN, [hit(A, time), hit(B, 3)])
    assert (found.film, found.shot) == (True, shot)
    assert found.error_s == pytest.approx(error)
    assert found.exact_error_s == pytest.approx(exact)
    assert found.false_same  # b.mkv is called the same too


def test_only_the_first_hit_counts() -> None:
    found = measure_frame(SHOWN, [hit(B, 12.5, "part"), hit(A, 12.5)])
    assert (found.film, found.shot, found.error_s, found.false_same) == (False, False, None, False)


def test_a_picture_is_no_film_that_shows_the_query() -> None:
    found = measure_frame(SHOWN, [hit(Path("/photos/x.jpg"), None)])
    assert (found.film, found.shot, found.error_s) == (False, False, None)


def test_nothing_found_is_wrong_and_no_error_of_the_program() -> None:
    found = measure_frame(SHOWN, [])
    assert (found.film, found.shot, found.error_s, found.accepted, found.first) == (False, False, None, False, None)


def test_a_query_may_be_shown_in_several_films_and_shots() -> None:
    query = FrameQuery(Path("/q.jpg"), [], [Showing(A, (0, 5), [(0, 5)], None), Showing(B, (7, 9), [(8, 9)], None)])
    found = measure_frame(query, [hit(B, 7.5), hit(A, 1)])
    assert (found.film, found.shot, found.error_s, found.exact_error_s, found.false_same) == (
        True,
        True,
        0.5,
        None,
        False,
    )


def test_figures_of_frames() -> None:
    """Of three queries two films are right, one within a step of 0.5 s; one of two strangers is accepted."""
    answers = {
        Path("/q1.jpg"): [hit(A, 12.2)],
        Path("/q2.jpg"): [hit(A, 15)],
        Path("/q3.jpg"): [hit(B, 1, "no")],
        Path("/s1.jpg"): [hit(A, 1, "same")],
        Path("/s2.jpg"): [hit(A, 1, "part")],
    }
    queries = [FrameQuery(path, SHOWN.groups, SHOWN.shown if "q" in path.name else []) for path in answers]
    results = search_frames(answers.__getitem__, type("B", (), {"queries": queries})())
    found = frame_figures(results, step_s=0.5)
    assert (found.n_queries, found.n_rejections) == (3, 2)
    assert (found.film, found.shot, found.within_step) == pytest.approx((2 / 3, 2 / 3, 1 / 3))
    assert (found.error_median_s, found.error_95_s) == pytest.approx((1, 1.9))
    assert found.exact_error_median_s == pytest.approx(1.4)
    assert (found.false_accept_rate, found.n_false_same) == (0.5, 1)


def test_figures_of_no_queries_are_unknown() -> None:
    found = frame_figures([], 0.5)
    assert (found.film, found.error_median_s, found.false_accept_rate, found.query_ms) == (None, None, None, 0)


# -- Clips ------------------------------------------------------------------------------------------------------------


def test_clips_are_measured_by_film_and_by_group() -> None:
    """The right half in a.mp4, on both axes; a false segment in b.mkv."""
    half, false = CopiedSegment((0, 5), (50, 55)), CopiedSegment((0, 5), (0, 5))
    results = search_clips(lambda clip: {A: [half], B: [false]}, type("B", (), {"queries": [COPIES]})())
    assert results[0].is_found
    found = clip_figures(results, n_films=2)
    assert (found.precision, found.recall) == (0.5, pytest.approx(0.25))
    assert (found.n_false_segments, found.false_alarms, found.missed) == (1, 1.0, 0.0)
    assert figures_by_group(results, 2) == {"crop": found, "mirror": found}


def test_what_is_ignored_counts_neither_way() -> None:
    """A prediction is passed over if at least half of it is ignored and it meets no truth."""
    query = ClipQuery(COPIES.clip, [], COPIES.copied, {A: [CopiedSegment((20, 30), (0, 10))]})
    passed, counted = CopiedSegment((20, 30), (0, 12)), CopiedSegment((20, 30), (0, 25))
    assert clip_figures([measure_clip(query, {A: [passed]})], 1).n_false_segments == 0
    assert clip_figures([measure_clip(query, {A: [counted]})], 1).n_false_segments == 1


def test_a_clip_whose_film_is_missed_is_not_found() -> None:
    assert not measure_clip(COPIES, {}).is_found
    assert not measure_clip(COPIES, {A: [CopiedSegment((0, 10), (0, 10))]}).is_found


# -- Files ------------------------------------------------------------------------------------------------------------


FRAMES: dict[str, Any] = {
    "name": "own",
    "database": ["films/a.mp4"],
    "queries": [
        {"image": "q.jpg", "groups": ["g"], "shown": [{"film": "films/a.mp4", "shot": [1, 4.5], "time": 2}]},
        {"image": "q.jpg", "shown": []},
    ],
}
CLIPS: dict[str, Any] = {
    "name": "own",
    "database": ["films/a.mp4"],
    "queries": [{"clip": "c.mp4", "segments": [{"film": "films/a.mp4", "clip_range": [0, 2], "film_range": [3, 5]}]}],
}


def write(folder: Path, name: str, content: object) -> Path:
    (folder / "films").mkdir(exist_ok=True)
    for file in ("films/a.mp4", "q.jpg", "c.mp4"):
        (folder / file).touch()
    (folder / name).write_text(json.dumps(content))
    return folder


def test_frames_are_read(tmp_path: Path) -> None:
    found = load_frames(write(tmp_path, "frames.json", FRAMES))
    assert found.database == [tmp_path / "films/a.mp4"]
    shown, nowhere = found.queries
    assert shown == FrameQuery(tmp_path / "q.jpg", ["g"], [Showing(tmp_path / "films/a.mp4", (1, 4.5), [(2, 2)], 2)])
    assert (nowhere.groups, nowhere.shown) == ([], [])


def test_without_times_the_whole_shot_shows_the_query(tmp_path: Path) -> None:
    content = json.loads(json.dumps(FRAMES))
    del content["queries"][0]["shown"][0]["time"]
    (showing,) = load_frames(write(tmp_path, "frames.json", content)).queries[0].shown
    assert (showing.times, showing.time) == ([(1, 4.5)], None)


def test_clips_are_read(tmp_path: Path) -> None:
    (query,) = load_clips(write(tmp_path, "clips.json", CLIPS)).queries
    assert query.copied == {tmp_path / "films/a.mp4": [CopiedSegment((0, 2), (3, 5))]}
    assert query.ignored == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: c.pop("database"), "a field 'database'"),
        (lambda c: c["database"].append("films/b.mp4"), "1 files are missing"),
        (lambda c: c.update(database=["c.mp4"]), "is not in the database"),
        (lambda c: c.update(queries=[]), "at least one query"),
        (lambda c: c["queries"][0].pop("clip"), "a field 'clip'"),
        (lambda c: c["queries"][0].update(groups="crop"), "a list of names"),
        (lambda c: c["queries"][0]["segments"][0].update(clip_range=[2, 2]), "start before stop"),
        (lambda c: c["queries"][0]["segments"][0].update(film_range=[5, 3]), "start before stop"),
        (lambda c: c["queries"][0]["segments"][0].update(film_range=[5]), "two times"),
        (lambda c: c["queries"][0]["segments"][0].update(film_range=[0, float("nan")]), "start before stop"),
        (lambda c: c["queries"][0].update(segments=3), "not a benchmark file"),
    ],
)
def test_ground_truth_that_is_wrong_is_named(tmp_path: Path, change: Any, expected: str) -> None:
    content = json.loads(json.dumps(CLIPS))
    change(content)
    with pytest.raises(BenchmarkError, match=expected):
        load_clips(write(tmp_path, "clips.json", content))


def test_a_folder_without_ground_truth_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"frames\.json.*no such file"):
        load_frames(tmp_path)
