"""What an index knows, for other programs: names and metadata as CSV or JSON lines, pairs for structure from motion."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from bof.engine import Engine
from bof.errors import OptionError
from bof.images.address import Address
from bof.store.catalog import BUILT_IN, TAG
from bof.system.files import write_file, writing_file

SEPARATOR = "; "
"""Between the values of one field in CSV."""

_FACTS = ("name", "path", "bytes", "width", "height", "features")
_KINDS = (".csv", ".jsonl")


def image_records(engine: Engine, where: str = "") -> Iterator[dict[str, Any]]:
    """Of each image that meets a condition, by name: its facts, and each of its fields with the list of its values."""
    selection = engine.select(where)
    for image in selection.records:
        address = Address.parse(image.path)
        facts = (image.name, address.name(address.file), image.n_bytes, image.width, image.height, image.n_features)
        yield {**dict(zip(_FACTS, facts, strict=True)), **selection.fields[image.id]}


def write_records(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write records as the suffix says, .csv or .jsonl; returns how many. Raises OptionError for another suffix."""
    records = list(records)
    suffix = kind_of_table(path)
    with (
        writing_file(path) as file,
        io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="") as stream,
    ):
        if suffix == ".csv":
            _write_csv(stream, records)
        else:
            stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return len(records)


def _write_csv(stream: TextIO, records: Sequence[Mapping[str, Any]]) -> None:
    keys = sorted({key for record in records for key in record} - set(_FACTS))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_FACTS, *keys])
    for record in records:
        values = [SEPARATOR.join(record.get(key, [])) for key in keys]
        writer.writerow([*(record[fact] for fact in _FACTS), *values])


def read_records(path: Path) -> dict[str, dict[str, list[str]]]:
    """Name -> field -> values, from a file as `write_records` writes it; facts that every image has are passed over.

    Raises OptionError where a line has no name or is malformed.
    """
    exported: dict[str, dict[str, list[str]]] = {}
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        lines = csv.DictReader(stream) if kind_of_table(path) == ".csv" else map(json.loads, filter(str.strip, stream))
        try:
            for record in lines:
                exported[_name_of(record)] = _fields_of(record)
        except (ValueError, AttributeError, TypeError, KeyError, csv.Error) as error:
            problem = f"record {len(exported) + 1}"
            raise OptionError(problem, path=path, expected="a name and fields", found=error) from error
    return exported


def kind_of_table(path: Path) -> str:
    """The suffix, .csv or .jsonl. Raises OptionError for another."""
    suffix = path.suffix.lower()
    if suffix not in _KINDS:
        raise OptionError(path=path, expected=f"a name that ends in {' or '.join(_KINDS)}")
    return suffix


def _name_of(record: Mapping[str, Any]) -> str:
    if not isinstance(record.get("name"), str) or not record["name"]:
        raise ValueError("no name")
    return str(record["name"])


def _fields_of(record: Mapping[str, Any]) -> dict[str, list[str]]:
    fields = {}
    for key, value in record.items():
        if key in BUILT_IN:
            continue
        if key is None:
            raise ValueError("more values than the header has fields")
        parts = (value or "").split(SEPARATOR) if key == TAG and not isinstance(value, list) else value
        fields[key] = [str(part) for part in (parts if isinstance(parts, list) else [parts]) if part not in ("", None)]
    return fields


# -- Pairs ------------------------------------------------------------------------------------------------------------


def find_pairs(engine: Engine, n: int, progress: Callable[[int, int], None] | None = None) -> list[tuple[str, str]]:
    """Names of pictures that may show the same thing: each with the n others most like it, every pair once, in order.

    The votes and the geometry that the index holds decide; no picture is read.
    """
    names = engine.images.names
    found = ((names[one.image], names[other]) for one in engine.neighbours(n, progress) for other, _ in one.others)
    return sorted({(min(pair), max(pair)) for pair in found})


def write_pairs(path: Path, pairs: Sequence[tuple[str, str]]) -> int:
    """Write pairs as COLMAP's matches_importer and hloc read them, two names a line; returns how many were left out.

    Names with white space cannot be written in that format.
    """
    usable = [pair for pair in pairs if not any(character.isspace() for name in pair for character in name)]
    write_file(path, b"".join(os.fsencode(f"{one} {two}\n") for one, two in usable))
    return len(pairs) - len(usable)
