"""Pictures that prove a hit: query and hit side by side with their matches, written as files."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import numpy as np

from bof.engine import Engine, Query
from bof.errors import ImageError, display_name, reason_of
from bof.images.decode import Picture, read_image
from bof.images.draw import draw_match, encode_jpeg
from bof.retrieval.answer import shared_percent
from bof.system.files import require_folder, write_file
from bof.types import Box, Hit

log = logging.getLogger("bof")

PROOF_SIDE = 1280
"""The long side in pixels of each of the two pictures."""


def write_matches(
    folder: Path, label: str, picture: Picture, engine: Engine, query: Query, hits: list[Hit], box: Box | None
) -> list[Path]:
    """Write folder/LABEL_RANK_NAME.jpg for each hit; a hit whose file is gone is named in a warning and passed over.

    picture: the query in colour, PROOF_SIDE long. Raises ImageError where the folder cannot be written.
    """
    written = []
    for rank, hit in enumerate(hits, 1):
        try:
            candidate = read_image(hit.path, max_side=PROOF_SIDE)
        except ImageError as error:
            log.warning("no match picture: %s", error)
            continue
        path = folder / f"{_safe(label)}_{rank:02d}_{_safe(Path(hit.name).stem)}.jpg"
        _write(path, encode_jpeg(_draw(picture, candidate, engine, query, hit, rank, box)))
        written.append(path)
    return written


def _draw(
    picture: Picture, candidate: Picture, engine: Engine, query: Query, hit: Hit, rank: int, box: Box | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    located = hit.verdict in ("same", "part", "maybe")
    shared = hit.agreement if hit.verdict == "part" else None  # then the parts that agree are shown, in both
    query_xy, candidate_xy = engine.matched_points(query, hit)
    inliers = hit.verification.n_inliers if hit.verification else 0
    return draw_match(
        picture.pixels,
        candidate.pixels,
        query_size=(picture.width, picture.height),
        candidate_size=(candidate.width, candidate.height),
        query_xy_px=query_xy if located else query_xy[:0],
        candidate_xy_px=candidate_xy if located else candidate_xy[:0],
        outline=(shared.hit_region if shared else hit.outline) if located else None,
        query_region=shared.query_region if shared else None,
        verified=hit.verdict == "same",
        caption=f"{rank}. {hit.name}   {hit.verdict}, {inliers} inliers, score {hit.score:.2f}{_shares(hit)}",
        query_box=box,
    )


def _shares(hit: Hit) -> str:
    """How much of both pictures agrees, where the hit is called a part."""
    if hit.verdict != "part" or hit.agreement is None:
        return ""
    in_query, in_hit = (shared_percent(share) for share in (hit.agreement.query_overlap, hit.agreement.hit_overlap))
    return f"; {in_query}% of the query and {in_hit}% of it agree"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_folder(path.parent)
        write_file(path, content)
    except OSError as error:
        problem, where = f"cannot be written: {reason_of(error)}", os.fsdecode(error.filename or path)
        raise ImageError(problem, path=where, advice="name another --matches") from error


def _safe(name: str) -> str:
    """A name that any file system takes: letters of any script and digits stay, the length is bounded."""
    return re.sub(r"[^\w.-]+", "_", display_name(name))[:60]
