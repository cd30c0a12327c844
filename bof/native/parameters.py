"""The kinds of parameters of a C function: each takes a Python value apart into what C gets, and refuses a wrong one.

A size is a name that the shapes of several arrays share: the first array binds it, the others must agree. What an array
holds is checked in C, where it is used, but for the ends of offsets.
"""

from __future__ import annotations

import re
from ctypes import c_char, c_double, c_int64, c_void_p
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Sizes = dict[str, int]

_IN_ORDER = 0x1 | 0x100
"""numpy's flags: C's order, and every number at a multiple of its own length."""

_WRITABLE = 0x400

_address_of: Any = (c_char * 0).from_buffer
"""ctypes' own way to an address is five times faster than numpy's, and takes only what may be written."""


class Length(NamedTuple):
    """How long one axis is: times * size + plus; without a size just plus."""

    times: int
    size: str
    plus: int

    @classmethod
    def parse(cls, text: int | str) -> Length:
        """From 128, "n", "n + 1" or "16 * n + 16"."""
        found = re.fullmatch(r"(?:(\d+) \* )?([a-z]\w*)(?: \+ (\d+))?", str(text))
        return cls(int(found[1] or 1), found[2], int(found[3] or 0)) if found else cls(0, "", int(text))

    def __str__(self) -> str:
        term = f"{self.times} * {self.size}" if self.times > 1 else self.size
        return " + ".join(part for part in (term, str(self.plus) if self.plus or not self.size else "") if part)


@dataclass(frozen=True, slots=True)
class Array:
    """An array of one of these types, in C's order, writable where C fills it.

    shape: the length of each axis. Where there are several types C also gets the bytes of a number. offsets: its
    numbers are offsets into columns of this length, the first 0, the last the length, in order. below: where C uses its
    numbers they are below this size or number, and not negative, unless that has a meaning of its own.
    """

    name: str
    dtypes: tuple[np.dtype[Any], ...]
    shape: tuple[Length, ...]
    is_filled: bool
    offsets: str | None = None
    below: str | int | None = None
    may_be_negative: bool = False

    @property
    def c_types(self) -> list[Any]:
        """The types of C's parameters."""
        return [c_void_p] if len(self.dtypes) == 1 else [c_void_p, c_int64]

    def unpack(self, array: NDArray[Any], sizes: Sizes, passed: list[Any]) -> None:
        """Append what C gets. Raises TypeError, ValueError."""
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{self.name}: expected an array, found {type(array).__name__}")
        flags = array.flags.num
        needed = _IN_ORDER | _WRITABLE if self.is_filled else _IN_ORDER
        if array.dtype not in self.dtypes or flags & needed != needed or not self._fits(array.shape, sizes):
            raise ValueError(f"{self.name}: expected {self._expected(sizes)}, found {_in_words(array)}")
        if self.offsets:
            self._check_ends(array, sizes)
        passed.append(_address_of(array) if flags & _WRITABLE else array.ctypes.data)
        if len(self.dtypes) > 1:
            passed.append(array.itemsize)

    def _fits(self, shape: tuple[int, ...], sizes: Sizes) -> bool:
        """Does a shape agree with the sizes so far? Binds those that are not bound."""
        if len(shape) != len(self.shape):
            return False
        for found, (times, size, plus) in zip(shape, self.shape):  # noqa: B905 -- it is felt, and both are as long
            if size in sizes:
                if found != times * sizes[size] + plus:
                    return False
            elif size:
                n, rest = divmod(found - plus, times)
                if rest or n < 0:
                    return False
                sizes[size] = n
            elif found != plus:
                return False
        return True

    def _check_ends(self, array: NDArray[Any], sizes: Sizes) -> None:
        first, last = (array.item(0), array.item(-1)) if len(array) else (0, 0)
        n = sizes.setdefault(str(self.offsets), last)
        if first != 0 or last != n:
            raise ValueError(
                f"{self.name}: expected offsets from 0 to {self.offsets} = {n}, found offsets from {first} to {last}"
            )

    def _expected(self, sizes: Sizes) -> str:
        kinds = " or ".join(map(str, self.dtypes))
        axes = ", ".join(map(str, self.shape))
        values = sorted({f"{a.size} = {sizes[a.size]}" for a in self.shape if a.size in sizes})
        where = f" with {', '.join(values)}" if values else ""
        return f"{kinds} ({axes}){where}, in C's order{', writable' if self.is_filled else ''}"


def _in_words(array: NDArray[Any]) -> str:
    faults = [
        *(["not in C's order"] if not array.flags.c_contiguous else []),
        *(["not aligned"] if not array.flags.aligned else []),
        *(["read-only"] if not array.flags.writeable else []),
    ]
    return ", ".join([f"{array.dtype} {array.shape}", *faults])


@dataclass(frozen=True, slots=True)
class Rows:
    """A range of rows below a size, which C gets as `first` and `stop`; `count` is bound to how many they are."""

    name: str
    of: str
    count: str = ""

    @property
    def c_types(self) -> list[Any]:
        """The types of C's parameters."""
        return [c_int64, c_int64]

    def unpack(self, rows: range, sizes: Sizes, passed: list[Any]) -> None:
        """Append what C gets. Raises TypeError, ValueError."""
        if not isinstance(rows, range):
            raise TypeError(f"{self.name}: expected a range, found {type(rows).__name__}")
        first, stop, n = rows.start, rows.stop, sizes[self.of]
        if not 0 <= first <= stop <= n or rows.step != 1:
            raise ValueError(f"{self.name}: expected a range within {self.of} = {n}, found {rows}")
        if self.count:
            sizes[self.count] = stop - first
        passed += first, stop


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, a number or a size."""

    name: str
    least: int
    most: int | str

    @property
    def c_types(self) -> list[Any]:
        """The types of C's parameters."""
        return [c_int64]

    def unpack(self, number: int, sizes: Sizes, passed: list[Any]) -> None:
        """Append what C gets. Raises TypeError, ValueError."""
        if not isinstance(number, int | np.integer):
            raise TypeError(f"{self.name}: expected a whole number, found {number!r}")
        most = sizes[self.most] if isinstance(self.most, str) else self.most
        if not self.least <= number <= most:
            raise ValueError(f"{self.name}: expected a number from {self.least} to {most}, found {number}")
        passed.append(int(number))


@dataclass(frozen=True, slots=True)
class Positive:
    """A positive number that is finite."""

    name: str

    @property
    def c_types(self) -> list[Any]:
        """The types of C's parameters."""
        return [c_double]

    def unpack(self, number: float, sizes: Sizes, passed: list[Any]) -> None:
        """Append what C gets. Raises TypeError, ValueError."""
        if not isinstance(number, int | float):
            raise TypeError(f"{self.name}: expected a number, found {number!r}")
        if not 0.0 < number < np.inf:
            raise ValueError(f"{self.name}: expected a positive number, found {number}")
        passed.append(float(number))


Parameter = Array | Rows | Whole | Positive


def reads(
    name: str,
    dtype: Any,
    *shape: int | str,
    offsets: str | None = None,
    below: str | int | None = None,
    may_be_negative: bool = False,
) -> Array:
    """An array that C reads."""
    dtypes = tuple(map(np.dtype, dtype if isinstance(dtype, tuple) else (dtype,)))
    return Array(name, dtypes, tuple(map(Length.parse, shape)), False, offsets, below, may_be_negative)


def fills(name: str, dtype: Any, *shape: int | str) -> Array:
    """An array that C writes, and may read."""
    return Array(name, (np.dtype(dtype),), tuple(map(Length.parse, shape)), True)
