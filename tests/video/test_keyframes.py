"""What of a shot is indexed: features that last, of frames that show something new, and nothing that lies over it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.features.sift import extract_features
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.options import FeatureOptions
from bof.types import U8, Features
from bof.video.keyframes import choose_frames, find_keyframes
from bof.video.tracks import Tracks, link_features
from bof.video.types import Keyframe, Shot
from tests.support.scenes import draw_scene, warp
from tests.video.drawn import HEIGHT, WIDTH, pan, scene, shots_of, write_words


def features_of(pixels: U8) -> Features:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return extract_features(Picture(grey, pixels.shape[1], pixels.shape[0]), FeatureOptions())


def keyframes_of(shots: list[Shot]) -> list[Keyframe]:
    return [keyframe for shot in shots for keyframe in shot.keyframes]


def n_inside(keyframes: list[Keyframe], box: tuple[int, int, int, int]) -> int:
    x0, y0, x1, y1 = box
    xy = np.concatenate([keyframe.features.geometry.xy_px for keyframe in keyframes])
    return int(((xy >= (x0, y0)) & (xy < (x1, y1))).all(axis=1).sum())


def test_a_planted_transform_links_features() -> None:
    picture = draw_scene(3)
    transform = np.array([[1.05, -0.05, 9.0], [0.05, 1.05, -7.0], [0, 0, 1]])
    one, other = features_of(picture), features_of(warp(picture, transform))
    rows, columns, motion = link_features(one, other)
    expected = cv2.perspectiveTransform(one.geometry.xy_px[rows][:, None].astype(np.float64), transform)[:, 0]
    away = np.linalg.norm(expected - other.geometry.xy_px[columns], axis=1)
    assert len(rows) > 0.4 * len(one)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert np.mean(away < 2) > 0.95
    np.testing.assert_allclose(motion, transform, atol=0.05, rtol=0.2)


def test_unrelated_pictures_share_few_tracks() -> None:
    tracks = Tracks.of([features_of(draw_scene(seed)) for seed in (1, 2, 3)])
    assert (tracks.length > 1).mean() < 0.03


def test_a_track_goes_on_over_a_sample_that_misses_it_and_has_the_mean_descriptor() -> None:
    features = features_of(draw_scene(1))
    half = features.take(np.arange(len(features)) % 2 == 0)
    tracks = Tracks.of([features, half, features])
    expected = [3 if i % 2 == 0 else 2 for i in range(len(features))]
    assert np.mean(tracks.length[tracks.track[0]] == expected) > 0.95  # twins at one place may be taken for each other
    away = np.linalg.norm(tracks.mean_descriptors()[tracks.track[0]] - features.descriptors.astype(float), axis=1)
    assert np.mean(away < 8) > 0.95


def test_keyframes_are_added_while_half_of_what_is_seen_is_new() -> None:
    stable = np.zeros((5, 80), np.bool_)
    for i, first in enumerate((0, 5, 10, 40, 41)):
        stable[i, first : first + 30] = True
    length = stable.sum(axis=0)
    assert set(choose_frames(stable, length)) == {1, 3}
    assert choose_frames(np.zeros((3, 80), np.bool_), length) == []


def test_a_static_shot_has_one_keyframe_and_a_long_pan_has_several(tmp_path: Path) -> None:
    assert len(keyframes_of(shots_of(tmp_path / "still.mp4", pan(1, 150, speed=0)))) == 1
    wide = np.hstack([draw_scene(seed, WIDTH, HEIGHT) for seed in range(4)])
    moving = [np.ascontiguousarray(wide[:, 4 * i : 4 * i + WIDTH]) for i in range(200)]
    assert len(keyframes_of(shots_of(tmp_path / "pan.mp4", moving))) >= 3


def test_features_lie_where_the_keyframe_shows_them(tmp_path: Path) -> None:
    frames = pan(2, 100, speed=1.5)
    (keyframe,) = keyframes_of(shots_of(tmp_path / "film.mp4", frames))[:1]
    with Film(str(tmp_path / "film.mp4")) as film:
        own = features_of(film.frame_at(keyframe.time).pixels)
    away = np.linalg.norm(keyframe.features.geometry.xy_px[:, None] - own.geometry.xy_px[None], axis=2).min(axis=1)
    assert len(keyframe.features) > 100
    assert np.mean(away < 1) > 0.9


def test_unstable_features_are_rejected(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [frame.copy() for frame in pan(1, 100, speed=0)]
    for frame in frames:  # a screen of noise
        frame[40:140, 60:180] = cv2.resize(rng.integers(0, 256, (25, 30, 3)).astype(np.uint8), (120, 100))
    noisy = n_inside([Keyframe(0, features_of(frames[0]))], (70, 50, 170, 130))
    assert noisy > 80
    keyframes = keyframes_of(shots_of(tmp_path / "film.mp4", frames))
    assert n_inside(keyframes, (70, 50, 170, 130)) < 0.1 * noisy
    assert len(keyframes[0].features) > 100


def test_a_short_shot_has_features_too(tmp_path: Path) -> None:
    shots = shots_of(tmp_path / "film.mp4", pan(1, 40) + pan(2, 9) + pan(3, 40))
    assert [len(shot.keyframes) for shot in shots] == [1, 1, 1]
    assert all(len(each.features) > 100 for each in keyframes_of(shots))


def test_a_keyframe_has_the_features_that_are_seen_longest(tmp_path: Path) -> None:
    frames = pan(1, 100, speed=1.5)
    (few,) = keyframes_of(shots_of(tmp_path / "film.mp4", frames, keyframe_features=60))[:1]
    assert len(few.features) == 60
    tracks = Tracks.of([features_of(frame) for frame in frames[:60:12]])
    times = [Fraction(i) for i in range(5)]
    allowed = np.ones(len(tracks.length), np.bool_)
    ((most,), (some,)) = (find_keyframes(tracks, times, allowed, 3, n) for n in (10_000, 50))
    assert np.array_equal(some.features.descriptors, most.features.descriptors[:50])
    places = tracks.samples[int(most.time)].geometry.xy_px
    rows = [np.flatnonzero((places == xy).all(axis=1)) for xy in most.features.geometry.xy_px]
    lengths = [int(tracks.length[tracks.track[int(most.time)][each]].max()) for each in rows]
    assert min(lengths) >= 3
    assert lengths[0] == max(lengths)


@pytest.mark.parametrize("shade", [0, 128])
def test_black_and_bars_of_colour_are_no_keyframes(tmp_path: Path, shade: int) -> None:
    plain = [np.full((HEIGHT, WIDTH, 3), shade, np.uint8)] * 60
    assert keyframes_of(shots_of(tmp_path / "plain.mp4", plain)) == []
    bars = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for i in range(8):
        bars[:, i * 40 : i * 40 + 40] = [255 * (i & 1), 255 * (i >> 1 & 1), 255 * (i >> 2)]
    assert keyframes_of(shots_of(tmp_path / "bars.mp4", [bars] * 60)) == []


# -- What lies over a film --------------------------------------------------------------------------------------------

LOGO = (270, 10, 310, 40)


def with_logo(frames: list[U8]) -> list[U8]:
    logo = draw_scene(99, 40, 30)
    frames = [frame.copy() for frame in frames]
    for frame in frames:
        frame[10:40, 270:310] = logo
    return frames


@pytest.mark.parametrize("speed", [0.0, 1.0])
def test_a_logo_is_left_out_and_the_picture_is_not(tmp_path: Path, speed: float) -> None:
    frames = [frame for seed in range(30, 37) for frame in pan(seed, 60, speed=speed)]
    plain = keyframes_of(shots_of(tmp_path / "plain.mp4", frames))
    found = keyframes_of(shots_of(tmp_path / "logo.mp4", with_logo(frames)))
    assert n_inside(plain, LOGO) > 15
    assert n_inside(found, LOGO) <= 1
    n_plain, n_found = (sum(len(each.features) for each in one) for one in (plain, found))
    assert n_found - n_inside(found, LOGO) > 0.85 * (n_plain - n_inside(plain, LOGO))


def card() -> U8:
    frame = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    for i, word in enumerate(("THE MALTESE", "FALCON", "part two")):
        cv2.putText(frame, word, (60, 60 + 35 * i), cv2.FONT_HERSHEY_DUPLEX, 0.9, (230, 230, 230), 2, cv2.LINE_AA)
    return frame


def test_a_title_card_and_a_painting_on_a_tripod_are_kept(tmp_path: Path) -> None:
    (found,) = keyframes_of(shots_of(tmp_path / "card.mp4", [card()] * 80))
    assert len(found.features) > 0.6 * len(features_of(card()))
    painting = pan(1, 80, speed=0)
    cuts = [frame for _ in range(4) for frame in (*painting, *pan(2, 80, speed=0))]
    shots = shots_of(tmp_path / "film.mp4", cuts)
    assert len(shots) == 8
    assert all(len(each.features) > 0.5 * len(features_of(painting[0])) for each in keyframes_of(shots)[::2])


def test_bars_around_the_picture_have_no_features(tmp_path: Path) -> None:
    frames = [frame.copy() for frame in pan(4, 80)]
    for frame in frames:
        frame[:24], frame[-24:] = 0, 0
    (found,) = keyframes_of(shots_of(tmp_path / "film.mp4", frames))[:1]
    y = found.features.geometry.xy_px[:, 1]
    assert y.min() >= 24
    assert y.max() < HEIGHT - 24
    assert len(found.features) > 80


def captioned(frames: list[U8], words: str, x: int = 50, scale: float = 0.7, y: int = 165) -> list[U8]:
    frames = [frame.copy() for frame in frames]
    for frame in frames:
        write_words(frame, words, x, y, scale)
    return frames


def test_a_subtitle_that_comes_and_goes_is_left_out(tmp_path: Path) -> None:
    frames = pan(6, 150, speed=0)
    smooth = [cv2.GaussianBlur(frame, (0, 0), 2).astype(np.uint8) for frame in frames]
    spoken = smooth[:40] + captioned(smooth[40:110], "Where were you?") + smooth[110:]
    box = (45, 145, 250, 172)
    assert n_inside([Keyframe(0, features_of(spoken[60]))], box) > 3 * n_inside(
        [Keyframe(0, features_of(smooth[60]))], box
    )
    found = keyframes_of(shots_of(tmp_path / "film.mp4", spoken))
    plain = keyframes_of(shots_of(tmp_path / "plain.mp4", smooth))
    assert n_inside(found, box) <= n_inside(plain, box)
    assert len(found[0].features) > 0.8 * len(plain[0].features) - n_inside(plain, box)


def blurred(seed: int) -> list[U8]:
    return [cv2.GaussianBlur(frame, (0, 0), 2).astype(np.uint8) for frame in pan(seed, 60, speed=0)]


def test_a_subtitle_that_stands_through_a_shot_is_left_out(tmp_path: Path) -> None:
    frames, box = blurred(6), (45, 145, 275, 172)
    spoken = captioned(frames, "Where have you been?", 48)
    assert n_inside([Keyframe(0, features_of(spoken[0]))], box) > 20
    found = keyframes_of(shots_of(tmp_path / "film.mp4", spoken))
    assert n_inside(found, box) <= n_inside(keyframes_of(shots_of(tmp_path / "plain.mp4", frames)), box)


def test_two_lines_of_subtitles_cost_no_other_features(tmp_path: Path) -> None:
    """Letters have the strongest features: more are found where they stand."""
    options, frames = FeatureOptions(max_features=150), pan(6, 60, speed=0)
    lines = captioned(captioned(frames, "I have missed you so much.", 75, 0.45, y=148), "Where were you?", 105, 0.45)
    plain, spoken = (
        keyframes_of(shots_of(tmp_path / name, some, features=options))
        for name, some in (("plain.mp4", frames), ("film.mp4", lines))
    )
    upper = (0, 0, WIDTH, 130)
    letters = extract_features(Picture(cv2.cvtColor(lines[0], cv2.COLOR_RGB2GRAY), WIDTH, HEIGHT), options)
    assert n_inside([Keyframe(Fraction(0), letters)], upper) < 0.5 * n_inside(plain, upper)
    assert n_inside(spoken, upper) > 0.9 * n_inside(plain, upper)
    assert max(len(each.features) for each in spoken) <= 150


def test_a_card_with_words_low_in_the_middle_alone_is_kept(tmp_path: Path) -> None:
    card = captioned([np.full((HEIGHT, WIDTH, 3), 20, np.uint8)] * 60, "Where have you been?", 48)
    (found,) = keyframes_of(shots_of(tmp_path / "card.mp4", card))
    assert len(found.features) > 0.6 * len(features_of(card[0]))


def test_a_name_that_stands_on_through_a_cut_is_left_out_and_a_sign_is_not(tmp_path: Path) -> None:
    box = (5, 145, 145, 172)
    named = [*captioned(blurred(6), "Anna Bergman", 8), *captioned(blurred(9), "Anna Bergman", 8)]
    shots = shots_of(tmp_path / "film.mp4", named)
    assert len(shots) == 2
    assert n_inside(keyframes_of(shots), box) <= 6
    sign = shots_of(tmp_path / "sign.mp4", [*named[:60], *blurred(9)])
    assert n_inside(keyframes_of(sign), box) > 15


def test_scenes_have_what_these_tests_need() -> None:
    assert len(features_of(scene(1)[:HEIGHT, :WIDTH])) > 150
