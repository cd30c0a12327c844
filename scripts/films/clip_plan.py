"""Plans of edited clips: which ranges of which film, what stands before and after, which edits. A plan is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.errors import OptionError
from scripts.films.edits import EDITS, REORDERED, Writing, writing_of
from scripts.films.plan import FilmPlan
from scripts.films.sources import Sources
from scripts.films.truth import TrueShot, true_shots
from scripts.siblings.streams import Rng, pick

OTHERS = ("foreign", "logo", "black", "intro")
"""What clips without a copy are made of: other pictures alone; with a channel's logo; with black stretches; with the
intro that several films share."""

_SECONDS = (6.0, 20.0)
_FOREIGN_SECONDS = (3.0, 8.0)
_MOST_CUTS = 4
_TRIES = 1000
_LEAST_SHOTS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """Seconds of a clip before its speed is changed: of a film, of a photograph that no film shows, or black."""

    seconds: float
    film: FilmPlan | None = None
    start: float = 0.0
    photograph: Path | None = None


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """A clip to make. like: the film whose form it has; background: of a picture in picture."""

    name: str
    seed: Sequence[int]
    like: FilmPlan
    pieces: Sequence[Piece]
    edits: tuple[str, ...]
    groups: tuple[str, ...]
    writing: Writing
    background: Path
    is_copy: bool
    logo: int = 0


def plan_clips(plans: Sequence[FilmPlan], sources: Sources, n_copies: int, n_others: int, seed: int) -> list[ClipPlan]:
    """Clips with one to four edits, and clips that copy nothing."""
    copies = [_copy(plans, sources, number, [seed, 30, number]) for number in range(n_copies)]
    return [*copies, *(_other(plans, sources, number, [seed, 31, number]) for number in range(n_others))]


def no_copy_group(kind: str) -> str:
    """The group of clips without a copy of a kind of OTHERS."""
    return f"no copy: {kind}"


def _copy(plans: Sequence[FilmPlan], sources: Sources, number: int, seed: list[int]) -> ClipPlan:
    rng = np.random.default_rng(seed)
    n_edits = 1 + number % 4
    chosen = set(rng.permutation(len(EDITS))[:n_edits].tolist())
    edits = tuple(name for i, name in enumerate(EDITS) if i in chosen)
    film, cuts = _range(rng, plans, REORDERED in edits)
    copied = [Piece(stop - start, film, start) for start, stop in cuts]
    before, after = (_foreign(rng, sources) if rng.random() < 0.35 else [] for _ in range(2))
    groups = (*edits, f"{n_edits} edit{'s' if n_edits > 1 else ''}", f"film: {film.style.name}")
    writing, background = writing_of(rng, edits), pick(rng, sources.unshown)
    name = f"{number:03d}-{'-'.join(edits).replace(' ', '')}"
    return ClipPlan(name, seed, film, [*before, *copied, *after], edits, groups, writing, background, True)


def _range(rng: Rng, plans: Sequence[FilmPlan], reorder: bool) -> tuple[FilmPlan, list[tuple[float, float]]]:
    """A film and the ranges that are copied: one, or whole shots in reversed order."""
    for _ in range(_TRIES):
        film = pick(rng, plans)
        shots = true_shots(film)
        start = rng.uniform(0, shots[-1].stop)
        stop = start + rng.uniform(*_SECONDS)
        inside = [shot for shot in shots if shot.stop > start and shot.start < stop]
        if stop > shots[-1].stop or len(inside) < _LEAST_SHOTS or not all(_is_own(film, shot) for shot in inside):
            continue
        return film, _reversed_cuts(inside[:_MOST_CUTS]) if reorder else [(start, stop)]
    problem = f"no range of {_SECONDS[0]:g} s with {_LEAST_SHOTS} shots in {len(plans)} films"
    raise OptionError(f"--minutes: {problem}; compose longer ones")


def _reversed_cuts(shots: Sequence[TrueShot]) -> list[tuple[float, float]]:
    return [(shot.start, shot.stop) for shot in shots][::-1]


def _is_own(film: FilmPlan, shot: TrueShot) -> bool:
    """Neither black nor the intro, which other films have too."""
    planned = film.shots[shot.number]
    return planned.take.kind != "black" and not planned.is_intro


def _foreign(rng: Rng, sources: Sources) -> list[Piece]:
    """Pictures that no film shows, for some seconds."""
    seconds = rng.uniform(*_FOREIGN_SECONDS)
    n = int(rng.integers(1, 3))
    return [Piece(seconds / n, photograph=pick(rng, sources.unshown)) for _ in range(n)]


def _other(plans: Sequence[FilmPlan], sources: Sources, number: int, seed: list[int]) -> ClipPlan:
    rng, kind = np.random.default_rng(seed), OTHERS[number % len(OTHERS)]
    likes = [plan for plan in plans if (plan.style.logo or kind != "logo") and (plan.style.intro or kind != "intro")]
    like = pick(rng, likes)
    pieces = [*_foreign(rng, sources), *_foreign(rng, sources)]
    if kind == "black":
        pieces = [Piece(rng.uniform(1, 4)), *pieces, Piece(rng.uniform(1, 4)), *_foreign(rng, sources)]
    if kind == "intro":
        shots = [shot for shot in true_shots(like) if like.shots[shot.number].is_intro]
        pieces = [Piece(shots[-1].stop - shots[0].start, like, shots[0].start), *pieces]
    logo = like.style.logo if kind == "logo" else 0
    groups, background = (no_copy_group(kind),), pick(rng, sources.unshown)
    return ClipPlan(f"{number:03d}-no-copy-{kind}", seed, like, pieces, (), groups, Writing(), background, False, logo)
