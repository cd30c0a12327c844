"""safe_pickle: what numpy writes comes back; nothing else is ever called, whatever the bytes say."""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.safe_pickle import load_pickle
from scripts.torture import models

VALUES = {
    "whole numbers": np.arange(5),
    "table": np.arange(6.0).reshape(2, 3),
    "in columns": np.asfortranarray(np.arange(6, dtype=np.uint16).reshape(2, 3)),
    "empty": np.array([], np.int64),
    "no dimension": np.array(3),
    "other byte order": np.arange(3, dtype=">i4"),
    "text": np.array(["ab", "cde"]),
    "objects": np.array([None, "x"], object),
    "scalars": [np.int64(-4), np.float32(0.5), np.bool_(True)],
    "builtins": {"a": [1, 2.5, None, True], "b": ({1, 2}, frozenset("x"), 1j, "é", b"\xff\x00", b"")},
}


def written(folder: Path, data: bytes) -> Path:
    file = folder / "gnd.pkl"
    file.write_bytes(data)
    return file


def refused(file: Path) -> str:
    with pytest.raises(BenchmarkError) as caught:
        load_pickle(file)
    assert str(caught.value).startswith(f"{file}: expected ")
    return str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", VALUES)
def test_what_was_written_comes_back(tmp_path: Path, name: str, protocol: int) -> None:
    value = VALUES[name]
    found = load_pickle(written(tmp_path, pickle.dumps(value, protocol)))
    if not isinstance(value, np.ndarray):
        assert found == value
        return
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype.newbyteorder("=")) == (value.shape, value.dtype.newbyteorder("="))
    assert np.array_equal(found, value)


def test_numpy_1_names_its_modules_otherwise(tmp_path: Path) -> None:
    data = pickle.dumps([np.arange(3), np.int64(7)], 2).replace(b"numpy._core.", b"numpy.core.")
    assert b"_core." not in data
    found: Any = load_pickle(written(tmp_path, data))
    array, scalar = found
    assert (array.tolist(), scalar) == ([0, 1, 2], 7)


PYTHON_2 = (
    b"\x80\x02}q\x00U\x04easyq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87R("
    b"K\x01K\x03\x85cnumpy\ndtype\nq\x04U\x02i8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    b"U\x18" + struct.pack("<3q", 3, 1, -1) + b"tbs."
)
"""{'easy': numpy.array([3, 1, -1])} as cPickle of Python 2 writes it with protocol 2."""


def test_a_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    found: Any = load_pickle(written(tmp_path, PYTHON_2))
    assert found["easy"].tolist() == [3, 1, -1]


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("function", "named"),
    [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (np.load, "load"), (np.fromfile, "fromfile")],
)
def test_no_function_is_called(
    tmp_path: Path, function: Callable[..., object], named: str, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = "open('called', 'w')" if function is eval else "echo > called"
    value = {"imlist": ["a"], "gnd": [Calls(function, command)]}
    message = refused(written(tmp_path, pickle.dumps(value, protocol)))
    assert f".{named}; do not trust this file" in message
    assert not (tmp_path / "called").exists()


HOSTILE = {
    "a call in the oldest form": (b"(S'echo > called'\nios\nsystem\n.", "os.system"),
    "an admitted module's other name": (b"cnumpy.core.multiarray\nfrombuffer\n.", "frombuffer"),
    "an argument that is called": (b"\x80\x02cnumpy\nndarray\nK\x05\x85R.", "not callable"),
    "a name through another name": (b"\x80\x04\x8c\x08builtins\x8c\x0blist.append\x93.", "builtins.list.append"),
    "an array of records": (b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00V8K\x00K\x01\x87R.", "'V8'"),
    "another encoding": (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.", "another encoding"),
    "a far place for a result": (b"\x80\x02Nr\xff\xff\xff\xff.", "4294967295"),
    "more bytes than there are": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".", "broken"),
    "an identity from outside": (b"\x80\x02K\x01Q.", "broken"),
    "nothing": (b"", "broken"),
    "text": (b"not a pickle", "broken"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data, reason = HOSTILE[case]
    assert reason in refused(written(tmp_path, data))
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("count", [0, 2, 1 << 40])
def test_an_array_has_the_elements_that_its_shape_says(tmp_path: Path, count: int) -> None:
    data = PYTHON_2.replace(b"K\x01K\x03\x85", b"K\x01\x8a\x06" + count.to_bytes(6, "little") + b"\x85")
    assert f"expected {count} elements" in refused(written(tmp_path, data))


def test_a_pickle_that_breaks_off_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(len(PYTHON_2)):
        refused(written(tmp_path, PYTHON_2[:length]))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "gnd.pkl")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(PYTHON_2) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused(tmp_path: Path, place: int, byte: int) -> None:
    data = bytearray(PYTHON_2)
    data[place] = byte
    with contextlib.suppress(BenchmarkError):
        load_pickle(written(tmp_path, bytes(data)))


@pytest.mark.filterwarnings("ignore")
def test_two_hundred_hostile_pickles_are_refused_or_read(tmp_path: Path) -> None:
    """Each in a process with limits of time and memory; no function of ours is changed."""
    fates, wrong = models.torture_pickles(200, 5, tmp_path)
    assert not wrong
    assert fates.total() == 200
    assert fates["refused by name"] > 150
    assert fates["read"] > 2
