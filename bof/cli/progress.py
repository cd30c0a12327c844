"""How far a command is: bars on stderr, silent where it is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from bof.system.steps import Progress, Step

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"
_SHARE_TO_JUDGE, _SECONDS_TO_JUDGE = 0.01, 1.0
"""Of a stage that must be done before the time left is told."""


@contextmanager
def progress_bar(unit: str, description: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar with the rate and the time left, of items that are about equal."""
    with tqdm(unit=unit, desc=description or None, disable=None, dynamic_ncols=True) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


@contextmanager
def stage_bars() -> Iterator[Progress]:
    """One bar after another, one a stage, with the time left in it."""
    shown: list[_StageBar] = []

    def show(step: Step) -> None:
        if not shown or not shown[-1].goes_on_with(step):
            for bar in shown:
                bar.close()
            shown[:] = [_StageBar(step)]
        shown[-1].show(step)

    try:
        yield show
    finally:
        for bar in shown:
            bar.close()


class _StageBar:
    """The bar of one stage."""

    def __init__(self, step: Step) -> None:
        self._stage, self._n_done, self._time_left = step.stage, 0, TimeLeft()
        self._bar = tqdm(
            desc=step.stage, total=1.0, disable=None, dynamic_ncols=True, bar_format=_BAR, miniters=0,
            postfix=_words(step),
        )  # fmt: skip

    def goes_on_with(self, step: Step) -> bool:
        """Is this a later step of the same stage?"""
        return step.stage == self._stage and step.n_done >= self._n_done

    def show(self, step: Step) -> None:
        """Draw it, unless it was drawn just now."""
        self._n_done = step.n_done
        self._bar.set_postfix_str(_words(step, self._time_left.seconds(step.share)), refresh=False)
        self._bar.update(step.share - self._bar.n)

    def close(self) -> None:
        """Leave it as it is."""
        self._bar.close()


def _words(step: Step, seconds: float | None = None) -> str:
    left = "" if seconds is None or step.n_done == step.n_items else f", {tqdm.format_interval(seconds)} left"
    return f"{step.n_done} of {step.n_items}{left}"


class TimeLeft:
    """How long the rest of a stage takes if it goes on as since its first item.

    Until the first item is done processes start: that time says nothing about the rest.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None

    def seconds(self, share: float) -> float | None:
        """The seconds left, where so much of the stage is done, 0 to 1; None while that cannot be told."""
        now = self._clock()
        if self._first is None and share > 0:
            self._first = now, share
        start, share_then = self._first or (now, share)
        if share - share_then < _SHARE_TO_JUDGE or now - start < _SECONDS_TO_JUDGE:
            return None
        return (now - start) * (1.0 - share) / (share - share_then)
