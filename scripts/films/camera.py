"""A camera over a still picture: where it looks at a time, and where points of the picture lie in the frame then."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bof.types import F64
from scripts.siblings.streams import Rng

Size = tuple[int, int]
"""Width and height in pixels."""

_SHAKES_A_SECOND = (0.7, 1.9)


@dataclass(frozen=True, slots=True)
class View:
    """Where a camera looks: x, y: the middle, as shares of the picture's sides; zoom: how much closer than the view
    that just fills the frame; roll: degrees.
    """

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0
    roll: float = 0.0


@dataclass(frozen=True, slots=True)
class Camera:
    """A path from one view to another. shake: how far a hand trembles, as a share of the frame's diagonal."""

    start: View = View()
    stop: View = View()
    shake: float = 0.0

    def at(self, progress: float, seconds: float) -> View:
        """The view at a share 0 to 1 of the shot, so many seconds after its start. Zooms go by equal ratios."""
        share = progress * progress * (3 - 2 * progress)
        x, y, roll = (
            getattr(self.start, name) + share * (getattr(self.stop, name) - getattr(self.start, name))
            for name in ("x", "y", "roll")
        )
        zoom = self.start.zoom * (self.stop.zoom / self.start.zoom) ** share
        one, other = (math.sin(2 * math.pi * rate * seconds) for rate in _SHAKES_A_SECOND)
        return View(x + self.shake * one, y + self.shake * other, zoom, roll + 60 * self.shake * one * other)

    @property
    def most_zoom(self) -> float:
        """The closest it comes."""
        return max(self.start.zoom, self.stop.zoom)


def frame_from_source(view: View, source: Size, frame: Size) -> F64:
    """The similarity f64 (2, 3) that takes the picture's pixels to the frame's."""
    scale = view.zoom * max(frame[0] / source[0], frame[1] / source[1])
    angle = math.radians(view.roll)
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([view.x * source[0], view.y * source[1]])
    return np.column_stack([turn, np.array(frame) / 2 - turn @ middle])


# -- Paths ------------------------------------------------------------------------------------------------------------


def _still(rng: Rng) -> Camera:
    view = View(zoom=float(rng.uniform(1.0, 1.3)))
    return Camera(view, view)


def _pan(rng: Rng) -> Camera:
    zoom, angle = float(rng.uniform(1.25, 1.8)), rng.uniform(0, 2 * math.pi)
    reach = (1 - 1 / zoom) / 2
    x, y = reach * math.cos(angle), reach * math.sin(angle)
    return Camera(View(0.5 - x, 0.5 - y, zoom), View(0.5 + x, 0.5 + y, zoom))


def _zoom(rng: Rng) -> Camera:
    wide, close = View(), View(*_near_middle(rng), zoom=float(rng.uniform(1.3, 2.0)))
    return Camera(wide, close) if rng.random() < 0.5 else Camera(close, wide)


def _near_middle(rng: Rng) -> tuple[float, float]:
    x, y = rng.uniform(0.4, 0.6, 2).tolist()
    return x, y


def _turn(rng: Rng) -> Camera:
    zoom, roll = float(rng.uniform(1.3, 1.6)), float(rng.uniform(3, 9) * rng.choice([-1, 1]))
    return Camera(View(zoom=zoom, roll=-roll), View(zoom=zoom, roll=roll))


def _hand(rng: Rng) -> Camera:
    x, y = rng.uniform(-0.04, 0.04, 2).tolist()
    view, other = View(zoom=1.25), View(0.5 + x, 0.5 + y, 1.3)
    return Camera(view, other, shake=float(rng.uniform(0.003, 0.012)))


PATHS: Mapping[str, Callable[[Rng], Camera]] = {
    "still": _still,
    "pan": _pan,
    "zoom": _zoom,
    "turn": _turn,
    "hand": _hand,
}
"""By name of the motion."""
