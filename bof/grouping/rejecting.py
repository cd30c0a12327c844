"""Rejected pairs by the names of pictures; memory keeps them by content."""

from __future__ import annotations

from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.grouping.memory import allow, reject, rejected


def reject_names(engine: Engine, one: str, other: str) -> None:
    """Remember that two pictures are no duplicates. Raises OptionError for a name that the index has not."""
    reject(engine.folder, [(_content(engine, one), _content(engine, other))])


def forget_names(engine: Engine, one: str, other: str) -> None:
    """Forget that two pictures were rejected. Raises OptionError where they were not."""
    pair = (_content(engine, one), _content(engine, other))
    if frozenset(pair) not in rejected(engine.folder):
        found = f"{display_name(one)} and {display_name(other)}"
        advice = "{list_rejected} says which were"
        raise OptionError(option="forget", expected="a pair that was rejected", found=found, advice=advice)
    allow(engine.folder, [pair])


def rejected_names(engine: Engine) -> list[tuple[str, str]]:
    """Every rejected pair by name, sorted; a content that the index has no more by its sha256."""
    name_of: dict[str, str] = {}
    for member in engine.records():
        name_of.setdefault(member.sha256, member.name)
    pairs = [sorted(name_of.get(key, key) for key in pair) for pair in rejected(engine.folder)]
    return sorted((pair[0], pair[-1]) for pair in pairs)


def _content(engine: Engine, name: str) -> str:
    """The sha256 of a picture by its name; a whole sha256 stands for itself."""
    found = {member.name: member.sha256 for member in engine.records()}
    contents = {content for pair in rejected(engine.folder) for content in pair}
    if name in found:
        return found[name]
    if name in contents:
        return name
    advice = "{bof index} --export lists them"
    raise OptionError(path=name, expected="the name of a picture in the index", advice=advice)
