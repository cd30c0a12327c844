"""Jobs over HTTP: every one can be cancelled, waiting or running; what only reads keeps no change waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.grouping.types import Group
from bof.server import collection
from bof.server.jobs import duplicates
from bof.system.steps import Progress, Stage
from tests.support.scenes import N_SCENES
from tests.support.serving import API, X_BOF, TestClient, bearer, copied, ended, refused, scene, served

READ, WRITE = "r" * 16, "w" * 16


@pytest.fixture
def index(index_folder: Path, tmp_path: Path) -> Path:
    return copied(index_folder, tmp_path)


@pytest.fixture
def client(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(collection, "FOLLOW_SECONDS", 0.0)
    with served(index) as client:
        yield client


def start_adding(client: TestClient, *seeds: int) -> dict[str, Any]:
    files = [("image", (f"{seed}.png", scene(seed))) for seed in seeds]
    job: dict[str, Any] = client.post(f"{API}/images", files=files, headers=X_BOF).json()["job"]
    return job


def cancel(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    response = client.post(f"{API}/jobs/{job['id']}/cancel", headers=X_BOF)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def uploads(index: Path) -> int:
    return len(list(index.with_name("index-uploads").glob("*.png")))


class Look:
    """A search for duplicates that goes on until it is let go or cancelled, a step after the other."""

    def __init__(self) -> None:
        self.is_running, self.may_end = threading.Event(), threading.Event()

    def __call__(self, engine: Engine, kind: str, options: object, progress: Progress) -> list[Group]:
        stage = Stage(progress, "searching", 10_000)
        self.is_running.set()
        while not self.may_end.wait(0.005):
            stage.advance()
        return []


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    found = Look()
    monkeypatch.setattr(duplicates, "find_groups", found)
    yield found
    found.may_end.set()


def start_looking(client: TestClient) -> dict[str, Any]:
    job: dict[str, Any] = client.post(f"{API}/duplicates", json={"kind": "copy"}).json()["job"]
    return job


def test_a_search_for_duplicates_keeps_no_change_waiting(client: TestClient, endless: Look) -> None:
    job = start_looking(client)
    assert endless.is_running.wait(10)
    assert client.put(f"{API}/images/1/tags", json={"tags": ["a"]}).status_code == 200
    assert ended(client, start_adding(client, 50))["added"] == 1
    assert client.get(f"{API}/jobs/{job['id']}").json()["state"] == "running"
    endless.may_end.set()
    assert ended(client, job)["state"] == "done"


def test_a_running_search_and_a_waiting_one_are_cancelled(client: TestClient, endless: Look) -> None:
    running, waiting = start_looking(client), start_looking(client)
    assert endless.is_running.wait(10)
    assert cancel(client, waiting)["state"] == "cancelled"
    assert ended(client, cancel(client, running))["state"] == "cancelled"
    assert cancel(client, running)["state"] == "cancelled"
    assert client.get(f"{API}/duplicates?kind=copy").json()["found"] is False
    refused(client.post(f"{API}/jobs/j99/cancel", headers=X_BOF), 404)


def test_a_cancelled_add_leaves_what_is_committed_and_no_other_file(client: TestClient, index: Path) -> None:
    job = start_adding(client, *range(50, 66))
    jobs = client.application.service.jobs
    while jobs.get(job["id"]).done < 1:
        time.sleep(0.001)
    job = ended(client, cancel(client, job))
    n_added = client.get(f"{API}/images").json()["total"] - N_SCENES
    assert job["state"] == "cancelled"
    assert 1 <= n_added < 16
    assert uploads(index) == n_added
    assert ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])["added"] == 0


def test_a_waiting_add_that_is_cancelled_leaves_files_that_others_add(client: TestClient, index: Path) -> None:
    with Held(client) as held:
        first, second, third = (start_adding(client, *seeds) for seeds in ((50, 51), (51, 52), (53,)))
        assert uploads(index) == 4
        assert cancel(client, second)["state"] == "cancelled"
        assert uploads(index) == 3
    assert ended(client, held.job)["state"] == "done"
    assert [ended(client, job)["added"] for job in (first, third)] == [2, 1]
    assert uploads(index) == 3


def test_a_removal_leaves_the_file_that_a_waiting_add_needs(client: TestClient, index: Path) -> None:
    (number,) = ended(client, start_adding(client, 50))["images"]
    with Held(client):
        removal = client.application.service.jobs.submit("remove", client.application.service.changes.remove([number]))
        again = start_adding(client, 50)
    assert ended(client, removal.as_json())["removed"] == 1
    assert ended(client, again)["added"] == 1
    assert uploads(index) == 1


def test_an_upload_that_is_gone_costs_the_job_that_one(client: TestClient, index: Path) -> None:
    with Held(client):
        job = start_adding(client, 50, 51)
        next(index.with_name("index-uploads").glob("*.png")).unlink()
    job = ended(client, job)
    assert (job["state"], job["added"], len(job["skipped"])) == ("done", 1, 1)
    assert "send it again" in job["skipped"][0]["reason"]


class Held:
    """While it is open, a change runs and all others wait."""

    def __init__(self, client: TestClient) -> None:
        self._may_end, self._client = threading.Event(), client

    def __enter__(self) -> Held:
        jobs = self._client.application.service.jobs
        self.job = jobs.submit("sync", lambda job: self._may_end.wait(30) and None).as_json()
        return self

    def __exit__(self, *error: object) -> None:
        self._may_end.set()


def test_a_job_that_is_over_stays_as_it_is(client: TestClient) -> None:
    job = ended(client, start_adding(client, 50))
    assert cancel(client, job) == job
    assert job["state"] == "done"


def test_who_may_not_change_may_not_cancel(index: Path) -> None:
    with served(index, read_token=READ, write_token=WRITE) as client:
        job = client.post(f"{API}/sync", headers={**bearer(WRITE), **X_BOF}).json()["job"]
        address = f"{API}/jobs/{job['id']}/cancel"
        refused(client.post(address, headers=bearer(READ)), 403)
        refused(client.post(address), 401)
        assert client.post(address, headers=bearer(WRITE)).status_code == 200


def test_what_still_waits_is_stopped_with_the_server(index: Path, endless: Look) -> None:
    with served(index) as client:
        first, second = start_looking(client), start_looking(client)
        assert endless.is_running.wait(10)
        jobs = client.application.service.jobs
    assert [jobs.get(job["id"]).state for job in (first, second)] == ["stopped", "stopped"]
