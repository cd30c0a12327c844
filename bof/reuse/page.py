"""A reuse graph as one page of HTML: clusters as contact sheets, no other file, no script, no network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.alignment.agreement import DECODED_SIDE_PX
from bof.engine import Engine
from bof.html import PageImage, render
from bof.retrieval.shown import Pictures
from bof.reuse.ordering import Ordered, ordered, span
from bof.reuse.reading import RepeatedPictures
from bof.reuse.thumbnails import Frame, thumbnail
from bof.reuse.types import ReuseGraph, SharedPart
from bof.store.catalog import ImageRecord
from bof.system.files import write_file
from bof.system.threads import in_threads
from bof.system.units import counted

GENERATOR = "bof.index"
MOST_BYTES = 6 << 20
MOST_CLUSTERS, MOST_SHOWN, MOST_PAIRS = 150, 48, 100
MOST_LISTED = 2000
"""A page of all would be too large to open: bytes of its pictures, clusters that have pictures, pictures and pairs of
one that are shown, clusters that are listed in a line.
"""


@dataclass(frozen=True, slots=True)
class Card:
    """A picture on the page. value: what orders it; address: of its file, empty where there is none."""

    place: int
    picture: ImageRecord
    value: str
    address: str
    image: PageImage


@dataclass(frozen=True, slots=True)
class ClusterShown:
    """A cluster as the page shows it: the first of its pictures, and the pairs among these, the surest first."""

    number: int
    title: str
    span: str
    cards: Sequence[Card]
    pairs: Sequence[SharedPart]
    n_more_pictures: int
    n_more_pairs: int

    @property
    def n_bytes(self) -> int:
        """What its pictures take on the page."""
        return sum(len(card.image.src) for card in self.cards)


@dataclass(frozen=True, slots=True)
class ClusterListed:
    """A cluster in a line."""

    number: int
    title: str
    span: str
    first: str


def write_page(path: Path, engine: Engine, graph: ReuseGraph, order: str = "") -> None:
    """Write the page, whole or not at all. order: the field that orders the pictures of a cluster, else time.

    Raises OSError where it cannot be written.
    """
    write_file(path, build_page(engine, graph, order).encode())


def build_page(engine: Engine, graph: ReuseGraph, order: str = "") -> str:
    """The whole page, the largest clusters first."""
    pairs_of = _pairs_by_cluster(graph)
    images = {int(number): image for image, number in enumerate(engine.images.id.tolist())}
    sheet = _Sheet(graph, RepeatedPictures(engine), images, order)
    shown: list[ClusterShown] = []
    n_bytes = 0
    for number, places in enumerate(graph.clusters[:MOST_CLUSTERS], 1):
        cluster = sheet.cluster(number, places, pairs_of[number - 1])
        n_bytes += cluster.n_bytes
        if shown and n_bytes > MOST_BYTES:
            break
        shown.append(cluster)
    rest = range(len(shown), len(graph.clusters))
    listed = [sheet.line(n + 1, graph.clusters[n], pairs_of[n]) for n in rest[:MOST_LISTED]]
    return render(
        "reuse.html",
        GENERATOR,
        title=os.fspath(engine.folder.absolute()),
        graph=graph,
        order=order,
        clusters=shown,
        listed=listed,
        n_unlisted=len(rest) - len(listed),
        n_mirrored=sum(pair.mirrored for pair in graph.shared),
        how=how,
    )


def _pairs_by_cluster(graph: ReuseGraph) -> list[list[SharedPart]]:
    cluster_of = {place: n for n, places in enumerate(graph.clusters) for place in places}
    found: list[list[SharedPart]] = [[] for _ in graph.clusters]
    for pair in graph.shared:
        found[cluster_of[pair.source]].append(pair)
    return found


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Makes what is shown of clusters. images: the number of each picture's id in the collection."""

    graph: ReuseGraph
    pictures: Pictures
    images: dict[int, int]
    order: str

    def cluster(self, number: int, places: Sequence[int], pairs: Sequence[SharedPart]) -> ClusterShown:
        all_of_it = ordered(self.graph, places, self.order)
        first = all_of_it[:MOST_SHOWN]
        visible = {one.place for one in first}
        among = [pair for pair in pairs if pair.source in visible and pair.target in visible]
        among.sort(key=lambda pair: (-pair.probability, -pair.n_inliers, pair.source, pair.target))
        frames = _frames(sorted(pairs, key=lambda pair: (-pair.n_inliers, pair.source, pair.target)), visible)
        cards = in_threads(lambda one: self._card(one, frames[one.place]), first)
        listed = among[:MOST_PAIRS]
        left = len(places) - len(first), len(pairs) - len(listed)
        return ClusterShown(number, _title(places, pairs), span(all_of_it), cards, listed, *left)

    def line(self, number: int, places: Sequence[int], pairs: Sequence[SharedPart]) -> ClusterListed:
        in_order = ordered(self.graph, places, self.order)
        name = self.graph.pictures[in_order[0].place].name
        return ClusterListed(number, _title(places, pairs), span(in_order), name)

    def _card(self, one: Ordered, frames: Sequence[Frame]) -> Card:
        picture = self.graph.pictures[one.place]
        image = self.images.get(picture.id)
        pixels = None if image is None else self.pictures.read(image, DECODED_SIDE_PX)
        return Card(one.place, picture, one.value, _address(picture), thumbnail(pixels, frames))


def _frames(pairs: Sequence[SharedPart], places: set[int]) -> dict[int, list[Frame]]:
    found: dict[int, list[Frame]] = {place: [] for place in places}
    for pair in pairs:
        for place, outline in ((pair.source, pair.source_outline), (pair.target, pair.target_outline)):
            if place in found:
                found[place].append((pair.kind, outline))
    return found


def _address(picture: ImageRecord) -> str:
    return Path(picture.path).as_uri() if os.path.isfile(picture.path) else ""


def _title(places: Sequence[int], pairs: Sequence[SharedPart]) -> str:
    n_mirrored = sum(pair.mirrored for pair in pairs)
    mirrored = f", {n_mirrored} of them mirrored" if n_mirrored else ""
    return f"{counted(len(places), 'picture')}, {counted(len(pairs), 'pair')}{mirrored}"


def how(pair: SharedPart) -> str:
    """What is known of a pair, in words."""
    if pair.basis == "content":
        return "the same bytes"
    shares = ""
    if pair.source_share is not None and pair.target_share is not None:
        shares = f"{100 * pair.source_share:.0f} % of the one and {100 * pair.target_share:.0f} % of the other agree"
    words = ["mirrored" if pair.mirrored else "", f"{counted(pair.n_inliers, 'point')} agree", shares]
    return ", ".join(word for word in words if word)
