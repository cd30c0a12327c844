"""The icon of the page in the sizes that systems want of an app, drawn here as static/icon.svg says."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

_UNIT = 32.0
"""The side of the drawing in icon.svg."""

_FINER = 4
"""Drawn so much larger, then shrunk: Pillow draws hard edges."""

_GROUND, _LINES = (0x35, 0x53, 0xC4), (255, 255, 255)
_SAFE_SHARE = 0.75
"""Of a maskable icon's side, which the drawing keeps within: a circle of 0.8 stays visible whatever the mask."""


@dataclass(frozen=True, slots=True)
class IconSpec:
    """One icon. is_maskable: its ground reaches the edges, and the system gives it its form."""

    side: int
    is_maskable: bool = False


ICONS = {
    "icon-192.png": IconSpec(192),
    "icon-512.png": IconSpec(512),
    "icon-maskable-512.png": IconSpec(512, is_maskable=True),
    "icon-apple-180.png": IconSpec(180, is_maskable=True),
}
"""By name in the page's folder."""


@cache
def icon_png(name: str) -> bytes:
    """An icon as a PNG, the same bytes on every machine with the same Pillow."""
    spec = ICONS[name]
    side = spec.side * _FINER
    image = Image.new(
        "RGB" if spec.is_maskable else "RGBA", (side, side), _GROUND if spec.is_maskable else (0, 0, 0, 0)
    )
    share = _SAFE_SHARE if spec.is_maskable else 1.0
    scale, margin = side * share / _UNIT, side * (1 - share) / 2
    _draw(ImageDraw.Draw(image), lambda length: margin + length * scale, scale, has_ground=not spec.is_maskable)
    target = io.BytesIO()
    image.resize((spec.side, spec.side), Image.Resampling.LANCZOS).save(target, "PNG", optimize=True)
    return target.getvalue()


def _draw(pen: ImageDraw.ImageDraw, at: Callable[[float], float], scale: float, *, has_ground: bool) -> None:
    """A picture, and before it a looking glass. at: where a place of the drawing is in the image."""

    def box(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        return at(x0), at(y0), at(x1), at(y1)

    if has_ground:
        pen.rounded_rectangle(box(0, 0, 32, 32), 8 * scale, _GROUND)
    pen.rounded_rectangle(box(5, 8, 19, 24), 3 * scale, None, _LINES, round(2 * scale))
    pen.line(box(24.4, 21.4, 28, 25), _LINES, round(2.6 * scale))
    for x, y in ((24.4, 21.4), (28, 25)):
        pen.ellipse(box(x - 1.3, y - 1.3, x + 1.3, y + 1.3), _LINES)
    pen.ellipse(box(13, 10, 27, 24), _GROUND, _LINES, round(2 * scale))
