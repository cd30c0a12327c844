"""Which pictures share which part: planted parts come back with their places, and nothing else is a pair."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.geometry import transforms
from bof.index import main
from bof.options import IndexOptions, ReuseOptions
from bof.reuse import finding
from bof.reuse.finding import find_reuse
from bof.reuse.types import ReuseGraph, SharedPart, box_of
from bof.store.index import Index
from bof.store.parts.making import repart
from bof.system.steps import Step
from scripts.reuse.__main__ import pairs_of
from scripts.reuse.books import compose, reuses
from tests.support.scenes import draw_scene, write_picture

PART = (260, 200)
PLACES = {"a.png": (60, 40, 1.0), "b.png": (200, 150, 1.4)}
"""Where the part lies in each picture, and how large."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures that share a part, a second file of the first, a mirror image of the second, two others."""
    place = tmp_path_factory.mktemp("reuse")
    part = draw_scene(500, *PART)
    for number, (name, (x, y, scale)) in enumerate(PLACES.items()):
        ground = draw_scene(600 + number, 640, 480)
        pasted = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        ground[y : y + pasted.shape[0], x : x + pasted.shape[1]] = pasted
        write_picture(place / name, ground)
        if name == "b.png":
            write_picture(place / "mirrored.png", np.ascontiguousarray(ground[:, ::-1]))
    shutil.copy(place / "a.png", place / "z.png")
    for number in range(2):
        write_picture(place / f"other-{number}.png", draw_scene(700 + number, 640, 480))
    with Engine.create(place / "index") as engine:
        engine.add([place], IndexOptions(workers=1))
    return place


def pair(graph: ReuseGraph, one: str, other: str) -> SharedPart:
    names = [picture.name for picture in graph.pictures]
    return next(found for found in graph.shared if [names[found.source], names[found.target]] == [one, other])


@pytest.fixture(scope="module")
def graph(folder: Path) -> ReuseGraph:
    return find_reuse(folder / "index")


def test_what_shares_a_part_is_a_pair_and_nothing_else_is(graph: ReuseGraph) -> None:
    expected = [{"a.png", "b.png"}, {"a.png", "z.png"}, {"a.png", "mirrored.png"}, {"b.png", "mirrored.png"}]
    assert pairs_of(graph) == {frozenset(names) for names in expected}
    assert [[graph.pictures[place].name for place in places] for places in graph.clusters] == [
        ["a.png", "b.png", "mirrored.png", "z.png"]
    ]
    assert (graph.n_pictures, graph.n_unread) == (6, 0)
    assert [found.mirrored for found in graph.shared] == [False, True, False, True]


def test_a_part_is_located_in_both_pictures(graph: ReuseGraph) -> None:
    found = pair(graph, "a.png", "b.png")
    assert (found.kind, found.basis) == ("part", "pixels")
    (x0, y0, _), (x1, y1, scale) = PLACES.values()
    corners = transforms.corners((0, 0, *PART))
    in_a, in_b = corners + np.array([x0, y0]), (corners + 0.5) * scale - 0.5 + np.array([x1, y1])
    assert np.abs(transforms.apply(found.target_from_source, in_a) - in_b).max() < 3.0
    for outline, expected in ((found.source_outline, in_a), (found.target_outline, in_b)):
        left, top, right, bottom = box_of(outline, graph.pictures[found.source])
        width, height = np.ptp(expected, axis=0)
        assert np.abs(np.array([left, top]) - expected.min(axis=0)).max() < 0.15 * width
        assert (right - left) * (bottom - top) > 0.6 * width * height
    assert found.agreement is not None
    assert found.agreement > 0.6


def test_the_same_bytes_and_a_mirror_image_are_the_same(graph: ReuseGraph) -> None:
    copy, mirrored = pair(graph, "a.png", "z.png"), pair(graph, "b.png", "mirrored.png")
    assert (copy.kind, copy.basis, copy.n_inliers, copy.source_share) == ("same", "content", 0, 1.0)
    assert (mirrored.kind, mirrored.mirrored) == ("same", True)
    assert np.allclose(mirrored.target_from_source, [[-1, 0, 639], [0, 1, 0], [0, 0, 1]], atol=0.02 * 640)


def test_the_index_alone_finds_what_is_not_mirrored(folder: Path) -> None:
    steps: list[Step] = []
    found = find_reuse(folder / "index", ReuseOptions(read="index"), steps.append)
    assert {frozenset({"a.png", "b.png"}), frozenset({"a.png", "z.png"})} <= pairs_of(found)
    assert not any(one.mirrored for one in found.shared)
    assert (steps[0].n_done, steps[-1].n_done, steps[-1].n_items) == (0, 5, 5)


@pytest.mark.parametrize("read", ["pictures", "index"])
def test_an_index_in_parts_has_the_same_graph(folder: Path, graph: ReuseGraph, tmp_path: Path, read: str) -> None:
    shutil.copytree(folder / "index", tmp_path / "index")
    options = ReuseOptions(read=read)  # type: ignore[arg-type]
    expected = graph if read == "pictures" else find_reuse(folder / "index", options)
    for n_parts in (2, 5):
        repart(Index.open(tmp_path / "index"), n_parts)
        found = find_reuse(tmp_path / "index", options)
        assert found.to_records() == expected.to_records()
        assert found.picture_records() == expected.picture_records()
    assert expected.to_records()


def test_what_cannot_be_read_again_rests_on_points(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.png"):
        shutil.copy(path, tmp_path)
    with Engine.create(tmp_path / "index") as engine:
        engine.add([tmp_path], IndexOptions(workers=1))
        (tmp_path / "b.png").unlink()
        found = find_reuse(engine, ReuseOptions(neighbours=2))
    assert found.n_unread == 1
    assert pair(found, "a.png", "b.png").basis == "points"
    assert pair(found, "a.png", "b.png").agreement is None


def test_every_reuse_in_books_is_a_pair_and_the_template_is_none(tmp_path: Path) -> None:
    """Two blocks on 14 pages; python -m scripts.reuse has more."""
    pages = compose(tmp_path / "pages", 2, seed=3)
    truth = reuses(pages)
    with Engine.create(tmp_path / "index") as engine:
        engine.add([tmp_path / "pages"], IndexOptions(workers=1))
        graph = find_reuse(engine)
    found = pairs_of(graph)
    assert len(found & truth.keys()) >= 0.9 * len(truth)
    assert found <= truth.keys()
    names = [picture.name for picture in graph.pictures]
    uses = {frozenset({names[one.source], names[one.target]}): one.mirrored for one in graph.shared}
    assert all(is_mirrored == (truth[names] == "mirrored") for names, is_mirrored in uses.items())


# -- The command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_what_was_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / name) for name in ("g.json", "g.html", "g.csv")]
    arguments = ["--index", str(folder / "index"), "--graph-read", "index"]
    assert main([*arguments, "--graph", *files]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.csv", "g.html", "g.json", "g.nodes.csv"]
    assert capsys.readouterr().out.count("cluster") == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--graph", "x.gexf"], ".graphml"),
        (["--graph", "x.json", "--graph-order", "year"], "--graph FILE.html"),
        (["--graph", "x.html", "--graph-order", "yaer"], "a field of the pictures"),
        (["--graph", "nowhere/x.json"], "nowhere"),
        (["--graph", "photo.csv"], "a picture of yours"),
    ],
)
def test_wrong_files_and_fields_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    given: list[str], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "a.png", tmp_path / "photo.csv")
    assert main(["--index", str(folder / "index"), *given]) != 0
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.csv"]


def test_ctrl_c_leaves_the_file_as_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(finding, "in_threads", interrupted)
    (tmp_path / "g.json").write_text("before")
    assert main(["--index", str(folder / "index"), "--graph", str(tmp_path / "g.json")]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("g.json", "before")]
