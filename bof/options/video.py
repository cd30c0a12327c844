"""Options of films: what of them becomes pictures of an index."""

from __future__ import annotations

from dataclasses import dataclass

from bof.options.option import Checked, declare


@dataclass(frozen=True, slots=True)
class VideoOptions(Checked):
    """How a film becomes keyframes."""

    sampling_step: float = declare(
        0.5, "find features in a frame of a film this often; half of it takes about half as long again", 0.05, 60.0,
        unit="seconds", expert=True,
    )  # fmt: skip
    sightings: int = declare(
        3, "keep a feature of a film that is seen in this many samples; fewer keep what only few frames have", 1, 100,
        expert=True,
    )  # fmt: skip
    keyframe_features: int = declare(
        800, "keep at most this many features of a keyframe, those seen longest; each takes 24 bytes", 1, 65535,
        expert=True,
    )  # fmt: skip
