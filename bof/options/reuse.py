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
        0.999, "a pair is reported from this probability that both show something that is the same", 0.5, 1.0
    )
    least_agreement: float = declare(
        0.3, "and where so much of the detail between the points agrees, if pixels can be compared", 0.0, 1.0,
        expert=True,
    )  # fmt: skip
    read: str = declare(
        "pictures",
        "what to search with; pictures: each picture, read again, and its mirror image; index: what the index holds of "
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
