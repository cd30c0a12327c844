"""The demo: draw a small collection, index it, search it, show the proof. Fails loudly when an answer is wrong.

python -m scripts.demo FOLDER: pictures, index and match pictures go there; an earlier demo in it is replaced.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from bof import index, search
from bof.engine import Engine
from bof.images.decode import read_image
from scripts.common.arguments import make_parser
from scripts.demo.collection import DemoCollection, draw_collection


def main(argv: list[str] | None = None) -> int:
    """Run the demo in a folder that is emptied first."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    if folder.exists() and any(folder.iterdir()) and not (folder / "photos").is_dir():
        print(f"error: {folder}: expected an empty folder or an earlier demo, found other files", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    collection = draw_collection(folder)
    print(f"drew a collection in {collection.photos} ({time.perf_counter() - start:.1f} s)\n")
    here = ["--index", str(folder / "index")]
    asking = [*map(str, collection.queries), *here, "--top", "5", "--matches", str(folder / "matches")]
    status = index.main([str(collection.photos), *here]) or search.main(asking) or _check(collection, folder / "index")
    if status == 0:
        _say_what_next(folder)
    return status


def _check(collection: DemoCollection, index_folder: Path) -> int:
    """The right pictures first, and nothing else called the same."""
    wrong = []
    with Engine.open(index_folder) as engine:
        for query, right in collection.queries.items():
            hits = engine.search(read_image(query, grey=True, max_side=engine.features.max_side))
            first = [hit.name for hit in hits[: len(right)]]
            if set(first) != set(right):
                wrong.append(f"{query.name}: expected {sorted(right)} first, found {first}")
            if others := {hit.name for hit in hits if hit.verdict == "same"} - set(right):
                wrong.append(f"{query.name}: called the same but is not: {sorted(others)}")
    for complaint in wrong:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


def _say_what_next(folder: Path) -> None:
    bof = Path(os.path.relpath(Path(sys.executable).parent)) / "bof"
    print(
        f"\nEvery picture of the same poster was found first. The proof of each hit: {folder / 'matches'}\n\n"
        f"With your own pictures:\n  {bof} index FOLDER\n  {bof} search PICTURE --matches proof"
    )


if __name__ == "__main__":
    sys.exit(main())
