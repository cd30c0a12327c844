"""Pictures that prove a segment: a frame of the clip and the frame of the film that is aligned with it."""

from __future__ import annotations

import logging
from pathlib import Path

from bof.cli.clip_finding import FoundSegments
from bof.cli.clip_table import remark_of, times_of_range
from bof.cli.proof import PROOF_SIDE, safe_name, write_picture
from bof.clips.proving import prove_segment
from bof.engine import Engine
from bof.errors import ImageError, display_name
from bof.geometry import transforms
from bof.images.draw import draw_match
from bof.images.films.times import text_of
from bof.types import U8

log = logging.getLogger("bof")


def write_clip_matches(folder: Path, engine: Engine, found: FoundSegments) -> list[Path]:
    """Write folder/LABEL_RANK_NAME.jpg for each segment; one whose film is gone is named in a warning and passed over.

    Raises ImageError where the folder cannot be written.
    """
    written = []
    for rank, segment in enumerate(found.answer.segments, 1):
        try:
            proof = _draw(engine, found, rank)
        except ImageError as error:
            log.warning("no match picture: %s", error)
            continue
        path = folder / f"{safe_name(found.label)}_{rank:02d}_{safe_name(Path(segment.name).stem)}.jpg"
        write_picture(path, proof, "matches")
        written.append(path)
    return written


def _draw(engine: Engine, found: FoundSegments, rank: int) -> U8:
    segment = found.answer.segments[rank - 1]
    proof = prove_segment(segment, found.name, engine.features, PROOF_SIDE)
    remark = remark_of(segment)
    caption = (
        f"{rank}. {display_name(segment.name)}   {segment.kind}, {proof.n_inliers} inliers\n"
        f"{found.shown} {times_of_range(segment.query)} at {text_of(segment.proof.query)}, the film "
        f"{times_of_range(segment.film)} at {text_of(segment.proof.film)}{'; ' if remark else ''}{remark}"
    )
    return draw_match(
        proof.query.pixels,
        proof.film.pixels,
        query_size=(proof.query.width, proof.query.height),
        candidate_size=(proof.film.width, proof.film.height),
        query_xy_px=proof.query_xy_px,
        candidate_xy_px=proof.film_xy_px,
        outline=transforms.apply(
            segment.place.film_from_query, transforms.corners((0, 0, proof.query.width, proof.query.height))
        ),
        verified=True,
        caption=caption,
    )
