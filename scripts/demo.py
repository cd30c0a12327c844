"""The demo: draw a small collection, index it, search it, show the proof. Fails loudly when an answer is wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from draw_demo import DemoCollection, draw_collection

from bof import index, search
from bof.engine import Engine
from bof.images.decode import read_image
from bof.types import Hit


def main(argv: list[str] | None = None) -> int:
    """Run the demo in a folder that is emptied first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="where pictures, index and match pictures go; what it held is replaced"
    )
    folder = parser.parse_args(argv).folder
    if folder.exists() and any(folder.iterdir()) and not (folder / "photos").is_dir():
        print(f"error: {folder}: expected an empty folder or an earlier demo, found other files", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    collection = draw_collection(folder)
    print(f"drew a collection in {collection.photos} ({time.perf_counter() - start:.1f} s)\n")
    status = _run(collection, folder)
    if status == 0:
        _say_what_next(folder)
    return status


def _run(collection: DemoCollection, folder: Path) -> int:
    queries = [str(path) for path in collection.queries]
    here = ["--index", str(folder / "index")]
    status = index.main([str(collection.photos), *here]) or search.main(
        [*queries, *here, "--top", "5", "--matches", str(folder / "matches")]
    )
    return status or _check(collection, folder / "index")


def _check(collection: DemoCollection, index_folder: Path) -> int:
    """The right pictures first, and nothing else called the same."""
    wrong = []
    with Engine.open(index_folder) as engine:
        for query, right in collection.queries.items():
            hits = engine.search(read_image(query, grey=True, max_side=engine.features.max_side))
            wrong += _complaints(query, hits, right)
    for complaint in wrong:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


def _complaints(query: Path, hits: list[Hit], right: list[str]) -> list[str]:
    first = [hit.name for hit in hits[: len(right)]]
    said_same = {hit.name for hit in hits if hit.verdict == "same"}
    complaints = []
    if set(first) != set(right):
        complaints.append(f"{query.name}: expected {sorted(right)} first, found {first}")
    if said_same - set(right):
        complaints.append(f"{query.name}: called the same but is not: {sorted(said_same - set(right))}")
    return complaints


def _say_what_next(folder: Path) -> None:
    bof = Path(os.path.relpath(Path(sys.executable).parent)) / "bof"
    print(
        f"\nEvery picture of the same poster was found first. The proof of each hit: {folder / 'matches'}\n\n"
        f"With your own pictures:\n  {bof} index FOLDER\n  {bof} search PICTURE --matches proof"
    )


if __name__ == "__main__":
    sys.exit(main())
