"""Which bof this process runs: its version, and its code to the byte, so that two that differ do not work together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from bof.system.version import VERSION


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be the same everywhere for answers to be the same.

    code: of all Python files of bof, the first 16 digits of their SHA-256; libraries: versions of those that decode and
    compute, by name.
    """

    version: str
    code: str
    libraries: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ", ".join([f"bof {self.version} (code {self.code})", *(f"{name} {v}" for name, v in self.libraries)])


@lru_cache(maxsize=1)
def own_identity() -> Identity:
    """Of this process."""
    return Identity(VERSION, _code(Path(__file__).parents[1]), (("opencv", cv2.__version__), ("numpy", np.__version__)))


def _code(folder: Path) -> str:
    """Of the files as they lie there now: who changes them restarts what runs."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda one: one.relative_to(folder).as_posix()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
