"""Picture files become columns of an index, in parallel: read, decode, extract, assign, sign, quantise."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2

from bof.budget import Share, give_back_memory, keep_freed_memory, pixels_beside_kept, share_memory
from bof.catalog import ImageFacts
from bof.errors import ImageError
from bof.features import extract_features
from bof.images import PictureTooLargeError, decode, display_name, read_bytes, walk_images
from bof.options import FeatureOptions, IndexOptions
from bof.parallel import set_threads
from bof.segments import ImageColumns, store_geometry
from bof.syncing import Found
from bof.vocabulary import Vocabulary, load_vocabulary
from bof.workers import Limits, Lost, run_in_workers


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


@dataclass(frozen=True, slots=True)
class Deferred:
    """A picture too large to be decoded while others are: its turn comes last, alone."""

    path: str
    name: str
    n_pixels: int


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


def describe_files(files: Sequence[Found], recipe: Recipe, options: IndexOptions) -> Iterator[Described | Skipped]:
    """Describe (path, name) pairs in processes of their own: what becomes of one picture happens to that one alone.

    Pictures come in order, but for those too large for a process's share of the memory: they come last, one at a time.
    Raises OptionError where --memory is too small for anything.
    """
    n_workers = options.workers or os.cpu_count() or 1
    share = share_memory(options.memory, min(n_workers, max(1, len(files))), recipe.features)
    deferred: list[Deferred] = []
    for item in _run(files, recipe, share, options):
        if isinstance(item, Deferred):
            deferred.append(item)
        else:
            yield item
    alone = share.in_one
    for item in deferred:
        if item.n_pixels > alone.max_pixels:
            needed = share.memory_for(item.n_pixels)
            yield Skipped(item.path, f"its {item.n_pixels} pixels need --memory {needed} or more")
    fitting = [item for item in deferred if item.n_pixels <= alone.max_pixels]
    for last in _run([(item.path, item.name) for item in fitting], recipe, alone, options):
        if not isinstance(last, Deferred):
            yield last


def _run(
    files: Sequence[Found], recipe: Recipe, share: Share, options: IndexOptions
) -> Iterator[Described | Skipped | Deferred]:
    limits = Limits(options.picture_seconds, share.bytes)
    shared = recipe, share.max_pixels
    results = run_in_workers("bof.indexing:describe_in_worker", shared, files, share.n_workers, limits)
    for (path, _), result in zip(files, results, strict=True):
        yield Skipped(path, result.reason) if isinstance(result, Lost) else cast(Described | Skipped | Deferred, result)


def describe_in_worker(shared: tuple[Recipe, int], file: Found) -> Described | Skipped | Deferred:
    """One picture, in a process of its own: one thread is right, the other cores have their own processes."""
    cv2.setNumThreads(1)
    set_threads(1)
    keep_freed_memory()
    recipe, max_pixels = shared
    vocabulary = load_vocabulary(recipe.vocabulary_folder)
    found = describe(file, vocabulary, recipe, pixels_beside_kept(max_pixels, recipe.features))
    if isinstance(found, Deferred) and found.n_pixels <= max_pixels:
        give_back_memory()
        found = describe(file, vocabulary, recipe, max_pixels)
    return found


def describe(file: Found, vocabulary: Vocabulary, recipe: Recipe, max_pixels: int) -> Described | Skipped | Deferred:
    """The facts and features of the picture (path, name); one of more than max_pixels may come later."""
    path, name = file
    try:
        status = os.stat(path)
        data = read_bytes(Path(path))
        limit = min(max_pixels, recipe.max_pixels)
        picture = decode(data, max_side=recipe.features.max_side, max_pixels=limit, grey=True, name=path)
    except PictureTooLargeError as error:
        if error.n_pixels <= recipe.max_pixels:
            return Deferred(path, name, error.n_pixels)
        return Skipped(path, reason_without_path(error, path))
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
