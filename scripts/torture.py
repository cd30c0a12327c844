"""What the index promises, tried on real photographs: kills, broken pictures, readers beside a writer, a full disk.

python scripts/torture.py --data DIR (the folder that holds ukbench1000/). Everything happens in a folder that is
deleted afterwards. Prints a table; the exit status is 1 where a promise was broken. Figures: docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torture_fragments
import torture_full
import torture_kill
import torture_mutate
import torture_readers
from torture_common import Finding

from bof.images.listing import walk_images
from bof.system.files import write_json

PARTS: dict[str, Callable[[list[Path], Path, argparse.Namespace], list[Finding]]] = {
    "kill": torture_kill.run,
    "mutate": torture_mutate.run,
    "readers": torture_readers.run,
    "full": torture_full.run,
    "fragments": torture_fragments.run,
}


def main(argv: list[str] | None = None) -> int:
    """Run the parts that are asked for and print what they found."""
    arguments = _parser().parse_args(argv)
    pictures = sorted(walk_images(arguments.data / "ukbench1000"))[: arguments.pictures]
    findings: dict[str, list[Finding]] = {}
    for part in arguments.only:
        with tempfile.TemporaryDirectory(prefix=f"bof-torture-{part}-") as scratch:
            findings[part] = PARTS[part](pictures, Path(scratch), arguments)
        print(f"{part}")
        for finding in findings[part]:
            print(f"  {'WRONG  ' if finding.is_wrong else ''}{finding.what}: {finding.value}")
        sys.stdout.flush()
    if arguments.json:
        write_json(arguments.json, {part: [f.as_json() for f in found] for part, found in findings.items()})
    return int(any(finding.is_wrong for found in findings.values() for finding in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ukbench1000/")
    parser.add_argument("--vocabulary", type=Path, help="default: bof's own")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--mutants", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of readers beside a writer (default 60)")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--memory", type=int, default=1500, help="megabytes, for the broken pictures (default 1500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every finding")
    return parser


if __name__ == "__main__":
    sys.exit(main())
