"""The figures and the sheet of examples: how boxes lie, what searching with them finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from bof.types import U8, Box
from scripts.common.pictures import GREEN, RED, grid, tile
from scripts.common.tables import table
from scripts.subject.scenes import GROUNDS

BOXES = ("none", "middle", "found", "true")
GROUPS = ("dvd", *GROUNDS, "view")
MIDDLE = 0.7
N_SHEET, TILE_PX = 36, 240


@dataclass(frozen=True, slots=True)
class Outcome:
    """One query: its size, the true box and the found one; by ranker and kind of box whether the answer was right."""

    group: str
    size: tuple[int, int]
    true: Box | None
    found: Box | None
    is_first: Mapping[str, Mapping[str, bool]]
    milliseconds: float
    thumbnail: U8


def middle(size: tuple[int, int]) -> Box:
    """The middle of a picture, MIDDLE of its sides."""
    low, high = (1 - MIDDLE) / 2, (1 + MIDDLE) / 2
    return low * size[0], low * size[1], high * size[0], high * size[1]


def overlap(found: Box, true: Box) -> tuple[float, float]:
    """Intersection over union, and the share of the true box inside the found one."""
    common = np.minimum(found[2:], true[2:]) - np.maximum(found[:2], true[:2])
    shared = float(np.prod(common.clip(0)))
    area, true_area = (float((b[2] - b[0]) * (b[3] - b[1])) for b in (found, true))
    return shared / (area + true_area - shared), shared / true_area


def lying(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """By kind of box, where the truth is known: means of IoU, contained share and area, and how often 0.9 is inside."""
    figures, names = {}, ("iou", "contained", "contained_0.9", "area")
    for name in BOXES[:3]:
        values = []
        for outcome in outcomes:
            if outcome.true is not None:
                width, height = outcome.size
                boxes = {"none": None, "middle": middle(outcome.size), "found": outcome.found}
                x0, y0, x1, y1 = box = boxes[name] or (0.0, 0.0, float(width), float(height))
                iou, inside = overlap(box, outcome.true)
                values.append((iou, inside, float(inside >= 0.9), (x1 - x0) * (y1 - y0) / (width * height)))
        if values:
            figures[name] = dict(zip(names, np.mean(values, axis=0).round(3).tolist(), strict=True))
    return figures


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """By set of queries: how many, without a box, with a known truth, boxes, recall; changed: found and lost by bof."""
    sets: dict[str, Any] = {}
    for group in GROUPS:
        some = [outcome for outcome in outcomes if outcome.group == group]
        if some:
            recalls = {
                ranker: {box: round(float(np.mean([o.is_first[ranker][box] for o in some])), 3) for box in BOXES}
                for ranker in some[0].is_first
            }
            moves = [(o.is_first["bof"]["none"], o.is_first["bof"]["found"]) for o in some]
            sets[group] = {
                "queries": len(some),
                "no_subject": sum(outcome.found is None for outcome in some),
                "truth_known": sum(outcome.true is not None for outcome in some),
                "bof_gained": moves.count((False, True)),
                "bof_lost": moves.count((True, False)),
                "median_ms": round(float(np.median([outcome.milliseconds for outcome in some])), 1),
                "boxes": lying(some),
                "recall_at_1": recalls,
            }
    return sets


def lines(sets: Mapping[str, Any]) -> Iterator[str]:
    """The figures as two tables, and what the box changed for bof."""
    boxes = [
        (group, found["truth_known"], box, *(f"{value:.2f}" for value in row.values()))
        for group, found in sets.items()
        for box, row in found["boxes"].items()
    ]
    yield from table(("queries", "n", "box", "IoU", "contained", "0.9 contained", "area"), boxes)
    recall = [
        (group, found["queries"], ranker, *(f"{row[box]:.3f}" for box in BOXES))
        for group, found in sets.items()
        for ranker, row in found["recall_at_1"].items()
    ]
    yield from ("", *table(("queries", "n", "ranker", *BOXES), recall), "")
    for group, found in sets.items():
        gained, lost = found["bof_gained"], found["bof_lost"]
        yield f"{group}: bof found {gained} more with the box, lost {lost}; {found['median_ms']} ms"


def sheet(outcomes: Sequence[Outcome]) -> U8:
    """Pictures of all sets with the true box in green and the found one in red, RGB u8."""
    chosen: list[Outcome] = []
    for group in GROUPS:
        some = [outcome for outcome in outcomes if outcome.group == group]
        chosen += some[: N_SHEET // 3 if group == "dvd" else N_SHEET // 6]
    return grid([_tile(outcome) for outcome in chosen], 6)


def _tile(outcome: Outcome) -> U8:
    shown = outcome.thumbnail.copy()
    scale = shown.shape[1] / outcome.size[0]
    for box, colour in ((outcome.true, GREEN), (outcome.found, RED)):
        if box is not None:
            x0, y0, x1, y1 = (round(side * scale) for side in box)
            cv2.rectangle(shown, (x0 + 1, y0 + 1), (x1 - 2, y1 - 2), colour, 2)
    return tile(shown, TILE_PX)
