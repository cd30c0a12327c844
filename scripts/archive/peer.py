"""The peer's side, run by the peer's own Python: index canvases, answer queries, print JSON. Imports nothing of bof."""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main() -> None:
    """Read the task from standard input: manifests, and paths of queries."""
    from cropcatcher import Index  # type: ignore[import-not-found]

    task: dict[str, Any] = json.load(sys.stdin)
    index = Index(method="sift")
    start = time.perf_counter()
    index.add_iiif(task["manifests"])
    made = time.perf_counter() - start
    answers = []
    for query in task["queries"]:
        wall, cpu = time.perf_counter(), time.process_time()
        best = index.search(query).best
        seconds = time.perf_counter() - wall, time.process_time() - cpu
        # Its own rule: a match is one with a bounding box, which takes min_inliers that agree.
        found = best is not None and best.bbox is not None
        answers.append({
            "source": best.source if found else None, "score": best.score, "inliers": best.inliers,
            "seconds": seconds[0], "cpu_seconds": seconds[1],
        })  # fmt: skip
    json.dump({"seconds_to_index": made, "n_images": len(index), "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
