"""Make wheels for every platform and the source archive on this machine, or try those that are made.

python -m scripts.wheels build --out DIST [--only TAG ...]
python -m scripts.wheels try DIST [--python PYTHON ...]: in new environments without a compiler, beside the checkout
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from scripts.wheels.building import build_sdist, build_wheel
from scripts.wheels.targets import BY_TAG, TARGETS
from scripts.wheels.trying import answer_of_checkout, differences, try_package


def main(argv: list[str] | None = None) -> int:
    """Build or try; 1 where a package answers otherwise than the checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    building = commands.add_parser("build", help="make wheels and the source archive")
    building.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR", help="put them here (default dist)")
    building.add_argument("--only", nargs="+", choices=list(BY_TAG), metavar="TAG", help="make only these wheels")
    building.set_defaults(command=_build)
    trying = commands.add_parser("try", help="install this machine's wheel, and the archive, and ask both")
    trying.add_argument("folder", type=Path, metavar="DIR", help="where they are")
    trying.add_argument("--python", nargs="+", default=[sys.executable], help="the Pythons to install them for")
    trying.set_defaults(command=_try)
    arguments = parser.parse_args(argv)
    return int(arguments.command(arguments))


def _build(arguments: argparse.Namespace) -> int:
    arguments.out.mkdir(parents=True, exist_ok=True)
    targets = [BY_TAG[tag] for tag in arguments.only] if arguments.only else TARGETS
    for target in targets:
        start = time.perf_counter()
        wheel = build_wheel(target, arguments.out)
        print(f"{wheel}  {wheel.stat().st_size:,} bytes  {time.perf_counter() - start:.0f} s", flush=True)
    if not arguments.only:
        print(build_sdist(arguments.out))
    return 0


def _try(arguments: argparse.Namespace) -> int:
    packages = [_wheel_of_this_machine(arguments.folder), *arguments.folder.glob("*.tar.gz")]
    expected, n_wrong = answer_of_checkout(), 0
    for python in arguments.python:
        for package in packages:
            start = time.perf_counter()
            wrong = differences(expected, try_package(package.absolute(), python))
            verdict = f"other answers than the checkout to {', '.join(wrong)}" if wrong else "the checkout's answers"
            print(f"{python}  {package.name}: {verdict}  {time.perf_counter() - start:.0f} s", flush=True)
            n_wrong += bool(wrong)
    return 1 if n_wrong else 0


def _wheel_of_this_machine(folder: Path) -> Path:
    usable = set(sys_tags())
    for wheel in sorted(folder.glob("*.whl")):
        if parse_wheel_filename(wheel.name)[3] & usable:
            return wheel
    raise SystemExit(f"error: {folder}: expected a wheel for this machine; make one: python -m scripts.wheels build")


if __name__ == "__main__":
    sys.exit(main())
