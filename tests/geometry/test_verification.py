"""verification: planted transforms come back among outliers, chance is not believed, photographs are located."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.geometry.hypotheses import MAX_PAIRS, placement_of
from bof.geometry.transforms import apply
from bof.geometry.verification import MIN_LOCATED, agreeing, similarities, verify, verify_all
from bof.images.decode import read_image
from bof.options import IndexOptions, VerifyOptions
from bof.types import F64, I64, Correspondences, Geometry, Verification

OPTIONS = VerifyOptions()
MANY = 10
"""Inliers that chance does not gather."""
WIDTH, HEIGHT = 1000, 800
DIAGONAL = np.hypot(WIDTH, HEIGHT)
CORNERS = np.array([[0.0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]])


# -- Planted matches --------------------------------------------------------------------------------------------------


def geometry(xy: F64, scale: F64, angle: F64, width: int = WIDTH, height: int = HEIGHT) -> Geometry:
    places, sizes, angles = (np.asarray(column, np.float32) for column in (xy, scale, angle % 360))
    return Geometry(places, sizes, angles, width, height)


def similarity(scale: float, degrees: float, x: float, y: float) -> F64:
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[a, -b, x], [b, a, y], [0.0, 0.0, 1.0]])


TRANSFORMS = {
    "identity": np.eye(3),
    "similarity": similarity(0.7, 35, 250, -60),
    "enlarging": similarity(1.6, -100, -200, 900),
    "upside down": similarity(1.0, 180, 1000, 800),
    "affine": np.array([[0.9, 0.25, -40], [-0.15, 0.7, 120], [0, 0, 1.0]]),
    "homography": np.array([[0.88, 0.31, -39], [-0.18, 0.94, 153], [2e-4, -1.6e-5, 1.0]]),
}


def slope(transform: F64, xy: F64) -> F64:
    """The Jacobian f64 (n, 2, 2) of a transform at points."""
    step = 0.01
    along = [(apply(transform, xy + d) - apply(transform, xy - d)) / (2 * step) for d in np.eye(2) * step]
    return np.stack(along, axis=2)


class Scene:
    """n true features in each picture, the first `n - n_outliers` of them related by a transform."""

    def __init__(self, transform: F64, n: int, outliers: float, seed: int, noise_px: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        self.n_true = n - round(n * outliers)
        xy = rng.uniform(0, 1, (n, 2)) * [WIDTH, HEIGHT]
        size, angle = rng.uniform(5, 40, n), rng.uniform(0, 360, n)
        jacobian = slope(transform, xy)
        pointing = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=1)
        u, v = np.einsum("nij,nj->ni", jacobian, pointing).T
        mapped_xy = apply(transform, xy) + rng.normal(0, noise_px, (n, 2))
        mapped_size = size * np.sqrt(np.abs(np.linalg.det(jacobian))) * np.exp(rng.normal(0, 0.05, n))
        mapped_angle = np.degrees(np.arctan2(v, u)) + rng.normal(0, 3, n)
        wrong = slice(self.n_true, n)
        mapped_xy[wrong] = rng.uniform(0, 1, (n - self.n_true, 2)) * [WIDTH, HEIGHT]
        mapped_size[wrong] = rng.uniform(5, 40, n - self.n_true)
        mapped_angle[wrong] = rng.uniform(0, 360, n - self.n_true)
        self.query, self.database = geometry(xy, size, angle), geometry(mapped_xy, mapped_size, mapped_angle)
        self.matches = strongest_first(np.arange(n), np.arange(n), rng.uniform(0.1, 1, n))

    def verify(self) -> Verification:
        return verify(self.query, self.database, self.matches, OPTIONS)


def strongest_first(query: I64, database: I64, weight: F64) -> Correspondences:
    order = np.lexsort((database, query, -weight))
    return Correspondences(query[order].astype(np.int32), database[order].astype(np.uint16), weight[order])


def corner_error(found: F64, true: F64) -> float:
    return float(np.linalg.norm(apply(found, CORNERS) - apply(true, CORNERS), axis=1).max() / DIAGONAL)


@pytest.mark.parametrize("outliers", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_planted_transform_comes_back(name: str, outliers: float) -> None:
    transform, errors = TRANSFORMS[name], []
    for seed in range(6):
        scene = Scene(transform, 120, outliers, seed)
        found = scene.verify()
        assert found.database_from_query is not None
        assert found.database_from_query[2, 2] == 1
        assert found.n_inliers >= MANY
        errors.append(corner_error(found.database_from_query, transform))
    assert max(errors) < 0.02, errors


@pytest.mark.parametrize("seed", range(5))
def test_hardly_an_outlier_is_taken_for_an_inlier(seed: int) -> None:
    scene = Scene(TRANSFORMS["homography"], 120, 0.5, seed)
    found = scene.verify()
    assert (found.inliers.query >= scene.n_true).sum() <= 1
    assert found.n_inliers > 0.6 * scene.n_true


def patch_of_matches(seed: int, n: int, half_px: float, noise_px: float) -> tuple[F64, F64, Verification]:
    """A small flat object somewhere in the picture: its transform, its places in the query, and what is found."""
    rng = np.random.default_rng(seed)
    scale, turn = rng.uniform(0.7, 1.4), rng.uniform(-30, 30)
    transform = similarity(scale, turn, 50, 30)
    xy = rng.uniform([200, 200], [800, 600]) + rng.uniform(-half_px, half_px, (n, 2))
    size, angle = rng.uniform(5, 30, n), rng.uniform(0, 360, n)
    mapped = apply(transform, xy) + rng.normal(0, noise_px, (n, 2))
    matches = strongest_first(np.arange(n), np.arange(n), np.linspace(2, 1, n))
    database = geometry(mapped, scale * size, angle + turn)
    return transform, xy, verify(geometry(xy, size, angle), database, matches, OPTIONS)


@pytest.mark.parametrize("n", [12, 20])
def test_no_perspective_is_read_into_noise(n: int) -> None:
    """A few matches close together, a pixel off: an affine fit puts the corners within 2 %, and so must verify."""
    errors = []
    for seed in range(40):
        transform, _, found = patch_of_matches(seed, n, half_px=90, noise_px=1)
        assert found.database_from_query is not None
        errors.append(corner_error(found.database_from_query, transform))
    assert np.percentile(errors, 90) < 0.02, sorted(errors)[-10:]


def test_a_query_lies_before_the_horizon() -> None:
    """The outline of a hit is drawn through the query's corners: behind the horizon it would be nonsense."""
    behind = []
    for seed in range(120):
        _, xy, found = patch_of_matches(seed, 12, half_px=80, noise_px=4)
        if found.database_from_query is not None:
            depth = np.concatenate([CORNERS, xy]) @ found.database_from_query[2, :2] + 1
            if depth.min() * depth.max() <= 0:
                behind.append(seed)
    assert behind == []


# -- What counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_inliers_are_one_to_one(seed: int) -> None:
    """Every query feature also matches the features of its neighbours, as repeated texture does."""
    scene = Scene(TRANSFORMS["affine"], 60, 0.2, seed)
    query, database = np.divmod(np.arange(240), 4)
    matches = strongest_first(query, (query + database) % 60, np.where(database == 0, 1.0, 0.5))
    found = verify(scene.query, scene.database, matches, OPTIONS)
    assert found.n_inliers == len(found.inliers) > 20
    assert len(set(found.inliers.query.tolist())) == len(set(found.inliers.database.tolist())) == found.n_inliers


def test_the_weight_is_that_of_the_inliers() -> None:
    found = Scene(TRANSFORMS["affine"], 60, 0.4, 0).verify()
    assert found.inlier_weight == pytest.approx(found.inliers.weight.sum())


def repeated(g: Geometry, row: int, times: int) -> Geometry:
    """A picture whose feature `row` is there so many times more."""
    return g.take(np.concatenate([np.arange(len(g)), np.full(times, row)]))


def test_features_at_one_spot_count_once() -> None:
    scene = Scene(np.eye(3), 1, 0, 0)
    query, database, n = repeated(scene.query, 0, 19), repeated(scene.database, 0, 19), np.arange(20)
    found = verify(query, database, strongest_first(n, n, np.linspace(2, 1, 20)), OPTIONS)
    assert found.n_inliers == 1
    assert found.database_from_query is None


def test_copies_of_a_match_add_nothing() -> None:
    scene = Scene(TRANSFORMS["similarity"], 12, 0, 1)
    alone = scene.verify()
    query, database = repeated(scene.query, 3, 20), repeated(scene.database, 3, 20)
    weight = np.concatenate([scene.matches.weight[np.argsort(scene.matches.query)], np.full(20, 0.05)])
    found = verify(query, database, strongest_first(np.arange(32), np.arange(32), weight), OPTIONS)
    assert found.n_inliers == alone.n_inliers >= 10


def test_chance_is_not_believed() -> None:
    n_inliers = [Scene(np.eye(3), 192, 1.0, seed).verify().n_inliers for seed in range(100)]
    assert sum(n >= MANY for n in n_inliers) <= 1, sorted(n_inliers)[-10:]
    assert sum(n >= MIN_LOCATED for n in n_inliers) <= 10, sorted(n_inliers)[-10:]


@pytest.mark.parametrize("seed", range(5))
def test_a_mirrored_picture_is_not_verified(seed: int) -> None:
    """A mirror turns every descriptor into another; should they match nonetheless, their angles disagree."""
    mirror = np.array([[-1.0, 0, WIDTH], [0, 1, 0], [0, 0, 1]])
    found = Scene(mirror, 100, 0, seed).verify()
    assert found.n_inliers < MANY
    assert not found.mirrored


def test_a_mirrored_picture_whose_features_stand_upright_is_not_verified() -> None:
    """Positions alone are mirrored, so angles cannot tell: all are alike, and not 0, which would say that there are
    none.
    """
    rng = np.random.default_rng(0)
    xy, size, angle, n = rng.uniform(0, 800, (100, 2)), np.full(100, 10.0), np.ones(100), np.arange(100)
    mirrored = xy * [-1, 1] + [WIDTH, 0]
    matches = strongest_first(n, n, np.linspace(2, 1, 100))
    found = verify(geometry(xy, size, angle), geometry(mirrored, size, angle), matches, OPTIONS)
    assert not found.mirrored
    assert found.n_inliers < MANY


@pytest.mark.parametrize("n", range(5))
def test_fewer_than_five_matches_prove_nothing(n: int) -> None:
    scene = Scene(np.eye(3), 5, 0, 0)
    rows = np.arange(n)
    found = verify(scene.query, scene.database, strongest_first(rows, rows, np.ones(n)), OPTIONS)
    assert found.database_from_query is None
    assert found.n_inliers <= n
    assert (len(found.inliers), found.inlier_weight, found.spread) == (0, 0, 0)


@pytest.mark.parametrize("n", range(4, 9))
def test_there_is_a_transform_where_enough_agree(n: int) -> None:
    found = Scene(TRANSFORMS["similarity"], n, 0, n).verify()
    assert (found.database_from_query is not None) == (found.n_inliers >= MIN_LOCATED)
    assert len(found.inliers) == (found.n_inliers if found.n_inliers >= MIN_LOCATED else 0)


# -- How wide the inliers lie -----------------------------------------------------------------------------------------


def narrowest(xy: F64) -> float:
    """The smallest standard deviation of points over every direction, a quarter of a degree apart."""
    angle = np.radians(np.arange(0, 180, 0.25))
    along = xy @ np.array([np.cos(angle), np.sin(angle)])
    return float(along.std(axis=0, ddof=1).min())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_spread_is_the_narrowest_of_both_pictures(name: str) -> None:
    scene = Scene(TRANSFORMS[name], 80, 0.3, 2)
    found = scene.verify()
    query_xy = scene.query.xy_px[found.inliers.query].astype(np.float64) / WIDTH
    database_xy = scene.database.xy_px[found.inliers.database].astype(np.float64) / WIDTH
    assert found.spread == pytest.approx(min(narrowest(query_xy), narrowest(database_xy)), rel=1e-3)


def in_a_band(height_px: float) -> Verification:
    """40 features of an unmoved picture, in a band across its middle."""
    rng, n = np.random.default_rng(0), np.arange(40)
    xy = np.column_stack([np.linspace(30, 970, 40), 400 + rng.uniform(-0.5, 0.5, 40) * height_px])
    where = geometry(xy, np.full(40, 10.0), np.full(40, 30.0))
    return verify(where, where, strongest_first(n, n, np.linspace(2, 1, 40)), OPTIONS)


def test_points_along_a_line_are_narrow() -> None:
    spreads = [in_a_band(height).spread for height in (20, 80, 320)]
    assert [spreads[1] / spreads[0], spreads[2] / spreads[1]] == pytest.approx([4, 4], rel=0.02)
    assert spreads[0] < 0.01 < spreads[2]


# -- Many pictures at once --------------------------------------------------------------------------------------------


def test_a_shortlist_is_verified_as_each_picture_alone() -> None:
    """One query, many pictures: some related to it, some by chance, one without a match, one of another size."""
    query = Scene(np.eye(3), 90, 0, 0).query
    databases, matches = [], []
    for i, transform in enumerate([*TRANSFORMS.values()] * 14):
        scene = Scene(transform, 90, 1.0 if i % 3 == 2 else 0.4, 0)
        databases.append(scene.database if i % 5 else enlarged(scene.database, 2))
        matches.append(scene.matches.take(slice(0 if i == 7 else 90 - i)))
    alone = [verify(query, d, m, OPTIONS) for d, m in zip(databases, matches, strict=True)]
    assert 0 < sum(found.database_from_query is None for found in alone) < len(alone)
    assert together(query, databases, matches) == [as_bytes(found) for found in alone]


def together(query: Geometry, databases: list[Geometry], matches: list[Correspondences]) -> list[tuple[object, ...]]:
    indptr = np.cumsum([0, *map(len, matches)])
    parts = [placement_of(d.take(m.database)) for d, m in zip(databases, matches, strict=True)]
    placed = np.concatenate(parts, axis=1)
    columns = (np.concatenate([getattr(m, name) for m in matches]) for name in ("query", "database", "weight"))
    sizes = [(d.width, d.height) for d in databases]
    return [as_bytes(found) for found in verify_all(query, sizes, placed, indptr, Correspondences(*columns), OPTIONS)]


# -- What must not show -----------------------------------------------------------------------------------------------


def as_bytes(found: Verification) -> tuple[object, ...]:
    transform = None if found.database_from_query is None else found.database_from_query.tobytes()
    columns = (found.inliers.query.tolist(), found.inliers.database.tolist(), found.inliers.weight.tolist())
    return found.n_inliers, found.inlier_weight, found.spread, transform, columns


@pytest.mark.parametrize("outliers", [0.3, 0.8])
def test_the_order_in_which_matches_were_found_does_not_show(outliers: float) -> None:
    scene = Scene(TRANSFORMS["homography"], 150, outliers, 0)
    query, database = scene.matches.query.astype(np.int64), scene.matches.database.astype(np.int64)
    weight = np.round(scene.matches.weight, 1)
    expected = as_bytes(verify(scene.query, scene.database, strongest_first(query, database, weight), OPTIONS))
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(150)
        shuffled = strongest_first(query[order], database[order], weight[order])
        assert as_bytes(verify(scene.query, scene.database, shuffled, OPTIONS)) == expected


def test_the_strongest_matches_decide() -> None:
    scene = Scene(TRANSFORMS["affine"], 100, 0, 0)
    rng, n_noise = np.random.default_rng(1), 400
    query = np.concatenate([np.arange(100), rng.integers(0, 100, n_noise)])
    database = np.concatenate([np.arange(100), rng.integers(0, 100, n_noise)])
    weight = np.concatenate([np.linspace(2, 1, 100), rng.uniform(0, 0.5, n_noise)])
    found = verify(scene.query, scene.database, strongest_first(query, database, weight), OPTIONS)
    assert len(found.inliers) <= MAX_PAIRS
    assert found.database_from_query is not None
    assert corner_error(found.database_from_query, TRANSFORMS["affine"]) < 0.02


def enlarged(g: Geometry, zoom: int) -> Geometry:
    xy_px = (g.xy_px + np.float32(0.5)) * np.float32(zoom) - np.float32(0.5)
    return Geometry(xy_px, g.scale_px * np.float32(zoom), g.angle_deg, g.width * zoom, g.height * zoom)


def test_the_size_of_a_picture_does_not_show() -> None:
    scene = Scene(TRANSFORMS["homography"], 100, 0.4, 0)
    small, large = scene.verify(), verify(enlarged(scene.query, 4), scene.database, scene.matches, OPTIONS)
    assert small.inliers.query.tolist() == large.inliers.query.tolist()
    assert small.database_from_query is not None
    assert large.database_from_query is not None
    on_large = apply(large.database_from_query, (CORNERS + 0.5) * 4 - 0.5)
    assert np.abs(on_large - apply(small.database_from_query, CORNERS)).max() < 0.1


# -- Photographs ------------------------------------------------------------------------------------------------------

SEQUENCES = ("bark", "bikes", "boat", "graf", "leuven", "trees", "ubc", "wall")


@pytest.fixture(scope="module")
def affine_engine(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The second and third picture of every sequence, described with the vocabulary that ships with bof."""
    paths = [shared / "affine" / name / f"img{number}.jpg" for name in SEQUENCES for number in (2, 3)]
    with Engine.create(tmp_path_factory.mktemp("affine") / "index") as engine:
        engine.add(paths, IndexOptions(workers=1))
        yield engine


def location_errors(engine: Engine, folder: Path) -> dict[str, float]:
    """How far each located corner of img1 is off, as a fraction of the diagonal of the picture that it was found in."""
    picture = read_image(folder / "img1.jpg", grey=True, max_side=engine.features.max_side)
    w, h = picture.width - 1.0, picture.height - 1.0
    corners = np.array([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]])
    query = engine.prepare(picture)
    hits = {hit.path: hit for hit in engine.hits(query, engine.answer(query), top=16)}
    errors = {}
    for number in (2, 3):
        hit, true = hits[folder / f"img{number}.jpg"], np.loadtxt(folder / f"H1to{number}p")
        found = hit.verification.database_from_query if hit.verification else None
        distance = np.full(4, np.inf) if found is None else apply(found, corners) - apply(true, corners)
        error = np.linalg.norm(distance.reshape(4, -1), axis=1).max() / np.hypot(hit.width, hit.height)
        errors[f"{folder.name} 1 -> {number}"] = float(error)
    return errors


def test_the_photographs_of_every_sequence_are_located(affine_engine: Engine, shared: Path) -> None:
    errors: dict[str, float] = {}
    for name in SEQUENCES:
        errors |= location_errors(affine_engine, shared / "affine" / name)
    table = "\n".join(f"{pair:<15} {100 * error:.2f} % of the diagonal" for pair, error in errors.items())
    print(table)
    assert len(errors) == 16
    assert max(errors.values()) < 0.02, table


@pytest.mark.parametrize("name", ["identity", "similarity", "enlarging", "upside down"])
def test_each_match_alone_says_how_pictures_lie(name: str) -> None:
    scene = Scene(TRANSFORMS[name], 20, 0.0, 3, noise_px=0.0)
    found = similarities(scene.query, scene.database, scene.matches)
    assert len(found) == len(scene.matches)
    assert max(corner_error(one, TRANSFORMS[name]) for one in found) < 0.2  # sizes and angles are noisy
    assert np.median([corner_error(one, TRANSFORMS[name]) for one in found]) < 0.1


def test_matches_that_a_transform_explains_are_one_to_one() -> None:
    scene = Scene(TRANSFORMS["similarity"], 60, 0.5, 3)
    twice = join(scene.matches, scene.matches)
    found = agreeing(scene.query, scene.database, twice, TRANSFORMS["similarity"], OPTIONS.tolerance)
    assert set(range(scene.n_true)) <= set(found.query.tolist())
    assert len(found) < 40
    assert len(set(found.query.tolist())) == len(set(found.database.tolist())) == len(found)
    assert not len(agreeing(scene.query, scene.database, twice, np.diag([9.0, 9.0, 1.0]), 1e-6))


@pytest.mark.parametrize("least", [4, MIN_LOCATED])
def test_fewer_inliers_are_enough_where_pixels_decide_and_matches_are_told_where_there_are_none(least: int) -> None:
    scene = Scene(TRANSFORMS["similarity"], 5, 0.0, 3)
    few = scene.matches.take(slice(2))
    indptr, matches = np.array([0, 5, 7]), join(scene.matches, few)
    placed = placement_of(scene.database.take(matches.database))
    sizes = [(WIDTH, HEIGHT)] * 2
    located, lost = verify_all(scene.query, sizes, placed, indptr, matches, OPTIONS, least)
    assert (located.database_from_query is not None) == (least == 4)
    assert lost.database_from_query is None
    assert len(lost.inliers) == 0
    assert (lost.tentative is None) == (least == MIN_LOCATED)
    assert lost.tentative is None or len(lost.tentative) == 2


def join(one: Correspondences, other: Correspondences) -> Correspondences:
    columns = zip((one.query, one.database, one.weight), (other.query, other.database, other.weight), strict=True)
    return Correspondences(*(np.concatenate(pair) for pair in columns))
