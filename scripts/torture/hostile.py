"""Hostile indexes, used in every way: each is refused by name or works, and nothing else happens.

python -m scripts.torture.hostile [--number 5000] [--seed 0] [--json FILE]. Each index is made of a sound one, and is
opened, searched with each ranker, checked, served, looked through for duplicates, changed, merged and searched again,
in a process of its own. Exit status 1 where a process died, a file outside was touched, something took 2 s (of the
processor, or 10 s of waiting) or 500 MB more than with the sound index, an error was no BofError, or an answer was
wrong without a word.

Whoever changes an index and the checksums in it has made another index: of such a one any answer is right. Where the
checksums are those of the sound index, an answer that differs must be told: by an error or a warning, or by --check
(counted apart). After a merge --check cannot tell any more, so remove and merge must refuse.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import mimetypes
import os
import pickle
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scripts.common.arguments import make_parser, n_cores, write_figures
from scripts.torture import hostile_arrays, hostile_catalogues, hostile_places
from scripts.torture.children import Ended, Say, in_child
from scripts.torture.hostile_places import canary_of, make_canary
from scripts.torture.sound import Sound, make_sound, small_and_here
from scripts.torture.using import Outcome, Use, use_all
from scripts.torture.watching import Facts, differences, facts_of, watch

_PARTS = (hostile_arrays, hostile_places, hostile_catalogues)
FORGED = {kind: make for part in _PARTS for kind, make in part.FORGED.items()}
DAMAGED = {kind: make for part in _PARTS for kind, make in part.DAMAGED.items()}
KINDS = {**FORGED, **DAMAGED}

FAILURES = ("died", "outside touched", "slow or large", "traceback", "wrong without a word")
REPORTED_LATE = "reported by --check alone"

_SECONDS, _MEMORY = 2.0, 500 << 20
_END_S, _ADDRESSES = 10.0, 3 << 30
"""A child is ended when an operation takes so long, and gets so many more addresses."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one hostile index did: failures by kind, with details; reported_late: answers that --check alone found."""

    number: int
    kind: str
    what: str
    failures: list[tuple[str, str]] = field(default_factory=list)
    reported_late: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What the sound index does: outcomes by operation, and peak memory."""

    sound: Sound
    outcomes: Mapping[str, Outcome]
    peak: int


# -- One index --------------------------------------------------------------------------------------------------------


def try_one(reference: Reference, number: int, seed: int, scratch: Path) -> Result:
    """Make the hostile index of a number, use it, and judge; what took long is tried once more."""
    result = _try(reference, number, seed, scratch)
    if any(failure == "slow or large" and "took more" not in detail for failure, detail in result.failures):
        return _try(reference, number, seed, scratch)
    return result


def _try(reference: Reference, number: int, seed: int, scratch: Path) -> Result:
    sound, place = reference.sound, scratch / f"{number:05}"
    kind, folder = list(KINDS)[number % len(KINDS)], place / "index"
    shutil.copytree(sound.index, folder)
    make_canary(folder)
    what = KINDS[kind](np.random.default_rng([seed, number]), folder)
    before = _around(sound, place)
    ended = in_child(lambda say: _use(sound, folder, say), _END_S, _ADDRESSES)
    outside = differences(before, _around(sound, place))
    shutil.rmtree(place)
    return _judge(reference, Result(number, kind, what), ended, outside)


def _around(sound: Sound, place: Path) -> Facts:
    """All that lies beside an index: the canary, photographs, the vocabulary."""
    beside: Facts = dict.fromkeys(os.listdir(place), ())
    around = {**facts_of(canary_of(place / "index")), **facts_of(sound.folder / "photos")}
    return {**beside, **around, **facts_of(sound.vocabulary)}


def _use(sound: Sound, folder: Path, say: Say) -> None:
    os.chdir(folder.parent)
    found = watch(folder, canary_of(folder))
    use_all(Use(sound, folder), say)
    say(found)


def _judge(reference: Reference, result: Result, ended: Ended, outside: Sequence[str]) -> Result:
    failures = [("outside touched", line) for line in outside]
    outcomes = [value for value in ended.reported if isinstance(value, Outcome)]
    seen = ended.reported[-1] if ended.reported and isinstance(ended.reported[-1], list) else []
    failures += [("outside touched", line) for line in dict.fromkeys(seen)]
    if ended.problem:
        under_way = next((value for value in reversed(ended.reported) if isinstance(value, str)), "nothing")
        kind = "slow or large" if ended.problem.startswith("took") else "died"
        failures.append((kind, f"{under_way}: {ended.problem}"))
    if ended.peak > reference.peak + _MEMORY:
        failures.append(("slow or large", f"{(ended.peak - reference.peak) >> 20} MB more"))
    for outcome in outcomes:
        if outcome.seconds > reference.outcomes[outcome.operation].seconds + _SECONDS:
            failures.append(("slow or large", f"{outcome.operation}: {outcome.seconds:.1f} s"))
        if outcome.traceback:
            failures.append(("traceback", f"{outcome.operation}: {outcome.traceback}"))
    wrong = [] if result.kind in FORGED else _wrong(reference, {each.operation: each for each in outcomes})
    silent = [name for name, is_told in wrong if not is_told]
    failures += [("wrong without a word", name) for name in silent]
    return Result(result.number, result.kind, result.what, failures, len(wrong) - len(silent))


def _wrong(reference: Reference, outcomes: Mapping[str, Outcome]) -> list[tuple[str, bool]]:
    """Operations whose answers differ from the sound index's without a word, and whether --check tells it."""
    found = []
    checked = outcomes.get("check")
    is_told = checked is not None and bool(checked.words)
    is_changed = not any(outcomes[name].words for name in ("remove", "merge") if name in outcomes)
    for name, outcome in outcomes.items():
        if outcome.words or outcome.traceback or outcome.answer == reference.outcomes[name].answer:
            continue
        if name in ("check", "remove", "merge", "check again"):
            continue  # they name strays and sizes; what they have made is asked below
        if not name.endswith("again"):
            found.append((name, is_told))
        elif is_changed:
            found.append((name, bool(outcomes["check again"].words) if "check again" in outcomes else False))
    return found


# -- All of them ------------------------------------------------------------------------------------------------------


def torture(numbers: Sequence[int], seed: int, scratch: Path, jobs: int = 1) -> list[Result]:
    """What the hostile indexes of some numbers did, in the order of the numbers."""
    _warm()
    with small_and_here(), contextlib.redirect_stdout(io.StringIO()):
        reference = _reference(scratch)
        shares = [(numbers[n::jobs], scratch / f"results-{n}") for n in range(jobs)]
        if jobs == 1:
            return [try_one(reference, number, seed, scratch) for number in numbers]
        pids = [_start(reference, *share, seed, scratch) for share in shares]
        for pid in pids:
            os.waitpid(pid, 0)
    results = [result for _, path in shares for result in _read(path)]
    if missing := set(numbers) - {result.number for result in results}:
        raise RuntimeError(f"no results of {sorted(missing)[:9]}")
    return sorted(results, key=lambda result: result.number)


def _warm() -> None:
    """What each child would import, once."""
    mimetypes.init()
    for module in ("faiss", "anyio._backends._asyncio", "filelock"):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def _reference(scratch: Path) -> Reference:
    made = in_child(lambda say: say(make_sound(scratch / "sound")), 120.0)
    if made.problem:
        raise RuntimeError(f"no sound index: {made.problem}")
    sound: Sound = made.reported[-1]
    place = scratch / "reference" / "index"
    shutil.copytree(sound.index, place)
    make_canary(place)
    before = _around(sound, place.parent)
    ended = in_child(lambda say: _use(sound, place, say), 120.0, _ADDRESSES)
    outcomes = {value.operation: value for value in ended.reported if isinstance(value, Outcome)}
    troubled = [each for each in outcomes.values() if each.words or each.traceback]
    touched = [*differences(before, _around(sound, place.parent)), *(ended.reported[-1] if not ended.problem else [])]
    if ended.problem or troubled or touched:
        raise RuntimeError(f"the sound index: {ended.problem} {troubled} {touched}")
    return Reference(sound, outcomes, ended.peak)


def _start(reference: Reference, numbers: Sequence[int], path: Path, seed: int, scratch: Path) -> int:
    """A process of its own that tries some of them, one after another."""
    pid = os.fork()
    if pid:
        return pid
    try:
        with path.open("wb") as stream:
            for done, number in enumerate(numbers, 1):
                pickle.dump(try_one(reference, number, seed, scratch), stream)
                stream.flush()
                if done % 100 == 0:
                    print(f"{done} of {len(numbers)}", file=sys.stderr, flush=True)
    finally:
        os._exit(0)


def _read(path: Path) -> Iterator[Result]:
    with path.open("rb") as stream, contextlib.suppress(EOFError):
        while True:
            yield pickle.load(stream)


# -- The table --------------------------------------------------------------------------------------------------------


def table(results: Sequence[Result]) -> str:
    """Hostile indexes by kind, and how many of each failed in which way."""
    columns = ("indexes", *FAILURES, REPORTED_LATE)
    counts = {kind: _counts([each for each in results if each.kind == kind]) for kind in KINDS}
    rows = [(kind, row) for kind, row in counts.items() if row["indexes"]] + [("all", _counts(results))]
    width = max(len(kind) for kind, _ in rows)
    lines = [f"{kind:<{width}}" + "".join(f"  {row[c] or '.':>{len(c)}}" for c in columns) for kind, row in rows]
    return "\n".join([" " * width + "".join(f"  {column}" for column in columns), *lines])


def _counts(results: Sequence[Result]) -> Counter[str]:
    counts = Counter[str](indexes=len(results))
    for result in results:
        counts.update({failure for failure, _ in result.failures})
        counts[REPORTED_LATE] += result.reported_late > 0
    return counts


def main(argv: list[str] | None = None) -> int:
    """Torture, and print what became of the indexes."""
    parser = make_parser(
        __doc__, "json", number=(5000, "of hostile indexes"), first=(0, "the first one's number"),
        seed=(0, "of chance"), jobs=(n_cores(), "processes"),
    )  # fmt: skip
    arguments = parser.parse_args(argv)
    numbers = range(arguments.first, arguments.first + arguments.number)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # nothing here needs to survive
    with tempfile.TemporaryDirectory(prefix="bof-hostile-", dir=memory) as scratch:
        results = torture(numbers, arguments.seed, Path(scratch), min(arguments.jobs, len(numbers)))
    print(table(results))
    for result in results:
        for failure, detail in result.failures:
            print(f"WRONG  {result.number} {result.kind} ({result.what}): {failure}: {detail[-400:]}")
    write_figures(arguments.json, [result for result in results if result.failures or result.reported_late])
    return int(any(result.failures for result in results))


if __name__ == "__main__":
    sys.exit(main())
