"""Stanford Mobile Visual Search, DVD covers (Chandrasekhar et al. 2011): Reference/ and one folder a camera."""

from __future__ import annotations

from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery

REFERENCE = "Reference"
CAMERAS = ("Canon", "Droid", "E63", "Palm")


def load(root: Path) -> Benchmark:
    """Covers are the database; a phone's photograph NNN.jpg should find cover NNN. Grouped by camera."""
    covers = {path.stem: path for path in _photographs(root / REFERENCE)}
    queries = [query for camera in CAMERAS for query in _queries(root / camera, covers)]
    return Benchmark(f"dvd-{len(covers)}", list(covers.values()), queries)


def _queries(folder: Path, covers: dict[str, Path]) -> list[BenchmarkQuery]:
    photographs = _photographs(folder)
    unknown = [path for path in photographs if path.stem not in covers]
    if unknown:
        expected = f"a cover of the same number in {REFERENCE}/"
        raise BenchmarkError(path=unknown[0], expected=expected, found="none")
    return [BenchmarkQuery(path, frozenset({covers[path.stem]}), group=folder.name) for path in photographs]


def _photographs(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.jpg")) if folder.is_dir() else []
    if not paths:
        raise BenchmarkError(path=folder, expected="photographs NNN.jpg", found="none", advice=README)
    return paths
