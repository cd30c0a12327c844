"""The Python client speaks with the server as the documentation says."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bof.client import Client, RefusedError
from bof.connection import batches
from bof.errors import ServerError
from bof.options import ServeOptions
from bof.server.app import ENDPOINTS
from scripts import write_api_types
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


def requested() -> set[tuple[str, str]]:
    """Method and path of every request that the client's code makes, {} standing for what varies."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / "bof" / "client.py").read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and len(node.args) >= 2
            and isinstance(node.args[1], ast.Constant | ast.JoinedStr)
        ):
            method, path = map(ast.unparse, node.args[:2])
            found.add((method.strip("'"), re.sub(r"{[^}]*}", "{}", path.removeprefix("f").strip("'"))))
    return found


def test_every_endpoint_is_requested_by_a_method() -> None:
    """But for the pairing of extensions, which a program that is none is refused."""
    for_programs = [one for one in ENDPOINTS if one.path != "/pairing"]
    assert {(one.method, re.sub(r"{\w+}", "{}", one.path)) for one in for_programs} <= requested()


def test_what_type_checkers_see_is_what_the_server_says() -> None:
    assert (ROOT / "bof" / "api_types.py").read_text(encoding="utf-8") == write_api_types.module()


USER = """
from pathlib import Path
from bof.client import Client

def first(client: Client) -> str:
    answer = client.search(Path("a.jpg"), top=5, tag=["museum"], box=(0, 0, 9, 9), mirror="never")
    name: str = answer["hits"][0]["name"]
    for one in client.search_batch([b"", ("b.jpg", b"")], verdict=["same"]):
        print(one["name"], one["problem"]["title"] if "problem" in one else one["total"])
    print(client.judgments(image=7)["total"], client.values("folder", contains="a")["values"])
    tags: list[str] = client.tag(7, ["museum"])["tags"]
    return name + client.wait(client.add([Path("b.jpg")])["id"])["state"] + tags[0]
"""
MISTAKES = {
    'client.search(Path("a.jpg"), topp=5)': "topp",
    'client.search("a.jpg")': "arg-type",
    'client.search(b"")["hit"]': "typeddict-item",
    'client.images(sort="size")': "arg-type",
    'client.judge(1, 2, "likely")': "arg-type",
    "client.accept_duplicates(picture=3)": "call-arg",
    'client.duplicates("crops")': "arg-type",
}


def test_programs_of_users_are_checked(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER, encoding="utf-8")
    lines = "\n".join(f"    {line}" for line in MISTAKES)
    mistaken = f"from pathlib import Path\nfrom bof.client import Client\n\ndef use(client: Client) -> None:\n{lines}\n"
    (tmp_path / "mistaken.py").write_text(mistaken, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", str(tmp_path / "cache")]
    run = subprocess.run(
        [*command, "user.py", "mistaken.py"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert len(found) == len(MISTAKES), run.stdout
    for line, mistake in zip(found, MISTAKES.values(), strict=True):
        assert line.startswith("mistaken.py")
        assert mistake in line


def test_many_pictures_are_sent_in_as_many_bodies_as_it_takes(index_folder: Path, tmp_path: Path) -> None:
    options = ServeOptions(rate=0, batch_images=2, batch_megabytes=1)
    sizes: list[int] = []

    def note(request: httpx.Request) -> None:
        if request.url.path.endswith(("/batch", "/images")) and request.method == "POST":
            sizes.append(int(request.headers["content-length"]))

    with (
        served(copied(index_folder, tmp_path), options) as test_client,
        Client("http://127.0.0.1", transport=AppTransport(test_client)) as client,
    ):
        client._http.event_hooks = {"request": [note]}
        named = [(f"{i}.png", scene(i)) for i in range(5)]
        answers = client.search_batch(named, top=1)
        assert [one["name"] for one in answers] == [name for name, _ in named]
        assert [one["hits"][0]["name"] for one in answers if "hits" in one] == [f"scene-{i:02d}.png" for i in range(5)]
        assert len(sizes) == 3
        paths = [write_picture(tmp_path / f"{i}.png", draw_scene(50 + i)) for i in range(3)]
        assert [job["added"] for job in client.add_all(paths)] == [2, 1]
        assert max(sizes) <= 1 << 20


def test_batches_keep_the_order_and_the_limits() -> None:
    pictures = [bytes(size) for size in (10, 5000, 10, 10, 10, 9000, 10)]
    parts = list(batches(pictures, 3, 8000))
    assert [one for part in parts for one in part] == pictures
    assert [[len(one) for one in part] for part in parts] == [[10, 5000], [10, 10, 10], [9000], [10]]
    assert not list(batches([], 3, 8000))


def test_a_file_is_sent_anew_where_the_server_was_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, bodies = write_picture(tmp_path / "a.png", draw_scene(3)), []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200 if len(bodies) > 1 else 503, json={"hits": []})

    monkeypatch.setattr("bof.connection.time.sleep", lambda seconds: None)
    with Client(transport=httpx.MockTransport(handle)) as client:
        client.search(path)
        assert bodies == [path.read_bytes()] * 2
        client.search_image(1)
        assert bodies[-1] == b""


def test_an_original_is_saved_whole_or_not_at_all(client: Client, tmp_path: Path) -> None:
    client.save_file(1, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes() == client.file(1)
    with pytest.raises(RefusedError, match="no image 999"):
        client.save_file(999, tmp_path / "other.png")
    with pytest.raises(RefusedError, match="a file of its own"):
        client.save_container(1, tmp_path / "other.png")
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]


def test_every_endpoint_has_a_method(client: Client, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "query.png", draw_scene(2))
    first = client.search(path, top=3, box=(0, 0, 320, 240), verdict=["same", "no"], flip=False)["hits"][0]
    assert first["name"] == "scene-02.png"
    assert client.search_image(first["id"], top=1)["hits"][0]["id"] == first["id"]
    assert [one["total"] for one in client.search_batch([path, scene(3)], top=1) if "total" in one] == [N_SCENES] * 2
    joint = client.search_together([path, scene(3)], top=2)
    assert {hit["name"]: hit["query_number"] for hit in joint["hits"]} == {"scene-02.png": 0, "scene-03.png": 1}
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
    assert client.openapi()["openapi"] == "3.1.0"
    assert client.session()["write"]
    assert client.open_session(TOKEN)["write"]
    assert not client.close_session()["write"]
    assert client.jobs(limit=1)["offset"] == 0


def test_a_picture_is_called_what_its_file_is(client: Client, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "query.png", draw_scene(2))
    assert client.send_query(path)["name"] == "query.png"
    assert client.send_query(path.read_bytes(), name="pasted.png")["name"] == "pasted.png"


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/api/v1"])
def test_the_address_may_be_that_of_the_api(client: Client, url: str) -> None:
    with Client(url, TOKEN, transport=client._http._transport) as other:
        assert other._http.base_url == client._http.base_url


def test_a_page_of_groups_is_asked_for_as_documented(client: Client) -> None:
    client.wait(client.find_duplicates("copy")["id"])
    page = client.duplicates("copy", sort="name", only=["copy", "exact"], folder="none-such")
    assert (page["found"], page["total"]) == (True, 0)
    with pytest.raises(RefusedError, match="expected 7 duplicates"):
        client.accept_duplicates("copy", only=["copy"], folder="none-such", pictures=7)


def test_what_is_changed_is_seen(client: Client, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "mine.png", draw_scene(40))
    (number,) = client.wait(client.add([path])["id"])["images"]
    assert client.tag(number, ["a"])["tags"] == ["a"]
    assert [image["id"] for image in client.images(tag=["a"])] == [number]
    (number,) = client.wait(client.update(number, scene(41))["id"])["images"]
    assert client.search(scene(41), top=1)["hits"][0]["name"] == "mine.png"
    assert client.set_fields(number, {"year": ["1890"]})["fields"] == {"year": ["1890"]}
    assert client.annotate([number], {"tag": ["b"]}, {"year": ["1890"]}) == {"images": [number]}
    assert client.image(number)["tags"] == ["a", "b"]
    assert client.remove(number) == {"id": number}
    (number,) = client.wait(client.add([("named.png", scene(42))])["id"])["images"]
    assert client.image(number)["name"] == "named.png"
    assert client.remove_images([number]) == {"images": [number]}
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

    monkeypatch.setattr("bof.connection.time.sleep", waited.append)
    with Client(transport=httpx.MockTransport(handle)) as client:
        assert client.health() == {"status": "ok"}
    assert waited == [2.0, 2.0]


def test_a_server_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Client("http://127.0.0.1:9", timeout=1.0) as client, pytest.raises(ServerError, match="is bof serve running"):
        client.health()
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ServerError, match=re.escape('pip install "bof-search[client]"')):
        Client()


def test_the_examples_of_the_documentation_work(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^    from pathlib.*?(?=^\S)", page, re.MULTILINE | re.DOTALL)
    write_picture(tmp_path / "query.jpg", draw_scene(5))
    write_picture(tmp_path / "other.jpg", draw_scene(45))
    for seed in (46, 47):
        write_picture(tmp_path / "scans" / f"{seed}.jpg", draw_scene(seed))

    class Here(Client):
        def __init__(self, url: str) -> None:
            super().__init__(url, TOKEN, transport=client._http._transport)

        def close(self) -> None:
            pass

    monkeypatch.setattr("bof.client.Client", Here)
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec("\n".join(line[4:] for line in block.splitlines()), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "scene-05.png same proved_many_points"
    assert f"1 added; {N_SCENES + 1} pictures" in lines
    assert lines[-4:] == ["2 added, 0 skipped", "query.jpg same", "pasted.png same", "0 hits up to number 0"]
