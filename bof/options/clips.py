"""Options of films as queries: how densely they are sampled, and what counts as a copied segment."""

from __future__ import annotations

from dataclasses import dataclass

from bof.options.option import Checked, declare


@dataclass(frozen=True, slots=True)
class ClipOptions(Checked):
    """How copied segments of a film are found."""

    sample_step: float = declare(
        1.0, "search with a frame of the clip at least this often; shorter shots have two", 0.1, 60.0, unit="seconds",
        expert=True,
    )  # fmt: skip
    least_seconds: float = declare(
        1.0, "a shorter piece that two films share is not reported", 0.1, 3600.0, unit="seconds"
    )
    intro_films: int = declare(
        3, "what so many films share at their beginnings or ends is called an intro", 2, 1000, expert=True
    )
