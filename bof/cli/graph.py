"""`bof index --graph`: which pictures share which part, in files for other programs and as a page."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from bof.cli.arguments import options_from
from bof.cli.command import ended_like_interrupted
from bof.cli.outputs import require_place
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.errors import ImageError, OptionError, display_name, reason_of
from bof.options import ReuseOptions
from bof.reuse.finding import find_reuse
from bof.reuse.types import ReuseGraph
from bof.reuse.writing import KINDS, nodes_path, require_kind, write_graph
from bof.system.units import counted

_PAGE = ".html"


def add_graph(group: argparse._ActionsContainer) -> None:
    """The flag --graph."""
    meaning = "write which pictures share which part (.graphml, .json, .csv), or a page of it (.html)"
    group.add_argument("--graph", type=Path, nargs="+", metavar="FILE", help=meaning)


def refuse_wrong_graph(arguments: argparse.Namespace) -> None:
    """Raises OptionError, before a long run, for files that cannot be written or are of no known kind."""
    paths: list[Path] = arguments.graph or []
    for path in paths:
        require_kind(path, (*KINDS, _PAGE))
        for target in (path, nodes_path(path)) if path.suffix.lower() == ".csv" else (path,):
            require_place(target, "graph")
    if arguments.graph_order and not any(path.suffix.lower() == _PAGE for path in paths):
        raise OptionError(option="graph_order", expected="{graph} FILE.html beside it")


def graph_action(engine: Engine, arguments: argparse.Namespace) -> int:
    """Find what is shared and write every file; Ctrl-C leaves the files as they were."""
    _refuse_unknown_field(engine, arguments.graph_order)
    options = options_from(arguments, ReuseOptions)
    with ended_like_interrupted(), stage_bars() as show:
        try:
            graph = find_reuse(engine, options, show)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("nothing was written") from None
    for path in arguments.graph:
        for written in _write(path, engine, graph, arguments.graph_order):
            print(f"{display_name(written)}: {_counts(graph)}")
    return 0


def _refuse_unknown_field(engine: Engine, field: str) -> None:
    tags, others = engine.count_annotated() if field else ({}, {})
    known = {*others, *(["tag"] if tags else [])}
    if field and field not in known:
        found = f"{display_name(field)}; the pictures have {', '.join(sorted(map(display_name, known))) or 'none'}"
        raise OptionError(option="graph_order", expected="a field of the pictures", found=found)


def _write(path: Path, engine: Engine, graph: ReuseGraph, order: str) -> list[Path]:
    try:
        if path.suffix.lower() != _PAGE:
            return write_graph(path, graph)
        from bof.reuse.page import write_page

        write_page(path, engine, graph, order)
    except OSError as error:
        problem = f"cannot be written: {reason_of(error)}"
        raise ImageError(problem, path=path, advice="name another {graph}") from error
    return [path]


def _counts(graph: ReuseGraph) -> str:
    kinds = Counter(pair.kind for pair in graph.shared)
    kinds_in_words = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    pairs = counted(len(graph.shared), "pair") + (f" ({kinds_in_words})" if kinds else "")
    return f"{pairs} of {counted(len(graph.pictures), 'picture')}, {counted(len(graph.clusters), 'cluster')}"
