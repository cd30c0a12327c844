"""Picture files become columns of an index, in parallel: read, decode, extract, assign, sign, quantise."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
from joblib import Parallel, delayed

from bof.assignment import set_threads
from bof.catalog import ImageFacts
from bof.errors import ImageError
from bof.features import extract_features
from bof.images import decode, display_name, read_bytes, walk_images
from bof.options import FeatureOptions
from bof.segments import ImageColumns, store_geometry
from bof.vocabulary import Vocabulary, load_vocabulary

_CHUNK = 8
"""Files handed to a worker at once."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every worker needs to know."""

    vocabulary_folder: Path
    features: FeatureOptions
    max_pixels: int


Described = tuple[ImageFacts, ImageColumns]


def list_files(sources: Iterable[Path]) -> dict[str, str]:
    """Absolute path -> name of every picture under the sources, in order.

    A picture found in a folder is named by its path below that folder, a file given alone by its file name; where
    that name is taken by another path, the absolute path is the name. Raises ImageError where a source is missing.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for source in sources:
        root = Path(os.path.abspath(source))
        files = walk_images(root) if not root.is_file() else [root]
        for path in files:
            name = path.relative_to(root).as_posix() if path != root else path.name
            names.setdefault(str(path), name if name not in taken else str(path))
            taken.add(name)
    return names


def describe_files(files: list[tuple[str, str]], recipe: Recipe, workers: int) -> Iterator[Described | Skipped]:
    """Describe (path, name) pairs in order, with `workers` processes; one bad file skips itself alone."""
    chunks = [files[i : i + _CHUNK] for i in range(0, len(files), _CHUNK)]
    workers = min(workers, len(chunks))
    if workers <= 1:
        for chunk in chunks:
            yield from _describe_chunk(chunk, recipe)
        return
    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    for described in parallel(delayed(_describe_in_worker)(chunk, recipe) for chunk in chunks):
        yield from described


def _describe_in_worker(chunk: list[tuple[str, str]], recipe: Recipe) -> list[Described | Skipped]:
    """In a process of its own one thread is right: the other cores have their own processes."""
    cv2.setNumThreads(1)
    set_threads(1)
    return _describe_chunk(chunk, recipe)


def _describe_chunk(chunk: list[tuple[str, str]], recipe: Recipe) -> list[Described | Skipped]:
    vocabulary = load_vocabulary(recipe.vocabulary_folder)
    return [_describe(path, name, vocabulary, recipe) for path, name in chunk]


def _describe(path: str, name: str, vocabulary: Vocabulary, recipe: Recipe) -> Described | Skipped:
    try:
        status = os.stat(path)
        data = read_bytes(Path(path))
        picture = decode(data, max_side=recipe.features.max_side, max_pixels=recipe.max_pixels, grey=True, name=path)
    except (ImageError, OSError) as error:
        return Skipped(path, reason_without_path(error, path))
    features = extract_features(picture, recipe.features)
    words = vocabulary.describe(features.descriptors)
    xy, scale_angle = store_geometry(features.geometry)
    columns = ImageColumns(words.word[:, 0], words.signature[:, 0], xy, scale_angle)
    facts = ImageFacts(
        name, path, status.st_size, status.st_mtime_ns, hashlib.sha256(data).hexdigest(),
        picture.width, picture.height, len(columns),
    )  # fmt: skip
    return facts, columns


def reason_without_path(error: Exception, path: str) -> str:
    """An error's message without the path, which is printed beside it."""
    text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return text.removeprefix(f"{display_name(path)}: ").removeprefix(f"{path}: ")
