"""Hostile indexes: links, pipes, folders and sockets in place of files, missing, cut, grown and sparse ones."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from scripts.torture.forging import agree, arrays_below, files_below, forging
from scripts.torture.npy import Rng

_PLACES = (
    "catalog.sqlite", "catalog.sqlite-journal", "catalog.sqlite-wal", "catalog.sqlite-shm", "weights.npz",
    ".weights.npz.partial.npz", "writer.lock", "writer.json", "pairs.sqlite", "pairs.sqlite-journal", "pairs.sqlite-wal",
    "rejected.sqlite", "rejected.sqlite-journal", "judgments.sqlite", "judgments.sqlite-journal", "uploads",
    "segments/stray", "segments/stray.npy",
)  # fmt: skip
"""Of an index besides the files of its segments and faiss indexes."""

_OF_PEOPLE = ("rejected.sqlite", "judgments.sqlite")
"""An index may well lack them."""


def canary_of(folder: Path) -> Path:
    """The folder beside an index that nobody may touch."""
    return folder.with_name("canary")


def make_canary(folder: Path) -> None:
    """A folder beside an index: whatever its files may be mistaken for."""
    canary = canary_of(folder)
    shutil.copytree(folder, canary / "index")
    segment = next(iter(sorted((folder / "segments").iterdir())))
    shutil.copytree(segment, canary / "segment")
    (canary / "secret").write_bytes(b"nobody's business\n" * 100)
    (canary / "empty").mkdir()


def _place(rng: Rng, folder: Path) -> Path:
    """A file of the index, or a place where one may stand."""
    kind = int(rng.integers(3))
    if kind == 0:
        return folder / _PLACES[int(rng.integers(len(_PLACES)))]
    found = arrays_below(folder) if kind == 1 else files_below(folder)
    return found[int(rng.integers(len(found)))]


def _link(rng: Rng, folder: Path) -> str:
    """A link to what was there, moved out; to a file of somebody else; to itself; to a device."""
    path, canary = _place(rng, folder), canary_of(folder)
    same = canary / "index" / path.relative_to(folder)
    target = [same, canary / "secret", canary / "missing", path, Path("/dev/zero"), Path("/proc/self/mem"), canary][
        int(rng.choice([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6]))
    ]
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path.name


def _hard_link(rng: Rng, folder: Path) -> str:
    """A second name of a file of somebody else."""
    path, canary = _place(rng, folder), canary_of(folder)
    if ".sqlite" in path.name:  # is changed in place, under all of its names
        path = folder / "writer.json"
    same = canary / "index" / path.relative_to(folder)
    path.unlink(missing_ok=True)
    os.link(same if same.exists() else canary / "secret", path)
    return path.name


def _folder_link(rng: Rng, folder: Path) -> str:
    """A folder of the index is a link to one of somebody else, with the same in it and more."""
    canary = canary_of(folder) / "index"
    segments = sorted((folder / "segments").iterdir())
    path = [folder / "segments", folder / "nearest", segments[0], segments[1]][int(rng.integers(4))]
    target = canary / path.relative_to(folder) if rng.integers(4) else [canary, canary / "empty"][int(rng.integers(2))]
    shutil.rmtree(path)
    path.symlink_to(target)
    return path.parent.name if path in segments else path.name


def _pipe(rng: Rng, folder: Path) -> str:
    path = _place(rng, folder)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path.name


def _folder(rng: Rng, folder: Path) -> str:
    """A folder with something in it."""
    path = _place(rng, folder)
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "deep").mkdir()
    (path / "deep" / "file").write_text("x")
    return path.name


def _socket(rng: Rng, folder: Path) -> str:
    path = _place(rng, folder)
    path.unlink(missing_ok=True)
    place = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name[:90])
    finally:
        os.chdir(place)
    return path.name


def _missing(rng: Rng, folder: Path) -> str:
    files = [path for path in files_below(folder) if path.name not in _OF_PEOPLE]
    found = [*files, folder / "segments", *(folder / "segments").iterdir(), folder / "nearest"]
    path = found[int(rng.integers(len(found)))]
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return path.name if path.is_file() or path.parent == folder else "segment"


def _sized(size: Callable[[Rng, int], int], *, agreeing: bool = False) -> Callable[[Rng, Path], str]:
    def make(rng: Rng, folder: Path) -> str:
        found = arrays_below(folder) if agreeing or rng.integers(2) else files_below(folder)
        path = found[int(rng.integers(len(found)))]
        os.truncate(path, size(rng, path.stat().st_size))
        if agreeing:
            agree(folder, path)
        return path.name if path.parent.name != "nearest" else path.suffix

    return make


def _strays(rng: Rng, folder: Path) -> str:
    """Among the segments lies what is none, links that lead out among it."""
    canary, segments = canary_of(folder), folder / "segments"
    inside = sorted(segments.iterdir())[0]
    for place in (segments, inside):
        (place / "out").symlink_to(canary / "index")
        (place / "out.npy").symlink_to(canary / "secret")
        (place / "deep" / "deeper").mkdir(parents=True)
        (place / "deep" / "link").symlink_to(canary / "segment")
        os.mkfifo(place / "pipe")
        (place / f"{'ab' * 16}").symlink_to(canary / "segment")
    return "segments"


def _named(rng: Rng, folder: Path) -> str:
    """Names in the catalogue lead out of the index."""
    canary = canary_of(folder)
    names = [
        "../../canary/segment", str(canary / "segment"), "../..", "..", ".", "", "../canary", "../../canary/index",
        "a/b", "segments/../../canary", "x" * 32, "ab" * 16, "AB" * 16, "0" * 31 + "/", "\0" * 32, "é" * 32,
    ]  # fmt: skip
    name = names[int(rng.integers(len(names)))]
    with forging(folder) as database:
        how = int(rng.integers(3))
        if how == 0:
            database.execute("INSERT INTO segments VALUES (9, ?, 0, 0)", (name,))
        elif how == 1:
            database.execute("UPDATE segments SET name = ? WHERE number = (SELECT min(number) FROM segments)", (name,))
        else:
            file = f"{name}.npy" if rng.integers(2) else "../../../canary/secret"
            database.execute("UPDATE OR IGNORE files SET name = ? WHERE name = 'xy.npy'", (file,))
    return "segments"


FORGED: dict[str, Callable[[Rng, Path], str]] = {
    "names that lead out": _named,
    "a sparse file that agrees": _sized(lambda rng, n: 1 << int(rng.choice([34, 40])), agreeing=True),
    "a cut file that agrees": _sized(lambda rng, n: int(rng.integers(n)), agreeing=True),
    "a grown file that agrees": _sized(lambda rng, n: n + int(rng.integers(1, 9000)), agreeing=True),
}
DAMAGED: dict[str, Callable[[Rng, Path], str]] = {
    "a link": _link,
    "a hard link": _hard_link,
    "a folder that is a link": _folder_link,
    "a pipe": _pipe,
    "a folder": _folder,
    "a socket": _socket,
    "a missing file": _missing,
    "an empty file": _sized(lambda rng, n: 0),
    "a cut file": _sized(lambda rng, n: int(rng.integers(n)) if n else 0),
    "a grown file": _sized(lambda rng, n: n + int(rng.integers(1, 9000))),
    "a sparse file": _sized(lambda rng, n: 1 << int(rng.choice([34, 40]))),
    "strays": _strays,
}
