"""Chromium for tests of the page, and a page in it that must have no errors of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
CHROMIUM = os.environ.get("BOF_CHROMIUM") or shutil.which("chromium")
WIDE = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "en-GB"}


@contextmanager
def chromium(*more_flags: str) -> Iterator[Any]:
    """One browser; it skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason='needs pip install "bof-search[dev]"')
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=chromium_path(), headless=True, args=[*FLAGS, *more_flags])
        yield found
        found.close()


def chromium_path() -> str:
    """Of the Chromium that is installed; it skips the test where there is none."""
    if not CHROMIUM:
        pytest.skip("no chromium: install it (Debian: apt-get install chromium) or set BOF_CHROMIUM to its path")
    return CHROMIUM


@contextmanager
def page_of(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """A page; at the end it fails if the page's own code did."""
    context = browser.new_context(**{**WIDE, **options})
    context.set_default_timeout(10_000)
    errors = list[str]()
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert errors == []
