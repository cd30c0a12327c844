"""Verdicts as a test wants them, whatever the model says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bof.alignment.photograph import ExactFit
from bof.retrieval import film_frames
from bof.types import F64


@dataclass(frozen=True)
class _Certain:
    value: float

    def probability(self, measured: F64) -> F64:
        return np.full(len(measured), self.value)


def call_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hit whose pixels are compared is a part from now on."""
    monkeypatch.setattr(film_frames, "thing_model", lambda: _Certain(0.01))
    monkeypatch.setattr(ExactFit, "proves_copy", lambda *_, **__: False)
