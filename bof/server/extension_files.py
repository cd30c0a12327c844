"""The browser extension as a folder that a browser loads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bof.errors import ServerError
from bof.system.files import fsync_path, write_folder

FOLDER = Path(__file__).parent / "extension"

HOW_TO_LOAD = (
    "in Chrome, Edge or Chromium: chrome://extensions, Developer mode, Load unpacked; "
    "in Firefox: about:debugging#/runtime/this-firefox, Load Temporary Add-on, its manifest.json"
)


def extension_files(folder: Path = FOLDER) -> list[str]:
    """The names of the extension's files, below its folder."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not any(part.startswith((".", "__")) for part in path.parts))


def write_extension(target: Path) -> None:
    """Write the extension, all of its files or none; an earlier one is replaced.

    Raises ServerError where the folder holds anything else.
    """
    names = extension_files()
    foreign = _foreign(target, set(names))
    if foreign:
        advice = "name a new folder with {extension}, or empty this one"
        found = f"{foreign[0]!r}" + (f" and {len(foreign) - 1} more" if len(foreign) > 1 else "")
        raise ServerError(path=target, expected="a new, an empty or the extension's folder", found=found, advice=advice)

    def fill(fresh: Path) -> None:
        for name in names:
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(FOLDER / name, path)
        for folder, _, files in os.walk(fresh):
            for path in [*(Path(folder, name) for name in files), Path(folder)]:
                fsync_path(path)

    write_folder(target.absolute(), fill)


def _foreign(target: Path, names: set[str]) -> list[str]:
    """What a folder holds that is no file of the extension's, links included; a file in its place is foreign too."""
    if not os.path.lexists(target):
        return []
    if not target.is_dir():
        return [target.name]
    folders = {parent.as_posix() for name in names for parent in Path(name).parents}
    found = [path for path in target.rglob("*") if path.is_symlink() or not _belongs(path, target, names, folders)]
    return sorted(path.relative_to(target).as_posix() for path in found)


def _belongs(path: Path, target: Path, names: set[str], folders: set[str]) -> bool:
    name = path.relative_to(target).as_posix()
    return name in (folders if path.is_dir() else names)
