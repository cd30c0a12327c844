"""1,000 canvases of an archive on loopback: harvested, killed, resumed, queried, beside another program for the same.

python -m scripts.archive --data DIR (the folder that holds train/). Everything happens in a folder that is deleted
afterwards. The exit status is 1 where the killed index is not the undisturbed one. Figures: docs/iiif.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bof.cli.command import run
from bof.engine import Engine
from bof.images.listing import walk_images
from scripts.archive.collection import PlantedQuery, fill, make_queries
from scripts.archive.killing import differences, harvest
from scripts.archive.server import Archive, serving
from scripts.common.arguments import make_parser, write_figures

Figures = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Run it and print what was found."""
    parser = make_parser(
        __doc__, "data json",
        peer=(None, "the Python of an environment with cropcatcher"), canvases=(1000, "canvases"),
        kills=(5, "times that a harvest is killed"), commit=(50, "pictures a commit"), queries=(40, "queries to bof"),
        peer_queries=(12, "of them to the peer"), seed=(0, "of everything random"),
    )  # fmt: skip
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    photographs = sorted(walk_images(arguments.data / "train"))
    used, others = photographs[: arguments.canvases], photographs[arguments.canvases :]
    with TemporaryDirectory(prefix="bof-archive-") as scratch, serving() as archive:
        url = fill(archive, used)
        queries = make_queries(used, others, arguments.queries, Path(scratch) / "queries", arguments.seed)
        figures = _harvest(archive, url, Path(scratch), arguments, [query.path for query in queries])
        figures["bof"] = _ask(Path(scratch) / "whole", queries)
        if arguments.peer:
            figures["peer"] = _ask_peer(archive, arguments.peer, queries[: arguments.peer_queries])
    for name, value in figures.items():
        print(f"{name}: {json.dumps(value)}")
    write_figures(arguments.json, figures)
    return int(bool(figures["differences"]) or not figures["is_sound"])


def _harvest(
    archive: Archive, url: str, scratch: Path, arguments: argparse.Namespace, queries: Sequence[Path]
) -> Figures:
    n = arguments.canvases
    whole = harvest(url, archive.host, scratch / "whole", n_pictures=n, kills=0, commit=arguments.commit)
    archive.requests.clear()
    killed = harvest(
        url, archive.host, scratch / "killed", n_pictures=n, kills=arguments.kills, commit=arguments.commit
    )
    sent = Counter(path for path, status, _ in archive.requests if status == 200 and path.startswith("/iiif"))
    archive.requests.clear()
    again = harvest(url, archive.host, scratch / "killed", n_pictures=n, kills=0, commit=arguments.commit)
    with Engine.open(scratch / "whole") as one, Engine.open(scratch / "killed") as other:
        return {
            "canvases": one.count(), "seconds": whole.seconds, "seconds_killed": killed.seconds,
            "pictures_at_kills": list(killed.at_kills), "sent_more_than_once": sum(n > 1 for n in sent.values()),
            "seconds_again": again.seconds,
            "answers_again": dict(Counter(str(status) for _, status, _ in archive.requests)),
            "most_connections": archive.most_connections, "bytes": one.n_bytes(),
            "differences": differences(one, other, queries), "is_sound": other.check().is_sound,
        }  # fmt: skip


def _ask(index: Path, queries: Sequence[PlantedQuery]) -> Figures:
    with Engine.open(index) as engine:
        engine.search(queries[0].path)  # opens the index
        answers = []
        for query in queries:
            wall, cpu = time.perf_counter(), time.process_time()
            found = [hit for hit in engine.search(query.path) if hit.verdict in ("same", "part")]
            seconds = time.perf_counter() - wall, time.process_time() - cpu
            fields = engine.select(ids=[int(engine.images.id[found[0].image])]).fields if found else {}
            source = next(iter(fields.values()))["iiif_service"][0] if found else None
            answers.append({"source": source, "seconds": seconds[0], "cpu_seconds": seconds[1]})
    return _judged(answers, queries)


def _ask_peer(archive: Archive, python: Path, queries: Sequence[PlantedQuery]) -> Figures:
    manifests = [archive.url(path) for path in archive.documents if path.startswith("/book")]
    task = json.dumps({"manifests": manifests, "queries": [str(query.path) for query in queries]})
    script = Path(__file__).with_name("peer.py")
    ran = subprocess.run([str(python), str(script)], input=task, capture_output=True, text=True, check=False)
    if ran.returncode:
        print(ran.stderr[-2000:], file=sys.stderr)
        return {"failed": ran.returncode}
    found = json.loads(ran.stdout)
    return {**_judged(found.pop("answers"), queries), **found}


def _judged(answers: Sequence[Figures], queries: Sequence[PlantedQuery]) -> Figures:
    """Precision and recall of the first hit that was called a match; mean seconds, of the clock and of processors."""
    named = [(a["source"], q.source) for a, q in zip(answers, queries, strict=True)]
    right = sum(source is not None and source.endswith(f"/p{planted}") for source, planted in named)
    n_found, n_planted = sum(source is not None for source, _ in named), sum(q.source is not None for q in queries)
    return {
        "queries": len(queries), "planted": n_planted, "precision": right / n_found if n_found else None,
        "recall": right / n_planted, "seconds": _mean(answers, "seconds"), "cpu_seconds": _mean(answers, "cpu_seconds"),
    }  # fmt: skip


def _mean(answers: Sequence[Figures], key: str) -> float:
    return float(sum(answer[key] for answer in answers) / len(answers))


if __name__ == "__main__":
    sys.exit(main())
