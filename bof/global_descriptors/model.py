"""What an ONNX image model wants to see: read from its input, its metadata and the user's options; pictures made so."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof.errors import ModelError, OptionError
from bof.types import F32, U8

MAX_SIZE = 4096
DTYPES: Mapping[str, str] = MappingProxyType(
    {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
)
NORMALISATIONS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = MappingProxyType(
    {
        "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        "none": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
    }
)
"""Mean and standard deviation of red, green and blue, in fractions of full brightness: (pixel / 255 - mean) / std."""

_SAYS_MEAN, _SAYS_STD = ("mean", "image_mean"), ("std", "image_std")
_SAYS_SIZE = ("input_size", "size", "crop_size", "image_size")
"""Names under which models say so: those of timm's configurations and of Hugging Face's preprocessors."""


def _choice(default: str, choices: Sequence[str], meaning: str) -> Any:
    return dataclasses.field(default=default, metadata={"choices": tuple(choices), "meaning": meaning})


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is used."""

    size: int = dataclasses.field(
        default=0,
        metadata={"meaning": f"side in pixels of the square that the model sees; 0: as it says (0 to {MAX_SIZE})"},
    )
    layout: str = _choice("auto", ("auto", "nchw", "nhwc"), "colours before rows (nchw) or last (nhwc)")
    resize: str = _choice(
        "squash", ("squash", "crop", "pad"), "how a picture becomes the model's shape: squashed, cut, or with borders"
    )
    normalise: str = _choice(
        "auto",
        (),
        "what is done to the pixels: imagenet, half (-1 to 1), unit (0 to 1), none (0 to 255), or mean and standard "
        "deviation of red, green, blue as R,G,B/R,G,B; auto: as the model's metadata says, else imagenet",
    )
    pool: str = _choice(
        "auto",
        ("auto", "average", "gem", "token"),
        "how several vectors become one: their average, their generalised mean (gem), or the class token (token); "
        "auto: gem of a map, the class token of tokens",
    )
    output: str = _choice("", (), "name of the output to use, where the model has several")

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise OptionError(f"{model_flag('size')}: expected 0 to {MAX_SIZE}, found {self.size}")
        for field in fields(self):
            choices, value = field.metadata.get("choices"), getattr(self, field.name)
            if choices and value not in choices:
                raise OptionError(f"{model_flag(field.name)}: expected {' or '.join(choices)}, found {value!r}")
        if self.normalise != "auto":
            parse_normalisation(self.normalise)


@dataclass(frozen=True, slots=True)
class ModelInput:
    """The input of a model: (1, 3, height, width) or (1, height, width, 3) of a dtype; (pixel / 255 - mean) / std."""

    name: str
    layout: str
    height: int
    width: int
    dtype: str
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


def model_flag(field_name: str) -> str:
    """The command-line flag of a field of ModelOptions."""
    return f"--model-{field_name}"


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """One flag for every field of ModelOptions; read them with `model_options`."""
    group = parser.add_argument_group((ModelOptions.__doc__ or "").rstrip("."))
    for field in fields(ModelOptions):
        choices = field.metadata.get("choices") or None
        group.add_argument(
            model_flag(field.name),
            type=type(field.default),
            default=field.default,
            choices=choices,
            metavar=None if choices else "N" if isinstance(field.default, int) else "TEXT",
            help=f"{field.metadata['meaning']} (default {field.default or 'none'})".replace("(default none)", ""),
        )


def model_options(arguments: argparse.Namespace) -> ModelOptions:
    """The options that the flags of `add_model_options` were given."""
    return ModelOptions(**{field.name: getattr(arguments, f"model_{field.name}") for field in fields(ModelOptions)})


def parse_normalisation(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation (3,) by name, or from R,G,B/R,G,B. Raises OptionError."""
    if text in NORMALISATIONS:
        return NORMALISATIONS[text]
    mean, _, std = text.partition("/")
    try:
        return _fractions([float(x) for x in mean.split(",")], [float(x) for x in std.split(",")])
    except ValueError as error:
        raise OptionError(
            f"{model_flag('normalise')}: expected auto, {', '.join(NORMALISATIONS)} or mean and standard deviation "
            f"like 0.5,0.5,0.5/0.2,0.2,0.2, found {text!r}"
        ) from error


def _fractions(mean: Sequence[float], std: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """In fractions of full brightness; numbers above 1 are on the scale of bytes. Raises ValueError."""
    mean, std = (list(values) * 3 if len(values) == 1 else values for values in (mean, std))
    if len(mean) != 3 or len(std) != 3 or not np.isfinite([*mean, *std]).all() or min(std) <= 0:
        raise ValueError("not three finite numbers each, or a standard deviation of 0")
    scale = 255.0 if max(*mean, *std) > 1 else 1.0
    return tuple(x / scale for x in mean), tuple(x / scale for x in std)


def read_wanted(name: str, inputs: Sequence[Any], metadata: Mapping[str, str], options: ModelOptions) -> ModelInput:
    """What the model called `name` wants; inputs: onnxruntime's, each with name, shape and type.

    Raises ModelError where this is no model of single RGB pictures, OptionError where options are missing or
    contradict it.
    """
    if len(inputs) != 1:
        names = ", ".join(found.name for found in inputs) or "none"
        raise ModelError(f"{name}: expected a model with one input, a picture; found {len(inputs)}: {names}")
    shape, kind = list(inputs[0].shape), inputs[0].type
    if len(shape) != 4:
        raise ModelError(
            f"{name}: expected an input of four axes (batch, colours, rows, columns), found {shape} "
            f"of {inputs[0].name!r}; is this a model of pictures?"
        )
    if kind not in DTYPES:
        raise ModelError(f"{name}: expected an input of {', '.join(DTYPES.values())}, found {kind}")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise ModelError(f"{name}: expected batches of 1, found {shape[0]}; export it with 1 or a free batch axis")
    layout = _layout(name, shape, options)
    height, width = _size(name, shape[2:] if layout == "nchw" else shape[1:3], metadata, options)
    mean, std = _normalisation(name, DTYPES[kind], metadata, options)
    return ModelInput(inputs[0].name, layout, height, width, DTYPES[kind], options.resize, mean, std)


def _layout(name: str, shape: Sequence[Any], options: ModelOptions) -> str:
    """nchw or nhwc: where the three colours are."""
    axes = {"nchw": shape[1], "nhwc": shape[3]}
    sure = [layout for layout, n in axes.items() if n == 3]
    possible = sure or [layout for layout, n in axes.items() if not isinstance(n, int)]
    if not possible:
        raise ModelError(f"{name}: expected an input with three colours on axis 1 or 3, found {list(shape)}")
    if options.layout == "auto" and len(possible) == 1:
        return possible[0]
    if options.layout == "auto":
        raise OptionError(
            f"{model_flag('layout')}: expected nchw or nhwc, found auto; {name} takes {list(shape)}, which may be both"
        )
    if options.layout not in possible:
        raise OptionError(
            f"{model_flag('layout')}: expected {possible[0]}, found {options.layout}; {name} takes {list(shape)}"
        )
    return options.layout


def _size(name: str, sides: Sequence[Any], metadata: Mapping[str, str], options: ModelOptions) -> tuple[int, int]:
    """Height and width in pixels: fixed by the model, else asked for, else what its metadata says."""
    said = options.size or _said_size(metadata)
    height, width = (side if isinstance(side, int) else said for side in sides)
    if not (height and width):
        raise OptionError(
            f"{model_flag('size')}: expected a size in pixels, found none; {name} takes pictures of any size and does "
            "not say which it was trained on (often 224)"
        )
    if options.size and (height, width) != (options.size, options.size):
        raise OptionError(
            f"{model_flag('size')}: expected none, since {name} takes {width} x {height} pixels only, "
            f"found {options.size}"
        )
    if not (1 <= height <= MAX_SIZE and 1 <= width <= MAX_SIZE):
        raise ModelError(f"{name}: expected pictures of 1 to {MAX_SIZE} pixels a side, found {width} x {height}")
    return height, width


def _said_size(metadata: Mapping[str, str]) -> int:
    """The side that metadata names, 0 where it names none."""
    for key in _SAYS_SIZE:
        found = [int(x) for x in _numbers(metadata.get(key, ""))]
        if found:
            return found[-1]
    return 0


def _normalisation(
    name: str, dtype: str, metadata: Mapping[str, str], options: ModelOptions
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if dtype == "uint8":
        if options.normalise not in ("auto", "none"):
            raise OptionError(
                f"{model_flag('normalise')}: expected none, found {options.normalise}; {name} takes bytes"
            )
        return NORMALISATIONS["none"]
    if options.normalise != "auto":
        return parse_normalisation(options.normalise)
    mean, std = (_first(metadata, keys) for keys in (_SAYS_MEAN, _SAYS_STD))
    if not (mean and std):
        return NORMALISATIONS["imagenet"]
    try:
        return _fractions(mean, std)
    except ValueError as error:
        raise OptionError(
            f"{model_flag('normalise')}: expected a value, since {name} says mean {mean} and std {std}, which are not "
            "three numbers each; found auto"
        ) from error


def _first(metadata: Mapping[str, str], keys: Sequence[str]) -> list[float]:
    return next((_numbers(metadata[key]) for key in keys if key in metadata), [])


def _numbers(text: str) -> list[float]:
    """All numbers of a text, JSON or not: [0.5, 0.5, 0.5], 224, {"height": 224, "width": 224}."""
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text))
    return [float(x) for x in re.findall(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)]


def prepare(pixels: U8, wanted: ModelInput) -> NDArray[Any]:
    """A picture RGB u8 (h, w, 3) as the model wants it, of one picture: (1, 3, h, w) or (1, h, w, 3)."""
    fitted = _fit(pixels, wanted)
    tensor: NDArray[Any] = fitted if wanted.dtype == "uint8" else _normalised(fitted, wanted)
    tensor = tensor.transpose(2, 0, 1) if wanted.layout == "nchw" else tensor
    return np.ascontiguousarray(tensor[None], wanted.dtype)


def _normalised(pixels: U8, wanted: ModelInput) -> F32:
    """One multiplication and one addition a number, in float32: pixel / (255 std) - mean / std."""
    std = np.array(wanted.std)
    factor, offset = (1 / (255 * std)).astype(np.float32), (np.array(wanted.mean) / std).astype(np.float32)
    return np.asarray(pixels * factor - offset, np.float32)


def _fit(pixels: U8, wanted: ModelInput) -> U8:
    """u8 (height, width, 3): squashed, or its middle, or with borders of the mean colour."""
    height, width = pixels.shape[:2]
    if wanted.resize == "squash":
        return _scaled(pixels, wanted.height, wanted.width)
    ratios = wanted.height / height, wanted.width / width
    scale = max(ratios) if wanted.resize == "crop" else min(ratios)
    sides = [max(1, round(height * scale)), max(1, round(width * scale))]
    if wanted.resize == "crop":
        return _middle(pixels, wanted, scale)
    top, left = (wanted.height - sides[0]) // 2, (wanted.width - sides[1]) // 2
    framed = np.empty((wanted.height, wanted.width, 3), np.uint8)
    framed[:] = np.rint(np.array(wanted.mean) * 255).clip(0, 255)
    framed[top : top + sides[0], left : left + sides[1]] = _scaled(pixels, *sides)
    return framed


def _middle(pixels: U8, wanted: ModelInput, scale: float) -> U8:
    """The largest part of the wanted shape, cut out before it is scaled: a long strip is never blown up whole."""
    height, width = pixels.shape[:2]
    rows, columns = (max(1, round(wanted.height / scale)), max(1, round(wanted.width / scale)))
    top, left = (height - rows) // 2, (width - columns) // 2
    return _scaled(pixels[top : top + rows, left : left + columns], wanted.height, wanted.width)


def _scaled(pixels: U8, height: int, width: int) -> U8:
    """Shrinking averages areas, growing interpolates."""
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=how), np.uint8)
