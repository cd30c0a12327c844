"""What a reader of the page does in a browser, for its tests: go somewhere, give a picture, draw on it, read."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any


def until(page: Any, condition: str, argument: object = None) -> Any:
    """What an expression is once it is true; the browser's own waiting needs an eval that the page forbids."""
    end = time.monotonic() + 15
    while not (value := page.evaluate(condition, argument)):
        assert time.monotonic() < end, f"{condition} at {page.url}"
        page.wait_for_timeout(20)
    return value


def move(page: Any, where: str) -> None:
    """Goes to another view and waits until it is complete."""
    page.evaluate(
        """hash => new Promise(done => {
        if (location.hash === hash) done();
        addEventListener('hashchange', () => setTimeout(done), {once: true});
        location.hash = hash;
    })""",
        where,
    )
    until(page, "document.querySelector('h1') && !document.querySelector('[aria-busy=true], .waiting')")


def upload(page: Any, path: Path) -> None:
    page.set_input_files("#choose", path)
    page.wait_for_selector(".hit")


FIRST_HIT = """() => {
    const hit = document.querySelector('.hit');
    if (!hit || document.querySelector('.found[aria-busy=true]')) return null;
    return [hit.querySelector('.name').textContent, getComputedStyle(hit).borderTopColor];
}"""


def first_hit(page: Any) -> tuple[str, bool]:
    """Name of the first hit, and whether it is framed green."""
    name, colour = until(page, FIRST_HIT)
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return name, green > red + 40 and green > blue + 20


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag on the query, in shares of the picture."""
    area = page.locator(".canvas > canvas").bounding_box()
    at = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()


def box_in_address(page: Any) -> list[float]:
    return [float(value) for value in re.findall(r"box=([\d.,]+)", page.url)[0].split(",")]


def wait_for_box(page: Any, before: str = "") -> list[float]:
    until(page, "before => /box=[0-9]/.test(location.hash) && location.hash !== before", before)
    return box_in_address(page)
