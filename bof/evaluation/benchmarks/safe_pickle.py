"""Read a pickle that came from the internet: containers, numbers, text and numpy arrays, nothing that can run code.

A pickle is a program for a machine with a stack. Here is a machine of its own for it, which knows only the instructions
that make such values, changes only what it has made itself, and counts what all of it takes before it takes it. A name
leads to one of a few functions of ours, which never come onto the stack. Everything else is refused by name. Pickles of
Python 2 and 3 and of numpy 1 and 2 are read.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bof.errors import BenchmarkError, display_name, reason_of
from bof.evaluation.benchmarks.pickle_values import (
    AllocationLimit,
    ElementType,
    Name,
    UnsafePickleError,
    admitted,
    require_key,
    require_plain,
    set_array,
    set_type,
)
from bof.system.files import read_regular

MOST_BYTES, MOST_STEPS = 64 << 20, 1_000_000
"""Of a file, and of its instructions; the ground truth of Oxford has 230,000 bytes."""

_REFERENCE, _CONTAINER = 16, 1024
"""Bytes that another reference to a value is counted as, and a new container, which takes less but time too."""


def load_pickle(file: Path) -> object:
    """What a pickle holds. Raises BenchmarkError where it is no whole pickle or names what is not admitted."""
    try:
        return _run(read_regular(file, MOST_BYTES))
    except UnsafePickleError as error:
        found, advice = display_name(error.found), "do not trust this file, get it from its publisher"
        raise BenchmarkError(path=file, expected=error.expected, found=found, advice=advice) from error
    except Exception as error:  # the bytes are hostile: reading them ends in nearly every exception there is
        found = f"a broken one: {reason_of(error)[:500]}"
        raise BenchmarkError(path=file, expected="a whole pickle", found=found, advice="get the file again") from error


def _run(data: bytes) -> object:
    machine = _Machine(len(data))
    for step, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if step > MOST_STEPS:
            raise UnsafePickleError(f"at most {MOST_STEPS} instructions", "more")
        if opcode.name == "STOP":
            value = machine.pop()
            require_plain(value)
            return value
        instruction = _INSTRUCTIONS.get(opcode.name)
        if instruction is None:
            raise ValueError(f"the instruction {opcode.name}, which none of the admitted values needs")
        instruction(machine, argument)
    raise ValueError("it does not stop")


class _Machine:
    """The stack, where its marks are, what was put away by number, and arrays and types that wait for their state."""

    def __init__(self, n_bytes: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.new: dict[int, Any] = {}
        self.allocation_limit = AllocationLimit()
        self.n_bytes = n_bytes

    def push(self, value: object, n_bytes: int = 0) -> None:
        """Put a value onto the stack; n_bytes: what it takes."""
        self.allocation_limit.take(_REFERENCE + n_bytes)
        self.stack.append(value)

    def pop(self) -> Any:
        """Take the last value, which must lie above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("a value is missing")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Take all values above the last mark, and the mark."""
        first = self.marks.pop()
        values = self.stack[first:]
        del self.stack[first:]
        return values

    def top(self, kind: type) -> Any:
        """The last value, which must be exactly of a kind that was made here and may be added to."""
        value = self.pop()
        if type(value) is not kind:
            raise UnsafePickleError(f"a {kind.__name__} to add to", f"a {type(value).__name__}")
        self.stack.append(value)
        return value

    # -- Instructions -------------------------------------------------------------------------------------------------

    def text(self, value: Any) -> None:
        """A text, bytes or a number that stands in the file."""
        length = value.bit_length() // 8 if isinstance(value, int) else len(value) if hasattr(value, "__len__") else 0
        self.push(bytes(value) if isinstance(value, bytearray) else value, 64 + 4 * length)

    def make_tuple(self, values: list[Any]) -> None:
        """A tuple of values."""
        self.push(tuple(values), 48 + 8 * len(values))

    def append(self, values: list[Any]) -> None:
        """Add values to the list below them."""
        self.allocation_limit.take(_REFERENCE * len(values))
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        """Add keys and values to the dict below them."""
        if len(values) % 2:
            raise ValueError("a key without a value")
        self.allocation_limit.take(64 * len(values))
        self.top(dict).update(zip(map(require_key, values[::2]), values[1::2], strict=True))

    def add_items(self, values: list[Any]) -> None:
        """Add values to the set below them."""
        self.allocation_limit.take(128 * len(values))
        self.top(set).update(map(require_key, values))

    def frozen(self, values: list[Any]) -> None:
        """A frozenset of values."""
        self.push(frozenset(map(require_key, values)), _CONTAINER + 128 * len(values))

    def put(self, place: int) -> None:
        """Put the last value away under a number, which takes no more room the higher it is."""
        if not 0 <= place <= self.n_bytes:
            raise UnsafePickleError(f"at most {self.n_bytes} places for results", str(place))
        self.allocation_limit.take(128)
        value = self.pop()
        self.stack.append(value)
        self.memo[place] = value

    def name(self, argument: Any) -> None:
        """An admitted name; module and name stand in one text."""
        self.push(admitted(*str(argument).split(" ", 1)), 64)

    def stacked_name(self) -> None:
        """The same, of which module and name lie on the stack."""
        name, module = self.pop(), self.pop()
        self.push(admitted(module, name), 64)

    def call(self) -> None:
        """Make what a name says of arguments."""
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or name.make is None or type(arguments) is not tuple:
            raise TypeError(f"{name.name if isinstance(name, Name) else type(name).__name__} is not callable")
        made = name.make(self.allocation_limit, arguments)
        if isinstance(made, ElementType) or (isinstance(made, np.ndarray) and name.name.endswith("_reconstruct")):
            self.new[id(made)] = made
        self.push(made, 256)

    def build(self) -> None:
        """Give its state to an array or type that was made here and has none yet."""
        state, value = self.pop(), self.pop()
        if value is None or self.new.pop(id(value), None) is not value:
            raise UnsafePickleError("the state of a new array", f"that of a {type(value).__name__}")
        if isinstance(value, ElementType):
            set_type(value, state)
        else:
            set_array(value, state, self.allocation_limit)
        self.stack.append(value)


def _dup(machine: _Machine) -> None:
    value = machine.pop()
    machine.push(value)
    machine.push(value)


def _pop(machine: _Machine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.pop()


_Instruction = Callable[[_Machine, Any], object]
_TEXTS = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
)  # fmt: skip
_PUTS, _GETS = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")
_INSTRUCTIONS: Mapping[str, _Instruction] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    **dict.fromkeys(_TEXTS, lambda machine, value: machine.text(value)),
    "EMPTY_LIST": lambda machine, _: machine.push([], _CONTAINER),
    "EMPTY_TUPLE": lambda machine, _: machine.push((), 0),
    "EMPTY_DICT": lambda machine, _: machine.push({}, _CONTAINER),
    "EMPTY_SET": lambda machine, _: machine.push(set(), _CONTAINER),
    "LIST": lambda machine, _: machine.push(values := machine.pop_to_mark(), _CONTAINER + _REFERENCE * len(values)),
    "TUPLE": lambda machine, _: machine.make_tuple(machine.pop_to_mark()),
    "TUPLE1": lambda machine, _: machine.make_tuple([machine.pop()]),
    "TUPLE2": lambda machine, _: machine.make_tuple([machine.pop(), machine.pop()][::-1]),
    "TUPLE3": lambda machine, _: machine.make_tuple([machine.pop(), machine.pop(), machine.pop()][::-1]),
    "DICT": lambda machine, _: _dict(machine, machine.pop_to_mark()),
    "FROZENSET": lambda machine, _: machine.frozen(machine.pop_to_mark()),
    "APPEND": lambda machine, _: machine.append([machine.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.pop_to_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
    "ADDITEMS": lambda machine, _: machine.add_items(machine.pop_to_mark()),
    "POP": lambda machine, _: _pop(machine),
    "POP_MARK": lambda machine, _: machine.pop_to_mark(),
    "DUP": lambda machine, _: _dup(machine),
    **dict.fromkeys(_PUTS, lambda machine, place: machine.put(int(place))),
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    **dict.fromkeys(_GETS, lambda machine, place: machine.push(machine.memo[int(place)])),
    "GLOBAL": lambda machine, name: machine.name(name),
    "INST": lambda machine, name: _instance(name),
    "STACK_GLOBAL": lambda machine, _: machine.stacked_name(),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}
"""All instructions that are carried out."""


def _dict(machine: _Machine, values: list[Any]) -> None:
    machine.push({}, _CONTAINER)
    machine.set_items(values)


def _instance(name: Any) -> None:
    """The oldest way to call something: never needed for what is admitted."""
    found = admitted(*str(name).split(" ", 1)).name
    raise UnsafePickleError("containers, numbers, text and numpy arrays", f"an instance of {found}")
