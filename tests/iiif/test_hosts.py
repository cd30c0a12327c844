"""Archives are asked politely, and waited for no longer than is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from email.utils import formatdate

import pytest

from bof.errors import ImageError
from bof.iiif.hosts import BusyError, HostAnswer, Hosts, UnansweredError, seconds_of
from bof.iiif.request import Patience
from bof.web import reach
from bof.web.addresses import Source
from tests.support.iiif_server import Archive, serving

QUICK = Patience(request_seconds=0.4, first_wait_seconds=0.01, most_wait_seconds=0.2, tries=3)


@pytest.fixture(scope="module")
def running() -> Iterator[Archive]:
    with serving() as found:
        yield found


@pytest.fixture
def archive(running: Archive) -> Archive:
    running.documents, running.faults, running.requests = {"/a": {"a": 1}, "/b": {"b": 2}}, {}, []
    return running


def get(archive: Archive, *paths: str, headers: Sequence[tuple[str, str]] = (), most: int = 1000) -> list[object]:
    """What becomes of each path, one after another."""

    async def ask() -> list[object]:
        hosts = Hosts([Source.of(archive.host)], QUICK)
        found: list[object] = []
        for path in paths:
            try:
                found.append(await hosts.get(archive.url(path), most, "*/*", headers))
            except ImageError as error:
                found.append(error)
        await hosts.close()
        return found

    return asyncio.run(ask())


def test_one_connection_serves_all_requests(archive: Archive) -> None:
    one, other = get(archive, "/a", "/b")
    assert isinstance(one, HostAnswer)
    assert isinstance(other, HostAnswer)
    assert (one.data, other.data) == (b'{"a": 1}', b'{"b": 2}')
    (same,) = get(archive, "/a", headers=[("If-None-Match", one.etag)])
    assert isinstance(same, HostAnswer)
    assert (same.status, same.data) == (304, b"")
    headers = archive.requests[0][2]
    assert headers["User-Agent"].startswith("bof/")
    assert headers["Accept-Encoding"] == "identity"
    assert headers.keys() == {"Host", "User-Agent", "Accept-Encoding", "Accept"}


def test_a_connection_that_was_closed_meanwhile_is_opened_again(archive: Archive) -> None:
    archive.faults["/a"] = lambda n: (200, {"Connection": "close"}, b"once")
    assert [getattr(found, "data", found) for found in get(archive, "/a", "/a", "/b")] == [
        b"once",
        b"once",
        b'{"b": 2}',
    ]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", [{"Retry-After": "0"}, {}, {"Retry-After": "nonsense"}])
def test_who_is_asked_to_wait_waits(archive: Archive, status: int, header: dict[str, str]) -> None:
    archive.faults["/a"] = lambda n: (status, header, b"") if n < 3 else None
    (found,) = get(archive, "/a")
    assert isinstance(found, HostAnswer)
    assert archive.paths() == ["/a"] * 3
    archive.faults["/b"] = lambda n: (status, header, b"")
    (error,) = get(archive, "/b")
    assert isinstance(error, UnansweredError)
    assert error.status == status
    assert archive.paths().count("/b") == QUICK.tries


def test_a_host_that_asks_for_long_is_left_alone(archive: Archive) -> None:
    archive.faults["/a"] = lambda n: (429, {"Retry-After": "3600"}, b"")
    one, other = get(archive, "/a", "/b")
    assert isinstance(one, BusyError)
    assert isinstance(other, BusyError)
    assert "3600 s; the same command goes on then" in str(other)
    assert archive.paths() == ["/a"]


def test_a_host_that_answers_nothing_is_left_alone(archive: Archive) -> None:
    archive.faults = {f"/{n}": lambda n: (503, {}, b"") for n in range(3)}
    found = get(archive, "/0", "/1", "/a", "/2", "/0", "/1", "/a")
    assert [type(one) for one in found] == [
        UnansweredError, UnansweredError, HostAnswer, UnansweredError, UnansweredError, UnansweredError, BusyError,
    ]  # fmt: skip
    assert "3 requests in a row" in str(found[-1])
    assert archive.paths().count("/a") == 1


def test_what_takes_too_long_or_is_too_large_ends(archive: Archive) -> None:
    archive.faults["/a"] = lambda n: time.sleep(1.0)
    archive.faults["/b"] = lambda n: (200, {}, b"x" * 2000)
    start = time.monotonic()
    slow, large = get(archive, "/a", "/b")
    assert "too long" in str(slow)
    assert "at most 1000 bytes" in str(large)
    assert time.monotonic() - start < 5


def test_redirects_are_followed_where_hosts_are_allowed(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def leads(place: str) -> object:
        return lambda n: (302, {"Location": place}, b"")

    archive.faults = {
        "/1": leads("/a"), "/2": leads("http://10.0.0.1/"), "/3": leads("/3"), "/4": leads("file:///etc/passwd"),
        "/5": lambda n: (302, {}, b""), "/6": lambda n: (200, {"Content-Encoding": "gzip"}, b"x"),
        "/7": lambda n: (206, {}, b"x"),
    }  # fmt: skip
    first, *others = get(archive, *archive.faults)
    assert isinstance(first, HostAnswer)
    assert first.data == b'{"a": 1}'
    expected = ["--allow-urls", "at most 3 redirects", "URL of http", "where to", "compressed", "found 206"]
    for found, part in zip(others, expected, strict=True):
        assert part in str(found), found


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.2", "169.254.169.254", "::1"])
def test_names_that_stand_for_inner_machines_are_not_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "look_up", lambda host, port: [address])

    async def ask() -> None:
        hosts = Hosts([Source.of("archive.example")], QUICK)
        with pytest.raises(ImageError, match="expected public addresses"):
            await hosts.get("http://archive.example/m", 10, "*/*")
        with pytest.raises(ImageError, match="a host that is allowed"):
            await hosts.get("http://other.example/m", 10, "*/*")
        with pytest.raises(ImageError, match="a URL of http"):
            await hosts.get("ftp://archive.example/m", 10, "*/*")

    asyncio.run(ask())


def test_a_host_that_is_not_there_is_named() -> None:
    async def ask() -> None:
        hosts = Hosts([Source.of("127.0.0.1:9")], QUICK)
        with pytest.raises(ImageError, match="not fetched"):
            await hosts.get("http://127.0.0.1:9/m", 10, "*/*")

    asyncio.run(ask())


def test_retry_after() -> None:
    assert seconds_of("120") == 120
    assert 50 < (seconds_of(formatdate(time.time() + 60, usegmt=True)) or 0) <= 60
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    for odd in ("", "-1", "soon", "9" * 30, "1e9"):
        assert seconds_of(odd) is None
