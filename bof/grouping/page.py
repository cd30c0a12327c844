"""Groups as one page of HTML: no other file, no script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bof.grouping.pictures import overlay, read, thumbnail
from bof.grouping.records import Judged, modified
from bof.grouping.types import KINDS, Change, Kind, Link, Member
from bof.html import PageImage, render
from bof.images.decode import Picture
from bof.store.pictures import StoredPictures
from bof.system.threads import in_threads

GENERATOR = "bof.duplicates"
MOST_BYTES = 3 << 20
MOST_GROUPS, MOST_SHOWN, MOST_LAID_OVER = 200, 12, 3
MOST_LISTED = 2000
"""A page of all would be too large to open: bytes of its pictures, groups that have pictures, members of one that are
shown and that are laid over the representative, groups that are listed in a line.
"""

_AT_ONCE = 8
"""Groups whose pictures are made before their bytes are counted."""

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

    members: with their links, those that are shown, the one to keep first; thumbnails: of each, None where another
    member of the same bytes has it; overlays: members laid over the representative, and where they differ from it.
    """

    judged: Judged
    members: Sequence[Linked]
    thumbnails: Sequence[PageImage | None]
    overlays: Sequence[tuple[Member, Link, PageImage, PageImage]]

    @property
    def n_bytes(self) -> int:
        """What its pictures take on the page."""
        pairs = [image for _, _, *pair in self.overlays for image in pair]
        return sum(len(image.src) for image in (*self.thumbnails, *pairs) if image)


def build_page(judged: Sequence[Judged], title: str, n_pictures: int, stored: StoredPictures | None = None) -> str:
    """The whole page: the groups that free most first. title: what was searched, n_pictures: how many were compared.

    stored: what the index stores of pictures that lie on other machines.
    """
    largest = sorted(judged, key=lambda one: -one.bytes_to_free)
    groups = _with_pictures(largest[:MOST_GROUPS], stored)
    counts = {kind: sum(one.judged.group.kind == kind for one in groups) for kind in KINDS}
    rest = largest[len(groups) :]
    return render(
        "duplicates.html",
        GENERATOR,
        title=title,
        n_pictures=n_pictures,
        all=judged,
        groups=groups,
        listed=rest[:MOST_LISTED],
        n_unlisted=len(rest[MOST_LISTED:]),
        kinds={kind: n for kind, n in counts.items() if n},
        meanings=MEANINGS,
        how=how,
        modified=modified,
    )


def _with_pictures(judged: Sequence[Judged], stored: StoredPictures | None) -> list[Shown]:
    """The first groups, as many as the page has room for; one at least."""
    groups: list[Shown] = []
    n_bytes = 0
    for first in range(0, len(judged), _AT_ONCE):
        for shown in in_threads(lambda one: _shown(one, stored), judged[first : first + _AT_ONCE]):
            n_bytes += shown.n_bytes
            if groups and n_bytes > MOST_BYTES:
                return groups
            groups.append(shown)
    return groups


def _shown(judged: Judged, stored: StoredPictures | None) -> Shown:
    members = list(judged.members())[:MOST_SHOWN]
    pictures: dict[str, Picture | str] = {}
    shown_by: dict[str, int] = {}
    for member, _ in members:
        if isinstance(pictures.get(member.sha256, ""), str):
            pictures[member.sha256], shown_by[member.sha256] = read(member, stored), member.id
    thumbnails = [thumbnail(pictures[m.sha256]) if shown_by[m.sha256] == m.id else None for m, _ in members]
    firsts = [(member, link) for member, link in members if shown_by[member.sha256] == member.id]
    overlays = _overlays(pictures.get(judged.group.representative.sha256), firsts, pictures)
    return Shown(judged, members, thumbnails, list(islice(overlays, MOST_LAID_OVER)))


def _overlays(
    base: Picture | str | None, members: Sequence[Linked], pictures: Mapping[str, Picture | str]
) -> Iterator[tuple[Member, Link, PageImage, PageImage]]:
    """Of each member that is no exact copy; none of a picture that cannot be read. base: the representative."""
    for member, link in members:
        picture = pictures[member.sha256]
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
