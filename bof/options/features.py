"""How a picture becomes features."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bof.errors import OptionError
from bof.options.extent import Extent, PixelLimit
from bof.options.option import Checked, Option, declare

OPENCV, NATIVE, LEARNED, OWN = "opencv", "native", "learned", "own"
EXTRACTORS = (OPENCV, NATIVE)
"""Whose SIFT finds and describes features of pictures; LEARNED: a model does; OWN: the caller brings features."""

_NOT_COST = ("extractor", "reading", "model", "model_file")

PLAIN, ADAPTIVE = "plain", "adaptive"
MOST_FEATURES = 65535
"""Of one picture: segments count them in 16 bits."""

FIRST_MOST = 2000
"""Features that were kept by default when the vocabulary that comes with bof was trained."""

READINGS = (PLAIN, ADAPTIVE)
"""How pictures that are not like photographs are read: as all others, or each kind as suits it."""


@dataclass(frozen=True, slots=True)
class FeatureOptions(Checked):
    """How a picture becomes features. Recorded in every vocabulary and index: all pictures are described alike."""

    max_side: int = declare(1024, "shrink a picture whose long side has more than this", 16, 16384, unit="pixels",
                             expert=True)  # fmt: skip
    max_features: int = declare(
        3000, "keep at most this many features a picture, the strongest", 1, MOST_FEATURES, expert=True
    )
    contrast_threshold: float = declare(
        0.005, "SIFT's contrast threshold: lower finds more, weaker features", 0.0, 1.0, expert=True
    )
    extractor: str = declare(
        NATIVE, "whose SIFT: bof's own, which finds nearly the same features in a third of the time, or OpenCV's; "
        "learned: the model of {features}; own: no picture is read, the caller brings features of any kind",
        choices=(*EXTRACTORS, LEARNED, OWN), expert=True,
    )  # fmt: skip
    reading: str = declare(
        ADAPTIVE, "adaptive: long pictures by their area, in tiles; small, faint and flat ones so that they have "
        "features; plain: all alike",
        choices=READINGS, expert=True,
    )  # fmt: skip

    model: str = ""
    """Of learned features: the SHA-256 of the model's file."""

    model_file: str = field(default="", compare=False)
    """Where that file lies here. It is no fact of an index: whatever lies there must have that SHA-256."""

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.model and (self.extractor != LEARNED or not re.fullmatch("[0-9a-f]{64}", self.model)):
            found = f"the extractor {self.extractor} and the model {self.model[:80]!r}"
            raise OptionError(option="features", expected="a model beside the extractor learned alone", found=found)

    @property
    def is_learned(self) -> bool:
        """Does a model find features?"""
        return self.extractor == LEARNED

    @property
    def is_like_sift(self) -> bool:
        """Have features directions, and descriptors in cells, by which those of the mirror image and of the inverse are
        known without their pixels? Features of the caller's own are taken to.
        """
        return self.extractor != LEARNED

    @property
    def extent(self) -> PixelLimit:
        """The limit of pixels that pictures are decoded with."""
        return Extent(self.max_side) if self.reading == ADAPTIVE else self.max_side

    @property
    def is_adaptive(self) -> bool:
        """Is each kind of picture read as suits it?"""
        return self.reading == ADAPTIVE

    def replaced(self, **changes: Any) -> FeatureOptions:
        """These options with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def cost(self) -> dict[str, Any]:
        """What presets choose: all but whose features they are, and the reading."""
        return {n: value for n, value in dataclasses.asdict(self).items() if n not in _NOT_COST}

    @property
    def fact(self) -> dict[str, Any]:
        """As vocabularies and indexes record them. What was at first goes without saying: OpenCV, the plain reading."""
        found, first = dataclasses.asdict(self), (("extractor", OPENCV), ("reading", PLAIN), ("model", ""))
        del found["model_file"]
        return {name: value for name, value in found.items() if (name, value) not in first}

    @classmethod
    def from_fact(cls, fact: Mapping[str, Any]) -> FeatureOptions:
        """The options of which that is the fact. Raises TypeError, OptionError where it is none."""
        if "model_file" in fact:
            raise TypeError("model_file is no fact")
        return cls(**{"extractor": OPENCV, "reading": PLAIN, **fact})


PRESETS: Mapping[str, FeatureOptions] = MappingProxyType(
    {
        "fast": FeatureOptions(max_side=384, max_features=2000),
        "balanced": FeatureOptions(),
        "accurate": FeatureOptions(max_features=4000),
    }
)
"""Extraction by name: less time, the default, more features to prove with. Measured by scripts/extraction."""

PRESET = Option("preset", None, "for a new index: fewer features sooner, or more of them", choices=tuple(PRESETS))
