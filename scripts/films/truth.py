"""What a composed film holds, as plain JSON: shots with exact times, their sources and camera paths, overlays."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from bof.types import F64
from scripts.films.overlays import content_box
from scripts.films.painting import matrix_at, shown_until
from scripts.films.plan import FilmPlan, PlannedShot

ALIKE_SHIFT = 0.02
"""Frames are alike where no corner of the window moved by more than this share of its diagonal."""


@dataclasses.dataclass(frozen=True, slots=True)
class TrueShot:
    """A shot as the truth has it, in seconds. start, stop: the middles of its blends; clear: without blends."""

    number: int
    start: float
    stop: float
    clear: tuple[float, float]


def true_shots(plan: FilmPlan) -> list[TrueShot]:
    """Of every planned shot, black ones too. They follow each other without a gap."""
    starts = [_boundary(shot) for shot in plan.shots]
    stops = [*starts[1:], plan.shots[-1].stop]
    return [
        TrueShot(number, time_of(plan, start), time_of(plan, stop), _seconds(plan, clear_frames(plan, number)))
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True))
    ]


def _boundary(shot: PlannedShot) -> int:
    return shot.first + (shot.lead // 2 if shot.begins == "dissolve" else 0)


def clear_frames(plan: FilmPlan, number: int) -> tuple[int, int]:
    """The first frame of a shot that no blend touches, and the first after it that one does."""
    shot = plan.shots[number]
    after = plan.shots[number + 1] if number + 1 < len(plan.shots) else None
    dims = after.lead if after is not None and after.begins == "fade" else 0
    return shot.first + shot.lead, max(shot.first + shot.lead + 1, shot.stop - dims)


def time_of(plan: FilmPlan, frame: int) -> float:
    """When a frame is shown, in seconds."""
    return float(plan.times[min(frame, len(plan.times) - 1)])


def _seconds(plan: FilmPlan, frames: tuple[int, int]) -> tuple[float, float]:
    return time_of(plan, frames[0]), time_of(plan, frames[1])


def alike_times(plan: FilmPlan, number: int, frame: int) -> list[list[float]]:
    """The ranges of time [start, stop], in seconds, in which a shot shows what it shows in a frame.

    Of a picture under a camera, where its view is not ALIKE_SHIFT away from that of the frame: a hand comes back to
    where it was. Of a real clip, the frame alone.
    """
    if plan.shots[number].take.kind == "clip":
        return [[time_of(plan, frame), time_of(plan, frame + 1)]]
    here = np.asarray(np.linalg.inv(_square(matrix_at(plan, number, frame))), np.float64)
    alike = [n for n in range(*clear_frames(plan, number)) if _is_alike(plan, number, n, here)]
    starts = [n for n in alike if n - 1 not in alike]
    stops = [n + 1 for n in alike if n + 1 not in alike]
    return [[time_of(plan, start), time_of(plan, stop)] for start, stop in zip(starts, stops, strict=True)]


def _is_alike(plan: FilmPlan, number: int, frame: int, source_from_here: F64) -> bool:
    _, _, width, height = content_box(plan.style)
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], float)
    moved = corners @ (_square(matrix_at(plan, number, frame)) @ source_from_here).T - corners
    return bool(np.hypot(moved[:, 0], moved[:, 1]).max() <= ALIKE_SHIFT * np.hypot(width, height))


def _square(matrix: F64) -> F64:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def film_truth(plan: FilmPlan, data: Path) -> dict[str, Any]:
    """Everything of a film: README.md says what each field means."""
    style = plan.style
    return {
        "film": plan.name,
        "style": style.name,
        "codec": style.codec,
        "size": [style.width, style.height],
        "window": list(content_box(style)),
        "rate": str(style.rate),
        "variable_rate": style.variable,
        "seconds": time_of(plan, len(plan.times) - 1),
        "logo": style.logo,
        "captions": [
            {"text": each.text, "times": [time_of(plan, each.first), time_of(plan, each.stop)]}
            for each in plan.captions
        ],
        "shots": [_shot_truth(plan, shot, data) for shot in true_shots(plan)],
    }


def _shot_truth(plan: FilmPlan, true: TrueShot, data: Path) -> dict[str, Any]:
    shot = plan.shots[true.number]
    source = os.path.relpath(shot.take.source, data) if shot.take.source else None
    return {
        "start": true.start,
        "stop": true.stop,
        "clear": list(true.clear),
        "shown": [time_of(plan, shot.first), time_of(plan, shown_until(plan, true.number))],
        "kind": shot.take.kind,
        "source": source,
        "source_begins": shot.take.begins,
        "motion": shot.motion,
        "camera": dataclasses.asdict(shot.camera),
        "begins": shot.begins,
        "intro": shot.is_intro,
    }
