"""The page's files: read once from the folder `static`, so that no path of a request reaches the file system.

Icons are drawn when they are first asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from bof.server.http.problems import not_found
from bof.server.icons import ICONS, icon_png

FOLDER = Path(__file__).parent / "static"
_HOME, _DOCS = "index.html", "docs.html"
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
_COMPRESSED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class File:
    """One file, ready to be sent. packed: compressed with gzip, empty where that does not pay."""

    content: bytes
    packed: bytes
    media_type: str
    tag: str


class Pages:
    """Files by name. reload: read them again for every request, for those who work on the page."""

    def __init__(self, folder: Path = FOLDER, *, reload: bool = False) -> None:
        self._folder, self._reload = folder, reload
        self._files = _read_all(folder)

    async def home(self, request: Request) -> Response:
        """The page."""
        return self._send(request, _HOME)

    async def docs(self, request: Request) -> Response:
        """The HTTP API for readers."""
        return self._send(request, _DOCS)

    async def file(self, request: Request) -> Response:
        """One of its files."""
        return self._send(request, request.path_params["name"])

    def _send(self, request: Request, name: str) -> Response:
        if self._reload:
            self._files = _read_all(self._folder)
        if name in ICONS and name not in self._files:
            self._files[name] = _ready(name, icon_png(name))
        found = self._files.get(name)
        if found is None:
            return not_found(f"file {name[:80]!r}").response()
        takes_packed = bool(found.packed) and "gzip" in request.headers.get("accept-encoding", "")
        tag = f'"{found.tag}-gzip"' if takes_packed else f'"{found.tag}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if takes_packed:
            headers["Content-Encoding"] = "gzip"
        return Response(found.packed if takes_packed else found.content, 200, headers, found.media_type)


def _read_all(folder: Path) -> dict[str, File]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> File:
    return _ready(path.name, path.read_bytes())


def _ready(name: str, content: bytes) -> File:
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, mtime=0) if kind.startswith(_COMPRESSED) else b""
    is_text = kind.startswith("text/")
    packed = packed if len(packed) < len(content) else b""
    return File(
        content, packed, f"{kind}; charset=utf-8" if is_text else kind, hashlib.sha256(content).hexdigest()[:32]
    )
