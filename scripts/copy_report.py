"""What the copies benchmark prints and draws: one table, false accepts by name, JSON, an example of each attack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from copy_scores import MethodReport, best_threshold, groups_of, n_false_accepts, n_misled, recall

from bof.evaluation.benchmarks.types import Benchmark, BenchmarkQuery
from bof.images.decode import read_image
from bof.types import U8

_TILE_PX = 240
_CAPTION_PX = 26
_COLUMNS = 6


def table(reports: Sequence[MethodReport]) -> str:
    """Recall by attack, then what each method costs; two columns for a method: its own threshold, and the best one.

    The best threshold is the loosest that accepts nothing wrong; the scores of hashes are distances below zero.
    """
    heads = [f"{number:>7} {'best':>6}" for number in (f"({n})" for n in range(1, len(reports) + 1))]
    lines = [f"({n}) {report.name}: {report.threshold}" for n, report in enumerate(reports, 1)]
    lines += ["", " ".join([f"{'recall':22}", *heads])]
    for group in [*groups_of(reports[0].outcomes), None]:
        lines.append(" ".join([f"{group or 'all copies':22}", *(_recalls(report, group) for report in reports)]))
    return "\n".join([*lines, "", *_costs(reports)])


def _recalls(report: MethodReport, group: str | None) -> str:
    default = recall(report.outcomes, group)
    best = recall(report.outcomes, group, best_threshold(report.outcomes))
    return f"{default:7.3f} {best:6.3f}"


def _costs(reports: Sequence[MethodReport]) -> Iterator[str]:
    rows = {
        "false accepts, pairs": [f"{n_false_accepts(r.outcomes):7} {0:6}" for r in reports],
        "queries misled": [f"{n_misled(r.outcomes):7} {0:6}" for r in reports],
        "best: score above": [f"{best_threshold(r.outcomes):14.1f}" for r in reports],
        "seconds to index": [f"{r.index_seconds:14.1f}" for r in reports],
        "ms a query": [f"{r.query_ms:14.1f}" for r in reports],
        "bytes": [f"{r.n_bytes:14}" for r in reports],
    }
    for name, cells in rows.items():
        yield " ".join([f"{name:22}", *cells])


def false_accepts(report: MethodReport, most: int = 20) -> str:
    """The queries that were misled, best score first, with the wrong references: for a person to look at."""
    misled = sorted((o for o in report.outcomes if o.false_accepts), key=lambda o: -o.wrong)
    lines = [f"{report.name}: {len(misled)} queries misled" + (f", the first {most}" if len(misled) > most else "")]
    for outcome in misled[:most]:
        source = next(iter(outcome.query.positives), None)
        names = ", ".join(str(path) for path in outcome.false_accepts[:3])
        lines.append(f"  {outcome.wrong:.2f} {outcome.query.image} (of {source.name if source else 'none'}) -> {names}")
    return "\n".join(lines)


def as_json(benchmark: Benchmark, reports: Sequence[MethodReport]) -> dict[str, object]:
    """Every figure of the table, and every outcome."""
    return {
        "benchmark": benchmark.name,
        "n_references": len(benchmark.database),
        "n_queries": len(benchmark.queries),
        "methods": [_method_json(report) for report in reports],
    }


def _method_json(report: MethodReport) -> dict[str, object]:
    best = best_threshold(report.outcomes)
    groups = groups_of(report.outcomes)
    return {
        "name": report.name,
        "threshold": report.threshold,
        "best_threshold": _finite(best),
        "recall": {group: recall(report.outcomes, group) for group in groups},
        "recall_at_best": {group: recall(report.outcomes, group, best) for group in groups},
        "false_accepts": n_false_accepts(report.outcomes),
        "queries_misled": n_misled(report.outcomes),
        "index_seconds": report.index_seconds,
        "query_ms": report.query_ms,
        "bytes": report.n_bytes,
        "outcomes": [
            {
                "image": str(o.query.image),
                "group": o.query.group,
                "positives": sorted(map(str, o.query.positives)),
                "right": _finite(o.right),
                "wrong": _finite(o.wrong),
                "found": o.found,
                "false_accepts": [str(path) for path in o.false_accepts],
            }
            for o in report.outcomes
        ],
    }


def _finite(score: float) -> float | None:
    """JSON has no infinity."""
    return score if np.isfinite(score) else None


def draw_sheet(benchmark: Benchmark) -> U8:
    """The first copy of each group with its name beneath, u8 (h, w, 3) RGB."""
    first: dict[str, BenchmarkQuery] = {}
    for query in benchmark.queries:
        first.setdefault(query.group, query)
    groups = sorted(first, key=lambda group: not first[group].positives)  # those without a source last
    tiles = [_tile(first[group].image, group) for group in groups]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % _COLUMNS)
    rows = [np.concatenate(tiles[at : at + _COLUMNS], axis=1) for at in range(0, len(tiles), _COLUMNS)]
    return np.concatenate(rows)


def _tile(path: Path, caption: str) -> U8:
    picture = read_image(path).pixels
    height, width = picture.shape[:2]
    scale = (_TILE_PX - 10) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    tile = np.full((_TILE_PX + _CAPTION_PX, _TILE_PX, 3), 255, np.uint8)
    tile[5 : 5 + size[1], 5 : 5 + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    text = f"{caption} ({width} x {height})"
    cv2.putText(tile, text, (6, _TILE_PX + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return tile
