"""`python -m scripts.learned_features.mappings FILE.onnx --data DATA`: which way of making bytes keeps the most.

Features of the affine set's pictures that lie at the same place by its homographies are pairs; each is looked for among
the features of the other picture. A vocabulary is trained on other pictures' descriptors, made bytes in the same way.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bof.features.descriptor_bytes import descriptor_bytes
from bof.features.learned_model import LearnedModel, load_model
from bof.images.decode import decode
from bof.options import OWN, FeatureOptions, TrainOptions
from bof.types import F32, U8
from bof.vocabulary.sampling import Sample
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary

Mapping = Callable[[F32], U8]
Pairs = tuple[F32, F32, NDArray[np.int64], NDArray[np.int64]]
_SIDE, _NEAR_PX, _N_MOST = 640, 2.0, 1500
_SAME_WORD_FALSE = 0.01
"""Share of unrelated pairs in one word that the Hamming distance may let pass."""


def _bytes(values: F32, norm: float) -> U8:
    return np.asarray(np.clip(np.rint(values * norm) + 128, 0, 255), np.uint8)


def _padded(values: F32, norm: float = 384.0) -> U8:
    wide = np.zeros((len(values), 128), np.float32)
    wide[:, : values.shape[1]] = values
    return _bytes(wide, norm)


def _mappings(pool: F32) -> dict[str, Mapping]:
    """Ways of making bytes; pool: descriptors f32 (n, d) of other pictures."""
    mean = pool.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov((pool - mean).T))
    axes = axes[:, ::-1].astype(np.float32)
    spread = np.sqrt(np.maximum(values[::-1], 1e-9)).astype(np.float32)
    scale = float(1 / np.linalg.norm(pool - mean, axis=1).mean())
    half = (spread / spread.mean()) ** 0.5

    def whitened(x: F32) -> U8:
        turned = (x - mean) @ axes / half
        return descriptor_bytes(turned.astype(np.float32))

    return {
        "random rotation": descriptor_bytes,
        "zeros behind": lambda x: _padded(x, 272.0 if x.shape[1] < 128 else 384.0),
        "mean taken off, random rotation": lambda x: descriptor_bytes(x - mean),
        "mean taken off, PCA, zeros behind": lambda x: _padded(((x - mean) * scale) @ axes, 272.0),
        "mean taken off, half whitened, random rotation": whitened,
    }


def _features(model: LearnedModel, path: Path) -> tuple[F32, F32]:
    picture = decode(path.read_bytes(), max_side=_SIDE, grey=True, name=str(path))
    found = model.find(picture.pixels)
    best = np.argsort(-found.score, kind="stable")[:_N_MOST]
    zoom = picture.width / picture.pixels.shape[1]
    return (found.xy[best] + np.float32(0.5)) * np.float32(zoom), found.descriptors[best]


def _pairs(model: LearnedModel, folder: Path) -> Iterator[Pairs]:
    """Of each pair of pictures the descriptors of both, and the pairs of rows that lie at one place."""
    for scene in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = {path.stem: path for path in scene.iterdir()}
        one_xy, one = _features(model, files["img1"])
        for number in (2, 3, 4):
            name = next(n for n in files if n.startswith(f"H1to{number}"))
            h = np.loadtxt(files[name])
            xy, other = _features(model, files[f"img{number}"])
            moved = np.c_[one_xy, np.ones(len(one_xy))] @ h.T
            moved = moved[:, :2] / moved[:, 2:]
            apart = np.linalg.norm(moved[:, None] - xy[None], axis=2)
            nearest = apart.argmin(1)
            rows = np.flatnonzero(apart[np.arange(len(moved)), nearest] < _NEAR_PX)
            yield one, other, rows, nearest[rows]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=120)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    files = sorted((arguments.data / "train").rglob("*.jpg"))
    files = files[:: max(1, len(files) // arguments.pictures)]
    pool = np.concatenate([_features(model, path)[1] for path in files])
    pairs = list(_pairs(model, arguments.data / "affine"))
    print(f"{len(pool)} descriptors of {pool.shape[1]}, {sum(len(p[2]) for p in pairs)} pairs at one place")
    print("mapping | nearest is right | same word of 1,000 | of these near enough | both")
    floats = np.mean([_nearest_is_right(a, b, rows, right) for a, b, rows, right in pairs if len(rows)])
    print(f"floats | {floats:.3f}")
    for name, mapping in _mappings(pool).items():
        _report(name, mapping, pool, pairs)


def _nearest_is_right(one: F32 | U8, other: F32 | U8, rows: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    a, b = one[rows].astype(np.float32), other.astype(np.float32)
    distance = (b**2).sum(1)[None] - 2 * a @ b.T
    return float((distance.argmin(1) == right).mean())


def _report(name: str, mapping: Mapping, pool: F32, pairs: list[Pairs]) -> None:
    sample = Sample(mapping(pool), np.arange(120, dtype=np.uint64), FeatureOptions(extractor=OWN), "train")
    vocabulary = train_vocabulary(sample, TrainOptions(words=1000, workers=1))
    right, same, near = [], [], []
    limit = _hamming_limit(vocabulary, sample.descriptors)
    for a, b, rows, other in pairs:
        if not len(rows):
            continue
        one, two = mapping(a), mapping(b)
        right.append(_nearest_is_right(one, two, rows, other))
        first, second = vocabulary.quantize(one[rows]), vocabulary.quantize(two[other])
        equal = first.word[:, 0] == second.word[:, 0]
        apart = np.bitwise_count(first.signature[:, 0] ^ second.signature[:, 0])
        same.append(equal.mean())
        near.append((equal & (apart <= limit)).mean())
    share = np.mean(near) / np.mean(same)
    enough = f"{share:.3f} (at most {limit} bits)"
    print(f"{name} | {np.mean(right):.3f} | {np.mean(same):.3f} | {enough} | {np.mean(near):.3f}")


def _hamming_limit(vocabulary: Vocabulary, descriptors: U8) -> int:
    """The most bits of which no more than a share of unrelated pairs in a word differ in as few."""
    words = vocabulary.quantize(descriptors)
    order = np.argsort(words.word[:, 0], kind="stable")
    word, signature = words.word[order, 0], words.signature[order, 0]
    counts = np.zeros(65)
    for step in (7, 19, 31):
        equal = word[:-step] == word[step:]
        counts += np.bincount(np.bitwise_count(signature[:-step] ^ signature[step:])[equal], minlength=65)[:65]
    return int(np.searchsorted(np.cumsum(counts) / counts.sum(), _SAME_WORD_FALSE, side="right")) - 1


if __name__ == "__main__":
    main()
