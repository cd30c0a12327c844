"""A small archive on loopback: manifests of Presentation 2 and 3, image services of levels 0 and 2, and faults.

For the tests and for the harvest of 1,000 canvases; it is no server for anybody else.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Answer = tuple[int, Mapping[str, str], bytes]
Fault = Callable[[int], Answer | None]
"""What a path answers to its n-th request, from 1 on; None: what it would answer."""


@dataclass
class Archive:
    """What a server has. pictures: JPEG files by id, in full size; documents: JSON by path; faults: by path."""

    port: int = 0
    pictures: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[tuple[str, int, Mapping[str, str]]] = field(default_factory=list)
    has_etags: bool = True
    delay: float = 0.0
    n_connections: int = 0
    most_connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        """As --allow-urls has it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        """Of a path."""
        return f"http://{self.host}{path}"

    def paths(self, *, status: int | None = None) -> list[str]:
        """What was wished for, in order; status: only what was answered so."""
        return [path for path, found, _ in self.requests if status in (None, found)]

    # -- What there is ------------------------------------------------------------------------------------------------

    def add(self, name: str, pixels: NDArray[np.uint8]) -> str:
        """A new picture u8 (h, w, 3), RGB; returns its id."""
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "JPEG", quality=90)
        self.pictures[name] = target.getvalue()
        return name

    def manifest(self, path: str, pictures: Sequence[str], *, version: int = 3, service: str = "3") -> str:
        """A manifest of these pictures at a path; service: `2` or `3` of level 2, `0` of level 0, "" none."""
        make = _manifest_3 if version == 3 else _manifest_2
        self.documents[path] = make(self, path, pictures, service)
        return self.url(path)

    def collection(self, path: str, members: Sequence[str], collections: Sequence[str] = (), version: int = 3) -> str:
        """A collection of manifests and of collections, by URL, at a path."""
        kinds = [("Manifest", one) for one in members] + [("Collection", one) for one in collections]
        if version == 3:
            items = [{"id": one, "type": kind, "label": {"en": ["one"]}} for kind, one in kinds]
            found: dict[str, Any] = {"id": self.url(path), "type": "Collection", "items": items}
        else:
            listed = [{"@id": one, "@type": f"sc:{kind}"} for kind, one in kinds]
            found = {"@id": self.url(path), "@type": "sc:Collection", "members": listed}
        self.documents[path] = found
        return self.url(path)

    def size_of(self, picture: str) -> tuple[int, int]:
        """Of the full picture."""
        return Image.open(io.BytesIO(self.pictures[picture])).size

    # -- What is answered ---------------------------------------------------------------------------------------------

    def answer(self, path: str) -> Answer:
        """Without faults."""
        if path in self.documents:
            document = self.documents[path]
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            return 200, {"Content-Type": "application/ld+json"}, data
        parts = path.strip("/").split("/")
        if parts[0] == "full" and parts[-1] in self.pictures:
            return 200, {"Content-Type": "image/jpeg"}, self.pictures[parts[-1]]
        if parts[0] != "iiif" or len(parts) < 4 or parts[2] not in self.pictures:
            return 404, {}, b"no such thing"
        if parts[3:] == ["info.json"]:
            return 200, {}, json.dumps(_info(self, parts[1], parts[2])).encode()
        return self._picture(parts[1], parts[2], parts[3:])

    def _picture(self, service: str, picture: str, rest: Sequence[str]) -> Answer:
        if len(rest) != 4 or rest[0] != "full" or rest[2:] != ["0", "default.jpg"]:
            return 400, {}, b"no such region"
        width, height = self.size_of(picture)
        whole, wished = "max" if service != "2" else "full", rest[1]
        if service == "0":
            known = {f"{w},{h}": (w, h) for w, h in _ready(width, height)} | {whole: (width, height)}
            size = known.get(wished)
        elif wished == whole:
            size = width, height
        elif wished.startswith("!"):
            scale = min(int(side) / full for side, full in zip(wished[1:].split(","), (width, height), strict=True))
            size = round(width * scale), round(height * scale)
        elif wished.endswith(",") and wished[:-1].isdecimal() and int(wished[:-1]) <= width:
            size = int(wished[:-1]), round(height * int(wished[:-1]) / width)
        else:
            size = None
        return (404, {}, b"no such size") if size is None else (200, {}, _resized(self.pictures[picture], size))


def _ready(width: int, height: int) -> list[tuple[int, int]]:
    return [(width // n, height // n) for n in (8, 4, 2, 1)]


_CACHE: dict[tuple[str, tuple[int, int]], bytes] = {}


def _resized(data: bytes, size: tuple[int, int]) -> bytes:
    key = hashlib.sha256(data).hexdigest(), size
    if key not in _CACHE:
        target = io.BytesIO()
        Image.open(io.BytesIO(data)).resize(size, Image.Resampling.LANCZOS).save(target, "JPEG", quality=88)
        _CACHE[key] = target.getvalue()
    return _CACHE[key]


def _info(archive: Archive, service: str, picture: str) -> dict[str, Any]:
    width, height = archive.size_of(picture)
    url, size = archive.url(f"/iiif/{service}/{picture}"), {"width": width, "height": height}
    if service == "2":
        context = "http://iiif.io/api/image/2/context.json"
        return {"@context": context, "@id": url, "profile": ["http://iiif.io/api/image/2/level2.json"], **size}
    sizes = [{"width": w, "height": h} for w, h in _ready(width, height)]
    level = {"profile": "level0", "sizes": sizes} if service == "0" else {"profile": "level2"}
    return {"id": url, "type": "ImageService3", "protocol": "http://iiif.io/api/image", **level, **size}


def _manifest_3(archive: Archive, path: str, pictures: Sequence[str], service: str) -> dict[str, Any]:
    items = []
    for place, picture in enumerate(pictures, 1):
        width, height = archive.size_of(picture)
        body: dict[str, Any] = {
            "id": archive.url(f"/full/{picture}"), "type": "Image", "format": "image/jpeg", "width": width,
            "height": height,
        }  # fmt: skip
        if service:
            level = {"0": "level0", "2": "level2", "3": "level2"}[service]
            body["service"] = [
                {"id": archive.url(f"/iiif/{service}/{picture}"), "type": "ImageService3", "profile": level}
            ]
        canvas = archive.url(f"{path}/canvas/{picture}")
        annotation = {"id": f"{canvas}/a", "type": "Annotation", "motivation": "painting", "body": body}
        page = {"id": f"{canvas}/page", "type": "AnnotationPage", "items": [{**annotation, "target": canvas}]}
        items.append({
            "id": canvas, "type": "Canvas", "label": {"none": [f"f. {place}"]}, "width": 2 * width,
            "height": 2 * height, "items": [page],
        })  # fmt: skip
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json", "id": archive.url(path), "type": "Manifest",
        "label": {"de": ["Ein Buch"], "en": [f"Book {path.strip('/')}"]},
        "metadata": [
            {"label": {"en": ["Date"]}, "value": {"none": ["1493"]}},
            {"label": {"en": ["Printer"]}, "value": {"en": ["<span>Anton Koberger</span>"], "de": ["A. Koberger"]}},
        ],
        "items": items,
    }  # fmt: skip


def _manifest_2(archive: Archive, path: str, pictures: Sequence[str], service: str) -> dict[str, Any]:
    canvases = []
    for place, picture in enumerate(pictures, 1):
        width, height = archive.size_of(picture)
        canvas, size = archive.url(f"{path}/canvas/{picture}"), {"width": width, "height": height}
        resource: dict[str, Any] = {"@id": archive.url(f"/full/{picture}"), "@type": "dctypes:Image", **size}
        if service:
            resource["service"] = {
                "@context": "http://iiif.io/api/image/2/context.json", "@id": archive.url(f"/iiif/{service}/{picture}"),
                "profile": "http://iiif.io/api/image/2/level2.json",
            }  # fmt: skip
        image = {"@type": "oa:Annotation", "motivation": "sc:painting", "resource": resource, "on": canvas}
        canvases.append({"@id": canvas, "@type": "sc:Canvas", "label": f"f. {place}", **size, "images": [image]})
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json", "@id": archive.url(path), "@type": "sc:Manifest",
        "label": f"Book {path.strip('/')}", "metadata": [{"label": "Date", "value": "1493"}],
        "sequences": [{"@type": "sc:Sequence", "canvases": canvases}],
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        archive = self.server.archive
        with archive.lock:
            archive.n_connections += 1
            archive.most_connections = max(archive.most_connections, archive.n_connections)

    def finish(self) -> None:
        super().finish()
        with self.server.archive.lock:
            self.server.archive.n_connections -= 1

    def do_GET(self) -> None:
        archive = self.server.archive
        time.sleep(archive.delay)
        n_before = sum(path == self.path for path, _, _ in archive.requests) if self.path in archive.faults else 0
        fault = archive.faults[self.path](n_before + 1) if self.path in archive.faults else None
        status, headers, data = fault or archive.answer(self.path)
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if status == 200 and archive.has_etags:
            headers = {**headers, "ETag": etag}
            if self.headers.get("If-None-Match") == etag:
                status, data = 304, b""
        with archive.lock:
            archive.requests.append((self.path, status, dict(self.headers)))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, archive: Archive) -> None:
        super().__init__(("127.0.0.1", archive.port), _Handler)
        self.archive = archive
        archive.port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # who wished had enough


@contextmanager
def serving(archive: Archive | None = None) -> Iterator[Archive]:
    """A running archive."""
    with _Server(archive or Archive()) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.archive
        server.shutdown()
        thread.join()
