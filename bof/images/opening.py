"""The picture at an address, a file or a part of one: its bytes, its content and its stamp."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

from bof.errors import ImageError
from bof.images.address import Address, Stamp
from bof.images.cloud import MAX_FETCHED_BYTES, is_cloud, read_cloud, stamp_of_cloud
from bof.images.decode import Picture, decode, read_bytes
from bof.images.documents import reading
from bof.options import MAX_PIXELS


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """The stamp of a picture's file. Raises OSError, ValueError for a NUL in the path, ImageError without fsspec."""
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
    with reading(address.file) as document:
        data = document.read(address.part, max_pixels)
    if max_bytes is not None and len(data) > max_bytes:
        raise ImageError("too large", path=path, expected=f"at most {max_bytes} bytes", found=len(data))
    return data


def _read_cloud(address: Address, max_bytes: int | None) -> bytes:
    if address.part:
        raise ImageError(path=address.file, expected="a picture", found="a part of a file, which is not fetched again")
    return read_cloud(address.file, MAX_FETCHED_BYTES if max_bytes is None else max_bytes)


def read_picture(
    path: str | os.PathLike[str], *, max_side: int | None = None, max_pixels: int = MAX_PIXELS, grey: bool = False
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
