"""What a publication consists of: one small object, whose exchange is the moment at which readers see another one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bof.errors import IndexStoreError
from bof.store.published.buckets import Bucket, MissingObjectError
from bof.system.files import sha256_of_json

FILE_NAME = "publication.json"
OBJECTS = "files"

_FORMAT = 1
_MOST_BYTES = 1 << 30
_MAX_BYTES = 1 << 50
_MAX_NUMBER = 1 << 62
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}"
_PATH = re.compile(
    rf"(?:parts/[0-9a-f]{{32}}/)?(?:catalog\.sqlite|counts\.npz|segments/{_NAME}/{_NAME}(?:\.{_NAME})?\.npy"
    rf"|vocabulary/{_NAME}\.(?:npy|json|onnx))|weights\.npz|judgments\.sqlite|nearest/{_NAME}\.(?:faiss|json)"
    r"|pictures/[0-9a-f]{2}/[0-9a-f]{64}(?:\.[0-9a-f]{64}\.jpg)?"
)
"""The files of an index that a publication may have: nothing climbs out, nothing else is written."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of the index, and the content that it has: size in bytes, SHA-256."""

    path: str
    n_bytes: int
    sha256: str

    @property
    def object_name(self) -> str:
        """Where the content lies."""
        return object_name(self.sha256)


def object_name(sha256: str) -> str:
    """Where a content lies."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication. generation: the number of the index's commit; fingerprint: of its vocabulary."""

    generation: int
    n_images: int
    fingerprint: str
    files: tuple[PublishedFile, ...]

    @property
    def n_bytes(self) -> int:
        """Of all contents; what several files have in common counts once."""
        return sum(self.contents.values())

    @property
    def contents(self) -> Mapping[str, int]:
        """Size in bytes by SHA-256."""
        return {file.sha256: file.n_bytes for file in self.files}

    def as_json(self) -> bytes:
        """As it is stored."""
        facts = {"format": _FORMAT, **asdict(self)}
        return json.dumps({**facts, "seal": sha256_of_json(facts)}, indent=1).encode()


def read_manifest(bucket: Bucket) -> Publication:
    """The publication of now. Raises IndexStoreError where there is none or it is damaged."""
    try:
        data = bucket.read(FILE_NAME, _MOST_BYTES)
    except MissingObjectError as error:
        advice = "{bof index} {publish} puts an index there; is it the right place?"
        problem = f"no index is published here: {FILE_NAME} {error.problem}"
        raise MissingObjectError(problem, path=bucket.shown, advice=advice) from error
    try:
        return parse_manifest(data)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        place, advice = f"{bucket.shown}/{FILE_NAME}", "publish the index again"
        raise IndexStoreError(f"a damaged publication: {error!s:.200}", path=place, advice=advice) from error


def parse_manifest(data: bytes) -> Publication:
    """A stored manifest, every value of it checked. Raises ValueError, KeyError, TypeError or RecursionError."""
    facts = json.loads(data)
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        raise ValueError(f"no manifest of format {_FORMAT}")
    if facts.pop("seal") != sha256_of_json(facts):
        raise ValueError("its content has changed (checksum)")
    files = tuple(_checked_file(one) for one in facts["files"])
    if len({file.path for file in files}) != len(files) or "catalog.sqlite" not in {file.path for file in files}:
        raise ValueError("a file twice, or no catalogue")
    found = Publication(_whole(facts["generation"]), _whole(facts["n_images"]), str(facts["fingerprint"]), files)
    if any(found.contents[file.sha256] != file.n_bytes for file in files):
        raise ValueError("one content of two sizes")
    return found


def _checked_file(one: Mapping[str, Any]) -> PublishedFile:
    file = PublishedFile(**one)
    if not isinstance(file.path, str) or not _PATH.fullmatch(file.path):
        raise ValueError(f"{file.path!r:.100} is no file of an index")
    if not isinstance(file.sha256, str) or not _SHA256.fullmatch(file.sha256) or _whole(file.n_bytes) > _MAX_BYTES:
        raise ValueError(f"no size and SHA-256 of {file.path}")
    return file


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MAX_NUMBER:
        raise ValueError(f"{value!r:.40} is no number")
    return value
