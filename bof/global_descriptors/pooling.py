"""What a model gives becomes one vector of length 1: itself, or average, generalised mean or class token of many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import ModelError, OptionError
from bof.global_descriptors.model import ModelInput
from bof.options import ModelOptions
from bof.types import F64

F16 = NDArray[np.float16]

GEM_POWER = 3.0
"""Radenovic, Tolias and Chum 2018, equation 3: between the average (1) and the maximum (infinite)."""

_GEM_FLOOR = 1e-6

_MAX_EXTRA = 16
"""Tokens that are no patches, at most: a class token, registers, those of distillation."""


def choose_pool(name: str, raw: NDArray[Any], model_input: ModelInput, options: ModelOptions) -> str:
    """none, average, gem or token: how this output becomes one vector."""
    if raw.ndim not in (2, 3, 4) or len(raw) != 1 or not raw.size or raw.dtype.kind not in "fui":
        expected = "an output of numbers (1, d), (1, tokens, d) or a map of four axes"
        raise ModelError(path=name, expected=expected, found=f"{raw.dtype} {list(raw.shape)}")
    if raw.ndim == 2:
        return _only(name, options, ("auto",), "none", "one vector a picture")
    if raw.ndim == 4:
        return _only(name, options, ("auto", "average", "gem"), "gem", f"a map {list(raw.shape)}")
    n_tokens, n_patches = raw.shape[1], n_patch_tokens(raw.shape[1], model_input)
    found = f"{n_tokens} tokens, {n_patches} of them patches"
    if not n_patches:
        return _only(name, options, ("auto", "token"), "token", found)
    if n_patches == n_tokens:
        return _only(name, options, ("auto", "average", "gem"), "average", found)
    return _only(name, options, ("auto", "average", "gem", "token"), "token", found)


def _only(name: str, options: ModelOptions, possible: tuple[str, ...], default: str, found: str) -> str:
    if options.pool not in possible:
        expected = " or ".join(possible)
        raise OptionError(option="pool", expected=expected, found=options.pool, advice=f"{name} gives {found}")
    return default if options.pool == "auto" else options.pool


def unit(vector: F64) -> F16:
    """A vector f64 (d,) divided by its length, f16 (d,); zeros stay zeros."""
    largest = np.abs(vector).max()
    if largest == 0:
        return vector.astype(np.float16)
    scaled = vector / largest
    return np.asarray(scaled / np.sqrt(np.square(scaled).sum()), np.float16)


def pooled(raw: NDArray[Any], pool: str, model_input: ModelInput) -> F64:
    """One vector f64 (d,) of a model's output (1, d), (1, d, h, w) or (1, h, w, d), or (1, tokens, d).

    pool: none, average, gem (Radenovic et al. 2018) or token. Of tokens, average and gem are of the patches.
    """
    if pool == "none":
        return np.asarray(raw[0], np.float64)
    if raw.ndim == 4:
        first = raw[0] if model_input.layout == "nhwc" else np.moveaxis(raw[0], 0, -1)
        vectors = np.asarray(first, np.float64).reshape(-1, first.shape[-1])
    elif pool == "token":
        return np.asarray(raw[0, 0], np.float64)
    else:
        vectors = np.asarray(raw[0, len(raw[0]) - n_patch_tokens(len(raw[0]), model_input) :], np.float64)
    return vectors.mean(axis=0) if pool == "average" else _generalised_mean(vectors)


def _generalised_mean(vectors: F64) -> F64:
    """What is below zero counts as nothing, as in the paper, where a ReLU comes before."""
    return np.asarray(np.power(np.power(vectors.clip(_GEM_FLOOR), GEM_POWER).mean(axis=0), 1 / GEM_POWER), np.float64)


def n_patch_tokens(n_tokens: int, model_input: ModelInput) -> int:
    """How many of a transformer's tokens are patches: the most that square patches of one size can be, in a grid.

    The others come first: a class token, and registers (Darcet et al. 2024) where the model has them. 0 where no
    grid leaves at most _MAX_EXTRA others.
    """
    height, width = model_input.height, model_input.width
    sides = [p for p in range(1, min(height, width) + 1) if not (height % p or width % p)]
    counts = [(height // p) * (width // p) for p in sides]
    fitting = [n for n in counts if n_tokens - _MAX_EXTRA <= n <= n_tokens]
    return max(fitting, default=0)
