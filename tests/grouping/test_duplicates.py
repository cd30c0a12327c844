"""Which picture of a group is kept and why, the reports, and the command as a person uses it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bof import duplicates
from bof.engine import Engine
from bof.grouping import finding, page
from bof.grouping.choosing import Choice, choose
from bof.grouping.detail import compare_detail, look_at
from bof.grouping.records import Judged, as_csv, as_json
from bof.grouping.rules import Reason, marks_of
from bof.grouping.types import Change, Group, Kind, Link, Member
from bof.options import IndexOptions
from bof.store.catalog import ImageRecord
from bof.system.steps import Progress, Step
from bof.system.units import human_bytes
from tests.support.extracted import extracted
from tests.support.markup import HOSTILE, Page, shown
from tests.support.scenes import draw_scene, write_picture

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

DAY = 86_400
BASE = 1_500_000_000


def detailed(seed: int, width: int = 480, height: int = 360) -> U8:
    """A scene with detail in every pixel, as photographs have it."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(0, 40, (height, width, 3)), (0, 0), 0.7)
    return np.asarray(np.clip(draw_scene(seed, width, height) + noise, 0, 255), np.float64).astype(np.uint8)


def resized(pixels: U8, factor: float, method: int = cv2.INTER_AREA) -> U8:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=method), np.uint8)


def scaling(factor: float) -> F64:
    """Head from member, where the head has `factor` times the member's side."""
    return np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]])


def member(path: Path, number: int, age: int = 0) -> Member:
    os.utime(path, (BASE - age * DAY,) * 2)
    content, found = path.read_bytes(), path.stat()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    height, width = pixels.shape if pixels is not None else (1, 1)
    sha256 = hashlib.sha256(content).hexdigest()
    return Member(path.name, str(path), len(content), found.st_mtime_ns, sha256, width, height, 0, number)


def save(path: Path, pixels: U8, quality: int = 95) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    return path


def group(
    representative: Path,
    *others: tuple[Path, F64],
    kind: Kind = "crop",
    changes: Sequence[Change] = (),
    ages: Sequence[int] = (),
) -> Group:
    old = [*ages, *[0] * (1 + len(others))]
    links = [
        (member(path, number, old[number]), Link(kind, 40, 0.99, transform, tuple(changes)))
        for number, (path, transform) in enumerate(others, 1)
    ]
    return Group(member(representative, 0, old[0]), tuple(links))


def chosen(one: Group, protected: Sequence[Path] = (), rules: Sequence[str] = ()) -> tuple[str, str]:
    """The name of the picture to keep, and why."""
    choice = choose(one, look_at(one), protected, rules)
    return choice.keeper.name if choice.keeper else "", choice.why


# -- Which to keep ----------------------------------------------------------------------------------------------------


def test_more_pixels_are_kept_unless_they_were_made_up(tmp_path: Path) -> None:
    pixels = detailed(1)
    whole = save(tmp_path / "whole.jpg", pixels)
    half = save(tmp_path / "half.jpg", resized(pixels, 0.5))
    enlarged = save(tmp_path / "enlarged.jpg", resized(pixels, 2, cv2.INTER_CUBIC))
    assert chosen(group(half, (whole, scaling(0.5)))) == ("whole.jpg", "4.0 times the pixels")
    name, why = chosen(group(enlarged, (whole, scaling(2))))
    assert name == "whole.jpg"
    assert "not enlarged" in why
    assert chosen(group(half, (enlarged, scaling(0.25)), (whole, scaling(0.5))))[0] == "whole.jpg"


def test_the_sharper_of_two_sizes_alike_is_kept_whatever_its_bytes(tmp_path: Path) -> None:
    pixels = detailed(2)
    sharp = save(tmp_path / "sharp.jpg", pixels, 90)
    blurred = save(tmp_path / "blurred.png", np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.5), np.uint8))
    assert chosen(group(blurred, (sharp, np.eye(3)))) == ("sharp.jpg", "sharper at the same size")


@pytest.mark.parametrize("quality", [60, 70, 80])
def test_the_less_compressed_is_kept(quality: int, tmp_path: Path) -> None:
    good, bad = save(tmp_path / "z.jpg", detailed(3), 95), save(tmp_path / "a.jpg", detailed(3), quality)
    name, why = chosen(group(bad, (good, np.eye(3))))
    assert name == "z.jpg"
    assert why.startswith("less compressed (")


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_crop_never_beats_the_whole_picture_and_the_whole_is_left_alone_for_a_protected_crop(
    suffix: str, tmp_path: Path
) -> None:
    pixels = detailed(4)
    whole = save(tmp_path / "whole.jpg", pixels, 70)
    crop = save(tmp_path / "kept" / f"crop{suffix}", pixels[60:, 80:])
    one = group(whole, (crop, np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]])))
    assert chosen(one)[0] == "whole.jpg"
    assert "as much of the picture" in chosen(one)[1]
    choice = choose(one, look_at(one), [tmp_path / "kept"])
    assert choice.keeper is not None
    assert (choice.keeper.name, choice.why) == (f"crop{suffix}", "in a protected folder")
    assert choice.held == {0: "shows parts that the kept picture lacks"}


def test_a_coarse_picture_that_shows_a_little_more_does_not_beat_a_fine_one(tmp_path: Path) -> None:
    pixels = detailed(5, 960, 720)
    fine = save(tmp_path / "fine.jpg", pixels[100:, 100:])
    coarse = save(tmp_path / "coarse.jpg", resized(pixels, 0.25))
    one = group(fine, (coarse, np.array([[1.0, 0, -100], [0, 1, -100], [0, 0, 1]]) @ scaling(4)))
    assert chosen(one)[0] == "fine.jpg"


def test_a_photograph_of_a_wall_does_not_take_the_place_of_its_prints(tmp_path: Path) -> None:
    pixels = detailed(7, 960, 720)
    print_path = save(tmp_path / "print.jpg", pixels)
    wall = detailed(9, 960, 720)
    wall[100:604, 150:822] = resized(pixels, 0.7)
    place = np.array([[0.7, 0, 150 - 0.15], [0, 0.7, 100 - 0.15], [0, 0, 1]])
    one = group(save(tmp_path / "wall.jpg", wall), (print_path, place))
    choice = choose(one, look_at(one))
    assert choice.keeper is not None
    assert choice.keeper.name == "wall.jpg"
    assert choice.held == {1: "shows a part in more detail than the kept picture"}


def test_an_enlarged_crop_is_no_finer_than_the_whole_picture(tmp_path: Path) -> None:
    pixels = detailed(8)
    whole = save(tmp_path / "whole.jpg", pixels)
    crop = save(tmp_path / "crop.jpg", resized(np.ascontiguousarray(pixels[60:, 80:]), 2, cv2.INTER_CUBIC))
    one = group(whole, (crop, np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]]) @ scaling(0.5)))
    choice = choose(one, look_at(one))
    assert choice.keeper is not None
    assert (choice.keeper.name, choice.held) == ("whole.jpg", {})


def test_a_frame_counts_neither_as_picture_nor_as_pixels(tmp_path: Path) -> None:
    pixels = detailed(6)
    plain = save(tmp_path / "plain.jpg", pixels, 80)
    border = np.asarray(cv2.copyMakeBorder(pixels, 40, 40, 40, 40, cv2.BORDER_CONSTANT), np.uint8)
    framed = save(tmp_path / "framed.jpg", border, 95)
    one = group(framed, (plain, np.array([[1.0, 0, 40], [0, 1, 40], [0, 0, 1]])))
    assert chosen(one) == ("plain.jpg", "without a frame")
    assert not choose(one, look_at(one)).held


def test_what_was_turned_and_filled_up_is_not_kept_for_being_sharper(tmp_path: Path) -> None:
    pixels = np.asarray(cv2.GaussianBlur(detailed(9), (0, 0), 1.2), np.uint8)
    height, width = pixels.shape[:2]
    turned_from_plain = np.eye(3)
    turned_from_plain[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1.0)
    turned_from_plain[:2, 2] += 30
    size = width + 60, height + 60
    turned = np.asarray(cv2.warpPerspective(pixels, turned_from_plain, size, flags=cv2.INTER_CUBIC), np.float32)
    sharpened = np.clip(1.6 * turned - 0.6 * np.asarray(cv2.GaussianBlur(turned, (0, 0), 1.5)), 0, 255).astype(np.uint8)
    plain, copy = save(tmp_path / "plain.jpg", pixels, 85), save(tmp_path / "turned.jpg", sharpened, 90)
    assert chosen(group(copy, (plain, turned_from_plain))) == ("plain.jpg", "without a frame")


def test_a_mirrored_lossy_copy_is_not_kept_for_its_name(tmp_path: Path) -> None:
    pixels = detailed(10)
    original, copy = save(tmp_path / "solo.png", pixels), save(tmp_path / "a_solo.jpg", pixels[:, ::-1], 40)
    flip = np.array([[-1.0, 0, pixels.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
    name, why = chosen(group(copy, (original, flip), changes=["mirrored"]))
    assert (name, why) == ("solo.png", "stored without loss")


def test_a_drawing_is_not_taken_for_a_copy_of_its_own_jpeg(tmp_path: Path) -> None:
    """Most of its pixels are the same in both, but not those at its edges."""
    pixels = np.full((300, 400, 3), 255, np.uint8)
    cv2.putText(pixels, "Invoice 2071", (30, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (30, 30, 160), 3)
    drawing = tmp_path / "screen.png"
    cv2.imwrite(str(drawing), pixels)
    again = save(tmp_path / "screen95.jpg", pixels, 95)
    assert chosen(group(again, (drawing, np.eye(3)))) == ("screen.png", "stored without loss")


def test_of_altered_pictures_the_usual_one_is_kept_else_the_older(tmp_path: Path) -> None:
    pixels = detailed(7)
    plain = [save(tmp_path / f"plain-{q}.jpg", pixels, q) for q in (85, 90)]
    mirror = save(tmp_path / "mirror.jpg", pixels[:, ::-1], 99)
    back = np.array([[-1.0, 0, 479], [0, 1, 0], [0, 0, 1]])
    of_three = group(mirror, *((path, back) for path in plain), changes=["mirrored"])
    assert chosen(of_three)[0] == "plain-90.jpg"
    assert "not mirrored" in chosen(of_three)[1]
    of_two = group(mirror, (plain[0], back), changes=["mirrored"], ages=[0, 300])
    assert chosen(of_two) == ("plain-85.jpg", f"the older file ({vars(page)['modified'](of_two.others[0][0])[:10]})")


@pytest.mark.parametrize("name", ["a 副本.jpg", "a拷贝.jpg", "a - コピー.jpg", "a copy 2.jpg"])
def test_names_that_systems_give_to_copies_give_way(tmp_path: Path, name: str) -> None:
    copy, original = save(tmp_path / name, draw_scene(8)), save(tmp_path / "b.jpg", draw_scene(8))
    assert chosen(group(copy, (original, np.eye(3)), kind="exact", ages=[900, 1]))[0] == "b.jpg"


def test_exact_copies_are_told_apart_by_folder_then_age_then_path(tmp_path: Path) -> None:
    names = ["Downloads/a.jpg", "trips/a (1).jpg", "trips/b.jpg", "trips/c.jpg"]
    paths = [save(tmp_path / name, draw_scene(8)) for name in names]
    one = group(paths[0], *((path, np.eye(3)) for path in paths[1:]), kind="exact", ages=[900, 800, 1, 100])
    name, why = chosen(one)
    assert name == "c.jpg"
    assert {"no 'Downloads' in its path", "no '(1)' in its path"} <= set(why.split("; "))
    assert chosen(one, rules=["newest"])[0] == "b.jpg"
    assert chosen(one, rules=["folder", "newest"])[0] == "b.jpg"
    assert chosen(one, rules=["oldest"])[0] == "a.jpg"
    assert chosen(one, [tmp_path / "Downloads"])[1] == "in a protected folder"
    alike = group(paths[3], (paths[2], np.eye(3)), kind="exact")
    assert chosen(alike) == ("b.jpg", "alike in every respect; first by path")


def test_the_choice_does_not_hang_on_the_order_of_the_members(tmp_path: Path) -> None:
    pixels = detailed(9)
    paths = [save(tmp_path / f"{q}.jpg", pixels, q) for q in (60, 70, 80, 90)]
    paths.append(save(tmp_path / "small.jpg", resized(pixels, 0.5)))
    transforms = [*[np.eye(3)] * 4, scaling(2)]
    found = set()
    for start in range(4):  # heads of one size
        order = [*range(start, 5), *range(start)]
        one = group(paths[order[0]], *((paths[i], transforms[i]) for i in order[1:]))
        found.add(chosen(one))
    assert len(found) == 1
    assert found.pop()[0] == "90.jpg"


def test_what_is_gone_changed_or_unreadable_is_never_kept_and_is_named(tmp_path: Path) -> None:
    pixels = detailed(10)
    paths = [save(tmp_path / f"{name}.jpg", pixels, q) for name, q in [("gone", 99), ("changed", 98), ("left", 60)]]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(paths[0].read_bytes()[:400])
    one = group(paths[0], *((path, np.eye(3)) for path in [*paths[1:], broken]))
    paths[0].unlink()
    save(paths[1], pixels[::-1])
    choice = choose(one, look_at(one))
    assert choice.keeper is not None
    assert choice.keeper.name == "left.jpg"
    assert choice.held[0] == "is gone"
    assert choice.held[1] == "has changed since it was indexed"
    assert choice.held[3].startswith("cannot be read")
    for path in [*paths[1:], broken]:
        path.unlink()
    assert chosen(one) == ("", "no file of the group is as it was indexed")


def test_detail_is_compared_where_both_show_the_same_and_drawing_over_a_part_does_not_count() -> None:
    pixels = cv2.cvtColor(detailed(11), cv2.COLOR_RGB2GRAY)
    grey = np.asarray(pixels, np.uint8)
    turned = np.ascontiguousarray(np.rot90(grey))
    back = np.array([[0, -1.0, 479], [1, 0, 0], [0, 0, 1]])
    assert compare_detail(grey, turned, back, 1.0) == pytest.approx(1)
    crop = np.ascontiguousarray(grey[100:, 150:])
    assert compare_detail(grey, crop, np.array([[1.0, 0, 150], [0, 1, 100], [0, 0, 1]]), 1.0) == pytest.approx(1)
    drawn = cv2.putText(grey.copy(), "SAMPLE", (60, 200), 0, 2, 255, 3)
    assert compare_detail(grey, np.asarray(drawn), np.eye(3), 1.0) == pytest.approx(1, abs=0.05)
    assert compare_detail(grey, np.asarray(cv2.GaussianBlur(grey, (0, 0), 1)), np.eye(3), 1.0) < 0.6
    assert compare_detail(grey, (grey // 2), np.eye(3), 1.0) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("path", "n"),
    [
        ("/a/photo.jpg", 0), ("/a/photo (2).jpg", 1), ("/a/photo - Copy.jpg", 1), ("/a/Kopie von x.jpg", 1),
        ("/Downloads/copy of x.jpg", 2), ("/a/copyright.jpg", 0), ("/a/tmp/x.jpg", 1), ("/a/x_thumb.jpg", 1),
    ],
)  # fmt: skip
def test_names_that_speak_of_copies(path: str, n: int) -> None:
    assert len(marks_of(Path(path))) == n


# -- Reports ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def judged(tmp_path: Path) -> list[Judged]:
    """A crop of a picture with an odd name, and exact copies."""
    pixels = detailed(12)
    odd = tmp_path / os.fsdecode(b"<b>odd\xff\"&'\n.jpg")
    crop = save(tmp_path / "crop.jpg", pixels[60:, 80:])
    shift = np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]])
    first = group(save(odd, pixels), (crop, shift), changes=["cropped"])
    copies = [save(tmp_path / f"{name}.jpg", draw_scene(13)) for name in "xy"]
    second = group(copies[0], (copies[1], np.eye(3)), kind="exact")
    return [Judged(number, one, choose(one, look_at(one))) for number, one in enumerate([first, second], 1)]


def test_json_and_csv_tell_the_same(judged: list[Judged]) -> None:
    record = json.loads(as_json(judged, {"kind": "crop"}))
    rows = list(csv.DictReader(io.StringIO(as_csv(judged))))
    members = [(one["number"], m) for one in record["groups"] for m in one["members"]]
    assert [int(row["group"]) for row in rows] == [number for number, _ in members]
    assert [row["role"] for row in rows] == [m["role"] for _, m in members] == ["keep", "duplicate"] * 2
    assert [int(row["bytes"]) for row in rows] == [m["bytes"] for _, m in members]
    odd, crop = record["groups"][0]["members"]
    assert os.fsencode(odd["path"]) == os.fsencode(judged[0].group.representative.path)
    assert odd["is_head"]
    assert (crop["kind"], crop["changes"], crop["inliers"]) == ("crop", ["cropped"], 40)
    assert crop["head_from_member"][0] == [1, 0, 80]
    assert record["groups"][1]["bytes_to_free"] == members[3][1]["bytes"]


def test_a_page_needs_nothing_but_itself_and_escapes_names(judged: list[Judged]) -> None:
    reader = Page(page.build_page(judged, "<i>index", 4))
    assert reader.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in reader.sources)
    assert not {"script", "link", "i"} & set(reader.tags)
    assert "<b>odd\\udcff\"&'\\n.jpg" in reader.text
    assert "that free most" not in reader.text
    assert reader.tags.count("img") == 3 + 2  # a thumbnail of each content, one overlay and its difference
    assert {"details", "summary"} <= set(reader.tags)


def group_of_names(folder: Path, name: str) -> list[Judged]:
    """Groups in which each text from outside is the name, with pictures that can be read and some that cannot."""
    pixels = detailed(12)
    whole, crop = save(folder / f"{name}.jpg", pixels), save(folder / f"crop {name}.jpg", pixels[60:, 80:])
    gone = replace(member(crop, 2), path=f"/d/{name}", name=name)
    shift = np.array([[1.0, 0, 80], [0, 1, 60], [0, 0, 1]])
    one = group(whole, (crop, shift), changes=["cropped"])
    one = replace(one, others=(*one.others, (gone, one.others[0][1])))
    reason = Reason("folder", name)
    retained = Choice(one.representative, {1: reason, 2: reason}, {1: name, 2: name}, {})
    return [Judged(1, one, retained), Judged(2, one, replace(retained, keeper=None))]


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    hostile, plain = (
        Page(page.build_page(group_of_names(tmp_path / "d", name), name, 4)) for name in (HOSTILE, "plain")
    )
    assert hostile.structure == plain.structure
    assert hostile.text.count(shown(HOSTILE)) == plain.text.count("plain")
    assert shown(HOSTILE) in hostile.text


def test_a_page_of_too_many_groups_says_so(judged: list[Judged], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_GROUPS", 1)
    monkeypatch.setattr(page, "MOST_SHOWN", 1)
    reader = Page(page.build_page(judged, "index", 4))
    assert reader.tags.count("article") == 1
    assert "shows the 1 groups that free most" in reader.text
    assert "and 1 more" in reader.text


def test_a_page_stays_small_and_lists_the_groups_that_free_less(
    judged: list[Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_BYTES", 40_000)
    monkeypatch.setattr(page, "MOST_LISTED", 90)
    many = [replace(judged[number % 2], number=number + 1) for number in range(100)]
    text = page.build_page(many, "index", 200)
    reader = Page(text)
    n_shown = reader.tags.count("article")
    assert 1 <= n_shown < 10
    assert len(text) < 40_000 + 90 * 300 + 20_000
    frees = [one.bytes_to_free for one in judged]
    first = next(one for one in judged if one.bytes_to_free == max(frees)).number
    assert all(f'id="group-{number}"' not in text for number in range(1, 101) if number % 2 != first % 2)
    assert reader.tags.count("tr") == 1 + min(90, 100 - n_shown)
    assert f"and {100 - n_shown - 90} more" in reader.text


def test_a_page_names_pictures_that_are_gone(judged: list[Judged]) -> None:
    Path(judged[0].group.representative.path).unlink()
    nothing = Choice(None, {}, {0: "is gone", 1: "is gone"}, judged[0].choice.looks)
    reader = Page(page.build_page([Judged(1, judged[0].group, nothing)], "index", 2))
    assert "none to keep: no file of the group is as it was indexed" in reader.text
    assert "left alone: is gone" in reader.text


# -- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def indexed(tmp_path: Path, vocabulary_folder: Path) -> Path:
    """A folder photos with exact copies, and an index of it that was made without reading pictures."""
    photos = tmp_path / "photos"
    seeds = [("a.png", 1), ("sub/a copy.png", 1), ("b.png", 2), ("sub/b.png", 2), ("alone.png", 3)]
    rows = []
    for number, (name, seed) in enumerate(seeds):
        path = write_picture(photos / name, draw_scene(seed, 64, 48))
        content, found = path.read_bytes(), path.stat()
        _, columns = extracted(name, number)
        sha256 = hashlib.sha256(content).hexdigest()
        facts = ImageRecord(name, str(path), len(content), found.st_mtime_ns, sha256, 64, 48, len(columns))
        rows.append((facts, columns))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine, engine.writer() as writer:
        writer.append(rows)
        writer.rearrange([], [], [str(photos)])
    return tmp_path / "index"


def call(index: Path, *arguments: object) -> int:
    return duplicates.main(["--index", str(index), "--kind", "exact", *map(str, arguments)])


def names_of(index: Path) -> set[str]:
    with Engine.open(index) as engine:
        return {row.name for row in engine.images if not row.deleted}


def test_a_dry_run_says_and_yes_moves_and_undo_puts_back(
    indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    assert call(indexed, "--move-to", tmp_path / "moved") == 0
    assert "would move 2 files" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    assert call(indexed, "--move-to", tmp_path / "moved", "--yes", "--log", tmp_path / "log") == 0
    assert "moved 2 files" in capsys.readouterr().out
    assert names_of(indexed) == {"a.png", "b.png", "alone.png"}
    assert (tmp_path / "moved" / "sub" / "a copy.png").read_bytes() == (photos / "a.png").read_bytes()
    for reported in ("2 put back", "2 as before"):
        assert duplicates.main(["--undo", str(tmp_path / "log")]) == 0
        assert reported in capsys.readouterr().out
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before
    assert not list((tmp_path / "moved").iterdir())


def test_links_leave_the_index_as_it_is(indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names_of(indexed)
    assert call(indexed, "--hardlink", "--yes") == 0
    assert (tmp_path / "photos" / "sub" / "b.png").samefile(tmp_path / "photos" / "b.png")
    assert names_of(indexed) == before
    [log] = tmp_path.glob("bof-duplicates-*.jsonl")
    assert duplicates.main(["--undo", str(log)]) == 0
    assert not (tmp_path / "photos" / "sub" / "b.png").samefile(tmp_path / "photos" / "b.png")


def test_a_failure_is_named_and_the_status_says_so(
    indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.rename

    def refuse(path: str | Path, *other: Any, **named: Any) -> None:
        if Path(path).name == "a copy.png":
            raise PermissionError(13, "Permission denied")
        real(path, *other, **named)

    monkeypatch.setattr(os, "rename", refuse)
    assert call(indexed, "--move-to", tmp_path / "moved", "--yes") == 1
    captured = capsys.readouterr()
    assert "failed sub/a copy.png: Permission denied" in captured.err
    assert "moved 1 file" in captured.out
    assert names_of(indexed) == {"a.png", "sub/a copy.png", "b.png", "alone.png"}


def test_reports_are_written_and_rejected_pairs_are_remembered(
    indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"d.{suffix}" for suffix in ("html", "json", "csv")]
    flags = ("--html", "--json-file", "--csv")
    assert call(indexed, *(part for pair in zip(flags, files, strict=True) for part in pair)) == 0
    assert all(path.stat().st_size for path in files)
    capsys.readouterr()
    assert call(indexed, "--json") == 0
    assert capsys.readouterr().out == files[1].read_text(encoding="utf-8")
    assert call(indexed, "--json", "--move-to", tmp_path / "away") == 0
    captured = capsys.readouterr()
    assert captured.out == files[1].read_text(encoding="utf-8")
    assert "nothing was done, --yes does it" in captured.err
    assert len(json.loads(files[1].read_text(encoding="utf-8"))["groups"]) == 2
    assert call(indexed, "--reject", "a.png", "sub/a copy.png") == 0
    capsys.readouterr()
    assert call(indexed) == 0
    assert "1 group among 5 pictures" in capsys.readouterr().out
    assert call(indexed, "--list-rejected") == 0
    assert "a.png" in capsys.readouterr().out
    assert call(indexed, "--forget", "a.png", "sub/a copy.png") == 0
    assert call(indexed, "--forget", "a.png", "sub/a copy.png") == 2
    capsys.readouterr()
    assert call(indexed) == 0
    assert "2 groups among 5 pictures" in capsys.readouterr().out


def test_totals_lead_and_groups_come_by_what_they_free(
    indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {name: (tmp_path / "photos" / name).stat().st_size for name in ("a.png", "b.png")}
    assert call(indexed, "--json-file", tmp_path / "d.json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"2 groups among 5 pictures: 2 duplicates, {human_bytes(sum(sizes.values()))} to free"
    frees = [line.split("frees ")[1] for line in lines if line.startswith("group")]
    assert frees == [human_bytes(size) for size in sorted(sizes.values(), reverse=True)]
    groups = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))["groups"]
    assert [one["number"] for one in groups] == [1, 2]
    assert [one["bytes_to_free"] for one in groups] == sorted(sizes.values(), reverse=True)


def test_an_action_on_scenes_says_that_they_are_no_copies(
    indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(indexed, "--kind", "scene", "--move-to", tmp_path / "moved") == 0
    assert "warning: scenes are grouped by points alone" in capsys.readouterr().err
    assert call(indexed, "--kind", "crop", "--move-to", tmp_path / "moved") == 0
    assert "warning" not in capsys.readouterr().err


def test_what_is_printed_is_limited_and_says_how_to_see_the_rest(
    indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    least = min((tmp_path / "photos" / name).stat().st_size for name in ("a.png", "b.png"))
    assert call(indexed, "--groups", 1, "--move-to", tmp_path / "moved") == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("group")] == ["group 1"]
    assert f"... and 1 more group, {human_bytes(least)} to free (--groups 0 prints all" in out
    assert len([line for line in out.splitlines() if line.startswith("would move") and "keeps" in line]) == 1
    assert "... and 1 more file (--groups 0 prints all)" in out
    assert call(indexed, "--groups", 0) == 0
    assert "more" not in capsys.readouterr().out


def test_a_large_group_is_cut_short(indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Engine.open(indexed) as engine:
        for number in range(30):
            shutil.copy(tmp_path / "photos" / "a.png", tmp_path / "photos" / f"a-{number:02d}.png")
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    assert call(indexed) == 0
    out = capsys.readouterr().out
    assert "  ... and 20 more" in out
    assert len(out.splitlines()) < 50
    assert call(indexed, "--groups", 0) == 0
    assert capsys.readouterr().out.count("a-") == 30


@pytest.mark.parametrize(
    ("stage", "reported"),
    [
        ("searching", "2 of 3 pictures are searched with, 0 compared; this is kept, and the same command goes on"),
        ("looking at files", "the pictures are compared and this is kept"),
    ],
)
def test_an_interrupt_says_that_the_work_is_kept(
    stage: str,
    reported: str,
    tmp_path: Path,
    vocabulary_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, pixels in {"a": draw_scene(21), "b": draw_scene(21)[30:], "c": draw_scene(22)}.items():
        write_picture(tmp_path / "photos" / f"{name}.png", pixels)
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))

    @contextmanager
    def interrupted() -> Iterator[Progress]:
        def show(step: Step) -> None:
            if step.stage == stage and step.n_done == (2 if stage == "searching" else 1):
                raise KeyboardInterrupt

        yield show

    monkeypatch.setattr(finding, "n_threads", lambda: 1)
    monkeypatch.setattr(finding, "_MOST_JOINED", 1)
    monkeypatch.setattr(duplicates, "stage_bars", interrupted)
    assert duplicates.main(["--index", str(tmp_path / "index"), "--workers", "1"]) == 130
    assert f"interrupted: {reported}" in capsys.readouterr().err


def test_progress_begins_before_the_first_search(
    tmp_path: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        write_picture(tmp_path / "photos" / f"{number}.png", draw_scene(number))
    seen: list[Step] = []

    def find(_searcher: object, _reconstruction: object, images: Sequence[int], _max_side: object) -> list[list[Any]]:
        assert seen[0] == Step("searching", 0, 2, 0.0)
        return [[] for _ in images]

    monkeypatch.setattr(finding, "find_all_candidates", find)
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        finding.find_groups(engine, "crop", progress=seen.append)
    assert seen


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["--hardlink", "--kind", "crop"], "expected --kind exact, found crop"),
        (["--yes"], "expected --move-to"),
        (["--log", "x"], "expected --move-to"),
        (["--protect", "nowhere"], "expected a folder"),
        (["--move-to", "photos/sub"], "outside the collection"),
        (["--move-to", "."], "does not hold the collection"),
        (["--move-to", "photos/a.png"], "found a file"),
        (["--html", "no/such/folder.html"], "expected a file in a folder"),
        (["--reject", "a.png", "nothing.png"], "expected the name of a picture"),
        (["--reject", "a.png", "b.png", "--trash"], "expected no action"),
        (["--move-to", "x", "--yes", "--dry-run"], "expected no --dry-run"),
        (["--agreement", "7"], "expected 0.0 to 1.0"),
    ],
)
def test_misuse_is_told_before_anything_is_done(
    arguments: list[str],
    reported: str,
    indexed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(indexed, *arguments) == 2
    assert reported in capsys.readouterr().err


def test_a_crop_is_found_named_and_shown_by_the_command(
    tmp_path: Path, vocabulary_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = draw_scene(21)
    write_picture(tmp_path / "photos" / "whole.png", whole)
    write_picture(tmp_path / "photos" / "crop.png", whole[40:, 50:])
    write_picture(tmp_path / "photos" / "other.png", draw_scene(22))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    options = ["--index", str(tmp_path / "index"), "--workers", "1", "--html", str(tmp_path / "d.html")]
    assert duplicates.main(options) == 0
    reported = capsys.readouterr().out
    assert "1 group among 3 pictures: 1 duplicate" in reported
    assert "as much of the picture" in reported
    assert "cropped" in reported
    assert Page((tmp_path / "d.html").read_text(encoding="utf-8")).tags.count("img") == 4
