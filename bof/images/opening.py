"""The picture at an address, a file or a part of one: its bytes, its content and its stamp."""

from __future__ import annotations

import functools
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from bof.errors import ImageError
from bof.images.address import Address, Stamp, is_part
from bof.images.cloud import MAX_FETCHED_BYTES, is_cloud, read_cloud, stamp_of_cloud
from bof.images.decode import Picture, decode, kind_of, read_bytes
from bof.images.documents import find_kind, reading
from bof.images.documents.films import FILMS
from bof.options import MAX_PIXELS, PixelLimit
from bof.system.units import counted
from bof.system.worker import in_worker
from bof.system.workers import Limits, LostItem, run_in_workers

_LIMITS = Limits(120.0, 1 << 30)
"""Of a process that reads one part: as much as the largest picture that is read while somebody waits takes twice."""


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """The stamp of a picture's file. Raises OSError, ValueError for a NUL in the path."""
    file = Address.parse(path).file
    if is_cloud(file):
        return stamp_of_cloud(file)
    status = os.stat(file)
    return status.st_size, status.st_mtime_ns


def read_content(path: str | os.PathLike[str], *, max_bytes: int | None = None, max_pixels: int = MAX_PIXELS) -> bytes:
    """The bytes of a picture file, or of one made of the part of a file; more than max_bytes are refused.

    Raises ImageError, PictureTooLargeError where a part would have to be decoded to more than max_pixels.
    """
    address = Address.parse(path)
    if is_cloud(path):
        return _read_cloud(address, max_bytes)
    if not address.part:
        return read_bytes(Path(address.file), max_bytes=max_bytes)
    data = _read_part(address, max_pixels)
    if max_bytes is not None and len(data) > max_bytes:
        raise ImageError("too large", path=path, expected=f"at most {max_bytes} bytes", found=len(data))
    return data


def _read_cloud(address: Address, max_bytes: int | None) -> bytes:
    if address.part:
        raise ImageError(path=address.file, expected="a picture", found="a part of a file, which is not fetched again")
    return read_cloud(address.file, MAX_FETCHED_BYTES if max_bytes is None else max_bytes)


def _read_part(address: Address, max_pixels: int) -> bytes:
    """In a process of its own where the kind of file should have one, unless this is one."""
    kind = None if in_worker() else find_kind(address.file)
    if kind is None or not kind.is_isolated:
        return _read_here(address, max_pixels)
    (found,) = run_in_workers(f"{__name__}:read_in_worker", max_pixels, [address], 1, _LIMITS)
    if isinstance(found, bytes):
        return found
    raise ImageError(found.reason, path=str(address)) if isinstance(found, LostItem) else found


def read_in_worker(max_pixels: int, address: Address) -> bytes | ImageError:
    """A part, in a process of its own; what is wrong with it comes back as a value."""
    try:
        return _read_here(address, max_pixels)
    except ImageError as error:
        return error


def _read_here(address: Address, max_pixels: int) -> bytes:
    with reading(address.file) as document:
        return document.read(address.part, max_pixels)


def list_parts(file: str) -> Sequence[str] | ImageError:
    """The parts of a file that holds several pictures, listed in a process of its own; or why they cannot be."""
    (found,) = run_in_workers(f"{__name__}:list_in_worker", None, [file], 1, _LIMITS)
    return ImageError(found.reason, path=file) if isinstance(found, LostItem) else found


def list_in_worker(_shared: None, file: str) -> Sequence[str] | ImageError:
    """In that process."""
    try:
        with reading(file) as document:
            return list(document.parts)
    except ImageError as error:
        return error


def require_one_picture(file: str) -> None:
    """Raises ImageError where a file holds pictures and is none itself: it says how to name one of them."""
    try:
        kind = find_kind(file)
    except ImageError:
        return  # who reads it says why
    if kind is None or kind.is_picture:
        return
    if kind is FILMS:
        advice = f"name a time in it, in seconds: {Address(file, 't=1.5').name(file)}"
        raise ImageError(path=file, expected="one picture", found="a film", advice=advice)
    parts = list_parts(file)
    if isinstance(parts, ImageError):
        raise parts
    found = f"a {kind.name} with {counted(len(parts), 'picture')}"
    advice = f"name one of them: {Address(file, parts[0]).name(file)}" if parts else ""
    raise ImageError(path=file, expected="one picture", found=found, advice=advice)


def read_shown(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> bytes:
    """A picture as a file that people can open: what `read_content` makes of a part for itself becomes a PNG."""
    data = read_content(path, max_pixels=max_pixels)
    return as_png(data) if is_part(path) and kind_of(data) == "PNM" else data


def as_png(data: bytes) -> bytes:
    """The same pixels in a PNG. Raises ImageError."""
    written = io.BytesIO()
    Image.fromarray(decode(data).pixels).save(written, "PNG", compress_level=3)
    return written.getvalue()


def read_picture(
    path: str | os.PathLike[str],
    *,
    max_side: PixelLimit | None = None,
    max_pixels: int = MAX_PIXELS,
    grey: bool = False,
) -> Picture:
    """The picture at an address: read_content, then decode, whose options these are; ImageError names the path."""
    data = read_content(path, max_pixels=max_pixels)
    return decode(data, max_side=max_side, max_pixels=max_pixels, grey=grey, name=os.fspath(path))


def sha256_of_part(file_sha256: str, part: str) -> str:
    """The content of a part: that of its file, and which part it is. A rendered page has no bytes of its own."""
    return hashlib.sha256(f"bof part 1 {part}\0{file_sha256}".encode("utf-8", "surrogateescape")).hexdigest()


def sha256_of_picture(path: str | os.PathLike[str], data: bytes) -> str:
    """The content of a picture by which it is known again; data: what `read_content` gave of it. Raises ImageError."""
    address = Address.parse(path)
    if not address.part:
        return hashlib.sha256(data).hexdigest()
    return sha256_of_part(sha256_of_file(address.file), address.part)


def sha256_of_file(file: str) -> str:
    """The SHA-256 of a file, computed once while it does not change. Raises ImageError."""
    try:
        return _sha256_of_file(file, stamp_of(file))
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read: {error}", path=file) from error


@functools.lru_cache(maxsize=8)
def _sha256_of_file(file: str, _stamp: Stamp) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
