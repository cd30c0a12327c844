"""The Python client speaks with the server as the documentation says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bof.client import Client, RefusedError
from bof.errors import ServerError
from tests.support.scenes import N_SCENES, ROOT, draw_scene, write_picture
from tests.support.serving import AppTransport, copied, scene, served

TOKEN = "write-token-0123456789"


@pytest.fixture(scope="module")
def client(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    index = copied(index_folder, tmp_path_factory.mktemp("client"))
    with (
        served(index, write_token=TOKEN) as test_client,
        Client("http://127.0.0.1", TOKEN, transport=AppTransport(test_client)) as client,
    ):
        yield client


def test_every_endpoint_has_a_method(client: Client, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "query.png", draw_scene(2))
    first = client.search(path, top=3, box=(0, 0, 320, 240), verdict=["same", "no"], flip=False)["hits"][0]
    assert first["name"] == "scene-02.png"
    assert client.search_image(first["id"], top=1)["hits"][0]["id"] == first["id"]
    assert [answer["total"] for answer in client.search_batch([path, scene(3)], top=1)] == [N_SCENES] * 2
    assert client.match(first["id"], path)["hit"]["verdict"] == "same"
    assert client.match_images(first["id"], first["id"])["hit"]["id"] == first["id"]
    assert client.subject(path)["width"] == 320
    query = client.send_query(path, name="mine.png", frame=(640, 480))
    assert client.query(query["id"])["width"] == 640
    assert client.query_picture(query["id"], 320).startswith(b"\xff\xd8")
    assert client.search_query(query["id"], top=1)["hits"][0]["id"] == first["id"]
    assert client.match_query(query["id"], first["id"])["hit"]["verdict"] == "same"
    assert client.subject_of_query(query["id"], turn=90)["width"] == 480
    assert client.forget_query(query["id"]) == {"id": query["id"]}
    assert client.image(first["id"])["name"] == "scene-02.png"
    assert client.file(first["id"]) == scene(2)
    assert client.thumbnail(first["id"], 160).startswith(b"\xff\xd8")
    assert client.index()["pictures"] == N_SCENES
    assert client.rankers()["default"] == "bof"
    assert client.health()["status"] == "ok"
    assert "bof_pictures 12" in client.metrics()


def test_what_is_changed_is_seen(client: Client, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "mine.png", draw_scene(40))
    (number,) = client.wait(client.add([path])["id"])["images"]
    assert client.tag(number, ["a"])["tags"] == ["a"]
    assert [image["id"] for image in client.images(tag=["a"])] == [number]
    (number,) = client.wait(client.update(number, scene(41))["id"])["images"]
    assert client.search(scene(41), top=1)["hits"][0]["name"] == "mine.png"
    assert client.remove(number) == {"id": number}
    assert len(list(client.images(limit=5))) == N_SCENES
    assert client.wait(client.sync()["id"])["state"] == "done"
    assert client.wait(client.find_duplicates("exact")["id"])["kind"] == "duplicates"
    assert client.duplicates("exact", limit=5)["found"]
    assert client.reject(1, 2) == {"a": 1, "b": 2}


def test_what_is_refused_says_why(client: Client) -> None:
    with pytest.raises(RefusedError, match=r"404 .*no image 999") as caught:
        client.image(999)
    assert caught.value.status == caught.value.problem["status"] == 404
    with pytest.raises(RefusedError, match="no job"):
        client.wait("none")
    with pytest.raises(RefusedError, match="expected a picture"):
        client.search(b"no picture")


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    answers = iter([429, 503, 200])

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), json={"status": "ok"}, headers={"Retry-After": "2"})

    monkeypatch.setattr("bof.client.time.sleep", waited.append)
    with Client(transport=httpx.MockTransport(handle)) as client:
        assert client.health() == {"status": "ok"}
    assert waited == [2.0, 2.0]


def test_a_server_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Client("http://127.0.0.1:9", timeout=1.0) as client, pytest.raises(ServerError, match="is bof serve running"):
        client.health()
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ServerError, match=re.escape('pip install "bof-search[client]"')):
        Client()


def test_the_example_of_the_documentation_works(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    found = re.search(r"^    from pathlib.*?(?=^\S)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    write_picture(tmp_path / "query.jpg", draw_scene(5))
    write_picture(tmp_path / "other.jpg", draw_scene(45))

    class Here(Client):
        def __init__(self, url: str) -> None:
            super().__init__(url, TOKEN, transport=client._http._transport)

        def close(self) -> None:
            pass

    monkeypatch.setattr("bof.client.Client", Here)
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    exec("\n".join(line[4:] for line in found[0].splitlines()), space)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "scene-05.png same proved_many_points"
    assert lines[-1] == f"1 added; {N_SCENES + 1} pictures"
