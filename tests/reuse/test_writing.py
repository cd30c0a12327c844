"""Files of a reuse graph: read back they say the same, whatever the pictures are called."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import networkx
import numpy as np
import pytest

from bof.errors import OptionError
from bof.reuse.types import ReuseGraph, box_of
from bof.reuse.writing import as_csv, as_graphml, as_json, write_graph
from tests.reuse.graphs import NAMES, graph_of

FIELDS = {0: {"year": ["1502"], "tag": ["emblem", "=1+1"]}, 2: {"name": ["+SUM(A1)"], "note": ["a\nb\x00<&>"]}}


def test_json_has_everything_and_numbers_stay_what_they_are() -> None:
    graph = graph_of(fields=FIELDS)
    read = json.loads(as_json(graph))
    assert [picture["name"] for picture in read["pictures"]] == list(NAMES)
    assert read["pictures"][0]["fields"] == {"year": ["1502"], "tag": ["emblem", "=1+1"]}
    assert (read["format"], read["n_pictures"], read["n_unread"]) == (1, 9, 0)
    pair, known = read["pairs"][0], graph.shared[0]
    assert pair["target_from_source"] == known.target_from_source.tolist()
    assert pair["target_outline"] == known.target_outline.tolist()
    assert (pair["probability"], pair["agreement"], pair["target_share"]) == (known.probability, 1 / 3, None)
    assert (pair["mirrored"], pair["kind"], pair["inliers"]) == (True, "part", 37)


def test_graphml_is_read_by_networkx() -> None:
    graph = graph_of(fields=FIELDS)
    read = networkx.parse_graphml(as_graphml(graph))
    assert len(read) == 5
    assert [sorted(part) for part in networkx.connected_components(read)] == [["n0", "n1", "n2"], ["n3", "n4"]]
    edge = read.edges["n0", "n1"]
    known = graph.shared[0]
    assert (edge["probability"], edge["inliers"], edge["mirrored"]) == (known.probability, 37, True)
    transform = [float(number) for number in edge["target_from_source"].split()]
    assert np.array_equal(np.reshape(transform, (3, 3)), known.target_from_source)
    assert [float(x) for x in edge["source_box"].split()] == list(box_of(known.source_outline, graph.pictures[0]))
    assert edge["source_name"] == NAMES[0]
    assert read.nodes["n2"]["name"] == NAMES[2]
    assert read.nodes["n2"]["field.name"] == "+SUM(A1)"
    assert read.nodes["n2"]["note"] == "a\nb\\x00<&>"
    assert (read.nodes["n0"]["width"], read.nodes["n0"]["cluster"], read.nodes["n0"]["year"]) == (900, 1, "1502")
    assert "same_probability" not in edge
    assert read.edges["n1", "n2"]["same_probability"] == 0.9


def test_csv_has_a_line_a_pair_and_a_line_a_picture() -> None:
    graph = graph_of(fields=FIELDS)
    pairs, pictures = (list(csv.DictReader(io.StringIO(text))) for text in as_csv(graph))
    assert [(pair["Source"], pair["Target"]) for pair in pairs] == [("n0", "n1"), ("n1", "n2"), ("n3", "n4")]
    assert [picture["Id"] for picture in pictures] == ["n0", "n1", "n2", "n3", "n4"]
    assert float(pairs[0]["probability"]) == graph.shared[0].probability
    assert [float(x) for x in pairs[0]["target_from_source"].split()] == graph.shared[
        0
    ].target_from_source.ravel().tolist()
    assert all(len(text.splitlines()) == n + 1 for text, n in zip(as_csv(graph), (3, 5), strict=True))


def test_no_cell_of_text_is_a_formula() -> None:
    for text in as_csv(graph_of(fields=FIELDS)):
        for row in csv.reader(io.StringIO(text)):
            for cell in row:
                assert cell.replace("-", "", 1)[:1].isdigit() or cell[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_a_graph_without_pairs_is_a_file_too() -> None:
    empty = ReuseGraph((), (), (), (), 3)
    assert len(networkx.parse_graphml(as_graphml(empty))) == 0
    assert json.loads(as_json(empty))["pairs"] == []
    assert as_csv(empty) == ("Source,Target\n", "Id,Label\n")


def test_files_are_written_by_suffix(tmp_path: Path) -> None:
    graph = graph_of()
    names = {
        suffix: [path.name for path in write_graph(tmp_path / f"g{suffix}", graph)] for suffix in (".csv", ".json")
    }
    assert names == {".csv": ["g.nodes.csv", "g.csv"], ".json": ["g.json"]}
    with pytest.raises(OptionError, match=r"\.graphml"):
        write_graph(tmp_path / "g.gexf", graph)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.csv", "g.json", "g.nodes.csv"]


def test_graphs_are_tables_of_plain_values() -> None:
    rows = graph_of().to_records()
    assert {type(value) for row in rows for value in row.values()} <= {str, int, float, bool, list, type(None)}
    assert len({tuple(row) for row in rows}) == 1
