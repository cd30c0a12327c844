"""Pictures in object stores and on web servers: `s3://`, `gs://`, `https://`, through fsspec.

The network is reached for what the user names alone, by this process: those that decode pictures have no keys. In the
index such a picture's path is `cloud:` and its URL, percent-encoded so that nothing changes it as a path:
`cloud:s3:/bucket/photos/a.jpg`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from bof.errors import ImageError, reason_of
from bof.images.address import Stamp

MAX_FETCHED_BYTES = 1 << 30
"""A larger file is not fetched."""

_PREFIX = "cloud:"
_URL = re.compile(r"(?s)(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<rest>.+)")
_LOCAL = ("file", "local")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_NS = 1_000_000_000
_AT_ONCE = 8
"""Files that are fetched at a time."""

_EXTRA = 'pip install "bof-search[cloud]"'


@dataclass(frozen=True, slots=True)
class CloudFile:
    """A file there: its path as the index has it, its size in bytes and its time, see `_time_of`."""

    path: str
    stamp: Stamp


# -- Paths ------------------------------------------------------------------------------------------------------------


def source_of(text: str | os.PathLike[str]) -> Path:
    """A folder or a file as a user names it, local or by URL, as a path."""
    found = _URL.fullmatch(text) if isinstance(text, str) else None
    if not found or found["scheme"] in _LOCAL:
        return Path(text)
    return Path(_path_of(f"{found['scheme']}://{found['rest'].rstrip('/')}"))


def is_cloud(path: str | os.PathLike[str]) -> bool:
    """Is this the path of something that is no file of this machine's?"""
    return os.fspath(path).startswith(_PREFIX)


def place_of(path: str | os.PathLike[str]) -> str:
    """The path as the index has it: absolute, or of the cloud."""
    return os.fspath(path).replace("\\", "/") if is_cloud(path) else os.path.abspath(path)


def url_of(path: str | os.PathLike[str]) -> str:
    """The URL of a path that `is_cloud`."""
    scheme, _, rest = place_of(path).removeprefix(_PREFIX).partition(":/")
    return f"{scheme}://{unquote(rest, errors='surrogateescape')}"


def _path_of(url: str) -> str:
    scheme, _, rest = url.partition("://")
    quoted = quote(rest.encode("utf-8", "surrogateescape"), safe="/!$&'()*+,;=@:~ ")
    parts = quoted.split("/")
    odd = {"": "%2F", ".": "%2E", "..": "%2E%2E"}
    safe = [parts[0], *(odd.get(part, part) for part in parts[1:])]
    return f"{_PREFIX}{scheme}:/" + "/".join(safe).replace("%2F/", "%2F")


# -- What is there ----------------------------------------------------------------------------------------------------


def list_cloud(folder: str | os.PathLike[str]) -> list[CloudFile]:
    """Every file below a folder, or the file of that name, in the order of paths. Raises ImageError, all or nothing."""
    system, url = _system(folder), url_of(folder)
    scheme = url.partition("://")[0]
    with _guarded(folder, "a folder that can be listed"):
        found: Mapping[str, Mapping[str, Any]] = system.find(f"{url}/", detail=True)
        if not found and system.exists(url):
            found = {url: system.info(url)}
        if not found:
            raise FileNotFoundError("nothing is there")
        facts = [(name, info if _is_complete(info) else system.info(name)) for name, info in sorted(found.items())]
    return [CloudFile(_path_of(_with_scheme(name, scheme)), _stamp(info)) for name, info in facts]


def stamp_of_cloud(path: str | os.PathLike[str]) -> Stamp:
    """Size and time of one file. Raises OSError where it is gone or cannot be reached."""
    try:
        return _stamp(_system(path).info(url_of(path)))
    except OSError:
        raise
    except Exception as error:  # each store has exceptions of its own
        raise OSError(reason_of(error)) from error


def read_cloud(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """The bytes of one file; more than max_bytes are refused. Raises ImageError."""
    with _guarded(path, "a file that can be read"), _system(path).open(url_of(path), "rb") as stream:
        data = bytes(stream.read(max_bytes + 1))
    if len(data) > max_bytes:
        raise ImageError("too large", path=path, expected=f"at most {max_bytes} bytes", found="more")
    return data


def fetch_all(paths: Sequence[str], folder: Path, max_bytes: int) -> Iterator[tuple[str, Path | ImageError]]:
    """Each file as one in a local folder, named by its number and with its suffix; or why it could not be fetched."""

    def fetch(item: tuple[int, str]) -> Path | ImageError:
        number, path = item
        target = folder / f"{number}{os.path.splitext(path)[1]}"
        try:
            target.write_bytes(read_cloud(path, max_bytes))
        except ImageError as error:
            return error
        return target

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from zip(paths, threads.map(fetch, enumerate(paths)), strict=True)


def _system(path: str | os.PathLike[str]) -> Any:
    """The file system of a path. Raises ImageError where a package is missing."""
    url = url_of(path)
    try:
        import fsspec

        system, _ = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ImageError(f"cannot be reached: {reason_of(error)}", path=url, advice=_EXTRA) from error
    return system


@contextlib.contextmanager
def _guarded(path: str | os.PathLike[str], expected: str) -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # each store has exceptions of its own
        raise ImageError(path=url_of(path), expected=expected, found=reason_of(error)) from error


def _with_scheme(name: str, scheme: str) -> str:
    return name if "://" in name else f"{scheme}://{name.lstrip('/')}"


def _is_complete(info: Mapping[str, Any]) -> bool:
    return info.get("size") is not None


def _stamp(info: Mapping[str, Any]) -> Stamp:
    return int(info.get("size") or 0), _time_of(info)


def _time_of(info: Mapping[str, Any]) -> int:
    """When a file was changed, in nanoseconds, to the second; below a second stands a number made of its ETag."""
    etag = str(info.get("ETag") or info.get("etag") or "")
    below = int.from_bytes(hashlib.sha256(etag.encode()).digest()[:4], "little") % _NS if etag else 0
    changed = next((info[key] for key in _TIMES if info.get(key)), None)
    return _seconds(changed) * _NS + below


def _seconds(changed: object) -> int:
    if isinstance(changed, datetime):
        return int(changed.timestamp())
    if isinstance(changed, int | float):
        return int(changed)
    with contextlib.suppress(ValueError, TypeError):
        return int(parsedate_to_datetime(str(changed)).timestamp())
    with contextlib.suppress(ValueError, TypeError):
        return int(datetime.fromisoformat(str(changed)).timestamp())
    return 0
