"""The extraction settings that are measured, which of them lie on the edge of the curve, and its figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bof.options import EXTRACTORS, PRESETS, FeatureOptions
from scripts.common.arguments import choose
from scripts.common.figures import finish, svg

PANELS = {
    "UKBench, 320 x 240": ("ms_ukbench", "map_ukbench"),
    "DVD covers, 1024 x 768": ("ms_dvd", "map_dvd"),
    "Details of them: the middle ninth": ("ms_dvd", "map_detail"),
}
"""Title: cost and accuracy."""

_EDGE, _PRESET, _OTHER = "#0b6bcb", "#d9730d", "#8c959f"

BALANCED = FeatureOptions()

SIDES = (256, 384, 512, 640, 768, 1280)
FEATURES = (500, 1000, 2000, 4000)
CONTRASTS = (0.01, 0.03)
COMBINED = (FeatureOptions(384, 1000), FeatureOptions(512, 1000), FeatureOptions(1024, 4000, 0.0025))

EXTRACTED = tuple(BALANCED.replaced(extractor=extractor) for extractor in EXTRACTORS)
"""By each extractor; one of them is the default."""

_SHORT = {"max_side": "side", "max_features": "features", "contrast_threshold": "contrast", "extractor": "extractor"}


def title_of(options: FeatureOptions) -> str:
    """What differs from the defaults, and the preset that it is, such as `side 512, features 1000 (fast)`."""
    changed = {field: value for field, value in asdict(options).items() if value != getattr(BALANCED, field)}
    name = ", ".join(
        f"{_SHORT[field]} {value if isinstance(value, str) else format(value, 'g')}" for field, value in changed.items()
    )
    preset = next((preset for preset, known in PRESETS.items() if known == options), "")
    return f"{name} ({preset})" if name and preset else name or preset


def all_settings() -> list[FeatureOptions]:
    """The defaults first, one change each, some together, and the presets; none twice."""
    one_change = [
        *(BALANCED.replaced(max_side=side) for side in SIDES),
        *(BALANCED.replaced(max_features=n) for n in FEATURES),
        *(BALANCED.replaced(contrast_threshold=contrast) for contrast in CONTRASTS),
    ]
    return list(dict.fromkeys([BALANCED, *EXTRACTED, *one_change, *COMBINED, *PRESETS.values()]))


def chosen(settings: Sequence[FeatureOptions], only: Sequence[str]) -> list[FeatureOptions]:
    """The defaults and the settings, or presets, that are named; all without names. Raises OptionError."""
    by_name = {**{title_of(options): options for options in settings}, **PRESETS}
    choose(only, list(by_name), f"settings ({'; '.join(by_name)})")
    return list(dict.fromkeys([BALANCED, *(by_name[name] for name in only)])) if only else list(settings)


def edge(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the points (cost, accuracy) that no other beats in one without losing in the other; cheapest first.

    Of points that are equal the first named stands for all.
    """
    names, best = [], float("-inf")
    for name, (_, accuracy) in sorted(points.items(), key=lambda item: (item[1][0], -item[1][1])):
        if accuracy > best:
            names.append(name)
            best = accuracy
    return names


def draw(file: Path, table: Mapping[str, Mapping[str, float]], presets: Mapping[str, str]) -> None:
    """One SVG file, a panel a benchmark; the same figures give the same bytes. ReportError without matplotlib.

    presets: by name the row of the table that each is.
    """
    with svg(file, 14.0, 4.6) as figure:
        for axes, (title, (cost, accuracy)) in zip(figure.subplots(1, len(PANELS)).flat, PANELS.items(), strict=True):
            points = {row: (figures[cost], figures[accuracy]) for row, figures in table.items()}
            _draw_panel(axes, points, {preset: row for preset, row in presets.items() if row in points})
            axes.set(title=title, xlabel="CPU milliseconds a picture, bytes to features", ylabel="mAP")


def _draw_panel(axes: Any, points: Mapping[str, tuple[float, float]], presets: Mapping[str, str]) -> None:
    best = edge(points)
    axes.plot(*zip(*points.values(), strict=True), color=_OTHER, marker="o", markersize=4, linestyle="none")
    axes.plot(*zip(*(points[name] for name in best), strict=True), color=_EDGE, marker="o", markersize=4, label="edge")
    for name in best:
        if name not in presets.values():
            _label(axes, name, points[name], _EDGE, (5, -9))
    for preset, name in presets.items():
        axes.plot(*points[name], color=_PRESET, marker="D", markersize=7, linestyle="none")
        _label(axes, preset, points[name], _PRESET, (0, 8))
    axes.margins(0.12)
    finish(axes)


def _label(axes: Any, text: str, point: tuple[float, float], colour: str, offset: tuple[int, int]) -> None:
    axes.annotate(text, point, textcoords="offset points", xytext=offset, fontsize=7, color=colour)
