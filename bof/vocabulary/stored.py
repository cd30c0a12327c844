"""The files of a vocabulary: what each must be, in one table, checked before anything else looks at it.

A vocabulary may come from anybody. Files are regular, no links, of a size known before they are read; what is used is
the bytes that were checked.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import MismatchError, OptionError, VocabularyError, reason_of
from bof.features.learned_model import MAX_BYTES
from bof.options import LEARNED, FeatureOptions
from bof.system.files import open_for_writing
from bof.types import U8

FORMATS = (1, 2)
HEADER = "vocabulary.json"
MOST_WORDS = 1 << 22
"""As many as training makes."""

TRAIN = "train one with: {bof train_vocab} PHOTOS -o vocab/NAME"
AGAIN = "copy or train the vocabulary again"
_MOST_HEADER, _MOST_NPY_HEADER = 1 << 20, 1024
_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)(?P<text>\{'descr': '(?P<descr>[|<>][a-z][0-9]{1,3})', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[0-9, ]{0,200})\),? ?\} *\n)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class StoredArraySpec:
    """One array: its type as stored, its shape in numbers and the names of numbers, and the range of its values."""

    dtype: str
    shape: tuple[int | str, ...]
    least: float = -math.inf
    most: float = math.inf


ARRAYS: Mapping[str, StoredArraySpec] = MappingProxyType(
    {
        "centroids": StoredArraySpec("|u1", ("n_words", 128)),
        "projection": StoredArraySpec("<f4", (128, 64), -1.001, 1.001),
        "thresholds": StoredArraySpec("<i2", ("n_words", 64)),
        "image_keys": StoredArraySpec("<u8", ("n_images",)),
    }
)
"""All arrays of a vocabulary as they are stored. Directions of the projection have length 1."""

MODEL = "model.onnx"
"""The model of learned features, which a vocabulary of them carries."""

FORMAT_1 = "assigner"
_FORMAT_1_SPEC = StoredArraySpec("|u1", ("n_bytes",))
"""An array that vocabularies of format 1 have besides; only their fingerprint still depends on it."""

_MOST: Mapping[str, int] = MappingProxyType({"n_words": MOST_WORDS, "n_images": 1 << 26, "n_bytes": 1 << 30})
_LEAST: Mapping[str, int] = MappingProxyType({"n_words": 1, "n_images": 0, "n_bytes": 0})


@dataclass(frozen=True, slots=True)
class Stored:
    """What a folder holds, checked: arrays by name, FORMAT_1 among them where the format is 1."""

    format: int
    fingerprint: str
    features: FeatureOptions
    trained_on: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def read_stored(folder: Path) -> Stored:
    """Read the files. Raises VocabularyError where one is missing or not what it must be, MismatchError on format."""
    header = _read_header(folder)
    sizes: dict[str, int] = {}
    arrays = {name: _read_array(folder / f"{name}.npy", spec, header, sizes) for name, spec in _specs(header).items()}
    features = with_model(_features(folder, header["features"]), folder)
    if features.model_file and not Path(features.model_file).is_file():
        raise VocabularyError(
            path=features.model_file, expected="the model of its features", found="none", advice=AGAIN
        )
    return Stored(header["format"], header["fingerprint"], features, header["trained_on"], arrays)


def with_model(features: FeatureOptions, folder: Path) -> FeatureOptions:
    """With where the model of learned features lies: in the folder of their vocabulary. Others stay as they are."""
    return features.replaced(model_file=str(folder.absolute() / MODEL)) if features.is_learned else features


def read_header(folder: Path) -> bytes:
    """The header as it is stored: with the checksums in it, it tells one vocabulary from another. Raises OSError."""
    return _read(folder / HEADER, _MOST_HEADER)


def copy_files(source: Path, target: Path) -> list[str]:
    """Copy the files of a vocabulary into a folder that exists; returns their names. They are not looked into.

    Raises VocabularyError where the source cannot be read, OSError where the target cannot be written.
    """
    header = _read_header(source)
    sizes = {f"{name}.npy": _size_of(source / f"{name}.npy", header, spec) for name, spec in _specs(header).items()}
    if header["features"].get("extractor") == LEARNED:
        sizes[MODEL] = MAX_BYTES
    for name, most in {HEADER: _MOST_HEADER, **sizes}.items():
        try:
            content = _read(source / name, most)
        except OSError as error:
            raise _damaged(source / name, f"cannot be read ({error})") from error
        with open_for_writing(target / name) as stream:
            stream.write(content)
    return [HEADER, *sizes]


def copy_model(features: FeatureOptions, target: Path) -> None:
    """Copy the model of learned features into the folder of their vocabulary. Raises VocabularyError, OSError."""
    source = Path(features.model_file)
    try:
        content = _read(source, MAX_BYTES)
    except OSError as error:
        raise VocabularyError(
            "the model of its features cannot be read", path=source, found=reason_of(error)
        ) from error
    if (found := hashlib.sha256(content).hexdigest()) != features.model:
        raise VocabularyError(path=source, expected=f"the model {features.model[:12]}", found=found[:12], advice=AGAIN)
    with open_for_writing(target / MODEL) as stream:
        stream.write(content)


def require_arrays(centroids: U8, projection: NDArray[Any], thresholds: NDArray[Any], keys: NDArray[Any]) -> None:
    """Raises VocabularyError unless arrays in memory are those of a vocabulary; thresholds as f32."""
    sizes: dict[str, int] = {}
    arrays = {"centroids": centroids, "projection": projection, "thresholds": thresholds, "image_keys": keys}
    for name, array in arrays.items():
        spec = ARRAYS[name] if name != "thresholds" else dataclasses.replace(ARRAYS[name], dtype="<f4")
        if problem := _problem(spec, array.dtype, array.shape, sizes) or _out_of_range(spec, array):
            raise VocabularyError(expected=f"{name} {_words(spec)}", found=problem)


# -- The header -------------------------------------------------------------------------------------------------------


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / HEADER
    if not path.is_file():
        raise VocabularyError("no vocabulary here", path=folder, expected=HEADER, found="none", advice=TRAIN)
    try:
        header = json.loads(_read(path, _MOST_HEADER))
        found = header["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, f"damaged ({error})") from error
    if type(found) is not int or found not in FORMATS:
        expected, advice = f"vocabulary format {' or '.join(map(str, FORMATS))}", "use the bof that wrote it"
        raise MismatchError(path=folder, expected=expected, found=f"{found!r:.40}", advice=advice)
    for name, kind in (("files", dict), ("features", dict), ("trained_on", dict), ("fingerprint", str)):
        if not isinstance(header.get(name), kind):
            raise _damaged(path, f"no {name}")
    return dict(header)


def _features(folder: Path, found: dict[str, Any]) -> FeatureOptions:
    names = {field.name: type(field.default) for field in dataclasses.fields(FeatureOptions)}
    for name, value in found.items():
        right = (int, float) if names.get(name) is float else (names.get(name, int),)
        if name not in names or type(value) not in right:
            raise _damaged(folder / HEADER, f"features: {name[:80]} {value!r:.40}")
    try:
        return FeatureOptions.from_fact(found)
    except (TypeError, OptionError) as error:
        raise _damaged(folder / HEADER, f"features: {error}") from error


def _specs(header: Mapping[str, Any]) -> Mapping[str, StoredArraySpec]:
    """The arrays that a vocabulary with this header has."""
    return {**ARRAYS, FORMAT_1: _FORMAT_1_SPEC} if header["format"] == 1 else ARRAYS


# -- Arrays -----------------------------------------------------------------------------------------------------------


def _read_array(path: Path, spec: StoredArraySpec, header: dict[str, Any], sizes: dict[str, int]) -> NDArray[Any]:
    """An array that is what the table says and the header's checksum covers."""
    try:
        expected = header["files"].get(path.stem)
        data = _read(path, _size_of(path, header, spec), expected["n_bytes"])
        found = {"n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if found != expected:
            raise VocabularyError(path=path, expected=f"{expected!r:.200}", found=found, advice=AGAIN)
        dtype, shape, offset = _npy_header(data)
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(path, f"cannot be read ({error})") from error
    problem = _problem(spec, dtype, shape, sizes)
    if not problem and len(data) - offset != math.prod(shape) * dtype.itemsize:
        problem = f"{len(data) - offset} bytes of them"
    if not problem:
        array = np.frombuffer(data, dtype, offset=offset).reshape(shape).copy()
        problem = _out_of_range(spec, array)
    if problem:
        raise VocabularyError(path=path, expected=_words(spec), found=problem, advice=AGAIN)
    return array


def _size_of(path: Path, header: Mapping[str, Any], spec: StoredArraySpec) -> int:
    """The size of an array's file as the header has it, at most as large as such a file can be."""
    expected = header["files"].get(path.stem)
    if not isinstance(expected, dict) or type(expected.get("n_bytes")) is not int:
        raise VocabularyError(path=path.with_name(HEADER), expected=f"the size of {path.name}", found="none")
    return min(int(expected["n_bytes"]), _most_bytes(spec))


def _npy_header(data: bytes) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Type and shape of an array, and where its numbers begin. Raises ValueError.

    numpy's own reader takes the header for Python, which is more than what it writes.
    """
    found = _NPY_HEADER.match(data[:_MOST_NPY_HEADER])
    if not found or int.from_bytes(found["length"], "little") != found.end() - found.start("text"):
        raise ValueError("expected an array as numpy writes it, of version 1.0 and in the order of rows")
    shape = tuple(int(n) for n in found["shape"].split(b",") if n.strip())
    return np.dtype(found["descr"].decode("ascii")), shape, found.end()


def _problem(spec: StoredArraySpec, dtype: np.dtype[Any], shape: tuple[int, ...], sizes: dict[str, int]) -> str:
    """What is wrong with a type and shape, "" if nothing. sizes: what names in shapes stand for, as they are met."""
    found = f"{dtype.str[:20]} {str(shape)[:80]}"
    if dtype != np.dtype(spec.dtype) or len(shape) != len(spec.shape):
        return found
    for expected, n in zip(spec.shape, shape, strict=True):
        if isinstance(expected, str):
            if not _LEAST[expected] <= n <= _MOST[expected]:
                return f"{found}, where {expected} is {_LEAST[expected]} to {_MOST[expected]}"
            expected = sizes.setdefault(expected, n)
        if n != expected:
            return f"{found}, where {expected} was expected"
    return ""


def _out_of_range(spec: StoredArraySpec, array: NDArray[Any]) -> str:
    """Floats must be finite and all lie in the range."""
    if array.dtype.kind != "f" or not array.size:
        return ""
    least, most = float(array.min()), float(array.max())
    return "" if math.isfinite(least + most) and spec.least <= least and most <= spec.most else f"{least:g} to {most:g}"


def _words(spec: StoredArraySpec) -> str:
    """A spec for people."""
    limits = f" from {spec.least:g} to {spec.most:g}" if math.isfinite(spec.most) else ""
    return f"{np.dtype(spec.dtype).name} ({', '.join(map(str, spec.shape))}){limits}"


def _most_bytes(spec: StoredArraySpec) -> int:
    sizes = [_MOST[n] if isinstance(n, str) else n for n in spec.shape]
    return math.prod(sizes) * np.dtype(spec.dtype).itemsize + _MOST_NPY_HEADER


def _read(path: Path, most: int, expected: int | None = None) -> bytes:
    """The content of a regular file, no link. Raises OSError where it is none, or not of the expected size."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        if found.st_size > most or (expected is not None and found.st_size != expected):
            raise OSError(errno.EFBIG, f"expected {expected or most} bytes, found {found.st_size}")
        return stream.read(most + 1)


def _damaged(path: Path, problem: str) -> VocabularyError:
    return VocabularyError(problem, path=path, advice=AGAIN)
