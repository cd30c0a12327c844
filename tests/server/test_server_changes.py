"""Changes over HTTP: add, update, remove, tag, sync; other writers and other readers of the same index."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import decode
from bof.options import SearchOptions
from bof.server import collection
from bof.server.api import changing, images
from bof.server.uploads import shown_name
from bof.system.locking import one_writer
from tests.support.scenes import N_SCENES, draw_scene
from tests.support.serving import API, PNG, X_BOF, TestClient, copied, encoded, ended, names, scene, search, served


@pytest.fixture
def index(index_folder: Path, tmp_path: Path) -> Path:
    return copied(index_folder, tmp_path)


@pytest.fixture
def client(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(collection, "FOLLOW_SECONDS", 0.0)
    with served(index) as client:
        yield client


def upload(client: TestClient, *pictures: tuple[str, bytes]) -> dict[str, object]:
    """Add pictures and wait for the job."""
    response = client.post(f"{API}/images", files=[("image", picture) for picture in pictures], headers=X_BOF)
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"{API}/jobs/{response.json()['job']['id']}"
    return ended(client, response.json()["job"])


def number_of(client: TestClient, text: str) -> int:
    (image,) = client.get(f"{API}/images", params={"text": text}).json()["images"]
    return int(image["id"])


def test_an_uploaded_picture_is_found_by_its_name_and_content(client: TestClient, index: Path) -> None:
    job = upload(client, ("a b/ü.png", scene(50)), ("notes.txt", b"no picture"), ("../../up.jpg", scene(51, ".jpg")))
    assert (job["state"], job["added"], job["error"]) == ("done", 2, None)
    assert [skipped["name"] for skipped in job["skipped"]] == ["notes.txt"]  # type: ignore[attr-defined]
    assert names(search(client, scene(50))) == ["a b/ü.png"]
    assert names(search(client, scene(51))) == ["up.jpg"]
    number = number_of(client, "ü")
    assert number in job["images"]  # type: ignore[operator]
    assert client.get(f"{API}/images/{number}/file").content == scene(50)
    retained = sorted(path.name for path in index.with_name("index-uploads").iterdir())
    assert len(retained) == 2
    assert all(name.isascii() and name[:32].isalnum() for name in retained)


def test_the_same_picture_twice_is_one(client: TestClient) -> None:
    upload(client, ("a.png", scene(50)))
    job = upload(client, ("b.png", scene(50)))
    assert (job["added"], job["unchanged"]) == (0, 1)
    assert client.get(f"{API}/images").json()["total"] == N_SCENES + 1


def test_a_new_picture_takes_the_place_of_an_uploaded_one_and_keeps_its_tags(client: TestClient) -> None:
    upload(client, ("first.png", scene(50)))
    number = number_of(client, "first")
    assert client.put(f"{API}/images/{number}/tags", json={"tags": ["b", "a", "b"]}).json()["tags"] == ["a", "b"]
    response = client.put(f"{API}/images/{number}/file", content=scene(51), headers=PNG)
    job = ended(client, response.json()["job"])
    (new,) = job["images"]
    assert client.get(f"{API}/images/{number}").status_code == 404
    assert client.get(f"{API}/images/{new}").json()["tags"] == ["a", "b"]
    assert names(search(client, scene(51))) == ["first.png"]
    assert names(search(client, scene(50))) == []
    upload(client, ("second.png", scene(50)))
    assert names(search(client, scene(50))) == ["second.png"]
    assert names(search(client, scene(51))) == ["first.png"]


def test_files_of_the_index_s_folders_are_not_touched(client: TestClient, photos: Path) -> None:
    number = number_of(client, "scene-03")
    assert client.put(f"{API}/images/{number}/file", content=scene(50), headers=PNG).status_code == 409
    assert client.delete(f"{API}/images/{number}", headers=X_BOF).json() == {"id": number}
    assert (photos / "scene-03.png").read_bytes() == scene(3)
    assert names(search(client, scene(3))) == []
    assert client.delete(f"{API}/images/{number}", headers=X_BOF).status_code == 404


def test_a_removed_upload_is_deleted(client: TestClient, index: Path) -> None:
    upload(client, ("a.png", scene(50)))
    client.delete(f"{API}/images/{number_of(client, 'a')}", headers=X_BOF)
    assert not list(index.with_name("index-uploads").iterdir())
    assert ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])["added"] == 0


def test_tags_are_searched_and_counted(client: TestClient) -> None:
    for name in ("scene-01", "scene-02"):
        client.put(f"{API}/images/{number_of(client, name)}/tags", json={"tags": ["it's", "x y"]})
    client.put(f"{API}/images/{number_of(client, 'scene-02')}/tags", json={"tags": ["it's"]})
    assert names(search(client, scene(1), tag="x y")) == ["scene-01.png"]
    assert search(client, scene(3), tag=["it's", "x y"], top=5)["total"] <= 1
    assert client.get(f"{API}/images", params={"tag": "it's"}).json()["total"] == 2
    assert client.get(f"{API}/index").json()["tags"] == [
        {"name": "it's", "pictures": 2},
        {"name": "x y", "pictures": 1},
    ]


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"tags": [1]}', '{"tags": [""]}', '{"tags": ["a\\nb"]}', '{"tags": "a"}', "{"]
)
def test_what_are_no_tags_is_refused(client: TestClient, body: str) -> None:
    response = client.put(f"{API}/images/1/tags", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


def test_a_sync_sees_the_folders_as_they_are(index_folder: Path, photos: Path, tmp_path: Path) -> None:
    pictures = Path(shutil.copytree(photos, tmp_path / "photos"))
    with Engine.create(tmp_path / "index", Engine.open(index_folder).vocabulary_folder) as engine:
        engine.add([pictures])
    with served(tmp_path / "index") as client:
        (pictures / "new.png").write_bytes(scene(60))
        (pictures / "scene-00.png").unlink()
        job = ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])
        assert (job["added"], job["removed"], job["unchanged"]) == (1, 0, N_SCENES - 1)
        assert names(search(client, scene(60))) == ["new.png"]
        job = ended(client, client.post(f"{API}/sync?delete=1", headers=X_BOF).json()["job"])
        assert job["removed"] == 1


def test_what_a_crash_left_behind_is_indexed_by_the_next_sync(client: TestClient, index: Path) -> None:
    folder = index.with_name("index-uploads")
    folder.mkdir()
    (folder / "left.png").write_bytes(scene(70))
    (folder / ".half.partial").write_bytes(b"half")
    assert ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])["added"] == 1
    assert [path.name for path in folder.iterdir()] == ["left.png"]


def test_another_writer_makes_a_job_fail_and_no_search(client: TestClient, index: Path) -> None:
    with one_writer(index):
        job = upload(client, ("a.png", scene(50)))
        assert job["state"] == "failed"
        assert "is writing this index" in job["error"]["detail"]  # type: ignore[index]
        assert str(index) not in json.dumps(job)
        response = client.put(f"{API}/images/1/tags", json={"tags": ["a"]})
        assert response.status_code == 409
        assert search(client, scene(1))["hits"]
    assert upload(client, ("a.png", scene(50)))["state"] == "done"


def test_commits_of_other_processes_are_seen(client: TestClient, index: Path, tmp_path: Path) -> None:
    assert names(search(client, scene(80))) == []
    (tmp_path / "other.png").write_bytes(scene(80))
    with Engine.open(index) as engine:
        engine.add([tmp_path / "other.png"])
    assert names(search(client, scene(80))) == ["other.png"]
    with Engine.open(index) as engine:
        engine.remove(["other.png"])
        engine.merge()
    assert names(search(client, scene(80))) == []


def test_a_small_change_behind_a_long_one_is_a_job(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(changing, "PATIENCE_SECONDS", 0.05)
    gate = threading.Event()
    jobs = client.application.service.jobs
    jobs.submit("sync", lambda job: gate.wait(10))
    response = client.put(f"{API}/images/1/tags", json={"tags": ["late"]})
    assert response.status_code == 202
    assert response.json()["job"]["state"] == "queued"
    gate.set()
    assert ended(client, response.json()["job"])["state"] == "done"
    assert client.get(f"{API}/images/1").json()["tags"] == ["late"]


def test_events_tell_of_a_job_until_it_is_over(client: TestClient) -> None:
    job = client.post(
        f"{API}/images", files=[("image", (f"{i}.png", scene(50 + i))) for i in range(3)], headers=X_BOF
    ).json()["job"]
    response = client.get(f"{API}/jobs/{job['id']}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]
    assert events[-1]["state"] == "done"
    assert events[-1]["done"] == events[-1]["total"] == 3
    assert [event["done"] for event in events] == sorted(event["done"] for event in events)
    assert client.get(f"{API}/jobs/{job['id']}/events").text.count("data:") == 1
    assert client.get(f"{API}/jobs").json()["jobs"][0]["id"] == job["id"]
    assert client.get(f"{API}/jobs/none/events").status_code == 404


def test_a_server_that_stops_ends_a_job_with_what_is_done_committed(index: Path) -> None:
    with served(index) as client:
        files = [("image", (f"{i}.png", scene(50 + i))) for i in range(8)]
        job = client.post(f"{API}/images", files=files, headers=X_BOF).json()["job"]
        jobs = client.application.service.jobs
        while jobs.get(job["id"]).done < 1:
            pass
    assert jobs.get(job["id"]).state in ("stopped", "done")
    with Engine.open(index) as engine:
        assert len(engine) >= N_SCENES + 1


def test_a_disk_that_is_full_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(images.uploads, "store", full)
    response = client.post(f"{API}/images", files={"image": ("a.png", scene(50))}, headers=X_BOF)
    assert response.status_code == 507


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.png", "a.png"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\x.png", "x.png"),
        ("a\x00\nb", "ab"),
        ("", "picture"),
        ("..", "picture"),
    ],
)
def test_names_are_for_people(given: str, shown: str) -> None:
    assert shown_name(given) == shown
    assert len(shown_name(given * 500)) <= 200


def test_duplicates_are_found_told_and_rejected(client: TestClient) -> None:
    half = encoded(cv2.resize(draw_scene(4), (240, 180), interpolation=cv2.INTER_AREA).astype(np.uint8))
    upload(client, ("half.png", half))
    assert client.get(f"{API}/duplicates?kind=copy").json()["found"] is False
    job = ended(client, client.post(f"{API}/duplicates", json={"kind": "copy"}).json()["job"])
    assert (job["state"], job["error"]) == ("done", None)
    found = client.get(f"{API}/duplicates?kind=copy").json()
    (group,) = found["groups"]
    assert found["total"] == 1
    assert {member["name"] for member in group["members"]} == {"scene-04.png", "half.png"}
    assert sorted(member["keep"] for member in group["members"]) == [False, True]
    assert group["members"][0]["link"] is None
    assert "resized" in group["members"][1]["link"]["changes"]
    assert client.get(f"{API}/duplicates?kind=exact").json()["groups"] == []
    a, b = (member["id"] for member in group["members"])
    assert client.post(f"{API}/duplicates/reject", json={"a": a, "b": b}).json() == {"a": a, "b": b}
    assert client.get(f"{API}/duplicates?kind=copy").json()["total"] == 0
    ended(client, client.post(f"{API}/duplicates", json={"kind": "copy"}).json()["job"])
    assert client.get(f"{API}/duplicates?kind=copy").json()["total"] == 0
    for wrong in ({"a": a, "b": a}, {"a": a}, {"a": "x", "b": b}, {"a": True, "b": b}):
        assert client.post(f"{API}/duplicates/reject", json=wrong).status_code == 400
    assert client.post(f"{API}/duplicates", json={"kind": "all"}).status_code == 400


@pytest.mark.parametrize("ranker", ["color", "phash", "bof+color"])
def test_rankers_of_whole_pictures_answer_as_the_engine_does(index: Path, ranker: str) -> None:
    with Engine.open(index) as engine:
        engine.add_columns(["color", "hash"])
        engine.add([])
        options = SearchOptions(ranker=ranker)
        picture = decode(scene(3), max_side=engine.features.max_side)
        query = engine.prepare(picture, (20.0, 10.0, 300.0, 200.0), options)
        hits = engine.hits(query, engine.answer(query, options), options, 5)
    with served(index) as client:
        answer = search(client, scene(3), ranker=ranker, box="20,10,300,200", top=5)
        known = {each["name"]: each["available"] for each in client.get(f"{API}/rankers").json()["rankers"]}
        same = search(client, scene(3), ranker=ranker, verdict=["same", "maybe"], top=5)["hits"]
        figures = client.get(f"{API}/index").json()
    assert [(hit["name"], hit["verdict"]) for hit in answer["hits"]] == [(hit.name, hit.verdict) for hit in hits]
    assert [hit["score"] for hit in answer["hits"]] == pytest.approx([hit.score for hit in hits])
    assert [known[name] for name in ("color", "phash", "embedding")] == [True, True, False]
    assert all(hit["verdict"] in ("same", "maybe") for hit in same)
    assert figures["bytes_by_part"]["columns"] > 0
    assert any(name.startswith("color.") for name in figures["columns"])
