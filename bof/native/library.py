"""The shared library of compiled loops: where it lies, and the types of each function's arguments.

Arrays are passed as they are: of just this type, in C's order, writable where they are filled. Shapes are the callers'.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import c_double, c_int, c_int32, c_int64
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def _load() -> ctypes.CDLL:
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    path = Path(__file__).with_name(f"_loops{suffix}")
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"{path}: expected the compiled loops of bof, found {error}; install bof again: pip install --editable . "
            "in its source, or pip install --force-reinstall bof"
        ) from error


VOTE = np.dtype([("weight", np.float64), ("key", np.int64)])
"""One vote while it is sorted."""


class _Array:
    """An argument of a function: an array of one type in C's order, writable if it is filled.

    numpy's own ndpointer does the same and takes three times as long, which is felt: a query passes 300 arrays.
    """

    def __init__(self, kind: DTypeLike, *, filled: bool) -> None:
        self._kind, self._filled = np.dtype(kind), filled

    def from_param(self, array: NDArray[Any]) -> ctypes.c_void_p:
        """The address. Raises TypeError for any other array."""
        flags = array.flags
        if array.dtype != self._kind or not flags.c_contiguous or (self._filled and not flags.writeable):
            found = f"{array.dtype}, {'' if flags.c_contiguous else 'not '}in order"
            raise TypeError(f"expected an array of {self._kind} in C's order{' to fill' * self._filled}, found {found}")
        return ctypes.c_void_p(array.__array_interface__["data"][0])


def _in(kind: DTypeLike) -> Any:
    return _Array(kind, filled=False)


def _out(kind: DTypeLike) -> Any:
    return _Array(kind, filled=True)


def _function(name: str, returns: Any, *arguments: Any) -> Any:
    function = getattr(_LIBRARY, name)
    function.restype, function.argtypes = returns, arguments
    return function


_LIBRARY = _load()
_POSTINGS = (_in(np.int32), _in(np.int32), _in(np.uint16), _in(np.uint64))

nearest_words = _function(
    "bof_nearest_words", c_int, _in(np.uint8), c_int64, _in(np.int8), _in(np.int32), _in(np.int32), c_int64, c_int64,
    _in(np.int64), c_int64, _in(np.int8), _in(np.int32), _in(np.int32), c_int64, _out(np.int32),
)  # fmt: skip
sign = _function(
    "bof_sign", None, _in(np.uint8), c_int64, _in(np.float32), _in(np.int32), c_int64, _in(np.float32), _out(np.uint64)
)
limit_processor = _function("bof_limit_processor", c_int, c_int)
near_postings = _function(
    "bof_near_postings", c_int64, *_POSTINGS, c_int64, _in(np.bool_), _in(np.int32), _in(np.uint64), c_int64,
    c_int64, c_int64, c_int, _in(np.float64), _in(np.float64), _out(np.uint8), _out(np.float64), _out(np.int32),
    _out(np.uint16), _out(np.uint8), _out(np.int64), c_int64,
    ctypes.POINTER(c_int64),
)  # fmt: skip
count_votes = _function("bof_count_votes", None, _in(np.int32), _in(np.int32), c_int64, _out(np.int64))
collect_votes = _function(
    "bof_collect_votes", None, _in(np.int32), _in(np.int32), _in(np.uint16), _in(np.uint8), _in(np.int64), c_int64,
    c_int64, c_int64, _in(np.int32), _in(np.float64), _in(np.float64), _out(np.int64), _out(VOTE),
)  # fmt: skip
sort_votes = _function(
    "bof_sort_votes", None, _in(np.int64), _in(np.int64), c_int64, c_int64, c_int64, _out(VOTE), _out(np.int32),
    _out(np.uint16), _out(np.float64),
)  # fmt: skip
place_features = _function(
    "bof_place_features", c_int, _in(np.int64), c_int64, _in(np.int64), _in(np.int64), _in(np.uint16), _in(np.int64),
    _in(np.uint16), _in(np.uint16), c_int64, _out(np.float64),
)  # fmt: skip
pair_up = _function(
    "bof_pair_up", None, _in(np.float64), c_int64, _in(np.int32), _in(np.float64), c_int64, c_int64, c_int64, c_double,
    _out(np.float64), _out(np.float64), _out(np.int32), _out(np.float32),
)  # fmt: skip
best_hypotheses = _function(
    "bof_best_hypotheses", c_int, _in(np.int64), c_int64, c_int64, _in(np.float32), _in(np.int32), _in(np.int32),
    c_int64, _in(np.float32), c_int64, c_int64, _out(np.int64), _out(np.int64), _out(np.int64),
)  # fmt: skip
refine = _function(
    "bof_refine", c_int, _in(np.int64), c_int64, c_int64, _in(np.float64), _in(np.float64), _in(np.float64),
    _in(np.int32), c_int64, _in(np.float64), _in(np.float64), _in(np.int64), _out(np.int64), _out(np.int64),
    _out(np.float64), _out(np.float64), _out(np.float64),
)  # fmt: skip
document_frequency = _function(
    "bof_document_frequency", c_int, _in(np.int32), _in(np.int32), c_int64, _in(np.bool_), c_int64, c_int64,
    _out(np.int64),
)  # fmt: skip
squared_norms = _function(
    "bof_squared_norms", c_int, _in(np.int32), _in(np.int32), c_int64, _in(np.float64), c_int64, c_int64,
    _out(np.float64),
)  # fmt: skip
check_postings = _function(
    "bof_check_postings", c_int, _in(np.int32), _in(np.int32), _in(np.uint16), _in(np.int64), c_int64, ctypes.c_void_p,
    c_int, c_int64, c_int64,
)  # fmt: skip
count_kept = _function(
    "bof_count_kept", c_int, _in(np.int32), _in(np.int32), c_int64, _in(np.int32), c_int64, _out(np.int64)
)
copy_kept = _function(
    "bof_copy_kept", None, *_POSTINGS, _in(np.int32), c_int64, c_int64, _out(np.int64), _out(np.int32), _out(np.uint16),
    _out(np.uint64),
)  # fmt: skip
find_postings = _function(
    "bof_find_postings", c_int, _in(np.int32), _in(np.int32), _in(np.uint16), c_int32, _in(np.int32), c_int64,
    _out(np.int64),
)  # fmt: skip
differing_bits = _function(
    "bof_differing_bits", None, _in(np.uint64), c_int64, _in(np.uint64), c_int64, c_int64, _out(np.uint16)
)
compare_histograms = _function(
    "bof_compare_histograms", None, c_int, _in(np.float32), _in(np.int32), c_int64, c_int64, _in(np.uint8), c_int64,
    c_int64, _out(np.float32),
)  # fmt: skip
