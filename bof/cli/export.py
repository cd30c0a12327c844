"""What an index knows, for other programs: names and metadata as CSV or JSON lines, pairs for structure from motion."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bof.engine import Engine
from bof.errors import BofError, OptionError
from bof.images.address import Address
from bof.scheduling.connection import Cluster
from bof.store.catalog import BUILT_IN, TAG
from bof.system.files import write_file, writing_file

T = TypeVar("T")

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
    """Write records of images as the suffix says, .csv or .jsonl; returns how many. Raises OptionError for another."""
    records = list(records)
    keys = sorted({key for record in records for key in record} - set(_FACTS))
    return write_table(path, [*_FACTS, *keys], records)


def write_table(path: Path, columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> int:
    """Write records as the suffix says, .csv with these columns or .jsonl; returns how many.

    In CSV several values are joined, and what a record lacks is empty. Raises OptionError for another suffix.
    """
    kind = kind_of_table(path)
    with (
        writing_file(path) as file,
        io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="") as stream,
    ):
        if kind == ".csv":
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(record.get(column, "")) for column in columns] for record in records)
        else:
            stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return len(records)


def _cell(value: Any) -> Any:
    return SEPARATOR.join(value) if isinstance(value, list | tuple) else value


def read_records(path: Path) -> dict[str, dict[str, list[str]]]:
    """Name -> field -> values, from a file as `write_records` writes it; facts that every image has are passed over.

    Raises OptionError where a line has no name or is malformed.
    """
    return dict(read_table(path, lambda record: (_name_of(record), _fields_of(record)), "a name and fields"))


def read_table(path: Path, read: Callable[[Mapping[str, Any]], T], expected: str) -> list[T]:
    """What `read` makes of each record of a file as `write_table` writes it.

    Raises OptionError, which says what is expected, for the first record that is faulty.
    """
    found, is_csv = list[T](), kind_of_table(path) == ".csv"
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        records = csv.DictReader(stream) if is_csv else map(json.loads, filter(str.strip, stream))
        try:
            found.extend(map(read, records))
        except (ValueError, AttributeError, TypeError, KeyError, csv.Error, BofError) as error:
            raise OptionError(f"record {len(found) + 1}", path=path, expected=expected, found=error) from error
    return found


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


def find_pairs(
    engine: Engine, n: int, progress: Callable[[int, int], None] | None = None, cluster: Cluster | None = None
) -> list[tuple[str, str]]:
    """Names of pictures that may show the same thing: each with the n others most like it, every pair once, in order.

    The votes and the geometry that the index holds decide; no picture is read.
    """
    names = engine.images.names
    neighbours = engine.neighbours(n, progress, cluster=cluster)
    found = ((names[one.image], names[other]) for one in neighbours for other, _ in one.others)
    return sorted({(min(pair), max(pair)) for pair in found})


def write_pairs(path: Path, pairs: Sequence[tuple[str, str]]) -> int:
    """Write pairs as COLMAP's matches_importer and hloc read them, two names a line; returns how many were left out.

    Names with white space cannot be written in that format.
    """
    usable = [pair for pair in pairs if not any(character.isspace() for name in pair for character in name)]
    write_file(path, b"".join(os.fsencode(f"{one} {two}\n") for one, two in usable))
    return len(pairs) - len(usable)
