"""What publishing an index, and opening what is published, cost: bytes, objects, and processor time.

python -m scripts.scale.publication INDEX [--place URL]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bof.engine import Engine
from bof.options.published import CacheOptions
from bof.store.index import Index
from bof.store.published.buckets import open_bucket, publication_place
from bof.store.published.publishing import publish
from bof.system.units import human_bytes

T = TypeVar("T")


def measured(what: str, work: Callable[[], T]) -> T:
    """What it returns; prints what it took."""
    start, spent = time.perf_counter(), time.process_time()
    found = work()
    print(f"{what}: {time.process_time() - spent:.2f} s of processor time ({time.perf_counter() - start:.2f} s passed)")
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Print each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("--place", default="")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bof-publication-") as scratch:
        text = arguments.place or (Path(scratch) / "there").as_uri()
        bucket = open_bucket(publication_place(text), write=True)
        report = measured("publish", lambda: publish(Index.open(arguments.index), bucket))
        objects = report.manifest.contents
        print(f"  {report.manifest.n_images} pictures, {len(objects)} objects, {human_bytes(report.manifest.n_bytes)}")
        measured("publish again", lambda: publish(Index.open(arguments.index), bucket))
        cache = CacheOptions(str(Path(scratch) / "cache"), 1_000_000)
        measured("open from the folder", lambda: len(Engine.open(arguments.index)))
        held = measured("open what is published, first", lambda: Engine.open(text, cache=cache))
        len(held)
        measured("open what is published, again", lambda: len(Engine.open(text, cache=cache)))


if __name__ == "__main__":
    main()
