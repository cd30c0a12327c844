"""How long parts take to answer, and so when another worker is asked beside the first."""

from __future__ import annotations

import threading
from collections import deque
from statistics import median

_REMEMBERED = 256
_PATIENCE = 4.0
_LEAST_S = 0.05


class Latencies:
    """The seconds of the last answers. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def note(self, seconds: float) -> None:
        """One answer came after so long."""
        with self._lock:
            self._seconds.append(seconds)

    @property
    def hedge_s(self) -> float:
        """After so long an answer is late: four times the median, a twentieth of a second at least."""
        with self._lock:
            seconds = list(self._seconds)
        return max(_LEAST_S, _PATIENCE * median(seconds)) if seconds else 1.0
