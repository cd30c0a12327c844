"""Which picture of a group does `bof duplicates` keep: the original, or what was stored from it?

python -m scripts.duplicates.originals --data DIR (the folder that holds ukbench1000/, dvd_covers/, packages/ and
train/). Originals are photographs of all sets, every third of them made small first; each is stored again in one of
several ways. Names and times of the files tell nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bof.cli.command import run
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at_all
from bof.grouping.finding import find_groups
from bof.images.listing import walk_images
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.data import DVD, TRAIN, UKBENCH
from scripts.common.tables import table

_SMALL_SIDES_PX = (64, 120, 200, 320)
_FINEST = 92


def _stored(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _smaller(picture: Image.Image) -> bytes:
    half = max(1, picture.width // 2), max(1, picture.height // 2)
    return _stored(picture.resize(half, Image.Resampling.LANCZOS), 85)


def _turned(picture: Image.Image) -> bytes:
    """By 3 degrees, with black corners."""
    return _stored(picture.rotate(3, Image.Resampling.BICUBIC, expand=True), 90)


def _sharpened(picture: Image.Image) -> bytes:
    pixels = np.asarray(picture)
    return _stored(Image.fromarray(cv2.addWeighted(pixels, 1.6, cv2.GaussianBlur(pixels, (0, 0), 1.5), -0.6, 0)), 88)


def _cut(picture: Image.Image) -> bytes:
    """A tenth less at each side."""
    across, down = picture.width // 10, picture.height // 10
    return _stored(picture.crop((across, down, picture.width - across, picture.height - down)), 90)


def _letterboxed(picture: Image.Image) -> bytes:
    canvas = Image.new("RGB", (picture.width, picture.height * 5 // 4))
    canvas.paste(picture, (0, picture.height // 8))
    return _stored(canvas, 90)


def _as_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


CHANGES: Mapping[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "quality 60": (".jpg", lambda picture: _stored(picture, 60)),
    "quality 75": (".jpg", lambda picture: _stored(picture, 75)),
    "quality 95": (".jpg", lambda picture: _stored(picture, 95)),
    "half the size": (".jpg", _smaller),
    "turned by 3 degrees": (".jpg", _turned),
    "sharpened": (".jpg", _sharpened),
    "a tenth cut off": (".jpg", _cut),
    "letterboxed": (".jpg", _letterboxed),
    "as PNG": (".png", _as_png),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Of a change: the copies, those that stand in a group with their original, and of these the originals kept."""

    change: str
    n_copies: int
    n_grouped: int
    n_kept: int


def main(argv: list[str] | None = None) -> int:
    """Draw, group, choose, count."""
    parser = make_parser(
        __doc__, "data json", out=(None, "where pictures and index stay (default: a folder that is deleted)"),
        pictures=(400, "originals"), seed=(0, "of the originals"),
    )  # fmt: skip
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.out) as out:
        change_of = build(arguments.data, out / "pictures", arguments.pictures, arguments.seed)
        keeper_of = _kept(out, list(change_of))
        rows = list(figures(change_of, keeper_of))
        head = "change", "copies", "grouped", "original kept"
        print("\n".join(table(head, [dataclasses.astuple(row) for row in rows])))
        for name, keeper in sorted(keeper_of.items()):
            if keeper != original_of(name):
                print(f"not kept: the original of {name} ({change_of[name]})")
        write_figures(arguments.json, rows)
    return 0


def original_of(name: str) -> str:
    """The original's name; a copy's begins with it."""
    return name.partition("_")[0] + ".jpg"


def build(data: Path, folder: Path, n: int, seed: int) -> dict[str, str]:
    """Write originals and copies; by the copy's name how it was made."""
    random = np.random.default_rng(seed)
    found = [path for part in (UKBENCH, DVD, "packages", TRAIN) for path in sorted(walk_images(data / part))]
    folder.mkdir(parents=True, exist_ok=True)
    change_of = {}
    for number, place in enumerate(random.choice(len(found), n, replace=False).tolist()):
        code = f"{int(random.integers(1 << 40)):x}"
        original = _original(found[place], number, random)
        (folder / f"{code}.jpg").write_bytes(original)
        change = list(CHANGES)[number % len(CHANGES)]
        suffix, make = CHANGES[change]
        with Image.open(io.BytesIO(original)) as opened:
            picture = opened.convert("RGB")
            (folder / f"{code}_{suffix}").write_bytes(make(picture))
        change_of[f"{code}_{suffix}"] = change
        for name in (f"{code}.jpg", f"{code}_{suffix}"):
            moment = int(random.integers(1_400_000_000, 1_600_000_000))
            os.utime(folder / name, (moment, moment))
    return change_of


def _original(path: Path, number: int, random: np.random.Generator) -> bytes:
    """The photograph's file as it is, or made small."""
    if number % 3:
        return path.read_bytes()
    with Image.open(path) as picture:
        pixels = picture.convert("RGB")
    pixels.thumbnail((_SMALL_SIDES_PX[number // 3 % len(_SMALL_SIDES_PX)],) * 2)
    return _stored(pixels, int(random.integers(70, _FINEST)))


def _kept(out: Path, names: Sequence[str]) -> dict[str, str]:
    """By the name of a copy that stands in a group with its original: what of the group is kept."""
    keeper_of: dict[str, str] = {}
    with Engine.open_or_create(out / "index") as engine:
        with stage_bars() as show:
            engine.add([out / "pictures"], progress=show)
        with stage_bars() as show:
            groups = find_groups(engine, "crop", progress=show)
    for group, looks in zip(groups, look_at_all(groups), strict=True):
        members = {Path(member.path).name for member in group.members}
        keeper = choose(group, looks).keeper
        keeper_of |= {name: Path(keeper.path).name if keeper else "" for name in members
                 if name in names and original_of(name) in members}  # fmt: skip
    return keeper_of


def figures(change_of: Mapping[str, str], keeper_of: Mapping[str, str]) -> Iterator[Row]:
    """A row a change."""
    copies, grouped = Counter(change_of.values()), Counter(change_of[name] for name in keeper_of)
    right = Counter(change_of[name] for name, keeper in keeper_of.items() if keeper == original_of(name))
    for change in CHANGES:
        yield Row(change, copies[change], grouped[change], right[change])


if __name__ == "__main__":
    sys.exit(main())
