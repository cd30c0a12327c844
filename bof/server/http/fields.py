"""What clients may annotate pictures with: tags and fields of a JSON body, checked before anything is changed."""

from __future__ import annotations

import re
from typing import Any

from bof.server.http.parameters import MAX_ID
from bof.server.http.problems import ProblemError
from bof.server.http.received import as_received
from bof.store.catalog import BUILT_IN, TAG, Fields

MAX_TAGS, MAX_TEXT = 100, 200
MAX_FIELDS, MAX_NAME = 100, 200
MAX_VALUES, MAX_VALUE = 100, 2000
MAX_IMAGES = 1000
"""Pictures of one change."""

TAG_PATTERN = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""A line with something to see in it."""

VALUE_PATTERN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""Text of one line or several."""


def tags_of(value: dict[str, Any]) -> list[str]:
    """The tags of {"tags": [...]}, sorted, each once. Raises ProblemError."""
    tags = value.get("tags")
    if set(value) != {"tags"} or not isinstance(tags, list) or len(tags) > MAX_TAGS:
        raise ProblemError(
            "bad-request", f'expected {{"tags": [...]}} with at most {MAX_TAGS} tags, found {as_received(value)}'
        )
    for tag in tags:
        if not _is_line(tag, MAX_TEXT):
            raise ProblemError("bad-request", f"expected tags of 1 to {MAX_TEXT} characters, found {tag!r:.80}")
    return sorted(set(tags))


def fields_of(value: Any, what: str = "fields") -> dict[str, list[str]]:
    """Field -> values, each once, in their order. what: names the object in errors. Raises ProblemError."""
    if not isinstance(value, dict) or len(value) > MAX_FIELDS:
        expected = f"an object of at most {MAX_FIELDS} fields"
        raise ProblemError("bad-request", f"{what}: expected {expected}, found {as_received(value)}")
    return {_name(name, what): _values(name, values, what) for name, values in value.items()}


def all_fields_of(value: dict[str, Any]) -> dict[str, list[str]]:
    """The fields of {"fields": {...}}, among which no tags are. Raises ProblemError."""
    if set(value) != {"fields"}:
        expected = '{"fields": {NAME: [VALUE, ...]}}'
        raise ProblemError("bad-request", f"expected {expected}, found {as_received(value)}")
    found = fields_of(value["fields"])
    if TAG in found:
        raise ProblemError("bad-request", "fields: expected no tags, which have an address of their own, found some")
    return found


def ids_of(value: dict[str, Any]) -> list[int]:
    """The ids in `images`, each once. Raises ProblemError."""
    ids = value.get("images")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_IMAGES or not all(map(_is_id, ids)):
        raise ProblemError("bad-request", f"images: expected 1 to {MAX_IMAGES} ids, found {as_received(ids)}")
    return list(dict.fromkeys(ids))


def annotation_of(value: dict[str, Any]) -> tuple[list[int], Fields, Fields]:
    """Ids, and the values to add and to remove, of {"images": [...], "add": {...}, "remove": {...}}."""
    if not {"images"} < set(value) <= {"images", "add", "remove"}:
        expected = '{"images": [ID, ...]} with "add" or "remove": {NAME: [VALUE, ...]}, or both'
        raise ProblemError("bad-request", f"expected {expected}, found {as_received(value)}")
    ids = ids_of(value)
    return ids, fields_of(value.get("add", {}), "add"), fields_of(value.get("remove", {}), "remove")


def _name(name: str, what: str) -> str:
    if not _is_line(name, MAX_NAME) or name in BUILT_IN:
        known = ", ".join(sorted(BUILT_IN))
        expected = f"names of 1 to {MAX_NAME} characters, none of those that every picture has ({known})"
        raise ProblemError("bad-request", f"{what}: expected {expected}, found {name!r:.80}")
    return name


def _values(name: str, values: Any, what: str) -> list[str]:
    is_list = isinstance(values, list) and len(values) <= MAX_VALUES
    if not is_list or not all(_is_text(one, VALUE_PATTERN, MAX_VALUE) for one in values):
        expected = f"at most {MAX_VALUES} texts of 1 to {MAX_VALUE} characters"
        raise ProblemError("bad-request", f"{what}: {name!r:.80}: expected {expected}, found {values!r:.80}")
    return list(dict.fromkeys(values))


def _is_line(text: Any, most: int) -> bool:
    return _is_text(text, TAG_PATTERN, most)


def _is_text(text: Any, pattern: str, most: int) -> bool:
    """Can UTF-8 hold it, and is it what the pattern says?"""
    is_short = isinstance(text, str) and 0 < len(text) <= most
    return is_short and not re.search(r"[\ud800-\udfff]", text) and re.fullmatch(pattern, text) is not None


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_ID
