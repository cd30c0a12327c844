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

from bof.errors import OptionError
from bof.reuse.types import ReuseGraph
from bof.system.csv_cells import text_cell
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
    return text_cell(value) if isinstance(value, str) else _text(value)


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
    pictures = _pictures(graph)
    pairs = [{**record, "weight": record["probability"]} for record in _pairs(graph)]
    node_keys, edge_keys = _keys("node", pictures), _keys("edge", pairs)
    declared = [*node_keys.values(), *edge_keys.values()]
    nodes = [_element("node", {"id": _id(n)}, record, node_keys) for n, record in enumerate(pictures)]
    ends = [{"source": _id(pair.source), "target": _id(pair.target)} for pair in graph.shared]
    edges = [_element("edge", end, record, edge_keys) for end, record in zip(ends, pairs, strict=True)]
    return "\n".join([_HEAD, *map(_as_text, declared), _GRAPH, *nodes, *edges, "</graph>", "</graphml>", ""])


_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="{_GRAPHML}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{_SCHEMA}">"""
_GRAPH = '<graph id="reuse" edgedefault="undirected">'


def _keys(element: str, records: Sequence[Record]) -> dict[str, ElementTree.Element]:
    """The declaration of each column."""
    keys: dict[str, ElementTree.Element] = {}
    for number, column in enumerate(records[0] if records else ()):
        kind = next((_TYPES[type(r[column])] for r in records if type(r[column]) in _TYPES), "string")
        facts = {"id": f"{element[0]}{number}", "for": element, "attr.name": _xml(column), "attr.type": kind}
        keys[column] = ElementTree.Element("key", facts)
    return keys


def _element(tag: str, facts: dict[str, str], record: Record, keys: Mapping[str, ElementTree.Element]) -> str:
    """A node or an edge with its values; each becomes text by itself, as trees of large graphs take much memory."""
    element = ElementTree.Element(tag, facts)
    for column, value in record.items():
        if value is not None:
            ElementTree.SubElement(element, "data", {"key": keys[column].attrib["id"]}).text = _xml(_text(value))
    return _as_text(element)


def _as_text(element: ElementTree.Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")


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
