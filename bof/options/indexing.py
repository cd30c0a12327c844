"""Reading pictures to train a vocabulary and to make an index."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from bof.options.option import Checked, Option, declare
from bof.options.video import VideoOptions

MAX_PIXELS = 200_000_000
"""What a picture may have unless said otherwise."""


def most_pixels() -> Any:
    """The option that limits the pixels of a picture."""
    return declare(MAX_PIXELS, "skip a picture with more than this", 1, 1 << 40, unit="pixels", expert=True)


class WithWorkers(Checked):
    """Options of a stage that reads pictures in several processes."""

    workers: int

    @property
    def n_workers(self) -> int:
        """Processes that read pictures."""
        return self.workers or os.cpu_count() or 1


def count_of_workers() -> Any:
    """The option that says in how many."""
    return declare(0, "processes that read pictures; 0: one a core", 0, 1024)


@dataclass(frozen=True, slots=True)
class TrainOptions(WithWorkers):
    """How a vocabulary is trained."""

    words: int = declare(65536, "number of visual words", 2, 1 << 22)
    max_descriptors: int = declare(
        4_000_000, "descriptors to train on, sampled evenly over the pictures (128 bytes of memory each)", 2, 1 << 31,
        expert=True,
    )  # fmt: skip
    max_pixels: int = most_pixels()
    seed: int = declare(0, "the same seed gives the same vocabulary", 0, (1 << 32) - 1)
    levels: int = declare(0, "levels of k-means; 0: 1 up to 4096 words, 2 above", choices=(0, 1, 2), expert=True)
    workers: int = count_of_workers()


@dataclass(frozen=True, slots=True)
class IndexOptions(WithWorkers):
    """How a folder becomes an index."""

    workers: int = count_of_workers()
    max_pixels: int = most_pixels()
    memory: int = declare(
        0, "memory for all processes together; 0: half of what the machine has", 0, 1 << 30, unit="megabytes"
    )
    commit_images: int = declare(
        1000, "commit after this many pictures: a killed run loses at most these", 1, 1 << 20, expert=True
    )
    commit_seconds: int = declare(60, "commit what is done at least this often", 1, 86400, unit="seconds", expert=True)
    picture_seconds: int = declare(
        120, "skip a picture that takes longer than this to read", 1, 86400, unit="seconds", expert=True
    )
    video: VideoOptions = field(default_factory=VideoOptions)


PART_BY = Option(
    "part_by", "hash", "what decides which part of an index a new picture goes to: the hash of its file's path, or of "
    "its folder's", choices=("hash", "folder"), expert=True,
)  # fmt: skip
