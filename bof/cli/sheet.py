"""The hits of some queries as one page of HTML with the proof of each: no other file, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.cli.finding import FoundHits
from bof.cli.hit_table import notes_of
from bof.cli.proof import draw_proofs
from bof.engine import Engine
from bof.errors import ImageError, display_name, reason_of
from bof.html import PageImage, inline_jpeg, render
from bof.images.decode import shrink
from bof.images.draw import encode_jpeg
from bof.options import SearchOptions
from bof.retrieval.answer import describe_hit
from bof.system.files import write_file
from bof.system.units import counted
from bof.types import U8, Hit, ValueGroup

GENERATOR = "bof.search"
_QUERY_PX, _QUALITY = 320, 80


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit on the page: what it is called, what is known of it in words, its proof, and its group in words, if any."""

    rank: int
    hit: Hit
    name: str
    words: str
    proof: PageImage
    group: str = ""


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """A query on the page with its hits; notes: why there are few, or none."""

    name: str
    picture: PageImage
    notes: Sequence[str]
    hits: Sequence[ShownHit]


def write_sheet(path: Path, engine: Engine, found: Sequence[FoundHits], options: SearchOptions) -> None:
    """Write the page. Raises ImageError where that fails."""
    queries = [
        ShownQuery(
            one.shown,
            _embedded(shrink(one.in_colour(_QUERY_PX).pixels, _QUERY_PX)),
            list(notes_of(one, options)),
            list(_hits(engine, one)),
        )
        for one in found
    ]
    title = ", ".join(query.name for query in queries)
    page = render("search.html", GENERATOR, title=title, queries=queries, index=engine.folder.absolute())
    try:
        write_file(path, page.encode())
    except OSError as error:
        problem = f"cannot be written: {reason_of(error)}"
        raise ImageError(problem, path=path, advice="name another {html}") from error


def _hits(engine: Engine, found: FoundHits) -> Iterator[ShownHit]:
    for rank, (hit, proof) in enumerate(zip(found.hits, draw_proofs(engine, found), strict=True), 1):
        reasons = describe_hit(hit).removeprefix(f"{hit.verdict}, ")
        words = ["the same file", reasons] if hit.basis == "content" else [reasons]
        image = PageImage("", problem=display_name(proof)) if isinstance(proof, str) else _embedded(proof)
        yield ShownHit(rank, hit, found.names[hit.image], "; ".join(words), image, _in_words(hit.group))


def _in_words(group: ValueGroup | None) -> str:
    """What a group is, how many of its pictures agree, and its margin."""
    if group is None:
        return ""
    if group.value is None:
        return f"no {group.field}"
    margin = "" if group.margin is None else f", margin {group.margin:+.2f}"
    return f"{group.field}: {group.value}; {group.n_agree} of {counted(group.n_pictures, 'picture')} agree{margin}"


def _embedded(rgb: U8) -> PageImage:
    return PageImage(inline_jpeg(encode_jpeg(rgb, _QUALITY)), rgb.shape[1], rgb.shape[0])
