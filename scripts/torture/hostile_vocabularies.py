"""Hostile vocabularies: every array and every field of the header as it must not be, with checksums that agree."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.options import FeatureOptions
from bof.vocabulary.hamming import make_projection
from bof.vocabulary.stored import ARRAYS, HEADER
from bof.vocabulary.vocabulary import Vocabulary, _fingerprint
from scripts.torture.npy import Rng, broken, lies, npy, of_other_type, with_flipped_bit

Files = dict[str, bytes]
N_WORDS = 64


def write_sound(folder: Path) -> Files:
    """A small sound vocabulary, written; its files by name."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 200, (N_WORDS, 128)).astype(np.uint8)
    projection: NDArray[np.float32] = make_projection(128, 0)
    thresholds = words.astype(np.float32) @ projection
    keys = rng.integers(0, 1 << 60, 5).astype(np.uint64)
    made = Vocabulary.make(words, projection, thresholds, FeatureOptions(), {"source": "chance"}, keys)
    made.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_hostile(sound: Files, folder: Path, number: int, seed: int) -> str:
    """Write the hostile vocabulary of a number; returns its kind."""
    rng = np.random.default_rng([seed, number])
    kind = list(_KINDS)[number % len(_KINDS)]
    folder.mkdir(parents=True)
    for name, data in _KINDS[kind](rng, dict(sound)).items():
        (folder / name).write_bytes(data)
    if kind in _IN_PLACE:
        _IN_PLACE[kind](rng, folder)
    return kind


def _arrays(files: Files) -> dict[str, NDArray[Any]]:
    return {name: np.load(io.BytesIO(files[f"{name}.npy"])) for name in ARRAYS}


def _name(rng: Rng) -> str:
    return str(rng.choice(list(ARRAYS)))


def _agreeing(files: Files, arrays: dict[str, NDArray[Any]]) -> Files:
    """The files with the header's sizes, checksums and fingerprint made to agree with them."""
    header = json.loads(files[HEADER])
    for name in ARRAYS:
        data = files[f"{name}.npy"]
        header["files"][name] = {"n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    decisive = [np.ascontiguousarray(arrays[name]) for name in ("centroids", "projection", "thresholds")]
    try:
        header["fingerprint"] = _fingerprint(2, FeatureOptions(), *decisive)
    except (TypeError, ValueError):  # objects have no bytes
        header["fingerprint"] = "0" * 64
    header["n_words"] = len(arrays["centroids"]) if arrays["centroids"].ndim else 0
    return {**files, HEADER: json.dumps(header).encode()}


def _with(files: Files, name: str, array: NDArray[Any], **header: object) -> Files:
    arrays = {**_arrays(files), name: array}
    return _agreeing({**files, f"{name}.npy": npy(array, **header)}, arrays)


# -- Kinds ------------------------------------------------------------------------------------------------------------


def _other_type(rng: Rng, files: Files) -> Files:
    name = _name(rng)
    return _with(files, name, of_other_type(rng, _arrays(files)[name]))


def _other_shape(rng: Rng, files: Files) -> Files:
    name = _name(rng)
    array = _arrays(files)[name]
    n = len(array)
    shapes: list[tuple[int, ...]] = [
        (), (0,), (n,), (n, 0), (n, 1), (0, 64), (0, 128), (1, 1), (3, 64), (2, 64), (n, 16), (n, 63), (n, 65),
        (n, 256), (128, n), (64, n), (n, 128, 1), (1, n, 64), (n + 1, 128), (n - 1, 64), (1,) * 32, (n, 64), (n, 128),
        (100000, 64),
    ]  # fmt: skip
    shape = shapes[int(rng.integers(len(shapes)))]
    return _with(files, name, np.resize(array, shape).astype(array.dtype))


def _all_of_other_length(rng: Rng, files: Files) -> Files:
    """Arrays that agree with each other and are too few, or more than anybody needs."""
    n = int(rng.choice([0, 1, 2, 3, 1025, 5000]))
    arrays = _arrays(files)
    for name in ("centroids", "thresholds"):
        arrays[name] = np.resize(arrays[name], (n, arrays[name].shape[1]))
    changed = {f"{name}.npy": npy(arrays[name]) for name in arrays}
    return _agreeing({**files, **changed}, arrays)


def _other_values(rng: Rng, files: Files) -> Files:
    projection = _arrays(files)["projection"].copy()
    value = [np.nan, np.inf, -np.inf, 1e30, -5.0, 1.5, np.float32(3e38)][int(rng.integers(7))]
    projection[int(rng.integers(128)), int(rng.integers(64))] = value
    return _with(files, "projection", projection)


def _random_values(rng: Rng, files: Files) -> Files:
    """Sound, and of no use."""
    name = str(rng.choice(["centroids", "thresholds", "image_keys"]))
    array = _arrays(files)[name]
    info = np.iinfo(array.dtype)
    return _with(files, name, rng.integers(info.min, info.max, array.shape, array.dtype, endpoint=True))


def _lying_header(rng: Rng, files: Files) -> Files:
    """An array's own header says another shape, type or order than its bytes have."""
    name = _name(rng)
    array = _arrays(files)[name]
    header_fields = lies(N_WORDS)
    return _with(files, name, array, **header_fields[int(rng.integers(len(header_fields)))])


def _broken_array(rng: Rng, files: Files) -> Files:
    """The bytes of an array's file are changed, and the header agrees."""
    name, arrays = _name(rng), _arrays(files)
    data = broken(rng, files[f"{name}.npy"])
    return _agreeing({**files, f"{name}.npy": data}, arrays)


def _flipped(rng: Rng, files: Files) -> Files:
    """One bit anywhere, and nothing agrees."""
    name = str(rng.choice(list(files)))
    return {**files, name: with_flipped_bit(rng, files[name])}


def _cut(rng: Rng, files: Files) -> Files:
    name = str(rng.choice(list(files)))
    return {**files, name: files[name][: int(rng.integers(len(files[name])))]}


def _other_field(rng: Rng, files: Files) -> Files:
    """A field of the header, at any depth, of another type."""
    header = json.loads(files[HEADER])
    values: list[Any] = [
        None, True, -1, 0, 1 << 70, 1e308, float("nan"), "", "x" * 1000, [], {}, [[]], "../..", 7, "1024", 1024.5, "\0"
    ]  # fmt: skip
    at, key = header, str(rng.choice(list(header)))
    while isinstance(at[key], dict) and at[key] and rng.integers(2):
        at, key = at[key], str(rng.choice(list(at[key])))
    if rng.integers(4):
        at[key] = values[int(rng.integers(len(values)))]
    else:
        del at[key]
    return {**files, HEADER: json.dumps(header).encode()}


def _other_json(rng: Rng, files: Files) -> Files:
    texts = [
        b"", b"{", b"[]", b"null", b"7", b'"format"', b"[" * 100000, b'{"a":' * 50000, b"\xff\xfe",
        b"{" + b" " * 5_000_000,
        b"9" * 5000, b'{"format": 2, "format": 1}', files[HEADER] * 2, b'{"format": 2}', b'{"format": 1}', b"NaN",
    ]  # fmt: skip
    return {**files, HEADER: texts[int(rng.integers(len(texts)))]}


def _as_format_1(rng: Rng, files: Files) -> Files:
    """Of format 1, with a further array of some type and shape."""
    shape = [(5,), (0,), (2, 3), (), (1 << 16,)][int(rng.integers(5))]
    array = np.zeros(shape, str(rng.choice(["u1", "i8", "f4"])))
    data = npy(array)
    header = json.loads(files[HEADER])
    header["format"] = 1
    header["files"]["assigner"] = {"n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    arrays = _arrays(files)
    decisive = (arrays["centroids"], arrays["projection"], arrays["thresholds"], array)
    header["fingerprint"] = _fingerprint(1, FeatureOptions(**asdict(FeatureOptions())), *decisive)
    return {**files, "assigner.npy": data, HEADER: json.dumps(header).encode()}


def _unchanged(rng: Rng, files: Files) -> Files:
    return files


def _place(rng: Rng, folder: Path) -> Path:
    path = folder / str(rng.choice([HEADER, *(f"{name}.npy" for name in ARRAYS)]))
    path.unlink()
    return path


def _link(rng: Rng, folder: Path) -> None:
    leads = ["/dev/zero", "/dev/stdin", "../sound/centroids.npy", "/proc/self/mem", "nowhere", "."]
    _place(rng, folder).symlink_to(leads[int(rng.integers(len(leads)))])


def _sparse(rng: Rng, folder: Path) -> None:
    """A file of 1 TB that takes no space, and a header that agrees about its size."""
    path = _place(rng, folder)
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    if path.name != HEADER:
        header = json.loads((folder / HEADER).read_bytes())
        header["files"][path.stem]["n_bytes"] = 1 << 40
        (folder / HEADER).write_text(json.dumps(header))


_KINDS: dict[str, Callable[[Rng, Files], Files]] = {
    "another type": _other_type,
    "another shape": _other_shape,
    "another length": _all_of_other_length,
    "other values": _other_values,
    "random values": _random_values,
    "an array that lies": _lying_header,
    "a broken array": _broken_array,
    "a flipped bit": _flipped,
    "cut": _cut,
    "another field": _other_field,
    "another header": _other_json,
    "of format 1": _as_format_1,
    "a link": _unchanged,
    "a pipe": _unchanged,
    "a folder": _unchanged,
    "a sparse file": _unchanged,
}
_IN_PLACE: dict[str, Callable[[Rng, Path], None]] = {
    "a link": _link,
    "a pipe": lambda rng, folder: os.mkfifo(_place(rng, folder)),
    "a folder": lambda rng, folder: _place(rng, folder).mkdir(),
    "a sparse file": _sparse,
}
