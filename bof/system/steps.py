"""How far a long run is: steps of its stages, told to whoever wants to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """How far one stage of a long run is: so many of its items are done, and this share of its work, 0 to 1.

    The share is what time goes by: one large picture is more work than ten small ones.
    """

    stage: str
    n_done: int
    n_items: int
    share: float


Progress = Callable[[Step], None]
"""Called whenever a run has got further; a stage begins with a step of which nothing is done."""


class Stage:
    """Tells the steps of one stage: of so many items, and so much work in any unit, as many as items if not given."""

    def __init__(self, progress: Progress | None, name: str, n_items: int, work: float | None = None) -> None:
        self._progress, self._name = progress, name
        self._n_items, self._work = n_items, n_items if work is None else work
        self._n_done, self._work_done = 0, 0.0
        if n_items:
            self.advance(0, 0)

    def advance(self, n_items: int = 1, work: float | None = None) -> None:
        """So many items more are done, and so much work."""
        self._n_done += n_items
        self._work_done += n_items if work is None else work
        if self._progress:
            share = min(1.0, self._work_done / self._work) if self._work > 0 else 1.0
            self._progress(Step(self._name, self._n_done, self._n_items, share))
