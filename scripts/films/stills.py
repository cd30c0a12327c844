"""Pictures to find in composed films: python -m scripts.films.stills with the flags of scripts.films.compose.

Writes queries/ and frames.json beside the films, which `python -m bof.evaluate frames --root OUT` reads: stills
photographed off a screen, cropped to 30 %, mirrored, subtitled, several of these together; other photographs of objects
that a film shows; and stills of the same kinds that are in no film.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from bof.cli.command import run
from bof.types import U8
from scripts.common.arguments import write_figures
from scripts.common.pictures import encode, rgb
from scripts.films import overlays
from scripts.films.compose import parser_of, plans_of
from scripts.films.painting import filling
from scripts.films.plan import FilmPlan, objects_by_file
from scripts.films.reading import frame_at
from scripts.films.screen import TREATMENTS
from scripts.films.sources import Sources, find_sources
from scripts.films.truth import alike_times, clear_frames, time_of, true_shots
from scripts.siblings import words
from scripts.siblings.streams import Rng, pick

OBJECT = "object"
_KINDS = (*TREATMENTS, OBJECT)
_LEAST_CLEAR_FRAMES = 8
_JPEG = (55, 92)
_ROUNDED = Fraction(1, 500)
"""Containers round times; so much later every frame is shown."""


@dataclass(frozen=True, slots=True)
class Still:
    """A query to make. source: a photograph to take as it is, a stranger to make a frame of, or a frame of a film."""

    name: str
    kind: str
    seed: Sequence[int]
    groups: Sequence[str]
    photograph: Path | None = None
    plan: FilmPlan | None = None
    shot: int = 0
    frame: int = 0


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--queries", type=int, default=300, metavar="N", help="that are shown (default 300)")
    parser.add_argument("--unshown", type=int, default=100, metavar="N", help="that are not (default 100)")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    plans, out = plans_of(arguments), arguments.out
    sources = find_sources(arguments.data, arguments.half)
    stills = plan_stills(plans, sources, arguments.queries, arguments.unshown, arguments.seed)
    (out / "queries").mkdir(parents=True, exist_ok=True)
    Parallel(n_jobs=arguments.jobs)(delayed(_write)(still, plans, out) for still in stills)
    write_figures(
        out / "frames.json",
        {
            "name": f"stills of composed films, {arguments.half}",
            "database": [f"films/{plan.name}" for plan in plans],
            "queries": [_entry(still) for still in stills],
        },
    )
    print(f"{arguments.queries} stills, {arguments.unshown} without a source")
    return 0


def plan_stills(plans: Sequence[FilmPlan], sources: Sources, n_shown: int, n_unshown: int, seed: int) -> list[Still]:
    """As many of each kind; each from another shot, as long as there are enough."""
    rng = np.random.default_rng([seed, 20])
    places = [(plan, number) for plan in plans for number in range(len(plan.shots)) if _is_usable(plan, number)]
    places = [places[i] for i in rng.permutation(len(places))]
    objects = [place for place in places if place[0].shots[place[1]].take.kind == OBJECT]
    known = objects_by_file(sources)
    stills, at = [], {True: 0, False: 0}
    for number in range(n_shown):
        kind = _KINDS[number % len(_KINDS)]
        among = objects if kind == OBJECT else places
        plan, shot = among[at[kind == OBJECT] % len(among)]
        at[kind == OBJECT] += 1
        low, high = clear_frames(plan, shot)
        take = plan.shots[shot].take
        seen = pick(rng, known[take.source].others) if kind == OBJECT and take.source else None
        groups = [kind, f"film: {plan.style.name}", f"motion: {plan.shots[shot].motion}"]
        frame = int(rng.integers(low, high))
        stills.append(Still(f"{number:03d}-{kind}", kind, [seed, 21, number], groups, seen, plan, shot, frame))
    unshown = [sources.unshown[i] for i in rng.permutation(len(sources.unshown))]
    for number in range(n_unshown):
        kind = list(TREATMENTS)[number % len(TREATMENTS)]
        source = unshown[number % len(unshown)]
        stills.append(Still(f"{number:03d}-no-source-{kind}", kind, [seed, 22, number], [f"no source: {kind}"], source))
    return stills


def _is_usable(plan: FilmPlan, number: int) -> bool:
    low, high = clear_frames(plan, number)
    shot = plan.shots[number]
    return shot.take.kind != "black" and not shot.is_intro and high - low >= _LEAST_CLEAR_FRAMES


def _write(still: Still, plans: Sequence[FilmPlan], out: Path) -> None:
    rng = np.random.default_rng(still.seed)
    if still.kind == OBJECT and still.photograph is not None:
        (out / "queries" / f"{still.name}.jpg").write_bytes(still.photograph.read_bytes())
        return
    if still.plan is None:
        frame = _stranger(rng, still, pick(rng, plans))
    else:
        frame = frame_at(out / "films" / still.plan.name, still.plan.times[still.frame] + _ROUNDED).pixels
    pixels = TREATMENTS[still.kind](rng, frame)
    (out / "queries" / f"{still.name}.jpg").write_bytes(_jpeg(rng, pixels))


def _stranger(rng: Rng, still: Still, like: FilmPlan) -> U8:
    """A photograph that no film shows, with the bars, the logo and the captions of a film."""
    assert still.photograph is not None
    style = like.style
    frame = np.zeros((style.height, style.width, 3), np.uint8)
    x, y, width, height = overlays.content_box(style)
    frame[y : y + height, x : x + width] = filling(rgb(still.photograph), (width, height))
    if style.captions != "none":
        overlays.lay_caption(frame, style.captions, words.sentence(rng))
    if style.logo:
        overlays.lay_logo(frame, style.logo)
    return frame


def _jpeg(rng: Rng, pixels: U8) -> bytes:
    return encode(pixels, ".jpg", int(rng.integers(*_JPEG)))


def _entry(still: Still) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": f"queries/{still.name}.jpg", "groups": list(still.groups), "shown": []}
    if still.plan is not None:
        true = true_shots(still.plan)[still.shot]
        showing: dict[str, Any] = {"film": f"films/{still.plan.name}", "shot": [true.start, true.stop]}
        if still.kind == OBJECT:
            showing["times"] = [list(true.clear)]
        else:
            showing["times"] = alike_times(still.plan, still.shot, still.frame)
            showing["time"] = time_of(still.plan, still.frame)
        entry["shown"] = [showing]
    return entry


if __name__ == "__main__":
    sys.exit(main())
