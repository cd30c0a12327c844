"""Groups as one page of HTML: no other file, no script, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path

from bof.grouping.pictures import Embedded, overlay, read, thumbnail
from bof.grouping.records import Judged, modified
from bof.grouping.style import STYLE
from bof.grouping.types import KINDS, Change, Kind, Link, Member
from bof.images.decode import Picture, display_name
from bof.system.threads import in_threads

MOST_GROUPS = 200
MOST_SHOWN = 24
"""Groups on a page, and members of one with a picture: a page of all would be too large to open."""

CHANGES: Mapping[Change, str] = {
    "encoded": "encoded anew",
    "resized": "resized",
    "cropped": "cropped",
    "turned": "turned",
    "mirrored": "mirrored",
    "overlaid": "drawn over",
    "recoloured": "recoloured",
}

MEANINGS: Mapping[Kind, str] = {
    "exact": "the same bytes",
    "copy": "the same picture, encoded or sized anew",
    "crop": "the same photograph, cropped, turned, mirrored, drawn over or recoloured",
    "scene": "another photograph of the same thing",
}


def build_page(judged: Sequence[Judged], title: str, n_pictures: int) -> str:
    """The whole page. title: what was searched, n_pictures: how many pictures were compared."""
    shown = sorted(sorted(judged, key=lambda one: -one.bytes_to_free)[:MOST_GROUPS], key=lambda one: one.number)
    groups = "".join(in_threads(_group, shown))
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="generator" content="bof.duplicates">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Duplicates: {text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{_head(judged, title, n_pictures, len(shown))}{_filters(shown)}<main>\n{groups}</main>\n</body>\n</html>\n"
    )


def text(value: str | PathLike[str]) -> str:
    """A name as HTML text, safe in an attribute too; what is no Unicode, or a control character, as escapes."""
    return escape(display_name(value))


def _head(judged: Sequence[Judged], title: str, n_pictures: int, n_shown: int) -> str:
    n_members = sum(len(one.group.members) for one in judged)
    n_bytes = sum(one.bytes_to_free for one in judged)
    cut = (
        f'<p class="alert">The page shows the {n_shown} groups that free most; --json and --csv list all.</p>\n'
        if n_shown < len(judged)
        else ""
    )
    return (
        f'<header><h1>Duplicates</h1>\n<p class="soft">{text(title)}</p>\n'
        f"<p>{len(judged)} groups with {n_members} of {n_pictures} pictures; what is not kept takes "
        f'<b>{human(n_bytes)}</b>. The picture to keep is a suggestion: <b class="keep">green</b>, with the reason. '
        f"This page changes nothing.</p>\n{cut}</header>\n"
    )


def _filters(judged: Sequence[Judged]) -> str:
    """Radio buttons that hide groups of other kinds, by style alone."""
    kinds = [kind for kind in KINDS if any(one.group.kind == kind for one in judged)]
    if len(kinds) < 2:
        return ""
    items = [("all", f"all {len(judged)}", "")]
    items += [(kind, f"{kind} {sum(one.group.kind == kind for one in judged)}", MEANINGS[kind]) for kind in kinds]
    return "".join(
        f'<input type="radio" name="kind" id="only-{name}"{" checked" if name == "all" else ""}>'
        f'<label for="only-{name}" title="{meaning}">{label}</label>\n'
        for name, label, meaning in items
    )


def _group(one: Judged) -> str:
    shown = list(one.members())[:MOST_SHOWN]
    pictures = {member.id: read(Path(member.path)) for member, _ in shown}
    cards = "".join(_card(one, member, link, thumbnail(pictures[member.id])) for member, link in shown)
    n_more = len(one.group.members) - len(shown)
    more = f'<p class="soft">… and {n_more} more; --json and --csv list all.</p>\n' if n_more else ""
    frees = f", frees {human(one.bytes_to_free)}" if one.bytes_to_free else ""
    why = text(one.choice.why)
    verdict = f"keep: {why}" if one.choice.keeper else f"none to keep: {why}"
    return (
        f'<article class="group {one.group.kind}" id="group-{one.number}">\n<h2>{one.number}. {one.group.kind} '
        f'<span class="soft">{len(one.group.members)} pictures{frees}</span></h2>\n<p class="why">{verdict}</p>\n'
        f'<div class="cards">\n{cards}</div>\n{more}{_overlays(one, shown, pictures)}</article>\n'
    )


def _card(one: Judged, member: Member, link: Link | None, picture: Embedded) -> str:
    kept = one.is_kept(member)
    lines = [f"{member.width} × {member.height}, {human(member.n_bytes)}", modified(member).replace("T", " ")[:16]]
    lines += [how(link)] if link else ["the others are compared with it"]
    lines += [] if kept else [one.why(member)]
    image = (
        f'<img src="{picture.uri}" width="{picture.width}" height="{picture.height}" loading="lazy" alt="">'
        if picture.uri
        else f'<div class="tile">{text(picture.problem)}</div>'
    )
    label = "keep" if kept else "duplicate"
    said = "".join(f"<span>{text(line)}</span>\n" for line in lines if line)
    return (
        f'<figure class="{label}">{image}<figcaption><b class="{label}">{label}</b> '
        f'<span class="name" title="{text(member.path)}">{text(member.name)}</span>\n{said}</figcaption></figure>\n'
    )


def how(link: Link) -> str:
    """How a member is like its group's head, in words."""
    changes = ", ".join(CHANGES[change] for change in link.changes)
    proof = [f"{100 * link.agreement:.0f} % of the pixels agree"] if link.agreement is not None else []
    proof += [f"{link.n_inliers} points"] if link.n_inliers else []
    words = [link.kind, *([changes] if changes else []), *([] if link.kind == "exact" else proof)]
    return ": ".join(words[:2]) + "".join(f"; {word}" for word in words[2:])


def _overlays(one: Judged, shown: Sequence[tuple[Member, Link | None]], pictures: Mapping[int, Picture | str]) -> str:
    """Each member laid over the head, folded away; nothing for exact copies and for pictures that cannot be read."""
    head = pictures.get(one.group.head.id)
    if head is None or isinstance(head, str):
        return ""
    figures = "".join(_overlay(head, member, link, pictures[member.id]) for member, link in shown)
    name = text(one.group.head.name)
    return f"<details><summary>laid over {name}</summary>\n{figures}</details>\n" if figures else ""


def _overlay(head: Picture, member: Member, link: Link | None, picture: Picture | str) -> str:
    if link is None or link.kind == "exact" or isinstance(picture, str):
        return ""
    pair = overlay(head, picture, link.head_from_member)
    if pair is None:
        return ""
    images = "".join(
        f'<img src="{each.uri}" width="{each.width}" height="{each.height}" loading="lazy" alt="{what}">'
        for each, what in zip(pair, ("laid over, outlined", "difference, dark where they differ"), strict=True)
    )
    return (
        f'<figure class="pair"><div>{images}</div><figcaption>{text(member.name)}: {text(how(link))}. Left: half seen '
        "through, outlined. Right: dark where they differ.</figcaption></figure>\n"
    )


def human(n_bytes: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
