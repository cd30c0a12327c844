"""No browser keeps the tests of the page waiting for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

BROWSER_SECONDS = 300


@pytest.fixture(autouse=True)
def _browsers_answer_in_time() -> Iterator[None]:
    """A browser that hangs is killed: Playwright waits for some answers without an end, and then raises instead."""
    timer = threading.Timer(BROWSER_SECONDS, kill_browsers)
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()


def kill_browsers() -> None:
    """The browsers that this process started, and all of theirs."""
    for process in psutil.Process().children(recursive=True):
        try:
            if Path(process.exe()).name.startswith(("chrom", "firefox")):
                process.kill()
        except psutil.Error:  # it has ended meanwhile, or is no process of ours
            continue
