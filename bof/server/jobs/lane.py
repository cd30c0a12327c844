"""A lane: one thread that does what is put in line, one after another."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """A thread and what waits for it. n_waiting: how many may; serve: what it does with each, which raises nothing."""

    def __init__(self, name: str, n_waiting: int, serve: Callable[[T], None]) -> None:
        self._n_waiting, self._serve = n_waiting, serve
        self._line: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> bool:
        """Put in line; returns whether there was a place."""
        with self._changed:
            if len(self._line) >= self._n_waiting or self._is_stopping:
                return False
            self._line.append(item)
            self._changed.notify()
            return True

    def withdraw(self, item: T) -> bool:
        """Take out of the line; returns whether it still waited."""
        with self._changed:
            if item not in self._line:
                return False
            self._line.remove(item)
            return True

    def stop(self, seconds: float) -> list[T]:
        """Begin nothing more, and wait for what runs; returns what still waited."""
        with self._changed:
            self._is_stopping = True
            left = list(self._line)
            self._line.clear()
            self._changed.notify()
        self._thread.join(seconds)
        return left

    @property
    def is_alive(self) -> bool:
        """Does its thread run?"""
        return self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            self._serve(item)

    def _next(self) -> T | None:
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._is_stopping)
            return self._line.popleft() if self._line else None
