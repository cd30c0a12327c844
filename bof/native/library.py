"""The shared library of compiled loops: where it lies, and its functions, called as `table` declares them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from ctypes import c_int64
from pathlib import Path
from typing import Any

from bof.native.parameters import Sizes
from bof.native.table import FUNCTIONS, Function

PATH_VARIABLE = "BOF_NATIVE_LIBRARY"
"""The environment variable that names another build of the library, as `make sanitize` does."""

NO_MEMORY = -1
DAMAGE = {
    -2: "offsets go down or lead out of their columns",
    -3: "postings name images that do not exist",
    -4: "postings or matches name features that do not exist",
    -5: "features have words that do not exist",
    -6: "image {number} of a segment has features without postings",
    -7: "a number leads out of its array",
}
"""What each code that C returns says of the arrays, as common.h names them."""


def library_path() -> Path:
    """Where the library lies: beside this module, or where the environment says."""
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    return Path(os.environ.get(PATH_VARIABLE) or Path(__file__).with_name(f"_loops{suffix}"))


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"{path}: expected the compiled loops of bof, found {error}; install bof again: pip install --editable . "
            "in its source, or pip install --force-reinstall bof-search"
        ) from error


class Call:
    """One function of the library: takes a Python value for each parameter and lets nothing wrong through to C."""

    def __init__(self, library: ctypes.CDLL, function: Function) -> None:
        self._function = function
        self._unpack: list[Callable[[Any, Sizes, list[Any]], None]] = [p.unpack for p in function.parameters]
        self._c = library[f"bof_{function.name}"]
        self._c.restype = c_int64
        self._c.argtypes = [kind for p in function.parameters for kind in p.c_types] + [c_int64] * len(function.sizes)

    def __call__(self, *values: Any) -> int:
        """What C returns, 0 or more.

        Raises TypeError and ValueError for values that the table does not allow, ValueError where C finds that arrays
        contradict each other, and MemoryError.
        """
        sizes: Sizes = {}
        passed: list[Any] = []
        try:
            for unpack, value in zip(self._unpack, values, strict=True):
                unpack(value, sizes, passed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self._function.name}: {error}") from None
        result = int(self._c(*passed, *[sizes[size] for size in self._function.sizes]))
        if result < 0:
            raise self._failure(result, values, sizes)
        return result

    def _failure(self, code: int, values: tuple[Any, ...], sizes: Sizes) -> Exception:
        if code == NO_MEMORY:
            return MemoryError(f"{self._function.name}: no memory to work on {sizes}")
        names = [parameter.name for parameter in self._function.parameters]
        return ValueError(DAMAGE[code].format_map(dict(zip(names, values, strict=True))))


_LIBRARY = _load(library_path())
CALLS = {name: Call(_LIBRARY, function) for name, function in FUNCTIONS.items()}
