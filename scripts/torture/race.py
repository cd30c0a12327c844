"""Another process saves by renaming while duplicates are moved, linked, trashed and put back: no saved byte is lost.

python -m scripts.torture.race [--saves 500]. Each kind of action runs until another process has saved that often, each
time at a file that is just acted on: it follows the log, and what is reported of the action that is undone. Whatever it
saved must be where it saved it, or at a place that the output names. Exit status 1 where something is lost.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from bof.grouping.actions import FileAction, perform, plan
from bof.grouping.choosing import Choice
from bof.grouping.journal import Action, read_entries, writing
from bof.grouping.types import Group, Link, Member
from bof.grouping.undoing import undo

N_FILES = 25
"""Of one round, each of which is saved once."""

_N_BYTES = 200_000
_SPREADS_S = (0.002, 0.005, 0.02)
"""A save comes so long after the action began, at the most: actions take a few milliseconds, some wait for the disk."""

KINDS: tuple[tuple[Action, bool], ...] = (
    ("move", False), ("link", False), ("trash", False), ("move", True), ("link", True)
)  # fmt: skip
"""What is done, and whether it is undone that the saves meet."""


@dataclass(frozen=True)
class Round:
    """The folders and files of one round."""

    root: Path

    @property
    def log(self) -> Path:
        """The log of the actions."""
        return self.root / "log.jsonl"

    def pairs(self) -> Iterator[tuple[Path, Path]]:
        """Of each group the kept file and its copy."""
        for number in range(N_FILES):
            yield self.root / "photos" / f"{number:03}.jpg", self.root / "photos" / "copies" / f"{number:03}.jpg"

    def make(self) -> list[Group]:
        """Write the files, of a content that no other round has."""
        groups = []
        for number, pair in enumerate(self.pairs()):
            content = os.urandom(_N_BYTES)
            members = [_write(path, content, 2 * number + place) for place, path in enumerate(pair)]
            groups.append(Group(members[0], ((members[1], Link("exact", 0, 1.0, np.eye(3), ())),)))
        return groups


def _write(path: Path, content: bytes, number: int) -> Member:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Member(path.name, str(path), len(content), path.stat().st_mtime_ns, sha256, 320, 240, 0, number)


# -- The process that acts --------------------------------------------------------------------------------------------


def race(action: Action, undoing: bool, here: Round, seed: int) -> Counter[str]:
    """One round: how many saves there were, by what became of them."""
    groups = here.make()
    choices = [Choice(group.representative, {}, {}, {}) for group in groups]
    folder = here.root / "moved" if action == "move" else None
    file_actions = plan(groups, choices, action, folder, [here.root / "photos"])
    if undoing:
        _act(file_actions, action, here)
    flags = ["--follow", str(here.log), "--seed", str(seed), *["--undoing"] * undoing]
    command = [sys.executable, "-m", "scripts.torture.race", *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()  # it is ready
        reported = _undo(here, other.stdin) if undoing else _act(file_actions, action, here)
        saves = json.loads(other.stdout.read())
    return Counter(_fate(Path(path), content.encode(), here, reported) for path, content in saves)


def _act(file_actions: Sequence[FileAction], action: Action, here: Round) -> str:
    """Do it; what the output says."""
    with writing(here.log, action, here.root / "index") as journal:
        outcomes = list(perform(file_actions, journal, _trash() if action == "trash" else None))
    return "\n".join(outcome.problem for outcome in outcomes)


def _trash() -> Any:
    return importlib.import_module("send2trash.plat_other").send2trash


def _undo(here: Round, other: IO[str]) -> str:
    """Undo it, telling the other process which action is undone now; what the output says."""
    words = []
    for entry in reversed(read_entries(here.log)):
        print(json.dumps(asdict(entry)), file=other)
        words += [one.words for one in undo([entry])]
    other.close()
    return "\n".join(words)


def _fate(place: Path, content: bytes, here: Round, reported: str) -> str:
    """What became of a save."""
    if place.is_file() and place.read_bytes() == content:
        return "where it was saved"
    found = [path for path in here.root.rglob("*") if path.is_file() and _begins_with(path, content)]
    if not found:
        return "lost"
    return "at a place that the output names" if str(found[0]) in reported else "at a place that nothing names"


def _begins_with(path: Path, content: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(content)) == content


# -- The process that saves -------------------------------------------------------------------------------------------


def follow(log: Path, chance: random.Random, *, undoing: bool) -> list[tuple[str, str]]:
    """Save at a file of each action, about when it is acted on; the paths and what was saved there."""
    saves = []
    print("ready", flush=True)
    for entry in map(json.loads, sys.stdin) if undoing else _begun(log):
        time.sleep(chance.uniform(0, chance.choice(_SPREADS_S)))
        path = chance.choice(_places(entry, undoing))
        content = f"saved {chance.getrandbits(128):032x}"
        if _save(path, content.encode()):
            saves.append((path, content))
    return saves


def _places(entry: dict[str, Any], undoing: bool) -> list[str]:
    """Of an action, the file that is acted on twice as often as the one that it becomes or comes from."""
    one, other = entry["path"], entry["target"] or entry["path"]
    return [other, other, one] if undoing and entry["action"] == "move" else [one, one, other]


def _begun(log: Path) -> Iterator[dict[str, Any]]:
    """Each action as soon as the log names it."""
    n_seen = 0
    while n_seen < N_FILES:
        lines = log.read_bytes().split(b"\n")[1:-1] if log.exists() else []
        begun = [entry for line in lines if "outcome" not in (entry := json.loads(line))]
        yield from begun[n_seen:]
        n_seen = len(begun)
        time.sleep(0.0002)


def _save(path: str, content: bytes) -> bool:
    """As editors do it: a new file, then its name; is there a folder to save in?"""
    fresh = f"{path}.fresh"
    try:
        with open(fresh, "xb") as stream:
            stream.write(content)
    except FileNotFoundError:
        return False
    os.rename(fresh, path)
    return True


# -- All of it --------------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Race until each kind has had its saves, and print what became of them."""
    arguments = _parser().parse_args(argv)
    if arguments.follow:
        chance = random.Random(arguments.seed)
        print(json.dumps(follow(arguments.follow, chance, undoing=arguments.undoing)))
        return 0
    n_bad = 0
    for action, undoing in KINDS:
        fates = Counter[str]()
        while fates.total() < arguments.saves:
            arguments.seed += 1
            fates += _in_scratch(action, undoing, arguments.seed)
        n_bad += fates["lost"] + fates["at a place that nothing names"]
        print(f"{'undoing ' * undoing}{action}: {fates.total()} saves, {fates['lost']} lost; {dict(fates)}", flush=True)
    return int(n_bad > 0)


def _in_scratch(action: Action, undoing: bool, seed: int) -> Counter[str]:
    with tempfile.TemporaryDirectory(prefix="bof-race-") as scratch:
        root = Path(os.path.realpath(scratch))
        _trash_in(root)
        return race(action, undoing, Round(root), seed)


def _trash_in(root: Path) -> None:
    """Let the trash of this process lie there: send2trash decides where when it is imported."""
    os.environ["XDG_DATA_HOME"] = str(root / "data")
    sys.modules.pop("send2trash.plat_other", None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=500, help="of each kind (default 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--follow", type=Path, metavar="LOG", help=argparse.SUPPRESS)
    parser.add_argument("--undoing", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
