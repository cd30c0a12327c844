"""A film is one hit, or one a shot; its frames are no rivals of each other, and its exact frame is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.features.matching import match_descriptors
from bof.images.draw import encode_jpeg
from bof.images.films.film import Film
from bof.index import main as index_main
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from bof.retrieval import film_frames, thing
from bof.retrieval.evidence import Evidence
from bof.retrieval.shortlist import MOST_OF_A_FILM, shortlisted
from bof.search import main
from bof.store.film_frames import FilmFrames
from bof.types import U8
from tests.support.films import pan, write_film
from tests.support.scenes import draw_scene, rows_of, write_picture

RATE = 10
PANNED = (1, 2, 1)
"""The scenes of the film, 2 seconds each: the first comes again."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    """An index of a film and two pictures, one of what the film shows first."""
    here = tmp_path_factory.mktemp("mixed")
    write_film(here / "f" / "a.mp4", [frame for seed in PANNED for frame in pan(seed, 20, 2)], rate=RATE)
    write_picture(here / "f" / "one.png", cv2.cvtColor(pan(1, 20, 2)[3], cv2.COLOR_RGB2BGR))
    write_picture(here / "f" / "other.png", draw_scene(7))
    Engine.create(here / "index", vocabulary_folder).add([here / "f"], IndexOptions(workers=2))
    return here


@pytest.fixture
def engine(folder: Path) -> Engine:
    """Read it only."""
    return Engine.open(folder / "index")


def still(seed: int, number: int) -> U8:
    return np.ascontiguousarray(pan(seed, 20, 2)[number])


def names(hits: Sequence[object]) -> list[str]:
    return [Path(hit.file).name for hit in hits]  # type: ignore[attr-defined]


def test_a_film_is_one_hit_with_the_number_of_its_shots(engine: Engine) -> None:
    hits = engine.search(still(1, 12))
    assert sorted(names(hits)) == ["a.mp4", "one.png", "other.png"]
    (film,) = [hit for hit in hits if hit.film]
    assert film.film is not None
    assert (film.verdict, film.film.n_shots) == ("same", 2)
    assert {hit.verdict for hit in hits[:2]} == {"same"}  # neither is a rival that proves the other wrong


def test_the_exact_frame_is_found_with_its_box(engine: Engine, folder: Path) -> None:
    picture = still(2, 15)
    (hit, *_) = engine.search(picture)
    assert hit.film is not None
    assert hit.film.time == pytest.approx(2 + 15 / RATE, abs=0.11)
    assert (hit.film.start, hit.film.stop) == (2.0, 4.0)
    assert hit.shown_part == f"t={hit.film.time:.3f}&shot=2.000,4.000"
    assert hit.outline is not None
    np.testing.assert_allclose(hit.outline[[0, 2]], [[0, 0], [320, 240]], atol=5)
    in_query, in_frame = engine.matched_points(engine.query(picture), hit)
    assert len(in_query) >= 6
    np.testing.assert_allclose(in_query, in_frame, atol=6)
    keyframe = engine.search(picture, SearchOptions(verify=VerifyOptions(frames=0)))[0]
    assert keyframe.frame_xy_px is None
    assert keyframe.shown_part == keyframe.part


def test_a_mirrored_still_is_found_at_its_time(engine: Engine) -> None:
    (hit, *_) = engine.search(np.ascontiguousarray(still(2, 15)[:, ::-1]))
    assert hit.film is not None
    assert hit.verification is not None
    assert hit.verification.mirrored
    assert hit.film.time == pytest.approx(2 + 15 / RATE, abs=0.11)


def test_a_large_still_is_found_at_its_own_frame(tmp_path: Path, vocabulary_folder: Path) -> None:
    """In the size of the film, larger than pictures are compared in: the crop, and the same mirrored."""
    rng, scene = np.random.default_rng(1), draw_scene(8, 1200, 700)
    frames = [scene[30:670, 2 * i : 2 * i + 960] for i in range(60)]
    noisy = [np.clip(each + rng.normal(0, 5, (640, 960, 1)), 0, 255).astype(np.uint8) for each in frames]
    film = write_film(tmp_path / "f" / "a.mp4", noisy, rate=20)
    engine = Engine.create(tmp_path / "index", vocabulary_folder)
    engine.add([tmp_path / "f"], IndexOptions(workers=2))
    with Film(str(film)) as opened:
        shown = opened.frame_at(Fraction(37, 20)).pixels[100:600, 60:900]
    for name, pixels in (("crop.jpg", shown), ("mirrored.jpg", shown[:, ::-1])):
        (tmp_path / name).write_bytes(encode_jpeg(np.ascontiguousarray(pixels)))
        (hit, *_) = engine.search(tmp_path / name)
        assert hit.film is not None
        assert hit.film.time == 37 / 20


def test_shots_are_listed_where_they_are_asked_for(engine: Engine) -> None:
    query = still(1, 12)
    hits = engine.search(query, SearchOptions(shots=True))
    places = [(hit.film.start, hit.verdict) for hit in hits if hit.film]
    assert sorted(places)[::2] == [(0.0, "same"), (4.0, "same")]
    assert len(hits) == 5
    prepared = engine.query(query)
    page = engine.page(prepared, engine.answer(prepared), top=1, offset=1, verdicts={"same"})
    assert (page.total, len(page.hits)) == (2, 1)


def test_groups_count_a_film_once(engine: Engine) -> None:
    hits = engine.search(still(1, 12), SearchOptions(group_by="name"))
    found = {hit.group.value: hit.group.n_pictures for hit in hits if hit.group}
    assert found == {"a.mp4": 1, "one.png": 1, "other.png": 1}
    assert engine.field_values("duration").n_images.tolist() == [1]


def test_without_its_film_the_keyframe_stands(folder: Path, tmp_path: Path) -> None:
    engine = Engine.open(folder / "index")
    before = engine.search(still(2, 15))[0]
    (folder / "f" / "a.mp4").rename(tmp_path / "away.mp4")
    try:
        after = engine.search(still(2, 15))[0]
    finally:
        (tmp_path / "away.mp4").rename(folder / "f" / "a.mp4")
    assert before.film is not None
    assert after.film is not None
    assert after.part == before.part
    assert after.film.time == pytest.approx(float(after.part[2:7]))


def test_the_command_line_shows_films(
    engine: Engine, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    query = tmp_path / "still.jpg"
    query.write_bytes(encode_jpeg(still(2, 15)))
    flags = [str(query), "--index", str(folder / "index")]
    outputs = ["--matches", str(tmp_path / "proofs"), "--html", str(tmp_path / "page.html")]
    assert main([*flags, *outputs]) == 0
    table = capfd.readouterr().out
    assert "a.mp4#t=3." in table
    assert "shot 2.000 to 4.000 s" in table
    assert len(list((tmp_path / "proofs").iterdir())) == 3
    assert "a.mp4#t=3." in (tmp_path / "page.html").read_text()
    assert main([*flags, "--json", "--top", "1"]) == 0
    (answer,) = json.loads(capfd.readouterr().out)
    film = answer["hits"][0]["film"]
    assert (film["start"], film["stop"], film["n_shots"]) == (2.0, 4.0, 1)
    assert answer["hits"][0]["link"].endswith(f"a.mp4#t={film['time']:.3f}")
    assert main([*flags, "--format", "csv", "--shots"]) == 0
    assert "time,shot_start,shot_stop,shots" in capfd.readouterr().out.splitlines()[0]
    assert index_main(["--index", str(folder / "index"), "--dry-run", str(folder / "f")]) == 0


# -- Of a film's many frames ------------------------------------------------------------------------------------------


def test_many_frames_push_no_other_off_the_shortlist() -> None:
    n = 100

    class Fake:
        rows = rows_of([f"{i:03}" for i in range(n + 2)])
        films = FilmFrames(np.array([0] * n + [-1, -1], np.int32), np.zeros(n + 2, np.int32))

    score = np.append(np.linspace(2.0, 1.0, n), [0.5, 0.4])
    found = shortlisted(Fake(), score, 30).tolist()  # type: ignore[arg-type]
    assert found == [*range(MOST_OF_A_FILM), n, n + 1, *range(MOST_OF_A_FILM, 28)]


def test_a_frame_has_no_rivals_in_its_own_film(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def quantities(verifications: Sequence[int], agreements: Sequence[int]) -> np.ndarray:
        asked.append(list(agreements))
        return np.zeros((len(agreements), len(thing.QUANTITIES)))

    monkeypatch.setattr(film_frames, "quantities", quantities)
    hits = [0, 1, 2, 3, 4]
    film_frames.thing_probabilities(hits, hits, [-1, 7, 7, 8, 8])  # type: ignore[arg-type]
    assert asked == [[0, 1, 3], [1, 0, 3], [2, 0, 3], [3, 0, 1], [4, 0, 1]]
    asked.clear()
    film_frames.thing_probabilities(hits, hits, [-1, 7, -2, 8, -3])  # type: ignore[arg-type]
    assert asked == [hits]


def test_what_one_frame_proves_holds_for_its_shot_else_its_film() -> None:
    films = FilmFrames(np.array([0, 0, 0, -1, 1], np.int32), np.array([0, 0, 1, -1, 2], np.int32))
    evidence = {i: Evidence(1.0, 1.0, 0.1 * i) for i in range(5)}
    found = film_frames.film_evidence(films, evidence, [0, 3], [1, 2, 4])
    assert {image: known.thing for image, known in found.items()} == {1: 0.0, 2: 0.0}
    found = film_frames.film_evidence(films, evidence, [2, 1], [0])
    assert found[0].thing == pytest.approx(0.1)
    assert film_frames.film_evidence(None, evidence, [2, 1], [0]) == {}


def test_matches_are_nearest_neighbours_that_are_clear() -> None:
    rng = np.random.default_rng(0)
    database = rng.integers(0, 256, (30, 128)).astype(np.uint8)
    query = np.concatenate([database[[3, 17]], rng.integers(0, 256, (2, 128)).astype(np.uint8)])
    found = match_descriptors(query, database)
    assert [*zip(found.query.tolist(), found.database.tolist(), strict=True)][:2] == [(0, 3), (1, 17)]
    assert not len(match_descriptors(query[:0], database))
    assert not len(match_descriptors(query, database[:1]))
    assert Fraction(1) > found.weight.max() - 1e-9


def test_a_film_that_left_meanwhile_keeps_its_keyframe(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "index", tmp_path / "index")
    engine = Engine.open(tmp_path / "index")
    query = engine.query(still(2, 15))
    answer = engine.answer(query)
    Engine.open(tmp_path / "index").remove("a.mp4")
    (hit,) = [hit for hit in engine.hits(query, answer) if hit.film]
    assert hit.frame_xy_px is None
