"""Small doors that were open: guessed tokens, secrets in logs and processes, doubtful lengths, a lost index."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import re
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bof.engine import Engine
from bof.server import running
from bof.server.collection import ServedCollection
from bof.store import catalog
from bof.store.check import SEGMENTS
from bof.system.workers import Pool, close_workers
from scripts.server.process import ServerProcess
from tests.support.serving import (
    API,
    DOCUMENT,
    PNG,
    X_BOF,
    TestClient,
    bearer,
    copied,
    ended,
    refused,
    scene,
    search,
    served,
)

READ, WRITE = "read-token-0123456789", "write-token-0123456789"


@pytest.fixture
def guarded(index_folder: Path) -> Iterator[TestClient]:
    with served(index_folder, read_token=READ, write_token=WRITE, hosts=frozenset()) as client:
        yield client


@pytest.fixture
def own(index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index that may be damaged; the server looks at it with every request."""
    monkeypatch.setattr("bof.server.collection.FOLLOW_SECONDS", 0.0)
    return copied(index_folder, tmp_path)


@pytest.fixture(scope="module")
def process(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server in a process of its own."""
    index = copied(index_folder, tmp_path_factory.mktemp("served"))
    secrets = {"BOF_WRITE_TOKEN": WRITE, "BOF_READ_TOKEN": READ}
    with ServerProcess(index, "--upload-megabytes", "64", environment=secrets) as server:
        yield server


# -- Guesses ----------------------------------------------------------------------------------------------------------


def as_bearer(client: TestClient, token: str) -> Any:
    return client.get(f"{API}/images", headers=bearer(token))


def as_question(client: TestClient, token: str) -> Any:
    return client.get(f"{API}/session", headers=bearer(token))


def as_session(client: TestClient, token: str) -> Any:
    return client.post(f"{API}/session", json={"token": token})


@pytest.mark.parametrize("ask", [as_bearer, as_question, as_session])
def test_wrong_tokens_are_counted_and_a_right_one_always_comes_in(
    guarded: TestClient, ask: Callable[[TestClient, str], Any]
) -> None:
    statuses = [ask(guarded, f"wrong-token-{i:09d}").status_code for i in range(30)]
    assert statuses.count(429) > 10
    response = ask(guarded, "wrong-token-once-more")
    refused(response, 429)
    assert 1 <= int(response.headers["retry-after"]) <= 5
    for token in (READ, WRITE):
        assert all(each(guarded, token).status_code == 200 for each in (as_bearer, as_question, as_session))
        guarded.cookies.clear()


def test_tokens_are_counted_together_whatever_brings_them(guarded: TestClient) -> None:
    while as_bearer(guarded, "wrong-token-012345678").status_code == 401:
        pass
    refused(as_session(guarded, "wrong-token-012345678"), 429)
    refused(as_question(guarded, "wrong-token-012345678"), 429)


def test_who_sends_no_token_guesses_nothing(guarded: TestClient) -> None:
    for _ in range(20):
        refused(guarded.get(f"{API}/images"), 401)
        assert guarded.get(f"{API}/session").status_code == 200


# -- Secrets ----------------------------------------------------------------------------------------------------------


def work(shared: Any, item: Any) -> Any:
    """Runs in a child: its environment."""
    import os

    return dict(os.environ)


def test_no_child_that_decodes_has_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    close_workers()
    secrets = {"BOF_WRITE_TOKEN": WRITE, "BOF_READ_TOKEN": READ, "AWS_SECRET_ACCESS_KEY": "x", "pgpassword": "x"}
    for name, value in {**secrets, "BOF_INDEX": "kept"}.items():
        monkeypatch.setenv(name, value)
    pool = Pool(f"{__name__}:work", None, 1)
    try:
        environment = pool.submit(None).result(60)
    finally:
        pool.close()
        close_workers()
    assert not secrets.keys() & environment.keys()
    assert WRITE not in environment.values()
    assert environment["BOF_INDEX"] == "kept"
    assert environment["PATH"]


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/api/v1/images?token=secret&limit=1", "/api/v1/images?token=***&limit=1"),
        ("/?a=1&access_token=secret=x", "/?a=1&access_token=***"),
        ("/?%74oken=secret&TOKEN=secret", "/?%74oken=***&TOKEN=***"),
        ("/?tokens&a=b", "/?tokens&a=b"),
        ("/api/v1/images", "/api/v1/images"),
    ],
)
def test_no_token_is_in_the_access_log(path: str, logged: str) -> None:
    line = '%s - "%s %s HTTP/%s" %d'
    record = logging.LogRecord("uvicorn.access", 20, "", 0, line, ("1.2.3.4:5", "GET", path, "1.1", 401), None)
    assert running.WithoutTokens().filter(record)
    assert record.getMessage() == f'1.2.3.4:5 - "GET {logged} HTTP/1.1" 401'


def test_a_server_logs_no_token(guarded: TestClient) -> None:
    server = running.make_server(guarded.application, "127.0.0.1", 0, access_log=True)
    logger, records = logging.getLogger("uvicorn.access"), queue.SimpleQueue[logging.LogRecord]()
    assert server.config.access_log
    handler = logging.handlers.QueueHandler(records)
    logger.addHandler(handler)
    try:
        logger.info('%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", f"/?token={WRITE}", "1.1", 401)
    finally:
        logger.removeHandler(handler)
    assert records.get_nowait().getMessage() == '1.2.3.4:5 - "GET /?token=*** HTTP/1.1" 401'


def raw(process: Any, request: bytes) -> bytes:
    """All that a server says to a request before it hangs up."""
    host, _, port = process.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


# -- Requests ---------------------------------------------------------------------------------------------------------


def test_a_length_and_chunks_together_are_refused(guarded: TestClient) -> None:
    both = {"Content-Length": "2", "Transfer-Encoding": "chunked", **bearer(WRITE)}
    response = guarded.post(f"{API}/session", headers=both, content=b"{}")
    assert "both" in refused(response, 400)
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    "lengths", ["Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"]
)
def test_what_follows_doubtful_lengths_is_no_request(process: Any, lengths: str) -> None:
    head = f"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lengths}\r\n\r\n"
    answer = raw(process, f"{head}0\r\n\r\nGET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("kind", ["application/x", "application/json", "image/png", "application/octet-stream", "x"])
def test_only_the_types_that_an_endpoint_names_change_anything(index_folder: Path, kind: str) -> None:
    json, picture = kind == "application/json", kind in ("image/png", "application/octet-stream")
    with served(index_folder) as client:
        for method, path, is_named in [
            ("POST", "/sync", False), ("POST", "/images", False), ("DELETE", "/images/999", False),
            ("PUT", "/images/999/tags", json), ("POST", "/duplicates", json), ("POST", "/duplicates/reject", json),
            ("PUT", "/images/999/file", picture),
        ]:  # fmt: skip
            response = client.request(method, API + path, headers={"Content-Type": kind}, content=b"{}")
            assert (response.status_code == 403) is not is_named, (method, path, response.text)
            assert is_named or "X-Bof" in refused(response, 403)


def test_the_content_type_is_taken_apart_in_no_time(guarded: TestClient) -> None:
    kind = "multipart/form-data" + ";" * 30_000
    start = time.thread_time()
    refused(guarded.post(f"{API}/search", headers={**bearer(READ), "Content-Type": kind}, content=b""), 400)
    assert time.thread_time() - start < 5


def test_a_star_names_no_site(index_folder: Path) -> None:
    with served(index_folder, origins=frozenset({"*"})) as client:
        for headers in ({}, {"Access-Control-Request-Method": "POST"}):
            named = {"Origin": "http://any.example", **headers}
            for method in ("GET", "OPTIONS"):
                answer = client.request(method, f"{API}/health", headers=named)
                assert "access-control-allow-origin" not in answer.headers


def test_a_site_that_is_not_named_gets_no_leave_beside_one_that_is(index_folder: Path) -> None:
    named, other = "https://friend.example", "https://other.example"
    with served(index_folder, origins=frozenset({named})) as client:
        requested = {"Origin": other, "Access-Control-Request-Method": "POST"}
        assert "access-control-allow-origin" not in client.options(f"{API}/search", headers=requested).headers
        granted = client.options(f"{API}/search", headers={**requested, "Origin": named})
        assert granted.headers["access-control-allow-origin"] == named
        assert "x-bof" in granted.headers["access-control-allow-headers"].lower()
        assert granted.headers["x-content-type-options"] == "nosniff"
        refused(client.options(f"{API}/search", headers={**requested, "Origin": named, "Host": "other.example"}), 421)
        answer = client.get(f"{API}/health", headers={"Origin": named})
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "Origin" in answer.headers["vary"]
        refused(client.post(f"{API}/search", content=scene(1), headers={**PNG, "Origin": other}), 403)


@pytest.mark.parametrize("like", [b"\r\n--x!" * 1_500_000, b"\r\n--\r" * 12_000_000])
def test_health_is_told_while_a_form_is_taken_apart(process: Any, like: bytes) -> None:
    """python-multipart in the event loop takes 2 s for the one and 0.8 s for the other."""
    body = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + like + b"\r\n--x--\r\n"
    head = [
        "POST /api/v1/search HTTP/1.1", "Host: localhost", f"Authorization: Bearer {READ}", "Connection: close",
        "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}", "", "",
    ]  # fmt: skip
    answers: list[bytes] = []
    sending = threading.Thread(target=lambda: answers.append(raw(process, "\r\n".join(head).encode() + body)))
    longest = 0.0
    with httpx.Client(base_url=process.url) as client:
        sending.start()
        while sending.is_alive():
            start = time.perf_counter()
            assert client.get(f"{API}/health").status_code == 200
            longest = max(longest, time.perf_counter() - start)
    sending.join()
    assert answers[0].startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 415"))
    assert longest < 0.5


# -- An index that is gone --------------------------------------------------------------------------------------------


def lose_folder(index: Path) -> None:
    shutil.rmtree(index)


def lose_catalogue(index: Path) -> None:
    (index / catalog.FILE_NAME).unlink()


def spoil_catalogue(index: Path) -> None:
    (index / catalog.FILE_NAME).write_bytes(b"no database" * 1000)


def lose_segment(index: Path) -> None:
    next(each for each in (index / SEGMENTS).iterdir() if each.is_dir()).rename(index / "elsewhere")


def lose_file(index: Path) -> None:
    next((index / SEGMENTS).glob("*/xy.npy")).unlink()


def lengthen_file(index: Path) -> None:
    with next((index / SEGMENTS).glob("*/word.npy")).open("ab") as file:
        file.write(b"more")


LOSSES = [lose_folder, lose_catalogue, spoil_catalogue, lose_segment, lose_file, lengthen_file]


@pytest.mark.parametrize("lose", LOSSES)
def test_an_index_that_is_lost_is_told_as_such(own: Path, lose: Callable[[Path], None]) -> None:
    with served(own) as client:
        assert search(client, scene(1))["hits"]
        lose(own)
        requested = [
            client.get(f"{API}/health"), client.post(f"{API}/search", content=scene(2), headers=PNG),
            client.get(f"{API}/images"), client.get(f"{API}/index"), client.get(f"{API}/images/1"),
            client.get(f"{API}/metrics"),
        ]  # fmt: skip
    # What reads the catalogue alone does not miss the files of segments.
    needed = requested if lose in LOSSES[:3] else [requested[i] for i in (0, 1, 3, 5)]
    for response in needed:
        detail = refused(response, 503)
        assert response.json()["type"] == "/problems/no-index"
        assert "the index" in detail
        assert str(own) not in detail


OWN = {"/health": 503, "/openapi.json": 200, "/session": 200, "/jobs": 200, "/jobs/{job}": 404}
"""What answers without an index, and how."""


@pytest.mark.parametrize("lose", LOSSES)
def test_every_address_says_that_the_index_is_lost(own: Path, lose: Callable[[Path], None]) -> None:
    """Found by what the server describes of itself: none says 409, that something about one picture is impossible."""
    with served(own) as client:
        lose(own)
        refused(client.get(f"{API}/health"), 503)
        for path, operations in DOCUMENT["paths"].items():
            for method in operations:
                address = API + re.sub(r"{(id|a|b)}", "1", path).replace("{group}", "0" * 16).replace("{job}", "j1")
                response = client.request(method, address.replace("{action}", "j1"), headers=X_BOF)
                expected = OWN.get(path.removesuffix("/events").removesuffix("/cancel"), 503)
                if (method == "post" and path == "/session") or path == "/pairing":
                    continue  # they need what they are sent, and no index
                assert response.status_code == expected, (method, path, response.text)
                assert response.status_code != 503 or response.json()["type"] == "/problems/no-index", path


@pytest.mark.parametrize("lose", [lose_folder, lose_catalogue, spoil_catalogue])
def test_jobs_and_requests_that_meet_the_loss_first_say_so(
    own: Path, lose: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss is not noticed yet, so each meets it in its own way."""
    monkeypatch.setattr(ServedCollection, "is_due", False)
    for method, path, more in [
        ("PUT", "/images/1/tags", {"json": {"tags": ["a"]}}), ("DELETE", "/images/1", {}), ("POST", "/sync", {}),
        ("POST", "/images", {"files": {"image": ("a.png", scene(50))}}), ("GET", "/duplicates", {}),
        ("POST", "/duplicates", {"json": {"kind": "copy"}}),
        ("POST", "/duplicates/reject", {"json": {"a": 1, "b": 2}}),
        ("GET", "/images/1/file", {}),
        ("GET", "/images/1/thumbnail", {}), ("GET", "/matches/1/2", {}), ("POST", "/search/image/1", {}),
    ]:  # fmt: skip
        folder = copied(own, own.parent / f"{method}{path.replace('/', '-')}")
        with served(folder) as client:
            lose(folder)
            response = client.request(method, API + path, headers=X_BOF, **more)
            found = response.json()
            problem = ended(client, found["job"])["error"] if response.status_code == 202 else found
            assert problem["type"] == "/problems/no-index", (method, path, problem)


def test_a_damage_that_only_a_request_meets_is_told_as_such(own: Path) -> None:
    with served(own) as client:
        with sqlite3.connect(own / catalog.FILE_NAME) as database:
            page = database.execute("PRAGMA page_size").fetchone()[0]
            (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'images'").fetchone()
        with (own / catalog.FILE_NAME).open("r+b") as file:
            file.seek((root - 1) * page)
            file.write(b"\xff" * page)
        response = client.get(f"{API}/images")
        refused(response, 503)
        assert response.json()["type"] == "/problems/no-index"


def test_an_index_that_comes_back_is_searched_again(own: Path, tmp_path: Path) -> None:
    with served(own) as client:
        own.rename(tmp_path / "away")
        refused(client.get(f"{API}/health"), 503)
        (tmp_path / "away").rename(own)
        assert client.get(f"{API}/health").status_code == 200
        assert search(client, scene(1))["hits"]


def test_another_index_in_the_same_place_is_searched(own: Path, vocabulary_folder: Path, photos: Path) -> None:
    with served(own) as client:
        assert search(client, scene(1))["hits"][0]["name"] == "scene-01.png"
        shutil.rmtree(own)
        with Engine.create(own, vocabulary_folder) as engine:
            engine.add([photos / "scene-05.png", photos / "scene-03.png"])
        assert {hit["name"] for hit in search(client, scene(5))["hits"]} <= {"scene-05.png", "scene-03.png"}
        shutil.rmtree(own)
        features = engine.features.replaced(max_side=500)
        with Engine.create(own, vocabulary_folder, features) as other:
            other.add([photos / "scene-05.png"])
        assert "restart" in refused(client.get(f"{API}/health"), 503)


def test_a_change_that_is_not_possible_is_still_a_conflict(own: Path) -> None:
    with served(own) as client, Engine.open(own).writer():
        job = client.put(f"{API}/images/1/tags", json={"tags": ["a"]}, headers=X_BOF)
        assert job.status_code == 409 or ended(client, job.json()["job"])["error"]["status"] == 409
        assert client.get(f"{API}/health").status_code == 200
