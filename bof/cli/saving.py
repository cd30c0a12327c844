"""The hits' own pictures in a folder, named by rank: copies or links."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from pathlib import Path

from bof.cli.finding import FoundHits
from bof.cli.proof import safe_name
from bof.errors import ImageError, display_name, reason_of
from bof.images.address import is_remote, url_of_remote
from bof.images.decode import kind_of
from bof.images.opening import read_shown
from bof.system.files import require_folder, write_file, writing_file
from bof.types import Hit

log = logging.getLogger("bof")

_SUFFIX_OF_KIND = {"JPEG": ".jpg", "TIFF": ".tif"}


def save_hits(folder: Path, found: FoundHits, how: str) -> list[Path]:
    """Write folder/LABEL_RANK_NAME of each hit; one whose file is gone is named in a warning and passed over.

    how: one of SAVE_AS; a part of a file always becomes a file of its own. Nothing is written through links, and a
    picture of the collection is never replaced. Raises ImageError where the folder cannot be written.
    """
    _make(folder)
    written = []
    for rank, hit in enumerate(found.hits, 1):
        if is_remote(hit.path):
            log.warning("not saved: %s lies on another machine", url_of_remote(hit.path))
            continue
        if not hit.file.is_file():
            log.warning("not saved: %s: the file is gone", display_name(hit.path))
            continue
        target = target_of(folder, found, rank, hit)
        _save(hit, target, how)
        written.append(target)
    return written


def target_of(folder: Path, found: FoundHits, rank: int, hit: Hit) -> Path:
    """Where a hit's picture is saved."""
    name = Path(found.names[hit.image])
    stem, suffix = (name.name, _suffix_of(hit)) if hit.part else (name.stem, Path(hit.name).suffix)
    return folder / f"{safe_name(found.label)}_{rank:02d}_{hit.verdict}_{safe_name(stem)}{safe_name(suffix)}"


def _suffix_of(hit: Hit) -> str:
    """Of the file that a part becomes. Raises ImageError where it cannot be read."""
    kind = kind_of(read_shown(hit.path)) or "img"
    return _SUFFIX_OF_KIND.get(kind, f".{kind.lower()}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        require_folder(folder)
    except OSError as error:
        raise _cannot(folder, error) from error


def _save(hit: Hit, target: Path, how: str) -> None:
    if os.path.realpath(target.parent) == os.path.realpath(hit.path.parent) and target.name == hit.path.name:
        advice = "name another {save}"
        raise ImageError("this is the picture itself, which must not be replaced", path=target, advice=advice)
    try:
        if hit.part:
            write_file(target, read_shown(hit.path))
        elif how == "copy":
            _copy(hit.path, target)
        else:
            _link(hit.path, target, how)
    except OSError as error:
        raise _cannot(target, error) from error


def _copy(source: Path, target: Path) -> None:
    if target.is_symlink():
        target.unlink()  # left by a run that made links: its place is taken, not what it leads to
    with source.open("rb") as stream, writing_file(target) as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
    shutil.copystat(source, target)


def _link(source: Path, target: Path, how: str) -> None:
    """Through a name of its own, so that what was there is replaced in one step."""
    fresh = target.with_name(f".bof-{uuid.uuid4().hex}.partial")
    try:
        if how == "symlink":
            fresh.symlink_to(os.path.abspath(source))
        else:
            os.link(os.path.realpath(source), fresh)
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)  # os.replace leaves it where both names are one file


def _cannot(path: Path, error: OSError) -> ImageError:
    return ImageError(f"cannot be written: {reason_of(error)}", path=path, advice="name another {save}")
