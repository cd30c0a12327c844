"""Hostile ONNX models and hostile pickles of ground truth: each is refused by name or read, and nothing else happens.

python -m scripts.torture.models [--number 200] [--only models pickles]. Exit status 1 where a process died, an error
has no name, something took too long or too much memory, or a file beside or a function of ours was changed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from bof.errors import BenchmarkError, ModelError, OptionError
from bof.evaluation.benchmarks import pickle_values, safe_pickle
from bof.onnx_models import trial
from bof.system.files import sha256_of
from bof.system.workers import Limits, LostItem, run_in_workers

Wrong = list[str]
_PICKLE_LIMITS = Limits(seconds=20.0, memory=500 << 20)
_TRIAL_S, _SLACK_S = 4.0, 15.0
"""Seconds of a trial here, and what starting its process may take on a busy machine."""


# -- Models -----------------------------------------------------------------------------------------------------------


def torture_models(number: int, seed: int, scratch: Path, without: Collection[str] = ()) -> tuple[Counter[str], Wrong]:
    """What became of so many models, tried as every model is; and what went wrong. without: kinds that are left out."""
    from scripts.torture.hostile_models import write_hostile

    canary = _canary(scratch)
    fates, wrong = Counter[str](), list[str]()
    folder = scratch / "models"
    folder.mkdir()
    with mock.patch.multiple(trial, TRIAL_S=_TRIAL_S, close_workers=lambda: None):
        for n in range(number):
            path = folder / f"{n:05}.onnx"
            kind = write_hostile(path, n, seed, without)
            begin = time.perf_counter()
            fate = _fate_of_model(path)
            if time.perf_counter() - begin > _TRIAL_S + _SLACK_S:
                wrong.append(f"{path.name} {kind}: {time.perf_counter() - begin:.0f} s")
            if fate.startswith("another error"):
                wrong.append(f"{path.name} {kind}: {fate}")
            fates[fate.split(":")[0]] += 1
            path.unlink()
    return fates, wrong + _changed(canary)


def _fate_of_model(path: Path) -> str:
    from bof.global_descriptors.embedding import ModelOptions, cached_model

    try:
        cached_model(path, ModelOptions())
    except ModelError as error:
        how = "ended by a limit" if "the process that tried it" in str(error) else "refused by name"
        return how if str(path) in str(error) or path.parent.name in str(error) else f"another error: unnamed {error}"
    except OptionError:
        return "needs options"
    except BaseException as error:
        return f"another error: {type(error).__name__}: {error}"
    return "used"


# -- Pickles ----------------------------------------------------------------------------------------------------------


def torture_pickles(number: int, seed: int, scratch: Path) -> tuple[Counter[str], Wrong]:
    """What became of so many pickles, each read in a process with limits; and what went wrong."""
    from scripts.torture.hostile_pickles import make_hostile

    canary = _canary(scratch)
    fates, wrong, kinds, paths = Counter[str](), list[str](), [], []
    (scratch / "pickles").mkdir()
    for n in range(number):
        kind, data = make_hostile(n, seed)
        path = scratch / "pickles" / f"{n:05}.pkl"
        path.write_bytes(data)
        kinds.append(kind)
        paths.append(path)
    for kind, path, result in zip(
        kinds, paths, run_in_workers("scripts.torture.models:read_pickle", None, paths, 1, _PICKLE_LIMITS), strict=True
    ):
        fate = f"died: {result.reason}" if isinstance(result, LostItem) else str(result)
        fates[fate.split(":")[0]] += 1
        if fate.split(":")[0] not in ("read", "refused by name"):
            wrong.append(f"{path.name} {kind}: {fate}")
    return fates, wrong + _changed(canary)


def read_pickle(_: object, path: Path) -> str:
    """Read one, in a process of its own; what became of it."""
    os.chdir(path.parent)
    before = _functions()
    try:
        safe_pickle.load_pickle(path)
        fate = "read"
    except BenchmarkError as error:
        fate = "refused by name" if str(path) in str(error) else f"another error: unnamed {error}"
    except BaseException as error:
        fate = f"another error: {type(error).__name__}: {error}"
    return fate if _functions() == before else "a function of ours was changed"


def _functions() -> dict[str, Any]:
    """Everything in the modules that read pickles, and in what they name."""
    return {f"{m.__name__}.{name}": _facts(value) for m in (safe_pickle, pickle_values) for name, value in _all(m)}


def _all(module: ModuleType) -> list[tuple[str, Any]]:
    own = sorted((name, value) for name, value in vars(module).items() if not name.startswith("__"))
    return [(name, value) for name, value in own if not isinstance(value, ModuleType)]


def _facts(value: Any) -> tuple[Any, ...]:
    inside = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return id(value), {str(key): id(one) for key, one in dict(inside).items() if "abc" not in str(key)}


# -- Both -------------------------------------------------------------------------------------------------------------


def _canary(scratch: Path) -> dict[Path, str]:
    """Files that nobody may touch."""
    secret = scratch / "secret"
    secret.write_bytes(b"nobody's business" * 100)
    return {secret: sha256_of(secret)}


def _changed(canary: dict[Path, str]) -> Wrong:
    folder = next(iter(canary)).parent
    called = [f"{path.name} was made" for path in folder.rglob("called")]
    return [*called, *(f"{path.name} was changed" for path, sha256 in canary.items() if sha256_of(path) != sha256)]


_PARTS: dict[str, Callable[[int, int, Path], tuple[Counter[str], Wrong]]] = {
    "models": torture_models,
    "pickles": torture_pickles,
}


def main(argv: list[str] | None = None) -> int:
    """Torture, and print what became of the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=200, help="of each (default 200)")
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), default=list(_PARTS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    n_wrong = 0
    for part in arguments.only:
        with tempfile.TemporaryDirectory(prefix=f"bof-{part}-") as scratch:
            fates, wrong = _PARTS[part](arguments.number, arguments.seed, Path(scratch))
        print(f"{fates.total()} {part}: {', '.join(f'{n} {fate}' for fate, n in fates.most_common())}")
        print("\n".join(f"  WRONG  {line[:300]}" for line in wrong), end="\n" * bool(wrong), flush=True)
        n_wrong += len(wrong)
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
