"""Watched pictures over HTTP: added, compared with what comes, waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.client import Client
from bof.engine import Engine
from bof.options import IndexOptions
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import API, PNG, X_BOF, AppTransport, TestClient, copied, ended, refused, scene, served


@pytest.fixture(scope="module")
def index(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(index_folder, tmp_path_factory.mktemp("watches"))


@pytest.fixture(scope="module")
def client(index: Path) -> Iterator[TestClient]:
    with served(index) as client:
        yield client


def watch(client: TestClient, seed: int, **parameters: str) -> dict[str, Any]:
    headers = {**PNG, **X_BOF}
    response = client.post(f"{API}/watches", content=scene(seed), headers=headers, params=parameters)
    assert response.status_code == 201, response.text
    watched: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{API}/watches/{watched['id']}"
    assert client.get(response.headers["location"]).json() == watched
    return watched


def add(client: TestClient, name: str, seed: int) -> int:
    response = client.post(f"{API}/images", files={"image": (name, scene(seed))}, headers=X_BOF)
    (number,) = ended(client, response.json()["job"])["images"]
    return int(number)


def wait_for(client: TestClient, path: str, since: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = client.get(API + path, params={"since": since, "wait": 20}).json()
    return found


def test_what_is_uploaded_is_compared_and_waited_for(client: TestClient) -> None:
    watched = watch(client, 60, name="a vase", note="stolen")
    assert (watched["name"], watched["note"], watched["n_hits"]) == ("a vase", "stolen", 0)
    number = add(client, "found.png", 60)
    page = wait_for(client, f"/watches/{watched['id']}/hits")
    (hit,) = page["hits"]
    assert (hit["watch"], hit["image"], hit["name"], hit["verdict"]) == (watched["id"], number, "found.png", "same")
    assert page["last"] == hit["number"]
    start = time.monotonic()
    later = client.get(f"{API}/watches/hits", params={"since": page["last"], "wait": 1}).json()
    assert later == {"last": page["last"], "hits": []}
    assert time.monotonic() - start >= 0.9
    assert client.get(f"{API}/watches/{watched['id']}/file").content == scene(60)
    assert client.get(f"{API}/watches/{watched['id']}").json()["n_hits"] == 1
    assert client.delete(f"{API}/watches/{watched['id']}", headers=X_BOF).json() == {"id": watched["id"]}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/file"), ("GET", "/hits")):
        refused(client.request(method, f"{API}/watches/{watched['id']}{path}", headers=X_BOF), 404)


def test_what_another_process_adds_wakes_who_waits(client: TestClient, index: Path, tmp_path: Path) -> None:
    watched = watch(client, 61)
    found: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: found.append(wait_for(client, f"/watches/{watched['id']}/hits")))
    waiting.start()
    write_picture(tmp_path / "elsewhere.png", draw_scene(61))
    with Engine.open(index) as engine:
        engine.add([tmp_path / "elsewhere.png"], IndexOptions(workers=1))
    waiting.join(30)
    assert [hit["name"] for hit in found[0]["hits"]] == ["elsewhere.png"]


def test_watches_are_listed_page_by_page_the_last_first(client: TestClient) -> None:
    for seed in (62, 63):
        watch(client, seed, name=f"w{seed}")
    whole = client.get(f"{API}/watches").json()
    assert [one["name"] for one in whole["watches"]][:2] == ["w63", "w62"]
    page = client.get(f"{API}/watches", params={"offset": 1, "limit": 1}).json()
    assert (page["total"], page["offset"], page["watches"]) == (whole["total"], 1, whole["watches"][1:2])


def test_what_cannot_be_watched_is_refused(client: TestClient) -> None:
    headers = {**PNG, **X_BOF}
    refused(client.post(f"{API}/watches", content=b"text", headers=headers), 415)
    refused(client.post(f"{API}/watches", content=scene(1), headers=headers, params={"name": "a" * 201}), 400)
    refused(client.post(f"{API}/watches", files={"image": ("a.png", scene(1))}), 403)
    refused(client.get(f"{API}/watches/hits", params={"wait": 31}), 400)
    refused(client.get(f"{API}/watches/x/hits"), 404)


def test_the_client_watches(client: TestClient, tmp_path: Path) -> None:
    with Client("http://127.0.0.1", transport=AppTransport(client)) as speaker:
        watched = speaker.watch(write_picture(tmp_path / "w.png", draw_scene(64)), note="mine")
        assert speaker.watched(watched["id"])["name"] == "w.png"
        assert speaker.watched_file(watched["id"]) == (tmp_path / "w.png").read_bytes()
        assert speaker.watches(limit=1)["watches"] == [watched]
        speaker.wait(speaker.add([("x.png", scene(64))])["id"])
        (hit,) = speaker.watch_hits(watched["id"], wait=20)["hits"]
        assert speaker.watch_hits(since=hit["number"] - 1)["hits"] == [hit]
        assert speaker.unwatch(watched["id"]) == {"id": watched["id"]}


def test_a_server_that_may_change_nothing_compares_nothing(index: Path) -> None:
    with served(index, read_only=True) as client:
        assert client.application.service._follower is None
        refused(client.post(f"{API}/watches", content=scene(1), headers={**PNG, **X_BOF}), 403)
        assert client.get(f"{API}/watches").status_code == 200
