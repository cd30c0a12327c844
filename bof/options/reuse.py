"""Options of the reuse graph: which pictures share a part."""

from __future__ import annotations

from dataclasses import dataclass

from bof.options.option import Checked, Option, declare

READ = ("pictures", "index")
"""What the graph searches with: features of each picture, read again, or what the index holds of it."""


@dataclass(frozen=True, slots=True)
class ReuseOptions(Checked):
    """How the pictures that share a part are found."""

    neighbours: int = declare(20, "each picture is paired with at most so many others", 1, 1000)
    probability: float = declare(
        0.988, "a pair is reported from this probability that both show something that is the same", 0.5, 1.0
    )
    read: str = declare(
        "pictures",
        "pictures: search with each picture, read again, and with its mirror image; index: with what the index holds of "
        "it, which is several times as fast, finds nothing mirrored and fewer small parts",
        choices=READ,
    )
    template: int = declare(
        8, "what more than so many pictures have at one place of the frame is a template and no reuse; 0: reported too",
        0, 1000, expert=True,
    )  # fmt: skip


GRAPH_ORDER = Option(
    "graph_order", "", "on the page of the graph, order the pictures of a cluster by this field; else by time and name"
)
