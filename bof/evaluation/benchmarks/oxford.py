"""Oxford5k and Paris6k (Philbin et al. 2007, 2008): 55 queries with a box, four text files each."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.layouts import clipped, photographs, plain_name, refuse_missing
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery
from bof.types import Box

N_BROKEN = 25
"""About 20 photographs of Paris6k are broken as published, and some copies leave them out; more is another fault."""

_QUERY = "_query.txt"


@dataclass(frozen=True, slots=True)
class LandmarkQuery:
    """One query as its four files state it: names without prefix and suffix; box in pixels, as written there."""

    name: str
    image: str
    box: Box
    good: frozenset[str]
    ok: frozenset[str]
    junk: frozenset[str]


def load_oxford5k(root: Path) -> Benchmark:
    """All photographs are the database, the queries' own too; good and ok are positives, grouped by landmark."""
    return _load("oxford5k", root, may_be_unreadable=False)


def load_paris6k(root: Path) -> Benchmark:
    """As Oxford5k, but broken photographs are passed over."""
    return _load("paris6k", root, may_be_unreadable=True)


def read_ground_truth(folder: Path) -> list[LandmarkQuery]:
    """The queries of a folder of NAME_query.txt, NAME_good.txt, NAME_ok.txt and NAME_junk.txt, in order of name.

    Raises BenchmarkError where there are none, or one of the four is missing or malformed.
    """
    names = sorted(path.name.removesuffix(_QUERY) for path in folder.glob(f"*{_QUERY}"))
    if not names:
        raise BenchmarkError(path=folder, expected=f"files NAME{_QUERY}", found="none", advice=README)
    return [_read_query(folder, name) for name in names]


def _read_query(folder: Path, name: str) -> LandmarkQuery:
    file = folder / f"{name}{_QUERY}"
    words = _words(file)
    try:
        image, *numbers = words
        x0, y0, x1, y1 = (float(number) for number in numbers)
        if not (all(map(isfinite, (x0, y0, x1, y1))) and x0 < x1 and y0 < y1):
            raise ValueError("not a box")
    except ValueError as error:
        expected, found = "a name and a box x0 y0 x1 y1", repr(" ".join(words))
        raise BenchmarkError(path=file, expected=expected, found=found, advice="get it again") from error
    good, ok, junk = (
        frozenset(map(plain_name, _words(folder / f"{name}_{kind}.txt"))) for kind in ("good", "ok", "junk")
    )
    return LandmarkQuery(name, plain_name(image), (x0, y0, x1, y1), good, ok, junk)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(path=file, expected=f"a text file of names: {error}", advice=README) from error


def _load(name: str, root: Path, *, may_be_unreadable: bool) -> Benchmark:
    pictures = photographs(root)
    truth = read_ground_truth(_ground_truth_folder(root))
    missing = {image for query in truth for image in query.good | query.ok} - pictures.keys()
    refuse_missing(root, missing, N_BROKEN if may_be_unreadable else 0)
    refuse_missing(root, {query.image for query in truth} - pictures.keys())
    queries = [_query(query, pictures) for query in truth]
    notes = [f"left out, because no such photograph is there: {', '.join(sorted(missing))}"] if missing else []
    return Benchmark(name, list(pictures.values()), queries, notes=notes, may_be_unreadable=may_be_unreadable)


def _ground_truth_folder(root: Path) -> Path:
    """The root or the folder in it that holds the queries, whatever it is called."""
    folders = sorted({path.parent for pattern in (f"*{_QUERY}", f"*/*{_QUERY}") for path in root.glob(pattern)})
    if len(folders) == 1:
        return folders[0]
    found = f"{folders[0]} and {folders[1]}" if folders else "none"
    expected = f"files NAME{_QUERY} in groundtruth/, gt_files/, another folder or here"
    raise BenchmarkError(path=root, expected=expected, found=found, advice=README)


def _query(query: LandmarkQuery, pictures: dict[str, Path]) -> BenchmarkQuery:
    image = pictures[query.image]
    positives = frozenset(pictures[name] for name in query.good | query.ok if name in pictures)
    junk = frozenset(pictures[name] for name in query.junk if name in pictures)
    return BenchmarkQuery(image, positives, junk, clipped(query.box, image), query.name.rpartition("_")[0])
