"""An index from a stranger runs no code, and reads and writes nothing outside itself: a hundred of them, in short."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from scripts.torture import hostile, watching
from scripts.torture.children import Ended, in_child
from scripts.torture.hostile import DAMAGED, FORGED, KINDS, Reference, Result
from scripts.torture.using import Outcome

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and looks into /proc")

ROOT = Path(__file__).parents[2]


def test_a_hundred_hostile_indexes_are_refused_or_used_and_nothing_else_happens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.torture.hostile", "--number", "100", "--json", str(tmp_path / "found")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    assert "WRONG" not in done.stdout
    assert not any(result["failures"] for result in json.loads((tmp_path / "found").read_text(encoding="utf-8")))


def test_no_kind_is_left_out_of_a_hundred() -> None:
    assert len(KINDS) == len(FORGED) + len(DAMAGED) <= 100


# -- The harness notices what it looks for ----------------------------------------------------------------------------


def judged(
    outcomes: list[Outcome], kind: str, *, problem: str = "", peak: int = 0, seen: list[str] | None = None
) -> Any:
    sound = {
        name: Outcome(name, "right") for name in ("open", "search bof", "check", "merge", "search again", "check again")
    }
    reference = Reference(cast(Any, None), sound, 0)
    reported = [*outcomes, *([] if problem else [seen or []])]
    return hostile._judge(reference, Result(0, kind, "file"), Ended(reported, problem, peak), [])


DAMAGE, FORGERY = "a flipped bit", "another type"


@pytest.mark.parametrize(
    ("outcomes", "kind", "more", "failure"),
    [
        ([Outcome("search bof", "right")], DAMAGE, {}, ""),
        ([Outcome("search bof", "wrong")], DAMAGE, {}, "wrong without a word"),
        ([Outcome("search bof", "wrong")], FORGERY, {}, ""),
        ([Outcome("search bof", "wrong", ["warning"])], DAMAGE, {}, ""),
        ([Outcome("search bof", "wrong"), Outcome("check", "", ["damaged"])], DAMAGE, {}, ""),
        ([Outcome("check", "", ["damaged"]), Outcome("search again", "wrong")], DAMAGE, {}, "wrong without a word"),
        ([Outcome("merge", "", ["refused"]), Outcome("search again", "wrong")], DAMAGE, {}, ""),
        ([Outcome("open", "", [], "Traceback")], FORGERY, {}, "traceback"),
        ([Outcome("open", "right", [], "", 2.5)], FORGERY, {}, "slow or large"),
        ([], FORGERY, {"peak": 600 << 20}, "slow or large"),
        ([], FORGERY, {"problem": "took more than 10 s"}, "slow or large"),
        ([], FORGERY, {"problem": "SIGSEGV"}, "died"),
        ([], FORGERY, {"seen": ["open for writing: /secret"]}, "outside touched"),
    ],
)
def test_what_is_wrong_is_called_so(outcomes: list[Outcome], kind: str, more: dict[str, Any], failure: str) -> None:
    result = judged(outcomes, kind, **more)
    assert [name for name, _ in result.failures] == ([failure] if failure else [])


def test_damage_that_check_alone_finds_is_counted() -> None:
    result = judged([Outcome("search bof", "wrong"), Outcome("check", "", ["damaged"])], DAMAGE)
    assert (result.reported_late, result.failures) == (1, [])


def read_outside(canary: Path) -> None:
    (canary.parent / "index" / "link").symlink_to(canary / "secret")
    (canary.parent / "index" / "link").read_bytes()


def change_outside(canary: Path) -> None:
    os.rename(canary / "secret", canary / "other")


def write_outside(canary: Path) -> None:
    (canary.parent / "fresh").write_bytes(b"")


def run_something(canary: Path) -> None:
    subprocess.run(["true"], check=False)


def change_inside(canary: Path) -> None:
    (canary.parent / "index" / "fresh").write_bytes(b"")
    os.remove(canary.parent / "index" / "fresh")


@pytest.mark.parametrize("act", [read_outside, change_outside, write_outside, run_something, change_inside])
def test_what_is_done_outside_is_seen(tmp_path: Path, act: Callable[[Path], None]) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    (tmp_path / "index").mkdir()
    (canary / "secret").write_bytes(b"mine")

    def work(say: Callable[[object], None]) -> None:
        found = watching.watch(tmp_path / "index", canary)
        act(canary)
        say(found)

    ended = in_child(work, 20)
    assert not ended.problem
    assert bool(ended.reported[-1]) is (act is not change_inside)


def test_a_child_that_dies_hangs_or_takes_too_much_is_told_apart() -> None:
    def die(say: Callable[[object], None]) -> None:
        say("before")
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(say: Callable[[object], None]) -> None:
        os.read(os.pipe()[0], 1)

    def grow(say: Callable[[object], None]) -> None:
        np.ones(1 << 28)

    assert (in_child(die, 20).reported, in_child(die, 20).problem) == (["before"], "SIGKILL")
    assert in_child(hang, 0.5).problem == "took more than 0 s"
    assert in_child(grow, 20, 1 << 28).problem == "exit status 70"
    assert in_child(lambda say: say(np.ones(1 << 25).sum()), 20).peak > 1 << 28
