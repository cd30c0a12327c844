"""A picture becomes features by a learned model that the user names: points of its own, descriptors as 128 bytes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bof.errors import ModelError
from bof.features.descriptor_bytes import descriptor_bytes
from bof.features.learned_model import PAGE, LearnedModel, cached_model
from bof.options import LEARNED, FeatureOptions
from bof.types import F32, U8

_ADVICE = f"name it with {{features}} FILE.onnx: see docs/{PAGE}"

SCALE_PX = 16.0
"""The diameter, in pixels as the picture is worked on, of points of models that say none: all are of one size."""


def learned_features(pixels: U8, options: FeatureOptions) -> tuple[F32, U8]:
    """Key points f32 (n, 4) of pixels u8 (h, w): x, y, size and angle as OpenCV has them; descriptors u8 (n, 128).

    A picture that is so small that twice its sides fit options.max_side is seen enlarged twice, too: SIFT does that
    with every picture. Strongest first, ties by y and x. Where the model has no angles all are 0, which geometry takes
    as none (`geometry.two_points`). Raises ModelError where the model cannot be used.
    """
    if not pixels.size:
        return np.empty((0, 4), np.float32), np.empty((0, 128), np.uint8)
    model = model_of(options)
    looks = [_look(model, pixels, times) for times in ((2, 1) if 2 * max(pixels.shape) <= options.max_side else (1,))]
    keypoints, descriptors, score = (np.concatenate(columns) for columns in zip(*looks, strict=True))
    order = np.lexsort((keypoints[:, 0], keypoints[:, 1], -score))[: options.max_features]
    return keypoints[order], descriptor_bytes(descriptors[order])


def _look(model: LearnedModel, pixels: U8, times: int) -> tuple[F32, F32, F32]:
    """Key points f32 (n, 4) in pixels, descriptors f32 (n, d) and scores of pixels that are enlarged some times."""
    seen = pixels if times == 1 else cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    found = model.find(np.asarray(seen, np.uint8))
    keypoints = np.zeros((len(found.xy), 4), np.float32)
    keypoints[:, :2] = (found.xy + np.float32(0.5)) / np.float32(times) - np.float32(0.5)
    keypoints[:, 2] = (SCALE_PX if found.scale is None else found.scale) / np.float32(times)
    if found.angle is not None:
        keypoints[:, 3] = found.angle % np.float32(360)
    return keypoints, found.descriptors, found.score


def model_of(options: FeatureOptions) -> LearnedModel:
    """The model of learned features. Raises ModelError where it is not at hand, MismatchError where it is another."""
    if not options.model or not options.model_file:
        expected = f"the file of the model {options.model[:12]}" if options.model else "a model of learned features"
        raise ModelError(expected=expected, found="none", advice=_ADVICE)
    return cached_model(Path(options.model_file), options.model)


def learned_options(path: Path, options: FeatureOptions) -> FeatureOptions:
    """These options with the model in a file. Raises ModelError where it is none of local features."""
    model = cached_model(path)
    return options.replaced(extractor=LEARNED, model=model.sha256, model_file=str(model.path))
