"""The segments of a film as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bof.cli.clip_finding import FoundSegments
from bof.cli.hit_table import as_flag, as_percent
from bof.cli.terminal import Column, table_lines
from bof.clips.types import ClipSegment, PictureInClip, TimeRange
from bof.errors import display_name
from bof.images.films.times import text_of
from bof.system.units import counted


def clip_lines(found: FoundSegments) -> Iterator[str]:
    """What was searched with, a line a segment, then the pictures that the film shows."""
    answer, facts = found.answer, found.answer.facts
    spent = sum(answer.seconds.values())
    yield f"{found.shown}: {facts.width} x {facts.height}, {text_of(facts.duration)} s, {spent:.1f} s"
    yield from (f"  {note}" for note in notes_of(found))
    if answer.segments:
        yield from table_lines(*_columns(answer.segments), [""] * len(answer.segments))
    if answer.pictures:
        yield "  pictures that it shows:"
        yield from table_lines(*_picture_columns(answer.pictures), [picture.verdict for picture in answer.pictures])


def notes_of(found: FoundSegments) -> Iterator[str]:
    """What could not be compared, and that there is nothing."""
    for name, problem in found.answer.problems.items():
        yield f"{display_name(name)}: {problem}; its segments are known by keyframes alone"
    if not found.answer.segments:
        yield "no film of the index shares a segment with it"


def times_of_range(found: TimeRange) -> str:
    """From when until when, in seconds."""
    return f"{text_of(found.start)}-{text_of(found.stop)}"


def remark_of(segment: ClipSegment) -> str:
    """What else there is to say of a segment."""
    remarks: list[str] = [*segment.changes]
    if segment.whole:
        remarks.append(" and ".join({"query": "all of the query", "film": "all of it"}[one] for one in segment.whole))
    if segment.ends == "shot":
        remarks.append("a still picture: it may be any time of that")
    if segment.ends == "keyframe":
        remarks.append("by keyframes alone")
    return "; ".join(remarks)


def _columns(segments: Sequence[ClipSegment]) -> tuple[list[Column], Column]:
    speeds = ["" if abs(segment.speed - 1) < 0.0005 else f"{segment.speed:.3f}" for segment in segments]
    columns = [
        Column("rank", [str(rank) for rank in range(1, len(segments) + 1)], 4, True),
        Column("kind", [segment.kind for segment in segments], 5),
        Column("sure", [as_percent(min(segment.probability, 0.9999)) for segment in segments], 5, True, 2),
        Column("clip", [times_of_range(segment.query) for segment in segments], 15),
        Column("film", [times_of_range(segment.film) for segment in segments], 15),
        Column("speed", speeds, 0, True, 4),
        Column("inliers", [str(segment.proof.n_inliers) for segment in segments], 7, True, 1),
        Column("box in the film", [as_flag(segment.place.film_box) for segment in segments], 15, importance=0),
    ]
    tails = [f" ({remark})" if (remark := remark_of(segment)) else "" for segment in segments]
    return columns, Column("name", [display_name(segment.name) for segment in segments], tails=tails)


def _picture_columns(pictures: Sequence[PictureInClip]) -> tuple[list[Column], Column]:
    columns = [
        Column("verdict", [picture.verdict for picture in pictures], 7),
        Column("inliers", [str(picture.n_inliers) for picture in pictures], 7, True),
        Column("at", [text_of(picture.best) for picture in pictures], 8, True),
    ]
    tails = [f" ({counted(len(picture.times), 'sample')} show it)" for picture in pictures]
    return columns, Column("name", [display_name(picture.name) for picture in pictures], tails=tails)
