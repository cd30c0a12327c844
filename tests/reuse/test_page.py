"""The page of a reuse graph: the order of clusters, frames, limits, names that try to become markup."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import Picture
from bof.reuse import page as reuse_page
from bof.reuse.ordering import ordered, span
from bof.reuse.page import build_page
from bof.reuse.thumbnails import Frame, distinct, thumbnail
from tests.reuse.graphs import NAMES, graph_of
from tests.support.markup import Page, shown

YEARS = {0: {"year": ["1502"]}, 1: {"year": ["98"]}, 3: {"year": ["undated"]}}


def test_a_field_orders_numbers_then_text_then_the_rest() -> None:
    graph = graph_of(fields=YEARS)
    found = ordered(graph, range(5), "year")
    assert [(one.place, one.value) for one in found] == [(1, "98"), (0, "1502"), (3, "undated"), (2, ""), (4, "")]
    assert span(found) == "98 to undated"
    assert span(found[3:]) == ""
    assert [one.value for one in ordered(graph, range(2))] == ["1970-01-01", "1970-01-01"]


def test_names_stay_text(index_folder: Path) -> None:
    with Engine.open(index_folder) as engine:
        page = build_page(engine, graph_of(fields=YEARS), "year")
    read = Page(page)
    assert "script" not in read.tags
    text = " ".join(" ".join(read.texts).split())
    assert all(shown(name) in text for name in NAMES)
    assert "1. 3 pictures, 2 pairs, 2 of them mirrored" in text
    assert {"#picture-0", "#picture-1", "#cluster-1"} <= read.links


def test_a_page_has_its_limits_and_lists_the_rest(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse_page, "MOST_CLUSTERS", 1)
    monkeypatch.setattr(reuse_page, "MOST_SHOWN", 2)
    monkeypatch.setattr(reuse_page, "MOST_PAIRS", 1)
    with Engine.open(index_folder) as engine:
        text = " ".join(" ".join(Page(build_page(engine, graph_of())).texts).split())
    assert "and 1 more pictures in this cluster" in text
    assert "1 pairs of 2" in text
    assert "The other clusters" in text


def test_frames_that_are_alike_are_drawn_once() -> None:
    box = np.array([[10.0, 10.0], [60.0, 10.0], [60.0, 40.0], [10.0, 40.0]])
    frames: list[Frame] = [("part", box), ("part", box + 2), ("same", box + 40)]
    assert [kind for kind, _ in distinct(frames)] == ["part", "same"]


def test_a_frame_is_drawn_where_the_part_is() -> None:
    white = Picture(np.full((300, 200, 3), 255, np.uint8), 2000, 3000)
    outline = np.array([[500.0, 1000.0], [1500.0, 1000.0], [1500.0, 2000.0], [500.0, 2000.0]])
    plain, framed = thumbnail(white, []), thumbnail(white, [("part", outline)])
    assert (framed.width, framed.height) == (plain.width, plain.height)
    assert framed.src != plain.src
    assert thumbnail(None, []).problem
