"""What happens outside an index while it is used: files that are changed, opened or run, as the interpreter sees it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from bof.system.files import sha256_of

Facts = dict[str, tuple[Any, ...]]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
            "os.chown", "os.utime", "shutil.rmtree"}  # fmt: skip
_NAMES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink"}
_RUNS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pickle.find_class"}


def facts_of(folder: Path) -> Facts:
    """Every file below a folder: kind, place on the disk, size, time, content."""
    found: Facts = {}
    for root, folders, files in os.walk(folder):
        for path in (Path(root) / name for name in (*folders, *files)):
            status = path.lstat()
            content = sha256_of(path) if path.is_file() and not path.is_symlink() else ""
            facts = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, content)
            is_folder = path.is_dir() and not path.is_symlink()
            found[str(path.relative_to(folder))] = (*facts[:2], facts[3]) if is_folder else facts
    return found


def differences(before: Facts, after: Facts) -> list[str]:
    """The files that are not as they were."""
    return [
        f"{name} was changed" for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)
    ]


def watch(inside: Path, forbidden: Path) -> list[str]:
    """From now on in this process: what is run, what is changed outside a folder, what is opened in a forbidden one."""
    found: list[str] = []
    inside_text, forbidden_text = f"{os.path.realpath(inside)}{os.sep}", f"{os.path.realpath(forbidden)}{os.sep}"
    busy = [False]

    def place_of(path: object) -> str:
        if isinstance(path, int) or not isinstance(path, (str, bytes, os.PathLike)):
            return inside_text
        text = os.fsdecode(path)
        return f"{os.path.realpath(text)}{os.sep}" if os.path.isabs(text) else inside_text

    def name_of(path: object) -> str:
        """Where a name lies that is itself removed, made or given another: a link is not followed."""
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        return (
            f"{place_of(os.path.dirname(text))}{os.path.basename(text)}{os.sep}" if os.path.isabs(text) else inside_text
        )

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _RUNS:
            found.append(f"{event}: {arguments!r:.200}")
        elif event == "open":
            place, flags = place_of(arguments[0]), arguments[2]
            is_changed = bool(flags & _WRITING) and not place.startswith((inside_text, "/dev/null"))
            if is_changed or place.startswith(forbidden_text):
                found.append(f"open for {'writing' if is_changed else 'reading'}: {place}")
        elif event in _CHANGES:
            where = name_of if event in _NAMES else place_of
            places = [where(each) for each in arguments if isinstance(each, (str, bytes, os.PathLike))]
            if not all(f"{place}".startswith(inside_text) for place in places):
                found.append(f"{event}: {places}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not busy[0] and event in (*_RUNS, *_CHANGES, "open"):
            busy[0] = True
            try:
                look(event, arguments)
            finally:
                busy[0] = False

    sys.addaudithook(hook)
    return found
