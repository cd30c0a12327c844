"""Films to search: pictures with the films and times that show them, and clips with the segments that they copy."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bof.errors import BenchmarkError, display_name
from bof.evaluation.benchmarks.types import README
from bof.evaluation.segments import CopiedSegment, Range

FRAMES, CLIPS = "frames", "clips"

Query = TypeVar("Query")


@dataclass(frozen=True, slots=True)
class Showing:
    """Where a film shows what a query shows: a shot, and the times in it that look as the query does, in seconds.

    time: of the very frame that the query was made from, None where there is none.
    """

    film: Path
    shot: Range
    times: Sequence[Range]
    time: float | None


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """A picture and where it is shown; nowhere: a test of rejection. groups: names to report by."""

    image: Path
    groups: Sequence[str]
    shown: Sequence[Showing]


@dataclass(frozen=True, slots=True)
class ClipQuery:
    """A clip and what it copies, by film. ignored: what it shares with films and counts neither way."""

    clip: Path
    groups: Sequence[str]
    copied: Mapping[Path, Sequence[CopiedSegment]]
    ignored: Mapping[Path, Sequence[CopiedSegment]]


@dataclass(frozen=True, slots=True)
class FrameBenchmark:
    """Pictures to find in films. database: films and pictures to index; all paths are absolute."""

    name: str
    database: Sequence[Path]
    queries: Sequence[FrameQuery]


@dataclass(frozen=True, slots=True)
class ClipBenchmark:
    """Clips to find in films."""

    name: str
    database: Sequence[Path]
    queries: Sequence[ClipQuery]


def load_frames(root: Path) -> FrameBenchmark:
    """root/frames.json, as docs/evaluation.md describes it. Raises BenchmarkError for anything else."""
    name, database, queries = _load(root, FRAMES, _frame_query)
    shown = ((query.image, showing.film) for query in queries for showing in query.shown)
    _check(root / "frames.json", database, [query.image for query in queries], shown)
    return FrameBenchmark(name, database, queries)


def load_clips(root: Path) -> ClipBenchmark:
    """root/clips.json, as docs/evaluation.md describes it. Raises BenchmarkError for anything else."""
    name, database, queries = _load(root, CLIPS, _clip_query)
    named = ((query.clip, film) for query in queries for film in (*query.copied, *query.ignored))
    _check(root / "clips.json", database, [query.clip for query in queries], named)
    return ClipBenchmark(name, database, queries)


def _load(root: Path, kind: str, read: Callable[[dict[str, Any], Path], Query]) -> tuple[str, list[Path], list[Query]]:
    root, file = Path(os.path.abspath(root)), root / f"{kind}.json"
    if not file.is_file():
        raise BenchmarkError(path=file, expected="the benchmark's file", found="no such file", advice=README)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        database = [_path(name, root) for name in content["database"]]
        return str(content["name"]), database, [read(entry, root) for entry in content["queries"]]
    except KeyError as error:
        raise BenchmarkError(path=file, expected=f"a field {error}", found="none", advice=README) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BenchmarkError(f"not a benchmark file: {error}", path=file, advice=README) from error


def _check(file: Path, database: Sequence[Path], queries: Sequence[Path], named: Iterable[tuple[Path, Path]]) -> None:
    """What is missing, or never indexed, would silently change the figures."""
    if not queries or not database:
        raise BenchmarkError(path=file, expected="at least one query and one film", found="none")
    if missing := sorted(path for path in {*database, *queries} if not path.is_file()):
        problem = f"{len(missing)} files are missing, the first is {display_name(missing[0])}"
        raise BenchmarkError(problem, path=file, advice=README)
    for query, film in named:
        if film not in set(database):
            raise BenchmarkError(f"film {film.name} of {query.name} is not in the database", path=file)


def _frame_query(entry: dict[str, Any], root: Path) -> FrameQuery:
    return FrameQuery(_path(entry["image"], root), _groups(entry), [_showing(each, root) for each in entry["shown"]])


def _showing(entry: dict[str, Any], root: Path) -> Showing:
    time = entry.get("time")
    times = [_range(each) for each in entry.get("times", [])]
    if time is not None and not times:
        times = [(float(time), float(time))]
    shot = _range(entry["shot"])
    return Showing(_path(entry["film"], root), shot, times or [shot], None if time is None else float(time))


def _clip_query(entry: dict[str, Any], root: Path) -> ClipQuery:
    segments = (_by_film(entry.get(name, []), root) for name in ("segments", "ignored"))
    return ClipQuery(_path(entry["clip"], root), _groups(entry), *segments)


def _by_film(entries: list[dict[str, Any]], root: Path) -> dict[Path, list[CopiedSegment]]:
    segments: dict[Path, list[CopiedSegment]] = {}
    for entry in entries:
        segment = CopiedSegment(_range(entry["clip_range"], lasting=True), _range(entry["film_range"], lasting=True))
        segments.setdefault(_path(entry["film"], root), []).append(segment)
    return segments


def _groups(entry: dict[str, Any]) -> list[str]:
    groups = entry.get("groups", [])
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise TypeError(f"expected a list of names, found {groups!r}")
    return groups


def _path(name: object, root: Path) -> Path:
    if not isinstance(name, str):
        raise TypeError(f"expected a path, found {name!r}")
    return Path(os.path.abspath(root / name))


def _range(value: object, *, lasting: bool = False) -> Range:
    """Two times in seconds, the second not before the first; of what is lasting, after it."""
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"expected two times [start, stop], found {value!r}")
    start, stop = float(value[0]), float(value[1])
    if not (math.isfinite(start) and math.isfinite(stop) and stop >= start) or (lasting and stop == start):
        raise ValueError(f"expected [start, stop] with start before stop, found {value!r}")
    return start, stop
