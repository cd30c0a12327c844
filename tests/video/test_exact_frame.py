"""A still that was cut out of a film is found at its own frame."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from bof.features.sift import extract_features
from bof.geometry.transforms import translation
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.images.films.types import FilmFacts
from bof.options import FeatureOptions, VerifyOptions
from bof.types import F64, U8, Correspondences, Verification
from bof.video import exact_frame
from bof.video.best_frame import BestFrame, find_best_frame
from bof.video.exact_frame import find_exact_time
from bof.video.frame_likeness import FrameLikeness
from bof.video.frame_search import FrameSearch, QueryView
from tests.support.films import write_film
from tests.support.scenes import draw_scene

WIDTH, HEIGHT, RATE = 480, 272, 20
STEP = Fraction(1, 2)


def zoomed(seed: int, n_frames: int, per_frame: float, speed: float = 0.0) -> list[U8]:
    """A camera that comes nearer to a scene, and moves to the right, with grain that differs from frame to frame."""
    rng, scene = np.random.default_rng(seed), draw_scene(seed, WIDTH + 200, HEIGHT + 60)
    frames = []
    for i in range(n_frames):
        zoom = (1 + per_frame) ** i
        matrix = np.array([[zoom, 0, -60 - speed * i], [0, zoom, -30]])
        frame = cv2.warpAffine(scene, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        frames.append(np.clip(frame + rng.normal(0, 5, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8))
    return frames


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A slow zoom, a slow pan, and a camera that stands still, of four seconds each."""
    here = tmp_path_factory.mktemp("films")
    made = {"zoom": zoomed(3, 80, 0.003), "pan": zoomed(4, 80, 0.0, speed=1.3), "still": zoomed(5, 80, 0.0)}
    return {name: str(write_film(here / f"{name}.mp4", frames, rate=RATE)) for name, frames in made.items()}


def shown_at(film: str, time: Fraction) -> U8:
    with Film(film) as opened:
        return opened.frame_at(time).pixels


def as_jpeg(pixels: U8, quality: int = 75) -> U8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)


def search_of(film: str, pixels: U8, keyframe: Fraction) -> FrameSearch:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    features = extract_features(Picture(grey, grey.shape[1], grey.shape[0]), FeatureOptions())
    span = Fraction(0), Fraction(4)
    view = QueryView(grey, np.eye(3))
    return FrameSearch(film, keyframe, *span, STEP, features, view, view, FeatureOptions(), VerifyOptions())


def best_of(film: str, pixels: U8, keyframe: Fraction = Fraction(1, 2)) -> BestFrame:
    found = find_best_frame(search_of(film, pixels, keyframe))
    assert found is not None
    return found


def laid_at(transform: F64) -> Verification:
    none = np.empty(0, np.int64)
    return Verification(0, 0.0, 0.0, transform, Correspondences(none, none, np.empty(0)))


@pytest.mark.parametrize("film", ["zoom", "pan"])
@pytest.mark.parametrize("number", [7, 33, 71])
def test_a_crop_is_found_at_its_frame(films: dict[str, str], film: str, number: int) -> None:
    time = Fraction(number, RATE)
    crop = as_jpeg(shown_at(films[film], time)[40:220, 90:370])
    assert best_of(films[film], crop).time == time


def test_words_over_half_of_a_still_hide_no_frame(films: dict[str, str]) -> None:
    time = Fraction(41, RATE)
    still = shown_at(films["pan"], time).copy()
    for y in (200, 230, 260):
        cv2.putText(still, "WHAT DID YOU SAY TO HIM", (20, y), cv2.FONT_HERSHEY_DUPLEX, 0.9, (255,) * 3, 2)
    assert best_of(films["pan"], as_jpeg(still)).time == time


def test_a_still_that_is_plain_in_one_half_is_found_at_its_frame(films: dict[str, str]) -> None:
    """A plain patch would be like any other."""
    time = Fraction(33, RATE)
    still = as_jpeg(shown_at(films["pan"], time))
    still[HEIGHT // 2 :] = 0
    assert best_of(films["pan"], still).time == time
    search = search_of(films["pan"], np.full((180, 280, 3), 90, np.uint8), Fraction(1))
    laid = [(Fraction(i, RATE), laid_at(translation(90 + i, 40))) for i in range(0, 80, 10)]
    with Film(films["pan"]) as film:
        assert find_exact_time(film, search, laid, Fraction(1)) is None


def test_a_whole_frame_of_a_zoom_that_was_resized_is_found_where_it_ends(films: dict[str, str]) -> None:
    """Wider frames show all of it too, and its grain is gone."""
    time = Fraction(60, RATE)
    small = cv2.resize(shown_at(films["zoom"], time), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    assert abs(best_of(films["zoom"], np.asarray(small, np.uint8)).time - time) <= STEP / 2


def test_where_nothing_moves_the_keyframe_stands(films: dict[str, str]) -> None:
    crop = shown_at(films["still"], Fraction(3))[40:220, 90:370]
    still = search_of(films["still"], crop, Fraction(3, 2))
    laid = [(Fraction(i, 2), laid_at(translation(90, 40))) for i in range(8)]
    with Film(films["still"]) as film:
        assert find_exact_time(film, still, laid, Fraction(1)) is None


def test_another_take_of_the_same_has_no_exact_frame(films: dict[str, str]) -> None:
    """The same pan with other grain: no frame is the same to the pixel."""
    scene = zoomed(4, 80, 0.0, speed=1.3)[33]
    noisy = np.clip(cv2.GaussianBlur(scene, (0, 0), 1.2) + np.random.default_rng(9).normal(0, 6, scene.shape), 0, 255)
    search = search_of(films["pan"], noisy.astype(np.uint8)[40:220, 90:370], Fraction(1))
    laid = [(Fraction(i, RATE), laid_at(translation(90 + 1.3 * (33 - i), 40))) for i in range(0, 80, 10)]
    with Film(films["pan"]) as film:
        assert find_exact_time(film, search, laid, Fraction(1)) is None
        assert find_exact_time(film, search, [], Fraction(1)) is None


def test_a_still_too_small_for_patches_has_no_exact_frame(films: dict[str, str]) -> None:
    search = search_of(films["pan"], shown_at(films["pan"], Fraction(1))[:20, :24], Fraction(1))
    with Film(films["pan"]) as film:
        assert find_exact_time(film, search, [(Fraction(1), laid_at(np.eye(3)))], Fraction(1)) is None


@pytest.mark.parametrize(
    ("width", "height", "rate", "seconds"),
    [(640, 360, 25, 12), (1920, 1080, 25, 10), (3840, 2160, 50, 1), (1920, 1080, 0, 10)],
)
def test_large_frames_are_looked_for_near_by(width: int, height: int, rate: int, seconds: int) -> None:
    reach = exact_frame._reach(FilmFacts("mp4", "h264", width, height, Fraction(60), Fraction(rate)))
    assert seconds <= reach < seconds + 1


def test_likeness_counts_what_lies_in_the_frame_and_where_both_end() -> None:
    scene = cv2.cvtColor(draw_scene(1, WIDTH, HEIGHT), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    frame = Picture(scene, WIDTH, HEIGHT)
    whole = FrameLikeness.of(scene, frame, np.eye(3))
    assert whole.value > 0.98
    assert whole.iou > 0.98
    crop = FrameLikeness.of(scene[68:204, 120:360], frame, translation(120, 68))
    assert crop.value > 0.95
    assert crop.iou == pytest.approx(0.25, abs=0.02)
    half_out = FrameLikeness.of(scene, frame, translation(WIDTH / 2, 0))
    assert half_out.value < 0.5
    assert FrameLikeness.of(scene, frame, translation(2 * WIDTH, 0)) == FrameLikeness(0.0, 0.0)
