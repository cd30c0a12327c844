"""What the published layouts share: where the photographs lie, how they are named, boxes that reach beyond them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bof.errors import BenchmarkError, ImageError, display_name
from bof.evaluation.benchmarks.types import README
from bof.images.decode import read_image
from bof.images.listing import IMAGE_SUFFIXES, walk_images
from bof.types import Box

FOLDERS = ("images", "jpg")
"""Where a set's photographs are looked for before the root itself."""

OXFORD_PREFIX = "oxc1_"


def photographs(root: Path) -> dict[str, Path]:
    """A set's photographs by plain name, sorted: those in images/, else in jpg/, else in the root; sub-folders too.

    Raises BenchmarkError where there are none, or two of one name.
    """
    for folder in (*(root / name for name in FOLDERS), root):
        if folder.is_dir() and (paths := list(walk_images(folder))):
            return _by_name(paths)
    places = ", ".join(f"{name}/" for name in FOLDERS)
    raise BenchmarkError(path=root, expected=f"photographs in {places} or here", found="none", advice=README)


def refuse_missing(root: Path, missing: Collection[str], n_allowed: int = 0) -> None:
    """Raises BenchmarkError where more photographs than these are missing, by name."""
    if len(missing) > n_allowed:
        first = display_name(min(missing))
        problem = f"{len(missing)} photographs of the ground truth are missing, the first is {first}"
        raise BenchmarkError(problem, path=root, advice=f"{README} for the layout")


def plain_name(name: str) -> str:
    """A photograph's name without the suffix and without the prefix that Oxford's queries carry."""
    path = Path(name)
    stem = path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
    return stem.removeprefix(OXFORD_PREFIX)


def _by_name(paths: list[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        other = named.setdefault(plain_name(path.name), path)
        if other != path:
            expected, found = "one photograph of this name", f"{display_name(other)} too"
            raise BenchmarkError(path=path, expected=expected, found=found, advice="remove one of them")
    return dict(sorted(named.items()))


def clipped(box: Box, path: Path) -> Box:
    """The part of a box that lies in the photograph: published boxes reach a little beyond. Pixels.

    A photograph that cannot be read leaves the box as it is: the run itself names the photograph.
    Raises BenchmarkError where nothing is left.
    """
    try:
        picture = read_image(path, grey=True, max_side=64)  # small, because only the original's size matters
    except ImageError:
        return box
    x0, y0, x1, y1 = box
    inside = max(0.0, x0), max(0.0, y0), min(float(picture.width), x1), min(float(picture.height), y1)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        expected, found = f"a box in {picture.width} x {picture.height} pixels", f"{x0:g},{y0:g},{x1:g},{y1:g}"
        raise BenchmarkError(path=path, expected=expected, found=found, advice="check the ground truth")
    return inside
