"""The contact sheet of a film: every frame that the index has of it, with its time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bof import index
from bof.engine import Engine
from bof.images.contact_sheet import draw_contact_sheet
from bof.images.draw import GAP_PX
from bof.images.films.film import Film
from bof.images.films.times import times_of
from tests.support.films import pan, write_film
from tests.support.scenes import draw_scene, write_picture

pytest.importorskip("av")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    write_film(folder / "a.mp4", [frame for seed in (1, 2) for frame in pan(seed, 20, 2)], rate=10)
    write_picture(folder / "b.png", draw_scene(3))
    assert index.main([str(folder), "--index", str(folder / "index"), "--workers", "1"]) == 0
    return folder


@pytest.mark.parametrize("as_path", [True, False])
def test_frames_are_drawn_in_the_order_of_their_times(
    collection: Path, tmp_path: Path, as_path: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "sheet.jpg"
    film = str(collection / "a.mp4") if as_path else "a.mp4"
    assert index.main(["--index", str(collection / "index"), "--contact-sheet", film, str(target)]) == 0
    with Engine.open(collection / "index") as engine:
        times = sorted(each.time for record in engine.records() if (each := times_of(record.path.rpartition("#")[2])))
    assert f"drew {len(times)} frames" in capsys.readouterr().out
    sheet = cv2.imread(str(target))[:, :, ::-1].astype(float)
    with Film(str(collection / "a.mp4")) as opened:
        frames = [opened.frame_at(time, max_side=320).pixels.astype(float) for time in times]
    height, width = frames[0].shape[:2]
    for number, frame in enumerate(frames[:6]):
        left = GAP_PX + number * (width + GAP_PX)
        drawn = sheet[GAP_PX : GAP_PX + height, left : left + width]
        assert np.abs(drawn - frame).mean() < 8
        assert all(np.abs(drawn - other).mean() > 8 for other in frames if np.abs(other - frame).mean() > 16)


def test_what_is_no_film_of_the_index_is_named(
    collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in ("b.png", "c.mp4"):
        assert index.main(["--index", str(collection / "index"), "--contact-sheet", wrong, str(tmp_path / "s.jpg")]) > 0
        error = capsys.readouterr().err
        assert wrong in error
        assert "a film of the index" in error
    assert not (tmp_path / "s.jpg").exists()


def test_a_photograph_is_never_written_over(collection: Path) -> None:
    before = (collection / "b.png").read_bytes()
    assert index.main(["--index", str(collection / "index"), "--contact-sheet", "a.mp4", str(collection / "b.png")]) > 0
    assert (collection / "b.png").read_bytes() == before


def test_cells_are_as_large_as_the_largest_picture() -> None:
    small, large = np.full((20, 100, 3), 1, np.uint8), np.full((40, 160, 3), 2, np.uint8)
    sheet = draw_contact_sheet([small, large, small], ["", "", ""], 2)
    assert (sheet == 2).any(axis=2).sum() >= large.shape[0] * large.shape[1]
    assert sheet.shape[1] == 2 * (160 + GAP_PX) + GAP_PX
