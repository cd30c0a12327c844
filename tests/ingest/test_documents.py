"""Files that hold several pictures: each is indexed, found, resumed, moved and removed with its file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bof.engine import Engine
from bof.grouping.detail import problem_of
from bof.images.address import Address, is_part, part_of_member
from bof.images.documents import frames
from bof.images.opening import read_content, read_picture
from bof.ingest import documents as documents_module
from bof.ingest.sync import UNFINISHED_NS
from bof.options import IndexOptions
from bof.types import U8
from tests.support.scenes import draw_scene

ALONE = IndexOptions(workers=1)


def scenes(n: int) -> list[U8]:
    return [draw_scene(seed) for seed in range(n)]


def write_tiff(path: Path, pictures: Sequence[U8]) -> Path:
    first, *rest = [Image.fromarray(one) for one in pictures]
    first.save(path, save_all=True, append_images=rest)
    return path


def write_zip(path: Path, pictures: Sequence[U8], **others: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, one in enumerate(pictures):
            archive.writestr(f"in/{number}.png", cv2.imencode(".png", one)[1].tobytes())
        for name, data in others.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return path


@pytest.fixture
def engine(tmp_path: Path, vocabulary_folder: Path) -> Engine:
    return Engine.create(tmp_path / "index", vocabulary_folder)


def live(engine: Engine) -> dict[str, str]:
    """Path by name of what the index has."""
    return {record.name: record.path for record in engine.select().records}


def times(engine: Engine) -> set[int]:
    return {record.mtime_ns for record in engine.select().records}


# -- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member", ["a.jpg", "dir/a.jpg", "..\\x", "a#page=2", "100%25.png", "日本\udcff.png", "a\nb", "/#page=1"]
)
def test_a_part_is_the_same_when_its_path_has_been_through_pathlib(member: str, tmp_path: Path) -> None:
    address = Address(str(tmp_path / "x.zip"), part_of_member(member))
    again = Address.parse(Path(str(address)))
    assert again == address
    assert again.name("x.zip") == f"x.zip#member={member}"
    assert Address.parse_spoken(again.name(again.file)) == address


@pytest.mark.parametrize("path", ["/a/b.jpg", "/a/#1.jpg", "/a/#page.jpg", "/a#page=1", "memory:a%2F%23page%3D1"])
def test_what_is_no_part(path: str) -> None:
    assert not is_part(path)
    assert str(Address.parse(path)) == path


def test_a_file_that_is_called_like_a_page_is_that_file(tmp_path: Path) -> None:
    odd = tmp_path / "a.pdf#page=1"
    assert Address.parse_spoken(str(odd)) == Address(str(tmp_path / "a.pdf"), "page=1")
    odd.touch()
    assert Address.parse_spoken(str(odd)) == Address(str(odd))


# -- Kinds ------------------------------------------------------------------------------------------------------------


def test_pages_of_a_tiff_are_pictures_and_a_page_alone_is_the_file(engine: Engine, tmp_path: Path) -> None:
    pictures = scenes(3)
    (tmp_path / "p").mkdir()
    book = write_tiff(tmp_path / "p" / "book.tif", pictures)
    write_tiff(tmp_path / "p" / "single.tif", scenes(5)[4:])
    report = engine.add([tmp_path / "p"], ALONE)
    assert (report.n_added, report.skipped) == (4, [])
    assert set(live(engine)) == {"book.tif#page=1", "book.tif#page=2", "book.tif#page=3", "single.tif"}
    for number, picture in enumerate(pictures, 1):
        path = live(engine)[f"book.tif#page={number}"]
        assert np.array_equal(read_picture(path).pixels, picture)
        (first, *_) = engine.search(picture)
        assert (first.name, first.verdict, first.part) == (f"book.tif#page={number}", "same", f"page={number}")
        assert first.file == book


def test_smaller_copies_and_masks_are_no_pages(tmp_path: Path) -> None:
    pictures = [Image.fromarray(one) for one in scenes(3)]
    kinds = iter([1, 4])
    with TiffPages(tmp_path / "pyramid.tif") as pages:
        pages.add(pictures[0])
        pages.add(pictures[1], subfile_type=next(kinds))
        pages.add(pictures[2], subfile_type=next(kinds))
    (kind,) = [kind for kind in frames.FRAMES if kind.name == "TIFF"]
    document = kind.open(str(tmp_path / "pyramid.tif"))
    assert document.parts == []
    document.close()


class TiffPages:
    """Writes pages one by one, each with its own tags."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.images: list[Image.Image] = []

    def __enter__(self) -> TiffPages:
        return self

    def add(self, image: Image.Image, subfile_type: int = 0) -> None:
        image.encoderinfo = {"tiffinfo": {254: subfile_type}} if subfile_type else {}
        self.images.append(image)

    def __exit__(self, *_: object) -> None:
        self.images[0].save(self.path, save_all=True, append_images=self.images[1:])


@pytest.mark.parametrize("suffix", ["gif", "webp", "avif"])
def test_frames_that_show_something_new_are_pictures(engine: Engine, tmp_path: Path, suffix: str) -> None:
    one, two = scenes(2)
    shown = [one, one, one, two, two]
    images = [Image.fromarray(picture) for picture in shown]
    path = tmp_path / f"clip.{suffix}"
    options = {"quality": 95} if suffix != "gif" else {}
    images[0].save(path, save_all=True, append_images=images[1:], duration=100, **options)
    engine.add([path], ALONE)
    assert set(live(engine)) <= {f"clip.{suffix}#frame={n}" for n in (1, 2, 3, 4, 5)}
    assert len(live(engine)) == 2
    first = engine.search(two)[0]
    assert (first.verdict, first.name.partition("#")[0]) == ("same", path.name)


def test_an_animation_that_does_not_change_is_one_picture(engine: Engine, tmp_path: Path) -> None:
    images = [Image.fromarray(one) for one in [scenes(1)[0]] * 4]
    images[0].save(tmp_path / "still.webp", save_all=True, append_images=images[1:], lossless=True)
    engine.add([tmp_path / "still.webp"], ALONE)
    assert set(live(engine)) == {"still.webp"}


def test_pictures_in_a_zip_file_and_what_else_is_there(engine: Engine, tmp_path: Path) -> None:
    archive = write_zip(
        tmp_path / "a.cbz",
        scenes(2),
        ComicInfo_dot_xml=b"<x/>",
        broken_dot_jpg=b"\xff\xd8\xff\0",
        _dot_hidden_dot_jpg=b"x",
    )
    report = engine.add([archive], ALONE)
    assert set(live(engine)) == {"a.cbz#member=in/0.png", "a.cbz#member=in/1.png"}
    assert [one.path for one in report.skipped] == [f"{archive}/#member=broken.jpg"]
    assert report.passed_over == {".xml in an archive": 1, "hidden in an archive": 1}
    assert engine.search(f"{archive}#member=in/1.png")[0].name == "a.cbz#member=in/1.png"


@pytest.mark.parametrize(
    "fault",
    ["empty", "no pictures", "truncated", "encrypted"],
)
def test_a_faulty_archive_is_named(engine: Engine, tmp_path: Path, fault: str) -> None:
    path = write_zip(tmp_path / "a.zip", [] if fault != "truncated" else scenes(1), a_dot_txt=b"x" * 99)
    if fault == "empty":
        write_zip(path, [])
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:-30])
    if fault == "encrypted":
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
    report = engine.add([path], ALONE)
    (skipped,) = report.skipped
    expected = {
        "empty": "found nothing", "no pictures": ".txt in an archive", "truncated": "broken",
        "encrypted": "encrypted in an archive",
    }  # fmt: skip
    assert expected[fault] in skipped.reason
    assert not live(engine)


# -- One file, one update ---------------------------------------------------------------------------------------------


def test_a_second_run_reads_nothing_and_a_change_reads_the_file_again(engine: Engine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(3))
    engine.add([path], ALONE)
    assert times(engine) == {path.stat().st_mtime_ns}
    again = engine.add([path], ALONE)
    assert (again.n_added, again.n_changed, again.n_unchanged) == (0, 0, 3)
    write_tiff(path, scenes(2)[::-1])
    os.utime(path, ns=(1, 1))
    changed = engine.add([path], ALONE)
    assert (changed.n_added, changed.n_changed, changed.n_removed) == (0, 2, 1)
    assert set(live(engine)) == {"book.tif#page=1", "book.tif#page=2"}
    assert engine.search(scenes(1)[0])[0].name == "book.tif#page=2"
    os.utime(path, ns=(2, 2))
    touched = engine.add([path], ALONE)
    assert (touched.n_touched, touched.n_added, touched.n_changed) == (2, 0, 0)
    assert times(engine) == {2}


def test_a_file_of_pages_becomes_one_picture_and_back(engine: Engine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(1))
    engine.add([path], ALONE)
    write_tiff(path, scenes(3))
    report = engine.add([path], ALONE)
    assert (report.n_added, report.n_removed) == (3, 1)
    write_tiff(path, scenes(1))
    assert engine.add([path], ALONE).n_removed == 3
    assert live(engine) == {"book.tif": str(path)}
    assert engine.add([path], ALONE).n_unchanged == 1


def test_a_file_that_is_renamed_takes_its_pages_along(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    path = write_tiff(folder / "book.tif", scenes(3))
    engine.add([folder], ALONE)
    engine.annotate(["book.tif#page=2"], {"tag": ["map"]})
    path.rename(folder / "other.tif")
    report = engine.add([folder], ALONE)
    assert (report.n_moved, report.n_added) == (3, 0)
    assert set(live(engine)) == {f"other.tif#page={n}" for n in (1, 2, 3)}
    assert [record.name for record in engine.select(where="tag = 'map'").records] == ["other.tif#page=2"]
    assert len(engine.find("other.tif")) == 3
    (folder / "other.tif").unlink()
    write_zip(folder / "stays.zip", scenes(1))
    report = engine.add([folder], ALONE, delete=True)
    assert (report.n_removed, report.n_added) == (3, 1)


def test_a_copy_of_a_file_is_not_read_again(engine: Engine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(3))
    engine.add([path], ALONE)
    (tmp_path / "copy.tif").write_bytes(path.read_bytes())
    report = engine.add([tmp_path / "copy.tif"], ALONE)
    assert (report.n_added, report.n_reused) == (3, 3)


def test_a_run_that_was_stopped_goes_on_with_the_page_where_it_was(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a.zip", scenes(5))
    options = IndexOptions(workers=1, commit_images=1)
    real, n_read = documents_module.Documents.done, []

    def stop(self: documents_module.Documents, name: str) -> None:
        real(self, name)
        n_read.append(name)
        if len(n_read) == 2:
            raise SystemExit  # as if killed: nothing is done any more

    with monkeypatch.context() as patched:
        patched.setattr(documents_module.Documents, "done", stop)
        with pytest.raises(SystemExit):
            engine.add([path], options)
    engine = Engine.open(engine.folder)
    assert times(engine) == {UNFINISHED_NS}
    assert len(live(engine)) == 2
    report = engine.add([path], options)
    assert (report.n_added, report.n_changed, report.n_unchanged) == (3, 0, 2)
    assert times(engine) == {path.stat().st_mtime_ns}
    assert engine.add([path], options).n_unchanged == 5


def test_pages_are_compared_by_their_pixels_while_the_file_is_as_it_was(engine: Engine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(2))
    engine.add([path], ALONE)
    assert engine.search(scenes(1)[0])[0].agreement is not None
    os.utime(path, ns=(5, 5))
    assert engine.search(scenes(1)[0])[0].agreement is None


def test_more_pages_than_the_limit_are_said(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_PARTS", 2)
    path = write_tiff(tmp_path / "book.tif", scenes(4))
    (kind,) = [kind for kind in frames.FRAMES if kind.name == "TIFF"]
    document = kind.open(str(path))
    assert document.parts == ["page=1", "page=2"]
    assert document.others == {"pages beyond the first 2": 2}
    document.close()


def test_a_page_is_refused_before_it_is_decoded_when_it_is_too_large(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(2))
    with pytest.raises(Exception, match="too large"):
        read_content(f"{path}/#page=1", max_pixels=100)


def test_a_file_leaves_with_all_its_pages(engine: Engine, tmp_path: Path) -> None:
    engine.add([write_tiff(tmp_path / "book.tif", scenes(3)), write_zip(tmp_path / "a.zip", scenes(1))], ALONE)
    assert engine.remove("book.tif") == 3
    assert set(live(engine)) == {"a.zip#member=in/0.png"}


def test_no_action_touches_a_file_for_one_of_its_pages(engine: Engine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "book.tif", scenes(2))
    engine.add([path], ALONE)
    record = engine.select().records[0]

    assert problem_of(record) == "lies in a file with other pictures"
