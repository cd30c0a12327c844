"""JSON that anybody may have written: read within limits, and taken apart without trust in any type."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bof.errors import ImageError

MOST_BYTES = 32 << 20
"""Of one manifest, collection or description of an image."""

_MOST_VALUES = 2_000_000
"""Values of one document, at most: each takes about a hundred bytes of memory."""

_MOST_ID = 2048
_MOST_TEXT = 1000
_LANGUAGES = ("en", "none", "@none", "")
"""Which of several languages is taken; else the first."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_TAG = re.compile(r"<[^<>]*>")

Json = Mapping[str, Any]


def parse(data: bytes, name: str) -> Json:
    """The object that a document holds. Raises ImageError where it is none, or too large; name: for the message."""
    if len(data) > MOST_BYTES:
        raise ImageError(path=name, expected=f"at most {MOST_BYTES} bytes of JSON", found=len(data))
    if (n_values := sum(map(data.count, (b",", b"[", b"{")))) > _MOST_VALUES:
        raise ImageError(path=name, expected=f"at most {_MOST_VALUES} values of JSON", found=n_values)
    try:
        found = json.loads(data)
    except RecursionError:
        raise ImageError(path=name, expected="JSON", found="brackets in brackets without end") from None
    except ValueError as error:
        raise ImageError(path=name, expected="JSON", found=str(error)[:200]) from None
    if not isinstance(found, dict):
        raise ImageError(path=name, expected="an object of JSON", found=type(found).__name__)
    return found


def mapping(value: object) -> Json:
    """An object, empty where the value is none."""
    return value if isinstance(value, dict) else {}


def several(value: object) -> list[Any]:
    """A list as it is; what stands alone as a list of one; nothing as none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def objects(value: object) -> Iterator[Json]:
    """The objects of a list."""
    return (one for one in several(value) if isinstance(one, dict))


def id_of(value: object) -> str:
    """The id of a resource, or the resource that is an id itself; "" where there is none that can be used."""
    found = value if isinstance(value, str) else mapping(value).get("id") or mapping(value).get("@id")
    usable = isinstance(found, str) and 0 < len(found) <= _MOST_ID and not _UNFIT.search(found)
    return found.strip() if usable and isinstance(found, str) else ""


def type_of(value: object) -> str:
    """The type of a resource without its prefix, `sc:Canvas` being Canvas."""
    found = mapping(value).get("type") or mapping(value).get("@type")
    first = next((one for one in several(found) if isinstance(one, str)), "")
    return first.rpartition(":")[2][:80]


def number(value: object) -> int:
    """A whole number from 1 to 2^31 - 1; 0 where the value is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 1 << 31
    return int(value) if usable else 0  # type: ignore[call-overload]


def plain(text: str, most: int = _MOST_TEXT) -> str:
    """Text on one line, without marks of HTML, and not too long."""
    stripped = text[: 8 * _MOST_TEXT].strip()
    if stripped.startswith("<") and stripped.endswith(">"):
        stripped = html.unescape(_TAG.sub(" ", stripped))
    return " ".join(_UNFIT.sub(" ", stripped).split())[:most]


def texts(value: object) -> list[str]:
    """What a label or a value says, in one language: `{"en": [...]}`, `{"@value": ...}`, a text, or lists of these.

    English is taken where there is a choice, then what has no language, then the first.
    """
    by_language: dict[str, list[str]] = {}
    for language, text in _in_languages(value):
        if shown := plain(text):
            by_language.setdefault(language, []).append(shown)
    best = next((one for one in _LANGUAGES if one in by_language), next(iter(by_language), ""))
    return by_language.get(best, [])


def _in_languages(value: object) -> Iterator[tuple[str, str]]:
    for one in several(value):
        if isinstance(one, str):
            yield "", one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield "", str(one)[:40]
        elif isinstance(one, dict) and "@value" in one:
            language = one.get("@language")
            text = one["@value"]
            shown = text if isinstance(text, str) else str(text) if isinstance(text, int | float) else ""
            yield language.lower()[:20] if isinstance(language, str) else "", shown
        elif isinstance(one, dict):
            for language, words in one.items():
                yield from ((language.lower()[:20], text) for text in several(words) if isinstance(text, str))
