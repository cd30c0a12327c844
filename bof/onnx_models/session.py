"""An ONNX model is opened and run: one processor, steps in one order, an end to everything; errors are translated."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import ModelError
from bof.onnx_models.weights import weight_files
from bof.system.files import sha256_of
from bof.system.worker import in_worker

INSTALL = 'pip install "bof-search[onnx]"'

RUN_S = 60.0
"""What one picture may take; in a process of its own other limits hold."""

_ENDED = "terminate flag"


def require_file(path: Path, page: str) -> None:
    """Raises ModelError where there is no file; page: of the documentation, which says where to get one."""
    if not path.is_file():
        advice = f"bof brings no model: see docs/{page}"
        raise ModelError(path=path, expected="an ONNX file", found="none", advice=advice)


def open_session(path: Path, threads: int = 1, content: bytes | None = None) -> Any:
    """onnxruntime's session of a file, or of its content, where that was read.

    Raises ModelError where it is no model or onnxruntime is missing.
    """
    weight_files(path)
    try:
        import onnxruntime
    except ImportError as error:
        advice = f"install it: {INSTALL}"
        raise ModelError(path=path, expected="onnxruntime to run it", found="none", advice=advice) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = max(1, threads), 1
    options.log_severity_level, options.use_deterministic_compute = 4, True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        model = str(path) if content is None else content
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:
        raise _translated(error, path, "an ONNX model that onnxruntime can run") from error


def run_session(
    session: Any, path: Path, name: str, outputs: Sequence[str], tensor: NDArray[Any]
) -> list[NDArray[Any]]:
    """What a model gives for its input `name`, by outputs. Raises ModelError, MemoryError."""
    try:
        found = _within(session, outputs, {name: tensor})
    except Exception as error:
        if _ENDED in str(error):
            expected = f"the answer to a picture within {RUN_S:g} s"
            advice = "use another model, or export this one without loops"
            raise ModelError(path=path, expected=expected, found="no end", advice=advice) from error
        raise _translated(error, path, f"a model of pictures {list(tensor.shape)}") from error
    for output, values in zip(outputs, found, strict=True):
        if not isinstance(values, np.ndarray):
            raise ModelError(path=path, expected=f"an array from output {output}", found=type(values).__name__)
    return list(found)


def _within(session: Any, outputs: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> Any:
    """What a model gives, asked to end when its time is over: onnxruntime looks at that between its steps."""
    if in_worker():
        return session.run(list(outputs), tensors)
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    timer = threading.Timer(RUN_S, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        return session.run(list(outputs), tensors, options)
    finally:
        timer.cancel()


def _translated(error: Exception, path: Path, expected: str) -> Exception:
    """onnxruntime's errors have neither types nor codes; that memory ran out is no fault of the model."""
    text = " ".join(str(error).split())
    signs = ("bad_alloc", "bad allocation", "Failed to allocate memory")
    if isinstance(error, MemoryError) or any(sign in text for sign in signs):
        return MemoryError(text)
    return ModelError(path=path, expected=expected, found=text[:300])


def stamp_of_model(path: Path) -> tuple[int, int]:
    """Size and time of a file, by which it is known to have changed; zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def sha256_of_model(path: Path) -> str:
    """Of the file, and of the files beside it that hold its weights, if any."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    for part in weight_files(path):
        digest.update(bytes.fromhex(sha256_of(part)))
    return digest.hexdigest()
