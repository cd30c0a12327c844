"""What few points suggest is proved by pixels, or is not: all of one picture in the other, or another one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bof.alignment.differences import Differences
from bof.alignment.likeness import Likeness, compare
from bof.geometry.transforms import translation
from bof.geometry.verification import NO_MATCHES
from bof.images.decode import Picture
from bof.options import VerifyOptions
from bof.retrieval.answer import Answer
from bof.retrieval.evidence import Evidence
from bof.retrieval.proving import N_DOUBTFUL, N_DOUBTFUL_FLAT, find_doubtful, is_proved, prove, prove_drawing, ways
from bof.types import U8, Verification
from tests.support.flat import (
    SEEN_AT,
    draw_logo,
    draw_wheel,
    hang,
    hang_without_ground,
    picture_of,
    roughly,
    transform_to,
)
from tests.support.scenes import draw_scene


def picture(pixels: U8) -> Picture:
    return Picture(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0])


def likeness(part: U8, whole: U8, x: float, y: float) -> Likeness:
    """Of a part that is said to lie at x, y in a whole."""
    return compare(picture(whole), picture(part), translation(x, y))


def test_a_part_is_proved_where_it_lies() -> None:
    scene = draw_scene(1)
    assert is_proved(likeness(scene[40:170, 60:220], scene, 60, 40))
    assert is_proved(likeness(scene[40:170, 60:220], scene, 61.5, 39))  # a pixel off: it is laid over exactly first


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_picture_is_not_proved(seed: int) -> None:
    assert not is_proved(likeness(draw_scene(seed)[40:170, 60:220], draw_scene(1), 60, 40))


def test_a_part_with_something_else_in_it_is_not_proved() -> None:
    scene = draw_scene(1)
    changed = scene[40:170, 60:220].copy()
    changed[40:90, 50:110] = draw_scene(9)[40:90, 50:110]
    assert not is_proved(likeness(changed, scene, 60, 40))


def test_what_only_overlaps_is_not_proved() -> None:
    scene = draw_scene(1)
    assert not is_proved(likeness(scene[:, 100:], scene[:, :220], 100, 0))


def test_too_little_detail_proves_nothing() -> None:
    found = Differences(20, 1.0, 0.0, 0.0, 0, 0, 1.0, 0.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0)
    alike = Likeness(1.0, 30, 20, 0.0, 0.0, 0.0, (0.1, 1.0), found)
    assert is_proved(alike)
    assert not is_proved(replace(alike, n_cells=10))
    assert not is_proved(replace(alike, n_detailed=3))
    assert not is_proved(replace(alike, differences=replace(found, n_cells=3)))
    assert not is_proved(replace(alike, covers=(0.5, 0.8)))


@pytest.mark.parametrize("far_px", [0.0, 2.0, 4.0])
def test_a_flat_logo_in_a_scene_is_proved_though_points_lay_it_roughly(far_px: float) -> None:
    scene, logo = picture_of(hang(draw_logo())), picture_of(draw_logo())
    assert prove(scene, logo, roughly(far_px)).says == "same"
    assert prove(logo, scene, np.linalg.inv(roughly(far_px))).says == "same"


SIBLINGS = {"letters": draw_logo("GAR"), "colour": draw_logo(ink=(90, 160, 30)), "place": draw_logo(at=(90, 170))}


@pytest.mark.parametrize("changed", SIBLINGS)
@pytest.mark.parametrize("far_px", [0.0, 2.0])
def test_a_logo_that_differs_in_one_thing_is_another(changed: str, far_px: float) -> None:
    scene = picture_of(hang(draw_logo()))
    assert prove(scene, picture_of(SIBLINGS[changed]), roughly(far_px)).says == "other"


def test_a_flat_logo_where_there_is_none_is_not_proved() -> None:
    scene = cv2.resize(draw_scene(4), (640, 480))
    assert prove(picture_of(np.asarray(scene, np.uint8)), picture_of(draw_logo()), roughly(0)).says == "nothing"


def test_a_wheel_is_proved_though_points_turn_it_by_a_blade() -> None:
    scene, wheel = picture_of(hang_without_ground(draw_wheel(turned=1))), picture_of(draw_wheel())
    place = [transform_to(SEEN_AT)]
    assert prove_drawing(scene, wheel, place).says == "nothing"
    assert prove_drawing(scene, wheel, place, may_turn=True).says == "same"


@pytest.mark.parametrize("changed", SIBLINGS)
def test_without_its_ground_a_sibling_is_not_the_same(changed: str) -> None:
    scene = picture_of(hang_without_ground(draw_logo()))
    assert prove_drawing(scene, picture_of(draw_logo()), [roughly(2.0)]).says == "same"
    assert prove_drawing(scene, picture_of(SIBLINGS[changed]), [roughly(2.0)]).says != "same"


def test_what_a_line_is_drawn_over_is_a_part() -> None:
    pixels = hang_without_ground(draw_logo())
    cv2.line(pixels, (230, 200), (370, 230), (250, 20, 150), 2)
    assert prove_drawing(picture_of(pixels), picture_of(draw_logo()), [roughly(2.0)]).says == "part"


def test_points_of_a_drawing_on_a_dark_ground_may_be_inverted_and_its_colours_not() -> None:
    found = replace(proof(8), variant="inverted")
    assert [way.variant for way in ways(found, is_flat=True)] == ["inverted", None]
    assert ways(found, is_flat=False) == [found]
    assert [way.variant for way in ways(proof(8), is_flat=True)] == [None]


def proof(n_inliers: int, *, laid: bool = True) -> Verification:
    return Verification(n_inliers, 1.0, 0.1, np.eye(3) if laid else None, NO_MATCHES)


def answer_of(shared: list[float], proofs: list[Verification]) -> Answer:
    images = np.arange(len(shared))
    evidence = {image: Evidence(0.1, probability) for image, probability in enumerate(shared)}
    return Answer(images, np.linspace(9, 1, len(shared)), dict(enumerate(proofs)), evidence, {})


def test_doubtful_are_the_first_that_points_lay_over_the_query() -> None:
    shared = [0.1, 0.9, 0.0, 0.2, 0.3, 0.4]
    proofs = [proof(6), proof(8), proof(2, laid=False), proof(6), proof(6), proof(6)]
    assert find_doubtful(answer_of(shared, proofs), VerifyOptions(), 40) == [0, 1, 3, 4][:N_DOUBTFUL]


def test_only_what_is_nearly_the_same_is_doubtful_where_something_is_clear() -> None:
    options = VerifyOptions()
    nearly = answer_of([0.999, 0.89, 0.95, 0.1, 0.96, 0.97], [proof(40), *[proof(8)] * 5])
    assert find_doubtful(nearly, options, 40) == [2, 4]
    assert find_doubtful(answer_of([0.999, 0.6], [proof(39), proof(8)]), options, 40) == [1]
    assert find_doubtful(answer_of([0.999, 0.6], [proof(40), proof(8)]), options, 40) == []


def test_of_a_flat_drawing_all_is_doubtful_but_what_is_clear() -> None:
    shared = [0.999, 0.6, 0.999, *[0.1] * 20]
    proofs = [proof(40), proof(8), proof(12), *[proof(5)] * 20]
    found = find_doubtful(answer_of(shared, proofs), VerifyOptions(), 40, is_flat=True)
    assert found == [2, 1, *range(3, 23)][:N_DOUBTFUL_FLAT]
