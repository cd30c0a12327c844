"""How long parts take to answer, and so when another worker is asked beside the first."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from statistics import median

_REMEMBERED = 256
_PATIENCE = 4.0
_LEAST_S = 0.05


@dataclass(slots=True)
class PartCounts:
    """What became of the requests to one part: answered, with the seconds that took, asked again elsewhere, missing."""

    n_answered: int = 0
    seconds: float = 0.0
    n_again: int = 0
    n_missing: int = 0


class Latencies:
    """The seconds of the last answers, and what became of requests by part. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)
        self._counts: dict[str, PartCounts] = {}

    def note(self, part: str, seconds: float) -> None:
        """One answer of a part came after so long."""
        with self._lock:
            self._seconds.append(seconds)
            counts = self._counts.setdefault(part, PartCounts())
            counts.n_answered += 1
            counts.seconds += seconds

    def note_again(self, part: str) -> None:
        """A part was asked for at another worker too."""
        with self._lock:
            self._counts.setdefault(part, PartCounts()).n_again += 1

    def note_missing(self, part: str) -> None:
        """A part did not answer."""
        with self._lock:
            self._counts.setdefault(part, PartCounts()).n_missing += 1

    def counts(self) -> dict[str, PartCounts]:
        """By part."""
        with self._lock:
            return {name: replace(counts) for name, counts in self._counts.items()}

    @property
    def hedge_s(self) -> float:
        """After so long an answer is late: four times the median, a twentieth of a second at least."""
        with self._lock:
            seconds = list(self._seconds)
        return max(_LEAST_S, _PATIENCE * median(seconds)) if seconds else 1.0
