"""Headers of arrays are parsed by one thread at a time: CPython's parser counts its depth for all together."""

from __future__ import annotations

import ast
import io
import threading
import time
from typing import Any

import numpy as np
import pytest

from bof.system.npy_header import read_npy_header
from tests.support.scenes import ROOT


def stored(array: np.ndarray[Any, np.dtype[Any]], version: tuple[int, int] = (1, 0)) -> io.BytesIO:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    stream.seek(0)
    return stream


def test_it_says_what_numpy_says_and_stands_at_the_data() -> None:
    array = np.arange(12, dtype=np.uint16).reshape(4, 3)
    stream = stored(array)
    assert read_npy_header(stream, 1 << 10) == ((4, 3), False, np.dtype(np.uint16))
    assert stream.read() == array.tobytes()


@pytest.mark.parametrize("stream", [io.BytesIO(b"nothing"), stored(np.zeros(2), (2, 0))])
def test_what_is_no_header_of_the_first_version_is_refused(stream: io.BytesIO) -> None:
    with pytest.raises(ValueError, match=r"version|magic|EOF"):
        read_npy_header(stream, 1 << 10)


def test_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, parse = [0], [0], np.lib.format.read_array_header_1_0

    def slow(*arguments: Any, **options: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        inside[0] -= 1
        return parse(*arguments, **options)

    monkeypatch.setattr(np.lib.format, "read_array_header_1_0", slow)
    threads = [threading.Thread(target=read_npy_header, args=(stored(np.zeros(3)), 1 << 10)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def parsing_calls(node: ast.AST) -> list[ast.Call]:
    """The calls in a piece of code that let numpy parse a header."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).startswith(("np.load", "np.lib.format.read_array"))]


def holds_the_lock(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(ast.unparse(item.context_expr) == "PARSING" for item in node.items)


def test_whatever_lets_numpy_parse_a_header_holds_the_same_lock() -> None:
    n_calls = 0
    for path in sorted((ROOT / "bof").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        held = {id(call) for node in ast.walk(tree) if holds_the_lock(node) for call in parsing_calls(node)}
        calls = parsing_calls(tree)
        assert [f"{path.name}:{call.lineno}" for call in calls if id(call) not in held] == []
        n_calls += len(calls)
    assert n_calls == 3
