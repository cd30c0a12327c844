"""bof.native.table says of every function what the C code says, and errors of it what was wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from bof.native.library import CALLS, DAMAGE, NO_MEMORY, PATH_VARIABLE
from bof.native.parameters import Array, Parameter, Positive, Rows, Sizes, Whole, reads
from bof.native.table import FUNCTIONS, N_DISTANCES, POINT, SLOT, VOTE, Function
from tests.support.scenes import ROOT

C_TYPES = {
    "uint8": "uint8_t", "uint16": "uint16_t", "uint64": "uint64_t", "int8": "int8_t", "int32": "int32_t",
    "int64": "int64_t", "float32": "float", "float64": "double", "bool": "uint8_t",
    str(VOTE): "Vote", str(SLOT): "Slot", str(POINT): "Point",
}  # fmt: skip

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "bof" / "native").glob("*.[ch]")}


def in_c(parameter: Parameter) -> list[str]:
    """A parameter as C writes it."""
    match parameter:
        case Array(name=name, dtypes=(dtype,), is_filled=is_filled):
            return [f"{'' if is_filled else 'const '}{C_TYPES[str(dtype)]} *{name}"]
        case Array(name=name):
            return [f"const void *{name}", f"int64_t {name}_bytes"]
        case Rows():
            return ["int64_t first", "int64_t stop"]
        case Whole(name=name):
            return [f"int64_t {name}"]
        case Positive(name=name):
            return [f"double {name}"]


def prototypes() -> dict[str, list[str]]:
    """The parameters of every exported function, as they stand in the C files."""
    found = re.findall(r"^EXPORT int64_t bof_(\w+)\(([^)]*)\)", "\n".join(SOURCES.values()), re.MULTILINE)
    return {name: [" ".join(parameter.split()) for parameter in text.split(",")] for name, text in found}


def test_the_table_has_every_exported_function_and_no_other() -> None:
    assert prototypes().keys() == FUNCTIONS.keys() == CALLS.keys()
    assert sum(source.count("\nEXPORT ") for source in SOURCES.values()) == len(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_row_is_the_prototype_in_c(function: Function) -> None:
    parameters = [text for parameter in function.parameters for text in in_c(parameter)]
    assert prototypes()[function.name] == [*parameters, *(f"int64_t {size}" for size in function.sizes)]


def test_codes_and_constants_are_those_of_c() -> None:
    codes = {int(code) for code in re.findall(r"^    [A-Z_]+ = (-\d+),$", SOURCES["common.h"], re.MULTILINE)}
    assert codes == {NO_MEMORY, *DAMAGE}
    assert f"#define N_DISTANCES {N_DISTANCES}\n" in SOURCES["common.h"]


# -- Errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (
            np.zeros((4, 3), np.float32),
            r"a: expected uint16 or int32 \(n \+ 1, 2 \* k \+ 3\) with n = 5, in C's order, found float32 \(4, 3\)",
        ),
        (np.zeros((6, 4), np.int32), r"found int32 \(6, 4\)"),
        (np.zeros((6, 10), np.int32)[:, ::2], r"found int32 \(6, 5\), not in C's order"),
        ([[0, 0, 0]] * 6, "a: expected an array, found list"),
    ],
)
def test_an_error_says_what_was_expected_and_what_was_found(array: Any, expected: str) -> None:
    parameter = reads("a", (np.uint16, np.int32), "n + 1", "2 * k + 3")
    with pytest.raises((TypeError, ValueError), match=expected):
        parameter.unpack(array, {"n": 5}, [])


def test_a_size_is_bound_once_and_must_agree_then() -> None:
    sizes: Sizes = {}
    reads("a", np.uint8, "16 * n + 16").unpack(np.zeros(48, np.uint8), sizes, [])
    reads("b", np.uint8, "n").unpack(np.zeros(2, np.uint8), sizes, [])
    assert sizes == {"n": 2}
    with pytest.raises(ValueError, match=r"^b: expected uint8 \(n\) with n = 2, in C's order, found uint8 \(3,\)$"):
        reads("b", np.uint8, "n").unpack(np.zeros(3, np.uint8), sizes, [])


def test_a_lack_of_memory_is_a_memory_error() -> None:
    error = CALLS["sign"]._failure(NO_MEMORY, (), {"n": 7})
    assert isinstance(error, MemoryError)
    assert str(error) == "sign: no memory to work on {'n': 7}"


def test_a_library_that_is_not_there_is_an_error_with_its_path_and_what_to_do() -> None:
    call = [sys.executable, "-c", "import bof.native"]
    done = subprocess.run(call, env={PATH_VARIABLE: "/no/such/library"}, cwd=ROOT, capture_output=True, check=False)
    assert b"ImportError: /no/such/library: expected the compiled loops of bof, found " in done.stderr
    assert b"install bof again: pip install" in done.stderr
