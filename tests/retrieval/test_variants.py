"""A query is asked in other ways: inverted, enlarged, in parts; and its proofs stay in its own pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.features.sift import extract_features, inverse_features, mirror_features
from bof.geometry import transforms
from bof.images.decode import Picture
from bof.options import EXTRACTORS, FeatureOptions, IndexOptions, SearchOptions
from bof.retrieval.enlarging import enlarged
from bof.retrieval.tilting import tilted
from bof.retrieval.variants import inverse, mirror_image
from bof.types import U8, Features
from tests.support.scenes import draw_scene, write_picture

N_SCENES = 8
DETAIL = (700, 500, 840, 640)
"""Where a small picture of the collection was cut from: x0, y0, x1, y1 in the large one."""


def large_scene() -> U8:
    """1,600 x 1,200 pixels, of which features are extracted at 1,024 x 768."""
    rows = [np.hstack([draw_scene(100 + 5 * row + column) for column in range(5)]) for row in range(5)]
    return np.asarray(np.vstack(rows)[:1200, :1600], np.uint8)


@pytest.fixture(scope="module")
def engine(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("variants")
    for seed in range(N_SCENES):
        write_picture(folder / f"scene-{seed}.png", draw_scene(seed))
    x0, y0, x1, y1 = DETAIL
    write_picture(folder / "detail.png", large_scene()[y0:y1, x0:x1])
    found = Engine.create(folder / "index", vocabulary_folder)
    found.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return found


def features_of(pixels: U8, extractor: str) -> Features:
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    picture = Picture(grey, grey.shape[1], grey.shape[0])
    return extract_features(picture, FeatureOptions(extractor=extractor))


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_inverse_features_are_those_of_the_inverted_picture(extractor: str) -> None:
    pixels = draw_scene(3)
    changed, extracted = inverse_features(features_of(pixels, extractor)), features_of(255 - pixels, extractor)
    apart_px = np.abs(changed.geometry.xy_px[:, None] - extracted.geometry.xy_px[None]).max(axis=2)
    turned = np.abs((changed.geometry.angle_deg[:, None] - extracted.geometry.angle_deg[None] + 180) % 360 - 180)
    ratio = np.abs(np.log(changed.geometry.scale_px[:, None] / extracted.geometry.scale_px[None]))
    is_twin = (apart_px < 0.1) & (turned < 1) & (ratio < 0.01)
    assert is_twin.any(axis=1).mean() > 0.97
    rows, twins = np.nonzero(is_twin)
    differ = changed.descriptors[rows].astype(np.float64) - extracted.descriptors[twins]
    assert np.median(np.linalg.norm(differ, axis=1)) <= 2  # of a length of 512
    straight = features_of(pixels, extractor).descriptors[rows].astype(np.float64) - extracted.descriptors[twins]
    assert np.median(np.linalg.norm(straight, axis=1)) > 100


def test_variants_undo_themselves() -> None:
    features = features_of(draw_scene(4), "native")
    for change in (inverse_features, mirror_features):
        twice = change(change(features))
        np.testing.assert_array_equal(twice.descriptors, features.descriptors)
        np.testing.assert_allclose(twice.geometry.xy_px, features.geometry.xy_px, atol=1e-4)


def test_the_inverse_moves_nothing_and_the_mirror_image_does() -> None:
    features = features_of(draw_scene(4), "native")
    np.testing.assert_array_equal(inverse(features).variant_from_query, np.eye(3))
    mirrored = mirror_image(features)
    moved = transforms.apply(mirrored.variant_from_query, features.geometry.xy_px)
    np.testing.assert_allclose(moved, mirrored.features.geometry.xy_px, atol=1e-3)


@pytest.mark.parametrize("seed", [0, 5])
def test_a_negative_is_the_same_and_says_so(engine: Engine, seed: int) -> None:
    first, *others = engine.search(255 - draw_scene(seed), channels="BGR")
    assert (first.name, first.verdict) == (f"scene-{seed}.png", "same")
    assert first.verification is not None
    assert (first.verification.variant, first.verification.mirrored) == ("inverted", False)
    assert first.verification.database_from_query is not None
    np.testing.assert_allclose(first.verification.database_from_query, np.eye(3), atol=0.01 * 320)
    assert not [hit for hit in others if hit.verdict == "same"]
    assert first.agreement is not None
    assert first.agreement.query_overlap > 0.9  # compared with its own negative


def test_never_means_that_a_negative_is_not_looked_for(engine: Engine) -> None:
    hits = engine.search(255 - draw_scene(0), SearchOptions(inverse="never"))
    assert not [hit for hit in hits if hit.verdict == "same"]


def test_what_was_found_straight_is_not_called_inverted(engine: Engine) -> None:
    first = engine.search(
        draw_scene(2), SearchOptions(inverse="always", mirror="always", enlarge="always", tilt="always")
    )[0]
    assert first.verification is not None
    assert (first.name, first.verification.variant) == ("scene-2.png", None)


def test_a_small_detail_of_a_large_picture_is_found_where_it_is(engine: Engine) -> None:
    blurred = cv2.GaussianBlur(large_scene(), (0, 0), 0.6)
    hit = next(hit for hit in engine.search(blurred, channels="BGR") if hit.name == "detail.png")
    assert hit.verdict == "same"
    assert hit.query_outline is not None
    low, high = hit.query_outline.min(axis=0), hit.query_outline.max(axis=0)
    np.testing.assert_allclose([*low, *high], np.array(DETAIL) - 0.5, atol=3)
    query = engine.query(blurred)
    ours, theirs = engine.matched_points(query, hit)
    np.testing.assert_allclose(ours - theirs, np.broadcast_to(DETAIL[:2], ours.shape), atol=3)


def test_parts_are_in_the_pixels_of_the_query(engine: Engine) -> None:
    query = engine.query(large_scene())
    parts = list(enlarged(query))
    assert len(parts) == 4
    for part in parts:
        assert part.query_xy_px is not None
        moved = transforms.apply(part.variant_from_query, part.query_xy_px)
        np.testing.assert_allclose(moved, part.features.geometry.xy_px, atol=1e-3)
    corners = np.concatenate([part.query_xy_px for part in parts if part.query_xy_px is not None])
    assert corners.max(axis=0).tolist() > [1400, 1000]


def test_a_picture_with_all_of_its_pixels_is_not_read_again(engine: Engine) -> None:
    assert not list(enlarged(engine.query(np.vstack([draw_scene(1), draw_scene(2)]))))
    assert [one.name for one in enlarged(engine.query(draw_scene(1)[:100, :100]))] == ["enlarged"]


def test_tilts_are_in_the_pixels_of_the_query(engine: Engine) -> None:
    query = engine.query(draw_scene(6), box=(40, 30, 300, 220), channels="BGR")
    found = list(tilted(query))
    assert [one.name for one in found] == ["tilted"] * 2
    for one in found:
        assert one.query_xy_px is not None
        assert len(one.query_xy_px) > 50
        assert np.all((one.query_xy_px >= [40, 30]) & (one.query_xy_px <= [300, 220]))
        moved = transforms.apply(one.variant_from_query, one.query_xy_px.astype(np.float64))
        np.testing.assert_allclose(moved, one.features.geometry.xy_px, atol=1e-2)
        assert abs(np.linalg.det(one.variant_from_query[:2, :2])) == pytest.approx(0.5, rel=0.01)


def test_a_picture_seen_from_aside_is_found_and_lies_where_it_is(engine: Engine) -> None:
    planted = np.array([[0.38, 0.0, 12.0], [0.0, 1.0, 5.0], [0.0, 0.0, 1.0]])
    aside = np.asarray(cv2.warpPerspective(cv2.GaussianBlur(draw_scene(7), (5, 1), 0), planted, (150, 250)), np.uint8)
    query = engine.query(aside, channels="BGR")

    def inliers(tilt: str) -> int:
        options = SearchOptions(tilt=tilt, mirror="never", inverse="never", enlarge="never")
        hit = next(hit for hit in engine.hits(query, engine.answer(query, options)) if hit.name == "scene-7.png")
        assert hit.verification is not None
        if hit.verification.variant == "tilted":
            assert hit.outline is not None
            expected = transforms.apply(np.asarray(np.linalg.inv(planted), np.float64), query.outline)
            assert np.abs(hit.outline - expected).max() < 40
        return hit.verification.n_inliers

    assert inliers("always") > inliers("never")
