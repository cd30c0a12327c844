"""The server fetches pictures from hosts that were named, at addresses that were checked, and tells nothing else."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import quote

import pytest

from bof.errors import OptionError
from bof.options import ServeOptions
from bof.serve import main
from bof.server.http.fetching import Fetcher, not_fetched
from bof.server.http.limits import ByteLimit
from bof.server.http.problems import ProblemError
from bof.web import reach
from bof.web.addresses import SPECIAL_PURPOSE, Source, Target, is_public
from tests.support.scenes import draw_scene
from tests.support.serving import API, PNG, TestClient, encoded, names, scene, served

OPTIONS = ServeOptions(rate=0, upload_megabytes=1)
SECONDS = 0.3
LIMIT = 1 << 20


class Host(ThreadingTCPServer):
    """Answers on 127.0.0.1 with bytes as they are in `answers`, or as `handle_oddly` has them."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.requested: list[str] = []
        self.port = self.server_address[1]
        picture = scene(2)
        self.answers = {
            "/picture.png": ok(picture),
            "/to%20where?a=%E5%9B%BE": ok(picture),
            "/until-the-end": b"HTTP/1.0 200 OK\r\n\r\n" + picture,
            "/hinted": b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok(picture),
            "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(picture), picture),
            "/text": ok(b"the secret of an inner machine"),
            "/broken.png": ok(picture[:300]),
            "/empty": ok(b""),
            "/missing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nsecret",
            "/part": b"HTTP/1.1 206 Partial Content\r\nContent-Length: %d\r\n\r\n%s" % (len(picture), picture),
            "/gzip": ok(picture, b"Content-Encoding: gzip\r\n"),
            "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + picture,
            "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + picture,
            "/no-number": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + picture,
            "/no-http": b"220 mail.example ESMTP secret\r\n",
            "/long-head": ok(picture, b"X: " + b"a" * 100_000 + b"\r\n"),
            "/nothing": b"",
            "/declared": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 40),
            "/large": b"HTTP/1.1 200 OK\r\n\r\n\x89PNG" + bytes(LIMIT),
            "/large-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"40000\r\n" + bytes(0x40000) + b"\r\n") * 5,
            "/lost": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        }  # fmt: skip


class Answering(StreamRequestHandler):
    server: Host

    def handle(self) -> None:
        lines = iter(lambda: self.rfile.readline().decode("latin-1").rstrip(), "")
        head = list(lines)
        self.server.requested.append("\n".join(head))
        path = head[0].split()[1]
        try:
            if path == "/slow":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                self.dribble()
            elif path == "/slow-head":
                self.dribble()
            elif path.startswith("/to?"):
                to = path[4:].encode()
                self.wfile.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % to)
            else:
                self.wfile.write(self.server.answers[path])
        except OSError:
            pass  # who asked had enough

    def dribble(self) -> None:
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.05)


def ok(content: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(content), more, content)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host() as host:
        thread = threading.Thread(target=host.serve_forever, args=(0.02,))
        thread.start()
        yield host
        host.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client(index_folder: Path, host: Host) -> Iterator[TestClient]:
    listed = (f"127.0.0.1:{host.port}", f"localhost:{host.port}", "127.0.0.1:9", f"named.example:{host.port}")
    sources = frozenset(map(Source.of, (*listed, f"*.wide.example:{host.port + 1}", "tls.example")))
    with served(index_folder, OPTIONS, read_only=True, sources=sources) as client:
        yield client


def requested(client: TestClient, url: str, path: str = "/search", **more: Any) -> Any:
    return client.post(API + path, params={"url": url}, **more)


def kind(response: Any) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"].removeprefix("/problems/"))


def is_not_fetched(response: Any) -> bool:
    """All that goes wrong over there has one answer."""
    assert response.status_code == 422, response.text
    return bool(response.json() == not_fetched().document())


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name stands for these addresses from now on. Returns the names that are looked up."""
    looked_up: list[str] = []

    def look_up(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return list(addresses)

    monkeypatch.setattr(reach, "look_up", look_up)
    return looked_up


async def connect_to_nobody(*_: Any, **__: Any) -> None:
    raise AssertionError("a connection was tried")


# -- What is fetched --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/picture.png", "/until-the-end", "/hinted", "/chunked", "/to where?a=图#part"])
def test_a_picture_is_searched_with_as_if_it_were_sent(client: TestClient, host: Host, path: str) -> None:
    response = requested(client, f"http://127.0.0.1:{host.port}{path}")
    assert names(response.json()) == ["scene-02.png"]
    sent = client.post(f"{API}/search", content=scene(2), headers=PNG).json()
    assert response.json()["hits"] == sent["hits"]
    assert client.application.service.byte_limit.used == 0


def test_pairs_and_subjects_take_one_too(client: TestClient, host: Host) -> None:
    url = f"http://localhost:{host.port}/picture.png"
    number = requested(client, url).json()["hits"][0]["id"]
    assert requested(client, url, f"/matches/{number}").json()["hit"]["verdict"] == "same"
    assert requested(client, url, "/subject").json()["width"] == 320


def test_a_request_tells_nothing_of_who_asks(client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    secret = {"Cookie": "a=b", "Referer": "http://127.0.0.1/", "Authorization": "Bearer x"}
    assert requested(client, f"http://127.0.0.1:{host.port}/picture.png", headers=secret).status_code == 200
    line, *headers = host.requested[-1].splitlines()
    assert line == "GET /picture.png HTTP/1.1"
    fields = {each.partition(":")[0].lower(): each.partition(":")[2].strip() for each in headers}
    assert set(fields) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert fields["accept-encoding"] == "identity"


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_asked(
    client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = resolve(monkeypatch, "127.0.0.1")  # which was named itself
    assert requested(client, f"http://NAMED.example:{host.port}/picture.png").status_code == 200
    assert looked_up == ["named.example"]
    assert f"Host: named.example:{host.port}" in host.requested[-1]


def test_a_certificate_is_asked_for_the_name_at_the_address(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    tried: list[tuple[str, int, str]] = []

    async def connect(host: str, port: int, *, ssl: ssl.SSLContext, server_hostname: str) -> None:
        assert ssl.check_hostname
        assert ssl.verify_mode.name == "CERT_REQUIRED"
        tried.append((host, port, server_hostname))
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", connect)
    assert is_not_fetched(requested(client, "https://tls.example/a.png"))
    assert tried == [
        ("93.184.215.14", 443, "tls.example"),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, "tls.example"),
    ]


# -- What is not ------------------------------------------------------------------------------------------------------


def test_without_the_flag_nothing_is_fetched(index_folder: Path, host: Host) -> None:
    with served(index_folder, read_only=True) as client:
        n_asked = len(host.requested)
        for path in ("/search", "/subject", "/matches/1"):
            response = requested(client, f"http://127.0.0.1:{host.port}/picture.png", path)
            assert (response.status_code, kind(response)) == (403, "forbidden")
            assert "--allow-urls" in response.json()["detail"]
        assert requested(client, "").status_code == 403
        assert len(host.requested) == n_asked


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/", "http://127.0.0.1/", "http://127.0.0.1:1/", "http://127.0.0.2:{port}/",
        "http://named.example/", "http://a.named.example:{port}/", "http://xnamed.example:{port}/",
        "http://wide.example/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://tls.example/a",
    ],
)  # fmt: skip
def test_only_what_was_named_is_asked(
    client: TestClient, host: Host, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, n_asked = resolve(monkeypatch, "127.0.0.1"), len(host.requested)
    response = requested(client, url.format(port=host.port))
    if url == "http://tls.example/a":  # is named, for its usual ports
        assert is_not_fetched(response)
        return
    assert (response.status_code, kind(response)) == (403, "forbidden")
    assert (looked_up, len(host.requested)) == ([], n_asked)


@pytest.mark.parametrize(
    "url",
    [
        "", "picture.png", "//127.0.0.1:{port}/", "file:///etc/passwd", "ftp://127.0.0.1:{port}/", "gopher://a.example/",
        "http:///picture.png", "http://me@127.0.0.1:{port}/", "http://me:secret@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@other.example/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/",
        "http://127.1:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\@other.example/", "http://127.0.0.1 :{port}/", "http://127.0.0.1\t:{port}/",
        " http://127.0.0.1:{port}/", "http://127.0.0.1.:{port}/", "http://[fe80::1%25eth0]/", "http://1.example.1/",
        "http://named。example/", "http://\u212aelvin.example/", "http://[127.0.0.1]:{port}/", "http://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(client: TestClient, host: Host, url: str) -> None:
    n_asked = len(host.requested)
    response = requested(client, url.format(port=host.port))
    assert (response.status_code, response.json()["parameter"]) == (400, "url")
    assert len(host.requested) == n_asked


def test_a_url_and_a_body_are_one_too_many(client: TestClient, host: Host) -> None:
    response = requested(client, f"http://127.0.0.1:{host.port}/picture.png", content=scene(1), headers=PNG)
    assert (response.status_code, response.json()["parameter"]) == (400, "url")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.2"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"], ["93.184.215.14", "10.0.0.1"],
        ["10.0.0.1", "93.184.215.14"],
        ["fe80::1%lo"], [],
    ],
)  # fmt: skip
def test_a_name_that_stands_for_an_inner_machine_is_refused(
    client: TestClient, host: Host, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, *addresses)
    monkeypatch.setattr(asyncio, "open_connection", connect_to_nobody)
    assert is_not_fetched(requested(client, f"http://named.example:{host.port}/picture.png"))


def test_localhost_stands_for_this_machine_alone(
    client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, "93.184.215.14")
    monkeypatch.setattr(asyncio, "open_connection", connect_to_nobody)
    assert is_not_fetched(requested(client, f"http://localhost:{host.port}/picture.png"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:4700::1111", True), ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True), ("2002:5db8:d70e::1", True), ("0.0.0.0", False), ("127.0.0.1", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.0.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("198.18.0.1", False), ("203.0.113.1", False), ("224.0.0.1", False),
        ("240.0.0.1", False), ("255.255.255.255", False), ("::", False), ("::1", False), ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("64:ff9b:1::a00:1", False),
        ("2002:7f00:1::", False), ("2001:0:5db8:d70e::1", False), ("2001:db8::1", False), ("fc00::1", False),
        ("fec0::1", False), ("fe80::1", False), ("ff02::1", False), ("4000::1", False),
    ],
)  # fmt: skip
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


IANA = [
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31", "192.0.2.0/24",
    "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
    "::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48",
    "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10",
]  # fmt: skip
"""The registries of special-purpose addresses for IPv4 and IPv6, as of November 2026."""

TRANSLATED = ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")
"""Where an IPv4 address is inside, that one counts."""


@pytest.mark.parametrize("block", IANA)
def test_no_special_purpose_address_is_public(block: str) -> None:
    network = ipaddress.ip_network(block)
    assert any(network.version == known.version and network.subnet_of(known) for known in SPECIAL_PURPOSE)  # type: ignore[arg-type]
    if block not in TRANSLATED:
        middle = network.network_address + network.num_addresses // 2
        assert not any(map(is_public, (network[0], middle if network.num_addresses > 1 else network[0], network[-1])))


def test_what_lies_beside_special_purpose_addresses_is_public() -> None:
    for address in (
        "1.0.0.0", "11.0.0.0", "100.63.255.255", "100.128.0.0", "192.0.1.0", "192.88.98.255", "198.20.0.0",
        "2001:200::", "2001:db9::", "2620:4f:8001::", "3ffe::1",
    ):  # fmt: skip
        assert is_public(ipaddress.ip_address(address)), address


# -- Redirects --------------------------------------------------------------------------------------------------------


def chain(port: int, n: int) -> str:
    """A path that leads to a picture by n redirects."""
    path = "/picture.png"
    for i in range(n):
        path = "/to?" + (f"http://127.0.0.1:{port}" if i % 2 else "") + path
    return path


def test_a_few_redirects_are_followed(client: TestClient, host: Host) -> None:
    for n, status in [(1, 200), (3, 200), (4, 422)]:
        n_asked = len(host.requested)
        assert requested(client, f"http://127.0.0.1:{host.port}{chain(host.port, n)}").status_code == status
        assert len(host.requested) == n_asked + min(n + 1, 4)


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:{port}/picture.png", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/",
        "http://other.example:{port}/picture.png", "//other.example/picture.png", "file:///etc/passwd",
        "http://me:secret@127.0.0.1:{port}/picture.png", "http://127.0.0.1:1/", "http://[", "data:image/png;base64,AA",
    ],
)  # fmt: skip
def test_redirects_lead_nowhere_else(client: TestClient, host: Host, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up, n_asked = resolve(monkeypatch, "127.0.0.1"), len(host.requested)
    assert is_not_fetched(requested(client, f"http://127.0.0.1:{host.port}/to?{to.format(port=host.port)}"))
    assert (looked_up, len(host.requested)) == ([], n_asked + 1)


def test_a_redirect_to_a_name_is_checked_as_the_first(
    client: TestClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_asked = len(host.requested)
    looked_up = resolve(monkeypatch, "192.168.0.1")
    assert is_not_fetched(requested(client, f"http://127.0.0.1:{host.port}/to?http://named.example:{host.port}/"))
    assert (looked_up, len(host.requested)) == (["named.example"], n_asked + 1)


def test_https_is_not_left() -> None:
    target = Target.of("https://a.example/b/c?d")
    assert target.redirected("../e") == Target("https", "a.example", 443, "/e")
    with pytest.raises(ValueError, match="stays with https"):
        target.redirected("http://a.example/b")
    assert Target.of("http://a.example").redirected("https://a.example/").scheme == "https"


# -- What comes back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/text", "/broken.png", "/empty", "/missing", "/part", "/gzip", "/short", "/two-lengths", "/no-number",
        "/no-http", "/long-head", "/nothing", "/lost",
    ],
)  # fmt: skip
def test_all_that_is_no_whole_picture_has_one_answer(client: TestClient, host: Host, path: str) -> None:
    n_asked = len(host.requested)
    assert is_not_fetched(requested(client, f"http://127.0.0.1:{host.port}{path}"))
    assert len(host.requested) == n_asked + 1
    assert client.application.service.byte_limit.used == 0


def test_nobody_there_is_the_same_answer(client: TestClient) -> None:
    assert is_not_fetched(requested(client, "http://127.0.0.1:9/picture.png"))


@pytest.mark.parametrize("path", ["/declared", "/large", "/large-chunks"])
def test_a_large_answer_is_left_off(client: TestClient, host: Host, path: str) -> None:
    response = requested(client, f"http://127.0.0.1:{host.port}{path}")
    assert (response.status_code, kind(response)) == (413, "too-large")
    assert client.application.service.byte_limit.used == 0


def test_a_picture_of_too_many_pixels_is_refused_as_an_upload_is(index_folder: Path, host: Host) -> None:
    sources = frozenset({Source.of(f"127.0.0.1:{host.port}")})
    host.answers["/wide.png"] = ok(encoded(draw_scene(2, 400, 300)))
    options = ServeOptions(rate=0, upload_pixels=100_000)
    with served(index_folder, options, read_only=True, sources=sources) as client:
        assert kind(requested(client, f"http://127.0.0.1:{host.port}/wide.png")) == "too-large"
        assert requested(client, f"http://127.0.0.1:{host.port}/picture.png").status_code == 200


@pytest.mark.parametrize("path", ["/slow", "/slow-head"])
def test_a_slow_host_is_not_waited_for(host: Host, path: str) -> None:
    source = Source.of(f"127.0.0.1:{host.port}")
    start = time.monotonic()
    problem = what_is_raised(source, f"http://127.0.0.1:{host.port}{path}", ServeOptions(body_seconds=SECONDS))
    assert problem.document() == not_fetched().document()
    assert SECONDS <= time.monotonic() - start < 2


def test_a_host_that_does_not_accept_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "CONNECT_SECONDS", 0.05)

    async def connect(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio, "open_connection", connect)
    start = time.monotonic()
    problem = what_is_raised(Source.of("127.0.0.1"), "http://127.0.0.1/", ServeOptions())
    assert problem.document() == not_fetched().document()
    assert time.monotonic() - start < 1


def what_is_raised(source: Source, url: str, options: ServeOptions, room: int = LIMIT) -> ProblemError:
    """By fetching this without a server."""
    byte_limit = ByteLimit(room)

    async def fetch() -> None:
        fetcher = Fetcher([source], options, byte_limit)
        async with fetcher.fetch(fetcher.target(url)):
            raise AssertionError

    with pytest.raises(ProblemError) as caught:
        asyncio.run(fetch())
    assert byte_limit.used == 0
    return caught.value


def test_what_is_fetched_counts_as_the_bodies_do(host: Host) -> None:
    source = Source.of(f"127.0.0.1:{host.port}")
    assert what_is_raised(source, f"http://127.0.0.1:{host.port}/picture.png", ServeOptions(), 1000).kind == "busy"


# -- The list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url", "allowed"),
    [
        ("a.example", "https://A.EXAMPLE/x", True), ("a.example", "http://a.example:80/", True),
        ("a.example", "http://a.example:443/", False), ("a.example:8000", "http://a.example:8000/", True),
        ("a.example:8000", "http://a.example/", False), ("*.a.example", "http://x.y.a.example/", True),
        ("*.a.example", "http://a.example/", False), ("*.a.example", "http://xa.example/", False),
        ("[::1]:80", "http://[0::1]/", True), ("127.0.0.1", "http://localhost/", False),
    ],
)  # fmt: skip
def test_what_the_list_names(text: str, url: str, allowed: bool) -> None:
    target = Target.of(url)
    assert Source.of(text).has(target.host, target.port, target.usual_port) is allowed


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "*.example", "*.127.0.0.1", "a.*.example", "http://a.example", "a.example/b", "a:0", "127.1"],
)
def test_a_list_that_cannot_be_meant_is_refused(
    text: str, index_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OptionError, match="expected"):
        Source.of(text)
    assert main(["--index", str(index_folder), "--allow-urls", "a.example", text]) == 2
    assert "--allow-urls" in capsys.readouterr().err


def test_a_name_is_looked_up_as_the_system_does() -> None:
    assert reach.look_up("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises((OSError, UnicodeError)):
        reach.look_up("x" * 64 + ".invalid", 80)
    assert quote("图") in Target.of("http://a.example/图").path
