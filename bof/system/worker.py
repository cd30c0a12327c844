"""A child process of `workers`: runs a function on item after item until its parent goes away.

Frames, both ways: eight bytes of length, then a pickle. The parent speaks first: a Task, then items; each is answered
with a pair of a kind (DONE, FAILED, TOO_LARGE) and a value.
"""

from __future__ import annotations

import importlib
import os
import pickle
import queue
import struct
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

DONE, FAILED, TOO_LARGE = "done", "failed", "too large"
_LENGTH = struct.Struct("<Q")
_CV_NO_MEMORY = -4
_SLACK = 256 << 20
"""Address space that allocators reserve and never touch."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to run from now on: "module:function" as function(shared, item), in `memory` bytes beyond what there is."""

    function: str
    shared: object
    memory: int | None


def send(stream: BinaryIO, value: object) -> None:
    """Write one frame."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read the bytes of one frame. Raises EOFError where the other side is gone."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(header)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


_serves = threading.Event()


def in_worker() -> bool:
    """Is this a process that runs items for another, which limits what each may take?"""
    return _serves.is_set()


def main() -> None:
    """Serve the parent on standard input and output; what anything else prints goes to standard error."""
    _serves.set()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(os.fdopen(0, "rb", closefd=False), frames), daemon=True).start()
    run: Callable[[object, object], object] | None = None
    task = Task("", None, None)
    while True:
        data = frames.get()
        try:
            frame = pickle.loads(data)
            if isinstance(frame, Task):
                task, run = frame, find_function(frame.function)
                answer: tuple[str, object] = DONE, None
            else:
                assert run is not None
                answer = _call(run, task, frame)
        except Exception as error:
            answer = FAILED, sendable(error)
        _answer(answers, answer)


def _listen(stream: BinaryIO, frames: queue.SimpleQueue[bytes]) -> None:
    """Pass frames on; end at once when the parent is gone, also in the middle of an item."""
    try:
        while True:
            frames.put(receive(stream))
    except EOFError:
        os._exit(0)


def find_function(name: str) -> Callable[..., Any]:
    """Of "module:function"."""
    module, attribute = name.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return found


def _call(run: Callable[[object, object], object], task: Task, item: object) -> tuple[str, object]:
    """Run one item under the limit of memory, which holds from what the process has now."""
    _limit_memory(task.memory)
    try:
        return DONE, run(task.shared, item)
    except Exception as error:
        if _is_out_of_memory(error):
            return TOO_LARGE, None
        raise
    finally:
        _limit_memory(None)


def _is_out_of_memory(error: Exception) -> bool:
    """OpenCV has a code for it, and passes std::bad_alloc on without any."""
    return isinstance(error, MemoryError) or getattr(error, "code", 0) in (_CV_NO_MEMORY, None)


def _limit_memory(n_bytes: int | None) -> None:
    """Bound the address space; where the system cannot, nothing is bound."""
    try:
        import resource

        limit = resource.RLIM_INFINITY
        if n_bytes is not None:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            limit = pages * resource.getpagesize() + n_bytes + _SLACK
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        return


def sendable(error: Exception) -> Exception:
    """The error with the place where it was raised; another that tells of it where it would not arrive."""
    error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _answer(stream: BinaryIO, answer: tuple[str, object]) -> None:
    try:
        send(stream, answer)
    except BrokenPipeError:
        os._exit(0)
    except Exception as error:  # what cannot be pickled
        send(stream, (FAILED, RuntimeError(f"{answer[1]!r:.200} cannot be sent back: {error}")))
