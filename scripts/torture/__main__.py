"""What the index promises, tried on real photographs: kills, broken pictures, readers beside a writer, a full disk.

python -m scripts.torture --data DIR (the folder that holds ukbench1000/). Everything happens in a folder that is
deleted afterwards. Prints a table; the exit status is 1 where a promise was broken. Figures: docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import make_parser, write_figures
from scripts.common.data import TRAIN, UKBENCH
from scripts.torture import cluster, documents, film_kills, films, formats, fragments, interrupted, mutants, readers
from scripts.torture.index import Finding

PARTS: dict[str, Callable[[list[Path], Path, argparse.Namespace], list[Finding]]] = {
    "kill": interrupted.kill,
    "mutate": mutants.run,
    "formats": formats.run,
    "readers": readers.run,
    "full": interrupted.full,
    "fragments": fragments.run,
    "documents": documents.run,
    "book": documents.kill,
    "films": films.run,
    "film kills": film_kills.kill,
    "cluster": cluster.run,
}


def main(argv: list[str] | None = None) -> int:
    """Run the parts that are asked for and print what they found."""
    parser = make_parser(
        __doc__,
        "data json",
        vocabulary=(None, "default: bof's own"),
        only=(list(PARTS), "these parts"),
        pictures=(1000, "photographs, of ukbench1000/ and, where these are too few, of train/"),
        kills=(50, "of the parts kill, book, film kills and cluster"),
        mutants=(5000, "broken files"),
        documents=(2000, "broken documents"),
        films=(500, "broken films"),
        seconds=(60.0, "of readers beside a writer"),
        readers=(8, "processes that search meanwhile"),
        memory=(1500, "megabytes, for the broken pictures"),
        seed=(0, "of everything random"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    sets = (arguments.data / name for name in (UKBENCH, TRAIN))
    pictures = [path for place in sets if place.is_dir() for path in sorted(walk_images(place))][: arguments.pictures]
    findings: dict[str, list[Finding]] = {}
    for part in arguments.only:
        with tempfile.TemporaryDirectory(prefix=f"bof-torture-{part}-") as scratch:
            findings[part] = PARTS[part](pictures, Path(scratch), arguments)
        print(f"{part}")
        for finding in findings[part]:
            print(f"  {'WRONG  ' if finding.is_wrong else ''}{finding.what}: {finding.value}")
        sys.stdout.flush()
    write_figures(arguments.json, findings)
    return int(any(finding.is_wrong for found in findings.values() for finding in found))


if __name__ == "__main__":
    sys.exit(main())
