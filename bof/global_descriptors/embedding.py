"""Deep features: an ONNX image model that the user names makes one vector of unit length of every picture."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof.errors import ImageError, MismatchError, ModelError, OptionError
from bof.global_descriptors.model import ModelInput, prepare, read_model_input
from bof.global_descriptors.pooling import F16, choose_pool, pooled, unit
from bof.onnx_models.session import open_session, require_file, run_session, sha256_of_model, stamp_of_model
from bof.onnx_models.trial import require_trial
from bof.options import ModelOptions
from bof.system.threads import in_threads
from bof.types import F32, F64, U8

_MAX_DIMENSION = 1 << 15
_NUMBERS_AT_ONCE = 1 << 21
"""Of the rows that are compared together: 8 megabytes a thread, whatever the collection."""

_TRIAL = "bof.global_descriptors.embedding:try_model"

_ZERO: Any = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model; dimension: of its vectors. output: the name of the one that is used; pool: none, or how."""

    path: Path
    sha256: str
    model_input: ModelInput
    output: str
    pool: str
    dimension: int
    session: Any

    @property
    def facts(self) -> Mapping[str, Any]:
        """What decides which vector a picture gets, as JSON has it; `file` only tells people which model it was."""
        model_input = dataclasses.asdict(self.model_input)
        model_input.update(mean=list(self.model_input.mean), std=list(self.model_input.std))
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            "dimension": self.dimension,
            "input": model_input,
            "output": self.output,
            "pool": self.pool,
        }

    def require(self, facts: Mapping[str, Any]) -> None:
        """Raises MismatchError unless vectors with these facts can be compared with this model's."""
        mine = self.facts
        differing = [key for key in mine if key != "file" and facts.get(key) != mine[key]]
        if differing:
            expected, found = (", ".join(f"{key} {those.get(key)}" for key in differing) for those in (facts, mine))
            raise MismatchError(
                path=self.path,
                expected=f"the model of the index, {facts.get('file')}, with {expected}",
                found=found,
                advice="give that model and its options, or make the column again with this one",
            )

    def describe(self, pixels: U8, name: str = "the picture") -> F16:
        """The vector f16 (d,), of length 1, of a picture RGB u8 (h, w, 3); zeros where the model gives only zeros.

        Raises ImageError where the model's numbers are not finite, ModelError where they are not as many as at first.
        """
        vector = self._vector(prepare(pixels, self.model_input))
        if not np.isfinite(vector).all():
            expected = f"finite numbers from {self.path.name}"
            raise ImageError(path=name, expected=expected, found=_not_finite(vector))
        if len(vector) != self.dimension:
            raise ModelError(
                path=self.path,
                expected=f"{self.dimension} numbers a picture",
                found=f"{len(vector)} of {name}",
                advice="the model must give as many for all",
            )
        return unit(vector)

    def _vector(self, tensor: NDArray[Any]) -> F64:
        [raw] = run_session(self.session, self.path, self.model_input.name, [self.output], tensor)
        return pooled(raw, self.pool, self.model_input)


def arrays_of(dimension: int) -> Mapping[str, tuple[str, tuple[int, ...]]]:
    """What is stored of every picture: one row of float16."""
    return MappingProxyType({"embedding": ("<f2", (dimension,))})


def try_model(options: ModelOptions, path: Path) -> None:
    """What the process does that tries a model."""
    load_model(path, options)


def load_model(path: Path, options: ModelOptions | None = None, threads: int = 1) -> Model:
    """Load an ONNX file and try it on a picture. threads: how many it may use; one is right where processes share work.

    What a file that nobody has tried yet does to this process is not limited: `cached_model` tries it elsewhere first.
    Raises ModelError where it is no image model or onnxruntime is missing, OptionError where options are missing or
    contradict the model.
    """
    options, path = options or ModelOptions(), Path(os.path.abspath(path))
    _require_file(path)
    session = open_session(path, threads)
    metadata = session.get_modelmeta().custom_metadata_map
    model_input = read_model_input(str(path), session.get_inputs(), metadata, options)
    output = _chosen_output(path, session, options)
    [raw] = run_session(session, path, model_input.name, [output], prepare(_trial_picture(), model_input))
    pool = choose_pool(str(path), raw, model_input, options)
    vector = pooled(raw, pool, model_input)
    if not np.isfinite(vector).all():
        raise ModelError(path=path, expected="finite numbers of a picture", found=_not_finite(vector))
    if not 1 <= len(vector) <= _MAX_DIMENSION:
        expected, advice = (
            f"a vector of 1 to {_MAX_DIMENSION} numbers",
            "cut the model before its head, or pool its map",
        )
        raise ModelError(path=path, expected=expected, found=len(vector), advice=advice)
    return Model(path, sha256_of_model(path), model_input, output, pool, len(vector), session)


def cached_model(path: Path, options: ModelOptions | None = None, threads: int = 1) -> Model:
    """The same, loaded once in each process for as long as the file stays what it is, and tried elsewhere before."""
    path = Path(os.path.abspath(path))
    return _cached(path, options or ModelOptions(), threads, stamp_of_model(path))


@lru_cache(maxsize=2)
def _cached(path: Path, options: ModelOptions, threads: int, stamp: tuple[int, int]) -> Model:
    _require_file(path)
    require_trial(path, _TRIAL, options)
    return load_model(path, options, threads)


def similarity(query: F16, rows: F16) -> F32:
    """How alike f32 (n,) rows f16 (n, d), of length 1, are to a query f16 (d,): (1 + cosine) / 2.

    Each row is multiplied by itself, so others beside it, threads and chunks change no bit.
    """
    n, d = rows.shape
    step, values = max(1, _NUMBERS_AT_ONCE // d), query.astype(np.float32)
    cosine = np.empty(n, np.float32)

    def some(first: int) -> None:
        chunk = slice(first, first + step)
        cosine[chunk] = np.vecdot(_as_float32(rows[chunk]), values)

    in_threads(some, range(0, n, step))
    return np.asarray(np.clip((cosine + 1) * 0.5, 0, 1), np.float32)


def _as_float32(rows: F16) -> F32:
    """The same numbers. OpenCV does it four times as fast as numpy, which takes one at a time."""
    if not rows.size:
        return rows.astype(np.float32)
    return np.asarray(cv2.add(rows, _ZERO, dtype=cv2.CV_32F), np.float32)


def _chosen_output(path: Path, session: Any, options: ModelOptions) -> str:
    outputs = {output.name: output.shape for output in session.get_outputs()}
    named = ", ".join(f"{name} {shape}" for name, shape in outputs.items())
    if options.output and options.output not in outputs:
        raise OptionError(option="output", expected=f"one of {path.name}: {named}", found=repr(options.output))
    if not options.output and len(outputs) != 1:
        raise OptionError(option="output", expected=f"the output of {path.name} to use: {named}", found="none")
    return options.output or next(iter(outputs))


def _require_file(path: Path) -> None:
    require_file(path, "embedding.md")


def _trial_picture() -> U8:
    """Something of every brightness and colour, neither flat nor symmetric."""
    row, column = np.mgrid[:64, :64]
    return np.stack([column * 4, row * 4, (row + column) * 7 % 256], 2).astype(np.uint8)


def _not_finite(vector: F64) -> str:
    return f"{np.count_nonzero(~np.isfinite(vector))} of {len(vector)} that are not"
