"""What a client sent, as an error message shows it."""

from __future__ import annotations

import json

_SHOWN = 80


def as_received(value: object) -> str:
    """A JSON value, as JSON; a long one cut."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."


def fields_received(value: dict[str, object]) -> str:
    """The fields of an object whose values may be secret."""
    return f"the fields {as_received(sorted(value))}"


def why_no_json(kind: str, body: bytes) -> str:
    """What a body is that should have been a JSON object. kind: its content type."""
    if kind != "application/json":
        return f"the content type {kind!r:.80}" if kind else "no content type"
    try:
        value = json.loads(body)
    except RecursionError:
        return "JSON that is nested too deeply"
    except ValueError as error:
        return f"no JSON ({error})" if body else "an empty body"
    return as_received(value)
