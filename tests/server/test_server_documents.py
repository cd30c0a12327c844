"""Pages of documents through the server: shown, searched with, uploaded, removed, counted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bof.engine import Engine
from bof.images.decode import decode, kind_of
from bof.options import IndexOptions
from tests.support.pdfs import jpeg, placed, text, write_pdf
from tests.support.scenes import draw_scene
from tests.support.serving import API, PNG, X_BOF, TestClient, ended, names, refused, scene, search, served


@pytest.fixture
def client(tmp_path: Path, vocabulary_folder: Path) -> Iterator[TestClient]:
    (tmp_path / "books" / "old").mkdir(parents=True)
    write_pdf(
        tmp_path / "books" / "old" / "book.pdf",
        placed(tmp_path, jpeg(draw_scene(1)), 100, 400, 320, 240),
        placed(tmp_path, draw_scene(2), 100, 400, 320, 240),
        text("words"),
    )
    Engine.create(tmp_path / "index", vocabulary_folder).add([tmp_path / "books"], IndexOptions(workers=1))
    with served(tmp_path / "index", uploads=tmp_path / "uploads") as client:
        yield client


def images(client: TestClient, **parameters: str) -> dict[str, int]:
    found = client.get(f"{API}/images", params=parameters).json()["images"]
    return {image["name"]: image["id"] for image in found}


def test_pages_are_shown_as_pictures(client: TestClient) -> None:
    ids = images(client)
    assert set(ids) == {f"old/book.pdf#{part}" for part in ("page=1&image=1", "page=2&image=1", "page=3")}
    original = client.get(f"{API}/images/{ids['old/book.pdf#page=1&image=1']}/file")
    assert (original.headers["content-type"], original.content) == ("image/jpeg", jpeg(draw_scene(1)))
    page = client.get(f"{API}/images/{ids['old/book.pdf#page=2&image=1']}/file")
    assert page.headers["content-type"] == "image/png"
    assert np.array_equal(decode(page.content).pixels, draw_scene(2))
    for number in ids.values():
        thumbnail = client.get(f"{API}/images/{number}/thumbnail", params={"size": 160})
        assert kind_of(thumbnail.content) == "JPEG"


def test_the_file_that_holds_a_page_is_sent_whole_and_in_ranges(client: TestClient, tmp_path: Path) -> None:
    address = f"{API}/images/{images(client)['old/book.pdf#page=3']}/container"
    book = tmp_path / "books" / "old" / "book.pdf"
    data = book.read_bytes()
    whole = client.get(address)
    assert (whole.headers["content-type"], whole.headers["content-disposition"]) == ("application/pdf", "inline")
    assert whole.content == data
    assert client.get(address, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    some = client.get(address, headers={"Range": "bytes=10-99"})
    assert (some.status_code, some.content) == (206, data[10:100])
    assert some.headers["content-range"] == f"bytes 10-99/{len(data)}"
    assert client.get(address, headers={"Range": "bytes=-5"}).content == data[-5:]
    refused(client.get(address, headers={"Range": f"bytes={len(data)}-"}), 416)
    head = client.head(address)
    assert (head.content, int(head.headers["content-length"])) == (b"", len(data))
    book.write_bytes(data + b" ")
    assert "gone or changed" in refused(client.get(address), 410)


def test_a_picture_that_is_a_file_of_its_own_lies_in_no_other(tmp_path: Path, vocabulary_folder: Path) -> None:
    (tmp_path / "a.png").write_bytes(scene(1))
    Engine.create(tmp_path / "index", vocabulary_folder).add([tmp_path / "a.png"], IndexOptions(workers=1))
    with served(tmp_path / "index", uploads=tmp_path / "uploads") as client:
        (number,) = images(client).values()
        assert "a file of its own" in refused(client.get(f"{API}/images/{number}/container"), 404)


def test_pages_are_hits_queries_and_parts_of_folders(client: TestClient) -> None:
    ids = images(client)
    assert names(search(client, jpeg(draw_scene(2)))) == ["old/book.pdf#page=2&image=1"]
    again = client.post(f"{API}/search/image/{ids['old/book.pdf#page=1&image=1']}", headers=X_BOF)
    assert again.json()["hits"][0]["name"] == "old/book.pdf#page=1&image=1"
    assert len(images(client, folder="old")) == len(images(client, folder="old/book.pdf")) == 3
    assert not images(client, folder="old/book")
    assert client.get(f"{API}/index").json()["folders"] == [{"name": "old", "pictures": 3}]


def test_an_uploaded_file_of_pages_is_named_and_goes_when_its_last_page_goes(
    client: TestClient, tmp_path: Path
) -> None:
    first, second = (Image.fromarray(draw_scene(seed)) for seed in (7, 8))
    written = io.BytesIO()
    first.save(written, "TIFF", save_all=True, append_images=[second])
    response = client.post(f"{API}/images", files=[("image", ("scan.tif", written.getvalue()))], headers=X_BOF)
    job = ended(client, response.json()["job"])
    assert (job["added"], len(job["images"]), job["skipped"]) == (2, 2, [])
    ids = images(client, text="scan")
    assert set(ids) == {"scan.tif#page=1", "scan.tif#page=2"}
    (stored,) = (tmp_path / "uploads").iterdir()
    one, other = ids.values()
    replacing = client.put(f"{API}/images/{one}/file", content=scene(3), headers=X_BOF | PNG)
    assert "found one in a file with others" in refused(replacing, 409)
    client.delete(f"{API}/images/{one}", headers=X_BOF)
    assert stored.exists()
    client.delete(f"{API}/images/{other}", headers=X_BOF)
    assert not stored.exists()


def test_a_document_is_no_query(client: TestClient, tmp_path: Path) -> None:
    data = (tmp_path / "books" / "old" / "book.pdf").read_bytes()
    response = client.post(f"{API}/search", content=data, headers={"Content-Type": "application/pdf"})
    assert response.status_code in (415, 422, 400)
