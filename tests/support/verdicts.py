"""Verdicts as a test wants them, whatever the weights of the day say."""

from __future__ import annotations

import pytest

from bof.retrieval import inspection


def call_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hit whose pixels are compared is a part from now on."""
    monkeypatch.setattr(inspection, "probability_of_thing", lambda *_: 0.01)


def call_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hit whose pixels are compared is the thing itself from now on."""
    monkeypatch.setattr(inspection, "probability_of_thing", lambda *_: 0.99)
