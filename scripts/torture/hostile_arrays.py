"""Hostile indexes: files of segments as they must not be. A stranger's checksums agree, a failing disk's do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.system.files import sha256_of
from scripts.torture.forging import agree, arrays_below, files_below, forging
from scripts.torture.npy import Rng, broken, lies, npy, of_other_type, with_flipped_bit

_EXTREMES = (-(1 << 63), -(1 << 31), -1, 0, 1, 5, 255, 256, 65535, 1 << 16, (1 << 31) - 1, 1 << 62, (1 << 63) - 1)

Change = Callable[[Rng, NDArray[Any]], bytes]


def _any(rng: Rng, folder: Path) -> Path:
    """A file of a segment, those of features as often as all columns."""
    found = arrays_below(folder)
    is_column = bool(rng.integers(2))
    chosen = [path for path in found if ("." in path.stem) == is_column]
    return chosen[int(rng.integers(len(chosen)))]


def _changed(change: Change, *, agreeing: bool = True) -> Callable[[Rng, Path], str]:
    def make(rng: Rng, folder: Path) -> str:
        path = _any(rng, folder)
        path.write_bytes(change(rng, np.load(path)))
        if agreeing:
            agree(folder, path)
        return path.name

    return make


def _type(rng: Rng, array: NDArray[Any]) -> bytes:
    return npy(of_other_type(rng, array))


def _shape(rng: Rng, array: NDArray[Any]) -> bytes:
    n, m = len(array), array.size
    row = array.shape[1:]
    shapes: list[tuple[int, ...]] = [
        (), (0,), (n,), (m,), (n, 0), (n, 1), (n, 2), (n, 3), (0, *row), (n + 1, *row), (max(0, n - 1), *row),
        (2 * n, *row), (1, n), (n, *row, 1), (n, 40), (n, 1440), (n, 16), (40, 0), (1,) * 32, (100000, *row),
    ]  # fmt: skip
    return npy(np.resize(array, shapes[int(rng.integers(len(shapes)))]).astype(array.dtype))


def _order(rng: Rng, array: NDArray[Any]) -> bytes:
    if rng.integers(2):
        return npy(array.astype(array.dtype.newbyteorder(">")))
    return npy(array, fortran_order=True)


def _extreme(rng: Rng, array: NDArray[Any]) -> bytes:
    changed = array.copy().reshape(-1)
    for _ in range(int(rng.integers(1, 4))):
        with np.errstate(all="ignore"):
            value = np.array(_EXTREMES[int(rng.integers(len(_EXTREMES)))], np.int64).astype(array.dtype)
            value = np.array(float("nan"), array.dtype) if array.dtype.kind == "f" and rng.integers(2) else value
        changed[int(rng.integers(len(changed)))] = value
    return npy(changed.reshape(array.shape))


def _random(rng: Rng, array: NDArray[Any]) -> bytes:
    return npy(np.frombuffer(rng.bytes(array.nbytes), array.dtype).reshape(array.shape))


def _small(rng: Rng, array: NDArray[Any]) -> bytes:
    """Values that are in range now and then."""
    return npy(rng.integers(0, 1 << int(rng.integers(1, 9)), array.shape).astype(array.dtype))


def _shuffled(rng: Rng, array: NDArray[Any]) -> bytes:
    return npy(rng.permutation(array))


def _offsets(rng: Rng, folder: Path) -> str:
    """Offsets that fall, wrap, or end elsewhere."""
    chosen = [path for path in arrays_below(folder) if path.stem.endswith("indptr")]
    path = chosen[int(rng.integers(len(chosen)))]
    array = np.load(path).astype(np.int64)
    limits = np.iinfo(np.load(path).dtype)
    at = int(rng.integers(len(array)))
    array[at] = [limits.max, limits.min, -1, array[-1] + 1, array[-1], 0, array[at] + 1][int(rng.integers(7))]
    path.write_bytes(npy(array.astype(np.load(path).dtype)))
    agree(folder, path)
    return path.name


def _lying(rng: Rng, array: NDArray[Any]) -> bytes:
    header_fields = lies(len(array))
    return npy(array, **header_fields[int(rng.integers(len(header_fields)))])


def _broken(rng: Rng, array: NDArray[Any]) -> bytes:
    return broken(rng, npy(array))


def _swapped(*, agreeing: bool) -> Callable[[Rng, Path], str]:
    """Two files of the same name, of two segments; or two of one segment."""

    def make(rng: Rng, folder: Path) -> str:
        one = _any(rng, folder)
        others = [path for path in arrays_below(folder) if (path.name == one.name) != (path.parent == one.parent)]
        other = others[int(rng.integers(len(others)))]
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)
        if agreeing:
            agree(folder, one)
            agree(folder, other)
        return f"{one.name}, {other.name}"

    return make


def _segments_swapped(rng: Rng, folder: Path) -> str:
    """Two folders of segments have each other's names."""
    one, other = sorted((folder / "segments").iterdir())[:2]
    aside = folder / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    return "segments"


def _flipped(rng: Rng, folder: Path) -> str:
    """One bit of any file, each kind of file as often."""
    found = [path for path in files_below(folder) if path.stat().st_size]
    names = sorted({path.suffix if path.parent.name == "nearest" else path.name for path in found})
    name = names[int(rng.integers(len(names)))]
    chosen = [path for path in found if name in (path.name, path.suffix)]
    path = chosen[int(rng.integers(len(chosen)))]
    path.write_bytes(with_flipped_bit(rng, path.read_bytes()))
    return path.suffix if path.parent.name == "nearest" else path.name


def _of_other_counts(rng: Rng, folder: Path) -> str:
    """What the catalogue says of a segment's size, and its arrays, agree with each other in other sizes."""
    with forging(folder) as database:
        column = ["n_images", "n_features"][int(rng.integers(2))]
        value = int(rng.choice([0, 1, 4, 6, 1000, (1 << 31) - 1]))
        database.execute(f"UPDATE segments SET {column} = ? WHERE number = ?", (value, int(rng.integers(1, 9))))
    return "segments"


# -- Derived files ----------------------------------------------------------------------------------------------------


def _weights(rng: Rng, folder: Path) -> str:
    """Another value, type or shape of an array that is kept, in a whole archive."""
    path = folder / "weights.npz"
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = str(rng.choice(list(arrays)))
    how = int(rng.integers(5))
    if how == 0:
        del arrays[name]
    elif how == 1 and arrays[name].dtype.kind != "U":
        arrays[name] = of_other_type(rng, arrays[name])
    elif how == 2:
        arrays[name] = np.resize(arrays[name], [(), (0,), (3,), (1, 9), (100000,)][int(rng.integers(5))])
    elif how == 3:
        arrays[name] = np.array([{"an": "object"}], object)
    else:
        values = rng.permutation(arrays["norm"])
        arrays["norm"] = values * [1.0, 0.0, -1.0, np.nan, np.inf, 1e300, 1e-300][int(rng.integers(7))]
    np.savez(path, **arrays)
    return path.name


def _inflating_weights(rng: Rng, folder: Path) -> str:
    path = folder / "weights.npz"
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays[str(rng.choice(["idf", "norm", "generation", "segments", "more"]))] = np.zeros(1 << 26)
    np.savez_compressed(path, **arrays)
    return path.name


def _faiss_index(rng: Rng, folder: Path) -> str:
    """Bytes of a faiss index are changed, and its note agrees."""
    notes = sorted((folder / "nearest").glob("*.json"))
    note = notes[int(rng.integers(len(notes)))]
    path = note.with_suffix(".faiss")
    data = bytearray(path.read_bytes())
    for _ in range(int(rng.integers(1, 4))):
        at, n = int(rng.integers(len(data))), int(rng.choice([1, 4, 8]))
        value = _EXTREMES[int(rng.integers(len(_EXTREMES)))] & ((1 << 8 * n) - 1)
        data[at : at + n] = value.to_bytes(n, "little")
    path.write_bytes(data)
    note.write_text(json.dumps({**json.loads(note.read_text()), "sha256": sha256_of(path)}))
    return ".faiss"


def _note(rng: Rng, folder: Path) -> str:
    notes = sorted((folder / "nearest").glob("*.json"))
    note = notes[int(rng.integers(len(notes)))]
    fields = json.loads(note.read_text())
    values: list[Any] = [None, -1, 1 << 70, "", "x" * 1000, [], {}, [5, 16], [1 << 40, 16], float("nan")]
    fields[str(rng.choice(list(fields)))] = values[int(rng.integers(len(values)))]
    texts = [json.dumps(fields), "[" * 100000, "", "null", "7", "\0", "9" * 5000]
    note.write_text(texts[int(rng.integers(len(texts))) if rng.integers(2) else 0])
    return ".json"


FORGED: dict[str, Callable[[Rng, Path], str]] = {
    "another type": _changed(_type),
    "another shape": _changed(_shape),
    "another order": _changed(_order),
    "extreme values": _changed(_extreme),
    "random values": _changed(_random),
    "small values": _changed(_small),
    "shuffled rows": _changed(_shuffled),
    "other offsets": _offsets,
    "a header that lies": _changed(_lying),
    "a broken array": _changed(_broken),
    "swapped files": _swapped(agreeing=True),
    "other counts": _of_other_counts,
    "other weights": _weights,
    "weights that inflate": _inflating_weights,
    "another faiss index": _faiss_index,
}
DAMAGED: dict[str, Callable[[Rng, Path], str]] = {
    "values that do not agree": _changed(_random, agreeing=False),
    "a value that does not agree": _changed(_extreme, agreeing=False),
    "a type that does not agree": _changed(_type, agreeing=False),
    "swapped files that do not agree": _swapped(agreeing=False),
    "swapped segments": _segments_swapped,
    "a flipped bit": _flipped,
    "a flipped bit once more": _flipped,
    "another note of a faiss index": _note,
}
