"""No wrong call of a compiled loop gets through: wrong arguments are made from the table that declares the functions.

Every array lies between guards, which no call may touch. `make sanitize` runs these tests under sanitizers too, which
see every stray read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bof.native.library import CALLS
from bof.native.parameters import Array, Parameter, Positive, Rows, Sizes, Whole
from bof.native.table import FUNCTIONS, MOST_BANDS, POINT, Function

Argument = Any

seeds = st.integers(0, 2**32 - 1)

N = 3
"""Every size, but for a few: then offsets go up by one, and each image has a feature, each word a posting."""

SIDE_PX = 64
"""Of a picture that has octaves, and so key points that are sound."""

SIZES = {
    "room": 600,
    "n_room": CALLS["sift_room"](SIDE_PX, SIDE_PX, MOST_BANDS),
    **dict.fromkeys(["width", "height"], SIDE_PX),
}
"""near_postings asks no word where there is no room for 256 votes; SIFT works only in all the room that it asks for."""

_SOUND = np.array([(0.1, 20, 20, 4, 2, 0, 1, 20, 20)] * N, POINT)

_TAKE_VOTES = ("collect_votes", "share_features")

FITTING: dict[tuple[str, str], Argument] = {
    ("find_postings", "feature"): np.arange(N),
    ("find_postings", "number"): 0,
    ("heaviest_windows", "width"): 1,
    ("sum_cells", "side"): 1,
    **{(name, "point"): _SOUND for name in ("sift_orient", "sift_describe")},
    **{(name, side): SIDE_PX for name in ("sift_orient", "sift_describe") for side in ("width", "height")},
    **{(name, "ends"): np.minimum(np.arange(1, N * N + 1), N).reshape(N, N) for name in _TAKE_VOTES},
}
"""What makes a call a right one where numbers from 0 on do not."""

GUARD = 64
GUARD_BYTE = 0xA5


class Guarded:
    """Arrays between guards."""

    def __init__(self) -> None:
        self._rooms: list[NDArray[np.uint8]] = []

    def array(self, dtype: np.dtype[Any], shape: tuple[int, ...], shift: int = 0) -> NDArray[Any]:
        """Zeros; `shift` bytes beside where they are aligned."""
        n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        room = np.full(2 * GUARD + n_bytes + shift, GUARD_BYTE, np.uint8)
        inner = room[GUARD + shift : GUARD + shift + n_bytes]
        inner[:] = 0
        self._rooms.append(room)
        return inner.view(dtype).reshape(shape)

    def check(self) -> None:
        for room in self._rooms:
            assert (room[:GUARD] == GUARD_BYTE).all()
            assert (room[-GUARD:] == GUARD_BYTE).all()


def size_of(name: str | int) -> int:
    return name if isinstance(name, int) else SIZES.get(name, N)


def shape_of(parameter: Array, sizes: Callable[[str], int] = size_of) -> tuple[int, ...]:
    return tuple(times * sizes(size) + plus if size else plus for times, size, plus in parameter.shape)


def right_array(function: str, parameter: Array, guarded: Guarded) -> NDArray[Any]:
    array = guarded.array(parameter.dtypes[0], shape_of(parameter))
    if (function, parameter.name) in FITTING:
        array[...] = FITTING[function, parameter.name]
    elif parameter.offsets or parameter.below is not None:
        bound = np.iinfo(np.int64).max if parameter.offsets else size_of(parameter.below or 0)
        array.reshape(-1)[:] = np.arange(array.size) % bound
    return array


def right_value(function: str, parameter: Parameter, guarded: Guarded) -> Argument:
    match parameter:
        case Array():
            return right_array(function, parameter, guarded)
        case Rows():
            return range(N)
        case Whole():
            return FITTING.get((function, parameter.name), size_of(parameter.most))
        case Positive():
            return 1.0


def right_call(function: Function, guarded: Guarded) -> dict[str, Argument]:
    return {p.name: right_value(function.name, p, guarded) for p in function.parameters}


# -- Right calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_right_call_gets_through(function: Function) -> None:
    guarded = Guarded()
    assert CALLS[function.name](*right_call(function, guarded).values()) >= 0
    guarded.check()


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_is_only_read_may_be_read_only(function: Function) -> None:
    values = right_call(function, Guarded())
    for parameter in function.parameters:
        if isinstance(parameter, Array) and not parameter.is_filled:
            values[parameter.name].flags.writeable = False
    assert CALLS[function.name](*values.values()) >= 0


# -- One thing wrong --------------------------------------------------------------------------------------------------


def wrong_arrays(parameter: Array, right: NDArray[Any]) -> Iterator[tuple[str, Argument]]:
    """What is wrong, and an array of which this is wrong."""
    yield "a list", right.tolist()
    yield "nothing", None
    yield "more axes", right[np.newaxis]
    yield "fewer axes", right.reshape(-1) if right.ndim > 1 else right[:1].reshape(())
    for kind in map(np.dtype, ("i1", "u1", "u2", "i4", "u4", "i8", "f4", "f8", "?", "O")):
        if kind not in parameter.dtypes:
            yield str(kind), np.zeros(right.shape, kind)
    if right.dtype.itemsize > 1:
        beside = Guarded().array(right.dtype, right.shape, shift=1)
        beside[...] = right
        yield "not aligned", beside
        yield "other byte order", right.astype(right.dtype.newbyteorder())
    spread = np.repeat(right, 2, axis=-1)[..., ::2]
    turned = np.asfortranarray(right)
    yield from ((what, array) for what, array in (("gaps", spread), ("turned", turned)) if not array.flags.c_contiguous)
    if parameter.is_filled:
        locked = right.copy()
        locked.flags.writeable = False
        yield "read-only", locked


def wrong_lengths(function: Function, parameter: Array, right: NDArray[Any]) -> Iterator[tuple[str, Argument]]:
    """One axis longer or shorter, where something else says how long it is."""
    others = {size for p in function.parameters if p is not parameter for size in sizes_in(p)}
    for axis, (times, size, _) in enumerate(parameter.shape):
        if not size or size in others or times > 1:
            yield f"axis {axis} shorter", np.delete(right, 0, axis)
        if not size or size in others:
            yield f"axis {axis} longer", np.repeat(right, 2, axis)


def sizes_in(parameter: Parameter) -> set[str]:
    """The sizes that a parameter binds, or must agree with."""
    match parameter:
        case Array():
            return {length.size for length in parameter.shape} | {parameter.offsets or ""}
        case Rows():
            return {parameter.count}
        case _:
            return set()


def wrong_numbers(parameter: Rows | Whole | Positive) -> Iterator[tuple[str, Argument]]:
    match parameter:
        case Rows():
            for first, stop, step in ((-1, N, 1), (0, N + 1, 1), (N + 1, N + 1, 1), (2, 1, 1), (0, N, 2), (N, 0, -1)):
                yield f"{first} to {stop} by {step}", range(first, stop, step)
            yield "a slice", slice(0, N)
        case Whole():
            most = size_of(parameter.most)
            for number in (parameter.least - 1, most + 1, -(2**31), 2**63, 2**64 + 1):
                yield str(number), number
            yield "a fraction", 1.5
            yield "text", "1"
        case Positive():
            for fraction in (0.0, -1.0, nan, inf):
                yield str(fraction), fraction
            yield "text", "1"


def wrong_values(function: Function, parameter: Parameter) -> Iterator[tuple[str, Argument]]:
    if not isinstance(parameter, Array):
        yield from wrong_numbers(parameter)
        return
    right = right_array(function.name, parameter, Guarded())
    yield from wrong_arrays(parameter, right)
    yield from wrong_lengths(function, parameter, right)


def parameters(which: Callable[[Parameter], object] = lambda parameter: True) -> pytest.MarkDecorator:
    """A test of each parameter of each function."""
    found = [(function, p) for function in FUNCTIONS.values() for p in function.parameters if which(p)]
    return pytest.mark.parametrize(("function", "parameter"), found, ids=[f"{f.name}-{p.name}" for f, p in found])


@parameters()
def test_a_wrong_argument_is_an_error_that_names_the_function(function: Function, parameter: Parameter) -> None:
    guarded = Guarded()
    values = right_call(function, guarded)
    for what, wrong in wrong_values(function, parameter):
        with pytest.raises((TypeError, ValueError), match=f"^{function.name}: [a-z_]+: expected .+, found "):
            pytest.fail(f"{what}: {CALLS[function.name](*(values | {parameter.name: wrong}).values())}")
    guarded.check()


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_argument_is_needed_and_no_more(function: Function) -> None:
    values = list(right_call(function, Guarded()).values())
    for wrong in (values[:-1], [*values, 1]):
        with pytest.raises(ValueError, match=f"^{function.name}: "):
            CALLS[function.name](*wrong)


# -- Numbers that lead nowhere ----------------------------------------------------------------------------------------


def bad_numbers(parameter: Array) -> list[int]:
    bound, limits = size_of(parameter.below or 0), np.iinfo(parameter.dtypes[0])
    negative = [-1, int(limits.min)] if limits.min < 0 and not parameter.may_be_negative else []
    return [bound, int(limits.max), *negative]


@parameters(lambda parameter: isinstance(parameter, Array) and parameter.below is not None)
def test_a_number_out_of_range_is_an_error(function: Function, parameter: Array) -> None:
    guarded = Guarded()
    for bad in bad_numbers(parameter):
        values = right_call(function, guarded)
        values[parameter.name][...] = bad
        with pytest.raises(ValueError, match=r"do not exist|leads out of its array"):
            pytest.fail(f"{bad}: {CALLS[function.name](*values.values())}")
    guarded.check()


@parameters(lambda parameter: isinstance(parameter, Array) and parameter.offsets)
def test_offsets_that_are_out_of_order_are_an_error(function: Function, parameter: Array) -> None:
    guarded = Guarded()
    for bad in ([1, 1, 2, 3], [-1, 1, 2, 3], [0, 1, 2, 2], [0, 1, 2, 4], [0, 2, 1, 3], [0, -1, 2, 3], [0, 1, 9, 3]):
        values = right_call(function, guarded)
        values[parameter.name][:] = bad
        with pytest.raises(ValueError, match=f"^{function.name}: .*: expected|lead out of their columns|do not exist"):
            pytest.fail(f"{bad}: {CALLS[function.name](*values.values())}")
    guarded.check()


# -- Anything ---------------------------------------------------------------------------------------------------------


class Anything:
    """Arguments of the table's types that hold anything; their sizes agree, unless they do not."""

    def __init__(self, seed: int, guarded: Guarded, *, agree: bool) -> None:
        self._rng = np.random.default_rng(seed)
        self._guarded, self._agree = guarded, agree
        self._sizes: Sizes = {}

    def arguments(self, function: Function) -> list[Argument]:
        return [self._argument(parameter) for parameter in function.parameters]

    def _size(self, name: str | int) -> int:
        if isinstance(name, int):
            return name
        if name not in self._sizes or not self._agree:
            self._sizes[name] = int(self._rng.choice([0, 1, 2, 3, 6, *([600] if name == "room" else [])]))
        return self._sizes[name]

    def _argument(self, parameter: Parameter) -> Argument:
        rng = self._rng
        match parameter:
            case Array():
                return self._array(parameter)
            case Rows(of=of, count=count):
                rows = range(*sorted(rng.integers(0, self._size(of) + 1, 2).tolist()))
                self._sizes[count] = len(rows)
                return rows
            case Whole(least=least):
                most = self._size(parameter.most)
                return int(rng.choice([least, min(least + 1, most), most]))
            case Positive():
                return float(rng.choice([1e-300, 0.02, 1e300]))

    def _array(self, parameter: Array) -> NDArray[Any]:
        """Any bytes, extremes, zeros, or numbers near the right ones; offsets have the right ends, mostly an order."""
        rng, dtypes = self._rng, parameter.dtypes
        array = self._guarded.array(dtypes[rng.integers(len(dtypes))], shape_of(parameter, self._size))
        octets = array.reshape(-1).view(np.uint8)
        how = rng.choice(["any", "extreme", "zero", "near", "near"])
        if how in ("any", "extreme"):
            octets[:] = rng.integers(0, 256, octets.size) if how == "any" else rng.choice([0, 255], octets.size)
        elif how == "near" and array.dtype.names is None:
            array[...] = rng.integers(0, 5, array.shape)
        if parameter.offsets and len(array):
            n = self._size(parameter.offsets)
            array[:] = np.sort(np.clip(array, 0, n)) if rng.integers(4) else array
            array[0], array[-1] = 0, n
        return array


@settings(max_examples=80, deadline=None)
@given(seeds, st.booleans())
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_whatever_arrays_hold_a_call_stays_inside_of_them(function: Function, seed: int, agree: bool) -> None:
    """It is answered or refused."""
    guarded = Guarded()
    with contextlib.suppress(ValueError):
        CALLS[function.name](*Anything(seed, guarded, agree=agree).arguments(function))
    guarded.check()
