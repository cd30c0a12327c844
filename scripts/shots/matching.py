"""Boundaries that were found against those that are known: precision, recall and F1, by kind of transition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scripts.shots.composing import Transition

TOLERANCE_S = Fraction(1, 10)


@dataclass
class Tally:
    """Known boundaries by kind, those of them that were found, and what else was found."""

    known: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    n_false: int = 0

    def add(self, transitions: Sequence[Transition], found: Sequence[Fraction]) -> list[Fraction]:
        """A film's; one boundary stands for one transition. Returns those that stand for none."""
        left = sorted(found)
        for each in transitions:
            kind = each.kind.split()[0]
            self.known[kind] += 1
            inside = [t for t in left if each.start - TOLERANCE_S <= t <= each.stop + TOLERANCE_S]
            if inside:
                self.found[kind] += 1
                left.remove(inside[0])
        self.n_false += len(left)
        return left

    @property
    def precision(self) -> float:
        """The share of what was found that is a boundary."""
        n = self.found.total()
        return n / max(1, n + self.n_false)

    @property
    def recall(self) -> float:
        """The share of boundaries that were found."""
        return self.found.total() / max(1, self.known.total())

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    def row(self, name: str) -> str:
        """A line of a table: precision, recall, F1, and the recall of each kind."""
        kinds = ", ".join(f"{kind} {self.found[kind]}/{n}" for kind, n in sorted(self.known.items()))
        return f"| {name} | {self.precision:.3f} | {self.recall:.3f} | {self.f1:.3f} | {self.n_false} | {kinds} |"
