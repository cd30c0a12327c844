"""Long pictures in tiles: all of the long side is seen, each feature once, and where it lies in the whole."""

from __future__ import annotations

import numpy as np
import pytest

from bof.features.sift import extract_features
from bof.features.tiles import tiles_of
from bof.images.decode import Picture, to_grey
from bof.images.pixels import shrink
from bof.ingest.extract import shrinking_note
from bof.options import ADAPTIVE, PLAIN, Extent, FeatureOptions, long_side_of
from bof.types import U8, reference_side
from tests.support.scenes import draw_scene


def strip(n: int = 8) -> U8:
    """Scenes side by side, grey u8 (240, 320 n)."""
    return np.concatenate([to_grey(draw_scene(seed, 320, 240)) for seed in range(n)], axis=1)


@pytest.mark.parametrize(("long", "side"), [(1025, 1024), (2000, 1024), (20_000, 1024), (5000, 200), (300, 16)])
def test_tiles_cover_a_side_once(long: int, side: int) -> None:
    tiles = tiles_of(long, side)
    assert [tile.first for tile in tiles[1:]] == [tile.stop for tile in tiles[:-1]]
    assert (tiles[0].first, tiles[-1].stop) == (0, long)
    assert all(0 <= tile.begin <= tile.first < tile.stop <= tile.end <= long for tile in tiles)
    assert side < 200 or max(tile.end - tile.begin for tile in tiles) <= side


@pytest.mark.parametrize("is_tall", [False, True])
def test_features_of_a_long_picture_are_those_of_its_pieces_where_they_lie(is_tall: bool) -> None:
    pixels = strip()
    turned = np.ascontiguousarray(pixels.T) if is_tall else pixels
    options = FeatureOptions(max_side=512, max_features=400)
    found = extract_features(Picture(turned, turned.shape[1], turned.shape[0]), options)
    along = found.geometry.xy_px[:, 1 if is_tall else 0]
    in_scene = np.histogram(along, bins=8, range=(0, 2560))[0]
    assert in_scene.min() > 100
    piece = np.ascontiguousarray(turned[960:1440] if is_tall else turned[:, 960:1440])
    alone = extract_features(Picture(piece, piece.shape[1], piece.shape[0]), options.replaced(max_features=150))
    moved = alone.geometry.xy_px + np.array([0, 960] if is_tall else [960, 0], np.float32)
    middle = (moved[:, 1 if is_tall else 0] > 1100) & (moved[:, 1 if is_tall else 0] < 1300)
    apart = np.linalg.norm(moved[middle][:, None] - found.geometry.xy_px, axis=2).min(axis=1)
    assert np.mean(apart < 0.5) > 0.9


def test_the_plain_reading_takes_no_tiles() -> None:
    pixels = strip()
    picture = Picture(pixels, pixels.shape[1], pixels.shape[0])
    plain = extract_features(picture, FeatureOptions(max_side=512, max_features=400, reading=PLAIN))
    assert len(plain) <= 400


def test_ordinary_pictures_have_the_extent_of_their_side() -> None:
    for width, height in ((4000, 3000), (3000, 4000), (2500, 1000), (1, 1), (2000, 2000)):
        assert long_side_of(Extent(1024), width, height) == long_side_of(1024, width, height)
        assert Extent(1024).areas(width, height) == 1.0


@pytest.mark.parametrize(("width", "height"), [(800, 6000), (20_000, 480), (100_000, 480), (1 << 20, 1), (3001, 1200)])
def test_long_pictures_have_more_pixels_within_a_limit(width: int, height: int) -> None:
    limit = Extent(1024)
    long = long_side_of(limit, width, height)
    area = long * long * min(width, height) / max(width, height)
    assert 1024 < long <= max(width, height)
    assert area <= 8.01 * 1024**2
    assert 1.0 <= limit.areas(width, height) <= 8.0


def test_pictures_are_shrunk_to_their_extent() -> None:
    assert shrink(np.zeros((6000, 800), np.uint8), Extent(1024)).shape == (4800, 640)
    assert shrink(np.zeros((600, 800), np.uint8), Extent(1024)).shape == (600, 800)


@pytest.mark.parametrize(("width", "height", "is_said"), [(20_000, 480, False), (200_000, 400, True), (800, 60, False)])
def test_what_was_shrunk_too_much_is_said(width: int, height: int, is_said: bool) -> None:
    shown = shrink(np.zeros((height, width), np.uint8), Extent(1024))
    note = shrinking_note(Picture(shown, width, height))
    assert (f"{width} x {height} pixels were read as {shown.shape[1]} x" in note) == is_said


def test_geometry_measures_a_long_picture_by_its_short_side() -> None:
    assert reference_side(640, 480) == reference_side(480, 640) == 640
    assert reference_side(20_000, 480) == 3840


def test_facts_of_features_say_the_reading_unless_it_is_plain() -> None:
    assert "reading" not in FeatureOptions(reading=PLAIN).fact
    assert FeatureOptions().fact["reading"] == ADAPTIVE
    for reading in (PLAIN, ADAPTIVE):
        options = FeatureOptions(reading=reading)
        assert FeatureOptions.from_fact(options.fact) == options
    assert FeatureOptions.from_fact({"max_side": 1024}).reading == PLAIN
