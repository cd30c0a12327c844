"""The families: what each is called, of which kind it is, in which half it falls, and what draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from bof.types import U8
from scripts.siblings.streams import Streams, name_key

Draw = Callable[[int, Streams], U8]

HALVES = ("fit", "judge")


@dataclass(frozen=True, slots=True)
class Family:
    """A template. draw(member, streams) -> RGB u8 (h, w, 3): one number, or half of the picture, is the member's."""

    name: str
    kind: str
    draw: Draw

    @property
    def half(self) -> str:
        """fit or judge: the lowest bit of the first 4 bytes of SHA-256 of KIND/NAME; a new family moves no other."""
        return HALVES[name_key(f"{self.kind}/{self.name}") % 2]


_FAMILIES: dict[str, Family] = {}


def family(kind: str) -> Callable[[Draw], Draw]:
    """Register a function as the family that has its name."""

    def register(draw: Draw) -> Draw:
        name = draw.__name__.strip("_")
        if name in _FAMILIES:
            raise ValueError(f"two families are called {name}")
        _FAMILIES[name] = Family(name, kind, draw)
        return draw

    return register


def all_families() -> list[Family]:
    """Every family, by kind and name."""
    for module in sorted((Path(__file__).parent / "families").glob("[a-z]*.py")):
        import_module(f"scripts.siblings.families.{module.stem}")
    return sorted(_FAMILIES.values(), key=lambda each: (each.kind, each.name))
