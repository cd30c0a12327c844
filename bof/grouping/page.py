"""Groups as one page of HTML: no other file, no script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.grouping.pictures import overlay, read, thumbnail
from bof.grouping.records import Judged, modified
from bof.grouping.types import KINDS, Change, Kind, Link, Member
from bof.html import PageImage, render
from bof.images.decode import Picture
from bof.system.threads import in_threads

GENERATOR = "bof.duplicates"
MOST_GROUPS = 200
MOST_SHOWN = 24
"""Groups on a page, and members of one with a picture: a page of all would be too large to open."""

CHANGES: Mapping[Change, str] = {"encoded": "re-encoded", "overlaid": "drawn over"}
"""The changes whose name does not say enough."""

MEANINGS: Mapping[Kind, str] = {
    "exact": "the same bytes",
    "copy": "the same picture, re-encoded or resized",
    "crop": "the same photograph, cropped, turned, mirrored, drawn over or recoloured",
    "scene": "another photograph of the same thing",
}

Linked = tuple[Member, Link | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as the page shows it.

    members: with their links, those that have a picture, the one to keep first; thumbnails: of each;
    overlays: members laid over the representative, and where they differ from it.
    """

    judged: Judged
    members: Sequence[Linked]
    thumbnails: Sequence[PageImage]
    overlays: Sequence[tuple[Member, Link, PageImage, PageImage]]


def build_page(judged: Sequence[Judged], title: str, n_pictures: int) -> str:
    """The whole page. title: what was searched, n_pictures: how many pictures were compared."""
    largest = sorted(judged, key=lambda one: -one.bytes_to_free)[:MOST_GROUPS]
    groups = in_threads(_shown, sorted(largest, key=lambda one: one.number))
    counts = {kind: sum(one.judged.group.kind == kind for one in groups) for kind in KINDS}
    return render(
        "duplicates.html",
        GENERATOR,
        title=title,
        n_pictures=n_pictures,
        all=judged,
        groups=groups,
        kinds={kind: n for kind, n in counts.items() if n},
        meanings=MEANINGS,
        how=how,
        modified=modified,
    )


def _shown(judged: Judged) -> Shown:
    members = list(judged.members())[:MOST_SHOWN]
    pictures = {member.id: read(Path(member.path)) for member, _ in members}
    overlays = list(_overlays(pictures.get(judged.group.representative.id), members, pictures))
    return Shown(judged, members, [thumbnail(pictures[member.id]) for member, _ in members], overlays)


def _overlays(
    base: Picture | str | None, members: Sequence[Linked], pictures: Mapping[int, Picture | str]
) -> Iterator[tuple[Member, Link, PageImage, PageImage]]:
    """Of each member that is no exact copy; none of a picture that cannot be read. base: the representative."""
    for member, link in members:
        picture = pictures[member.id]
        if isinstance(base, Picture) and isinstance(picture, Picture) and link and link.kind != "exact":
            pair = overlay(base, picture, link.representative_from_member)
            if pair:
                yield member, link, *pair


def how(link: Link) -> str:
    """How a member is like its group's representative, in words."""
    changes = ", ".join(CHANGES.get(change, change) for change in link.changes)
    proof = [f"{100 * link.agreement:.0f} % of the pixels agree"] if link.agreement is not None else []
    proof += [f"{link.n_inliers} points"] if link.n_inliers else []
    words = [link.kind, *([changes] if changes else []), *([] if link.kind == "exact" else proof)]
    return ": ".join(words[:2]) + "".join(f"; {word}" for word in words[2:])
