"""What a person judges of two pictures, on the command line: said, exported, and read back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bof.cli.export import kind_of_table, read_table, write_table
from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.images.sources import open_source
from bof.store.judgments import Judgment, add_judgments
from bof.system.units import counted, when

JUDGMENTS = ("same", "different", "none")
"""What --judge may say of two pictures; none: forget what was said."""

_WORDS = {True: "same", False: "different"}
_COLUMNS = ("judgment", "judged", "one", "other", "one_name", "other_name")


def judge_action(engine: Engine, arguments: argparse.Namespace) -> int:
    """`--judge same A B`: two pictures by name in the index, by file, or by SHA-256."""
    judgment, *names = arguments.judge
    if judgment not in JUDGMENTS:
        raise OptionError(option="judge", expected=f"one of {', '.join(JUDGMENTS)}", found=repr(judgment[:40]))
    one, other = (_content(engine, name) for name in names)
    shown = f"{display_name(names[0])} and {display_name(names[1])}"
    if judgment == "none":
        if not engine.withdraw_judgment(one, other):
            raise OptionError(option="judge", expected="two pictures that were judged", found=shown)
        print(f"{shown}: what was judged is forgotten")
        return 0
    engine.judge(one, other, is_same=judgment == "same")
    print(f"{shown}: {'the same' if judgment == 'same' else 'not the same'}, from now on")
    return 0


def _content(engine: Engine, name: str) -> str:
    """The SHA-256 of a picture: of the index, or of a file as a query has it."""
    try:
        return engine.content_of(name)
    except OptionError:
        if not os.path.lexists(name):
            raise
    return open_source(name).sha256


def export_action(engine: Engine, arguments: argparse.Namespace) -> int:
    """`--export-judgments FILE`: all of them as CSV or JSON lines."""
    path = arguments.export_judgments
    n = write_table(path, _COLUMNS, list(judgment_records(engine)))
    print(f"{display_name(path)}: {counted(n, 'judgment')}")
    return 0


def judgment_records(engine: Engine) -> Iterator[dict[str, str]]:
    """Each judgment, the last first: what it says and when, both contents, and what the index calls them."""
    name_of: dict[str, str] = {}
    for record in engine.records():
        name_of.setdefault(record.sha256, record.name)
    for judged in engine.judgments():
        yield {
            "judgment": _WORDS[judged.is_same],
            "judged": when(judged.seconds),
            "one": judged.one,
            "other": judged.other,
            "one_name": name_of.get(judged.one, ""),
            "other_name": name_of.get(judged.other, ""),
        }


def import_action(engine: Engine, arguments: argparse.Namespace) -> int:
    """`--import-judgments FILE`: of two judgments of a pair the later one holds."""
    path = arguments.import_judgments
    judgments = read_exported(engine, path)
    n_new = add_judgments(engine.folder, judgments, only_later=True)
    print(f"{display_name(path)}: {counted(len(judgments), 'judgment')}, {n_new} of them new")
    return 0


def read_exported(engine: Engine, path: Path) -> list[Judgment]:
    """The judgments in a file as `--export-judgments` writes it; where a content is left out its name will do.

    Nothing is taken from a file with a faulty record: raises OptionError, which names it.
    """
    return read_table(path, partial(_judgment_of, engine), ", ".join(_COLUMNS[:4]))


def _judgment_of(engine: Engine, record: Mapping[str, Any]) -> Judgment:
    if record["judgment"] not in _WORDS.values():
        raise ValueError(f"judgment {record['judgment']!r:.40}")
    one, other = (record.get(key) or engine.content_of(record[f"{key}_name"]) for key in ("one", "other"))
    seconds = int(datetime.fromisoformat(record["judged"]).timestamp()) if record.get("judged") else None
    return Judgment.of(one, other, record["judgment"] == "same", seconds)


def refuse_wrong_judging(arguments: argparse.Namespace) -> None:
    """Files are looked at before anything is done. Raises OptionError."""
    for path in (arguments.export_judgments, arguments.import_judgments):
        if path:
            kind_of_table(path)
    if arguments.import_judgments and not arguments.import_judgments.is_file():
        raise OptionError(path=arguments.import_judgments, expected="a file with judgments", found="none")
