"""A clean drawing is searched with: where it hangs it is proved, where a sibling hangs it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.geometry.transforms import apply
from bof.geometry.verification import MIN_LOCATED
from bof.options import IndexOptions
from tests.support.flat import SEEN_AT, draw_logo, hang
from tests.support.scenes import draw_scene, write_picture

HUNG = {
    "right": draw_logo(), "letters": draw_logo("GAR"), "colour": draw_logo(ink=(90, 160, 30)),
    "place": draw_logo(at=(90, 170)),
}  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Of the vocabulary that comes with bof: that of the other tests has too few words for so few features."""
    folder = tmp_path_factory.mktemp("flat")
    for seed, (name, logo) in enumerate(HUNG.items()):
        write_picture(folder / f"{name}.png", hang(logo, seed)[..., ::-1])
    for seed in range(50, 58):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    found = Engine.create(folder / "index")
    found.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return found


def test_only_where_all_of_it_hangs_is_it_the_same(engine: Engine) -> None:
    hits = engine.search(draw_logo(), channels="RGB")
    assert (hits[0].name, hits[0].verdict, hits[0].basis) == ("right.png", "same", "pixels")
    assert [hit.name for hit in hits if hit.verdict == "same"] == ["right.png"]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_each_sibling_is_found_with_its_own_drawing(engine: Engine) -> None:
    for name, logo in HUNG.items():
        assert [hit.name for hit in engine.search(logo, channels="RGB") if hit.verdict == "same"] == [f"{name}.png"]


def test_where_few_points_lie_right_all_of_it_is_laid_right(engine: Engine) -> None:
    best = engine.search(draw_logo(), channels="RGB")[0]
    assert best.outline is not None
    np.testing.assert_allclose(best.outline, SEEN_AT, atol=2)


def test_what_too_few_points_lay_over_it_is_shown_nowhere(engine: Engine) -> None:
    hits = engine.search(draw_logo(), channels="RGB")
    strangers = [hit.verification for hit in hits if hit.name.startswith("stranger")]
    few = [found for found in strangers if found and found.n_inliers < MIN_LOCATED]
    assert few
    assert all(found.database_from_query is None for found in few)


def test_a_drawing_on_another_ground_is_proved_by_what_is_drawn(shared: Path, tmp_path: Path) -> None:
    case = shared / "cases" / "flat-logo-25pct"
    with Engine.create(tmp_path / "index") as engine:
        engine.add([case / "db"], IndexOptions(workers=1))
        hits = engine.search(case / "q-logo.png")
        assert [hit.name for hit in hits if hit.verdict == "same"] == ["scene.jpg"]
        found = hits[0].verification
        assert found is not None
        assert found.n_inliers == len(found.inliers) < 20
        ours, theirs = engine.matched_points(engine.query(case / "q-logo.png"), hits[0])
        assert found.database_from_query is not None
        off = np.linalg.norm(apply(found.database_from_query, ours.astype(np.float64)) - theirs, axis=1)
        assert off.max() < 0.03 * 1024
        assert [hit.name for hit in engine.search(case / "q-logo3.png") if hit.verdict == "same"] == ["scene3.jpg"]


def test_a_small_wheel_that_is_turned_by_a_blade_in_grey_is_proved(shared: Path, tmp_path: Path) -> None:
    case = shared / "cases" / "logo-3pct-star"
    with Engine.create(tmp_path / "index") as engine:
        engine.add([case / "db"], IndexOptions(workers=1))
        (hit,) = engine.search(case / "logo3_3.png")
        assert (hit.name, hit.verdict) == ("T-logo3-3.jpg", "same")
