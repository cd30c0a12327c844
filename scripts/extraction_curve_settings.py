"""The extraction settings of `extraction_curve`, and which of them lie on the edge of the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from bof.errors import OptionError
from bof.options import PRESETS, FeatureOptions

BALANCED = FeatureOptions()

SIDES = (256, 384, 512, 640, 768, 1280)
FEATURES = (500, 1000, 4000)
CONTRASTS = (0.01, 0.03)
COMBINED = (
    FeatureOptions(384, 1000),
    FeatureOptions(512, 1000),
    FeatureOptions(1024, 4000, 0.0025),
)

_SHORT = {"max_side": "side", "max_features": "features", "contrast_threshold": "contrast"}


@dataclass(frozen=True, slots=True)
class Setting:
    """How to extract, and what a table calls it: what differs from the defaults, and the preset that it is."""

    options: FeatureOptions

    @property
    def title(self) -> str:
        """Such as `side 512, features 1000 (fast)`."""
        changed = [(f.name, getattr(self.options, f.name)) for f in fields(BALANCED) if self._differs(f.name)]
        name = ", ".join(f"{_SHORT[field]} {value:g}" for field, value in changed)
        preset = next((preset for preset, options in PRESETS.items() if options == self.options), "")
        return f"{name} ({preset})" if name and preset else name or preset

    def _differs(self, field: str) -> bool:
        return bool(getattr(self.options, field) != getattr(BALANCED, field))


def all_settings() -> list[Setting]:
    """The defaults first, one change each, some together, and the presets; none twice."""
    one_change = [
        *(BALANCED.replaced(max_side=side) for side in SIDES),
        *(BALANCED.replaced(max_features=n) for n in FEATURES),
        *(BALANCED.replaced(contrast_threshold=contrast) for contrast in CONTRASTS),
    ]
    return [Setting(options) for options in dict.fromkeys([BALANCED, *one_change, *COMBINED, *PRESETS.values()])]


def choose(settings: Sequence[Setting], only: Sequence[str]) -> list[Setting]:
    """The defaults and the settings, or presets, that are named; all without names. Raises OptionError."""
    by_name = {setting.title: setting for setting in settings}
    by_name |= {name: Setting(options) for name, options in PRESETS.items()}
    if unknown := [name for name in only if name not in by_name]:
        raise OptionError(f"--only: expected names that --list prints, found {', '.join(unknown)}")
    return list(dict.fromkeys([Setting(BALANCED), *(by_name[name] for name in only)])) if only else list(settings)


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
