"""A browser that no longer answers fails its test; without that the tests would never end."""

from __future__ import annotations

import threading

import pytest

from tests.server.conftest import kill_browsers
from tests.support.chromium import chromium


def test_a_page_that_never_ends_is_killed_with_its_browser() -> None:
    with chromium() as browser:
        api = pytest.importorskip("playwright.sync_api")
        page = browser.new_context().new_page()
        threading.Timer(2, kill_browsers).start()
        with pytest.raises(api.Error):
            page.evaluate("new Promise(() => {})")
        assert not browser.is_connected()
