"""An index follows manifests: new, changed and gone canvases; nothing is sent twice; faults cost their canvas alone."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bof.duplicates import main as duplicates
from bof.engine import Engine
from bof.errors import IndexStoreError
from bof.images.address import is_remote, path_of_remote, url_of_remote
from bof.index import main
from bof.options import IndexOptions
from bof.search import main as search_command
from bof.store.pictures import StoredPictures
from tests.support.iiif_server import Archive, serving
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import API, served

OPTIONS = IndexOptions(workers=1)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with serving() as found:
        yield found


@pytest.fixture
def engine(vocabulary_folder: Path, tmp_path: Path) -> Iterator[Engine]:
    with Engine.create(tmp_path / "index", vocabulary_folder) as found:
        yield found


def book(archive: Archive, n: int = 3, path: str = "/book", first: int = 0, **more: object) -> str:
    return archive.manifest(path, [archive.draw(first + i) for i in range(n)], **more)


def fields_of(engine: Engine, name: str) -> dict[str, list[str]]:
    (record,) = engine.find(name)
    return dict(engine.select(ids=[record.id]).fields[record.id])


# -- What is indexed --------------------------------------------------------------------------------------------------


def test_canvases_become_pictures_that_are_found(archive: Archive, engine: Engine) -> None:
    urls = [
        book(archive),
        book(archive, 2, "/old", 3, version=2, service="2"),
        book(archive, 1, "/level0", 5, service="0"),
    ]
    urls.append(book(archive, 1, "/plain", 6, service=""))
    report = engine.harvest(archive.collection("/all", urls), archive.host, OPTIONS)
    assert (report.n_added, list(report.skipped), report.passed_over) == (7, [], {})
    assert list(engine) == [
        "Book book/f. 1", "Book book/f. 2", "Book book/f. 3", "Book level0/f. 1", "Book old/f. 1", "Book old/f. 2",
        "Book plain/f. 1",
    ]  # fmt: skip
    assert fields_of(engine, "Book book/f. 2") == {
        "iiif_manifest": [urls[0]], "iiif_canvas": [f"{urls[0]}/canvas/p1"], "label": ["f. 2"],
        "iiif_service": [archive.url("/iiif/3/p1")], "iiif_box": ["0,0,2560,1920"], "iiif_version": ["3"],
        "iiif_level": ["2"], "Date": ["1493"],
        "Printer": ["Anton Koberger"],
    }  # fmt: skip
    assert fields_of(engine, "Book plain/f. 1")["iiif_image"] == [archive.url("/full/p6")]
    for number, name in ((1, "Book book/f. 2"), (4, "Book old/f. 2"), (5, "Book level0/f. 1"), (6, "Book plain/f. 1")):
        best = engine.search(archive.pictures[f"p{number}"])[0]
        assert (best.name, best.verdict) == (name, "same")
        assert best.basis == ("content" if number == 6 else "pixels")
        assert (best.width, best.height) == (1280, 960)
    assert "/iiif/3/p0/full/1024,/0/default.jpg" in archive.paths()
    assert "/iiif/0/p5/full/1280,960/0/default.jpg" in archive.paths()
    assert archive.most_connections == 1
    assert all(headers["User-Agent"].startswith("bof/") for _, _, headers in archive.requests)


def test_positions_are_those_of_the_full_picture(archive: Archive, engine: Engine) -> None:
    archive.manifest("/large", [archive.draw(1, (4000, 3000))])
    engine.harvest(archive.url("/large"), archive.host, OPTIONS)
    whole = np.asarray(Image.open(io.BytesIO(archive.pictures["p1"])))
    best = engine.search(np.ascontiguousarray(whole[600:2400, 800:3200]))[0]
    assert (best.width, best.height, best.verdict) == (4000, 3000, "same")
    assert best.outline is not None
    assert np.abs(best.outline - [[800, 600], [3200, 600], [3200, 2400], [800, 2400]]).max() < 25


def test_names_are_told_apart(archive: Archive, engine: Engine) -> None:
    one, two = book(archive, 2, "/1"), book(archive, 2, "/2", 2)
    for document in archive.documents.values():
        document["label"] = {"en": ["Same / name"]}
        for canvas in document["items"]:
            canvas["label"] = {"en": ["tags"]}
    engine.harvest([one, two], archive.host, OPTIONS)
    assert list(engine) == [
        "Same - name/tags", "Same - name/tags (p1)", "Same - name/tags (p2)", "Same - name/tags (p3)",
    ]  # fmt: skip
    engine.harvest([two, one], archive.host, OPTIONS)
    assert len(engine) == 4


def test_a_manifest_may_say_what_an_index_says_itself(archive: Archive, engine: Engine) -> None:
    url = book(archive, 1)
    pairs = [{"label": key, "value": "x"} for key in ("name", "Tag", "iiif_canvas", "has'quote")]
    archive.documents["/book"]["metadata"] = pairs
    engine.harvest(url, archive.host, OPTIONS)
    found = fields_of(engine, "Book book/f. 1")
    assert {key for key, values in found.items() if values == ["x"]} == {
        "iiif name", "iiif Tag", "iiif iiif_canvas", "has'quote",
    }  # fmt: skip


# -- Again ------------------------------------------------------------------------------------------------------------


def test_a_second_run_is_sent_nothing_anew(archive: Archive, engine: Engine) -> None:
    url = archive.collection("/all", [book(archive), book(archive, 2, "/level0", 3, service="0")])
    engine.harvest(url, archive.host, OPTIONS)
    n_before = len(archive.requests)
    report = engine.harvest(url, archive.host, OPTIONS)
    assert (report.n_added, report.n_changed, report.n_unchanged) == (0, 0, 5)
    assert {status for _, status, _ in archive.requests[n_before:]} == {304}
    assert len(archive.requests) == 2 * n_before


def test_pictures_without_etag_are_not_asked_for_again(archive: Archive, engine: Engine) -> None:
    archive.has_etags = False
    url = book(archive)
    engine.harvest(url, archive.host, OPTIONS)
    n_before = len(archive.requests)
    assert engine.harvest(url, archive.host, OPTIONS).n_unchanged == 3
    assert archive.paths()[n_before:] == ["/book"]


def test_what_is_remembered_may_be_deleted_or_damaged(archive: Archive, engine: Engine) -> None:
    url = book(archive)
    engine.harvest(url, archive.host, OPTIONS)
    for content in (None, b"no database" * 100):
        (engine.folder / "iiif.sqlite").unlink()
        if content:
            (engine.folder / "iiif.sqlite").write_bytes(content)
        report = engine.harvest(url, archive.host, OPTIONS)
        assert (report.n_added, report.n_changed, report.n_unchanged) == (0, 0, 3)
    (engine.folder / "iiif.sqlite").unlink()
    (engine.folder / "iiif.sqlite").symlink_to("/dev/null")
    with pytest.raises(IndexStoreError, match=r"iiif\.sqlite"):
        engine.harvest(url, archive.host, OPTIONS)


def test_changed_canvases_are_read_again_and_said_again(archive: Archive, engine: Engine) -> None:
    url = book(archive)
    engine.harvest(url, archive.host, OPTIONS)
    engine.annotate("Book book/f. 1", {"tag": ["mine"]})
    archive.pictures["p1"] = archive.pictures[archive.draw(50)]
    archive.documents["/book"]["metadata"][0]["value"] = {"none": ["1494"]}
    report = engine.harvest(url, archive.host, OPTIONS)
    assert (report.n_added, report.n_changed, report.n_unchanged) == (0, 1, 2)
    assert engine.search(archive.pictures["p50"])[0].name == "Book book/f. 2"
    assert engine.search(draw_scene(1))[0].verdict == "no"
    found = fields_of(engine, "Book book/f. 1")
    assert (found["Date"], found["tag"]) == (["1494"], ["mine"])
    engine.merge()
    assert len(list(StoredPictures(engine.folder).files())) == 3
    assert engine.check().is_sound


def test_canvases_that_left_their_manifests_leave_with_delete(archive: Archive, engine: Engine) -> None:
    url, other = book(archive), book(archive, 1, "/other", 9)
    engine.harvest([url, other], archive.host, OPTIONS)
    del archive.documents["/book"]["items"][1]
    archive.faults["/other"] = lambda n: (404, {}, b"")
    report = engine.harvest([url, other], archive.host, OPTIONS)
    assert (report.n_gone, report.n_removed, len(engine)) == (1, 0, 4)
    report = engine.harvest([url, other], archive.host, OPTIONS, delete=True)
    assert (report.n_gone, report.n_removed) == (0, 1)
    assert list(engine) == ["Book book/f. 1", "Book book/f. 3", "Book other/f. 1"]
    archive.documents["/book"]["items"] = []
    report = engine.harvest(url, archive.host, OPTIONS, delete=True)
    assert (report.n_removed, len(engine)) == (0, 3)
    assert "found none" in report.skipped[0].reason


def test_a_canvas_of_two_manifests_is_one_picture(archive: Archive, engine: Engine) -> None:
    url = book(archive)
    archive.documents["/excerpt"] = {**archive.documents["/book"], "id": archive.url("/excerpt")}
    archive.documents["/excerpt"]["items"] = archive.documents["/book"]["items"][:1]
    both = [url, archive.url("/excerpt")]
    assert engine.harvest(both, archive.host, OPTIONS).n_added == 3
    assert fields_of(engine, "Book book/f. 1")["iiif_manifest"] == both
    del archive.documents["/book"]["items"][0]
    assert engine.harvest(url, archive.host, OPTIONS, delete=True).n_removed == 0  # the excerpt may still show it
    assert engine.harvest(both, archive.host, OPTIONS, delete=True).n_removed == 0


# -- Faults -----------------------------------------------------------------------------------------------------------


def test_what_fails_is_named_and_the_rest_goes_on(archive: Archive, engine: Engine) -> None:
    url, other = book(archive, 6), book(archive, 1, "/other", 9)
    picture = "/iiif/3/{}/full/1024,/0/default.jpg".format
    whole = archive.answer(picture("p2"))[2]
    archive.faults = {
        "/missing": lambda n: (404, {}, b""), "/huge": lambda n: (200, {}, b'{"a":"' + b"x" * (33 << 20) + b'"}'),
        "/odd": lambda n: (200, {}, b"<html>"), picture("p0"): lambda n: (404, {}, b""),
        picture("p1"): lambda n: (200, {}, b"<html>"), picture("p2"): lambda n: (200, {}, whole[: len(whole) // 2]),
        picture("p3"): lambda n: (302, {"Location": "http://10.0.0.1/secret.jpg"}, b""),
        picture("p4"): lambda n: (200, {"Content-Length": "999999", "Connection": "close"}, whole),
    }  # fmt: skip
    documents = [archive.url(f"/{name}") for name in ("missing", "huge", "odd")]
    report = engine.harvest(
        [url, *documents, other, "http://elsewhere.example/m", "file:///etc/passwd", "nothing.json"],
        archive.host,
        OPTIONS,
    )
    assert report.n_added == 2
    assert list(engine) == ["Book book/f. 6", "Book other/f. 1"]
    reasons = {one.path: one.reason for one in report.skipped}
    assert reasons.keys() == {
        *documents, *(f"{url}/canvas/p{n}" for n in range(5)), "http://elsewhere.example/m", "file:///etc/passwd",
        "nothing.json",
    }  # fmt: skip
    expected = ["404", "at most", "JSON", "allowed", "URL of http", "No such file"]
    places = [*documents, "http://elsewhere.example/m", "file:///etc/passwd", "nothing.json"]
    for place, part in zip(places, expected, strict=True):
        assert part in reasons[place], (place, reasons[place])
    parts = ["status 200, found 404", "a picture", "truncated", "redirect to a host", "not fetched"]
    for number, part in enumerate(parts):
        assert part in reasons[f"{url}/canvas/p{number}"], reasons[f"{url}/canvas/p{number}"]


def test_collections_may_go_in_circles(archive: Archive, engine: Engine) -> None:
    url = book(archive, 1)
    archive.collection("/a", [url], [archive.url("/b"), archive.url("/a")])
    archive.collection("/b", [url], [archive.url("/a")], version=2)
    report = engine.harvest(archive.url("/a"), archive.host, OPTIONS)
    assert (report.n_added, list(report.skipped)) == (1, [])
    assert sorted(archive.paths())[:3] == ["/a", "/b", "/book"]
    endless = {"id": "x", "type": "Collection"}
    for depth in range(30):
        archive.documents[f"/deep{depth}"] = {
            **endless, "items": [{"id": archive.url(f"/deep{depth + 1}"), "type": "Collection"}],
        }  # fmt: skip
    report = engine.harvest([archive.url("/deep0"), url], archive.host, OPTIONS)
    assert "deep, found more" in report.skipped[0].reason
    assert report.n_unchanged == 1


def test_a_manifest_in_a_file_may_name_only_hosts_that_are_allowed(
    archive: Archive, engine: Engine, tmp_path: Path
) -> None:
    book(archive, 2)
    document = archive.documents.pop("/book")
    inner = "http://192.168.0.1/iiif/x"
    document["items"][1]["items"][0]["items"][0]["body"]["service"][0]["id"] = inner
    (tmp_path / "book.json").write_text(json.dumps(document), encoding="utf-8")
    report = engine.harvest(str(tmp_path / "book.json"), archive.host, OPTIONS)
    assert report.n_added == 1
    assert "expected a host that is allowed, found 192.168.0.1" in report.skipped[0].reason
    assert fields_of(engine, "Book book/f. 1")["iiif_manifest"] == [archive.url("/book")]


def test_an_interrupted_run_goes_on(archive: Archive, engine: Engine) -> None:
    url = book(archive, 6)
    archive.faults["/iiif/3/p4/full/1024,/0/default.jpg"] = lambda n: time.sleep(0.5)

    def stop(step: object) -> None:
        if getattr(step, "stage", "") == "fetching" and getattr(step, "n_done", 0) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="goes on from here"):
        engine.harvest(url, archive.host, OPTIONS, stop)
    n_done = engine.count()
    assert 2 <= n_done < 6
    report = engine.harvest(url, archive.host, OPTIONS)
    assert (report.n_added, report.n_unchanged) == (6 - n_done, n_done)
    assert engine.check().is_sound


# -- What the index stores --------------------------------------------------------------------------------------------


def test_thumbnails_are_checked_repaired_and_fetched_again(archive: Archive, engine: Engine) -> None:
    url = book(archive)
    engine.harvest(url, archive.host, OPTIONS)
    stored = StoredPictures(engine.folder)
    one, two, _ = list(stored.files())
    one.path.write_bytes(one.path.read_bytes()[:-1] + b"x")
    two.path.unlink()
    (two.path.parent / "stray.jpg").write_bytes(b"x")
    report = engine.check()
    assert [str(one.path) in reason for reason in report.wrong_pictures] == [True]
    assert [path.name for path in report.strays] == ["stray.jpg"]
    assert not report.is_sound
    assert main(["--index", str(engine.folder), "--repair"]) == 0
    assert engine.check().is_sound
    assert len(list(stored.files())) == 1
    assert engine.harvest(url, archive.host, OPTIONS).n_unchanged == 1
    assert len(list(stored.files())) == 3
    engine.remove("Book book/f. 1")
    engine.merge()
    assert len(list(stored.files())) == 2


def test_pictures_are_stored_if_asked_and_describe_new_columns(archive: Archive, engine: Engine) -> None:
    url = book(archive)
    engine.harvest(url, archive.host, OPTIONS)
    engine.add_columns("hash")
    n_before = len(archive.requests)
    report = engine.harvest(url, archive.host, OPTIONS, store_pictures=True)
    assert (report.n_changed, report.n_unchanged) == (3, 0)
    assert engine.count_known("hash") == 3
    assert {status for _, status, _ in archive.requests[n_before + 1 :]} == {200}
    stored = StoredPictures(engine.folder)
    for record in engine.records():
        found = stored.find(record.sha256)
        assert found is not None
        assert found.is_copy
        assert found.read() == archive.answer(f"/iiif/3/{url_of_remote(record.path)[-2:]}/full/1024,/0/default.jpg")[2]
    engine.add_columns("color")
    report = engine.harvest(url, archive.host, OPTIONS)
    assert (report.n_unchanged, report.n_backfilled, engine.count_known("color")) == (3, 3, 3)


def test_new_columns_without_a_copy_are_named(archive: Archive, engine: Engine, photos: Path) -> None:
    engine.harvest(book(archive, 1), archive.host, OPTIONS)
    engine.add_columns("hash")
    report = engine.add(photos, OPTIONS)
    assert report.n_added == 12
    assert [one.reason for one in report.skipped] == [
        "lies on another machine, and no copy is stored; bof index --iiif fetches it"
    ]


def test_nothing_is_written_through_a_link(archive: Archive, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (engine.folder / "pictures").symlink_to(tmp_path / "outside")
    with pytest.raises(IndexStoreError, match="link"):
        engine.harvest(book(archive, 1), archive.host, OPTIONS)
    assert not engine.count()


# -- Beside files -----------------------------------------------------------------------------------------------------


def test_folders_and_manifests_share_an_index(archive: Archive, engine: Engine, photos: Path) -> None:
    engine.harvest(book(archive), archive.host, OPTIONS)
    report = engine.add(photos, OPTIONS, delete=True)
    assert (report.n_added, report.n_gone, report.n_removed, len(engine)) == (12, 0, 0, 15)
    assert engine.plan(photos, delete=True).gone == []
    assert {hit.name for hit in engine.search(photos / "scene-01.png") if hit.verdict == "same"} == {
        "scene-01.png", "Book book/f. 2",
    }  # fmt: skip


def test_a_file_of_the_same_bytes_has_its_own_size(archive: Archive, engine: Engine, tmp_path: Path) -> None:
    archive.manifest("/large", [archive.draw(1, (4000, 3000))])
    engine.harvest(archive.url("/large"), archive.host, OPTIONS)
    (tmp_path / "photos").mkdir()
    small = archive.answer("/iiif/3/p1/full/1024,/0/default.jpg")[2]
    (tmp_path / "photos" / "small.jpg").write_bytes(small)
    assert engine.add(tmp_path / "photos", OPTIONS).n_reused == 0
    sizes = {record.name: (record.width, record.height) for record in engine.records()}
    assert sizes == {"Book large/f. 1": (4000, 3000), "small.jpg": (1024, 768)}


def test_duplicates_are_shown_and_never_acted_on(
    archive: Archive, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = book(archive)
    write_picture(tmp_path / "photos" / "copy.jpg", cv2.resize(draw_scene(1), (640, 480)))
    write_picture(tmp_path / "photos" / "twice.jpg", cv2.resize(draw_scene(1), (600, 450)))
    engine.harvest(url, archive.host, OPTIONS)
    engine.add(tmp_path / "photos", OPTIONS)
    index, page = ["--index", str(engine.folder)], tmp_path / "page.html"
    assert duplicates([*index, "--html", str(page), "--move-to", str(tmp_path / "moved"), "--yes"]) in (0, 1)
    shown = capsys.readouterr()
    assert "Book book/f. 2" in shown.out
    assert "another machine" in shown.out + shown.err + page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") >= 3
    assert {record.name for record in engine.records()} > {f"Book book/f. {n}" for n in (1, 2, 3)}
    moved = [path.name for path in (tmp_path / "moved").iterdir()]
    assert len(moved) == 1, "the picture of the archive is neither kept nor moved"
    assert {*moved} < {"copy.jpg", "twice.jpg"}


def test_the_server_shows_thumbnails(archive: Archive, engine: Engine) -> None:
    engine.harvest(book(archive), archive.host, OPTIONS)
    with served(engine.folder, read_only=True) as client:
        listed = client.get(f"{API}/images").json()["images"]
        assert [one["name"] for one in listed] == ["Book book/f. 1", "Book book/f. 2", "Book book/f. 3"]
        assert listed[0]["fields"]["Date"] == ["1493"]
        number = listed[1]["id"]
        thumbnail = client.get(f"{API}/images/{number}/thumbnail")
        assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/jpeg")
        file = client.get(f"{API}/images/{number}/file")
        assert Image.open(io.BytesIO(file.content)).size == (640, 480)
        found = client.post(f"{API}/search", content=archive.pictures["p1"], headers={"Content-Type": "image/jpeg"})
        assert [hit["name"] for hit in found.json()["hits"] if hit["verdict"] == "same"] == ["Book book/f. 2"]
        for one in list(StoredPictures(engine.folder).files()):
            one.path.unlink()
        assert client.get(f"{API}/images/{number}/file").status_code == 410


# -- The command ------------------------------------------------------------------------------------------------------


def test_the_command_harvests_and_searches(
    archive: Archive, vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    url, index = book(archive), ["--index", str(tmp_path / "index")]
    command = [*index, "--vocabulary", str(vocabulary_folder), "--iiif", url, "--allow-urls", archive.host]
    assert main([*command, "--dry-run"]) == 0
    assert not (tmp_path / "index").exists()
    assert "1 manifest, 3 new pictures\n  Book book/f. 1" in capsys.readouterr().out
    assert main([*command, "--workers", "1", "--tag", "incunable", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 3
    assert main([*index, "--stats", "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert (stats["stored_pictures"], stats["tags"]) == (3, {"incunable": 3})
    del archive.documents["/book"]["items"][0]
    assert main([*command, "--dry-run", "--delete"]) == 0
    assert "2 known pictures" in (out := capsys.readouterr().out)
    assert "1 picture to remove" in out
    assert main([*index, "--export", str(tmp_path / "all.csv")]) == 0
    assert "remote:http%3A" in (tmp_path / "all.csv").read_text(encoding="utf-8")
    assert main([*index, "--metadata", str(tmp_path / "all.csv")]) == 0
    (tmp_path / "query.jpg").write_bytes(archive.pictures["p1"])
    searching = [
        *index,
        str(tmp_path / "query.jpg"),
        "--matches",
        str(tmp_path / "proofs"),
        "--save",
        str(tmp_path / "s"),
    ]
    with caplog.at_level(logging.WARNING, "bof"):
        assert search_command([*searching, "--top", "1", "--html", str(tmp_path / "sheet.html")]) == 0
    assert len(list((tmp_path / "proofs").iterdir())) == 1
    assert "lies on another machine" in caplog.text
    assert (tmp_path / "sheet.html").read_text(encoding="utf-8").count("data:image/jpeg") >= 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--iiif", "http://a.example/m"], "--allow-urls HOST"), (["--allow-urls", "a.example"], "--iiif URL"),
        (["photos", "--iiif", "u", "--allow-urls", "a.example"], "neither folders"),
        (["--store-pictures"], "--iiif"), (["--iiif", "u", "--watch", "--allow-urls", "a.example"], "--watch"),
        (["--iiif", "u", "--allow-urls", "a.example", "--stats"], "no manifests"),
        (["--iiif", "u", "--allow-urls", "http://a.example/"], "--allow-urls"),
    ],
)  # fmt: skip
def test_flags_that_make_no_sense_together(
    arguments: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--index", str(tmp_path / "index"), *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_paths_of_remote_pictures_go_both_ways() -> None:
    url = "https://a.example/iiif/x?y=1#xywh=1,2,3,4/图"
    assert is_remote(path_of_remote(url))
    assert url_of_remote(path_of_remote(url)) == url
    assert "/" not in path_of_remote(url)
    assert not is_remote("/photos/remote:a.jpg")
