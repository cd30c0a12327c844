"""Groups of duplicates: what was done to a picture is found and named, strangers stay apart, and nothing chains."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bof.alignment.likeness import compare
from bof.alignment.photograph import ExactFit, slant
from bof.engine import Engine
from bof.geometry import transforms
from bof.grouping import batches, finding, reading
from bof.grouping.finding import find_groups
from bof.grouping.groups import Grouping
from bof.grouping.kinds import Proof
from bof.grouping.memory import reject
from bof.grouping.pairs import FILE_NAME
from bof.grouping.types import Group, Kind, Member
from bof.images.decode import Picture
from bof.options import DuplicateOptions, IndexOptions
from bof.retrieval.searcher import Searcher
from bof.system.steps import Step
from tests.support.films import still, write_film
from tests.support.scenes import draw_scene, write_picture

ONE = DuplicateOptions(workers=1)

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]


def turned(pixels: U8, degrees: float) -> tuple[U8, F64]:
    """A picture on a canvas that holds all of it, and canvas_from_picture."""
    height, width = pixels.shape[:2]
    side = int(np.hypot(width, height)) + 2
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0).astype(np.float64)
    matrix[:, 2] += (side - 1) / 2 - np.array([width - 1, height - 1]) / 2
    drawn = cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_CUBIC, borderValue=(0, 128, 255))
    return np.asarray(drawn, np.uint8), np.vstack([matrix, [0, 0, 1]])


def patched(pixels: U8) -> U8:
    canvas = pixels.copy()
    canvas[60:150, 100:220] = draw_scene(77)[:90, :120]
    return canvas


BASE = draw_scene(0)
HEIGHT, WIDTH = BASE.shape[:2]

MADE: Mapping[str, tuple[U8, F64, Kind, set[str]]] = {
    "small.jpg": (
        np.asarray(cv2.resize(BASE, (224, 168), interpolation=cv2.INTER_AREA), np.uint8),
        np.array([[0.7, 0, -0.15], [0, 0.7, -0.15], [0, 0, 1]]),
        "copy",
        {"resized"},
    ),
    "encoded.jpg": (BASE, np.eye(3), "copy", {"encoded"}),
    "cropped.png": (BASE[40:210, 60:290], np.array([[1.0, 0, -60], [0, 1, -40], [0, 0, 1]]), "crop", {"cropped"}),
    "quarter.png": (
        np.ascontiguousarray(np.rot90(BASE)),
        np.array([[0.0, 1, 0], [-1, 0, WIDTH - 1], [0, 0, 1]]),
        "crop",
        {"turned"},
    ),
    "upside.png": (
        np.ascontiguousarray(BASE[::-1, ::-1]),
        np.array([[-1.0, 0, WIDTH - 1], [0, -1, HEIGHT - 1], [0, 0, 1]]),
        "crop",
        {"turned"},
    ),
    "turned.png": (*turned(BASE, 17.0), "crop", {"turned", "cropped"}),
    "mirrored.png": (
        np.ascontiguousarray(BASE[:, ::-1]),
        np.array([[-1.0, 0, WIDTH - 1], [0, 1, 0], [0, 0, 1]]),
        "crop",
        {"mirrored"},
    ),
    "patched.png": (patched(BASE), np.eye(3), "crop", {"overlaid"}),
    "dark.png": (np.asarray(BASE * 0.5, np.uint8), np.eye(3), "crop", {"recoloured"}),
}
"""Copies of scene 0: pixels, copy_from_original, and what they ought to be called."""

N_CONTENTS = 1 + len(MADE) + 3


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scene 0 with its copies, and three strangers."""
    folder = tmp_path_factory.mktemp("duplicates")
    write_picture(folder / "base.png", BASE)
    write_picture(folder / "again" / "base.png", BASE)
    for name, (pixels, *_) in MADE.items():
        write_picture(folder / name, pixels)
    for seed in range(1, 4):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    return folder


@pytest.fixture(scope="module")
def standing(collection: Path, vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of it in which all have asked; copy it to change it."""
    folder = tmp_path_factory.mktemp("standing") / "index"
    index(folder, vocabulary_folder, collection)
    with Engine.open(folder) as engine:
        find_groups(engine, "scene", ONE)
    return folder


def index(folder: Path, vocabulary_folder: Path, *sources: Path) -> None:
    with Engine.open_or_create(folder, vocabulary_folder) as engine:
        for source in sources:
            engine.add([source], IndexOptions(workers=1))


def groups_of(folder: Path, kind: Kind = "crop") -> list[Group]:
    with Engine.open(folder) as engine:
        return find_groups(engine, kind, ONE)


def names_of(groups: list[Group]) -> list[list[str]]:
    return [[member.name for member in group.members] for group in groups]


def links_of(groups: list[Group]) -> object:
    return [
        (
            g.representative.name,
            [(m.name, link.kind, link.n_inliers, link.changes, link.agreement) for m, link in g.others],
        )
        for g in groups
    ]


@pytest.fixture
def copied(standing: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(standing, tmp_path / "index"))


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of pictures that are searched with."""
    find, names = vars(finding)["find_all_candidates"], list[str]()

    def record(searcher: Searcher, reconstruction: Any, images: Sequence[int], max_side: int) -> Any:
        names.extend(searcher.collection.rows.names[image] for image in images)
        return find(searcher, reconstruction, images, max_side)

    monkeypatch.setattr(finding, "find_all_candidates", record)
    return names


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded, each as often as it is; what children do is done here."""
    read, names = vars(reading)["read_picture"], list[str]()

    def record(path: str, **options: Any) -> Picture:
        names.append(Path(path).name)
        picture: Picture = read(path, **options)
        return picture

    def run_here(function: str, shared: Any, items: Any, *_: object) -> Iterator[Any]:
        return (getattr(reading, function.partition(":")[2])(shared, item) for item in items)

    monkeypatch.setattr(reading, "read_picture", record)
    monkeypatch.setattr(reading, "run_in_workers", run_here)
    return names


# -- What is found ----------------------------------------------------------------------------------------------------


def test_all_copies_are_in_one_group_and_strangers_in_none(standing: Path) -> None:
    (group,) = groups_of(standing)
    assert {member.name for member in group.members} == {"base.png", "again/base.png", *MADE}


@pytest.mark.parametrize("name", MADE)
def test_kind_changes_and_transform_are_what_was_done(standing: Path, name: str) -> None:
    _, copy_from_original, kind, changes = MADE[name]
    (group,) = groups_of(standing)
    assert group.representative.name == "again/base.png"
    (link,) = [link for member, link in group.others if member.name == name]
    assert link.kind == kind
    assert changes <= set(link.changes)
    assert link.n_inliers >= 6
    assert link.agreement is not None
    assert link.agreement > 0.7
    corners = np.array([[0.0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
    back = transforms.apply(link.representative_from_member, transforms.apply(copy_from_original, corners))
    assert np.abs(back - corners).max() < 3.0


def test_a_stricter_kind_finds_a_part(standing: Path) -> None:
    assert names_of(groups_of(standing, "exact")) == [["again/base.png", "base.png"]]
    copies = {name for name, (*_, kind, _) in MADE.items() if kind == "copy"}
    assert {m.name for m in groups_of(standing, "copy")[0].members} == {"again/base.png", "base.png", *copies}


def test_exact_copies_are_found_without_reading_a_picture(
    collection: Path, copied: Path, asking: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied / FILE_NAME).unlink()
    (group,) = groups_of(copied, "exact")
    ((_, link),) = group.others
    assert (link.kind, link.n_inliers, link.agreement, link.changes) == ("exact", 0, 1.0, ())
    assert np.array_equal(link.representative_from_member, np.eye(3))
    assert not asking
    assert not (copied / FILE_NAME).exists()


def test_the_order_of_indexing_changes_no_group(collection: Path, standing: Path, vocabulary_folder: Path) -> None:
    other = standing.parent / "shuffled"
    names = ["patched.png", "stranger-3.png", "base.png"]
    with Engine.create(other, vocabulary_folder) as engine:
        for name in names:
            engine.add([collection / name], IndexOptions(workers=1))
        engine.add([collection], IndexOptions(workers=1))
    assert links_of(groups_of(other)) == links_of(groups_of(standing))


def test_no_file_is_decoded_that_no_pair_names_and_each_of_these_once(copied: Path, decoded: list[str]) -> None:
    (copied / FILE_NAME).unlink()
    (group,) = groups_of(copied)
    assert {member.name for member in group.members} == {"base.png", "again/base.png", *MADE}
    assert sorted(decoded) == sorted({*MADE, "base.png"})  # again/base.png has the same content


def test_pixels_are_read_only_where_geometry_may_be_that_of_a_copy_but_of_scenes_always(
    copied: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied / FILE_NAME).unlink()
    monkeypatch.setattr(ExactFit, "may_be_copy", False)
    assert names_of(groups_of(copied)) == [["again/base.png", "base.png"]]
    assert not decoded
    (group,) = groups_of(copied, "scene")
    assert {member.name for member in group.members} == {"base.png", "again/base.png", *MADE}
    assert sorted(decoded) == sorted({*MADE, "base.png"})


# -- Pixels -----------------------------------------------------------------------------------------------------------


def picture(pixels: U8) -> Picture:
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


@pytest.mark.parametrize("name", MADE)
def test_pixels_agree_under_the_true_transform_and_not_under_another(name: str) -> None:
    pixels, copy_from_original, *_ = MADE[name]
    original = picture(BASE)
    assert compare(picture(pixels), original, copy_from_original).agreement > 0.7
    moved = copy_from_original @ np.array([[1.0, 0, 25], [0, 1, 18], [0, 0, 1]])
    assert compare(picture(pixels), original, moved).agreement < 0.35


def test_pixels_of_strangers_do_not_agree() -> None:
    found = [compare(picture(draw_scene(s)), picture(draw_scene(s + 20)), np.eye(3)).agreement for s in range(12)]
    assert max(found) < 0.25


def test_agreement_is_the_share_that_was_not_drawn_over() -> None:
    for share in (0.2, 0.4, 0.6):
        canvas = BASE.copy()
        canvas[:, : round(WIDTH * share)] = draw_scene(50)[:, : round(WIDTH * share)]
        assert compare(picture(canvas), picture(BASE), np.eye(3)).agreement == pytest.approx(1 - share, abs=0.12)


def test_the_same_caption_on_two_pictures_is_not_one_photograph() -> None:
    """Its letters agree; the grounds that they stand on do not, though they have no detail."""
    grounds = [np.full((240, 320, 3), colour, np.uint8) for colour in ((190, 170, 60), (60, 90, 190))]
    for ground in grounds:
        cv2.putText(ground, "BREAKING", (10, 140), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (255, 255, 255), 8)
    assert compare(picture(grounds[0]), picture(grounds[1]), np.eye(3)).agreement < 0.35
    assert compare(picture(grounds[0]), picture(grounds[0]), np.eye(3)).agreement == 1.0


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.diag([1e9, 1e9, 1.0]), np.diag([1e-9, 1e-9, 1.0])])
def test_a_senseless_transform_shows_nothing_in_common(matrix: F64) -> None:
    matrix[2, 2] = 1
    assert compare(picture(BASE), picture(BASE), matrix).agreement == 0


def test_slant_tells_a_stretch_from_a_view_from_elsewhere() -> None:
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    for straight in (turn, turn @ np.diag([2.0, 1, 1]), np.diag([2.0, 1, 1]) @ turn, np.diag([-1.0, 1, 1])):
        assert slant(straight) == pytest.approx(0, abs=1e-9)
    assert slant(turn @ np.diag([1.3, 1, 1]) @ turn) > 0.1


# -- Groups of proofs -------------------------------------------------------------------------------------------------


def member(name: str, side: int = 100) -> Member:
    return Member(name, f"/{name}", 1000, 0, name, side, side, 0, ord(name[0]))


def proof(one: str, other: str, kind: Kind = "crop", shift: float = 1.0) -> Proof:
    moved = np.array([[1.0, 0, shift], [0, 1, 0], [0, 0, 1]])
    return Proof(one, other, kind, 50, 0.9, moved, frozenset({"cropped" if kind == "crop" else "resized"}))


def grouped(names: str, proofs: list[Proof], refused: set[frozenset[str]] | None = None) -> list[list[str]]:
    return names_of(Grouping([member(name) for name in names], refused or set()).groups(proofs))


def test_crops_do_not_chain() -> None:
    chain = [proof(one, other) for one, other in ("ab", "bc", "cd", "de")]
    for group in grouped("abcde", chain):
        linked = {frozenset({p.one, p.other}) for p in chain}
        assert all(frozenset({group[0], other}) in linked for other in group[1:])


def test_whoever_is_linked_is_in_a_group() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        drawn = {tuple(sorted(rng.choice(12, 2, replace=False).tolist())) for _ in range(int(rng.integers(1, 25)))}
        links = {frozenset({"abcdefghijkl"[i], "abcdefghijkl"[j]}) for i, j in drawn}
        pairs = [sorted(link) for link in links]
        found = grouped("abcdefghijkl", [proof(one, other) for one, other in pairs])
        assert sorted(name for group in found for name in group) == sorted(set().union(*links))
        assert all(frozenset({group[0], other}) in links for group in found for other in group[1:])


def test_a_collage_does_not_join_the_families_in_it() -> None:
    families = [proof(*pair) for pair in ("ab", "ac", "bc", "xy", "xz", "yz")]
    collage = [proof("k", other) for other in "abcxyz"]
    found = grouped("abcxyzk", [*families, *collage])
    assert [set(group) - {"k"} for group in found] == [set("abc"), set("xyz")]


def test_a_picture_heads_its_crops_that_show_nothing_in_common() -> None:
    assert grouped("abw", [proof("a", "w"), proof("b", "w")]) == [["w", "a", "b"]]


def test_copies_chain_and_their_transforms_with_them() -> None:
    members = [member("a", 400), member("b"), member("c"), member("d")]
    proofs = [proof("a", "b", "copy", 1), proof("b", "c", "copy", 2), proof("d", "c", "crop", 5)]
    (group,) = Grouping(members, set()).groups(proofs)
    assert group.representative.name == "a"
    found = {m.name: (link.kind, link.representative_from_member[0, 2], link.n_inliers) for m, link in group.others}
    assert found == {"b": ("copy", -1, 50), "c": ("copy", -3, 50), "d": ("crop", 2, 50)}


def test_a_rejected_pair_is_not_linked_and_the_group_splits() -> None:
    copies = [proof("a", "b", "copy"), proof("b", "c", "copy"), proof("c", "d", "copy")]
    assert grouped("abcd", copies) == [["a", "b", "c", "d"]]
    assert grouped("abcd", copies, {frozenset("bc")}) == [["a", "b"], ["c", "d"]]
    assert grouped("abcd", copies, {frozenset("ac")}) == [["a", "b"], ["c", "d"]]
    crops = [proof("w", other) for other in "abc"]
    assert grouped("abcw", crops, {frozenset("wb")}) == [["w", "a", "c"]]


def test_exact_copies_that_were_rejected_stay_apart() -> None:
    same = [dataclasses.replace(member("a"), name=name) for name in ("a", "a2")]
    assert names_of(Grouping(same, set()).groups([])) == [["a", "a2"]]
    assert Grouping(same, {frozenset({"a"})}).groups([]) == []


# -- Over time --------------------------------------------------------------------------------------------------------


def test_what_has_asked_does_not_ask_again(copied: Path, asking: list[str]) -> None:
    before = links_of(groups_of(copied))
    assert not asking
    assert before == links_of(groups_of(copied))


def test_a_run_that_was_ended_goes_on(
    copied: Path, standing: Path, asking: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once while pictures ask, once while they are compared."""
    (copied / FILE_NAME).unlink()
    monkeypatch.setattr(finding, "_MOST_JOINED", 1)
    monkeypatch.setattr(batches, "MOST_PICTURES", 2)

    class KilledError(Exception):
        pass

    def stop_at(stage: str, n_items: int) -> int:
        """How many items the stage had to do."""

        def stop(step: Step) -> None:
            if step.stage == stage and step.n_done >= n_items:
                raise KilledError(step.n_items)

        with Engine.open(copied) as engine, pytest.raises(KilledError) as killed:
            find_groups(engine, "crop", ONE, stop)
        return int(str(killed.value))

    assert stop_at("searching", 6) == N_CONTENTS
    assert 6 <= len(asking) < N_CONTENTS
    asking.clear()
    n_to_compare = stop_at("comparing", 3)  # the two before are committed
    assert len(asking) <= N_CONTENTS - 6
    asking.clear()
    seen: list[Step] = []
    with Engine.open(copied) as engine:
        groups = find_groups(engine, "crop", ONE, seen.append)
    assert links_of(groups) == links_of(groups_of(standing))
    assert not asking
    compared = [step for step in seen if step.stage == "comparing"]
    assert compared[-1].n_done == compared[-1].n_items <= n_to_compare - 2


def test_a_collection_that_has_grown_asks_with_the_new_alone(
    copied: Path, vocabulary_folder: Path, tmp_path: Path, asking: list[str]
) -> None:
    write_picture(tmp_path / "new" / "late.jpg", BASE[20:, 30:])
    index(copied, vocabulary_folder, tmp_path / "new")
    (group,) = groups_of(copied)
    assert asking == ["late.jpg"]
    assert "late.jpg" in {member.name for member in group.members}


def test_moves_and_merges_change_no_group(
    collection: Path, vocabulary_folder: Path, standing: Path, tmp_path: Path, asking: list[str]
) -> None:
    folder = Path(shutil.copytree(standing, tmp_path / "index"))
    moved = Path(shutil.copytree(collection, tmp_path / "moved"))
    with Engine.open(folder) as engine:
        engine.remove(["stranger-1.png", "stranger-2.png"])
        engine.merge()
    assert links_of(groups_of(folder)) == links_of(groups_of(standing))
    other = tmp_path / "other"
    index(other, vocabulary_folder, moved)
    shutil.copy(folder / FILE_NAME, other / FILE_NAME)
    assert links_of(groups_of(other)) == links_of(groups_of(standing))
    assert not asking


def test_a_file_that_is_gone_is_named_and_the_others_are_found(
    collection: Path, vocabulary_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("base.png", "cropped.png", "mirrored.png", "stranger-1.png"):
        shutil.copy(collection / name, photos / name)
    index(tmp_path / "index", vocabulary_folder, photos)
    (photos / "cropped.png").unlink()
    write_picture(photos / "stranger-1.png", BASE)
    assert [set(names) for names in names_of(groups_of(tmp_path / "index"))] == [{"base.png", "mirrored.png"}]
    assert "cropped.png" in caplog.text
    assert "stranger-1.png" in caplog.text
    (scene,) = groups_of(tmp_path / "index", "scene")
    assert {m.name: link.kind for m, link in scene.others}["cropped.png"] == "scene"


def test_what_was_rejected_stays_apart(copied: Path, standing: Path) -> None:
    (group,) = groups_of(standing)
    content = {m.name: m.sha256 for m in group.members}
    reject(copied, [(content["cropped.png"], content["base.png"])])
    for found in groups_of(copied):
        assert {"cropped.png", "base.png"} - {member.name for member in found.members}


def test_pictures_without_a_feature_and_an_empty_index_are_no_trouble(vocabulary_folder: Path, tmp_path: Path) -> None:
    index(tmp_path / "index", vocabulary_folder)
    assert groups_of(tmp_path / "index") == []
    for name, size in (("blank.png", 64), ("blank too.png", 64), ("dot.png", 1)):
        write_picture(tmp_path / "photos" / name, np.full((size, size, 3), 90, np.uint8))
    index(tmp_path / "index", vocabulary_folder, tmp_path / "photos")
    assert names_of(groups_of(tmp_path / "index", "scene")) == [["blank too.png", "blank.png"]]


def test_frames_of_films_are_no_duplicates_of_pictures(tmp_path: Path, vocabulary_folder: Path) -> None:
    """A static shot, the same shot again, and a still that somebody saved."""
    film = write_film(tmp_path / "photos" / "film.mp4", [*still(21, 30), *still(22, 30), *still(21, 30)])
    shutil.copyfile(film, tmp_path / "photos" / "again.mp4")
    for name in ("one.png", "two.png"):
        write_picture(tmp_path / "photos" / name, still(21, 1)[0])
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        assert len(engine.records()) > 6
        kinds: tuple[Kind, ...] = ("exact", "scene")
        for kind in kinds:
            (group,) = find_groups(engine, kind)
            assert {member.name for member in group.members} == {"one.png", "two.png"}
