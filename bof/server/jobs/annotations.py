"""Tags and other fields of pictures that were moved away, beside the log of the move: undoing gives them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bof.store.catalog import Fields
from bof.system.files import read_regular, write_file

_MOST_BYTES = 1 << 28


def write_fields(log: Path, fields: Mapping[str, Fields]) -> None:
    """Write down the fields of pictures, by path; nothing where there are none. Raises OSError."""
    some = {path: {key: list(values) for key, values in found.items()} for path, found in fields.items() if found}
    if some:
        write_file(_beside(log), json.dumps(some).encode("ascii"))


def read_fields(log: Path) -> dict[str, Fields]:
    """The fields that were written down, by path; none where there are none, or what is there is something else."""
    try:
        found = json.loads(read_regular(_beside(log), _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {path: fields for path, fields in found.items() if _are_fields(fields)}


def _beside(log: Path) -> Path:
    return log.with_suffix(".fields.json")


def _are_fields(found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    return all(isinstance(values, list) and all(isinstance(v, str) for v in values) for values in found.values())
