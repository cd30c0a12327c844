"""The segments of films as plain values: JSON, and rows of a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

from bof.cli.clip_finding import FoundSegments
from bof.cli.finding import FailedQuery
from bof.clips.duplicates import FilmPair
from bof.clips.types import ClipSegment, PictureInClip, TimeRange
from bof.system.csv_cells import text_cell

_COLUMNS = (
    "rank", "kind", "score", "probability", "inliers", "query_start", "query_stop", "film_start", "film_stop", "speed",
    "mirrored", "changes", "whole", "ends", "left", "top", "right", "bottom", "name", "path",
)  # fmt: skip


def clip_as_json(found: FoundSegments) -> dict[str, Any]:
    """A film and what it shares. Times are in seconds."""
    answer, facts = found.answer, found.answer.facts
    return {
        "query": found.shown,
        "film": {
            "width": facts.width,
            "height": facts.height,
            "duration": _seconds(facts.duration),
            "frame_rate": _seconds(facts.frame_rate),
            "codec": facts.codec,
        },
        "segments": [segment_record(segment) for segment in answer.segments],
        "pictures": [_picture_record(picture) for picture in answer.pictures],
        "problems": dict(answer.problems),
        "seconds": dict(answer.seconds),
    }


def segment_record(segment: ClipSegment) -> dict[str, Any]:
    """One segment."""
    return {
        "name": segment.name,
        "path": os.fspath(segment.path),
        "kind": segment.kind,
        "score": segment.score,
        "probability": segment.probability,
        "query": _range(segment.query),
        "film": _range(segment.film),
        "speed": segment.speed,
        "mirrored": segment.mirrored,
        "changes": list(segment.changes),
        "whole": list(segment.whole),
        "ends": segment.ends,
        "box": {"query": list(segment.place.query_box), "film": list(segment.place.film_box)},
        "film_from_query": segment.place.film_from_query.tolist(),
        "proof": {
            "query": _seconds(segment.proof.query),
            "film": _seconds(segment.proof.film),
            "inliers": segment.proof.n_inliers,
        },
    }


def clips_as_csv(answered: Sequence[FoundSegments | FailedQuery]) -> str:
    """All answers as one table, a row a segment; a film without one, or without an answer, has a row that says so."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["query", "problem", *_COLUMNS])
    for one in answered:
        writer.writerows(_rows(one))
    return stream.getvalue()


def _rows(one: FoundSegments | FailedQuery) -> Iterator[list[object]]:
    query = text_cell(one.shown)
    if isinstance(one, FailedQuery) or not one.answer.segments:
        problem = text_cell(one.problem) if isinstance(one, FailedQuery) else None
        yield [query, problem, *(None for _ in _COLUMNS)]
        return
    for rank, segment in enumerate(one.answer.segments, 1):
        yield [query, None, *_cells(rank, segment)]


def pair_rows(pairs: Sequence[FilmPair]) -> str:
    """Pairs of films as a table, a row a segment."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["pair", "first", *_COLUMNS])
    for number, pair in enumerate(pairs, 1):
        for segment in pair.segments:
            writer.writerow([number, text_cell(pair.name), *_cells(number, segment)])
    return stream.getvalue()


def _cells(rank: int, segment: ClipSegment) -> list[object]:
    found = segment_record(segment)
    box = dict(zip(("left", "top", "right", "bottom"), segment.place.film_box, strict=True))
    flat = {
        **found, **box, "rank": rank, "inliers": segment.proof.n_inliers,
        "query_start": found["query"]["start"], "query_stop": found["query"]["stop"],
        "film_start": found["film"]["start"], "film_stop": found["film"]["stop"],
        "mirrored": str(segment.mirrored).lower(), "changes": ", ".join(segment.changes),
        "whole": ", ".join(segment.whole), "name": text_cell(segment.name), "path": text_cell(found["path"]),
    }  # fmt: skip
    return [flat[name] for name in _COLUMNS]


def _picture_record(picture: PictureInClip) -> dict[str, Any]:
    return {
        "name": picture.name,
        "path": os.fspath(picture.path),
        "verdict": picture.verdict,
        "probability": picture.probability,
        "inliers": picture.n_inliers,
        "best": _seconds(picture.best),
        "times": [_seconds(time) for time in picture.times],
    }


def _range(found: TimeRange) -> dict[str, float]:
    return {"start": _seconds(found.start), "stop": _seconds(found.stop)}


def _seconds(value: Any) -> float:
    return round(float(value), 6)
