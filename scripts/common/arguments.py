"""The flags that commands share, the folder for what takes long, figures as JSON, packages that may be missing."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bof.errors import OptionError

SHARED: Mapping[str, Mapping[str, Any]] = {
    "data": {"metavar": "DIR", "default": Path("data"), "help": "the photographs (default data; see data/README.md)"},
    "cache": {"metavar": "DIR", "help": "keep here what takes long (default: a folder that is deleted)"},
    "json": {"metavar": "FILE", "help": "write every figure here"},
}
"""Flags by name; all of them are paths."""

Default = int | float | list[str] | None


def make_parser(doc: str | None, shared: str = "", **flags: tuple[Default, str]) -> argparse.ArgumentParser:
    """The parser of a command. doc: of its module; shared: names of SHARED; flags: default and meaning by name.

    Of defaults a number stands for one number, a list for some of its members, None for a path.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in shared.split():
        parser.add_argument(f"--{name}", type=Path, **SHARED[name])
    for name, (default, meaning) in flags.items():
        parser.add_argument(f"--{name.replace('_', '-')}", **_settings(default, meaning))
    return parser


def _settings(default: Default, meaning: str) -> dict[str, Any]:
    if default is None:
        return {"type": Path, "metavar": "PATH", "help": meaning}
    if isinstance(default, list):
        return {"nargs": "+", "choices": default, "default": default, "help": f"{meaning} (default: all)"}
    return {"type": type(default), "default": default, "metavar": "N", "help": f"{meaning} (default {default})"}


def require_positive(arguments: argparse.Namespace, *names: str) -> None:
    """OptionError for a number below 1, or a list of numbers with one."""
    for name in names:
        given = getattr(arguments, name)
        smallest = min(given) if isinstance(given, list) else given
        if smallest < 1:
            raise OptionError(f"--{name}: expected 1 or more, found {smallest}")


def choose(only: Sequence[str], names: Sequence[str], expected: str) -> set[str]:
    """The names that --only holds. OptionError, with what was expected, for one that is unknown."""
    if unknown := [name for name in only if name not in names]:
        raise OptionError(f"--only: expected {expected}, found {', '.join(unknown)}")
    return set(only)


@contextmanager
def cache_or_temporary(folder: Path | None) -> Iterator[Path]:
    """The folder, made if need be; without one, a folder that is deleted afterwards."""
    with TemporaryDirectory(prefix="bof-scripts-") as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        yield place


def n_cores() -> int:
    """Of this machine."""
    return os.cpu_count() or 1


@contextmanager
def optional(name: str, package: str) -> Iterator[None]:
    """Where an import inside fails, a line says how to install the package, and the rest is left out.

    An ImportError passes where `package` is empty.
    """
    try:
        yield
    except ImportError as error:
        if not package:
            raise
        print(f"{name}: left out; {error}; install it with: pip install {package}", file=sys.stderr, flush=True)


def write_figures(file: Path | None, figures: object) -> None:
    """Write JSON, dataclasses as objects, paths as text, sets sorted; nothing without a file."""
    if file:
        text = json.dumps(figures, indent=2, ensure_ascii=False, default=_plain)
        file.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> object:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else str(value)
