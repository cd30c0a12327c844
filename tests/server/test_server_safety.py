"""The server refuses what it must: strangers, other sites, too much, files that are not the index's."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.cli.arguments import FOR_EXPERTS, flag
from bof.errors import IndexStoreError, OptionError
from bof.options import ServeOptions
from bof.options.option import options_of
from bof.serve import main
from bof.server.api.endpoint import Endpoint
from bof.server.app import ENDPOINTS
from bof.server.http.gate import host_name
from bof.server.http.limits import ByteLimit, Cache, Places, Rate
from bof.server.http.problems import ProblemError, as_problem
from tests.support.scenes import ROOT
from tests.support.serving import API, PNG, X_BOF, TestClient, bearer, copied, refused, scene, search, served

READ, WRITE = "read-token-0123456789", "write-token-0123456789"


@pytest.fixture(scope="module")
def index(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(index_folder, tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def open_client(index: Path) -> Iterator[TestClient]:
    with served(index) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(index: Path) -> Iterator[TestClient]:
    with served(index, read_token=READ, write_token=WRITE, hosts=frozenset()) as client:
        yield client


@pytest.fixture(autouse=True)
def _no_cookies(guarded: TestClient) -> Iterator[None]:
    yield
    guarded.cookies.clear()


# -- Tokens -----------------------------------------------------------------------------------------------------------


def test_without_a_token_nothing_is_told(guarded: TestClient) -> None:
    for method, path in [("GET", "/images"), ("GET", "/index"), ("GET", "/metrics"), ("GET", "/images/1/file")]:
        response = guarded.request(method, API + path)
        refused(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
    refused(guarded.post(f"{API}/search", content=scene(1), headers=PNG), 401)
    assert guarded.get(f"{API}/health").status_code == 200


@pytest.mark.parametrize("token", ["", "x", READ[:-1], READ + "x", WRITE.upper(), "\u00fc"])
def test_a_wrong_token_is_no_token(guarded: TestClient, token: str) -> None:
    header = {"Authorization": b"Bearer " + token.encode()}
    refused(guarded.get(f"{API}/images", headers=header), 401)


def test_the_read_token_reads_and_the_write_token_does_both(guarded: TestClient) -> None:
    assert guarded.get(f"{API}/images", headers=bearer(READ)).status_code == 200
    assert guarded.get(f"{API}/images", headers=bearer(WRITE)).status_code == 200
    assert guarded.get(f"{API}/session", headers=bearer(READ)).json() == {
        "required": True,
        "read": True,
        "write": False,
    }
    tags = {"json": {"tags": ["seen"]}}
    refused(guarded.put(f"{API}/images/1/tags", headers=bearer(READ), **tags), 403)
    assert guarded.put(f"{API}/images/1/tags", headers=bearer(WRITE), **tags).json()["tags"] == ["seen"]


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_gets(guarded: TestClient) -> None:
    refused(guarded.post(f"{API}/session", json={"token": "wrong"}), 401)
    response = guarded.post(f"{API}/session", json={"token": READ})
    cookie = response.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert READ not in cookie
    assert response.json() == {"required": True, "read": True, "write": False}
    assert guarded.get(f"{API}/images").status_code == 200
    refused(guarded.put(f"{API}/images/1/tags", json={"tags": []}), 403)
    old = dict(guarded.cookies)
    guarded.delete(f"{API}/session")
    guarded.cookies.update(old)
    refused(guarded.get(f"{API}/images"), 401)


def test_tokens_cannot_be_guessed_fast(guarded: TestClient) -> None:
    statuses = [guarded.post(f"{API}/session", json={"token": f"guess {i}"}).status_code for i in range(20)]
    assert 429 in statuses
    assert statuses.count(401) < 10


def test_a_server_for_reading_changes_nothing(index: Path) -> None:
    with served(index, read_only=True) as client:
        refused(client.post(f"{API}/sync", headers=X_BOF), 403)
        assert not client.get(f"{API}/session").json()["write"]


@pytest.mark.parametrize(
    "flags", [["--host", "0.0.0.0"], ["--token", "short"], ["--behind-proxy"], ["--allow-host", "a.example"]]
)
def test_others_come_in_only_with_a_token(index: Path, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--index", str(index), *flags]) == 2
    assert "expected" in capsys.readouterr().err
    with pytest.raises(OptionError, match="token"):
        main(["--index", str(index), *flags, "--debug"])


# -- Other sites ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:8000", "127.0.0.1.attacker.example", ""])
def test_a_name_that_is_not_ours_is_refused(open_client: TestClient, host: str) -> None:
    refused(open_client.get(f"{API}/health", headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_ours(open_client: TestClient, host: str) -> None:
    assert open_client.get(f"{API}/health", headers={"Host": host}).status_code == 200
    assert host_name(host) in ("localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://attacker.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_requests_of_other_sites_are_refused(open_client: TestClient, headers: dict[str, str]) -> None:
    refused(open_client.post(f"{API}/search", content=scene(1), headers={**PNG, **headers}), 403)
    own = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert open_client.post(f"{API}/search", content=scene(1), headers={**PNG, **own}).status_code == 200


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded"])
def test_no_form_changes_anything(open_client: TestClient, kind: str) -> None:
    for method, path in [("POST", "/sync"), ("POST", "/images"), ("DELETE", "/images/1"), ("PUT", "/images/1/tags")]:
        assert "X-Bof" in refused(open_client.request(method, API + path, headers={"Content-Type": kind}), 403)


def test_only_named_sites_may_ask(index: Path) -> None:
    named = {"Origin": "https://friend.example"}
    with served(index, origins=frozenset(named.values())) as client:
        assert client.get(f"{API}/health", headers=named).headers["access-control-allow-origin"] == named["Origin"]
        requested = client.options(f"{API}/search", headers={**named, "Access-Control-Request-Method": "POST"})
        assert "POST" in requested.headers["access-control-allow-methods"]
        assert client.post(f"{API}/search", content=scene(1), headers={**PNG, **named}).status_code == 200
        other = client.get(f"{API}/health", headers={"Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("path", ["/", f"{API}/health", f"{API}/images", "/nowhere", f"{API}/images/1/file"])
def test_every_answer_has_safe_headers(open_client: TestClient, path: str) -> None:
    headers = open_client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


# -- Limits -----------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_before_it_is_read(index: Path) -> None:
    with served(
        index, ServeOptions(upload_megabytes=1, batch_megabytes=1, batch_images=2, upload_pixels=10_000)
    ) as client:
        refused(client.post(f"{API}/search", content=bytes(2 << 20), headers=PNG), 413)
        pieces = iter([bytes(700_000)] * 3)  # a length is not told
        refused(client.post(f"{API}/search", content=pieces, headers=PNG), 413)
        files = [("image", ("a.png", b"x"))] * 3
        refused(client.post(f"{API}/search/batch", files=files), 413)
        assert "10000 pixels" in refused(client.post(f"{API}/search", content=scene(1), headers=PNG), 413)


def test_a_picture_that_takes_too_long_is_refused_and_the_next_is_not(index: Path) -> None:
    with served(index, ServeOptions(decode_seconds=0.1, rate=0)) as client:
        import cv2
        import numpy as np

        noise = np.random.default_rng(0).integers(0, 255, (4000, 5000, 3), np.uint8)
        large = cv2.imencode(".jpg", noise)[1].tobytes()
        assert "took longer" in refused(client.post(f"{API}/search", content=large, headers=PNG), 422)
    with served(index, ServeOptions(rate=0)) as client:
        assert search(client, scene(1))["hits"]


def test_too_many_requests_are_told_when_to_come_back(index: Path) -> None:
    with served(index, ServeOptions(rate=0.5)) as client:
        assert search(client, scene(1))["hits"]
        response = client.post(f"{API}/search", content=scene(1), headers=PNG)
        refused(response, 429)
        assert 1 <= int(response.headers["retry-after"]) <= 2
        assert client.get(f"{API}/images").status_code == 200


def test_a_bucket_of_tokens_fills_again() -> None:
    now = [0.0]
    rate = Rate(10.0, lambda: now[0])

    def n_allowed(n: int, address: str = "a") -> int:
        count = 0
        for _ in range(n):
            try:
                rate.take(address)
                count += 1
            except ProblemError:
                pass
        return count

    assert n_allowed(100) == 20
    now[0] = 1.0
    assert n_allowed(100) == 10
    assert n_allowed(100, "b") == 20
    now[0] = 1000.0
    assert n_allowed(100) == 20


def test_places_are_held_by_few_and_waited_for_by_some() -> None:
    async def run() -> tuple[int, int]:
        places, running, most, refusals = Places(2, 3), 0, 0, 0

        async def work() -> None:
            nonlocal running, most, refusals
            try:
                async with places.hold():
                    running += 1
                    most = max(most, running)
                    await asyncio.sleep(0.01)
                    running -= 1
            except ProblemError as problem:
                refusals += problem.status == 503

        await asyncio.gather(*(work() for _ in range(9)))
        assert places.taken == 0
        return most, refusals

    assert asyncio.run(run()) == (2, 4)


def test_a_budget_and_a_cache_keep_to_their_limits() -> None:
    byte_limit = ByteLimit(10)
    byte_limit.take(10)
    with pytest.raises(ProblemError):
        byte_limit.take(1)
    byte_limit.give_back(10)
    byte_limit.take(1)
    cache: Cache[bytes] = Cache(10, len)
    for i in range(8):
        cache.put(i, bytes(3))
        cache.get(0)
    assert cache.used <= 10
    assert cache.get(0) is not None
    assert cache.get(7) is not None
    assert cache.get(3) is None
    cache.put("large", bytes(11))
    assert cache.used == 0


# -- Files ------------------------------------------------------------------------------------------------------------


def test_only_what_was_indexed_is_served(index_folder: Path, photos: Path, tmp_path: Path) -> None:
    from bof.engine import Engine

    pictures = Path(shutil.copytree(photos, tmp_path / "photos"))
    source = Engine.open(index_folder)
    with Engine.create(tmp_path / "index", source.vocabulary_folder) as engine:
        engine.add([pictures])
    with served(tmp_path / "index") as client:
        known = {image["name"]: image["id"] for image in client.get(f"{API}/images").json()["images"]}
        (pictures / "scene-00.png").unlink()
        (pictures / "scene-01.png").unlink()
        (pictures / "scene-01.png").symlink_to("/etc/passwd")
        (pictures / "scene-02.png").write_bytes(scene(99))
        (pictures / "scene-03.png").unlink()
        (pictures / "scene-03.png").mkdir()
        for name in ("scene-00.png", "scene-01.png", "scene-02.png", "scene-03.png"):
            for what in ("file", "thumbnail"):
                refused(client.get(f"{API}/images/{known[name]}/{what}"), 410)
            refused(client.post(f"{API}/search/image/{known[name]}"), 410)
        assert client.get(f"{API}/images/{known['scene-04.png']}/file").content == scene(4)


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/app.py", "/static/"],
)
def test_no_address_leads_to_other_files(open_client: TestClient, path: str) -> None:
    refused(open_client.get(path), 404)


def test_problems_say_what_is_wrong(open_client: TestClient) -> None:
    assert open_client.post(f"{API}/search?tpo=3", content=scene(1), headers=PNG).json()["parameter"] == "tpo"
    assert "inside the picture" in refused(
        open_client.post(f"{API}/search?box=0,0,999,9", content=scene(1), headers=PNG), 400
    )
    assert "found" in refused(open_client.post(f"{API}/search?where=a%20%3D", content=scene(1), headers=PNG), 400)
    refused(open_client.post(f"{API}/search?where=a%3D1)%20or%20(b%3D2", content=scene(1), headers=PNG), 400)
    box = open_client.post(f"{API}/search?box=0,0,999,9", content=scene(1), headers=PNG).json()
    assert box["parameter"] == "box"
    refused(open_client.get(f"{API}/images/999999"), 404)
    refused(open_client.get(f"{API}/nowhere"), 404)
    response = open_client.patch(f"{API}/images/1")
    refused(response, 405)
    assert response.headers["allow"] == "DELETE, GET"


def test_a_mistake_of_ours_tells_nothing(open_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(open_client.application.service.collection, "select", fail)
    assert "secret" not in refused(open_client.get(f"{API}/images"), 500)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_a_wrong_value_is_refused_by_the_name_of_its_parameter(open_client: TestClient, endpoint: Endpoint) -> None:
    path = API + re.sub(r"\{\w+\}", "1", endpoint.path)
    for parameter in endpoint.parameters:
        option = parameter.option
        if parameter.place == "query" and (option.choices or option.low is not None or option.parse):
            for value in ("x", "-1", "9" * 30):
                requested = {parameter.name: value}
                detail = refused(open_client.request(endpoint.method, path, params=requested, headers=X_BOF), 400)
                assert detail.startswith(f"{parameter.name}: expected {option.expected}, found ")
                response = open_client.request(endpoint.method, path, params=requested, headers=X_BOF)
                assert response.json()["parameter"] == parameter.name


def test_no_path_outside_the_index_is_told() -> None:
    def detail(path: str) -> str:
        return as_problem(IndexStoreError(path=path, expected="12 bytes", found="10"), "/home/me/ix").detail

    assert detail("/home/me/ix/segments/a.npy") == "the index/segments/a.npy: expected 12 bytes, found 10"
    assert detail("/home/me/ix") == "the index: expected 12 bytes, found 10"
    assert detail("/home/me/elsewhere") == detail("../elsewhere") == "expected 12 bytes, found 10"
    assert detail("picture") == "picture: expected 12 bytes, found 10"


def test_every_limit_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    for limit in options_of(ServeOptions):
        values = f"{limit.low} to {limit.high} {limit.unit}".strip()
        name = f"`{flag(limit.name)}`{' *expert*' if limit.expert or ServeOptions in FOR_EXPERTS else ''}"
        assert f"| {name} | {limit.default} | {values} | {limit.meaning} |" in page
    assert "options.md#serveoptions" in (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
