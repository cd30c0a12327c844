"""Any folder: a JSON file names the database, the queries and what each should find."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery
from bof.types import Box

LABELS = ("half", "kind", "family", "query_kind")
"""What siblings are reported by: half (to fit on, or to judge), kind and family of picture, kind of query."""


def load(file: Path, root: Path) -> Benchmark:
    """Read {"name", "database": [...], "queries": [{"image", "positives", "junk"?, "box"?, "group"?}], "pooled"?}.

    Paths are under root. A query's own picture is junk unless it is listed under positives; a query without positives
    tests rejection. "siblings" of a query name pictures that show another thing; texts under LABELS are its labels.
    Raises BenchmarkError, with the file's name, for anything else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        database = _paths(content["database"], root)
        queries = [_query(entry, root) for entry in content["queries"]]
        name, pooled = _text(content["name"]), _flag(content.get("pooled", False))
    except KeyError as error:
        raise BenchmarkError(path=file, expected=f"a field {error}", found="none", advice=README) from error
    except (OSError, ValueError, TypeError) as error:
        raise BenchmarkError(f"not a benchmark file: {error}", path=file, advice=README) from error
    _refuse_unknown(file, set(database), queries)
    return Benchmark(name, database, queries, pooled=pooled)


def _query(entry: dict[str, Any], root: Path) -> BenchmarkQuery:
    (image,) = _paths([entry["image"]], root)
    positives = frozenset(_paths(entry["positives"], root))
    junk = frozenset(_paths(entry.get("junk", []), root)) | {image}
    box, group = _box(entry.get("box")), _text(entry.get("group", ""))
    siblings = frozenset(_paths(entry.get("siblings", []), root)) - positives - junk
    labels = {name: entry[name] for name in LABELS if isinstance(entry.get(name), str)}
    return BenchmarkQuery(image, positives, junk - positives, box, group, siblings=siblings, labels=labels)


def _paths(names: object, root: Path) -> list[Path]:
    """Names under the root as the collection knows them: absolute, without detours."""
    if not isinstance(names, list):
        raise TypeError(f"expected a list of paths, found {names!r}")
    return [Path(os.path.abspath(root / _text(name))) for name in names]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, found {value!r}")
    return value


def _box(value: object) -> Box | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise TypeError(f"expected a box [x0, y0, x1, y1], found {value!r}")
    x0, y0, x1, y1 = (float(v) for v in value)
    return x0, y0, x1, y1


def _refuse_unknown(file: Path, database: set[Path], queries: list[BenchmarkQuery]) -> None:
    """A positive that is not in the database can never be found: a typing error, not a hard query."""
    if not queries:
        raise BenchmarkError(path=file, expected="at least one query", found="none")
    for query in queries:
        for role, named in (("positive", query.positives), ("sibling", query.siblings)):
            if unknown := sorted(named - database):
                problem = f"{role} {unknown[0]} of {query.image.name} is not in the database"
                raise BenchmarkError(problem, path=file)
