"""The viewer of the OpenAPI document in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bof.server.app import ENDPOINTS
from tests.server.test_page import PHONE, browser, server, visit  # noqa: F401 - fixtures

AXE = "axe.run(document).then(result => result.violations)"


def shown(page: Any) -> int:
    return int(page.evaluate("document.querySelectorAll('.operation:not([hidden])').length"))


def test_the_viewer_shows_every_endpoint_and_finds_some(visit: Callable[..., Any]) -> None:  # noqa: F811
    page = visit("docs#add_watch")
    page.wait_for_selector("#add_watch[open]")
    assert shown(page) == len(ENDPOINTS)
    text = page.inner_text("#add_watch")
    for words in ("POST", "/watches", "X-Bof", "why it is watched", "201", "curl -X POST"):
        assert words in text
    page.fill("#filter", "delete IMAGES")
    assert shown(page) == 1
    page.fill("#filter", "nothing of the kind")
    assert "No endpoint" in page.inner_text("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_viewer_fits_a_phone_and_axe_finds_nothing(visit: Callable[..., Any], scheme: str) -> None:  # noqa: F811
    axe = pytest.importorskip("axe_playwright_python", reason='needs pip install "bof-search[dev]"')
    page = visit("docs#search", color_scheme=scheme, **PHONE)
    page.wait_for_selector("#search[open]")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    assert not [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in page.evaluate(AXE)]


def test_the_viewer_speaks_chinese(visit: Callable[..., Any]) -> None:  # noqa: F811
    page = visit("docs", locale="zh-CN")
    page.wait_for_selector(".operation")
    assert "参数" in page.content()
