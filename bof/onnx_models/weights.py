"""What an ONNX file says of other files: the names of those that hold weights, read without any library.

The format is a protocol buffer: fields of a number, a kind and a value, messages inside messages
(https://protobuf.dev/programming-guides/encoding). Only the messages on the way to a tensor are looked into.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from bof.errors import ModelError

_MESSAGES: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "model": {7: "graph", 20: "training", 25: "function"},
        "training": {1: "graph", 2: "graph"},
        "function": {7: "node", 11: "attribute"},
        "graph": {1: "node", 5: "tensor", 15: "sparse"},
        "node": {5: "attribute"},
        "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
        "sparse": {1: "tensor", 2: "tensor"},
        "tensor": {13: "entry"},
    }
)
"""Of each message of onnx.proto the fields that may lead to a tensor, and the messages in them."""

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MOST_FIELDS, _DEEPEST = 1_000_000, 100
"""Fields of a whole file, a second's work: large models have some ten thousand; and messages inside each other, as many
as protocol buffers allow."""

_KEY, _VALUE = 1, 2
_NOT_IN_NAMES = frozenset("\0\\:*")
"""Other systems' paths, and the stars by which onnxruntime means an address in its memory."""


def weight_files(path: Path) -> list[Path]:
    """The files beside a model that hold its weights, in order.

    Raises ModelError where the file is no ONNX model, or one of them lacks or lies outside the model's folder.
    """
    status = path.stat()
    return [_require_beside(path, name) for name in _names(path, status.st_size, status.st_mtime_ns)]


@lru_cache(maxsize=2)
def _names(path: Path, n_bytes: int, mtime_ns: int) -> list[str]:
    """What a model calls the files of its weights, for as long as it is what it is."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            names = {_location(content, *span) for span in _entries(content)}
    except (ValueError, IndexError) as error:
        raise ModelError(
            path=path, expected="an ONNX model", found=f"no model ({error})", advice="get the file again"
        ) from error
    return [os.fsdecode(name) for name in sorted(name for name in names if name is not None)]


def _entries(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where the entries lie that say where a tensor's content is."""
    n_fields, stack = 0, [("model", 0, len(content), 0)]
    while stack:
        message, place, end, depth = stack.pop()
        if message == "entry":
            yield place, end
            continue
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} messages inside each other")
        for number, first, last in _fields(content, place, end):
            n_fields += 1
            if n_fields > _MOST_FIELDS:
                raise ValueError(f"more than {_MOST_FIELDS} fields")
            if kind := _MESSAGES[message].get(number):
                stack.append((kind, first, last, depth + 1))


def _fields(content: mmap.mmap, place: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of the fields of bytes in a message; those of other kinds are passed over."""
    while place < end:
        tag, place = _varint(content, place, end)
        kind = tag & 7
        if kind == _BYTES:
            length, place = _varint(content, place, end)
            if length > end - place:
                raise ValueError("a field that goes beyond its message")
            yield tag >> 3, place, place + length
            place += length
        elif kind == _VARINT:
            _, place = _varint(content, place, end)
        elif kind in (_FIXED_64, _FIXED_32):
            place += 8 if kind == _FIXED_64 else 4
        else:
            raise ValueError("a field of no known kind")
    if place > end:
        raise ValueError("a field that goes beyond its message")


def _varint(content: mmap.mmap, place: int, end: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number that does not end")


def _location(content: mmap.mmap, first: int, last: int) -> bytes | None:
    """The name of a file, if an entry says one; where a key or value stands twice, the last counts."""
    fields = {number: content[start:end] for number, start, end in _fields(content, first, last)}
    return fields.get(_VALUE, b"") if fields.get(_KEY) == b"location" else None


def _require_beside(model: Path, name: str) -> Path:
    """Where a file of weights lies, which must be in the model's folder, also where links lead."""
    is_plain = name and not set(name) & _NOT_IN_NAMES and not os.path.isabs(name)
    if not is_plain or ".." in Path(name).parts:
        raise _elsewhere(model, f"{name[:200]!r}")
    path = model.parent / name
    if not path.is_file():
        raise ModelError(path=path, expected=f"the weights of {model.name}", found="no file", advice="copy both")
    folders = (os.path.realpath(model.parent), os.path.dirname(os.path.realpath(model)))
    if not any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in folders):
        raise _elsewhere(model, f"{name[:200]!r}, a link to {os.path.realpath(path)}")
    return path


def _elsewhere(model: Path, found: str) -> ModelError:
    return ModelError(
        path=model, expected="weights in the model's own folder", found=found,
        advice="export the model in one file, or with its weights beside it",
    )  # fmt: skip
