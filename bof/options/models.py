"""How an image model is used: its options, and what may be done to a picture's pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bof.options.option import Checked, declare

MAX_SIZE = 4096

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of red, green and blue, in fractions of full brightness: (pixel / 255 - mean) / std."""

NORMALISATIONS: Mapping[str, Normalisation] = MappingProxyType(
    {
        "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        "none": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
    }
)


def normalisation_of(mean: Sequence[float], std: Sequence[float]) -> Normalisation:
    """Numbers above 1 are on the scale of bytes; one number stands for three. Raises ValueError."""
    mean, std = (list(values) * 3 if len(values) == 1 else values for values in (mean, std))
    if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, [*mean, *std])) or min(std) <= 0:
        raise ValueError("not three finite numbers each, or a standard deviation of 0")
    scale = 255.0 if max(*mean, *std) > 1 else 1.0
    return tuple(x / scale for x in mean), tuple(x / scale for x in std)


def read_normalisation(text: str) -> Normalisation:
    """By name, or from R,G,B/R,G,B. Raises ValueError."""
    if text in NORMALISATIONS:
        return NORMALISATIONS[text]
    mean, _, std = text.partition("/")
    return normalisation_of([float(x) for x in mean.split(",")], [float(x) for x in std.split(",")])


def _checked(text: str) -> str:
    """The text, which names a normalisation or is one. Raises ValueError."""
    if text != "auto":
        read_normalisation(text)
    return text


@dataclass(frozen=True, slots=True)
class ModelOptions(Checked):
    """How a model is used."""

    size: int = declare(0, "side of the square that the model sees; 0: as it says", 0, MAX_SIZE, unit="pixels")
    layout: str = declare("auto", "colours before rows (nchw) or last (nhwc)", choices=("auto", "nchw", "nhwc"))
    resize: str = declare(
        "squash",
        "how a picture becomes the model's shape: squashed, cut, or with borders",
        choices=("squash", "crop", "pad"),
    )
    normalise: str = declare(
        "auto",
        "what is done to the pixels: imagenet, half (-1 to 1), unit (0 to 1), none (0 to 255), or mean and standard "
        "deviation of red, green, blue as R,G,B/R,G,B; auto: as the model's metadata says, else imagenet",
        form=f"auto, {', '.join(NORMALISATIONS)} or mean and standard deviation like 0.5,0.5,0.5/0.2,0.2,0.2",
        parse=_checked,
    )
    pool: str = declare(
        "auto",
        "how several vectors become one: their average, their generalised mean (gem), or the class token (token); "
        "auto: gem of a map, the class token of tokens",
        choices=("auto", "average", "gem", "token"),
    )
    output: str = declare("", "name of the output to use, where the model has several")
