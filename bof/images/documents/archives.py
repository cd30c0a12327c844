"""Pictures in a ZIP file, as comics (CBZ) and downloads come. Nothing is unpacked to a disk."""

from __future__ import annotations

import contextlib
import posixpath
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import ImageError, reason_of
from bof.images.address import member_of, part_of_member
from bof.images.decode import kind_of
from bof.images.documents.base import MAX_PARTS, Document
from bof.images.regular import MAGIC_BYTES, open_regular

_BYTES_A_PIXEL, _BESIDE_BYTES = 8, 64 << 20
"""A file with more holds no picture that may be decoded: 16 bits of red, green, blue and alpha, and what is beside."""

_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """ZIP."""

    name: str = "ZIP"
    is_picture: bool = False
    is_isolated: bool = False

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce this kind? Those of an empty archive do too."""
        return head.startswith((b"PK\3\4", b"PK\5\6"))

    def open(self, file: str) -> Document:
        """Open an archive. Raises ImageError where it is broken."""
        with contextlib.ExitStack() as opened:
            with _guarded(file, "archive"):
                archive = zipfile.ZipFile(opened.enter_context(open_regular(Path(file))))
                pictures, others = _members(archive)
            return _Archive(file, archive, opened.pop_all(), pictures, others)


class _Archive:
    """An opened ZIP file; pictures: its members that are pictures, by part."""

    def __init__(
        self, file: str, archive: zipfile.ZipFile, opened: contextlib.ExitStack,
        pictures: Mapping[str, zipfile.ZipInfo], others: Mapping[str, int],
    ) -> None:  # fmt: skip
        self._file, self._archive, self._opened, self._pictures = file, archive, opened, pictures
        self.parts: Sequence[str] = list(pictures)
        self.others: Mapping[str, int] = others

    def read(self, part: str, max_pixels: int) -> bytes:
        member = self._pictures.get(part)
        if member is None:
            raise ImageError(path=self._file, expected="the name of a picture in it", found=member_of(part))
        most = _BYTES_A_PIXEL * max_pixels + _BESIDE_BYTES
        with _guarded(self._file, f"member {member.filename!r}"), self._archive.open(member) as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise ImageError(path=self._file, expected=f"at most {most} bytes", found=f"more in {member.filename!r}")
        return data

    def close(self) -> None:
        self._archive.close()
        self._opened.close()


def _members(archive: zipfile.ZipFile) -> tuple[dict[str, zipfile.ZipInfo], Counter[str]]:
    """The pictures by part, in the order of their names, and what else there is, by kind."""
    pictures: dict[str, zipfile.ZipInfo] = {}
    others: Counter[str] = Counter()
    for member in sorted(archive.NameToInfo.values(), key=lambda info: info.filename):
        if member.is_dir():
            continue
        if kind := _kind_of_other(archive, member):
            others[kind] += 1
        elif len(pictures) == MAX_PARTS:
            others[f"pictures beyond the first {MAX_PARTS} of an archive"] += 1
        else:
            pictures[part_of_member(member.filename)] = member
    return pictures, others


def _kind_of_other(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """What a member is, if it is no picture; else nothing."""
    names = member.filename.split("/")
    if any(name.startswith(".") for name in names) or names[0] == "__MACOSX":
        return "hidden in an archive"
    if member.flag_bits & _ENCRYPTED:
        return "encrypted in an archive"
    if member.compress_type not in _METHODS:
        return "packed in an unknown way"
    try:
        with archive.open(member) as stream:
            is_picture = kind_of(stream.read(MAGIC_BYTES)) is not None
    except Exception:  # as in `_guarded`: reading it says why
        is_picture = True
    suffix = posixpath.splitext(member.filename)[1].lower()
    return "" if is_picture else f"{suffix or 'without a suffix'} in an archive"


@contextlib.contextmanager
def _guarded(file: str, what: str) -> Iterator[None]:
    """Of hostile bytes zipfile and zlib make exceptions of many kinds, which mean the same to us."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(path=file, expected=f"a whole {what}", found=f"a broken one: {reason_of(error)}") from error


ARCHIVES = ArchiveKind()
