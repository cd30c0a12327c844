"""What an ONNX image model wants to see: read from its input, its metadata and the user's options; pictures made so."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof.errors import ModelError, OptionError
from bof.options import ModelOptions
from bof.options.models import MAX_SIZE, NORMALISATIONS, Normalisation, normalisation_of, read_normalisation
from bof.types import F32, U8

_LONGEST_METADATA = 1000
DTYPES: Mapping[str, str] = MappingProxyType(
    {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
)
_SAYS_MEAN, _SAYS_STD = ("mean", "image_mean"), ("std", "image_std")
_SAYS_SIZE = ("input_size", "size", "crop_size", "image_size")
"""Names under which models say so: those of timm's configurations and of Hugging Face's preprocessors."""


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


def read_model_input(
    name: str, inputs: Sequence[Any], metadata: Mapping[str, str], options: ModelOptions
) -> ModelInput:
    """What the model called `name` wants; inputs: onnxruntime's, each with name, shape and type.

    Raises ModelError where this is no model of single RGB pictures, OptionError where options are missing or
    contradict it.
    """
    if len(inputs) != 1:
        names = ", ".join(found.name for found in inputs) or "none"
        found = f"{len(inputs)}: {names}"
        raise ModelError(path=name, expected="a model with one input, a picture", found=found)
    shape, kind = list(inputs[0].shape), inputs[0].type
    if len(shape) != 4:
        raise ModelError(
            path=name,
            expected="an input of four axes (batch, colours, rows, columns)",
            found=f"{shape} of {inputs[0].name!r}",
            advice="is this a model of pictures?",
        )
    if kind not in DTYPES:
        raise ModelError(path=name, expected=f"an input of {', '.join(DTYPES.values())}", found=kind)
    if isinstance(shape[0], int) and shape[0] != 1:
        advice = "export it with 1 or a free batch axis"
        raise ModelError(path=name, expected="batches of 1", found=shape[0], advice=advice)
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
        raise ModelError(path=name, expected="an input with three colours on axis 1 or 3", found=list(shape))
    if options.layout == "auto" and len(possible) == 1:
        return possible[0]
    takes = f"{name} takes {list(shape)}"
    if options.layout == "auto":
        advice = f"{takes}, which may be both"
        raise OptionError(option="layout", expected="nchw or nhwc", found="auto", advice=advice)
    if options.layout not in possible:
        raise OptionError(option="layout", expected=possible[0], found=options.layout, advice=takes)
    return options.layout


def _size(name: str, sides: Sequence[Any], metadata: Mapping[str, str], options: ModelOptions) -> tuple[int, int]:
    """Height and width in pixels: fixed by the model, else asked for, else what its metadata says."""
    reported = options.size or _reported_size(metadata)
    height, width = (side if isinstance(side, int) else reported for side in sides)
    if not (height and width):
        advice = f"{name} takes pictures of any size and does not say which it was trained on (often 224)"
        raise OptionError(option="size", expected="a size in pixels", found="none", advice=advice)
    if options.size and (height, width) != (options.size, options.size):
        expected = f"none, since {name} takes {width} x {height} pixels only"
        raise OptionError(option="size", expected=expected, found=options.size)
    if not (1 <= height <= MAX_SIZE and 1 <= width <= MAX_SIZE):
        expected = f"pictures of 1 to {MAX_SIZE} pixels a side"
        raise ModelError(path=name, expected=expected, found=f"{width} x {height}")
    return height, width


def _reported_size(metadata: Mapping[str, str]) -> int:
    """The side that metadata names, 0 where it names none."""
    for key in _SAYS_SIZE:
        found = [int(x) for x in _numbers(metadata.get(key, "")) if np.isfinite(x)]
        if found:
            return found[-1]
    return 0


def _normalisation(name: str, dtype: str, metadata: Mapping[str, str], options: ModelOptions) -> Normalisation:
    if dtype == "uint8":
        if options.normalise not in ("auto", "none"):
            advice = f"{name} takes bytes"
            raise OptionError(option="normalise", expected="none", found=options.normalise, advice=advice)
        return NORMALISATIONS["none"]
    if options.normalise != "auto":
        return read_normalisation(options.normalise)
    mean, std = (_first(metadata, keys) for keys in (_SAYS_MEAN, _SAYS_STD))
    if not (mean and std):
        return NORMALISATIONS["imagenet"]
    try:
        return normalisation_of(mean, std)
    except ValueError as error:
        expected = f"a value, since {name} says mean {mean} and std {std}, which are not three numbers each"
        raise OptionError(option="normalise", expected=expected, found="auto") from error


def _first(metadata: Mapping[str, str], keys: Sequence[str]) -> list[float]:
    return next((_numbers(metadata[key]) for key in keys if key in metadata), [])


def _numbers(text: str) -> list[float]:
    """All numbers of a text, JSON or not: [0.5, 0.5, 0.5], 224, {"height": 224, "width": 224}."""
    text = text[:_LONGEST_METADATA]
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text))
    return [float(x) for x in re.findall(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)]


def prepare(pixels: U8, model_input: ModelInput) -> NDArray[Any]:
    """A picture RGB u8 (h, w, 3) as the model wants it, of one picture: (1, 3, h, w) or (1, h, w, 3)."""
    fitted = _fit(pixels, model_input)
    tensor: NDArray[Any] = fitted if model_input.dtype == "uint8" else _normalised(fitted, model_input)
    tensor = tensor.transpose(2, 0, 1) if model_input.layout == "nchw" else tensor
    return np.ascontiguousarray(tensor[None], model_input.dtype)


def _normalised(pixels: U8, model_input: ModelInput) -> F32:
    """One multiplication and one addition a number, in float32: pixel / (255 std) - mean / std."""
    std = np.array(model_input.std)
    factor, offset = (1 / (255 * std)).astype(np.float32), (np.array(model_input.mean) / std).astype(np.float32)
    return np.asarray(pixels * factor - offset, np.float32)


def _fit(pixels: U8, model_input: ModelInput) -> U8:
    """u8 (height, width, 3): squashed, or its middle, or with borders of the mean colour."""
    height, width = pixels.shape[:2]
    if model_input.resize == "squash":
        return _scaled(pixels, model_input.height, model_input.width)
    ratios = model_input.height / height, model_input.width / width
    scale = max(ratios) if model_input.resize == "crop" else min(ratios)
    sides = [max(1, round(height * scale)), max(1, round(width * scale))]
    if model_input.resize == "crop":
        return _middle(pixels, model_input, scale)
    top, left = (model_input.height - sides[0]) // 2, (model_input.width - sides[1]) // 2
    framed = np.empty((model_input.height, model_input.width, 3), np.uint8)
    framed[:] = np.rint(np.array(model_input.mean) * 255).clip(0, 255)
    framed[top : top + sides[0], left : left + sides[1]] = _scaled(pixels, *sides)
    return framed


def _middle(pixels: U8, model_input: ModelInput, scale: float) -> U8:
    """The largest part of the wanted shape, cut out before it is scaled: a long strip is never blown up whole."""
    height, width = pixels.shape[:2]
    rows, columns = (max(1, round(model_input.height / scale)), max(1, round(model_input.width / scale)))
    top, left = (height - rows) // 2, (width - columns) // 2
    return _scaled(pixels[top : top + rows, left : left + columns], model_input.height, model_input.width)


def _scaled(pixels: U8, height: int, width: int) -> U8:
    """Shrinking averages areas, growing interpolates."""
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=how), np.uint8)
