"""Options of those who read an index that was published: the local copy of what they have fetched."""

from __future__ import annotations

from dataclasses import dataclass

from bof.options.option import Checked, declare


@dataclass(frozen=True, slots=True)
class CacheOptions(Checked):
    """Local copy of a published index. Nothing here matters to an index in a folder."""

    cache: str = declare(
        "", "folder for what was fetched of published indexes (default $BOF_CACHE or ~/.cache/bof)",
        form="a folder", expert=True,
    )  # fmt: skip
    cache_size: int = declare(
        20_000, "so much of them stays there; what was used least recently goes first", 1, 100_000_000,
        unit="megabytes", expert=True,
    )  # fmt: skip
