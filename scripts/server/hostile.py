"""Hostile requests, made by program, against a server of its own: python -m scripts.server.hostile [--requests 500]

Bombs, polyglots, truncated and mutated pictures, wrong types, names that are paths, huge headers, forms that are none.
Fails unless every answer is below 500, every request that must be refused is, and memory is back where it was.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from bof.cli.command import run
from bof.engine import Engine
from bof.images.decode import kind_of
from scripts.common.arguments import make_parser
from scripts.server.process import ServerProcess
from scripts.torture.mutants import SUFFIXES, chunk, png, saved


@dataclass(frozen=True)
class Attack:
    """One request. must_refuse: only 4xx will do; else the picture may be good enough to be searched with."""

    name: str
    body: bytes = b""
    path: str = "/api/v1/search"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "image/jpeg"})
    method: str = "POST"
    must_refuse: bool = True


def picture(kind: str, seed: int, side: int = 64) -> bytes:
    """An honest picture of noise."""
    return saved(Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)), kind)


def bombs(rng: random.Random) -> Iterator[Attack]:
    """Small files that claim or unfold to much."""
    side = rng.choice([20_000, 60_000, 2**31 - 1])
    zeros = zlib.compress(bytes(rng.choice([1, 20]) << 20))
    data = chunk(b"IDAT", b"")
    yield Attack("png of many pixels", png(side, side, chunk(b"IDAT", zeros), color=2))
    yield Attack("png with a bomb in a text", png(64, 64, chunk(b"zTXt", b"a\0\0" + zeros), data, color=2))
    yield Attack("png with a bomb in a profile", png(64, 64, chunk(b"iCCP", b"a\0\0" + zeros), data, color=2))
    yield Attack("png without pixels", png(64, 64, color=2))
    yield Attack("ppm of many pixels", b"P6 %d %d 255\n" % (side, side) + bytes(100))
    yield Attack("pbm in text", b"P1 %d 1\n" % side + b"1 " * 1000)
    bmp = struct.pack("<IIIIiiHHIIiiII", 1000, 0, 54, 40, side, side, 1, 24, *[0] * 6)
    yield Attack("bmp of many pixels", b"BM" + bmp)
    yield Attack("gif of many pixels", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6) + b",")
    jpeg = bytearray(picture("JPEG", rng.randrange(99)))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    yield Attack("jpeg of many pixels", bytes(jpeg))
    yield Attack("tiff whose directory is itself", b"II*\0" + struct.pack("<IHI", 8, 0, 8) + bytes(50))
    strips = struct.pack("<HHHII", 1, 273, 4, 2**31, 8)
    yield Attack("tiff of many strips", b"II*\0" + struct.pack("<I", 8) + strips + bytes(20))
    yield Attack("avif of nothing", struct.pack(">I", 2**31) + b"ftypavif" + rng.randbytes(200))
    yield Attack("webp of nothing", b"RIFF" + struct.pack("<I", 2**31) + b"WEBPVP8X" + rng.randbytes(60))


def huge() -> Attack:
    """An honest picture of as many pixels as a server takes by default, in half a megabyte: it may cost memory once."""
    packer = zlib.compressobj()
    rows = b"".join(packer.compress(bytes(1 + 8000 * 8)) for _ in range(8000)) + packer.flush()
    return Attack("huge", png(8000, 8000, chunk(b"IDAT", rows), depth=16, color=6), must_refuse=False)


def polyglots(rng: random.Random) -> Iterator[Attack]:
    """Files that are two things, or another than they say."""
    script = b"<html><script>alert(1)</script>"
    for head in (b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"P6 "):
        yield Attack("script behind a magic number", head + script * rng.randrange(1, 20))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    for name, body in (("html", script), ("svg", svg), ("zip", b"PK\3\4" + rng.randbytes(50)), ("nothing", b"")):
        yield Attack(name, body)
    yield Attack("noise", rng.randbytes(rng.randrange(1, 5000)))
    yield Attack("html as such", script, headers={"Content-Type": "text/html"})
    yield Attack("json", b'{"image": "/etc/passwd"}', headers={"Content-Type": "application/json"})


def broken(rng: random.Random) -> Iterator[Attack]:
    """Truncated and mutated pictures of every kind."""
    kind = rng.choice(list(SUFFIXES))
    data = picture(kind, rng.randrange(1000), 96)
    yield Attack(f"truncated {kind}", data[: rng.randrange(1, len(data) // 2)])
    mutated = bytearray(data)
    for _ in range(rng.randrange(1, 60)):
        mutated[rng.randrange(len(data))] = rng.randrange(256)
    yield Attack(f"mutated {kind}", bytes(mutated), must_refuse=kind_of(bytes(mutated)) is None)
    yield Attack(f"{kind} with more behind", data + rng.randbytes(5000), must_refuse=False)


def form(name: str, file_name: str, body: bytes, boundary: str = "x") -> bytes:
    """One field of a form."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n\r\n'
    return head.encode() + body + f"\r\n--{boundary}--\r\n".encode()


def forms(rng: random.Random) -> Iterator[Attack]:
    """Forms that are broken, too large, or whose names are paths."""
    of_form = {"Content-Type": "multipart/form-data; boundary=x", "X-Bof": "1"}
    good = picture("PNG", rng.randrange(1000))
    for path in ("/api/v1/search", "/api/v1/search/batch", "/api/v1/images"):
        yield Attack("another field", form("file", "a.png", good), path, of_form)
        yield Attack("wrong boundary", form("image", "a.png", good, "y"), path, of_form)
        yield Attack("no end", form("image", "a.png", good)[:-10], path, of_form)
        yield Attack("no form", good, path, of_form)
        yield Attack("no boundary", form("image", "a", good), path, {**of_form, "Content-Type": "multipart/form-data"})
        yield Attack("long header", form("image", "a" * 20_000, good), path, of_form)
        many = b"".join(form("image", "a", b"")[:-7] + b"\r\n" for _ in range(500)) + b"--x--\r\n"
        yield Attack("many fields", many, path, of_form)
    name = rng.choice(["../../../../etc/passwd", "C:\\windows\\a", "/etc/cron.d/x", "a\0b", "\u202egnp.exe", "." * 300])
    yield Attack("path as a name", form("image", name, b"no picture"), "/api/v1/search", of_form)
    plain = {"Content-Type": of_form["Content-Type"]}
    yield Attack("change without the header", form("image", name, good), "/api/v1/images", plain)


def addresses(rng: random.Random) -> Iterator[Attack]:
    """Addresses and parameters that should lead nowhere."""
    ways = ["../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "....//etc/passwd", "%00"]
    dots = rng.choice(ways)
    for path in (f"/static/{dots}", f"/api/v1/images/{dots}", f"/api/v1/images/{dots}/file", f"/{dots}"):
        yield Attack("path to files", path=path, method="GET", headers={})
    boxes, conditions = ["box=1,2,3", "box=nan,0,1,inf"], ["where=a%20=%20'", "where=(((((((((((((("]
    for query in (*boxes, "top=-1", "top=1e9", *conditions, "text=%00"):
        yield Attack("parameter", picture("PNG", 1), f"/api/v1/search?{query}")
    yield Attack("sql in a condition", picture("PNG", 1), "/api/v1/search?where=1)%20or%20(tag%20=%20x")
    yield Attack("other host", picture("PNG", 1), headers={"Host": "attacker.example"})
    yield Attack("other site", picture("PNG", 1), headers={"Origin": "http://attacker.example"})
    yield Attack("huge header", picture("PNG", 1), headers={"X-Long": "a" * rng.randrange(100_000, 200_000)})
    yield Attack("many headers", picture("PNG", 1), headers={f"X-{i}": "a" * 50 for i in range(2000)})
    yield Attack("length that lies", headers={"Content-Length": "9" * 30, "Content-Type": "image/png"})


FAMILIES: tuple[Callable[[random.Random], Iterator[Attack]], ...] = (bombs, polyglots, broken, forms, addresses)


def attacks(seed: int = 0) -> Iterator[Attack]:
    """Without end, the families in turn; the same seed gives the same requests."""
    rng = random.Random(seed)
    while True:
        for family in FAMILIES:
            yield from family(rng)


def send(address: str, attack: Attack) -> int:
    """The status of the answer; 400 where the server hung up, which is an answer too. address: host:port."""
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.putrequest(attack.method, attack.path, skip_host="Host" in attack.headers)
        for name, value in {"Content-Length": str(len(attack.body)), **attack.headers}.items():
            connection.putheader(name, value)
        connection.endheaders(attack.body)
        return connection.getresponse().status
    except (HTTPException, ConnectionError):
        return 400
    finally:
        connection.close()


def _attack(server: ServerProcess, n_requests: int, seed: int) -> list[str]:
    """What went wrong."""
    wrong = []
    for attack in islice(attacks(seed + 1), 120):  # whatever stays in memory is there now
        send(server.address, attack)
    before, start, counts = server.memory(), time.perf_counter(), Counter[int]()
    for attack in [*islice(attacks(seed), n_requests - 1), huge()]:
        status = send(server.address, attack)
        counts[status] += 1
        if status >= 500 or (attack.must_refuse and status < 400):
            wrong.append(f"{attack.name}: {status}")
    seconds = time.perf_counter() - start
    time.sleep(1.0)
    after = server.memory()
    print(f"{n_requests} requests in {seconds:.1f} s; by status: {dict(sorted(counts.items()))}")
    print(f"memory of all processes: {before >> 20} MB before, {after >> 20} after; open files {server.n_files()}")
    if after > before + (64 << 20):
        wrong.append(f"memory grew by {(after - before) >> 20} MB")
    return wrong


def _command(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for i in range(5):
            (photos / f"{i}.png").write_bytes(picture("PNG", i, 200))
        Engine.create(Path(folder) / "index").add([photos])
        with ServerProcess(Path(folder) / "index", "--rate", "0") as server:
            wrong = _attack(server, arguments.requests, arguments.seed)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if wrong else 0


def main(argv: list[str] | None = None) -> int:
    """Run against a server of its own."""
    parser = make_parser(__doc__, requests=(500, "requests in all"), seed=(0, "of the requests"))
    return run(_command, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
