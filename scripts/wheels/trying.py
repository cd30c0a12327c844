"""Install a wheel or the source archive into a new environment that has no compiler, and ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.wheels.building import ROOT

ANSWER = Path(__file__).with_name("answer.py")
CONSTRAINTS = ROOT / "constraints.txt"


def answer_of_checkout() -> Any:
    """What this checkout answers, with the packages of the Python that runs."""
    return _ask(Path(sys.executable), PYTHONPATH=str(ROOT))["answers"]


def try_package(package: Path, python: str) -> Any:
    """Install a package for a Python, with the versions of constraints.txt, into a new environment, and ask it.

    Neither compilers nor other tools of the machine are on the path; ValueError where the checkout was asked instead.
    """
    with TemporaryDirectory() as scratch:
        subprocess.run([python, "-m", "venv", scratch], check=True)
        binaries = Path(scratch) / ("Scripts" if os.name == "nt" else "bin")
        own = binaries / f"python{'.exe' if os.name == 'nt' else ''}"
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
        _run([own, *install, package], binaries)
        _run([own, "-m", "pip", "check"], binaries)
        _run([binaries / "bof", "--help"], binaries)
        answer = _ask(own, PATH=str(binaries))
        if not Path(answer["where"]).is_relative_to(scratch):
            raise ValueError(f"{answer['where']}: expected a package in {scratch}")
        return answer["answers"]


def differences(expected: Any, found: Any) -> Sequence[str]:
    """The queries that are answered otherwise."""
    return [query for query in expected if expected[query] != found.get(query)]


def _ask(python: Path, **environment: str) -> Any:
    return json.loads(_run([python, ANSWER], None, **environment))


def _run(call: Sequence[str | Path], binaries: Path | None, **environment: str) -> str:
    """What a program prints; SystemExit with all of it where the program fails. binaries: the only folder on PATH."""
    changes = {**environment, **({"PATH": str(binaries)} if binaries else {})}
    inherited = {name: value for name, value in os.environ.items() if name not in ("CC", "PYTHONPATH")}
    done = subprocess.run(call, env={**inherited, **changes}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(map(str, call))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
