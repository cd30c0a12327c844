"""The figures and the sheet of `subject_bench`: how boxes lie, what searching with them finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from subject_scenes import GROUNDS

from bof.types import U8, Box

BOXES = ("none", "middle", "found", "true")
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
    figures = {}
    known = [(outcome, outcome.true) for outcome in outcomes if outcome.true is not None]
    for name in BOXES[:3]:
        values = []
        for outcome, true in known:
            whole: Box = (0.0, 0.0, float(outcome.size[0]), float(outcome.size[1]))
            box = {"none": None, "middle": middle(outcome.size), "found": outcome.found}[name] or whole
            iou, inside = overlap(box, true)
            area = (box[2] - box[0]) * (box[3] - box[1]) / (whole[2] * whole[3])
            values.append((iou, inside, float(inside >= 0.9), area))
        names = ("iou", "contained", "contained_0.9", "area")
        figures[name] = dict(zip(names, np.mean(values, axis=0).round(3).tolist(), strict=True)) if values else {}
    return figures


def recalls(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """recall@1 by ranker and kind of box."""
    return {
        ranker: {box: round(float(np.mean([o.is_first[ranker][box] for o in outcomes])), 3) for box in BOXES}
        for ranker in outcomes[0].is_first
    }


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """By set of queries: how many, without a box, with a known truth, boxes, recall; changed: found and lost by bof."""
    sets: dict[str, Any] = {}
    for group in ("dvd", *GROUNDS, "view"):
        some = [outcome for outcome in outcomes if outcome.group == group]
        if some:
            moves = [(o.is_first["bof"]["none"], o.is_first["bof"]["found"]) for o in some]
            sets[group] = {
                "queries": len(some),
                "no_subject": sum(outcome.found is None for outcome in some),
                "truth_known": sum(outcome.true is not None for outcome in some),
                "bof_gained": moves.count((False, True)),
                "bof_lost": moves.count((True, False)),
                "median_ms": round(float(np.median([outcome.milliseconds for outcome in some])), 1),
                "boxes": lying(some),
                "recall_at_1": recalls(some),
            }
    return sets


def lines(sets: Mapping[str, Any]) -> Iterator[str]:
    """The figures as two Markdown tables."""
    yield "| queries | n | box | IoU | contained | 0.9 contained | area |"
    yield "| --- | --: | --- | --: | --: | --: | --: |"
    for group, found in sets.items():
        for box, row in found["boxes"].items():
            if row:
                yield (
                    f"| {group} | {found['truth_known']} | {box} | "
                    + " | ".join(f"{v:.2f}" for v in row.values())
                    + " |"
                )
    yield ""
    yield "| queries | n | ranker | " + " | ".join(BOXES) + " |"
    yield "| --- | --: | --- |" + " --: |" * len(BOXES)
    for group, found in sets.items():
        for ranker, row in found["recall_at_1"].items():
            yield (
                f"| {group} | {found['queries']} | {ranker} | " + " | ".join(f"{row[box]:.3f}" for box in BOXES) + " |"
            )


def sheet(outcomes: Sequence[Outcome]) -> U8:
    """Pictures of all sets with the true box in green and the found one in red, BGR u8."""
    chosen: list[Outcome] = []
    for group in ("dvd", *GROUNDS, "view"):
        some = [outcome for outcome in outcomes if outcome.group == group]
        chosen += some[: N_SHEET // 3 if group == "dvd" else N_SHEET // 6]
    tiles = [_tile(outcome) for outcome in chosen]
    tiles += [np.full((TILE_PX, TILE_PX, 3), 255, np.uint8)] * (-len(tiles) % 6)
    return np.vstack([np.hstack(tiles[start : start + 6]) for start in range(0, len(tiles), 6)])


def _tile(outcome: Outcome) -> U8:
    shown = cv2.cvtColor(outcome.thumbnail, cv2.COLOR_RGB2BGR)
    scale = shown.shape[1] / outcome.size[0]
    for box, colour in ((outcome.true, (0, 200, 0)), (outcome.found, (0, 0, 255))):
        if box is not None:
            x0, y0, x1, y1 = (round(side * scale) for side in box)
            cv2.rectangle(shown, (x0 + 1, y0 + 1), (x1 - 2, y1 - 2), colour, 2)
    tile = np.full((TILE_PX, TILE_PX, 3), 255, np.uint8)
    tile[: shown.shape[0], : shown.shape[1]] = shown
    return tile
