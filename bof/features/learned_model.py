"""A learned model of local features: what an ONNX file must take and give, checked before it is believed.

Input: one, f32 (1, c, h, w), c 1 (grey) or 3 (grey three times), 0 to 1, height and width free; sides are multiples of
what the metadata `bof.multiple_of` says (else 32). Outputs by name: `keypoints` f32 (n, 2), x and y in pixels of the
input, 0 the middle of the first; `descriptors` f32 (n, d); `scores` f32 (n,), higher is better; and where the model has
them `scales` f32 (n,), diameters in pixels, and `angles` f32 (n,), in degrees as OpenCV counts them. Each may have a
batch axis of 1 in front. docs/learned-features.md says it for people.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import MismatchError, ModelError
from bof.onnx_models.session import open_session, require_file, run_session, stamp_of_model
from bof.onnx_models.trial import require_trial
from bof.onnx_models.weights import weight_files
from bof.types import F32, U8

PAGE = "learned-features.md"

MAX_BYTES = 1 << 28
"""Of a model's file: every vocabulary and index of its features carries a copy."""

KEYPOINTS, DESCRIPTORS, SCORES, SCALES, ANGLES = "keypoints", "descriptors", "scores", "scales", "angles"
_NEEDED, _OPTIONAL = (KEYPOINTS, DESCRIPTORS, SCORES), (SCALES, ANGLES)

_MULTIPLE_OF = "bof.multiple_of"
_LEAST_LENGTH, _MOST_LENGTH, _MOST_MULTIPLE = 8, 1024, 256
_MOST_FEATURES = 1 << 18
_TRIAL = "bof.features.learned_model:try_model"


@dataclass(frozen=True, slots=True)
class ModelFeatures:
    """What a model gives of a picture, checked: xy f32 (n, 2), descriptors f32 (n, d), score f32 (n,), and scale and
    angle f32 (n,), None where it has none.
    """

    xy: F32
    descriptors: F32
    score: F32
    scale: F32 | None
    angle: F32 | None


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A loaded model. input: its name; channels: 1 or 3; multiple_of: of what the sides are multiples; outputs: the
    names of those that it has.
    """

    path: Path
    sha256: str
    input: str
    channels: int
    multiple_of: int
    outputs: tuple[str, ...]
    session: Any

    def find(self, pixels: U8) -> ModelFeatures:
        """What it gives of a grey picture u8 (h, w), padded below and on the right to what it takes.

        Key points in the padding are left out. Raises ModelError where the outputs are none of features.
        """
        height, width = pixels.shape
        padded = _padded(pixels, self.multiple_of).astype(np.float32) / np.float32(255)
        tensor = np.ascontiguousarray(np.broadcast_to(padded, (1, self.channels, *padded.shape)))
        raw = run_session(self.session, self.path, self.input, self.outputs, tensor)
        found = self._checked(dict(zip(self.outputs, raw, strict=True)))
        inside = ((found.xy >= -0.5) & (found.xy < [width - 0.5, height - 0.5])).all(axis=1)
        if inside.all():
            return found
        scale, angle = (None if column is None else column[inside] for column in (found.scale, found.angle))
        return ModelFeatures(found.xy[inside], found.descriptors[inside], found.score[inside], scale, angle)

    def _checked(self, outputs: Mapping[str, NDArray[Any]]) -> ModelFeatures:
        named = {name: self._column(name, values) for name, values in outputs.items()}
        n, length = named[DESCRIPTORS].shape
        shapes = {KEYPOINTS: (n, 2), DESCRIPTORS: (n, length), SCORES: (n,), SCALES: (n,), ANGLES: (n,)}
        for name, values in named.items():
            if values.shape != shapes[name]:
                found = f"{list(values.shape)} beside descriptors {[n, length]}"
                raise self._unsuitable(f"{name} of shape {list(shapes[name])}", found)
            if not np.isfinite(values).all():
                raise self._unsuitable(f"finite numbers in {name}", "others")
        if not _LEAST_LENGTH <= length <= _MOST_LENGTH or n > _MOST_FEATURES:
            expected = f"at most {_MOST_FEATURES} descriptors of {_LEAST_LENGTH} to {_MOST_LENGTH} numbers"
            raise self._unsuitable(expected, f"{n} of {length}")
        if SCALES in named and n and float(named[SCALES].min()) <= 0:
            raise self._unsuitable("scales above 0", f"{named[SCALES].min():g}")
        return ModelFeatures(named[KEYPOINTS], named[DESCRIPTORS], named[SCORES], named.get(SCALES), named.get(ANGLES))

    def _column(self, name: str, values: NDArray[Any]) -> F32:
        """An output without its batch axis."""
        n_axes = 2 if name in (KEYPOINTS, DESCRIPTORS) else 1
        if values.dtype.kind not in "fiu":
            raise self._unsuitable(f"numbers in {name}", str(values.dtype))
        if values.ndim == n_axes + 1 and values.shape[0] == 1:
            values = values[0]
        if values.ndim != n_axes:
            raise self._unsuitable(f"{name} of {n_axes} axes, or one more of 1 before them", str(list(values.shape)))
        return np.asarray(values, np.float32)

    def _unsuitable(self, expected: str, found: str) -> ModelError:
        return _unsuitable(self.path, expected, found)


def load_model(path: Path, sha256: str = "") -> LearnedModel:
    """Load an ONNX file and try it on two pictures, one of them without anything in it.

    What a file that nobody has tried yet does to this process is not limited: `cached_model` tries it elsewhere first.
    sha256: of the file that it must be, "": any. Raises ModelError where it is no model of local features or
    onnxruntime is missing, MismatchError where it is another.
    """
    path = Path(os.path.abspath(path))
    _require_one_file(path)
    content = path.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    if sha256 and key != sha256:
        raise _another(path, key, sha256)  # before it is run
    session = open_session(path, content=content)
    name, channels = _input_of(path, session.get_inputs())
    multiple = _multiple_of(path, session.get_modelmeta().custom_metadata_map)
    model = LearnedModel(path, key, name, channels, multiple, _outputs_of(path, session), session)
    length = model.find(_trial_picture()).descriptors.shape[1]
    if model.find(np.full((64, 64), 128, np.uint8)).descriptors.shape[1] != length:
        raise _unsuitable(path, f"descriptors of {length} numbers of every picture", "others")
    return model


def cached_model(path: Path, sha256: str = "") -> LearnedModel:
    """The same, loaded once in each process for as long as the file stays what it is, and tried elsewhere before."""
    path = Path(os.path.abspath(path))
    return _cached(path, stamp_of_model(path), sha256)


@lru_cache(maxsize=2)
def _cached(path: Path, stamp: tuple[int, int], sha256: str) -> LearnedModel:
    _require_one_file(path)
    require_trial(path, _TRIAL, sha256)
    return load_model(path, sha256)


def try_model(sha256: str, path: Path) -> None:
    """What the process does that tries a model."""
    load_model(path, sha256)


def _another(path: Path, found: str, expected: str) -> MismatchError:
    advice = "give the model of the vocabulary, or index again with a vocabulary of this one"
    return MismatchError(path=path, expected=f"the model {expected[:12]}", found=found[:12], advice=advice)


def _require_one_file(path: Path) -> None:
    require_file(path, PAGE)
    n_bytes = path.stat().st_size
    if n_bytes > MAX_BYTES:
        raise _unsuitable(path, f"at most {MAX_BYTES >> 20} MB", f"{n_bytes >> 20} MB")
    if others := weight_files(path):
        raise _unsuitable(path, "a model in one file", f"weights in {others[0].name}", "export it in one file")


def _input_of(path: Path, inputs: Sequence[Any]) -> tuple[str, int]:
    """The name of the input, and how many colours it takes."""
    if len(inputs) != 1:
        raise _unsuitable(path, "one input, a picture", f"{len(inputs)}: {', '.join(i.name for i in inputs) or 'none'}")
    shape, kind = list(inputs[0].shape), inputs[0].type
    is_batch = len(shape) == 4 and (shape[0] in (1, None) or isinstance(shape[0], str))
    if not is_batch or shape[1] not in (1, 3) or kind != "tensor(float)":
        raise _unsuitable(path, "an input of float32 [1, 1 or 3, height, width]", f"{kind} {shape}")
    if any(isinstance(side, int) for side in shape[2:]):
        raise _unsuitable(path, "free height and width", str(shape), "export it with dynamic axes")
    return inputs[0].name, shape[1]


def _outputs_of(path: Path, session: Any) -> tuple[str, ...]:
    names = [output.name for output in session.get_outputs()]
    if missing := [name for name in _NEEDED if name not in names]:
        raise _unsuitable(path, f"outputs {', '.join(_NEEDED)}", f"{', '.join(names)}: no {', '.join(missing)}")
    return tuple(name for name in (*_NEEDED, *_OPTIONAL) if name in names)


def _multiple_of(path: Path, metadata: Mapping[str, str]) -> int:
    text = metadata.get(_MULTIPLE_OF, "32")
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= _MOST_MULTIPLE):
        raise _unsuitable(path, f"{_MULTIPLE_OF} from 1 to {_MOST_MULTIPLE}", repr(text[:40]))
    return int(text)


def _unsuitable(path: Path, expected: str, found: str, advice: str = "") -> ModelError:
    advice = advice or f"docs/{PAGE} says what a model of local features takes and gives"
    return ModelError(path=path, expected=expected, found=found, advice=advice)


def _padded(pixels: U8, multiple: int) -> U8:
    """The last row and column go on to multiples, at least two of them, that no model is without a pixel inside."""
    height, width = pixels.shape
    below, right = (max(-(-side // multiple), 2) * multiple - side for side in (height, width))
    return np.pad(pixels, ((0, below), (0, right)), mode="edge")


def _trial_picture() -> U8:
    """Blocks of every brightness, with corners."""
    blocks = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
    return np.asarray(np.kron(blocks, np.ones((16, 16), np.uint8)), np.uint8)
