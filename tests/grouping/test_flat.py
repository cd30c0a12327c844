"""Copies of pictures without features are found, and other flat pictures are not taken for them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bof.engine import Engine
from bof.grouping.finding import find_groups
from bof.options import DuplicateOptions, IndexOptions
from bof.types import U8

ONE = DuplicateOptions(workers=1)


def flag(left: tuple[int, int, int], right: tuple[int, int, int]) -> U8:
    pixels = np.full((200, 300, 3), left, np.uint8)
    pixels[:, 150:] = right
    return pixels


def sky(low: int) -> U8:
    levels = np.linspace(low, low + 120, 200)[:, None, None] * np.array([0.6, 0.8, 1.0])
    return np.repeat(levels.astype(np.uint8), 300, axis=1)


def test_flat_pictures_that_were_stored_again_or_resized_are_copies_and_others_are_not(
    tmp_path: Path, vocabulary_folder: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    numbered = np.full((200, 300, 3), 250, np.uint8)
    cv2.putText(numbered, "7", (140, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
    other_number = np.full((200, 300, 3), 250, np.uint8)
    cv2.putText(other_number, "4", (140, 180), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
    pictures = {
        "flag": flag((200, 30, 40), (30, 60, 170)), "other": flag((200, 30, 40), (30, 140, 60)),
        "sky": sky(40), "dusk": sky(90), "page": numbered, "next": other_number,
    }  # fmt: skip
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(photos / f"{name}.png")
    for name in ("flag", "sky", "page"):
        Image.fromarray(pictures[name]).save(photos / f"{name}-again.jpg", quality=70)
    Image.fromarray(pictures["flag"]).resize((150, 100)).save(photos / "flag-small.png")
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([photos], IndexOptions(workers=1))
        groups = find_groups(engine, "copy", ONE)
    found = sorted(sorted(member.name for member in group.members) for group in groups)
    assert found == [["flag-again.jpg", "flag-small.png", "flag.png"], ["page-again.jpg", "page.png"],
                     ["sky-again.jpg", "sky.png"]]  # fmt: skip
