"""Plans of films: which shots follow each other, how they begin, what is laid over them. A plan is the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np

from bof.errors import OptionError
from scripts.films.camera import PATHS, Camera
from scripts.films.sources import SeenObject, Sources
from scripts.films.styles import Style, styles_of
from scripts.siblings import words
from scripts.siblings.streams import Rng, pick

INTRO_SECONDS = 10.0
_INTRO_SHOTS = 3
_SHOT_SECONDS = (1.6, 14.0)
_MEAN_SECONDS = 5.2
_TRANSITIONS = ("cut", "cut", "cut", "cut", "cut", "dissolve", "fade")
_CLIP_PIECE_SECONDS = 3.2


@dataclass(frozen=True, slots=True)
class Take:
    """What a shot shows. kind: photograph, object, clip, black. begins: of a clip, at how many seconds."""

    kind: str
    source: Path | None = None
    begins: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedShot:
    """Frames first to stop - 1 of a film. lead: how many of its first frames blend with the shot before (dissolve), or
    come up from black after as many that went down to it (fade).
    """

    take: Take
    motion: str
    camera: Camera
    first: int
    stop: int
    begins: str = "cut"
    lead: int = 0
    is_intro: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """A text over frames first to stop - 1."""

    text: str
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A film to write. times: of every frame, in seconds, and last the film's end."""

    name: str
    style: Style
    shots: Sequence[PlannedShot]
    captions: Sequence[Caption]
    times: Sequence[Fraction] = field(repr=False)
    seed: int = 0


def plan_films(sources: Sources, minutes: float, seed: int, short_side: int = 720) -> list[FilmPlan]:
    """One film of each style, all of a length, `minutes` together; each source is in one shot alone.

    Raises OptionError where the sources do not suffice.
    """
    rng = np.random.default_rng([seed, 1])
    takes = _deck(sources, rng)
    intro = [(next(takes), name) for name in ("zoom", "pan", "hand")]
    styles = styles_of(short_side)
    seconds = 60 * minutes / len(styles)
    try:
        return [_plan_film(number, style, seconds, takes, intro, seed) for number, style in enumerate(styles)]
    except StopIteration:
        n = len(sources.photographs) + len(sources.objects)
        raise OptionError(f"--minutes: {minutes:g} minutes of film need more than the {n} sources found") from None


def _deck(sources: Sources, rng: Rng) -> Iterator[Take]:
    """Every photograph, object and piece of a clip once, in any order."""
    takes = [Take("photograph", path) for path in sources.photographs]
    takes += [Take("object", each.shown) for each in sources.objects]
    takes += [take for clip in sources.clips for take in _pieces(clip)]
    return iter([takes[i] for i in rng.permutation(len(takes))])


def _pieces(clip: Path) -> list[Take]:
    from scripts.films.reading import seconds_of

    n = max(1, int(seconds_of(clip) / _CLIP_PIECE_SECONDS))
    length = seconds_of(clip) / n
    return [Take("clip", clip, i * length, length - 0.15) for i in range(n)]


def objects_by_file(sources: Sources) -> dict[Path, SeenObject]:
    """The objects by the photograph that a film shows."""
    return {each.shown: each for each in sources.objects}


# -- One film ---------------------------------------------------------------------------------------------------------


def _plan_film(
    number: int, style: Style, seconds: float, takes: Iterator[Take], intro: Sequence[tuple[Take, str]], seed: int
) -> FilmPlan:
    rng = np.random.default_rng([seed, 2, number])
    rate = float(style.rate)
    shots: list[PlannedShot] = []
    if rng.random() < 0.5:
        shots = _append(shots, _black(rng, rate))
    if style.intro:
        shots = _append_intro(shots, intro, rate, seed)
    black_at = seconds * rng.uniform(0.35, 0.65)
    while (at := shots[-1].stop / rate if shots else 0.0) < seconds:
        if at > black_at:
            shots, black_at = _append(shots, _black(rng, rate)), np.inf
        shots = _append(shots, _shot(rng, next(takes), rate))
    shots = _append(shots, _black(rng, rate))
    return FilmPlan(
        f"{number:02d}-{style.name}{style.suffix}",
        style,
        shots,
        _captions(rng, style, shots, rate),
        _times(rng, style, shots[-1].stop),
        seed,
    )


def _append(shots: Sequence[PlannedShot], new: PlannedShot) -> list[PlannedShot]:
    """Put a shot behind the others. Blends need a shot before, and take at most a third of either."""
    start = shots[-1].stop if shots else 0
    length = new.stop - new.first
    placed = replace(new, first=start, stop=start + length)
    if not shots or "black" in (new.take.kind, shots[-1].take.kind):
        return [*shots, replace(placed, begins="cut", lead=0)]
    before = shots[-1].stop - shots[-1].first
    return [*shots, replace(placed, lead=min(new.lead, length // 3, before // 3))]


def _append_intro(
    shots: Sequence[PlannedShot], intro: Sequence[tuple[Take, str]], rate: float, seed: int
) -> list[PlannedShot]:
    """The same shots, seconds and camera paths in every film that has it."""
    rng, out = np.random.default_rng([seed, 3]), list(shots)
    for take, motion in intro:
        camera, frames = PATHS[motion](rng), round(INTRO_SECONDS / _INTRO_SHOTS * rate)
        out = _append(out, PlannedShot(take, motion, camera, 0, frames, is_intro=True))
    return out


def _shot(rng: Rng, take: Take, rate: float) -> PlannedShot:
    seconds = take.seconds or float(np.clip(rng.gamma(2.2, _MEAN_SECONDS / 2.2), *_SHOT_SECONDS))
    motion = "clip" if take.kind == "clip" else pick(rng, list(PATHS))
    camera = Camera() if take.kind == "clip" else PATHS[motion](rng)
    begins = pick(rng, _TRANSITIONS)
    lead = {"cut": 0, "dissolve": round(rng.uniform(0.4, 1.2) * rate), "fade": round(rng.uniform(0.3, 0.7) * rate)}
    return PlannedShot(take, motion, camera, 0, max(1, round(seconds * rate)), begins, lead[begins])


def _black(rng: Rng, rate: float) -> PlannedShot:
    return PlannedShot(Take("black"), "still", Camera(), 0, round(rng.uniform(0.6, 4.0) * rate))


def _captions(rng: Rng, style: Style, shots: Sequence[PlannedShot], rate: float) -> list[Caption]:
    """Subtitles one after another with pauses between; a name now and then."""
    if style.captions == "none":
        return []
    spoken, n_frames = style.captions == "subtitles", shots[-1].stop
    captions, at = [], round(rng.uniform(0.5, 6) * rate)
    while at < n_frames:
        length = round((rng.uniform(1.4, 4.5) if spoken else rng.uniform(4, 7)) * rate)
        text = words.sentence(rng) if spoken else words.person(rng)
        captions.append(Caption(text, at, min(n_frames, at + length)))
        at += length + round((rng.uniform(0.1, 3) if spoken else rng.uniform(8, 25)) * rate)
    return captions


def _times(rng: Rng, style: Style, n_frames: int) -> list[Fraction]:
    """At a constant rate, or with frames that last one, two or three sixtieths of a second by chance, in stretches."""
    if not style.variable:
        return [Fraction(n) / style.rate for n in range(n_frames + 1)]
    ticks = np.repeat(rng.choice([1, 2, 3], n_frames // 25 + 1, p=[0.25, 0.5, 0.25]), 25)[:n_frames]
    return [Fraction(n, 60) for n in (0, *accumulate(ticks.tolist()))]
