"""What a pickle from the internet may make: containers, numbers, text and numpy arrays, each checked and counted.

numpy's own functions stay out of reach, because they trust the sizes that a pickle states.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_MEMORY = 256 << 20
"""Bytes that all values of a pickle may take; the ground truth of Oxford and Paris takes some five million."""

MOST_VALUES, DEEPEST = 5_000_000, 64
"""Values when what stands in several places is counted at each; containers inside each other."""

_DTYPE = re.compile(r"[biuf][1248]|c8|c16|[SU]\d{1,6}|O8?")
_MOST_AXES = 32
_LARGEST_KEY = (1 << 61) - 2
"""Larger whole numbers share their hashes with others, so that a few thousand would take hours."""

_PLAIN = (str, bytes, bool, int, float, complex, type(None), np.generic)


class UnsafePickleError(Exception):
    """The pickle asks for something that is not admitted. expected, found: in words."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found = expected, found


@dataclass(slots=True)
class AllocationLimit:
    """The memory that is left to a pickle's values."""

    left: int = MOST_MEMORY

    def take(self, n_bytes: int) -> None:
        """Ask for memory before it is taken. Raises UnsafePickleError where there is no more."""
        self.left -= n_bytes
        if self.left < 0:
            raise UnsafePickleError(f"values of at most {MOST_MEMORY >> 20} MB", "more")


@dataclass(frozen=True, slots=True)
class Name:
    """An admitted name. make: what a call of it makes, None where it is only an argument."""

    name: str
    make: Callable[[AllocationLimit, tuple[Any, ...]], object] | None


@dataclass(slots=True)
class ElementType:
    """An element type under construction: its code, and the byte order that its state adds."""

    made: np.dtype[Any]


def new_array() -> NDArray[Any]:
    """An array that gets its state next."""
    return np.empty(0, np.int8)


def set_array(array: NDArray[Any], state: object, allocation_limit: AllocationLimit) -> None:
    """Give a new array its shape, type and elements, which must be as many as the shape says."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise TypeError("expected the state of an array, found something else")
    _version, shape, dtype, is_fortran, data = state
    made, shape = _made(dtype), _checked(shape)
    content = _listed(data) if made.hasobject else _bytes(data)
    allocation_limit.take(2 * (8 * len(content) if made.hasobject else len(content)))
    size = len(content) / (1 if made.hasobject else made.itemsize)
    if size != prod(shape):
        raise UnsafePickleError(f"{prod(shape)} elements for an array of shape {shape}", f"{size:g}")
    whole: Any = (1, shape, made, bool(is_fortran), content)
    array.__setstate__(whole)


def set_type(dtype: ElementType, state: object) -> None:
    """Give a new element type its byte order."""
    if not isinstance(state, tuple) or len(state) < 2:
        raise TypeError("expected the state of an element type, found something else")
    if state[1] in ("<", ">"):
        dtype.made = dtype.made.newbyteorder(state[1])


def _made(dtype: object) -> np.dtype[Any]:
    if not isinstance(dtype, ElementType):
        raise TypeError(f"expected an element type, found {type(dtype).__name__}")
    return dtype.made


def _checked(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        raise TypeError("expected the shape of an array, found something else")
    if not all(isinstance(n, int) and 0 <= n < 1 << 62 for n in shape):
        raise TypeError("expected the shape of an array, found something else")
    return shape


def _bytes(data: object) -> bytes:
    """Bytes as Python 3 writes them, or as Python 2 did: text in Latin 1."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes):
        raise TypeError(f"expected bytes, found {type(data).__name__}")
    return data


def _listed(data: object) -> list[Any]:
    """The elements of an array of objects, which a pickle has made like everything else in it."""
    if type(data) is not list:
        raise TypeError(f"expected a list, found {type(data).__name__}")
    return data


# -- Calls ------------------------------------------------------------------------------------------------------------


def _element_type(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> ElementType:
    code = arguments[0]
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        found = repr(code) if isinstance(code, str) else type(code).__name__
        raise UnsafePickleError("an array of numbers or text", f"elements of type {found[:80]}")
    return ElementType(np.dtype(code))


def _scalar(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> object:
    dtype, data = arguments
    made, content = _made(dtype), _bytes(data)
    if len(content) != made.itemsize:
        raise ValueError(f"expected {made.itemsize} bytes for a number, found {len(content)}")
    return np.frombuffer(content, made, count=1)[0]


def _from_buffer(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> NDArray[Any]:
    """How protocol 5 writes an array."""
    data, dtype, shape, order = arguments
    flat = np.frombuffer(_bytes(data), _made(dtype))
    if len(flat) != prod(_checked(shape)):
        raise UnsafePickleError(f"{prod(shape)} elements for an array of shape {shape}", str(len(flat)))
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _encode(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> bytes:
    """How protocol 2 writes bytes; of encodings only the one that it uses."""
    given: list[Any] = [*arguments, *["", "latin1"][len(arguments) :]]
    text, encoding = given
    if encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError("bytes as Latin 1", "another encoding")
    found = _bytes(text)
    allocation_limit.take(len(found))
    return found


def _container(kind: type) -> Callable[[AllocationLimit, tuple[Any, ...]], object]:
    def make(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> object:
        if len(arguments) > 1 or not all(type(one) in (list, tuple, dict, set) for one in arguments):
            raise UnsafePickleError(f"a {kind.__name__} of a container", "something else")
        items: list[Any] = [item for one in arguments for item in one]
        allocation_limit.take(300 + 128 * len(items))
        if kind is not dict:
            return kind(items if kind in (list, tuple) else map(require_key, items))
        pairs = list(arguments[0].items()) if arguments and type(arguments[0]) is dict else items
        return {require_key(key): value for key, value in pairs}

    return make


def _complex(allocation_limit: AllocationLimit, arguments: tuple[Any, ...]) -> complex:
    if not all(type(one) in (int, float) for one in arguments):
        raise TypeError("expected the parts of a complex number, found something else")
    return complex(*arguments)


def require_key(key: object) -> Any:
    """A key of a dict or member of a set: text or a number, or a tuple of such, whose hash takes no time."""
    for one in key if type(key) is tuple else (key,):
        is_plain = isinstance(one, _PLAIN) and not isinstance(one, complex)
        if not is_plain or (isinstance(one, int) and abs(one) > _LARGEST_KEY):
            raise UnsafePickleError("keys that are text or numbers", f"a {type(one).__name__}")
    return key


_MODULES = ("core", "_core")
_BUILTINS = ("builtins", "__builtin__")
_KINDS: tuple[type, ...] = (list, tuple, dict, set, frozenset)
_CALLS: dict[tuple[str, str], Callable[[AllocationLimit, tuple[Any, ...]], object] | None] = {
    **{
        (f"numpy.{core}.multiarray", "_reconstruct"): lambda allocation_limit, arguments: new_array()
        for core in _MODULES
    },
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in _MODULES},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in _MODULES},
    ("numpy", "dtype"): _element_type,
    ("numpy", "ndarray"): None,  # an argument of _reconstruct
    ("_codecs", "encode"): _encode,
    **{(module, kind.__name__): _container(kind) for module in _BUILTINS for kind in _KINDS},
    **{(module, "complex"): _complex for module in _BUILTINS},
    **{(module, "bytes"): _encode for module in _BUILTINS},
}


def admitted(module: object, name: object) -> Name:
    """The name that a pickle asks for. Raises UnsafePickleError for all but a few."""
    key: Any = (module, name)
    if not isinstance(module, str) or not isinstance(name, str) or key not in _CALLS:
        raise UnsafePickleError("containers, numbers, text and numpy arrays", f"the name {module}.{name}"[:200])
    return Name(f"{module}.{name}", _CALLS[key])


# -- The whole --------------------------------------------------------------------------------------------------------


def require_plain(value: object) -> None:
    """Raises UnsafePickleError unless a value is made of what is admitted alone, neither endless nor very deep.

    What stands in several places is counted at each, as whoever walks through it meets it.
    """
    sizes: dict[int, int] = {}
    path: list[tuple[object, list[object]]] = [(value, _children(value))]
    open_ids, sums = {id(value)}, [1]
    while path:
        whole, rest = path[-1]
        if rest:
            child = rest.pop()
            if id(child) in open_ids:
                raise UnsafePickleError("containers that end", "one that holds itself")
            if not _is_container(child):
                _require_value(child)
                sums[-1] += 1
            elif id(child) in sizes:
                sums[-1] += sizes[id(child)]
            else:
                path.append((child, _children(child)))
                open_ids.add(id(child))
                sums.append(1)
        else:
            path.pop()
            open_ids.discard(id(whole))
            sizes[id(whole)] = sums.pop()
            if sums:
                sums[-1] += sizes[id(whole)]
        if len(path) > DEEPEST or (sums and sums[-1] > MOST_VALUES):
            raise UnsafePickleError(
                f"{MOST_VALUES} values in {DEEPEST} containers inside each other at the most", "more"
            )


def _is_container(value: object) -> bool:
    return isinstance(value, list | tuple | dict | set | frozenset) or (
        isinstance(value, np.ndarray) and value.dtype.hasobject
    )


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, np.ndarray):
        return list(value.flat) if value.dtype.hasobject else []
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    _require_value(value)
    return []


def _require_value(value: object) -> None:
    if not isinstance(value, (*_PLAIN, np.ndarray)):
        raise UnsafePickleError("containers, numbers, text and numpy arrays", f"a {type(value).__name__}")
