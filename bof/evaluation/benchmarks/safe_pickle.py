"""Read a pickle that came from the internet: containers, numbers, text and numpy arrays, nothing that can run code.

A pickle names functions to call while it is read. Here each of the few admitted names leads to a stand-in below, which
checks what it is given and calls nothing else; numpy's own functions stay out of reach, because they trust the sizes
that a pickle states. Everything else is refused by name. Pickles of Python 2 and 3 and of numpy 1 and 2 are read.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import BenchmarkError, display_name, reason_of

_DTYPE = re.compile(r"[biuf][1248]|c8|c16|[SU]\d{1,6}|O8?")


def load_pickle(file: Path) -> object:
    """What a pickle holds. Raises BenchmarkError where it is no whole pickle or names what is not admitted."""
    try:
        with file.open("rb") as stream:
            data = stream.read()
        _refuse_bombs(data)
        return _Reader(io.BytesIO(data), encoding="latin1").load()
    except _RefusedError as error:
        raise BenchmarkError(
            str(error), path=file, advice="do not trust this file, get it from its publisher"
        ) from error
    except Exception as error:  # the bytes are hostile: the reader answers with nearly every exception there is
        found = f"a broken one: {reason_of(error)}"
        raise BenchmarkError(path=file, expected="a whole pickle", found=found, advice="get the file again") from error


def _refuse_bombs(data: bytes) -> None:
    """Walk through the instructions without carrying them out: lengths must be true, places for results few.

    The reader makes room for the highest place named, so that nine bytes could ask for 64 GB.
    """
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(data):
            raise _RefusedError(f"expected at most {len(data)} places for results, found {argument}")


class _RefusedError(Exception):
    """The pickle asks for something that is not admitted."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for an admitted name."""
        if (module, name) not in _ADMITTED:
            found = display_name(f"{module}.{name}")
            raise _RefusedError(f"expected containers, numbers, text and numpy arrays, found the name {found}")
        return _ADMITTED[module, name]


class _Array(np.ndarray[Any, Any]):
    """An array under construction: a pickle first makes an empty one, then gives it its state."""

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, is_fortran, data = state
        made, shape = _made(dtype), _checked(shape)
        content = _listed(data) if made.hasobject else _bytes(data)
        size = len(content) / (1 if made.hasobject else made.itemsize)
        if size != prod(shape):
            raise ValueError(f"expected {prod(shape)} elements for an array of shape {shape}, found {size:g}")
        checked: Any = (1, shape, made, bool(is_fortran), content)
        super().__setstate__(checked)


class _Dtype:
    """An element type: its code, and the byte order that its state adds."""

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            found = repr(code) if isinstance(code, str) else type(code).__name__
            raise _RefusedError(f"expected an array of numbers or text, found elements of type {found}")
        self.made: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.made = self.made.newbyteorder(state[1])


def _made(dtype: object) -> np.dtype[Any]:
    if not isinstance(dtype, _Dtype):
        raise TypeError(f"expected an element type, found {type(dtype).__name__}")
    return dtype.made


def _checked(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise TypeError("expected the shape of an array, found something else")
    return shape


def _bytes(data: object) -> bytes:
    """Bytes as Python 3 writes them, or as Python 2 did: text in Latin 1."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise TypeError(f"expected bytes, found {type(data).__name__}")
    return bytes(data)


def _listed(data: object) -> list[Any]:
    """The elements of an array of objects, which a pickle has made like everything else in it."""
    if not isinstance(data, list):
        raise TypeError(f"expected a list, found {type(data).__name__}")
    return data


def _reconstruct(subtype: object, shape: object, code: object) -> _Array:
    return _Array(0, np.int8)


def _scalar(dtype: object, data: object) -> object:
    return np.frombuffer(_bytes(data), _made(dtype), count=1)[0]


def _from_buffer(data: object, dtype: object, shape: object, order: str) -> NDArray[Any]:
    """How protocol 5 writes an array."""
    return np.frombuffer(_bytes(data), _made(dtype)).reshape(_checked(shape), order="F" if order == "F" else "C")


def _encode(text: object = "", encoding: object = "latin1") -> bytes:
    """How protocol 2 writes bytes; of encodings only the one that it uses."""
    if encoding not in ("latin1", "latin-1"):
        raise _RefusedError("expected bytes as Latin 1, found another encoding")
    return _bytes(text)


_StandIn = Callable[..., object] | str
_NUMPY: dict[str, _StandIn] = {"_reconstruct": _reconstruct, "scalar": _scalar}
_CONTAINERS: tuple[type, ...] = (list, tuple, dict, set, frozenset, complex)
_ADMITTED: dict[tuple[str, str], _StandIn] = {
    **{(f"numpy.{core}.multiarray", name): made for core in ("core", "_core") for name, made in _NUMPY.items()},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): "numpy.ndarray",  # an argument of _reconstruct; cannot be called
    ("_codecs", "encode"): _encode,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in _CONTAINERS},
    **{(module, "bytes"): _encode for module in ("builtins", "__builtin__")},
}
