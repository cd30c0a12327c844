"""A server in a process of its own: its contract, hostile and slow clients, the lines of the documentation, its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings

from bof.engine import Engine
from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS
from scripts.server import hostile
from scripts.server.process import ServerProcess
from tests.support.scenes import N_SCENES, ROOT, draw_scene, write_picture
from tests.support.serving import API, PNG, X_BOF, copied, scene

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc, sends signals")

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
N_EXAMPLES = int(os.environ.get("BOF_CONTRACT_EXAMPLES", "0"))
"""An endpoint, in a longer run by hand: some hundred, and all of schemathesis' edge cases."""


@pytest.fixture(scope="module")
def server(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    index = copied(index_folder, tmp_path_factory.mktemp("served"))
    flags = ("--rate", "0", "--header-seconds", "1.5", "--body-seconds", "1.5", "--connections", "40")
    with ServerProcess(index, *flags) as server:
        yield server


# -- The contract -----------------------------------------------------------------------------------------------------

schema = schemathesis.openapi.from_dict(document(ENDPOINTS))
schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]


@schema.parametrize()
@settings(
    max_examples=N_EXAMPLES or 5,
    phases=[Phase.explicit, Phase.generate] if N_EXAMPLES else [Phase.generate],
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: schemathesis.Case[Any], server: Any) -> None:
    if isinstance(wait := (case.query or {}).get("wait"), int) and 0 < wait <= 30:
        case.query["wait"] = 0  # a client that waits as long as it may gets the same
    response = case.call(base_url=server.url + API)
    case.validate_response(response, checks=CHECKS)


def ask(server: Any, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """Status and headers of an answer, over a connection of its own."""
    connection = HTTPConnection(server.address, timeout=30)
    try:
        connection.request(method, API + path, body, PNG)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers
    finally:
        connection.close()


# -- Clients that mean harm -------------------------------------------------------------------------------------------


def test_hostile_requests_are_refused_and_cost_no_memory(server: Any) -> None:
    for attack in islice(hostile.attacks(1), 60):
        hostile.send(server.address, attack)
    before = server.memory()
    for attack in islice(hostile.attacks(), 60):
        status = hostile.send(server.address, attack)
        assert status < 500, attack.name
        assert status >= 400 or not attack.must_refuse, attack.name
    assert server.memory() < before + (48 << 20)
    assert ask(server, "GET", "/health")[0] == 200


def dribble(server: Any, head: bytes) -> tuple[bytes, float]:
    """What a client gets that sends a head and then nothing, and after how many seconds."""
    host, port = server.address.split(":")
    start = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head)
        found = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return found, time.monotonic() - start


def test_slow_clients_are_sent_away_and_hold_nobody_up(server: Any) -> None:
    body = b"HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n1234"
    assert ask(server, "POST", "/search", scene(1))[0] == 200
    heads = [b"", b"GET /api", b"POST /api/v1/search " + body, b"POST /nowhere " + body]
    found: dict[bytes, tuple[bytes, float]] = {}
    threads = [
        threading.Thread(target=lambda head=head: found.update({head: dribble(server, head)})) for head in heads * 5
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert ask(server, "GET", "/images?limit=1")[0] == 200
    assert not found  # all of them are still there
    for thread in threads:
        thread.join()
    assert all(seconds < 5 for _, seconds in found.values())
    assert [found[head][0].partition(b"\r\n")[0][9:12] for head in heads] == [b"", b"", b"408", b"404"]


def test_too_many_connections_are_refused(server: Any) -> None:
    host, port = server.address.split(":")
    statuses = []
    for _ in range(5):  # they are taken in as the server finds time
        held = [socket.create_connection((host, int(port))) for _ in range(45)]
        status, headers = ask(server, "GET", "/health")
        statuses.append(status)
        assert status == 200 or headers["retry-after"] == "1"
        for connection in held:
            connection.close()
    assert 503 in statuses
    end = time.monotonic() + 5
    while ask(server, "GET", "/health")[0] != 200:
        assert time.monotonic() < end


# -- A file that is cut -----------------------------------------------------------------------------------------------


def test_a_server_outlives_files_that_are_cut_and_answers_once_they_are_back(
    index_folder: Path, tmp_path: Path
) -> None:
    index = copied(index_folder, tmp_path)
    with ServerProcess(index, "--rate", "0") as server:
        assert ask(server, "POST", "/search", scene(1))[0] == 200
        for name in ("signature", "vote_image", "vote_feature", "xy", "scale_angle", "feature_indptr", "vote_indptr"):
            (path,) = (index / "segments").glob(f"*/{name}.npy")
            content = path.read_bytes()
            os.truncate(path, 0)
            assert ask(server, "POST", "/search", scene(1))[0] == 503, name
            path.write_bytes(content)
            end = time.monotonic() + 10
            while ask(server, "POST", "/search", scene(1))[0] != 200:
                assert time.monotonic() < end, name
                time.sleep(0.05)
        assert server.process.poll() is None


# -- The documentation ------------------------------------------------------------------------------------------------


def curl_lines() -> list[str]:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return re.findall(r"^    (curl .*)$", page, re.MULTILINE)


def test_every_line_of_curl_in_the_documentation_works(server: Any, tmp_path: Path) -> None:
    lines = curl_lines()
    assert len(lines) > 10
    write_picture(tmp_path / "query.jpg", draw_scene(1))
    write_picture(tmp_path / "other.jpg", draw_scene(77))
    for line in lines:
        here = line.replace("http://127.0.0.1:8000", server.url)
        run = subprocess.run(["bash", "-o", "pipefail", "-c", here], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, f"{line}\n{run.stderr}{run.stdout}"
        assert run.stdout


# -- The end ----------------------------------------------------------------------------------------------------------


def add_many(server: Any) -> dict[str, Any]:
    """Begin to add pictures, in commits of one, and wait until the first is done."""
    files = [("image", (f"{i}.png", scene(100 + i))) for i in range(6)]
    job = httpx.post(f"{server.url}{API}/images", files=files, headers=X_BOF, timeout=30).json()["job"]
    with httpx.stream("GET", f"{server.url}{API}/jobs/{job['id']}/events") as events:
        for line in events.iter_lines():
            if '"done":0' not in line and line:
                return dict(job)
    raise AssertionError("the job ended unseen")


def test_a_killed_server_loses_nothing_committed(index_folder: Path, tmp_path: Path) -> None:
    index = copied(index_folder, tmp_path)
    with ServerProcess(index, "--rate", "0") as server:
        done = httpx.post(f"{server.url}{API}/images", files={"image": ("a.png", scene(90))}, headers=X_BOF).json()
        while httpx.get(f"{server.url}{API}/jobs/{done['job']['id']}").json()["state"] != "done":
            time.sleep(0.02)
        add_many(server)
        server.stop(signal.SIGKILL)
    with Engine.open(index) as engine:
        assert len(engine) >= N_SCENES + 1
        engine.add([index.with_name("index-uploads")])
        assert len(engine) == N_SCENES + 7


def test_a_terminated_server_answers_what_it_has_and_keeps_what_it_did(server: Any) -> None:
    """The last test of this server."""
    with Engine.open(server.index) as engine:
        n_before = len(engine)
    children = server.processes()[1:]
    add_many(server)
    connections = [HTTPConnection(server.address, timeout=20) for _ in range(6)]
    for connection in connections:  # taken in before the signal
        connection.request("GET", f"{API}/health")
        connection.getresponse().read()
    for connection in connections:
        connection.request("POST", f"{API}/search", scene(3), PNG)
    time.sleep(0.1)
    start = time.monotonic()
    status = server.stop(signal.SIGTERM)
    statuses = [connection.getresponse().status for connection in connections]
    for connection in connections:
        connection.close()
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert time.monotonic() - start < 10
    assert status in (0, -signal.SIGTERM)
    while [pid for pid in children if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() - start < 20
        time.sleep(0.02)
    with Engine.open(server.index) as engine:
        assert len(engine) > n_before
