"""Pictures that prove a hit: query and hit side by side with their matches, written as files."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from bof.cli.finding import FoundHits
from bof.engine import Engine
from bof.errors import ImageError, display_name, reason_of
from bof.images.address import Address, is_remote, url_of_remote
from bof.images.decode import Picture
from bof.images.draw import draw_hit, encode_jpeg
from bof.images.opening import read_picture
from bof.images.written import marked, require_no_photograph
from bof.retrieval.answer import describe_hit
from bof.system.files import require_folder, write_file
from bof.types import U8, Hit

log = logging.getLogger("bof")

PROOF_SIDE = 1280
"""The long side in pixels of each of the two pictures."""


def write_matches(folder: Path, engine: Engine, found: FoundHits) -> list[Path]:
    """Write folder/LABEL_RANK_NAME.jpg for each hit; a hit whose file is gone is named in a warning and passed over.

    Raises ImageError where the folder cannot be written.
    """
    written = []
    for rank, (hit, proof) in enumerate(zip(found.hits, draw_proofs(engine, found), strict=True), 1):
        if isinstance(proof, str):
            log.warning("no match picture: %s", proof)
            continue
        name = Path(found.names[hit.image])
        stem = safe_name(name.name if hit.part else name.stem)
        path = folder / f"{safe_name(found.label)}_{rank:02d}_{stem}.jpg"
        write_picture(path, proof, "matches")
        written.append(path)
    return written


def draw_proofs(engine: Engine, found: FoundHits) -> Iterator[U8 | str]:
    """The proof of each hit u8 (h, w, 3), RGB; why there is none where its file cannot be read."""
    picture = found.in_colour(PROOF_SIDE) if found.hits else found.picture
    for rank, hit in enumerate(found.hits, 1):
        try:
            candidate = _candidate(engine, hit)
        except ImageError as error:
            yield str(error)
            continue
        caption = f"{rank}. {found.names[hit.image]}   score {hit.score:.2f}, {describe_hit(hit)}"
        yield draw_hit(picture, candidate, *engine.matched_points(found.query, hit), hit, caption, found.box)


def _candidate(engine: Engine, hit: Hit) -> Picture:
    """The picture of a hit; of one that lies on another machine what the index stores of it. Raises ImageError."""
    if not is_remote(hit.path):
        return read_picture(str(Address(str(hit.file), hit.shown_part)), max_side=PROOF_SIDE)
    if found := engine.stored_picture(hit, PROOF_SIDE):
        return found
    expected = "a picture that the index stores"
    raise ImageError(path=url_of_remote(hit.path), expected=expected, found="none", advice="{iiif} fetches it again")


def write_picture(path: Path, rgb: U8, option: str) -> None:
    """Write a picture u8 (h, w, 3) as JPEG, through no link. option: what named the path.

    Raises ImageError, and OptionError where a photograph has the name.
    """
    require_no_photograph(path, option)
    content = marked(encode_jpeg(rgb))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_folder(path.parent)
        write_file(path, content)
    except OSError as error:
        problem, where = f"cannot be written: {reason_of(error)}", os.fsdecode(error.filename or path)
        raise ImageError(problem, path=where, advice=f"name another {{{option}}}") from error


def safe_name(name: str) -> str:
    """A name that any file system takes: letters of any script and digits stay, the length is bounded."""
    return re.sub(r"[^\w.-]+", "_", display_name(name))[:60]
