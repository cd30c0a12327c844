"""Which pictures are called duplicates, and which of a group is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from bof.options.indexing import WithWorkers, count_of_workers
from bof.options.option import Option, declare

Kind = Literal["exact", "copy", "crop", "scene"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""From the strictest to the loosest; asking for one asks for those before it too.

exact: the same bytes; copy: the same picture, re-encoded or resized; crop: the same photograph, cropped, turned,
mirrored, drawn over or recoloured; scene: another photograph of the same thing.
"""

CLIP = "clip"
"""What films share: pieces of them, no groups."""

KIND = Option(
    "kind",
    "crop",
    "exact: the same bytes; copy: also re-encoded or resized; crop: also cropped, turned, mirrored, drawn over; scene: "
    "also other photographs of it; clip: pieces of films that other films have too",
    choices=(*KINDS, CLIP),
)
RULES: Mapping[str, str] = MappingProxyType(
    {
        "pixels": "more pixels, as long as they hold more detail",
        "sharpness": "sharper, compared at one scale",
        "bytes": "more bytes for a pixel: less compressed",
        "folder": "no name like 'copy' or '(1)', no folder like 'Downloads' or 'tmp'",
        "oldest": "the older file",
        "newest": "the newer file",
    }
)
"""Rule -> what it prefers."""

GROUPS_SHOWN = Option(
    "groups", 20, "groups to print, and files that would be touched, those that free most first; 0: all", 0, 1_000_000
)

KEEP = Option(
    "keep",
    (),
    f"ask these first, in this order ({'; '.join(f'{name}: {meaning}' for name, meaning in RULES.items())})",
    choices=tuple(RULES),
    many=True,
)


@dataclass(frozen=True, slots=True)
class DuplicateOptions(WithWorkers):
    """How groups of duplicates are found."""

    workers: int = count_of_workers()
    agreement: float = declare(
        0.55, "share of the common part whose pixels agree from which two pictures are the same photograph", 0.0, 1.0,
        expert=True,
    )  # fmt: skip
    candidates: int = declare(50, "compare a picture with at most this many others", 1, 1000, expert=True)
