"""Composed films are what their truth says: shots, times, what a camera sees, what a clip copies."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.errors import BenchmarkError, OptionError
from bof.evaluation.benchmarks.films import ClipBenchmark, ClipQuery, load_clips, load_frames
from bof.evaluation.segments import CopiedSegment
from bof.images.films.film import Film
from bof.types import U8, Geometry
from scripts.common.pictures import rgb
from scripts.films import clips, compose, peers, stills
from scripts.films.camera import PATHS, Camera, View, frame_from_source
from scripts.films.clip_plan import plan_clips
from scripts.films.edits import CHANGES, EDITS, Writing, writing_of
from scripts.films.overlay_leaks import caption_mask, count_leaks, logo_mask, n_inside
from scripts.films.overlays import content_box
from scripts.films.painting import frames, matrix_at
from scripts.films.plan import FilmPlan, plan_films
from scripts.films.sources import Sources, find_sources
from scripts.films.truth import alike_times, clear_frames, true_shots
from tests.support.scenes import draw_scene, write_picture

SHORT_SIDE, MINUTES = 72, 3.6
N_CATEGORIES, PER_CATEGORY = 26, 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/ with 26 categories, one of which has a photograph twice, and ukbench1000/ with ten objects."""
    folder = tmp_path_factory.mktemp("data")
    for category, number in itertools.product(range(N_CATEGORIES), range(PER_CATEGORY)):
        picture = draw_scene(100 + category * PER_CATEGORY + number, 160, 120)
        write_picture(folder / "train" / "caltech101" / f"thing{category:02d}_{number:04d}.png", picture)
    twin = draw_scene(100 + 2 * PER_CATEGORY, 160, 120)
    write_picture(folder / "train" / "caltech101" / "thing02_0099.png", np.ascontiguousarray(twin[:, ::-1]))
    for number in range(40):
        write_picture(folder / "ukbench1000" / f"ukbench{number:05d}.png", draw_scene(900 + number, 160, 120))
    return folder


@pytest.fixture(scope="module")
def sources(data: Path) -> Sources:
    return find_sources(data, "develop")


@pytest.fixture(scope="module")
def plans(sources: Sources) -> list[FilmPlan]:
    return plan_films(sources, MINUTES, 0, SHORT_SIDE)


# -- Sources and plans ------------------------------------------------------------------------------------------------


def test_halves_share_nothing_and_strangers_are_of_other_categories(data: Path, sources: Sources) -> None:
    other = find_sources(data, "judge")
    ours = {*sources.photographs, *sources.unshown, *(each.shown for each in sources.objects)}
    assert not ours & {*other.photographs, *other.unshown, *(each.shown for each in other.objects)}
    categories = {path.name[:7] for path in sources.unshown}
    assert categories
    assert not categories & {path.name[:7] for path in sources.photographs}


def test_a_photograph_that_is_there_twice_is_taken_once(sources: Sources) -> None:
    names = {path.name for path in sources.photographs}
    assert "thing02_0000.png" in names
    assert "thing02_0099.png" not in names


def test_too_few_photographs_are_named(tmp_path: Path, sources: Sources) -> None:
    write_picture(tmp_path / "train" / "one_0001.png", draw_scene(1, 32, 32))
    with pytest.raises(BenchmarkError, match="12 categories, found 1"):
        find_sources(tmp_path, "judge")
    with pytest.raises(OptionError, match="600 minutes of film need more"):
        plan_films(sources, 600.0, 0, SHORT_SIDE)


def test_a_seed_says_everything(sources: Sources, plans: list[FilmPlan]) -> None:
    assert plan_films(sources, MINUTES, 0, SHORT_SIDE) == plans
    assert plan_films(sources, MINUTES, 1, SHORT_SIDE) != plans


def test_no_source_is_shown_twice_but_in_the_intro(plans: list[FilmPlan]) -> None:
    shown = [s.take for plan in plans for s in plan.shots if s.take.kind != "black" and not s.is_intro]
    assert len(shown) == len(set(shown))
    intros = {tuple((s.take, s.camera) for s in plan.shots if s.is_intro) for plan in plans if plan.style.intro}
    assert len(intros) == 1


def test_shots_follow_each_other_without_a_gap(plans: list[FilmPlan]) -> None:
    for plan in plans:
        shots = true_shots(plan)
        assert shots[0].start == 0
        assert shots[-1].stop == pytest.approx(float(plan.times[-1]))
        assert all(one.stop == other.start for one, other in itertools.pairwise(shots))
        for shot in shots:
            assert shot.start <= shot.clear[0] <= shot.clear[1] <= shot.stop + 1e-9


# -- Camera -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PATHS)
def test_a_camera_sees_the_picture_fill_the_frame_and_ends_where_it_should(name: str) -> None:
    camera = PATHS[name](np.random.default_rng(3))
    still = Camera(camera.start, camera.stop)
    assert still.at(0, 0) == camera.start
    assert still.at(1, 9).zoom == pytest.approx(camera.stop.zoom)
    matrix = frame_from_source(camera.start, (300, 200), (640, 360))
    middle = np.array([camera.start.x * 300, camera.start.y * 200, 1])
    assert matrix @ middle == pytest.approx([320, 180])
    assert np.hypot(*matrix[0, :2]) == pytest.approx(camera.start.zoom * 640 / 300)


def test_the_plain_view_just_fills_the_frame() -> None:
    matrix = frame_from_source(View(), (300, 200), (640, 360))
    assert matrix @ [0, 0, 1] == pytest.approx([0, 180 - 200 * 640 / 300 / 2])


def test_alike_times_are_of_frames_that_look_alike(plans: list[FilmPlan]) -> None:
    plan, number = next(
        (plan, i) for plan in plans for i, s in enumerate(plan.shots) if s.motion == "pan" and s.stop - s.first > 40
    )
    low, high = clear_frames(plan, number)
    middle = (low + high) // 2
    ((start, stop),) = alike_times(plan, number, middle)
    assert start <= float(plan.times[middle]) < stop
    assert stop - start < float(plan.times[high] - plan.times[low])
    still, where = next(
        (plan, i) for plan in plans for i, s in enumerate(plan.shots) if s.motion == "still" and s.take.source
    )
    assert alike_times(still, where, sum(clear_frames(still, where)) // 2) == [list(true_shots(still)[where].clear)]


# -- Films ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def composed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the commands write: films, stills, clips."""
    out = tmp_path_factory.mktemp("composed")
    flags = ["--data", str(data), "--out", str(out), "--minutes", str(MINUTES), "--short-side", str(SHORT_SIDE)]
    assert compose.main([*flags, "--jobs", "1"]) == 0
    assert stills.main([*flags, "--jobs", "1", "--queries", "12", "--unshown", "5"]) == 0
    assert clips.main([*flags, "--jobs", "1", "--copies", "8", "--others", "4"]) == 0
    return out


def test_a_film_shows_at_each_time_what_the_plan_says(composed: Path, plans: list[FilmPlan]) -> None:
    """In every container and codec, at a variable rate too: the frame read at a time is the frame of that number."""
    for plan in plans:
        painted = dict(enumerate(frames(plan)))
        with Film(str(composed / "films" / plan.name)) as film:
            read = {frame.time: frame.pixels for frame in film.frames()}
        assert len(read) == len(plan.times) - 1, plan.name
        for number, (time, pixels) in enumerate(sorted(read.items())):
            assert abs(time - plan.times[number]) <= Fraction(1, 1000), plan.name
            if number % 40 == 0:
                assert _difference(pixels, painted[number]) < 14, (plan.name, number)


def _difference(one: U8, other: U8) -> float:
    """Mean levels of grey; codecs keep colours at half the size."""
    first, second = (cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(float) for pixels in (one, other))
    return float(np.abs(first - second).mean())


def test_a_cut_lies_at_the_time_of_the_truth(composed: Path, plans: list[FilmPlan]) -> None:
    plan = plans[0]
    number = next(i for i, s in enumerate(plan.shots) if i and s.begins == "cut" and s.take.source)
    start = true_shots(plan)[number].start
    with Film(str(composed / "films" / plan.name)) as film:
        before, at, after = (
            film.frame_at(Fraction(start) + Fraction(n, 25) + Fraction(1, 500), grey=True).pixels for n in (-1, 0, 1)
        )
    assert np.abs(at.astype(int) - before).mean() > 3 * np.abs(at.astype(int) - after).mean()


def test_the_truth_says_where_a_point_of_the_picture_is(plans: list[FilmPlan]) -> None:
    """The colour of a point of the photograph is the frame's where the camera's path puts it."""
    for plan, number in [(p, i) for p in plans[:2] for i, s in enumerate(p.shots) if s.take.kind == "photograph"]:
        at = sum(clear_frames(plan, number)) // 2
        painted = next(itertools.islice(frames(plan), at, None))
        x0, y0, width, height = content_box(plan.style)
        photograph = cv2.GaussianBlur(rgb(plan.shots[number].take.source), (0, 0), 3)
        window = cv2.GaussianBlur(painted[y0 : y0 + height, x0 : x0 + width], (0, 0), 2)
        for share in ((0.5, 0.5), (0.45, 0.52), (0.53, 0.45)):
            x, y = np.rint(matrix_at(plan, number, at) @ [*share, 1]).astype(int)
            if 0 <= x < width and 0 <= y < height * 0.6:  # captions lie below
                source = photograph[round(share[1] * photograph.shape[0]), round(share[0] * photograph.shape[1])]
                assert np.abs(window[y, x].astype(int) - source).max() < 60


def test_the_queries_of_stills_are_a_benchmark(composed: Path) -> None:
    benchmark = load_frames(composed)
    shown = [query for query in benchmark.queries if query.shown]
    assert (len(shown), len(benchmark.queries)) == (12, 17)
    for query in shown:
        (showing,) = query.shown
        assert all(showing.shot[0] <= start <= stop <= showing.shot[1] + 1.5 for start, stop in showing.times)
        assert cv2.imread(str(query.image)) is not None
    assert {query.groups[0] for query in shown} == {"screen", "crop", "mirror", "subtitles", "several", "object"}


def test_what_is_drawn_over_a_film_is_counted(composed: Path) -> None:
    film = next(f for f in json.loads((composed / "films.json").read_text())["films"] if f["style"] == "news")
    captions, logos = caption_mask(film, "Anna Berg"), logo_mask(film)
    height, width = captions.shape
    assert (width, height) == tuple(film["size"])
    assert not captions[: height // 2].any()
    assert not logos[height // 2 :].any()
    for mask in (captions, logos):
        rows, columns = np.nonzero(mask)
        xy = np.array([[columns[0], rows[0]], [0, height // 2]], np.float32)
        geometry = Geometry(xy, np.ones(2, np.float32), np.zeros(2, np.float32), width, height)
        assert n_inside(geometry, mask) == 1
    leaks = count_leaks(composed, film)
    assert leaks.keyframes >= leaks.captioned
    assert leaks.with_logo == leaks.keyframes > 0


def test_a_film_of_an_earlier_run_is_kept_and_one_of_other_flags_is_not(composed: Path, data: Path) -> None:
    kept = composed / "films" / "00-news.mp4"
    before = kept.stat().st_mtime_ns
    flags = ["--data", str(data), "--out", str(composed), "--short-side", str(SHORT_SIDE), "--jobs", "1"]
    assert compose.main([*flags, "--minutes", str(MINUTES)]) == 0
    assert kept.stat().st_mtime_ns == before
    assert json.loads((composed / "films.json").read_text())["films"][0]["film"] == "00-news.mp4"


# -- Clips ------------------------------------------------------------------------------------------------------------


def test_clips_copy_what_their_truth_says(composed: Path, plans: list[FilmPlan], sources: Sources) -> None:
    """Where the picture is not changed, a clip's frames are the film's at the times of the segment, at any speed."""
    planned = [clip for clip in plan_clips(plans, sources, 120, 0, 0) if not {*clip.edits} & {*CHANGES}]
    assert {"speed", "frame rate", "reordered"} <= {name for clip in planned for name in clip.edits}
    for clip in planned:
        clips.write_clip(clip, composed)
        for entry in clips.segments_of(clip):
            segment = CopiedSegment(tuple(entry["clip_range"]), tuple(entry["film_range"]))
            with (
                Film(str(composed / "clips" / f"{clip.name}.mp4")) as read,
                Film(str(composed / entry["film"])) as film,
            ):
                _compare(read, film, segment)


def test_the_clips_are_a_benchmark(composed: Path) -> None:
    benchmark = load_clips(composed)
    assert [bool(query.copied) for query in benchmark.queries] == [True] * 8 + [False] * 4
    for query in benchmark.queries:
        with Film(str(query.clip)) as clip:
            ends = [segment.query[1] for segments in query.copied.values() for segment in segments]
            assert all(end <= float(clip.facts.duration) + 0.1 for end in ends)


def _compare(clip: Film, film: Film, segment: CopiedSegment) -> None:
    for share in (0.2, 0.5, 0.8):
        one, other = (
            Fraction(span[0] + share * (span[1] - span[0])).limit_denominator(10000)
            for span in (segment.query, segment.film)
        )
        shown, original = clip.frame_at(one).pixels, film.frame_at(other).pixels
        original = np.asarray(cv2.resize(original, shown.shape[1::-1], interpolation=cv2.INTER_AREA))
        assert _difference(shown, np.asarray(original, np.uint8)) < 20


def test_clips_have_one_to_four_edits_and_their_segments_fill_them(plans: list[FilmPlan], sources: Sources) -> None:
    planned = plan_clips(plans, sources, 24, 8, 0)
    assert [len(clip.edits) for clip in planned[:8]] == [1, 2, 3, 4, 1, 2, 3, 4]
    for clip in planned[:24]:
        found = clips.segments_of(clip)
        assert all(set(clip.edits) <= set(EDITS) for clip in planned)
        ratio = {
            round((s["film_range"][1] - s["film_range"][0]) / (s["clip_range"][1] - s["clip_range"][0]), 6)
            for s in found
        }
        assert ratio == {round(clip.writing.speed, 6)}
        if clip.writing.reorder:
            starts = [s["film_range"][0] for s in found]
            assert starts == sorted(starts, reverse=True)
    assert all(clips.segments_of(clip) == [] for clip in planned[24:])


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_changes_a_frame_and_keeps_its_kind(name: str) -> None:
    rng = np.random.default_rng(1)
    frame, background = draw_scene(5, 160, 90), draw_scene(6, 160, 90)
    before = frame.copy()
    changed = CHANGES[name](rng, background)(frame, 3)
    assert np.array_equal(frame, before)
    assert (changed.dtype, changed.ndim) == (np.uint8, 3)
    assert changed.shape != frame.shape or not np.array_equal(changed, frame)


def test_a_clip_without_edits_of_its_file_is_written_as_its_film() -> None:
    assert writing_of(np.random.default_rng(0), ("crop",)) == Writing()


# -- Peers ------------------------------------------------------------------------------------------------------------


def test_a_clip_is_found_if_its_film_is_first_above_what_copies_nothing() -> None:
    a, b = Path("/a.mp4"), Path("/b.mp4")
    segment = CopiedSegment((0, 4), (10, 14))
    queries = [
        ClipQuery(Path(f"/{n}.mp4"), [g], {a: [segment]}, {})
        for n, g in (("1", "crop"), ("2", "crop"), ("3", "mirror"))
    ]
    queries.append(ClipQuery(Path("/4.mp4"), ["no copy"], {}, {}))
    benchmark = ClipBenchmark("hand", [a, b], queries)
    answers = {
        Path("/1.mp4"): [peers.Found(a, 9, [segment]), peers.Found(b, 1, [segment])],
        Path("/2.mp4"): [peers.Found(b, 9, []), peers.Found(a, 8, [segment])],
        Path("/3.mp4"): [peers.Found(a, 3, [])],
        Path("/4.mp4"): [peers.Found(a, 4, [])],
    }
    method = peers.Method("hand", True, answers, 1.0)
    assert list(peers.found_clips(benchmark, method).values()) == [True, False, False]
    printed = peers.lines(benchmark, [method])
    assert [cell.strip() for cell in printed[2].split("|")[1:-1]] == ["crop", "2", "0.500", "0.800"]
    assert printed[-2] == "false segments: hand 1"
