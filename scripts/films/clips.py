"""Edited clips of composed films: python -m scripts.films.clips with the flags of scripts.films.compose.

Writes clips/ and clips.json beside the films, which `python -m bof.evaluate clips --root OUT` reads: clips with one to
four edits each, and clips without a copy, some of which share a logo, black frames or an intro with the films.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.cli.command import run
from bof.types import U8
from scripts.common.arguments import write_figures
from scripts.common.pictures import rgb
from scripts.films import overlays
from scripts.films.camera import PATHS, frame_from_source
from scripts.films.clip_plan import ClipPlan, Piece, plan_clips
from scripts.films.compose import parser_of, plans_of
from scripts.films.edits import CHANGES
from scripts.films.reading import frames_between
from scripts.films.sources import find_sources
from scripts.films.writing import write_film
from scripts.siblings.streams import pick

_ROUNDED = 0.002
"""Containers round times; so much later every frame is shown."""

_TICK = 1e-4


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--copies", type=int, default=500, metavar="N", help="edited clips (default 500)")
    parser.add_argument("--others", type=int, default=100, metavar="N", help="clips without a copy (default 100)")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    plans, out = plans_of(arguments), arguments.out
    sources = find_sources(arguments.data, arguments.half)
    clips = plan_clips(plans, sources, arguments.copies, arguments.others, arguments.seed)
    (out / "clips").mkdir(parents=True, exist_ok=True)
    Parallel(n_jobs=arguments.jobs)(delayed(write_clip)(clip, out) for clip in clips)
    write_figures(
        out / "clips.json",
        {
            "name": f"edited clips of composed films, {arguments.half}",
            "database": [f"films/{plan.name}" for plan in plans],
            "queries": [_entry(clip) for clip in clips],
        },
    )
    print(f"{arguments.copies} edited clips, {arguments.others} without a copy")
    return 0


def write_clip(clip: ClipPlan, out: Path) -> None:
    """OUT/clips/NAME.mp4, from the films in OUT/films; one that is there is kept."""
    path = out / "clips" / f"{clip.name}.mp4"
    if not path.is_file():
        rate = _rate(clip)
        n_frames = round(sum(piece.seconds for piece in clip.pieces) / clip.writing.speed * rate)
        times = [Fraction(n) / rate for n in range(n_frames + 1)]
        write_film(path, _changed(clip, out, n_frames), times, "libx264", rate, clip.writing.options)


def _rate(clip: ClipPlan) -> Fraction:
    return clip.writing.rate or clip.like.style.rate


def _changed(clip: ClipPlan, out: Path, n_frames: int) -> Iterator[U8]:
    """The frames with all edits, with even sides."""
    rng = np.random.default_rng([*clip.seed, 1])
    background = rgb(clip.background)
    changes = [CHANGES[name](rng, background) for name in clip.edits if name in CHANGES]
    for number, frame in enumerate(_frames(clip, out, n_frames)):
        if clip.logo:
            overlays.lay_logo(frame, clip.logo)
        for change in changes:
            frame = change(frame, number)
        sides = [max(16, 2 * round(side * clip.writing.shrink / 2)) for side in frame.shape[1::-1]]
        way = cv2.INTER_AREA if clip.writing.shrink < 1 else cv2.INTER_LINEAR
        yield frame if sides == list(frame.shape[1::-1]) else np.asarray(cv2.resize(frame, sides, interpolation=way))


def _frames(clip: ClipPlan, out: Path, n_frames: int) -> Iterator[U8]:
    """What stands in the pieces, at the clip's rate and speed."""
    pace = clip.writing.speed / float(_rate(clip))
    bounds = _bounds(clip.pieces)
    numbers = np.arange(n_frames)
    piece_of = np.clip(np.searchsorted(bounds, numbers * pace + _TICK, side="right") - 1, 0, len(clip.pieces) - 1)
    for index, piece in enumerate(clip.pieces):
        inside = numbers[piece_of == index] * pace - bounds[index]
        yield from _of_piece(clip, piece, index, out, np.clip(inside, 0, None).tolist())


def _bounds(pieces: Sequence[Piece]) -> list[float]:
    """When each piece begins, and last when the last one ends, in seconds before the speed is changed."""
    return [0.0, *np.cumsum([piece.seconds for piece in pieces]).tolist()]


def _of_piece(clip: ClipPlan, piece: Piece, index: int, out: Path, at: Sequence[float]) -> Iterator[U8]:
    style = clip.like.style
    if piece.film is not None:
        yield from _of_film(out / "films" / piece.film.name, piece, at)
    elif piece.photograph is None:
        for _ in at:
            yield np.zeros((style.height, style.width, 3), np.uint8)
    else:
        rng = np.random.default_rng([*clip.seed, 2, index])
        camera, pixels = PATHS[pick(rng, list(PATHS))](rng), rgb(piece.photograph)
        size = style.width, style.height
        for second in at:
            view = camera.at(second / piece.seconds, second)
            matrix = frame_from_source(view, (pixels.shape[1], pixels.shape[0]), size)
            warped = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            yield np.asarray(warped, np.uint8)


def _of_film(path: Path, piece: Piece, at: Sequence[float]) -> Iterator[U8]:
    """The frames that the film shows at these seconds of the piece."""
    shown = frames_between(path, piece.start + _ROUNDED, piece.start + piece.seconds + _ROUNDED)
    frame = next(shown)
    after = next(shown, None)
    for second in at:
        while after is not None and float(after.time) <= piece.start + second + _ROUNDED:
            frame, after = after, next(shown, None)
        yield np.array(frame.pixels)


def segments_of(clip: ClipPlan) -> list[dict[str, Any]]:
    """What a clip copies: the ranges of clip and film, in seconds."""
    bounds = [bound / clip.writing.speed for bound in _bounds(clip.pieces)]
    return [
        {
            "film": f"films/{piece.film.name}",
            "clip_range": [bounds[i], bounds[i + 1]],
            "film_range": [piece.start, piece.start + piece.seconds],
        }
        for i, piece in enumerate(clip.pieces)
        if clip.is_copy and piece.film is not None
    ]


def _entry(clip: ClipPlan) -> dict[str, Any]:
    return {"clip": f"clips/{clip.name}.mp4", "groups": list(clip.groups), "segments": segments_of(clip)}


if __name__ == "__main__":
    sys.exit(main())
