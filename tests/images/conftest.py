"""Fixtures of what reads pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bof.images.readers import formats, others


@pytest.fixture
def no_extras(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that reads HEIC, RAW, SVG or JPEG XL is installed."""
    others.advice_for.cache_clear()
    monkeypatch.setattr(formats, "_is_there", lambda module: False)
    yield
    others.advice_for.cache_clear()
