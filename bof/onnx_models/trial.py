"""A model is tried in a process of its own, with limits of time and memory, before it is believed."""

from __future__ import annotations

from pathlib import Path

from bof.errors import ModelError
from bof.onnx_models.weights import weight_files
from bof.system.memory import machine_memory
from bof.system.worker import in_worker
from bof.system.workers import Limits, LostItem, close_workers, run_in_workers

TRIAL_S = 60.0
"""What loading a model and describing one picture may take; the largest that people use take a few seconds."""

_ROOM_BYTES, _COPIES_OF_WEIGHTS = 2 << 30, 3
"""Memory for what a model computes with, and how often loading holds its weights."""


def require_trial(path: Path, function: str, options: object) -> None:
    """Call "module:function" with (options, path), elsewhere: it loads a model and uses it on a small picture.

    In a process that works for another it is not tried again: what it takes there is limited. Raises ModelError where
    that ends badly, and what the function raises.
    """
    if in_worker():
        return
    limits = Limits(TRIAL_S, _memory_for(path))
    try:
        [found] = run_in_workers(function, options, [path], 1, limits)
    finally:
        close_workers()  # the libraries of models take memory that the next task need not hold
    if isinstance(found, LostItem):
        raise ModelError(
            path=path, expected=f"a model that describes a picture within {TRIAL_S:g} s and {_megabytes(limits)} MB",
            found=f"one of which the process that tried it {_what_happened(found.reason)}",
            advice="do not trust this file; get it from its publisher, or export it smaller and without loops",
        )  # fmt: skip


def _what_happened(reason: str) -> str:
    return reason.removeprefix("the process that read it ")


def _megabytes(limits: Limits) -> int:
    return (limits.memory or 0) >> 20


def _memory_for(path: Path) -> int:
    """Bytes that a trial may take: for the weights, wherever they lie, and room, but no more than there is."""
    n_bytes = sum(file.stat().st_size for file in [path, *weight_files(path)])
    return min(_ROOM_BYTES + _COPIES_OF_WEIGHTS * n_bytes, machine_memory())
