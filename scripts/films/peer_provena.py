"""provena-audit asked for clips, in an environment of its own: python peer_provena.py < question.json > answer.json.

The question: {"films": [paths], "clips": [paths], "scratch": folder}; the films lie in one folder. The answer: by clip,
a list of {"film", "score", "segments": [[clip start, clip stop, film start, film stop]]}, the best first. It imports
nothing of bof.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from provena_audit import shards
from provena_audit.audit import Index
from provena_audit.fingerprint import fingerprint_folder
from provena_audit.storage import Location


def main() -> None:
    """Fingerprint the films, look the clips up."""
    question = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr  # it prints how far it is
    send, private = (str(Path(question["scratch"]) / name) for name in ("send", "private"))
    folder = Path(question["films"][0]).parent
    fingerprint_folder(str(folder), send, private, workers=2)
    names = dict(shards.read_names(Location(private)))
    index = Index(send)
    found = {clip: _of_clip(index, clip, names, folder) for clip in question["clips"]}
    json.dump(found, answers)


def _of_clip(index: Any, clip: str, names: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    by_film: dict[str, dict[str, Any]] = {}
    for hit in index.search(clip):
        film = str(folder / names[str(hit["id"])])
        entry = by_film.setdefault(film, {"film": film, "score": 0.0, "segments": []})
        entry["score"] += float(hit["votes"])
        entry["segments"].append([float(hit[k]) for k in ("clip_start", "clip_end", "b_start", "b_end")])
    return sorted(by_film.values(), key=lambda entry: -float(entry["score"]))


if __name__ == "__main__":
    main()
