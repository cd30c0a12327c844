"""A reuse graph as files for other programs: GraphML, CSV, JSON (docs/reuse.md)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

from bof.errors import OptionError, display_name
from bof.reuse.types import ReuseGraph
from bof.system.files import write_file

FORMAT = 1
_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_SCHEMA = f"{_GRAPHML} {_GRAPHML}/1.0/graphml.xsd"

Record = Mapping[str, Any]


# -- JSON -------------------------------------------------------------------------------------------------------------


def as_json(graph: ReuseGraph) -> str:
    """Everything that is known; names that are no UTF-8 as Python's os.fsdecode has them."""
    pictures = [
        record | {"fields": {key: list(values) for key, values in fields.items()}}
        for record, fields in zip(_plain(graph), graph.fields, strict=True)
    ]
    facts = {"format": FORMAT, "n_pictures": graph.n_pictures, "n_unread": graph.n_unread}
    return json.dumps({**facts, "pictures": pictures, "pairs": graph.to_records()}, indent=1, allow_nan=False) + "\n"


def _plain(graph: ReuseGraph) -> list[dict[str, Any]]:
    """The pictures without their fields, which JSON has as lists."""
    keys = ("cluster", "name", "path", "width", "height")
    return [{key: record[key] for key in keys} for record in graph.picture_records()]


# -- CSV --------------------------------------------------------------------------------------------------------------

_FORMULA = re.compile(r"[=+\-@\t\r]")


def as_csv(graph: ReuseGraph) -> tuple[str, str]:
    """A table of the pairs and one of the pictures, as Gephi reads edges and nodes: Source, Target; Id, Label.

    Bytes of names that are no UTF-8 and control characters are escapes; text that a spreadsheet would take for a
    formula begins with an apostrophe.
    """
    ends = [{"Source": _id(pair.source), "Target": _id(pair.target)} for pair in graph.shared]
    pairs = [{**ids, **record} for ids, record in zip(ends, _pairs(graph), strict=True)]
    pictures = [{"Id": _id(place), "Label": record["label"], **record} for place, record in enumerate(_pictures(graph))]
    for record in pictures:
        del record["label"]
    return _table(pairs, ("Source", "Target")), _table(pictures, ("Id", "Label"))


def _id(place: int) -> str:
    """Of a picture: names may look alike where bytes are shown as escapes."""
    return f"n{place}"


def _pairs(graph: ReuseGraph) -> list[dict[str, Any]]:
    """Their records; what programs for graphs call source and target are ids."""
    names = {"source": "source_name", "target": "target_name"}
    return [{names.get(key, key): value for key, value in record.items()} for record in graph.to_records()]


def _pictures(graph: ReuseGraph) -> list[dict[str, Any]]:
    return [{"label": record["name"].rpartition("/")[2], **record} for record in graph.picture_records()]


def _table(records: Sequence[Record], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(key) for key in (records[0] if records else columns)])
    writer.writerows([_cell(value) for value in record.values()] for record in records)
    return text.getvalue()


def _cell(value: object) -> str:
    if not isinstance(value, str):
        return _text(value)
    shown = display_name(value)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def _text(value: object) -> str:
    """A value as text from which the same value is read; numbers of a list one after the other."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return value if isinstance(value, str) else repr(value)


# -- GraphML ----------------------------------------------------------------------------------------------------------

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TYPES: Mapping[type[Any], str] = MappingProxyType({bool: "boolean", int: "long", float: "double"})


def as_graphml(graph: ReuseGraph) -> str:
    """GraphML 1.0 for networkx, Gephi, yEd. An edge names its source and target too, as an undirected edge has no
    direction that every program keeps.
    """
    root = ElementTree.Element("graphml", {"xmlns": _GRAPHML})
    root.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    root.set("xsi:schemaLocation", _SCHEMA)
    pictures = _pictures(graph)
    pairs = [{**record, "weight": record["probability"]} for record in _pairs(graph)]
    node_keys, edge_keys = _declared(root, "node", pictures), _declared(root, "edge", pairs)
    body = ElementTree.SubElement(root, "graph", {"id": "reuse", "edgedefault": "undirected"})
    for place, picture in enumerate(pictures):
        _filled(ElementTree.SubElement(body, "node", {"id": _id(place)}), picture, node_keys)
    for number, (pair, record) in enumerate(zip(graph.shared, pairs, strict=True)):
        ends = {"id": f"e{number}", "source": _id(pair.source), "target": _id(pair.target)}
        _filled(ElementTree.SubElement(body, "edge", ends), record, edge_keys)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _declared(root: ElementTree.Element, element: str, records: Sequence[Record]) -> dict[str, str]:
    """Declare a key for each column; returns their ids."""
    ids: dict[str, str] = {}
    for number, column in enumerate(records[0] if records else ()):
        ids[column] = f"{element[0]}{number}"
        kind = next((_TYPES[type(r[column])] for r in records if type(r[column]) in _TYPES), "string")
        facts = {"id": ids[column], "for": element, "attr.name": _xml(column), "attr.type": kind}
        ElementTree.SubElement(root, "key", facts)
    return ids


def _filled(element: ElementTree.Element, record: Record, ids: Mapping[str, str]) -> None:
    for column, value in record.items():
        if value is not None:
            ElementTree.SubElement(element, "data", {"key": ids[column]}).text = _xml(_text(value))


def _xml(text: str) -> str:
    """Text that XML can hold; other characters as escapes."""
    shown = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _NO_XML.sub(lambda match: repr(match[0])[1:-1], shown)


# -- Files ------------------------------------------------------------------------------------------------------------


def nodes_path(path: Path) -> Path:
    """Where the table of pictures lies beside the table of pairs."""
    return path.with_name(f"{path.stem}.nodes{path.suffix}")


def _texts(path: Path, graph: ReuseGraph) -> Iterable[tuple[Path, str]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        pairs, pictures = as_csv(graph)
        return [(nodes_path(path), pictures), (path, pairs)]
    return [(path, _WRITERS[suffix](graph))]


_WRITERS: Mapping[str, Callable[[ReuseGraph], str]] = MappingProxyType({".graphml": as_graphml, ".json": as_json})

KINDS = (".graphml", ".json", ".csv")


def require_kind(path: Path, kinds: Sequence[str] = KINDS) -> None:
    """Raises OptionError for a file whose suffix is none of these."""
    if path.suffix.lower() not in kinds:
        expected = f"a name that ends in {', '.join(kinds[:-1])} or {kinds[-1]}"
        raise OptionError(option="graph", path=path, expected=expected)


def write_graph(path: Path, graph: ReuseGraph) -> list[Path]:
    """Write a graph as the suffix says, each file whole or not at all; returns the files.

    Raises OptionError for another suffix, OSError where a file cannot be written.
    """
    require_kind(path)
    written = []
    for target, text in _texts(path, graph):
        write_file(target, text.encode())
        written.append(target)
    return written
