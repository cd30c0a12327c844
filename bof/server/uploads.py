"""Pictures that clients send, as files under names of the server's making."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from bof.images.readers import format_named
from bof.system.files import fsync_path

_MAX_NAME = 200


def content_type(kind: str) -> str:
    """The media type of pictures of a kind, as `images.kind_of` names it."""
    known = format_named(kind)
    return known.media_type if known else "application/octet-stream"


def _suffix(kind: str) -> str:
    known = format_named(kind)
    return known.suffixes[0] if known else ""


def store(folder: Path, data: bytes, kind: str) -> Path:
    """Write a picture into the folder, under its hash, and return its path; the same content is stored once.

    The file appears whole or not at all. Raises OSError where it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"{digest[:32]}{_suffix(kind)}"
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        path = folder / f"{digest}{_suffix(kind)}"  # the picture of that name was replaced by another
    if not path.exists():
        replace(path, data)
    return path


def replace(path: Path, data: bytes) -> None:
    """Give a file new content, in one step."""
    handle, fresh = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
    fsync_path(path.parent)


def sweep(folder: Path) -> None:
    """Delete what a crash left half written."""
    for path in folder.glob(".*.partial"):
        with contextlib.suppress(OSError):
            path.unlink()


def shown_name(given: str) -> str:
    """The name of an upload, for people: one line, bounded; folders in it stay, but lead nowhere."""
    parts = [part for part in re.split(r"[/\\]", given) if part not in ("", ".", "..")]
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]", "", "/".join(parts)).strip()
    return text[-_MAX_NAME:] or "picture"
