"""What duplicates_bench.py knows: which pictures of its collection were made from which photographs.

Two pictures belong together if they share a source photograph. Other photographs of the same thing (of one UKBench
object, or siblings as copy_build has it) count neither way. Everything else is a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from copy_build import PER_OBJECT, build, find_photographs, plan_queries, sibling_key

Judgement = Literal["right", "neither", "wrong"]

REFERENCE = "reference"
NO_SOURCE = "no source"


@dataclass(frozen=True, slots=True)
class Truth:
    """The pictures, and of each by its path: its source photographs, what these show, its attack.

    source_of: of each copy of a picture of the collection, that picture.
    """

    pictures: Sequence[str]
    sources: Mapping[str, frozenset[str]]
    things: Mapping[str, frozenset[str]]
    attack: Mapping[str, str]
    source_of: Mapping[str, str]

    def judge(self, one: str, other: str) -> Judgement:
        """What a link between two pictures is."""
        if self.sources[one] & self.sources[other]:
            return "right"
        return "neither" if self.things[one] & self.things[other] else "wrong"


def build_truth(data: Path, out: Path, per_attack: int, seed: int) -> Truth:
    """Make the copies under OUT and say what is known of them and of the references."""
    build(data, out, per_attack, seed)
    photographs = find_photographs(data)
    plans = plan_queries(photographs, out.absolute(), per_attack, seed)
    made = {str(plan.target): [_text(path) for path in (plan.picture, *plan.others)] for plan, _ in plans}
    references = {_text(path): [_text(path)] for path in photographs.references}
    sources = {**references, **made}
    source_of = {str(plan.target): _text(plan.picture) for plan, query in plans if query.positives}
    attack = {**dict.fromkeys(references, REFERENCE), **{str(p.target): p.attack.name for p, _ in plans}}
    return Truth(
        list(sources),
        {picture: frozenset(paths) for picture, paths in sources.items()},
        {picture: frozenset(map(_thing, paths)) for picture, paths in sources.items()},
        attack,
        source_of,
    )


def _text(path: Path) -> str:
    return str(path.absolute())


def _thing(path: str) -> str:
    """What a photograph shows."""
    number = Path(path).stem.removeprefix("ukbench")
    return f"ukbench {int(number) // PER_OBJECT}" if number.isdigit() else sibling_key(Path(path))
